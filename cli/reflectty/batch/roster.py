"""Who may be asked next: which servers are there, how many questions each answers at once, how fast; asks nobody."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from reflectty.batch.pace import MOST

_NEWER: Final = 0.3
"""How much the latest answer counts in the mean time that a server takes."""


@dataclass(slots=True)
class Place:
    """What is known of one server."""

    slots: int = 1
    """How many questions it may be asked at the same time; 0 where it is left out."""
    running: int = 0
    seconds: float = 0.0
    """How long it takes for an answer in the mean; 0 while it has given none."""
    away: bool = False
    """Whether it does not answer at present."""
    resting_until: float | None = None
    """When it may be asked again that counts how often it is; None where it may be asked now."""
    limits: int = 0
    """How many times it has said so since it last answered."""
    limited_since: float = 0.0
    room: int = 0
    """How many tokens of context all that is answered at once may share; 0 where nobody tells."""
    used: int = 0
    """How many of them what is being answered will take, as it was estimated."""
    most: int = MOST
    """More than this are never asked at the same time."""
    round: int = 0
    """How often the server was found to be asked too much at once."""
    lacks: set[str] = field(default_factory=set)
    """The models that were asked for and that it does not have."""

    @property
    def may_be_asked(self) -> bool:
        return not self.away and self.resting_until is None

    @property
    def usable(self) -> bool:
        """Whether it is there, and not left out."""
        return self.slots > 0 and not self.away

    def takes(self, tokens: int) -> bool:
        """Whether a question of so many tokens, its answer included, may be asked beside what is being answered.

        One that alone is more than there is room for is asked alone.
        """
        free = self.running < self.slots
        return free and (not self.room or not self.running or self.used + tokens <= self.room)


class Roster:
    """Servers by number; told what happens to each."""

    def __init__(self, number: int, slots: int = 1) -> None:
        self.places = tuple(Place(slots) for _ in range(number))

    @property
    def running(self) -> int:
        """How many questions are being answered."""
        return sum(place.running for place in self.places)

    @property
    def nobody(self) -> bool:
        """Whether none of them answers at present."""
        return all(place.away for place in self.places)

    def nobody_has(self, model: str) -> bool:
        """Whether every server that may be asked was found to lack a model."""
        return all(model in place.lacks for place in self.places if place.slots)

    def choose(self, model: str, waiting: int | None = None, tokens: int = 0) -> int | None:
        """Return who should be asked a question now, or None where it had better wait.

        It is the fastest that is free. One that is slow is left out at the end, where the faster ones, busy as they
        are, will be through with all that waits before it is through with one.

        Args:
            model: who is to answer it.
            waiting: how many questions wait, this one included; None where that is unknown.
            tokens: how many it and its answer are estimated to have.
        """
        able = [at for at, place in enumerate(self.places) if place.may_be_asked and model not in place.lacks]
        free = [at for at in able if self.places[at].takes(tokens)]
        if not free:
            return None
        best = min(free, key=lambda at: (self.places[at].seconds, self.places[at].running / self.places[at].slots))
        if waiting is not None and self._done_by_others(best, able) >= waiting:
            return None
        return best

    def _done_by_others(self, slow: int, able: list[int]) -> int:
        """Return how many questions the busy ones will have begun and answered before a slow one has answered one."""
        patience = self.places[slow].seconds
        others = [self.places[at] for at in able if at != slow and self.places[at].running and self.places[at].seconds]
        return sum(int(patience / other.seconds - 1) * other.slots for other in others if other.seconds < patience)

    def begin(self, at: int, tokens: int = 0) -> None:
        self.places[at].running += 1
        self.places[at].used += tokens

    def end(self, at: int, seconds: float | None = None, tokens: int = 0) -> None:
        """Note that a question is over; `seconds` tells how long an answer took, where there was one."""
        place = self.places[at]
        place.running -= 1
        place.used -= tokens
        if seconds is not None:
            before = place.seconds or seconds
            place.seconds = before + _NEWER * (seconds - before)
