"""Estimates whether a model fits the memory of a machine, by arithmetic alone: no I/O."""

from __future__ import annotations

from reflectty.models.fit.estimate import (
    LOAD_VARIABLES,
    Comparison,
    Estimate,
    LoadOptions,
    assumptions,
    bits_per_weight,
    compare_with_running,
    default_context_of,
    default_load,
    estimate_from_size,
    estimate_memory,
    with_load,
)
from reflectty.models.fit.placement import (
    REMOTE_MACHINE,
    Fit,
    Gpu,
    Machine,
    MemoryKind,
    Placement,
    SmallerQuantization,
    place_on,
    without_loaded,
)

__all__ = [
    "LOAD_VARIABLES",
    "REMOTE_MACHINE",
    "Comparison",
    "Estimate",
    "Fit",
    "Gpu",
    "LoadOptions",
    "Machine",
    "MemoryKind",
    "Placement",
    "SmallerQuantization",
    "assumptions",
    "bits_per_weight",
    "compare_with_running",
    "default_context_of",
    "default_load",
    "estimate_from_size",
    "estimate_memory",
    "place_on",
    "with_load",
    "without_loaded",
]
