"""Evidence: what a run has shown of one way of asking a model, as the settings keep it."""

from __future__ import annotations

from reflectty.core.named_tuple import NamedTuple

_WAYS = {"native": "thinking", "reflect": "a prompt to reflect", "direct": "without thinking"}
"""The ways of asking by their mode, in words."""
_SAME_COST = 0.05
"""Tokens that differ by a smaller part are about as many."""
_BASELINES = {"cot": "step by step", "direct": "the answer alone", "think": "thinking"}
"""The arms that are compared with, in words."""


class Evidence(NamedTuple):
    """How a model is best asked, by a run: a way, its difference to a baseline, and where both were seen."""

    mode: str
    """`native`, `reflect` or `direct`."""
    effort: str = ""
    budget: str = ""
    """The budget as it is typed; empty if the run set none."""
    gain: float = 0.0
    """Percentage points of right answers over the baseline."""
    low: float = 0.0
    """The lower end of the 95 % interval of the gain, in points."""
    high: float = 0.0
    """The upper end."""
    n: int = 0
    """Questions that both answered."""
    baseline: str = ""
    """The arm that it was compared with, as it is typed."""
    fixed: int | None = None
    """Answers that corrections made right; None if no draft was read."""
    broken: int | None = None
    """Answers that corrections made wrong."""
    tokens: float = 0.0
    """Tokens of an answer, as a multiple of the baseline's; 0 if unknown."""
    date: str = ""
    """The day of the run: YYYY-MM-DD."""
    digest: str = ""
    """The digest of the model; empty if its server reported none."""
    set_name: str = ""
    """The questions."""
    run: str = ""
    """The name of the run."""

    @property
    def way(self) -> str:
        """How the model is asked, in words."""
        details = (f"effort {self.effort}" if self.effort else "", f"a budget of {self.budget}" if self.budget else "")
        added = " and ".join(filter(None, details))
        return _WAYS.get(self.mode, self.mode) + (f" with {added}" if added else "")

    @property
    def difference(self) -> str:
        """The gain with its interval, and where it is from, in words."""
        interval = f"{format_points(self.low)} to {format_points(self.high)}; n = {self.n:,}"
        seen = ", ".join(filter(None, (interval, self.date)))
        beside = "over" if self.gain > 0 else "against"
        return f"{format_points(self.gain)} points {beside} {baseline_words(self.baseline)} ({seen})"

    @property
    def reason(self) -> str:
        """Why the model is asked like this, in words: the difference, and without a gain the cost."""
        return ", ".join(filter(None, (self.difference, self.cost if self.gain <= 0 else "")))

    @property
    def arms(self) -> str:
        """The arms that were compared, as they are typed; step by step comes first, if it is one of them."""
        baseline = self.baseline or "cot"
        way = {"native": "think", "reflect": "reflect"}.get(self.mode, "direct" if baseline == "cot" else "cot")
        own = ":".join(filter(None, (way, self.effort, self.budget)))
        return f"{own},{baseline}" if own == "cot" else f"{baseline},{own}"

    @property
    def ledger(self) -> str:
        """What corrections fixed and broke, in words; empty if unknown."""
        return "" if self.fixed is None or self.broken is None else f"{self.fixed} fixed, {self.broken} broken"

    @property
    def cost(self) -> str:
        """The tokens of an answer beside the baseline's, in words; empty if unknown, or about the same."""
        is_same = abs(self.tokens - 1) < _SAME_COST
        return "" if not self.tokens or is_same else f"{self.tokens:.1f}".removesuffix(".0") + " times the tokens"

    def is_of(self, digest: str) -> bool:
        """Whether it was seen with the model of a digest; True if either digest is unknown."""
        return not (digest and self.digest) or _bare(digest) == _bare(self.digest)

    def __str__(self) -> str:
        return ", ".join(filter(None, (f"{self.way}: {self.difference}", self.ledger, self.cost)))


def baseline_words(name: str) -> str:
    """An arm in words, as what another is compared with."""
    return _BASELINES.get(name, name) or "the baseline"


def format_points(number: float) -> str:
    """A difference in percentage points: `+12`, `-0.5`, `0`."""
    text = f"{number:+.1f}".removesuffix(".0")
    return "0" if text in {"+0", "-0"} else text


def _bare(digest: str) -> str:
    return digest.removeprefix("sha256:")
