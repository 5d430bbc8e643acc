"""Places an estimated model on GPUs and CPU."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from reflectty.models.fit.estimate import (
    BITS_PER_WEIGHT,
    COMMON_QUANTIZATIONS,
    PADDING,
    SMALL_BATCH,
    batch_size_of,
    bits_per_weight,
    layer_caches,
    with_load,
    with_weights,
)

if TYPE_CHECKING:
    from reflectty.models.fit.estimate import Estimate


class MemoryKind(StrEnum):
    """Where a GPU's memory is."""

    OWN = "own"
    SHARED = "shared"
    """The machine's memory, as on Apple silicon."""


class Gpu(NamedTuple):
    """A GPU; sizes in bytes."""

    name: str
    total: int
    free: int
    memory: MemoryKind = MemoryKind.OWN
    driver: str = ""
    source: str = ""
    """The command or file that reported it."""
    estimated: bool = False
    """True if its sizes are a rule of thumb."""


class Machine(NamedTuple):
    """The machine that a server runs on; sizes in bytes."""

    gpus: tuple[Gpu, ...] = ()
    total: int = 0
    """The memory of the machine; 0 when unknown."""
    available: int = 0
    """The memory still available to programs."""
    known: bool = True
    """False for a remote server, whose hardware only the server can report."""
    notes: tuple[str, ...] = ()
    """What could not be detected, one sentence each."""


REMOTE_MACHINE = Machine(known=False)
"""The unknown machine of a remote server."""

MARGIN: Final = 1 << 30
"""What llama.cpp leaves free on each GPU (fit_params_target in common/common.h)."""
BANDWIDTH_RATIOS: Final = (4.0, 11.0)
"""How much faster a GPU reads its own memory than a CPU reads the machine's, at least and at most.

Each token reads every weight once, so reading dominates the time. A GeForce RTX 3060 reads 360 GB/s and an RTX 4090
1,008 GB/s; two channels of DDR5-5600 read 89.6 GB/s.
"""
_LONGEST: Final = 1 << 22
_COARSE_LAYERS: Final = 32
"""How many equal parts stand for the layers of a model whose layers are unknown."""


class Fit(StrEnum):
    """Where a model would run."""

    WHOLE = "whole"
    """All layers on GPUs."""
    PARTLY = "partly"
    """Some layers on GPUs, the rest on the CPU."""
    CPU = "cpu"
    """All layers on the CPU."""
    NOT = "not"
    """Not enough memory."""
    UNKNOWN = "unknown"
    """The server is remote."""


class SmallerQuantization(NamedTuple):
    """A quantization of the same model that fits the GPUs, or without GPUs the memory."""

    name: str
    weights: int
    total: int


class Placement(NamedTuple):
    """Where a model would run, and what would help; estimated."""

    fit: Fit
    estimate: Estimate
    machine: Machine
    gpu_share: float = 0.0
    """Share of weights and cache."""
    cpu_share: float = 0.0
    layers_on_gpu: int = 0
    layers: int = 0
    """Includes the output layer, as llama.cpp does; 0 when unknown or when parts of layers are moved."""
    slowdown: tuple[float, float] = (1.0, 1.0)
    """How many times longer a token takes than with the whole model on the GPU, at least and at most."""
    missing_bytes: int = 0
    """Bytes that the machine lacks to run the model at all."""
    longest_context: int = 0
    """The longest context that fits the GPUs, or without GPUs the memory; 0 when none fits or unknown."""
    smaller_quantizations: tuple[SmallerQuantization, ...] = ()
    fits_when_emptied: bool = False
    """True if the model would fit GPUs that nothing else used."""


def place_on(made: Estimate, machine: Machine) -> Placement:
    """Place a model on the machine's GPUs and CPU.

    Whole layers go to the GPUs from the last to the first, as long as each GPU keeps its buffers and 1 GiB free, as
    llama.cpp does by default (common/fit.cpp); the rest runs on the CPU. Of a model with experts, llama.cpp moves the
    experts first and keeps the rest of each layer: the share is about the same, a number of layers would mean nothing.
    """
    if not machine.known:
        return Placement(Fit.UNKNOWN, made, machine)
    made = _reduce_batch_if_needed(made, machine)
    pieces = _pieces(made)
    on_gpu = _count_placed(pieces, _free_gpu_bytes(made, machine))
    whole = on_gpu == len(pieces)
    share = 1.0 if whole else sum(pieces[:on_gpu]) / max(1, sum(pieces))
    fit = Fit.WHOLE if whole else Fit.PARTLY if on_gpu else Fit.CPU
    missing = 0 if whole else _missing_bytes(made, machine, sum(pieces[on_gpu:]))
    by_layers = not made.coarse and not made.architecture.experts
    return Placement(
        fit=Fit.NOT if missing else fit,
        estimate=made,
        machine=machine,
        gpu_share=share,
        cpu_share=1.0 - share,
        layers_on_gpu=on_gpu if by_layers else 0,
        layers=len(pieces) if by_layers else 0,
        slowdown=_slowdown_of(1.0 - share, machine),
        missing_bytes=missing,
        longest_context=_longest_context(made, machine),
        smaller_quantizations=() if whole else _smaller_quantizations(made, machine),
        fits_when_emptied=not whole and bool(machine.gpus) and _holds(made, _with_all_gpu_memory(machine)),
    )


def without_loaded(machine: Machine, size: int) -> Machine:
    """The machine after `size` bytes on its GPUs are unloaded, as Ollama does with idle models to load another.

    They are freed on the fullest GPU first: the server does not report which one held them.
    """
    gpus = list(machine.gpus)
    for at in sorted(range(len(gpus)), key=lambda at: gpus[at].free - gpus[at].total):
        given = max(0, min(size, gpus[at].total - gpus[at].free))
        gpus[at] = gpus[at]._replace(free=gpus[at].free + given)
        size -= given
    return machine._replace(gpus=tuple(gpus))


def _with_all_gpu_memory(machine: Machine) -> Machine:
    return machine._replace(gpus=tuple(gpu._replace(free=gpu.total) for gpu in machine.gpus))


def _holds(made: Estimate, machine: Machine) -> bool:
    """True if the GPUs, or without GPUs the memory, hold the whole model."""
    if not machine.gpus:
        return made.total <= machine.available
    pieces = _pieces(made)
    return _count_placed(pieces, _free_gpu_bytes(made, machine)) == len(pieces)


def _reduce_batch_if_needed(made: Estimate, machine: Machine) -> Estimate:
    """The estimate with smaller buffers if the model does not fit with the default ones, as Ollama does."""
    if made.load.batch or batch_size_of(made.load) == SMALL_BATCH or _holds(made, machine):
        return made
    return with_load(made, made.load._replace(batch=SMALL_BATCH))


def _pieces(made: Estimate) -> tuple[int, ...]:
    """The bytes of the output and of each layer with its cache, from the last to the first.

    The weights are spread evenly: only the file knows the size of each tensor.
    """
    caches = layer_caches(made.architecture, made.load) or _even(made.cache, _COARSE_LAYERS)
    weights = _even(made.weights, len(caches) + 1)
    return (weights[0], *(weight + cache for weight, cache in zip(weights[1:], reversed(caches), strict=True)))


def _even(size: int, parts: int) -> tuple[int, ...]:
    """Split a size into equal parts; the first also gets the remainder."""
    part, rest = divmod(size, parts)
    return (part + rest, *[part] * (parts - 1))


def _free_gpu_bytes(made: Estimate, machine: Machine) -> tuple[int, ...]:
    return tuple(gpu.free - MARGIN - made.buffers for gpu in machine.gpus)


def _count_placed(pieces: tuple[int, ...], rooms: tuple[int, ...]) -> int:
    """How many whole pieces fit the rooms, in order."""
    laid = 0
    for room in rooms:
        left = room
        while laid < len(pieces) and pieces[laid] <= left:
            left -= pieces[laid]
            laid += 1
    return laid


def _missing_bytes(made: Estimate, machine: Machine, on_cpu: int) -> int:
    if not machine.total:
        return 0
    shared = any(gpu.memory is MemoryKind.SHARED for gpu in machine.gpus)
    return max(0, (made.total if shared else on_cpu + made.buffers) - machine.available)


def _slowdown_of(cpu_share: float, machine: Machine) -> tuple[float, float]:
    """How many times longer reading the weights takes: the CPU's share at its speed, the rest at the GPU's."""
    if not any(gpu.memory is MemoryKind.OWN for gpu in machine.gpus):
        return 1.0, 1.0
    least, most = (1.0 - cpu_share + cpu_share * ratio for ratio in BANDWIDTH_RATIOS)
    return least, most


def _longest_context(made: Estimate, machine: Machine) -> int:
    """The longest context, to 256 tokens, with which a machine holds the whole model."""
    if made.coarse:
        return 0

    def fits(pages: int) -> bool:
        load = made.load._replace(context=pages * PADDING, batch=made.load.batch or SMALL_BATCH)
        return _holds(with_load(made, load), machine)

    most = made.architecture.trained_context or _LONGEST
    low, high = 0, -(-most // PADDING)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return min(low * PADDING, most)


def _smaller_quantizations(made: Estimate, machine: Machine) -> tuple[SmallerQuantization, ...]:
    """The quantizations below the model's own that a machine would hold, best first.

    None for a model trained in MXFP4: other quantizations leave most of its weights as they are.
    """
    bits = 0 if made.quantization == "MXFP4" else bits_per_weight(made.quantization)
    found = []
    for name in COMMON_QUANTIZATIONS if bits else ():
        weights = round(made.weights * BITS_PER_WEIGHT[name] / bits)
        other = with_weights(made, weights, name)
        if BITS_PER_WEIGHT[name] < bits and _holds(_reduce_batch_if_needed(other, machine), machine):
            found.append(SmallerQuantization(name, weights, other.total))
    return tuple(found)
