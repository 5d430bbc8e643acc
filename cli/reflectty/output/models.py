"""Renders models, served models and their memory fit as rows and JSON objects."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING, Any

from reflectty.core.model_names import remote_host_of
from reflectty.core.model_spec import sampling_defaults_of
from reflectty.core.safety import clean_line
from reflectty.core.text import format_bytes, format_context, format_count
from reflectty.models.fit import Fit
from reflectty.output.tables import CUT_RANK, TableColumn, table_rows
from reflectty.protocols.openai import can_chat
from reflectty.reasoning.modes import AskOptions, abilities_of, mode_reason_of, plan
from reflectty.view import memory_fit
from reflectty.view.inline import wrap_line
from reflectty.view.model import model_texts_of, placement_of
from reflectty.view.rows import BOLD
from reflectty.view.units import format_age, parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reflectty.core.messages import Capacity, Model
    from reflectty.models.estimate import Comparison, Estimate
    from reflectty.models.fit import Machine, Placement
    from reflectty.models.installed import InstalledModel
    from reflectty.output.tables import Page
    from reflectty.protocols.openai import ListedModel
    from reflectty.view.model import ModelTexts
    from reflectty.view.rows import Row


BY_PARAMETER, BY_FILE = "from its parameters", "from its file, used by Ollama 0.34 and later"
UNKNOWN = "-"
BUILT_IN_MARK = " (built in)"
_MIN_NAME_WIDTH = 16
"""Before a name gets fewer columns than this, another column is left out."""
_KEY_WIDTH = 12
_FOREVER_SECONDS = 365 * 24 * 3600.0
"""A model that stays loaded for longer than this many seconds counts as permanently loaded."""


def model_rows(models: Sequence[InstalledModel], page: Page, now: float) -> list[Row]:
    """A row for each model; on a terminal with a head, and no wider than the terminal."""
    return table_rows(_model_columns(models, now), page, _MIN_NAME_WIDTH) if models else []


def _model_columns(models: Sequence[InstalledModel], now: float) -> tuple[TableColumn, ...]:
    texts = [model_texts_of(one.model, one.running, one.labels) for one in models]

    def column(name: str, role: str, rank: int, key: str, *, align_right: bool = False) -> TableColumn:
        return TableColumn(name, role, rank, tuple(getattr(one, key) or UNKNOWN for one in texts), align_right)

    return (
        TableColumn("model", "accent", CUT_RANK, tuple(map(_format_name, models, texts))),
        column("size", "text", 2, "size", align_right=True),
        column("weights", "dim", 5, "weights"),
        column("context", "dim", 4, "context", align_right=True),
        column("can", "text", 3, "labels"),
        TableColumn("loaded", "correction", 1, tuple(map(_format_loaded, models, texts))),
        column("digest", "faint", 7, "digest"),
        TableColumn("changed", "dim", 6, tuple(_format_changed(one.model, now) for one in models)),
    )


def _format_name(one: InstalledModel, texts: ModelTexts) -> str:
    return f"{texts.name or UNKNOWN}{BUILT_IN_MARK if one.built_in else ''}"


def _format_loaded(one: InstalledModel, texts: ModelTexts) -> str:
    return f"{texts.device}, {texts.memory}{_shared(one)}" if one.running else UNKNOWN


def _shared(one: InstalledModel) -> str:
    """The name under which a model is loaded, if not its own; "perhaps" if that name has been removed."""
    doubt = "perhaps " if one.running and one.running.removed else ""
    return f" ({doubt}as {clean_line(one.shared_with)})" if one.shared_with else ""


def _format_changed(model: Model, now: float) -> str:
    then = parse_timestamp(model.modified_at)
    return format_age(then, now) if then is not None else UNKNOWN


def model_detail_rows(one: InstalledModel, page: Page, now: float, more: Iterable[tuple[str, str]] = ()) -> list[Row]:
    """The facts of a model, a row each; `more` follows the facts on loading."""
    return titled_rows(one.short_name, model_facts(one, now, more), page)


def titled_rows(name: str, known: Iterable[tuple[str, str]], page: Page) -> list[Row]:
    """A name, and below it a row for each fact."""
    head: Row = [(clean_line(name), page.palette.words("accent") + BOLD)]
    return [head, *(row for fact in known for row in _fact_rows(*fact, page))]


def model_facts(one: InstalledModel, now: float, more: Iterable[tuple[str, str]] = ()) -> tuple[tuple[str, str], ...]:
    """The facts of a model, each with its label; the texts are not cleaned."""
    model, texts = one.model, model_texts_of(one.model)
    return (
        ("size", " · ".join(text for text in (texts.size or UNKNOWN, texts.weights) if text)),
        *_remote_facts(model),
        ("context", f"{texts.context or UNKNOWN} at most"),
        *([] if remote_host_of(model) else [("loaded", _describe_loaded(one, now))]),
        *more,
        ("can", ", ".join(one.abilities) or "answer"),
        ("auto picks", _describe_auto_mode(model)),
        *_sampling_facts(model),
        *((("tags", _describe_lost_tags(one)),) if one.lost_tags else ()),
        ("digest", texts.digest or UNKNOWN),
        ("changed", _format_changed(model, now)),
        ("has", ", ".join(_describe_texts(model)) or "no template"),
    )


def _sampling_facts(model: Model) -> list[tuple[str, str]]:
    """The sampling defaults for options that a request leaves out."""
    found = sampling_defaults_of(model)
    ways = (
        (", ".join(f"{one.option} {one.value}" for one in found if one.by_file is by_file), by_file)
        for by_file in (False, True)
    )
    defaults = [f"{text} ({BY_FILE if by_file else BY_PARAMETER})" for text, by_file in ways if text]
    return [("sampling", "; ".join(defaults))] if defaults else []


def _remote_facts(model: Model) -> list[tuple[str, str]]:
    """The host that runs a model which its server does not run itself."""
    host = remote_host_of(model)
    known_as = f", as {model.remote_model}" if model.remote_model else ""
    return [("runs on", f"{host}{known_as}: your prompts leave this machine")] if host else []


def _fact_rows(key: str, text: str, page: Page) -> list[Row]:
    styles = page.palette.styles
    shown = clean_line(text) if page.terminal.out.unicode else clean_line(text).replace("·", page.palette.glyphs.dot)
    line: Row = [(f"  {key:<{_KEY_WIDTH}}", styles["faint"]), (shown, styles["text"])]
    return wrap_line(line, page.columns.prose, _KEY_WIDTH + 2) if page.is_width_limited else [line]


def _describe_loaded(one: InstalledModel, now: float) -> str:
    if one.running is None:
        return "no"
    until = parse_timestamp(one.running.expires_at)
    location = f"{placement_of(one.running)}{_shared(one)}"
    if until is None:
        return location
    left = until - now
    stays = "indefinitely" if left > _FOREVER_SECONDS else f"for another {max(0, round(left / 60)):,} min"
    return f"{location} · {stays}"


def _describe_lost_tags(one: InstalledModel) -> str:
    again = f"`reflect models repair {quote(one.short_name)}` makes a copy that keeps them"
    return f"lost on Ollama 0.30 and later: {', '.join(one.lost_tags)}; {again}"


def _describe_auto_mode(model: Model) -> str:
    chosen = plan(model, AskOptions())
    return f"mode {chosen.mode}, family {chosen.family.name}: {mode_reason_of(model)}"


def _describe_texts(model: Model) -> tuple[str, ...]:
    """The texts that an option shows, each with its number of lines."""
    texts = (
        ("template", model.template),
        ("system prompt", model.system),
        ("parameters", model.parameters),
        ("license", model.license),
    )
    return tuple(f"{name} ({len(text.splitlines()):,})" for name, text in texts if text.strip())


_MAX_OWNER_LENGTH = 40


def served_rows(listed: Sequence[ListedModel], page: Page, builtin: Sequence[ListedModel] = ()) -> list[Row]:
    """A row for each model, and for the built-in one; on a terminal with a head, and no wider than the terminal."""
    names = [clean_line(one.model.name) or UNKNOWN for one in listed]
    names += [f"{one.model.name}{BUILT_IN_MARK}" for one in builtin]
    listed = (*listed, *builtin)
    columns = (
        TableColumn("model", "accent", CUT_RANK, tuple(names)),
        TableColumn("context", "dim", 2, tuple(_format_served_context(one) for one in listed), align_right=True),
        TableColumn("can", "text", 3, tuple(_format_abilities(one.model, one) for one in listed)),
        TableColumn("loaded", "correction", 1, tuple(_format_served_loaded(one) for one in listed)),
        TableColumn("owner", "dim", 4, tuple(clean_line(one.maker, _MAX_OWNER_LENGTH) or UNKNOWN for one in listed)),
    )
    return table_rows(columns, page, _MIN_NAME_WIDTH)


def _format_served_context(one: ListedModel) -> str:
    return format_context(one.context) if one.context else UNKNOWN


def _format_abilities(model: Model, one: ListedModel | None) -> str:
    if one is not None and not can_chat(one):
        return "no chat"
    return ", ".join(abilities_of(model)) or "answer"


def _format_served_loaded(one: ListedModel) -> str:
    return UNKNOWN if one.loaded is None else "yes" if one.loaded else "no"


def served_detail_rows(model: Model, one: ListedModel | None, server: str, capacity: Capacity, page: Page) -> list[Row]:
    """The facts of a served model, a row each."""
    return titled_rows(model.name, _served_facts(model, one, server, capacity), page)


def _served_facts(
    model: Model, one: ListedModel | None, server: str, capacity: Capacity
) -> tuple[tuple[str, str], ...]:
    chosen = plan(model, AskOptions())
    found = (
        ("server", server),
        ("based on", one.root if one else ""),
        ("names", ", ".join(dict.fromkeys(one.names)) if one and len(set(one.names)) > 1 else ""),
        ("owner", one.maker if one else ""),
        ("size", format_bytes(model.size) if model.size else ""),
        ("context", _describe_contexts(model, one)),
        ("parallel", _describe_capacity(capacity)),
        ("can", _format_abilities(model, one)),
        ("auto picks", f"mode {chosen.mode}, family {chosen.family.name}: {mode_reason_of(model)}"),
        ("has", f"template ({len(model.template.splitlines()):,})" if model.template else "no template reported"),
    )
    return tuple((key, text) for key, text in found if text)


def _describe_contexts(model: Model, one: ListedModel | None) -> str:
    here, most = one.context if one else 0, model.context_length
    if not here:
        return "not reported"
    return f"{format_context(here)} here" + (f", supports {format_context(most)}" if most > here else "")


def _describe_capacity(capacity: Capacity) -> str:
    if not capacity.slots:
        return ""
    shared = ", which may share the context" if capacity.shared_context else ""
    return f"{format_count(capacity.slots, 'request')}{shared}"


def fit_object(placement: Placement) -> dict[str, Any]:
    """A fit as a JSON object; sizes are in bytes, shares between 0 and 1, unknown values null."""
    known = placement.fit is not Fit.UNKNOWN
    return {
        "estimate": estimate_object(placement.estimate),
        "machine": machine_object(placement.machine),
        "fit": str(placement.fit),
        "gpu_share": placement.gpu_share if known else None,
        "cpu_share": placement.cpu_share if known else None,
        "layers_on_gpu": placement.layers_on_gpu if known and placement.layers else None,
        "layers": placement.layers or None,
        "slower": list(placement.slowdown) if placement.fit is Fit.PARTLY else None,
        "missing": placement.missing_bytes if known else None,
        "longest_context": placement.longest_context or None,
        "smaller": [smaller._asdict() for smaller in placement.smaller_quantizations],
        "fits_emptied": placement.fits_when_emptied if known else None,
        "says": list(memory_fit.describe_placement(placement)),
        "loaded": _comparison_object(placement.comparison) if placement.comparison else None,
    }


def estimate_object(estimate: Estimate) -> dict[str, Any]:
    return {
        "weights": estimate.weights,
        "cache": estimate.cache,
        "buffers": estimate.buffers,
        "total": estimate.total,
        **estimate.load._asdict(),
        "quantization": estimate.quantization or None,
        "coarse": estimate.coarse,
        "not_known": list(estimate.notes),
    }


def machine_object(machine: Machine) -> dict[str, Any]:
    return {
        "known": machine.known,
        "gpus": [{**gpu._asdict(), "memory": str(gpu.memory), "driver": gpu.driver or None} for gpu in machine.gpus],
        "memory": {"total": machine.total or None, "available": machine.available if machine.total else None},
        "not_known": list(machine.notes),
    }


def _comparison_object(comparison: Comparison) -> dict[str, Any]:
    return {
        "size": comparison.size,
        "estimated": comparison.estimate.total,
        "uncounted": comparison.uncounted,
        "difference": comparison.difference,
        "gpu_share": comparison.gpu_share,
        "cpu_share": comparison.cpu_share,
        "context": comparison.estimate.load.context,
    }
