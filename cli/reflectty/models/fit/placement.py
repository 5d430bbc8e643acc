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
    """Whose memory a GPU uses."""

    OWN = "own"
    SHARED = "shared"
    """That of the machine, as on Apple silicon."""


class Gpu(NamedTuple):
    """A GPU; sizes in bytes."""

    name: str
    total: int
    free: int
    memory: MemoryKind = MemoryKind.OWN
    driver: str = ""
    source: str = ""
    """What told of it: a command, or a file."""
    estimated: bool = False
    """Whether its sizes are a rule of thumb."""


class Machine(NamedTuple):
    """The machine that a server runs on; sizes in bytes."""

    gpus: tuple[Gpu, ...] = ()
    total: int = 0
    """The memory of the machine; 0 when unknown."""
    available: int = 0
    """How much of it programs can still have."""
    known: bool = True
    """False where the server runs elsewhere: only the server can tell."""
    notes: tuple[str, ...] = ()
    """What could not be found out, a sentence each."""


REMOTE_MACHINE = Machine(known=False)
"""The machine of a server that is not this one."""

MARGIN: Final = 1 << 30
"""What llama.cpp leaves free on each GPU (fit_params_target in common/common.h)."""
BANDWIDTH_RATIOS: Final = (4.0, 11.0)
"""How much faster a GPU reads its memory than a CPU the machine's.

Each token reads every weight once, so that reading is what takes the time. A GeForce RTX 3060 reads 360 GB/s and an
RTX 4090 1,008 GB/s; two channels of DDR5-5600 read 89.6 GB/s.
"""
_LONGEST: Final = 1 << 22
_COARSE_LAYERS: Final = 32
"""Into how many parts a model is taken apart whose layers are not known."""


class Fit(StrEnum):
    """Where a model would run."""

    WHOLE = "whole"
    """All of it on GPUs."""
    PARTLY = "partly"
    """Some layers on GPUs, the rest on the CPU."""
    CPU = "cpu"
    """All of it on the CPU."""
    NOT = "not"
    """There is not enough memory."""
    UNKNOWN = "unknown"
    """The server runs elsewhere."""


class SmallerQuantization(NamedTuple):
    """A quantisation of the same model that the GPUs would hold, or where there are none the memory."""

    name: str
    weights: int
    total: int


class Placement(NamedTuple):
    """Where a model would run, and what would help; an estimate like the one it is made from."""

    fit: Fit
    estimate: Estimate
    machine: Machine
    gpu_share: float = 0.0
    """Of weights and cache."""
    cpu_share: float = 0.0
    layers_on_gpu: int = 0
    layers: int = 0
    """With the output counted as one, as llama.cpp does; 0 when unknown, and where not whole layers are moved."""
    slowdown: tuple[float, float] = (1.0, 1.0)
    """How many times longer a token takes than on a GPU that holds everything, at least and at most."""
    missing_bytes: int = 0
    """Bytes that the machine lacks to run it at all."""
    longest_context: int = 0
    """The longest context that the GPUs hold, or where there are none the memory; 0 when none is, or unknown."""
    smaller_quantizations: tuple[SmallerQuantization, ...] = ()
    fits_when_emptied: bool = False
    """Whether the GPUs would hold it if nothing else used them."""


def place_on(made: Estimate, machine: Machine) -> Placement:
    """Return where the model would run.

    Layers go to the GPUs from the last to the first, whole, as long as each GPU keeps its buffers and 1 GiB free, as
    llama.cpp does it by itself (common/fit.cpp); what does not fit runs on the CPU. Of a model with experts it moves
    these first and keeps the rest of each layer: the share is about the same, a number of layers would mean nothing.
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
    """Return the machine once `size` bytes on its GPUs are unloaded, as Ollama does with idle models for another.

    They are taken from the fullest GPU first: which one held them, the server does not say.
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
    """Say whether the GPUs hold all of a model, or where there are none, the memory."""
    if not machine.gpus:
        return made.total <= machine.available
    pieces = _pieces(made)
    return _count_placed(pieces, _free_gpu_bytes(made, machine)) == len(pieces)


def _reduce_batch_if_needed(made: Estimate, machine: Machine) -> Estimate:
    """Return the estimate with smaller buffers where the usual ones leave no room for the model, as Ollama does."""
    if made.load.batch or batch_size_of(made.load) == SMALL_BATCH or _holds(made, machine):
        return made
    return with_load(made, made.load._replace(batch=SMALL_BATCH))


def _pieces(made: Estimate) -> tuple[int, ...]:
    """Return the bytes of the output and of each layer with its cache, from the last to the first.

    The weights are spread evenly: how large each tensor is, only the file tells.
    """
    caches = layer_caches(made.architecture, made.load) or _even(made.cache, _COARSE_LAYERS)
    weights = _even(made.weights, len(caches) + 1)
    return (weights[0], *(weight + cache for weight, cache in zip(weights[1:], reversed(caches), strict=True)))


def _even(size: int, parts: int) -> tuple[int, ...]:
    """Return a size in equal parts; the first has what is left over."""
    part, rest = divmod(size, parts)
    return (part + rest, *[part] * (parts - 1))


def _free_gpu_bytes(made: Estimate, machine: Machine) -> tuple[int, ...]:
    return tuple(gpu.free - MARGIN - made.buffers for gpu in machine.gpus)


def _count_placed(pieces: tuple[int, ...], rooms: tuple[int, ...]) -> int:
    """Return how many of the pieces go into the rooms, in order and whole."""
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
    """Return how many times longer reading the weights takes: the CPU's share at its pace, the rest at the GPU's."""
    if not any(gpu.memory is MemoryKind.OWN for gpu in machine.gpus):
        return 1.0, 1.0
    least, most = (1.0 - cpu_share + cpu_share * ratio for ratio in BANDWIDTH_RATIOS)
    return least, most


def _longest_context(made: Estimate, machine: Machine) -> int:
    """Return the longest context, to 256 tokens, with which a machine holds all of a model."""
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
    """Return the quantisations below the model's own that a machine would hold, the best first.

    A model that was trained in MXFP4 gains nothing by another: most of its weights are left as they are.
    """
    bits = 0 if made.quantization == "MXFP4" else bits_per_weight(made.quantization)
    found = []
    for name in COMMON_QUANTIZATIONS if bits else ():
        weights = round(made.weights * BITS_PER_WEIGHT[name] / bits)
        other = with_weights(made, weights, name)
        if BITS_PER_WEIGHT[name] < bits and _holds(_reduce_batch_if_needed(other, machine), machine):
            found.append(SmallerQuantization(name, weights, other.total))
    return tuple(found)
