"""What an OpenAI-compatible server serves as rows: a list, and a model with all that is known of it; asks nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.drawing.sizes import context, size
from reflectty.modes import Wish, abilities, plan, reason
from reflectty.render.columns import LAST, Column, rows
from reflectty.render.models import UNKNOWN, headed
from reflectty.safety import clean_line
from reflectty.wire.openai import can_chat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.chat import Capacity, Model
    from reflectty.drawing.paint import Row
    from reflectty.render.page import Page
    from reflectty.wire.openai import Listed

_NAME = 16
"""Before a name gets fewer columns than this, another column is left out."""
_LONGEST = 40


def served_rows(listed: Sequence[Listed], page: Page) -> list[Row]:
    """Return a row for each model; on a terminal below a head, and no wider than it is."""
    columns = (
        Column("model", "accent", LAST, tuple(clean_line(one.model.name) or UNKNOWN for one in listed)),
        Column("context", "dim", 2, tuple(_room(one) for one in listed), right=True),
        Column("can", "text", 3, tuple(_can(one.model, one) for one in listed)),
        Column("loaded", "correction", 1, tuple(_loaded(one) for one in listed)),
        Column("owner", "dim", 4, tuple(clean_line(one.maker, _LONGEST) or UNKNOWN for one in listed)),
    )
    return rows(columns, page, _NAME)


def _room(one: Listed) -> str:
    return context(one.context) if one.context else UNKNOWN


def _can(model: Model, one: Listed | None) -> str:
    if one is not None and not can_chat(one):
        return "no chat"
    return ", ".join(abilities(model)) or "answer"


def _loaded(one: Listed) -> str:
    return UNKNOWN if one.loaded is None else "yes" if one.loaded else "no"


def one_served(model: Model, one: Listed | None, server: str, capacity: Capacity, page: Page) -> list[Row]:
    """Return what is known of a model, a row for each thing."""
    return headed(model.name, _facts(model, one, server, capacity), page)


def _facts(model: Model, one: Listed | None, server: str, capacity: Capacity) -> tuple[tuple[str, str], ...]:
    chosen = plan(model, Wish())
    found = (
        ("server", server),
        ("made of", one.root if one else ""),
        ("answers to", ", ".join(dict.fromkeys(one.names)) if one and len(set(one.names)) > 1 else ""),
        ("owner", one.maker if one else ""),
        ("size", size(model.size) if model.size else ""),
        ("context", _contexts(model, one)),
        ("at once", _at_once(capacity)),
        ("can", _can(model, one)),
        ("auto picks", f"mode {chosen.mode}, family {chosen.family.name}: {reason(model)}"),
        ("has", f"template ({len(model.template.splitlines()):,})" if model.template else "no template that is told"),
    )
    return tuple((key, text) for key, text in found if text)


def _contexts(model: Model, one: Listed | None) -> str:
    here, most = one.context if one else 0, model.context_length
    if not here:
        return "not told"
    return f"{context(here)} here" + (f", made for {context(most)}" if most > here else "")


def _at_once(capacity: Capacity) -> str:
    if not capacity.slots:
        return ""
    shared = ", which may share the context" if capacity.shared else ""
    return f"{capacity.slots} request{'' if capacity.slots == 1 else 's'}{shared}"
