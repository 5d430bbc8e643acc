"""Models as rows: a list, and one with all that is known of it; asks no server and writes nothing."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from reflectty.cloud import elsewhere
from reflectty.drawing.dates import ago, seconds
from reflectty.drawing.inline import wrapped
from reflectty.drawing.model import landed, memory, version, weights, where
from reflectty.drawing.paint import BOLD
from reflectty.drawing.sizes import context, size
from reflectty.modes import Wish, plan, reason
from reflectty.render.columns import LAST, Column, rows
from reflectty.safety import clean_line
from reflectty.sampling import defaults

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reflectty.chat import Model
    from reflectty.drawing.paint import Row
    from reflectty.library import Installed
    from reflectty.render.page import Page

BY_PARAMETER, BY_FILE = "by its parameters", "by its file: Ollama obeys that from 0.34 on"
UNKNOWN = "-"
CLOUD = "cloud"
"""What stands in place of the size of a model that runs elsewhere."""
_NAME = 16
"""Before a name gets fewer columns than this, another column is left out."""
_KEY = 12
_FOREVER = 365 * 24 * 3600.0
"""A model that stays loaded for longer than this many seconds stays for good."""


def model_rows(models: Sequence[Installed], page: Page, now: float) -> list[Row]:
    """Return a row for each model; on a terminal below a head, and no wider than it is."""
    return rows(_columns(models, now), page, _NAME) if models else []


def _columns(models: Sequence[Installed], now: float) -> tuple[Column, ...]:
    known = [one.model for one in models]
    return (
        Column("model", "accent", LAST, tuple(clean_line(one.short_name) or UNKNOWN for one in models)),
        Column("size", "text", 2, tuple(_size(model) for model in known), right=True),
        Column("weights", "dim", 5, tuple(weights(model) or UNKNOWN for model in known)),
        Column("context", "dim", 4, tuple(_context(model) for model in known), right=True),
        Column("can", "text", 3, tuple(", ".join(one.told) or UNKNOWN for one in models)),
        Column("loaded", "correction", 1, tuple(_loaded(one) for one in models)),
        Column("digest", "faint", 7, tuple(version(model) or UNKNOWN for model in known)),
        Column("changed", "dim", 6, tuple(_changed(model, now) for model in known)),
    )


def _size(model: Model) -> str:
    return CLOUD if elsewhere(model) else size(model.size) if model.size else UNKNOWN


def _context(model: Model) -> str:
    return context(model.context_length) if model.context_length else UNKNOWN


def _loaded(one: Installed) -> str:
    return f"{where(one.running)}, {memory(one.running)}{_shared(one)}" if one.running else UNKNOWN


def _shared(one: Installed) -> str:
    """Return under whose name a model is loaded, where that is not its own; of one that is gone that is not sure."""
    doubt = "perhaps " if one.running and one.running.removed else ""
    return f" ({doubt}as {clean_line(one.shared_with)})" if one.shared_with else ""


def _changed(model: Model, now: float) -> str:
    then = seconds(model.modified_at)
    return ago(then, now) if then is not None else UNKNOWN


def one_model(one: Installed, page: Page, now: float, more: Iterable[tuple[str, str]] = ()) -> list[Row]:
    """Return what is known of a model, a row for each thing; `more` comes behind what it takes to run it."""
    return headed(one.short_name, facts(one, now, more), page)


def headed(name: str, known: Iterable[tuple[str, str]], page: Page) -> list[Row]:
    """Return a name, and below it a row for each thing that is known."""
    head: Row = [(clean_line(name), page.palette.styles["accent"] + BOLD)]
    return [head, *(row for fact in known for row in _fact(*fact, page))]


def facts(one: Installed, now: float, more: Iterable[tuple[str, str]] = ()) -> tuple[tuple[str, str], ...]:
    """Return what is known of a model, each thing with its name; the texts are not cleaned."""
    model = one.model
    return (
        ("size", " · ".join(text for text in (_size(model), weights(model)) if text)),
        *_passed_on(model),
        ("context", f"{_context(model)} at most"),
        *([] if elsewhere(model) else [("loaded", _standing(one, now))]),
        *more,
        ("can", ", ".join(one.abilities) or "answer"),
        ("auto picks", _picked(model)),
        *_sampled(model),
        *((("tags", _lost(one)),) if one.lost else ()),
        ("digest", version(model) or UNKNOWN),
        ("changed", _changed(model, now)),
        ("has", ", ".join(_texts(model)) or "no template"),
    )


def _sampled(model: Model) -> list[tuple[str, str]]:
    """Return how a model is sampled where a request says nothing of it."""
    found = defaults(model)
    ways = (
        (", ".join(f"{one.option} {one.value}" for one in found if one.by_file is by_file), by_file)
        for by_file in (False, True)
    )
    told = [f"{text} ({BY_FILE if by_file else BY_PARAMETER})" for text, by_file in ways if text]
    return [("samples", "; ".join(told))] if told else []


def _passed_on(model: Model) -> list[tuple[str, str]]:
    """Return where a model is answered that does not run on its server."""
    host = elsewhere(model)
    known_as = f", as {model.remote_model}" if model.remote_model else ""
    return [("runs on", f"{host}{known_as}: what you ask leaves this machine")] if host else []


def _fact(key: str, text: str, page: Page) -> list[Row]:
    styles = page.palette.styles
    said = clean_line(text) if page.terminal.out.unicode else clean_line(text).replace("·", page.palette.glyphs.dot)
    line: Row = [(f"  {key:<{_KEY}}", styles["faint"]), (said, styles["text"])]
    return wrapped(line, page.columns.prose, _KEY + 2) if page.cuts else [line]


def _standing(one: Installed, now: float) -> str:
    if one.running is None:
        return "no"
    until = seconds(one.running.expires_at)
    where_to = f"{landed(one.running)}{_shared(one)}"
    if until is None:
        return where_to
    left = until - now
    stays = "for good" if left > _FOREVER else f"for another {max(0, round(left / 60)):,} min"
    return f"{where_to} · {stays}"


def _lost(one: Installed) -> str:
    again = f"`reflect models repair {quote(one.short_name)}` makes a copy that keeps them"
    return f"lost on Ollama 0.30 and later: {', '.join(one.lost)}; {again}"


def _picked(model: Model) -> str:
    chosen = plan(model, Wish())
    return f"mode {chosen.mode}, family {chosen.family.name}: {reason(model)}"


def _texts(model: Model) -> tuple[str, ...]:
    """Return the texts that an option shows, each with its length in lines."""
    texts = (
        ("template", model.template),
        ("system prompt", model.system),
        ("parameters", model.parameters),
        ("licence", model.license),
    )
    return tuple(f"{name} ({len(text.splitlines()):,})" for name, text in texts if text.strip())
