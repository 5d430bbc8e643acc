"""Writes a reply as one JSON object, or as JSON lines of events."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from reflectty.core.segments import Kind, Reclassification
from reflectty.output import write_remark
from reflectty.reasoning.families import FAMILIES
from reflectty.reasoning.reply import Reply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.core.errors import ReflecttyError
    from reflectty.core.segments import Event
    from reflectty.reasoning.governor import ThinkingEnd
    from reflectty.reasoning.verification import Verification
    from reflectty.reasoning.vote import Sampling
    from reflectty.system.terminal import Terminal


def reply_object(reply: Reply, *, reads_thoughts: bool = True) -> dict[str, Any]:
    """The members of a reply's JSON object; durations are whole milliseconds, tokens by part are estimates.

    Args:
        reply: the reply.
        reads_thoughts: whether to read its thinking: second thoughts, and where it settled; else there are none.
    """
    usage, tokens = reply.usage, reply.tokens
    return {
        "model": reply.model,
        "mode": reply.mode,
        "family": reply.family.name,
        "segments": [{"kind": str(kind), "text": text} for kind, text in reply.segments],
        "answer": reply.answer,
        "thinking": reply.thinking,
        "reflections": list(reply.reflections),
        "second_thoughts": second_thought_objects(reply.segments) if reads_thoughts else [],
        "settled": settled_object(reply.segments) if reads_thoughts else None,
        "governed": _ended_object(reply.thinking_end),
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
        "samples": _sample_objects(reply.sampling),
        "vote": _vote_object(reply.sampling),
        "verification": _verification_object(reply.verification),
        "warnings": list(reply.warnings),
    }


def _sample_objects(sampling: Sampling | None) -> list[dict[str, Any]] | None:
    """The answers that voted; null if the question was asked once."""
    return [sample._asdict() | {"error": sample.error or None} for sample in sampling.samples] if sampling else None


def _vote_object(sampling: Sampling | None) -> dict[str, Any] | None:
    """How they voted, and which of them this reply is; null if the question was asked once."""
    if sampling is None:
        return None
    vote = sampling.vote
    counts = {"votes": vote.votes, "cast": vote.cast, "asked": sampling.asked}
    return {"answer": vote.answer, **counts, "winner": sampling.winner, "tokens": sampling.tokens}


def _verification_object(verification: Verification | None) -> dict[str, Any] | None:
    """The draft and its checks; null if this reply is no revised draft."""
    if verification is None:
        return None
    checks = [check._asdict() | {"error": check.error or None} for check in verification.checks]
    members = {"changed": verification.is_changed, "tokens": verification.tokens}
    return {"draft": verification.draft, "checks": checks, **members}


def second_thought_objects(segments: Sequence[tuple[Kind, str]]) -> list[dict[str, Any]]:
    """The second thoughts in a thinking; `at` counts characters of the member `thinking`."""
    if not any(kind is Kind.THINKING for kind, _ in segments):
        return []
    from reflectty.reasoning.thought_reader import marks_in, sentence_at

    starts: dict[int, int] = {}
    read = 0
    for number, (kind, text) in enumerate(segments):
        if kind is Kind.THINKING:
            starts[number] = read
            read += len(text) + 1
    return [
        {
            "kind": str(mark.kind),
            "sure": mark.is_sure,
            "at": starts[mark.block] + mark.at,
            "text": sentence_at(segments, mark),
        }
        for mark in marks_in(segments)
    ]


def settled_object(segments: Sequence[tuple[Kind, str]]) -> dict[str, Any] | None:
    """Where the thinking settled on the answer; null if that cannot be read."""
    if not any(kind is Kind.THINKING for kind, _ in segments):
        return None
    from reflectty.reasoning.settled import settled_in

    settled = settled_in(segments)
    return {"share": round(settled.share, 4), "offset": settled.offset} if settled else None


def _ended_object(end: ThinkingEnd | None) -> dict[str, Any] | None:
    """What ended the thinking from outside, and at how many tokens; null if the model did."""
    return {"by": str(end.by), "at": end.at} if end else None


def event_object(event: Event) -> dict[str, Any]:
    """An event as a JSON object; `block` numbers the segments of a reply.

    The kind of a reclassification is null if the text is taken back: it follows in another segment.
    """
    if isinstance(event, Reclassification):
        kind = None if event.kind is None else str(event.kind)
        return {"event": "reclassified", "blocks": list(event.blocks), "kind": kind}
    return {"event": "segment", "block": event.block, "kind": str(event.kind), "text": event.text}


def error_object(error: ReflecttyError | None) -> dict[str, Any] | None:
    """An error as a JSON object; null for none."""
    return {"message": str(error), "hint": error.hint, "exit_code": error.exit_code} if error else None


class JsonRenderer:
    """For programs: stdout is JSON in ASCII, one object at the end whatever happens."""

    def __init__(self, terminal: Terminal, *, lines: bool, quiet: bool) -> None:
        self.reads_thoughts = True
        """Whether second thoughts are read in the thinking."""
        self._marked = 0
        """Second thoughts that were written as events."""
        self._terminal = terminal
        self._lines = lines
        self._quiet = quiet
        self._reply: Reply | None = None
        self.session = ""
        """The id of the session that has the reply; empty if it is not saved."""

    def start(self, reply: Reply) -> None:
        self._reply = reply

    def tick(self, seconds: float) -> None:
        """Do nothing: a pipe has no status."""

    def show(self, event: Event) -> None:
        if self._lines:
            self._write(event_object(event))
            if self.reads_thoughts and self._reply and getattr(event, "kind", None) is Kind.THINKING:
                self._write_second_thoughts(self._reply)

    def _write_second_thoughts(self, reply: Reply) -> None:
        """Write those that were decided since the last call; none is taken back."""
        marks = reply.second_thoughts
        for mark in marks[self._marked :]:
            place = {"block": mark.block, "at": mark.at}
            self._write({"event": "second_thought", "kind": str(mark.kind), "sure": mark.is_sure, **place})
        self._marked = max(self._marked, len(marks))

    def note(self, text: str) -> None:
        if not self._quiet:
            write_remark(self._terminal, text)

    def end(self, reply: Reply) -> None:
        """Write the last events; the object is written once the error and the session are known."""
        if self._lines and self.reads_thoughts:
            self._write_second_thoughts(reply)

    def stop(self) -> None:
        """Do nothing: nothing is left open."""

    def finish(self, error: ReflecttyError | None) -> None:
        """Write the object of the reply, complete, cut or never begun; `error` is why there is no complete answer."""
        reply = self._reply or Reply("", FAMILIES["none"])
        last = {"event": "reply"} if self._lines else {}
        self._write(
            {
                **last,
                **reply_object(reply, reads_thoughts=self.reads_thoughts),
                "session": self.session or None,
                "error": error_object(error),
            }
        )

    def _write(self, value: dict[str, Any]) -> None:
        self._terminal.out.write(json.dumps(value, ensure_ascii=True) + "\n")
