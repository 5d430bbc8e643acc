"""Models as rows: a list, and one with all that is known of it; asks no server and writes nothing."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from reflectty.drawing.dates import ago, seconds
from reflectty.drawing.inline import wrapped
from reflectty.drawing.model import landed, memory, version, weights, where
from reflectty.drawing.paint import BOLD
from reflectty.drawing.sizes import context, size
from reflectty.modes import Wish, plan, reason
from reflectty.render.columns import LAST, Column, rows
from reflectty.safety import clean_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reflectty.chat import Model
    from reflectty.drawing.paint import Row
    from reflectty.library import Installed
    from reflectty.render.page import Page

UNKNOWN = "-"
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
    return size(model.size) if model.size else UNKNOWN


def _context(model: Model) -> str:
    return context(model.context_length) if model.context_length else UNKNOWN


def _loaded(one: Installed) -> str:
    return f"{where(one.running)}, {memory(one.running)}" if one.running else UNKNOWN


def _changed(model: Model, now: float) -> str:
    then = seconds(model.modified_at)
    return ago(then, now) if then is not None else UNKNOWN


def one_model(one: Installed, page: Page, now: float, more: Iterable[tuple[str, str]] = ()) -> list[Row]:
    """Return what is known of a model, a row for each thing; `more` comes behind what it takes to run it."""
    head: Row = [(clean_line(one.short_name), page.palette.styles["accent"] + BOLD)]
    return [head, *(row for fact in facts(one, now, more) for row in _fact(*fact, page))]


def facts(one: Installed, now: float, more: Iterable[tuple[str, str]] = ()) -> tuple[tuple[str, str], ...]:
    """Return what is known of a model, each thing with its name; the texts are not cleaned."""
    model = one.model
    return (
        ("size", " · ".join(text for text in (_size(model), weights(model)) if text)),
        ("context", f"{_context(model)} at most"),
        ("loaded", _standing(one, now)),
        *more,
        ("can", ", ".join(one.abilities) or "answer"),
        ("auto picks", _picked(model)),
        *((("tags", _lost(one)),) if one.lost else ()),
        ("digest", version(model) or UNKNOWN),
        ("changed", _changed(model, now)),
        ("has", ", ".join(_texts(model)) or "no template"),
    )


def _fact(key: str, text: str, page: Page) -> list[Row]:
    styles = page.palette.styles
    said = clean_line(text) if page.terminal.out.unicode else clean_line(text).replace("·", page.palette.glyphs.dot)
    line: Row = [(f"  {key:<{_KEY}}", styles["faint"]), (said, styles["text"])]
    return wrapped(line, page.columns.prose, _KEY + 2) if page.cuts else [line]


def _standing(one: Installed, now: float) -> str:
    if one.running is None:
        return "no"
    until = seconds(one.running.expires_at)
    if until is None:
        return landed(one.running)
    left = until - now
    stays = "for good" if left > _FOREVER else f"for another {max(0, round(left / 60)):,} min"
    return f"{landed(one.running)} · {stays}"


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
