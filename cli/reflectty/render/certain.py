"""Tells what of a reply may go to a stdout that nothing can be unsaid on, while it still arrives; writes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.stream import Event, Kind, Reclassified

if TYPE_CHECKING:
    from reflectty.families import Family
    from reflectty.reply import Reply


class CertainAnswer:
    """Tells what of a reply may go to a stdout that nothing can be unsaid on.

    Tagged text goes at once. Untagged text is held until it can no longer be thinking; with `final` also as
    long as an answer tag may still come that makes it no part of the answer.
    """

    def __init__(self, family: Family, *, final: bool) -> None:
        self._final = final
        self._waits = final and bool(family.answer or family.name in ("any", "harmony"))
        self._held: dict[int, list[str]] = {}
        self._tagged = False
        self._block: int | None = None

    @property
    def began(self) -> bool:
        """Whether anything has gone out."""
        return self._block is not None

    def feed(self, event: Event) -> str:
        """Return what may be written now."""
        if isinstance(event, Reclassified):
            for block in event.blocks:
                self._held.pop(block, None)
            return ""
        if event.kind is not Kind.ANSWER:
            return ""
        if event.tagged:
            self._tagged = True
            self._held.clear()
            return self._out(event.block, event.text)
        if self._tagged:
            return ""
        self._held.setdefault(event.block, []).append(event.text)
        return "" if self._waits or not event.certain else self._release()

    def close(self, reply: Reply) -> str:
        """Return the rest, now that nothing more can come; what a cut reply left in doubt is no final answer."""
        if self.began:
            return self._release()
        in_doubt = self._final and not reply.stopped
        return self._out(0, reply.answer) if reply.answer and not in_doubt else ""

    def _release(self) -> str:
        text = "".join(self._out(block, "".join(pieces)) for block, pieces in self._held.items())
        self._held.clear()
        return text

    def _out(self, block: int, text: str) -> str:
        separator = "\n" if self._block not in (None, block) else ""
        self._block = block
        return separator + text
