"""Checks the installed models, the GPU placement of the loaded one and its context."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING, Final

from reflectty.chat.evidence import evidence_use_of
from reflectty.chat.model_choice import find_model
from reflectty.core.errors import UnreachableError
from reflectty.core.findings import Finding, FindingState
from reflectty.core.model_names import digest_in, remote_host_of, short_name_of
from reflectty.core.safety import clean_line
from reflectty.models.fit import default_context_of
from reflectty.models.hardware import detect_machine
from reflectty.models.installed import find_running_by_files
from reflectty.reasoning.families import family_of_model
from reflectty.reasoning.modes import AskOptions, Mode, own_family_of, pick_model, plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.core.messages import Model, RunningModel
    from reflectty.doctor.context import DoctorContext, DoctorState
    from reflectty.models.fit import Machine
    from reflectty.reasoning.modes import Plan


NO_SERVER = "no server responds"
BUILT_IN = "the built-in model"
_MAX_NAME_LENGTH = 60
_MAX_NAMED = 5
"""How many names a finding lists."""


async def check_models(context: DoctorContext, state: DoctorState) -> Sequence[Finding]:
    """Report the installed models.

    Raises:
        ReflecttyError: the server does not list them; it may not be Ollama.
    """
    if state.engine is None or not state.is_reached:
        return [Finding("models", FindingState.UNCHECKED, NO_SERVER)]
    try:
        state.installed = await state.engine.models()
    except UnreachableError as error:
        # A server without a model list may still answer a question to the named model.
        if not (error.unknown_path and context.model.value):
            raise
    listed = not state.engine.manages_models
    names = tuple(short_name_of(model.name, whole=listed) for model in state.installed)
    first = ", ".join(_list_item(model, verbatim=listed) for model in state.installed[:_MAX_NAMED])
    more = f" and {len(names) - _MAX_NAMED} more" if len(names) > _MAX_NAMED else ""
    labels = ("listed", "the server lists none") if listed else ("installed", "none installed")
    askable = pick_model(state.installed) is not None
    reason = "none is used unless you name it" if any(map(remote_host_of, state.installed)) else "none of them can chat"
    remark = "" if askable else f"; {reason}"
    text = f"{len(names)} {labels[0]}: {first}{more}{remark}" if names else labels[1]
    return [Finding("models", FindingState.OK if askable else FindingState.NOTE, text, facts=(("installed", names),))]


def _list_item(model: Model, *, verbatim: bool) -> str:
    name = display_name(model.name, verbatim=verbatim)
    return f"{name} (cloud)" if remote_host_of(model) else name


def display_name(name: str, *, verbatim: bool = False) -> str:
    """The name, cleaned for display, as a server may send any; `verbatim` keeps an id unshortened."""
    return clean_line(short_name_of(name, whole=verbatim), _MAX_NAME_LENGTH)


async def check_model(context: DoctorContext, state: DoctorState) -> Sequence[Finding]:
    """Report the selected model, the reason, and its mode.

    Raises:
        ModelMissingError: it is not installed, or no model is.
    """
    if state.engine is None or not state.is_reached:
        return [Finding("model", FindingState.UNCHECKED, NO_SERVER)]
    found = await find_model(state.engine, AskOptions(model=context.model.value), lambda _: None)
    state.model = found
    ask_options = context.settings.ask_options
    use = evidence_use_of(ask_options, found, digest_in(state.installed, found.name))
    state.plan = chosen = plan(found, ask_options if use is None or use.is_stale else use.apply_to(ask_options))
    host = remote_host_of(found)
    facts = (
        ("model", found.name),
        ("source", context.model.source or "best"),
        ("mode", str(chosen.mode)),
        ("family", chosen.family.name),
        *((("cloud", host),) if host else ()),
        *((("evidence", "stale" if use.is_stale else str(use.evidence)),) if use else ()),
    )
    reason = BUILT_IN if state.engine.using_fallback else _selection_text(context, found)
    if host:
        reason = f"{reason}, a cloud model (questions go to {clean_line(host, _MAX_NAME_LENGTH)})"
    listed = not state.engine.manages_models
    if listed and found.notices:
        reason = f"{reason}, not in the server's list"
    basis = "" if use is None or use.is_stale else f", as a run of yours has shown ({use.evidence.difference})"
    text = f"{display_name(found.name, verbatim=listed)}, {reason}: {_mode_text(found, chosen)}{basis}"
    stale = [Finding("evidence", FindingState.NOTE, use.note)] if use and use.is_stale else []
    return [Finding("model", FindingState.OK, text, facts=facts), *stale]


def _selection_text(context: DoctorContext, model: Model) -> str:
    if context.model.source:
        return f"set by {context.model.source}"
    if model.selection_reason:
        return model.selection_reason
    family = family_of_model(model.name)
    if family and family.reflection:
        return "the most recent reflection model"
    return "the most recent thinking model" if own_family_of(model) else "the most recent model"


def _mode_text(model: Model, chosen: Plan) -> str:
    if chosen.mode is Mode.DIRECT:
        return "answers without reflection (mode direct)"
    if chosen.mode is Mode.REFLECT:
        return "not tuned to reflect, so prompted to"
    if "thinking" in model.capabilities:
        return "thinks natively"
    return f"reflects in its own tags (family {chosen.family.name})"


NOT_LOADED: Final = "the model is not loaded yet (the first question loads it)"
NOT_LISTED: Final = "the server does not list the model as loaded"
NO_MODEL: Final = "no model"
CLOUD_MODEL: Final = "a cloud model does not run on your machine"
LOCATION_UNKNOWN: Final = "this kind of server does not report where its models run"
SHORT_CONTEXT: Final = 8192
"""Tokens below which long thinking alone fills a context."""
_GB: Final = 1e9
_GIB: Final = 1 << 30


async def check_gpu(context: DoctorContext, state: DoctorState) -> Sequence[Finding]:
    """Report how much of the model is on a GPU, and what that means on this machine."""
    if state.engine is None or state.model is None:
        return [Finding("GPU", FindingState.UNCHECKED, NO_MODEL)]
    if remote_host_of(state.model):
        return [Finding("GPU", FindingState.UNCHECKED, CLOUD_MODEL)]
    if not state.engine.reports_memory:
        state.running = await _find_running(state, await state.engine.running_models())
        return [Finding("GPU", FindingState.UNCHECKED, LOCATION_UNKNOWN)]
    local, visible = bool(state.address and state.address.loopback), context.environment.get("CUDA_VISIBLE_DEVICES")
    state.machine = await detect_machine(local=local, visible=visible, probe=context.probe_environment)
    loaded = await state.engine.running_models()
    state.running = running = await _find_running(state, loaded)
    notes = [Finding("GPU", FindingState.NOTE, note) for note in state.machine.notes]
    if running is None or not running.size:
        return [Finding("GPU", FindingState.UNCHECKED, f"{_unknown_reason(state)}{_gpus_text(state.machine)}"), *notes]
    return [_placement_finding(running._replace(name=state.model.name), state.machine, others=len(loaded) - 1), *notes]


async def _find_running(state: DoctorState, loaded: Sequence[RunningModel]) -> RunningModel | None:
    """The loaded model, which may be listed under the name of another with the same weights."""
    if state.engine is None or state.model is None:
        return None
    found = await find_running_by_files(state.engine, state.model, loaded)
    return found or (loaded[0] if state.reply is not None and len(loaded) == 1 else None)


def _unknown_reason(state: DoctorState) -> str:
    """The reason for a missing entry of the loaded model."""
    return NOT_LISTED if state.reply is not None else NOT_LOADED


def _gpus_text(machine: Machine) -> str:
    """The machine's GPUs, as the end of a sentence."""
    if not machine.known:
        return ""
    names = [f"{gpu.name} ({gpu.total / _GIB:.0f} GiB, {gpu.free / _GIB:.0f} free)" for gpu in machine.gpus]
    return f"; this machine has {' and '.join(names)}" if names else "; no GPU was found on this machine"


def _placement_finding(running: RunningModel, machine: Machine, others: int) -> Finding:
    share = min(1.0, running.size_vram / running.size)
    facts = (
        ("size", running.size),
        ("size_vram", running.size_vram),
        ("share", round(share, 3)),
        ("gpus", tuple(gpu.name for gpu in machine.gpus)),
    )
    name, size = display_name(running.name), f"{running.size / _GB:.1f} GB"
    if share >= 1:
        return Finding("GPU", FindingState.OK, f"all of {name} ({size}) is in GPU memory", facts=facts)
    if running.size_vram:
        text = f"only {share:.0%} of {name} ({size}) is in GPU memory: the rest runs on the CPU, which is much slower"
        unload_advice = "unload the other models (`reflect models unload`), " if others else ""
        quantization_advice = (
            f"use a smaller quantization (`reflect models show {quote(short_name_of(running.name))}` shows what fits)"
        )
        advice = f"{unload_advice}{quantization_advice}, or a smaller context (-o num_ctx=4096)"
        return Finding("GPU", FindingState.WARNING, text, advice, facts)
    text = f"{name} ({size}) runs on the CPU: none of it is in GPU memory{_gpus_text(machine)}"
    if machine.gpus:
        advice = "look in the log of `ollama serve` for the reason: often the driver, or a container without GPU access"
        return Finding("GPU", FindingState.WARNING, text, advice, facts)
    return Finding("GPU", FindingState.NOTE, text, facts=facts)


async def check_context(context: DoctorContext, state: DoctorState) -> Sequence[Finding]:
    """Report the size of the context, and what happens to a longer prompt."""
    model, running = state.model, state.running
    if model is None:
        return [Finding("context", FindingState.UNCHECKED, NO_MODEL)]
    if remote_host_of(model):
        model_limit = f"; the model supports {model.context_length:,} tokens" if model.context_length else ""
        return [Finding("context", FindingState.UNCHECKED, f"{CLOUD_MODEL}{model_limit}")]
    if running is None or not running.context_length:
        model_limit = f"; the model supports {model.context_length:,} tokens" if model.context_length else ""
        default_size = (
            f"; Ollama's default here is {default_context_of(state.machine):,}" if state.machine.known else ""
        )
        return [Finding("context", FindingState.UNCHECKED, f"{_unknown_reason(state)}{model_limit}{default_size}")]
    source = _context_source(context, model, running.context_length, state.machine)
    return [_context_finding(model, running.context_length, source)]


def _context_finding(model: Model, tokens: int, source: str) -> Finding:
    max_tokens = model.context_length
    limit_text = f" of the {max_tokens:,} that the model supports" if max_tokens > tokens else ""
    refused = "a longer prompt is refused rather than truncated"
    text = f"{tokens:,} tokens{limit_text}{source}; {refused}"
    facts = (("tokens", tokens), ("made_for", max_tokens))
    if tokens >= min(SHORT_CONTEXT, max_tokens or SHORT_CONTEXT):
        return Finding("context", FindingState.OK, text, facts=facts)
    asks = (
        f"use -o num_ctx={min(16384, max_tokens or 16384)} for a larger one"
        if "num_ctx" not in model.unsupported_options
        else "restart the server with a larger one"
    )
    advice = f"{asks} (uses more memory)"
    return Finding("context", FindingState.NOTE, text, advice, facts)


def _context_source(context: DoctorContext, model: Model, tokens: int, machine: Machine) -> str:
    """What set the context size, if known."""
    if dict(context.settings.options).get("num_ctx") == tokens:
        return ", set in your settings"
    if "num_ctx" in model.parameters:
        return ", set by the model"
    return ", Ollama's default on this machine" if machine.known and tokens == default_context_of(machine) else ""
