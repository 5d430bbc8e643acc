"""Where a loaded model is, and how much it can read at once; loads none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reflectty.finding import Finding, State
from reflectty.checking.models import short

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.chat import Model, Running
    from reflectty.checking.around import Around, Known

NOT_LOADED: Final = "the model is not loaded, which the first question does"
NO_MODEL: Final = "there is no model"
SHORT_CONTEXT: Final = 8192
"""Tokens below which a long thinking fills a context by itself."""
_GB: Final = 1e9
_DEFAULTS: Final = {
    4096: "less than 24 GiB of GPU memory",
    32768: "24 GiB of GPU memory",
    262144: "48 GiB of GPU memory",
}
"""The contexts that Ollama 0.32 gives by itself, by what it finds."""


async def gpu(_: Around, known: Known) -> Sequence[Finding]:
    """Say how much of the model runs on a GPU."""
    if known.engine is None or known.model is None:
        return [Finding("GPU", State.UNCHECKED, NO_MODEL)]
    wanted = short(known.model.name)
    loaded = await known.engine.running()
    known.running = running = next((one for one in loaded if short(one.name) == wanted), None)
    if running is None or not running.size:
        return [Finding("GPU", State.UNCHECKED, NOT_LOADED)]
    return [_placed(running, others=len(loaded) - 1)]


def _placed(running: Running, others: int) -> Finding:
    share = min(1.0, running.size_vram / running.size)
    facts = (("size", running.size), ("size_vram", running.size_vram), ("share", round(share, 3)))
    name, size = short(running.name), f"{running.size / _GB:.1f} GB"
    if share >= 1:
        return Finding("GPU", State.OK, f"all of {name} is in the memory of a GPU, {size}", facts=facts)
    if not running.size_vram:
        text = f"{name} runs on the CPU, {size}: none of it is in the memory of a GPU"
        return Finding("GPU", State.NOTE, text, facts=facts)
    text = f"only {share:.0%} of {name} ({size}) is in the memory of a GPU: the rest runs on the CPU, which is far slower"
    beside = "unload the other models, " if others else ""
    advice = f"{beside}take a smaller quantisation, or a shorter context: -o num_ctx=4096"
    return Finding("GPU", State.WARNING, text, advice, facts)


async def context(_: Around, known: Known) -> Sequence[Finding]:
    """Say how much a prompt and its reply may have together, and what becomes of a longer one."""
    model, running = known.model, known.running
    if model is None:
        return [Finding("context", State.UNCHECKED, NO_MODEL)]
    if running is None or not running.context_length:
        made_for = f"; the model was made for {model.context_length:,} tokens" if model.context_length else ""
        return [Finding("context", State.UNCHECKED, f"{NOT_LOADED}{made_for}")]
    return [_context(model, running.context_length)]


def _context(model: Model, tokens: int) -> Finding:
    most = model.context_length
    of_most = f" of the {most:,} that the model was made for" if most > tokens else ""
    text = f"{tokens:,} tokens{of_most}{_whence(model, tokens)}; a longer prompt is refused here, not cut in silence"
    facts = (("tokens", tokens), ("made_for", most))
    if tokens >= min(SHORT_CONTEXT, most or SHORT_CONTEXT):
        return Finding("context", State.OK, text, facts=facts)
    advice = "-o num_ctx=16384 asks for more, and takes memory; other programs lose the beginning of a long prompt"
    return Finding("context", State.NOTE, text, advice, facts)


def _whence(model: Model, tokens: int) -> str:
    if "num_ctx" in model.parameters:
        return ", set by the model"
    return f", Ollama's default with {_DEFAULTS[tokens]}" if tokens in _DEFAULTS else ""
