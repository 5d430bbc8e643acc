"""The budget of a thinking: how much a model may think before its answer is asked for."""

from __future__ import annotations

import re

from reflectty.core.errors import UsageError
from reflectty.core.named_tuple import NamedTuple
from reflectty.core.text import format_count, format_duration

_AMOUNT = re.compile(r"([0-9][0-9_,]*(?:\.[0-9]+)?)\s*(k|s|m|h)?")
_SECONDS = {"s": 1, "m": 60, "h": 3600}
_THOUSAND = 1000


class Budget(NamedTuple):
    """How much a reply may think: in tokens, or in seconds from the first token."""

    tokens: int = 0
    seconds: float = 0.0
    is_limited: bool = True
    """False for `off`, which overrules a budget from the settings."""

    @property
    def allows_none(self) -> bool:
        """Whether the model is not to think at all."""
        return self.is_limited and not self.tokens and not self.seconds

    @property
    def typed(self) -> str:
        """The budget as it is typed: `2000`, `30s`, `off`."""
        if not self.is_limited:
            return "off"
        return f"{self.seconds:g}s" if self.seconds else str(self.tokens)

    def __str__(self) -> str:
        if not self.is_limited:
            return "off"
        return format_duration(self.seconds) if self.seconds else format_count(self.tokens, "token")


NO_BUDGET = Budget(is_limited=False)


def parse_budget(text: str, name: str = "--budget") -> Budget:
    """Parse a budget: `2000`, `2k`, `30s`, `2m`, or `off`; 0 means no thinking.

    Raises:
        UsageError: it is neither a number of tokens nor a time.
    """
    word = text.strip().lower()
    if word == "off":
        return NO_BUDGET
    match = _AMOUNT.fullmatch(word)
    number = float(match[1].replace(",", "").replace("_", "")) if match else -1.0
    unit = match[2] if match else None
    if unit in _SECONDS:
        return Budget(seconds=number * _SECONDS[unit])
    tokens = number * (_THOUSAND if unit else 1)
    if not 0 <= tokens < 1 << 31 or tokens != int(tokens):
        raise UsageError(f"{name} {text!r} is not a budget", "give tokens or a time: 2000, 2k, 30s, 2m; off for none")
    return Budget(int(tokens))
