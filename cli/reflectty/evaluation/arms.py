"""Arms: ways of asking a question, as they are typed and as questions."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from reflectty.core.budget import Budget, parse_budget
from reflectty.core.errors import UsageError, did_you_mean
from reflectty.core.messages import Effort
from reflectty.core.named_tuple import NamedTuple
from reflectty.reasoning.modes import Mode

if TYPE_CHECKING:
    from collections.abc import Iterable


class Way(StrEnum):
    """How an arm asks."""

    DIRECT = "direct"
    """The answer alone."""
    COT = "cot"
    """Step by step, without any reflection: the baseline."""
    REFLECT = "reflect"
    """Asked by a prompt to think and to correct itself in tags."""
    REVISE = "revise"
    """Two turns: an answer, then a request to review and correct it (Huang et al., arXiv 2310.01798)."""
    THINK = "think"
    """The model's own thinking, or its own tags."""
    VOTE = "vote"
    """Several answers step by step, of which the most frequent wins: the control for more tokens."""


MAX_VOTES: Final = 64
_VOTE = re.compile(r"vote(?:-(\d+))?")
_MODES: Final = {
    Way.DIRECT: Mode.DIRECT,
    Way.COT: Mode.DIRECT,
    Way.REFLECT: Mode.REFLECT,
    Way.REVISE: Mode.DIRECT,
    Way.THINK: Mode.NATIVE,
    Way.VOTE: Mode.DIRECT,
}
_THINKING_WAYS: Final = (Way.REFLECT, Way.THINK)
_EXAMPLES: Final = "for example: cot, reflect, revise, think, think:low, think:2000, vote-5, think@MODEL"


class Arm(NamedTuple):
    """One way of asking in a comparison."""

    way: Way
    effort: Effort | None = None
    budget: Budget | None = None
    votes: int = 0
    """How many answers a vote takes; 0 for other ways."""
    model: str = ""
    """The model that is asked; empty for the one of the run."""

    @property
    def mode(self) -> Mode:
        return _MODES[self.way]

    @property
    def thinks(self) -> bool:
        """Whether the model is made to think, or lets it think by itself."""
        return self.way in _THINKING_WAYS

    @property
    def name(self) -> str:
        """The arm as it is typed, which identifies it in a run: `think:low`, `vote-5`, `cot@qwen3:8b`."""
        way = f"vote-{self.votes}" if self.way is Way.VOTE else str(self.way)
        details = [str(self.effort) if self.effort else "", self.budget.typed if self.budget else ""]
        name = ":".join([way, *filter(None, details)])
        return f"{name}@{self.model}" if self.model else name


def parse_arm(text: str) -> Arm:
    """Parse an arm: `cot`, `think:high`, `think:2000`, `reflect:low:30s`, `vote-5`, `think@qwen3:8b`.

    Raises:
        UsageError: there is no such arm, or it takes no effort or budget.
    """
    typed, _, model = text.strip().partition("@")
    name, *details = typed.split(":")
    way, votes = _parse_way(name, text)
    effort, budget = None, None
    for detail in details:
        if detail in tuple(Effort):
            effort = Effort(detail)
        else:
            budget = parse_budget(detail, f"the budget of the arm {text!r}:")
    arm = Arm(way, effort, budget, votes, model)
    if details and not arm.thinks:
        raise UsageError(f"the arm {text!r} does not think: it takes no effort and no budget", _EXAMPLES)
    return arm


def _parse_way(name: str, text: str) -> tuple[Way, int]:
    if match := _VOTE.fullmatch(name):
        votes = int(match[1] or 5)
        if not 3 <= votes <= MAX_VOTES:  # noqa: PLR2004 - fewer than three answers have no majority
            raise UsageError(f"the arm {text!r}: a vote takes 3 to {MAX_VOTES} answers", "vote-5 takes five")
        return Way.VOTE, votes
    try:
        return Way(name), 0
    except ValueError as error:
        raise UsageError(f"no arm {text!r}", did_you_mean(name, tuple(Way)) or _EXAMPLES) from error


def parse_arms(texts: Iterable[str], models: Iterable[str] = ()) -> tuple[Arm, ...]:
    """Parse the arms of a comparison, each once, in order; with models, each arm for each model.

    Raises:
        UsageError: one is not an arm, one is given twice, or models are named twice.
    """
    arms = [parse_arm(part) for text in texts for part in text.split(",") if part.strip()]
    named = [name for text in models for name in text.split(",") if name.strip()]
    if named and any(arm.model for arm in arms):
        raise UsageError("models are named in the arms and with --models", "name them in one way")
    if named:
        arms = [arm._replace(model=name.strip()) for name in named for arm in arms]
    names = [arm.name for arm in arms]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UsageError(f"the arm {twice} is given twice", "name each arm once")
    return tuple(arms)
