"""Which models there are, which of them would be asked, and how; asks none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.asking import find_model, standing
from reflectty.cloud import elsewhere
from reflectty.families import by_model
from reflectty.finding import Finding, State
from reflectty.modes import Mode, best, plan
from reflectty.safety import clean_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.chat import Model
    from reflectty.checking.around import Around, Known
    from reflectty.modes import Plan

NO_SERVER = "no server answers"
BUILT_IN = "which is built in"
_LONGEST_NAME = 60
_NAMED = 5
"""So many names are enough to know a list by."""


async def models(_: Around, known: Known) -> Sequence[Finding]:
    """Say which models are installed.

    Raises:
        ReflecttyError: the server does not say; it may be no Ollama.
    """
    if known.engine is None or not known.reached:
        return [Finding("models", State.UNCHECKED, NO_SERVER)]
    known.installed = await known.engine.models()
    names = tuple(short(model.name) for model in known.installed)
    first = ", ".join(map(_listed, known.installed[:_NAMED]))
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    askable = best(known.installed) is not None
    but = "" if askable else "; none of them is asked unless it is named"
    text = f"{len(names)} installed: {first}{more}{but}" if names else "none is installed"
    return [Finding("models", State.OK if askable else State.NOTE, text, facts=(("installed", names),))]


def _listed(model: Model) -> str:
    return f"{shown(model.name)} (cloud)" if elsewhere(model) else shown(model.name)


def short(name: str) -> str:
    """Return the name of a model as people write it."""
    return name.removesuffix(":latest")


def shown(name: str) -> str:
    """Return the same for a sentence: a server may call a model whatever it likes."""
    return clean_line(short(name), _LONGEST_NAME)


async def model(around: Around, known: Known) -> Sequence[Finding]:
    """Say which model would be asked, why this one, and how it would be made to reflect.

    Raises:
        ModelMissingError: it is not installed, or none is.
    """
    if known.engine is None or not known.reached:
        return [Finding("model", State.UNCHECKED, NO_SERVER)]
    found = await find_model(known.engine, around.model.value, lambda _: None)
    known.model = found
    known.plan = chosen = plan(found, standing(around.settings).wish)
    host = elsewhere(found)
    facts = (
        ("model", found.name),
        ("source", around.model.source or "best"),
        ("mode", str(chosen.mode)),
        ("family", chosen.family.name),
        *((("cloud", host),) if host else ()),
    )
    why = BUILT_IN if getattr(known.engine, "away", False) else _why(around, found)
    if host:
        why = f"{why}, a cloud model: what is asked goes to {clean_line(host, _LONGEST_NAME)}"
    text = f"{shown(found.name)}, {why}: {_how(found, chosen)}"
    return [Finding("model", State.OK, text, facts=facts)]


def _why(around: Around, model: Model) -> str:
    if around.model.source:
        return f"named by {around.model.source}"
    family = by_model(model.name)
    if family and family.reflection:
        return "the newest one made for reflection"
    thinks = family is not None or "thinking" in model.capabilities
    return "the newest one that thinks" if thinks else "the newest one installed"


def _how(model: Model, chosen: Plan) -> str:
    if chosen.mode is Mode.DIRECT:
        return "without reflecting (mode direct)"
    if chosen.mode is Mode.REFLECT:
        return "not tuned to reflect, and so asked to by a prompt"
    if "thinking" in model.capabilities:
        return "it thinks natively"
    return f"it reflects in its own tags (family {chosen.family.name})"
