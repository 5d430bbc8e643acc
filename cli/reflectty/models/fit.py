"""Places an estimated model on the GPUs and the CPU of a machine, and tells what would help: no I/O."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from reflectty.core.named_tuple import NamedTuple
from reflectty.models.estimate import (
    CACHE_TYPES,
    DEFAULT_CACHE,
    DEFAULT_CONTEXT,
    PADDING,
    SMALL_BATCH,
    LoadOptions,
    batch_size_of,
    estimate_from_size,
    layer_caches,
    with_load,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reflectty.core.messages import RunningModel
    from reflectty.models.estimate import Comparison, Estimate


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


LOAD_VARIABLES: Final = ("OLLAMA_CONTEXT_LENGTH", "OLLAMA_KV_CACHE_TYPE", "OLLAMA_NUM_PARALLEL")
"""The variables of a server's environment that decide how it loads a model."""


class ServerHardware(NamedTuple):
    """The hardware and settings of a server."""

    machine: Machine
    """Its current state, with the loaded models."""
    environment: Mapping[str, str] = {}
    """The server's variables as this shell has them."""

    def without_loaded_models(self, running: tuple[RunningModel, ...]) -> Machine:
        """The machine without the models that the server can unload; its notes name the assumptions."""
        machine = without_loaded(self.machine, sum(one.size_vram for one in running))
        used = (name for name in LOAD_VARIABLES if self.environment.get(name, "").strip())
        notes = (
            f"assuming that {name}={self.environment[name]} of this shell also applies to the server" for name in used
        )
        return machine._replace(notes=(*machine.notes, *notes))


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


_CONTEXTS: Final = ((47 << 30, 262_144), (23 << 30, 32_768))
"""From so many bytes of GPU memory on, Ollama's default context."""
_MAX_OPTION: Final = 1 << 30


def default_context_of(machine: Machine) -> int:
    """The context that Ollama chooses by the total memory of all GPUs."""
    memory = sum(gpu.total for gpu in machine.gpus)
    return next((context for least, context in _CONTEXTS if memory >= least), DEFAULT_CONTEXT)


def default_load(
    machine: Machine, *, context: int = 0, parameters: str = "", environment: Mapping[str, str] | None = None
) -> LoadOptions:
    """The options that the server loads a model with.

    Args:
        machine: the server's machine.
        context: the num_ctx of the request; 0 when it has none.
        parameters: the model's, as /api/show writes them: one name and value per line.
        environment: the server's environment, as far as it is known.
    """
    variables = environment or {}
    own = _model_parameter(parameters, "num_ctx") or _number(variables.get("OLLAMA_CONTEXT_LENGTH", ""))
    cache_type = variables.get("OLLAMA_KV_CACHE_TYPE", "").strip().lower()
    return LoadOptions(
        context=context or own or default_context_of(machine),
        cache_type=cache_type if cache_type in CACHE_TYPES else DEFAULT_CACHE,
        parallel=_number(variables.get("OLLAMA_NUM_PARALLEL", "")) or 1,
        batch=_model_parameter(parameters, "num_batch"),
    )


def _model_parameter(parameters: str, name: str) -> int:
    found = re.search(rf"^{name}[ \t]+([0-9]{{1,9}})[ \t]*$", parameters, re.MULTILINE)
    return min(int(found[1]), _MAX_OPTION) if found else 0


def _number(text: str) -> int:
    text = text.strip().strip("\"'")
    return min(int(text), _MAX_OPTION) if re.fullmatch(r"[0-9]{1,9}", text) else 0


MARGIN: Final = 1 << 30
"""What llama.cpp leaves free on each GPU (fit_params_target in common/common.h)."""
_BANDWIDTH_RATIOS: Final = (4.0, 11.0)
"""How much faster a GPU reads its own memory than a CPU reads the machine's, at least and at most.

Each token reads every weight once, so reading dominates the time. A GeForce RTX 3060 reads 360 GB/s and an RTX 4090
1,008 GB/s; two channels of DDR5-5600 read 89.6 GB/s.
"""
_MAX_CONTEXT: Final = 1 << 22
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


BITS_PER_WEIGHT: Final = {
    "BF16": 16.0,
    "F16": 16.0,
    "Q8_0": 8.5008,
    "Q6_K": 6.5633,
    "Q5_K_M": 5.7036,
    "Q5_K_S": 5.5704,
    "Q5_0": 5.5,
    "Q4_K_M": 4.8944,
    "Q4_K_S": 4.6672,
    "Q4_0": 4.5,
    "IQ4_XS": 4.4597,
    "Q3_K_M": 3.9960,
    "Q2_K": 3.1593,
    "IQ2_XS": 2.5882,
}
"""Bits per weight of the common quantizations, averaged over a file (tools/quantize/README.md of llama.cpp b10488)."""
COMMON_QUANTIZATIONS: Final = ("Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M", "Q2_K", "IQ2_XS")
"""The quantizations commonly offered for download, best first."""


def bits_per_weight(quantization: str) -> float:
    """The bits per weight of a quantization as `/api/show` names it; 0 when unknown."""
    name = quantization.strip().upper()
    return BITS_PER_WEIGHT.get(name) or BITS_PER_WEIGHT.get(f"{name}_M", 0.0)


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
    layers_on_gpu: int = 0
    layers: int = 0
    """Includes the output layer, as llama.cpp does; 0 when unknown or when parts of layers are moved."""
    missing_bytes: int = 0
    """Bytes that the machine lacks to run the model at all."""
    longest_context: int = 0
    """The longest context that fits the GPUs, or without GPUs the memory; 0 when none fits or unknown."""
    smaller_quantizations: tuple[SmallerQuantization, ...] = ()
    fits_when_emptied: bool = False
    """True if the model would fit GPUs that nothing else used."""
    comparison: Comparison | None = None
    """The estimate beside the size that the server reports, for a loaded model."""

    @property
    def cpu_share(self) -> float:
        return 1.0 - self.gpu_share

    @property
    def slowdown(self) -> tuple[float, float]:
        """How many times longer a token takes than with the whole model on the GPU, at least and at most."""
        if not any(gpu.memory is MemoryKind.OWN for gpu in self.machine.gpus):
            return 1.0, 1.0
        least, most = (self.gpu_share + self.cpu_share * ratio for ratio in _BANDWIDTH_RATIOS)
        return least, most


def place_on(estimate: Estimate, machine: Machine) -> Placement:
    """Place a model on the machine's GPUs and CPU.

    Whole layers go to the GPUs from the last to the first, as long as each GPU keeps its buffers and 1 GiB free, as
    llama.cpp does by default (common/fit.cpp); the rest runs on the CPU. Of a model with experts, llama.cpp moves the
    experts first and keeps the rest of each layer: the share is about the same, a number of layers would mean nothing.
    """
    if not machine.known:
        return Placement(Fit.UNKNOWN, estimate, machine)
    estimate = _reduce_batch_if_needed(estimate, machine)
    parts = _parts_of(estimate)
    on_gpu = _count_on_gpu(parts, estimate, machine)
    whole = on_gpu == len(parts)
    missing = 0 if whole else _missing_bytes(estimate, machine, sum(parts[on_gpu:]))
    by_layers = not estimate.coarse and not estimate.architecture.experts
    return Placement(
        fit=Fit.NOT if missing else Fit.WHOLE if whole else Fit.PARTLY if on_gpu else Fit.CPU,
        estimate=estimate,
        machine=machine,
        gpu_share=1.0 if whole else sum(parts[:on_gpu]) / max(1, sum(parts)),
        layers_on_gpu=on_gpu if by_layers else 0,
        layers=len(parts) if by_layers else 0,
        missing_bytes=missing,
        longest_context=_longest_context(estimate, machine),
        smaller_quantizations=() if whole else _smaller_quantizations(estimate, machine),
        fits_when_emptied=not whole and bool(machine.gpus) and _is_held_by(_without_other_programs(machine), estimate),
    )


def _parts_of(estimate: Estimate) -> tuple[int, ...]:
    """The bytes of the output and of each layer with its cache, from the last to the first.

    The weights are spread evenly: only the file knows the size of each tensor.
    """
    caches = layer_caches(estimate.architecture, estimate.load) or _split_evenly(estimate.cache, _COARSE_LAYERS)
    output, *weights = _split_evenly(estimate.weights, len(caches) + 1)
    return (output, *(weight + cache for weight, cache in zip(weights, reversed(caches), strict=True)))


def _split_evenly(size: int, parts: int) -> tuple[int, ...]:
    """Equal parts of a size; the first also gets the remainder."""
    part, rest = divmod(size, parts)
    return (part + rest, *[part] * (parts - 1))


def _count_on_gpu(parts: tuple[int, ...], estimate: Estimate, machine: Machine) -> int:
    """How many parts fit the GPUs, in order."""
    count = 0
    for gpu in machine.gpus:
        left = gpu.free - MARGIN - estimate.buffers
        while count < len(parts) and parts[count] <= left:
            left -= parts[count]
            count += 1
    return count


def _is_held_by(machine: Machine, estimate: Estimate) -> bool:
    """True if the GPUs, or without GPUs the memory, hold the whole model."""
    if not machine.gpus:
        return estimate.total <= machine.available
    parts = _parts_of(estimate)
    return _count_on_gpu(parts, estimate, machine) == len(parts)


def _without_other_programs(machine: Machine) -> Machine:
    return machine._replace(gpus=tuple(gpu._replace(free=gpu.total) for gpu in machine.gpus))


def _reduce_batch_if_needed(estimate: Estimate, machine: Machine) -> Estimate:
    """The estimate with smaller buffers if the model does not fit with the default ones, as Ollama does."""
    load = estimate.load
    if load.batch or batch_size_of(load) == SMALL_BATCH or _is_held_by(machine, estimate):
        return estimate
    return with_load(estimate, load._replace(batch=SMALL_BATCH))


def _missing_bytes(estimate: Estimate, machine: Machine, on_cpu: int) -> int:
    if not machine.total:
        return 0
    shared = any(gpu.memory is MemoryKind.SHARED for gpu in machine.gpus)
    return max(0, (estimate.total if shared else on_cpu + estimate.buffers) - machine.available)


def _longest_context(estimate: Estimate, machine: Machine) -> int:
    """The longest context, to 256 tokens, with which a machine holds the whole model."""
    if estimate.coarse:
        return 0

    def fits(pages: int) -> bool:
        load = estimate.load._replace(context=pages * PADDING, batch=estimate.load.batch or SMALL_BATCH)
        return _is_held_by(machine, with_load(estimate, load))

    most = estimate.architecture.trained_context or _MAX_CONTEXT
    low, high = 0, -(-most // PADDING)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return min(low * PADDING, most)


def _smaller_quantizations(estimate: Estimate, machine: Machine) -> tuple[SmallerQuantization, ...]:
    """The quantizations below the model's own that a machine would hold, best first; none if its own is unknown."""
    own = bits_per_weight(estimate.quantization)
    found = []
    for name in COMMON_QUANTIZATIONS:
        weights = round(estimate.weights * BITS_PER_WEIGHT[name] / own) if own else 0
        other = estimate._replace(weights=weights, quantization=name)
        if BITS_PER_WEIGHT[name] < own and _is_held_by(machine, _reduce_batch_if_needed(other, machine)):
            found.append(SmallerQuantization(name, weights, other.total))
    return tuple(found)


def fit_download(
    name: str, size: int, hardware: ServerHardware, running: tuple[RunningModel, ...] = (), context: int = 0
) -> Placement:
    """Estimate where a model would run from the name and size of its download.

    Args:
        name: the model; its tag may name the quantization.
        size: the download in bytes.
        hardware: the server's hardware.
        running: the loaded models, which the server can unload.
        context: tokens; 0 for the server's default.
    """
    machine = hardware.without_loaded_models(running)
    load = default_load(machine, context=context, environment=hardware.environment)
    return place_on(estimate_from_size(size, load, quantization_of_name(name)), machine)


def quantization_of_name(name: str) -> str:
    """The quantization in a model's tag, spelled as in file names; empty if there is none."""
    tag = name.rpartition(":")[2] if ":" in name else ""
    found = re.search(r"(?:^|-)(i?q\d(?:_[a-z0-9]+)*|b?f16|fp16|mxfp4)$", tag, re.IGNORECASE | re.ASCII)
    return found[1].upper().replace("FP16", "F16") if found else ""
