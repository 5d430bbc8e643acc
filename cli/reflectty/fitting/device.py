"""What a model can be fitted on: GPUs, and the memory of the machine; asks nobody."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Memory(StrEnum):
    """Whose memory a GPU uses."""

    OWN = "own"
    SHARED = "shared"
    """That of the machine, as on Apple silicon."""


class Device(NamedTuple):
    """A GPU; sizes in bytes."""

    name: str
    total: int
    free: int
    memory: Memory = Memory.OWN
    driver: str = ""
    source: str = ""
    """What told of it: a command, or a file."""
    estimated: bool = False
    """Whether its sizes are a rule of thumb."""


class Machine(NamedTuple):
    """The machine that a server runs on; sizes in bytes."""

    gpus: tuple[Device, ...] = ()
    total: int = 0
    """The memory of the machine; 0 when unknown."""
    available: int = 0
    """How much of it programs can still have."""
    known: bool = True
    """False where the server runs elsewhere: only the server can tell."""
    notes: tuple[str, ...] = ()
    """What could not be found out, a sentence each."""


ELSEWHERE = Machine(known=False)
"""The machine of a server that is not this one."""
