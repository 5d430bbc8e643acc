"""Ends a thinking from outside: at its budget, in a loop, once its answer has stood, or on request; no I/O."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from reflectty.core.named_tuple import NamedTuple
from reflectty.core.segments import Kind, Segment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reflectty.core.budget import Budget
    from reflectty.core.segments import Event
    from reflectty.reasoning.loops import LoopDetector
    from reflectty.reasoning.standing_answer import AnswerWatch

CLOSING_SENTENCE = "I have thought about this long enough, so I answer now with what I have found."
"""The end of a thinking that is ended from outside, in the model's own voice, unless the settings have another."""
_FEWEST_CHARACTERS = 1000
"""Loops are looked for in longer thinking only."""


class EndReason(StrEnum):
    """Why a thinking was ended from outside."""

    BUDGET = "budget"
    LOOP = "loop"
    ANSWER_NOW = "answer_now"
    SETTLED = "settled"
    """Its stated answer had stood."""


class ThinkingEnd(NamedTuple):
    """How a thinking was ended from outside."""

    by: EndReason
    at: int
    """Tokens of thinking at that point, as counted by the chunks of the reply."""
    budget: str = ""
    """The budget that was reached, in words."""

    def __str__(self) -> str:
        match self.by:
            case EndReason.BUDGET:
                return f"thinking ended at the budget of {self.budget}"
            case EndReason.LOOP:
                return "thinking ended because it repeated itself"
            case EndReason.ANSWER_NOW:
                return "thinking ended on request"
            case EndReason.SETTLED:
                return "thinking ended: the answer stood"


class LoopAction(StrEnum):
    """What happens to a thinking that repeats itself."""

    END = "end"
    """It is ended, and the answer follows."""
    NOTE = "note"
    """It goes on, and the user is told."""
    OFF = "off"


class AnswerRequest:
    """Whether the user has asked for the answer; set from a signal handler or by a key."""

    def __init__(self) -> None:
        self.is_set = False

    def set(self) -> None:
        self.is_set = True


if TYPE_CHECKING:
    # Only annotations name it, and making a protocol takes as long as a module.
    class GovernedReply(Protocol):
        """What a governor reads of a reply."""

        @property
        def is_thinking(self) -> bool: ...
        @property
        def new_thinking_tokens(self) -> int: ...
        @property
        def new_thinking_ms(self) -> float: ...
        @property
        def segments(self) -> tuple[tuple[Kind, str], ...]: ...


class Governor:
    """Watches a reply as it streams and decides, chunk by chunk, whether its thinking has to end.

    Args:
        budget: how much the model may think in this request; None for no limit.
        loop_action: whether a loop ends the thinking.
        answer_request: the user's request for the answer.
        slack: tokens over the budget that are tolerated, where the server keeps the budget itself.
        until_settled: whether the thinking ends once its stated answer has stood.
    """

    def __init__(
        self,
        budget: Budget | None,
        loop_action: LoopAction,
        answer_request: AnswerRequest | None = None,
        slack: int = 0,
        *,
        until_settled: bool = False,
    ) -> None:
        self._budget = budget if budget and budget.is_limited else None
        self._loop_action = loop_action
        self._answer_request = answer_request
        self._slack = slack
        self._until_settled = until_settled
        self._answers: AnswerWatch | None = None
        self._block = -1
        """The block of thinking that was read last."""
        self._loops: LoopDetector | None = None
        self._characters = 0
        self._tokens_before, self._ms_before = 0, 0.0
        self.found_loop = False
        """Whether the thinking repeats itself; stays set."""

    def begin_again(self, reply: GovernedReply) -> None:
        """Count from here: a model may think once more behind a thinking that was ended."""
        self._tokens_before, self._ms_before = reply.new_thinking_tokens, reply.new_thinking_ms
        self._loops, self._characters, self.found_loop = None, 0, False
        self._answer_request = None
        self._until_settled = False

    def judge(self, reply: GovernedReply, events: Iterable[Event]) -> ThinkingEnd | None:
        """How the thinking has to end now, or None; `events` are those of the latest chunk."""
        if self._loop_action is not LoopAction.OFF and not self.found_loop:
            self._look_for_loop(reply, events)
        has_settled = self._until_settled and self._has_settled(events)
        if not reply.is_thinking:
            return None
        tokens = reply.new_thinking_tokens - self._tokens_before
        seconds = (reply.new_thinking_ms - self._ms_before) / 1000
        if self._answer_request and self._answer_request.is_set:
            return ThinkingEnd(EndReason.ANSWER_NOW, tokens)
        if self._budget and self._is_spent(self._budget, tokens, seconds):
            return ThinkingEnd(EndReason.BUDGET, tokens, str(self._budget))
        if self.found_loop and self._loop_action is LoopAction.END:
            return ThinkingEnd(EndReason.LOOP, tokens)
        return ThinkingEnd(EndReason.SETTLED, tokens) if has_settled else None

    def _is_spent(self, budget: Budget, tokens: int, seconds: float) -> bool:
        if budget.seconds:
            return seconds >= budget.seconds
        return tokens >= budget.tokens + self._slack

    def _look_for_loop(self, reply: GovernedReply, events: Iterable[Event]) -> None:
        texts = [event.text for event in events if isinstance(event, Segment) and event.kind is not Kind.ANSWER]
        self._characters += sum(map(len, texts))
        if self._characters < _FEWEST_CHARACTERS:
            return
        if self._loops is None:
            from reflectty.reasoning.loops import LoopDetector

            self._loops = LoopDetector()
            texts = ["\n".join(text for kind, text in reply.segments if kind is not Kind.ANSWER)]
        self.found_loop = self._loops.feed("".join(texts)) is not None

    def _has_settled(self, events: Iterable[Event]) -> bool:
        """Whether an answer that the thinking stated has stood by now."""
        if self._answers is None:
            from reflectty.reasoning.standing_answer import AnswerWatch

            self._answers = AnswerWatch()
        for event in events:
            if isinstance(event, Segment) and event.kind is not Kind.ANSWER:
                self._answers.feed(event.text if event.block == self._block else f"\n{event.text}")
                self._block = event.block
        return self._answers.found is not None
