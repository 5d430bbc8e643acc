"""Decides how a model is made to reflect and how its reply is read, from what the server says of it; no I/O."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from reflectty.chat import Effort
from reflectty.families import FAMILIES, by_model

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reflectty.chat import Model
    from reflectty.families import Family

REFLECT_PROMPT = """\
Think in writing before you answer.
Begin with <thinking> on a line of its own and work through the question there in small steps.
Whenever you find that a step was wrong, or want to make sure of one, stop and write <reflection>, what was \
wrong and what is right, then </reflection>, and go on from there.
When you are sure, write </thinking>.
Then write <output>, the whole answer, and </output>. Only what stands between these two is shown, so it must \
be complete without the thinking."""

_EFFORTS = {
    Effort.LOW: "Keep the thinking to a few short lines.",
    Effort.MEDIUM: "",
    Effort.HIGH: "Think thoroughly and check every result a second way.",
    Effort.MAX: "Think as thoroughly as you can: check every result a second way, and look for what you overlooked.",
}

NEUTRAL_PROMPT = "You are a helpful assistant."
"""Sent in place of a model's own system prompt when that prompt is what makes it think."""

_AFTER_OPENER = r"""(?:\s|\\n|['"]|\{%.*?%\}|\{\{-?\s*(?:end\s*)?-?\}\}|-?\}\}|\+)*"""
"""What may follow the last opener of a template that ends in it: blanks and the ends of template code."""


class Mode(StrEnum):
    """How a model is made to reflect."""

    AUTO = "auto"
    NATIVE = "native"
    REFLECT = "reflect"
    DIRECT = "direct"


class Wish(NamedTuple):
    """What the user asked for."""

    mode: Mode = Mode.AUTO
    effort: Effort | None = None
    family: Family | None = None
    """How the reply is read, whatever the model; None leaves it to what the model is."""
    system: str = ""


class Plan(NamedTuple):
    """How one model will be asked and read."""

    mode: Mode
    family: Family
    prefilled: bool = False
    """Whether the template opens the thinking, so that the reply starts inside it."""
    think: bool | Effort | None = None
    system: str = ""
    """The system message to send; empty leaves the model its own."""
    expects_tags: bool = False
    """Whether a reply without any tag means that something lost them."""
    notes: tuple[str, ...] = ()


def taught(model: Model) -> Family | None:
    """Return the family whose openers stand in the model's own template or system prompt."""
    text = f"{model.template}\n{model.system}"
    for family in FAMILIES.values():
        wanted = [tag.opener for tag in (*family.thinking[:1], *family.answer[:1]) if tag.opener]
        if wanted and family.name != "native" and all(opener in text for opener in wanted):
            return _closest(family, text)
    return None


def _closest(family: Family, text: str) -> Family:
    """Prefer the family that explains more of the text: one with an answer tag to the same without."""
    for other in FAMILIES.values():
        openers = [tag.opener for tag in (*other.thinking[:1], *other.answer[:1])]
        same = other.thinking[:1] == family.thinking[:1] and other.name != "native"
        if same and other.answer and not family.answer and all(opener in text for opener in openers):
            return other
    return family


def opens_thinking(model: Model, family: Family) -> bool:
    """Whether the model's template ends in the family's opener, so that every reply starts inside the thinking."""
    for tag in family.thinking:
        opener = tag.opener.rstrip()
        at = model.template.rfind(opener) if opener else -1
        if at >= 0:
            return re.fullmatch(_AFTER_OPENER, model.template[at + len(opener) :], re.DOTALL) is not None
    return family.prefilled and not model.template


def _ends_open(model: Model, family: Family, think: bool | Effort | None) -> bool:
    """Whether a prompt that the server rendered ends inside the thinking.

    A parser there, of which nothing is known, takes the thinking into the field: then the content stands outside.
    """
    on, off = model.ends or ("", "")
    written = (off if think is False else on).rstrip()
    return any(tag.opener and written.endswith(tag.opener.rstrip()) for tag in family.thinking)


def _joined(*parts: str) -> str:
    return "\n\n".join(part.strip() for part in parts if part.strip())


def plan(model: Model, wish: Wish) -> Plan:
    """Return how a model will be asked and read.

    A model with the capability thinks natively; one whose template, system prompt or name is of a family that
    thinks in tags does so in its own; any other is asked to reflect by a prompt.
    """
    thinks = "thinking" in model.capabilities
    own = FAMILIES["native"] if thinks else taught(model) or by_model(model.name)
    mode = wish.mode
    if mode is Mode.AUTO:
        mode = Mode.NATIVE if own else Mode.REFLECT
    family = wish.family or _read_as(mode, own)
    think = _think(mode, wish, thinks=thinks)
    return Plan(
        mode=mode,
        family=family,
        # A server that is asked for the `thinking` field takes what the template opens into it.
        prefilled=_ends_open(model, family, think) if model.ends else opens_thinking(model, family) and not think,
        think=think,
        system=_system(mode, model, wish, own),
        expects_tags=_expects_tags(mode, family, own, thinks=thinks),
        notes=tuple(_notes(mode, model, wish, thinks=thinks)),
    )


def reason(model: Model) -> str:
    """Return in words why `auto` picks the mode that it picks for a model."""
    if "thinking" in model.capabilities:
        return "Ollama keeps its thinking apart"
    if taught(model):
        return "its template or system prompt has the tags"
    if by_model(model.name):
        return "its name is that of a family that thinks in tags"
    return "nothing says that it thinks by itself, so it is asked to by a prompt"


def abilities(model: Model) -> tuple[str, ...]:
    """Return what a model can do besides answering: `reflection`, `thinking`, and those of Ollama's capabilities."""
    family = taught(model) or by_model(model.name)
    thinks = "thinking" in model.capabilities or bool(family and (family.thinking or family.channels))
    own = (("reflection", bool(family and family.reflection)), ("thinking", thinks))
    beside = tuple(name for name in _BESIDE if name in model.capabilities)
    return (*(name for name, there in own if there), *beside)


_BESIDE = ("vision", "tools", "audio", "image", "insert", "embedding")


def _expects_tags(mode: Mode, family: Family, own: Family | None, *, thinks: bool) -> bool:
    """Whether a model that answers in order uses tags that we look for."""
    uses = mode is Mode.REFLECT or (mode is Mode.NATIVE and own is not None)
    return uses and not thinks and family.name != "none"


def _read_as(mode: Mode, own: Family | None) -> Family:
    if own and (mode is not Mode.REFLECT or own.name == "native"):
        return own
    return FAMILIES["reflection" if mode is Mode.REFLECT else "any"]


def _think(mode: Mode, wish: Wish, *, thinks: bool) -> bool | Effort | None:
    """Return what to send as `think`; nothing to models without the capability, which refuse it."""
    if not thinks:
        return None
    return (wish.effort or True) if mode is Mode.NATIVE else False


def _system(mode: Mode, model: Model, wish: Wish, own: Family | None) -> str:
    """Return the system message: it replaces the model's own on the server, so that one is sent along."""
    if mode is Mode.REFLECT:
        return _joined(model.system, wish.system, REFLECT_PROMPT, _EFFORTS[wish.effort or Effort.MEDIUM])
    if mode is Mode.DIRECT and own and any(tag.opener in model.system for tag in own.thinking if tag.opener):
        return wish.system or NEUTRAL_PROMPT
    return _joined(model.system, wish.system) if wish.system else ""


def _notes(mode: Mode, model: Model, wish: Wish, *, thinks: bool) -> Iterable[str]:
    if wish.effort and (mode is Mode.DIRECT or (mode is Mode.NATIVE and not thinks)):
        yield f"--effort changes nothing for {model.name} in mode {mode}"


def best(models: Iterable[Model]) -> Model | None:
    """Return the installed model that suits best: made for reflection, then thinking, then whatever is newest."""
    ranked = sorted(
        (model for model in models if _rank(model) >= 0), key=lambda model: (_rank(model), model.modified_at)
    )
    return ranked[-1] if ranked else None


def merit(model: Model) -> str:
    """Return in words why a model is the best one, as `best` found it."""
    return _MERITS[_rank(model)]


_MERITS = ("the newest one installed", "which thinks by itself", "which is made for reflection")


def _rank(model: Model) -> int:
    if "embedding" in model.capabilities and "completion" not in model.capabilities:
        return -1
    family = by_model(model.name)
    if family is not None and family.reflection:
        return 2
    return 1 if family or "thinking" in model.capabilities else 0
