"""Which models there are, which of them would be asked, and how; asks none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.asking import find_model, standing
from reflectty.cloud import elsewhere
from reflectty.engines import EngineName
from reflectty.errors import UnreachableError
from reflectty.families import by_model
from reflectty.finding import Finding, State
from reflectty.modes import Mode, best, own_family, plan
from reflectty.names import short
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


async def models(around: Around, known: Known) -> Sequence[Finding]:
    """Say which models are installed.

    Raises:
        ReflecttyError: the server does not say; it may be no Ollama.
    """
    if known.engine is None or not known.reached:
        return [Finding("models", State.UNCHECKED, NO_SERVER)]
    try:
        known.installed = await known.engine.models()
    except UnreachableError as error:
        # A server that answers and has no list may well answer a question for the model that was named.
        if not (error.unknown_path and around.model.value):
            raise
    listed = around.settings.engine == EngineName.OPENAI
    names = tuple(short(model.name, whole=listed) for model in known.installed)
    first = ", ".join(_listed(model, whole=listed) for model in known.installed[:_NAMED])
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    there = ("listed", "the server lists none") if listed else ("installed", "none is installed")
    askable = best(known.installed) is not None
    but = "" if askable else "; none of them is asked unless it is named"
    text = f"{len(names)} {there[0]}: {first}{more}{but}" if names else there[1]
    return [Finding("models", State.OK if askable else State.NOTE, text, facts=(("installed", names),))]


def _listed(model: Model, *, whole: bool) -> str:
    name = shown(model.name, whole=whole)
    return f"{name} (cloud)" if elsewhere(model) else name


def shown(name: str, *, whole: bool = False) -> str:
    """Return a name for a sentence: a server may call a model whatever it likes; `whole` is an id as it stands."""
    return clean_line(short(name, whole=whole), _LONGEST_NAME)


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
    whole = around.settings.engine == EngineName.OPENAI
    if whole and found.notices:
        why = f"{why} and not in the server's list"
    text = f"{shown(found.name, whole=whole)}, {why}: {_how(found, chosen)}"
    return [Finding("model", State.OK, text, facts=facts)]


def _why(around: Around, model: Model) -> str:
    if around.model.source:
        return f"named by {around.model.source}"
    if model.merit:
        return model.merit
    family = by_model(model.name)
    if family and family.reflection:
        return "the newest one made for reflection"
    return "the newest one that thinks" if own_family(model) else "the newest one installed"


def _how(model: Model, chosen: Plan) -> str:
    if chosen.mode is Mode.DIRECT:
        return "without reflecting (mode direct)"
    if chosen.mode is Mode.REFLECT:
        return "not tuned to reflect, and so asked to by a prompt"
    if "thinking" in model.capabilities:
        return "it thinks natively"
    return f"it reflects in its own tags (family {chosen.family.name})"
