"""Writes a reply as one JSON object, or as JSON lines of events."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from reflectty.core.segments import Kind, Reclassification
from reflectty.output import write_remark

if TYPE_CHECKING:
    from reflectty.core.segments import Event
    from reflectty.reasoning.reply import Reply
    from reflectty.system.terminal import Terminal


def reply_object(reply: Reply) -> dict[str, Any]:
    """A reply as a JSON object; durations are whole milliseconds, tokens by part are estimates."""
    usage, tokens = reply.usage, reply.tokens
    return {
        "model": reply.model,
        "mode": reply.mode,
        "family": reply.family.name,
        "segments": [{"kind": str(kind), "text": text} for kind, text in reply.segments],
        "answer": reply.answer,
        "thinking": reply.thinking,
        "reflections": list(reply.reflections),
        "complete": reply.is_complete,
        "done_reason": reply.done_reason,
        "usage": {
            "prompt_tokens": usage.prompt_tokens,
            "thinking_tokens": tokens[Kind.THINKING] + tokens[Kind.REFLECTION],
            "answer_tokens": tokens[Kind.ANSWER],
            "total_ms": round(usage.total_ms or reply.total_ms),
            "load_ms": round(usage.load_ms),
            "first_token_ms": round(reply.first_token_ms),
            "cached_tokens": usage.cached_tokens,
            "prompt_per_second": round(usage.prompt_per_second),
        },
        "warnings": list(reply.warnings),
    }


def event_object(event: Event) -> dict[str, Any]:
    """An event as a JSON object; `block` numbers the segments of a reply.

    The kind of a reclassification is null if the text is taken back: it follows in another segment.
    """
    if isinstance(event, Reclassification):
        kind = None if event.kind is None else str(event.kind)
        return {"event": "reclassified", "blocks": list(event.blocks), "kind": kind}
    return {"event": "segment", "block": event.block, "kind": str(event.kind), "text": event.text}


class JsonRenderer:
    """For programs: stdout is JSON in ASCII."""

    def __init__(self, terminal: Terminal, *, lines: bool, quiet: bool) -> None:
        self._terminal = terminal
        self._lines = lines
        self._quiet = quiet

    def start(self, reply: Reply) -> None:
        """Do nothing: there is no output before the first event."""

    def tick(self, seconds: float) -> None:
        """Do nothing: a pipe has no status."""

    def show(self, event: Event) -> None:
        if self._lines:
            self._write(event_object(event))

    def note(self, text: str) -> None:
        if not self._quiet:
            write_remark(self._terminal, text)

    def end(self, reply: Reply) -> None:
        self._write(reply_object(reply))

    def stop(self) -> None:
        """Do nothing: nothing is left open."""

    def _write(self, value: dict[str, Any]) -> None:
        self._terminal.out.write(json.dumps(value, ensure_ascii=True) + "\n")
