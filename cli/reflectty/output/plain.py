"""Writes a reply as plain text: answer text to stdout once it is final, thinking to stderr, statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.core.safety import Sanitizer, clean_line
from reflectty.core.segments import Event, Kind, Reclassification
from reflectty.output import OutputForm, write_remark

if TYPE_CHECKING:
    from reflectty.output import OutputOptions
    from reflectty.reasoning.families import Family
    from reflectty.reasoning.reply import Reply
    from reflectty.system.terminal import Terminal


class FinalGate:
    """Decides which text of a reply may go to stdout, where nothing can be taken back.

    Tagged text is released at once. Untagged text is held until it can no longer be thinking; with `final` also as
    long as an answer tag may still follow that excludes it from the answer. A model that thinks natively was not asked
    for tags: its answer is released unless it begins with one.
    """

    def __init__(self, family: Family, *, final: bool, mode: str = "") -> None:
        self._final = final
        self._is_native = family.name == mode == "native"
        self._waits = final and bool(family.answer or family.name in ("any", "harmony"))
        self._held: dict[int, list[str]] = {}
        self._tagged = False
        self._block: int | None = None

    @property
    def has_begun(self) -> bool:
        """True if any text has been released."""
        return self._block is not None

    def feed(self, event: Event) -> str:
        """The text that may be written now."""
        if isinstance(event, Reclassification):
            for block in event.blocks:
                self._held.pop(block, None)
            return ""
        if event.kind is not Kind.ANSWER:
            return ""
        if event.tagged:
            self._tagged = True
            self._held.clear()
            return self._release_text(event.block, event.text)
        if self._tagged:
            return ""
        if event.certain and self.has_begun and not self._held and not self._may_be_excluded():
            return self._release_text(event.block, event.text)
        self._held.setdefault(event.block, []).append(event.text)
        return "" if self._may_be_excluded() or not event.certain else self._release_held()

    def _may_be_excluded(self) -> bool:
        """Whether an answer tag may still follow."""
        if not (self._waits and self._is_native):
            return self._waits
        return not self.has_begun and next(iter(self._held.values()))[0].startswith("<")

    def close(self, reply: Reply) -> str:
        """The rest at the end of the reply; with `final`, the doubtful text of a cut reply is not released."""
        if self.has_begun:
            return self._release_held()
        in_doubt = self._final and not reply.is_finished
        return self._release_text(0, reply.answer) if reply.answer and not in_doubt else ""

    def _release_held(self) -> str:
        text = "".join(self._release_text(block, "".join(pieces)) for block, pieces in self._held.items())
        self._held.clear()
        return text

    def _release_text(self, block: int, text: str) -> str:
        separator = "\n" if self._block not in (None, block) else ""
        self._block = block
        return separator + text


class PlainRenderer:
    """For pipes and files: stdout is the answer and ends in exactly one line break."""

    def __init__(self, terminal: Terminal, look: OutputOptions, parts: frozenset[Kind]) -> None:
        self._terminal = terminal
        self._options = look
        self._parts = parts
        self._gate: FinalGate | None = None
        self._answer_sanitizer = Sanitizer()
        self._thinking_sanitizer = Sanitizer()
        self._has_written = False
        self._block: int | None = None

    def start(self, reply: Reply) -> None:
        self._gate = FinalGate(reply.family, final=self._options.form is OutputForm.FINAL, mode=reply.mode)

    def tick(self, seconds: float) -> None:
        """Do nothing: a pipe has no status."""

    def show(self, event: Event) -> None:
        if self._gate and Kind.ANSWER in self._parts:
            text = self._gate.feed(event)
            if text and not self._options.hold_until_checked:
                self._write(self._answer_sanitizer.feed(text))
        if self._options.has_chosen_parts and not isinstance(event, Reclassification) and event.kind is not Kind.ANSWER:
            self._write_thinking(event.kind, event.block, event.text)

    def note(self, text: str) -> None:
        if not self._options.quiet:
            write_remark(self._terminal, text)

    def end(self, reply: Reply) -> None:
        if self._gate and Kind.ANSWER in self._parts:
            rest = self._rest_of_answer(reply, self._gate)
            self._write(self._answer_sanitizer.feed(rest) + self._answer_sanitizer.close())
        self.stop()
        if self._answer_sanitizer.replaced_count:
            from reflectty.view.summary import control_character_remark

            self.note(control_character_remark(self._answer_sanitizer.replaced_count))

    def _rest_of_answer(self, reply: Reply, answer: FinalGate) -> str:
        if self._options.hold_until_checked:
            from reflectty.core.schema import tidy_json

            return "" if reply.is_withheld else tidy_json(reply.answer)
        return answer.close(reply)

    def stop(self) -> None:
        if self._block is not None:
            self._terminal.write_stderr(self._thinking_sanitizer.close() + "\n")
        if self._has_written:
            self._terminal.out.write("\n")
        self._has_written, self._block = False, None

    def _write(self, text: str) -> None:
        if text:
            self._has_written = True
            self._terminal.out.write(text)

    def _write_thinking(self, kind: Kind, block: int, text: str) -> None:
        """Write thinking to stderr, each block on its own line, a correction with `~ ` before it."""
        if kind not in self._parts:
            return
        if block != self._block:
            self._terminal.write_stderr(
                ("" if self._block is None else "\n") + ("~ " if kind is Kind.REFLECTION else "")
            )
            self._block = block
        self._terminal.write_stderr(self._thinking_sanitizer.feed(text))


MIN_LOAD_MS = 100
"""Even a loaded model takes some milliseconds to find."""


def format_stats(reply: Reply) -> str:
    """The cost of a reply in three lines: model and mode, tokens, times; and in a fourth that of several replies."""
    from reflectty.core.text import format_count

    usage, tokens = reply.usage, reply.tokens
    thinking = tokens[Kind.THINKING] + tokens[Kind.REFLECTION]
    loaded = f"loaded in {usage.load_ms / 1000:.1f} s · " if usage.load_ms >= MIN_LOAD_MS else ""
    speed = f" · {reply.tokens_per_second:.1f} tok/s" if reply.tokens_per_second else ""
    cached = f" ({usage.cached_tokens} cached)" if usage.cached_tokens else ""
    read = f" · prompt {usage.prompt_per_second:.1f} tok/s" if usage.prompt_per_second else ""
    return (
        f"{clean_line(reply.model)} · mode {reply.mode} · family {reply.family.name}\n"
        f"tokens: {usage.prompt_tokens} prompt{cached} · {thinking} thinking · {tokens[Kind.ANSWER]} answer"
        f" · {format_count(reply.corrections, 'correction')}\n"
        f"{loaded}first token {reply.first_token_ms / 1000:.2f} s · total {reply.total_ms / 1000:.2f} s{speed}{read}\n"
        f"{_several_line(reply)}"
    )


def _several_line(reply: Reply) -> str:
    """The cost of all replies, if the question took several."""
    several = reply.sampling or reply.verification
    return f"in all: {several.summary}\n" if several else ""
