"""Whether a model fits, as a JSON object; estimates nothing and writes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reflectty.drawing import fit as words
from reflectty.fitting import Fit

if TYPE_CHECKING:
    from reflectty.fitting import Comparison, Estimate, Machine, Placement


def fit_object(placed: Placement, compared: Comparison | None = None) -> dict[str, Any]:
    """Return what is known of a fit; sizes are bytes, shares between 0 and 1, what is not known is null."""
    known = placed.fit is not Fit.UNKNOWN
    return {
        "estimate": estimate_object(placed.estimate),
        "machine": machine_object(placed.machine),
        "fit": str(placed.fit),
        "gpu_share": placed.gpu_share if known else None,
        "cpu_share": placed.cpu_share if known else None,
        "layers_on_gpu": placed.layers_on_gpu if known and placed.layers else None,
        "layers": placed.layers or None,
        "slower": list(placed.slower) if placed.fit is Fit.PARTLY else None,
        "missing": placed.missing if known else None,
        "longest_context": placed.longest_context or None,
        "smaller": [smaller._asdict() for smaller in placed.smaller],
        "fits_emptied": placed.fits_emptied if known else None,
        "says": list(words.placement(placed)),
        "loaded": _comparison_object(compared) if compared else None,
    }


def estimate_object(made: Estimate) -> dict[str, Any]:
    return {
        "weights": made.weights,
        "cache": made.cache,
        "buffers": made.buffers,
        "total": made.total,
        **made.load._asdict(),
        "quantization": made.quantisation or None,
        "coarse": made.coarse,
        "not_known": list(made.notes),
    }


def machine_object(found: Machine) -> dict[str, Any]:
    return {
        "known": found.known,
        "gpus": [{**gpu._asdict(), "memory": str(gpu.memory), "driver": gpu.driver or None} for gpu in found.gpus],
        "memory": {"total": found.total or None, "available": found.available if found.total else None},
        "not_known": list(found.notes),
    }


def _comparison_object(made: Comparison) -> dict[str, Any]:
    return {
        "size": made.size,
        "estimated": made.estimate.total,
        "uncounted": made.uncounted,
        "difference": made.difference,
        "gpu_share": made.gpu_share,
        "cpu_share": made.cpu_share,
        "context": made.estimate.load.context,
    }
