"""Where a loaded model is, and how much it can read at once; loads none."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING, Final

from reflectty.checking.models import shown
from reflectty.cloud import elsewhere
from reflectty.devices import machine
from reflectty.engines import EngineName
from reflectty.finding import Finding, State
from reflectty.fitting import usual_context
from reflectty.library.sharing import loaded_with
from reflectty.names import short

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.chat import Model, Running
    from reflectty.checking.around import Around, Known
    from reflectty.fitting import Machine

NOT_LOADED: Final = "the model is not loaded, which the first question does"
UNLISTED: Final = "the server does not list the model among those that are loaded"
NO_MODEL: Final = "there is no model"
CLOUD: Final = "a cloud model runs on no machine of yours"
ELSEWHERE_TOLD: Final = "a server of this kind does not tell where its models run"
SHORT_CONTEXT: Final = 8192
"""Tokens below which a long thinking fills a context by itself."""
_GB: Final = 1e9
_GIB: Final = 1 << 30


async def gpu(around: Around, known: Known) -> Sequence[Finding]:
    """Say how much of the model runs on a GPU, and what that is worth on this machine."""
    if known.engine is None or known.model is None:
        return [Finding("GPU", State.UNCHECKED, NO_MODEL)]
    if elsewhere(known.model):
        return [Finding("GPU", State.UNCHECKED, CLOUD)]
    if around.settings.engine == EngineName.OPENAI:
        known.running = await _found(known, await known.engine.running())
        return [Finding("GPU", State.UNCHECKED, ELSEWHERE_TOLD)]
    local, visible = bool(known.address and known.address.loopback), around.environment.get("CUDA_VISIBLE_DEVICES")
    known.machine = await machine(local=local, visible=visible, place=around.place)
    loaded = await known.engine.running()
    known.running = running = await _found(known, loaded)
    notes = [Finding("GPU", State.NOTE, note) for note in known.machine.notes]
    if running is None or not running.size:
        return [Finding("GPU", State.UNCHECKED, f"{_missing(known)}{_devices(known.machine)}"), *notes]
    return [_placed(running._replace(name=known.model.name), known.machine, others=len(loaded) - 1), *notes]


async def _found(known: Known, loaded: Sequence[Running]) -> Running | None:
    """Return the model that would be asked; models of the same weights are listed as the one that was asked first."""
    if known.engine is None or known.model is None:
        return None
    found = await loaded_with(known.engine, known.model, loaded)
    return found or (loaded[0] if known.reply is not None and len(loaded) == 1 else None)


def _missing(known: Known) -> str:
    """Return why nothing can be said of the loaded model."""
    return UNLISTED if known.reply is not None else NOT_LOADED


def _devices(found: Machine) -> str:
    """Return which GPUs a machine has, to be said behind something else."""
    if not found.known:
        return ""
    names = [f"{gpu.name} ({gpu.total / _GIB:.0f} GiB, {gpu.free / _GIB:.0f} free)" for gpu in found.gpus]
    return f"; this machine has {' and '.join(names)}" if names else "; this machine has no GPU that was found"


def _placed(running: Running, on: Machine, others: int) -> Finding:
    share = min(1.0, running.size_vram / running.size)
    facts = (
        ("size", running.size),
        ("size_vram", running.size_vram),
        ("share", round(share, 3)),
        ("gpus", tuple(gpu.name for gpu in on.gpus)),
    )
    name, size = shown(running.name), f"{running.size / _GB:.1f} GB"
    if share >= 1:
        return Finding("GPU", State.OK, f"all of {name} is in GPU memory, {size}", facts=facts)
    if running.size_vram:
        text = f"only {share:.0%} of {name} ({size}) is in GPU memory: the rest runs on the CPU, many times slower"
        beside = "unload the other models (`reflect models unload`), " if others else ""
        smaller = f"take a smaller quantisation (`reflect models show {quote(short(running.name))}` says what fits)"
        advice = f"{beside}{smaller}, or a shorter context: -o num_ctx=4096"
        return Finding("GPU", State.WARNING, text, advice, facts)
    text = f"{name} runs on the CPU, {size}: none of it is in GPU memory{_devices(on)}"
    if on.gpus:
        advice = "the log of `ollama serve` says why it uses none: often the driver, or a container without the GPU"
        return Finding("GPU", State.WARNING, text, advice, facts)
    return Finding("GPU", State.NOTE, text, facts=facts)


async def context(around: Around, known: Known) -> Sequence[Finding]:
    """Say how much a prompt and its reply may have together, and what becomes of a longer one."""
    model, running = known.model, known.running
    if model is None:
        return [Finding("context", State.UNCHECKED, NO_MODEL)]
    if elsewhere(model):
        made_for = f"; it was made for {model.context_length:,} tokens" if model.context_length else ""
        return [Finding("context", State.UNCHECKED, f"{CLOUD}{made_for}")]
    if running is None or not running.context_length:
        made_for = f"; it was made for {model.context_length:,} tokens" if model.context_length else ""
        usual = f"; by itself Ollama gives {usual_context(known.machine):,} here" if known.machine.known else ""
        return [Finding("context", State.UNCHECKED, f"{_missing(known)}{made_for}{usual}")]
    whence = _whence(around, model, running.context_length, known.machine)
    return [_context(model, running.context_length, whence)]


def _context(model: Model, tokens: int, whence: str) -> Finding:
    most = model.context_length
    of_most = f" of the {most:,} that the model was made for" if most > tokens else ""
    refused = "a longer prompt is refused, where other programs lose its beginning"
    text = f"{tokens:,} tokens{of_most}{whence}; {refused}"
    facts = (("tokens", tokens), ("made_for", most))
    if tokens >= min(SHORT_CONTEXT, most or SHORT_CONTEXT):
        return Finding("context", State.OK, text, facts=facts)
    asks = (
        f"-o num_ctx={min(16384, most or 16384)} asks for more"
        if "num_ctx" not in model.ignores
        else "a larger one is given when the server is started"
    )
    advice = f"{asks}, and takes memory"
    return Finding("context", State.NOTE, text, advice, facts)


def _whence(around: Around, model: Model, tokens: int, on: Machine) -> str:
    """Return who decided how much it is, as far as that is known."""
    if dict(around.settings.options).get("num_ctx") == tokens:
        return ", as the settings ask for"
    if "num_ctx" in model.parameters:
        return ", set by the model"
    return ", Ollama's default on this machine" if on.known and tokens == usual_context(on) else ""
