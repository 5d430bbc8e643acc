"""Whether a model fits, as rows and as a JSON object; estimates nothing and writes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from reflectty.drawing import fit as words
from reflectty.drawing.inline import wrapped
from reflectty.fitting import Fit

if TYPE_CHECKING:
    from reflectty.drawing.paint import Row
    from reflectty.fitting import Comparison, Estimate, Machine, Placement
    from reflectty.render.page import Page

_INDENT: Final = 2


def fit_rows(placed: Placement, page: Page, compared: Comparison | None = None) -> list[Row]:
    """Return what a model needs, where it would run, what would help, and how true an estimate turned out."""
    styles = page.palette.styles
    where, *more = words.placement(placed)
    beside = (*more, *words.unknowns(placed.estimate), *((words.comparison(compared),) if compared else ()))
    lines = (
        (words.needed(placed.estimate), styles["text"]),
        (where, styles["error" if placed.fit is Fit.NOT else "text"]),
        *((line, styles["dim"]) for line in beside),
    )
    return [row for line, style in lines for row in wrapped([(_spelt(line, page), style)], page.columns.prose, _INDENT)]


def _spelt(line: str, page: Page) -> str:
    """Return a line with no sign that the stream cannot carry."""
    return line if page.terminal.out.unicode else line.replace("·", page.palette.glyphs.dot)


def fit_object(placed: Placement, compared: Comparison | None = None) -> dict[str, Any]:
    """Return the same as a JSON object; sizes are bytes, shares between 0 and 1, what is not known is null."""
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
