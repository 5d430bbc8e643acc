"""Describes in words how much memory a model needs, where it would run and what would help."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.core.safety import clean_line
from reflectty.core.text import format_bytes, format_percent
from reflectty.models.fit import Fit, MemoryKind, bits_per_weight

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reflectty.models.estimate import Comparison, Estimate
    from reflectty.models.fit import Gpu, Machine, Placement

_GB, _GIB = 10**9, 1 << 30
_LITTLE = 1.5
"""A slowdown factor below this is described in words."""


def describe_needs(estimate: Estimate) -> str:
    """The memory needed: `weights 4.9 GB · cache 1.1 GB at 8,192 tokens · about 6.1 GB with buffers`."""
    several = f" for each of {estimate.load.parallel} parallel requests" if estimate.load.parallel > 1 else ""
    bound = "at most about " if estimate.coarse else ""
    return (
        f"weights {format_bytes(estimate.weights)} · cache {bound}{format_bytes(estimate.cache)}"
        f" at {estimate.load.context:,} tokens{several}"
        f" · about {_format_gb(estimate.total)} with buffers"
    )


def describe_fit(placement: Placement) -> tuple[tuple[str, str], ...]:
    """The lines on a fit, labeled `needs` and `fit`; further lines have an empty label."""
    where, *more = describe_placement(placement)
    rest = (*more, *describe_unknowns(placement.estimate), *_describe_loaded(placement))
    return (("needs", describe_needs(placement.estimate)), ("fit", where), *(("", line) for line in rest))


def _describe_loaded(placement: Placement) -> Iterable[str]:
    loaded = placement.comparison
    if loaded:
        yield describe_comparison(loaded)
        if placement.fit is Fit.WHOLE and loaded.cpu_share:
            on_cpu = format_percent(loaded.cpu_share, 1)
            yield f"yet {on_cpu} of it runs on the CPU: see `reflect doctor` and the log of `ollama serve` for why"


def describe_unknowns(estimate: Estimate) -> tuple[str, ...]:
    """What an estimate leaves unknown, one line each."""
    rough = (
        ("a rough estimate, based on the size of the download and the needs of common models",)
        if estimate.coarse
        else ()
    )
    return (*rough, *(clean_line(note) for note in estimate.notes))


def describe_placement(placement: Placement) -> tuple[str, ...]:
    """Where a model would run, what that costs, what would help and what is unknown, one line each."""
    return (
        _describe_where(placement),
        *_describe_cost(placement),
        *_describe_help(placement),
        *map(clean_line, placement.machine.notes),
    )


def _describe_where(placement: Placement) -> str:
    machine, estimate = placement.machine, placement.estimate
    on = _describe_gpus(machine)
    if placement.fit is Fit.UNKNOWN:
        return "the server runs elsewhere: where the model runs is known only once it is loaded"
    if placement.fit is Fit.WHOLE:
        return f"fits entirely on {on}"
    if placement.fit is Fit.NOT:
        location = f"on {on} and in {_describe_memory(machine)}" if machine.gpus else f"in {_describe_memory(machine)}"
        return f"does not fit: it needs about {_format_gb(placement.missing_bytes)} more than is free {location}"
    if placement.fit is Fit.PARTLY:
        layers = (
            f"about {placement.layers_on_gpu} of {placement.layers} layers"
            if placement.layers
            else format_percent(placement.gpu_share, 1)
        )
        return f"does not fit entirely on {on}: {layers} there, {format_percent(placement.cpu_share, 1)} on the CPU"
    why = f"none of its {_format_gb(estimate.total)} fits on {on}" if machine.gpus else "no GPU was found"
    return (
        f"{why}: all of it on the CPU, in {_describe_memory(machine)}"
        if machine.total
        else f"{why}: all of it on the CPU"
    )


def _describe_cost(placement: Placement) -> Iterable[str]:
    """Describe the cost of the CPU's share, as far as a number is reliable."""
    least, most = (round(times) for times in placement.slowdown)
    if placement.fit not in {Fit.PARTLY, Fit.CPU} or not placement.machine.gpus:
        return
    if not any(gpu.memory is MemoryKind.OWN for gpu in placement.machine.gpus):
        yield "slower than on the GPU alone"
    elif placement.slowdown[1] < _LITTLE:
        yield "a little slower"
    else:
        times = f"about {least} to {most}" if 1 < least < most else f"up to {most}"
        yield f"{times} times slower, judging by the memory speed of CPUs and GPUs"


def _describe_help(placement: Placement) -> Iterable[str]:
    estimate, longest = placement.estimate, placement.longest_context
    if longest > estimate.load.context and placement.fit is not Fit.NOT:
        yield f"also with up to {longest:,} tokens of context"
    elif 0 < longest < estimate.load.context and placement.fit is not Fit.WHOLE:
        yield f"it would fit with up to {longest:,} tokens of context"
    if placement.fits_when_emptied:
        yield "it would fit if nothing else used the GPU"
    elif placement.fit in {Fit.PARTLY, Fit.NOT} or (placement.fit is Fit.CPU and placement.machine.gpus):
        yield from _describe_smaller(placement)


def _describe_smaller(placement: Placement) -> Iterable[str]:
    if placement.smaller_quantizations:
        best = placement.smaller_quantizations[0]
        tag = best.name.replace("Q", "q", 1) if best.name.startswith("Q") else best.name
        yield f"as {best.name} it would fit, about {_format_gb(best.total)}: look for a tag that contains {tag}"
    elif not placement.longest_context and bits_per_weight(placement.estimate.quantization):
        yield "no smaller quantization would fit: use a model with fewer parameters"


def _describe_gpus(machine: Machine) -> str:
    """The GPUs, equal ones grouped."""
    kinds = tuple(dict.fromkeys((gpu.name, gpu.total) for gpu in machine.gpus))
    alike = [[gpu for gpu in machine.gpus if (gpu.name, gpu.total) == kind] for kind in kinds]
    return " and ".join(_describe_gpu(gpus[0]) if len(gpus) == 1 else _describe_equal_gpus(gpus) for gpus in alike)


def _describe_equal_gpus(gpus: Sequence[Gpu]) -> str:
    size_of_each = f", {round(gpus[0].total / _GIB)} GiB each" if gpus[0].memory is MemoryKind.OWN else ""
    free, total = sum(gpu.free for gpu in gpus), sum(gpu.total for gpu in gpus)
    return f"{len(gpus)} {clean_line(gpus[0].name)}{size_of_each} ({_format_free(free, total)})"


def _describe_gpu(gpu: Gpu) -> str:
    own = f", {round(gpu.total / _GIB)} GiB" if gpu.memory is MemoryKind.OWN else ""
    about = "about " if gpu.estimated else ""
    return f"{clean_line(gpu.name)}{own} ({about}{_format_free(gpu.free, gpu.total)})"


def _describe_memory(machine: Machine) -> str:
    return f"memory ({_format_free(machine.available, machine.total)})"


def _format_free(free: int, total: int) -> str:
    return f"{free / _GB:.1f} of {_format_gb(total)} free"


def _format_gb(number: int) -> str:
    """Bytes with the decimal that decides whether a model fits: `24.1 GB`."""
    return f"{number / _GB:.1f} GB" if number >= _GB else format_bytes(number)


def describe_comparison(comparison: Comparison) -> str:
    """The accuracy of an estimate: `estimated 6.1 GB, the server reports 6.0 GB: 2 % less`."""
    percent = round(100 * abs(comparison.difference) / max(1, comparison.expected))
    direction = "more" if comparison.difference > 0 else "less"
    off = f"{percent} % {direction}" if percent else "as estimated"
    left_out = f" (without {format_bytes(comparison.uncounted)} of the cache)" if comparison.uncounted else ""
    estimated, reported = _format_gb(comparison.estimate.total), _format_gb(comparison.size)
    return f"estimated {estimated}, the server reports {reported}{left_out}: {off}"
