"""Whether a model fits a machine: an estimate of its memory, where it would run, and how true that turned out.

Holds numbers against each other; asks no server and no device.
"""

from __future__ import annotations

from reflectty.fitting.comparison import Comparison, compared
from reflectty.fitting.device import ELSEWHERE, Device, Machine, Memory
from reflectty.fitting.estimate import Estimate, Load, estimate, from_size, loaded
from reflectty.fitting.placement import Fit, Placement, Smaller, freed, placed
from reflectty.fitting.quantisation import bits_per_weight
from reflectty.fitting.usual import VARIABLES, assumed, usual_context, usual_load

__all__ = [
    "ELSEWHERE",
    "VARIABLES",
    "Comparison",
    "Device",
    "Estimate",
    "Fit",
    "Load",
    "Machine",
    "Memory",
    "Placement",
    "Smaller",
    "assumed",
    "bits_per_weight",
    "compared",
    "estimate",
    "freed",
    "from_size",
    "loaded",
    "placed",
    "usual_context",
    "usual_load",
]
