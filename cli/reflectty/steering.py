"""Writes the beginning of a reply that goes on: thoughts as their model writes them, changed, closed or cut; no I/O.

A user edits a draft: the thinking with its corrections in their tags, without the tag that opens it. What an
engine goes on from is the raw text from the opener on.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reflectty.errors import RefusedError
from reflectty.families import FAMILIES, Tag, by_model
from reflectty.modes import Mode
from reflectty.session import Measured
from reflectty.stream import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reflectty.chat import Model
    from reflectty.families import Family
    from reflectty.modes import Plan
    from reflectty.session import Said

ASK_ANEW = "ask again instead, or edit the question"


def tag_family(model: Model, chosen: Plan, seen: str = "", raw: str = "") -> Family:
    """Return the family in whose tags a reply of this model is written when it goes on.

    Args:
        model: who is to go on.
        chosen: how it is asked.
        seen: the name of the family that the reply so far was found to be of, where the plan leaves that open.
        raw: the content of the reply so far: where a family knows several tags, it is the one used there.

    Raises:
        RefusedError: its tags are not known, or are control tokens, which a server does not send.
    """
    family = _of_the_field(model) if chosen.think is not None else _of_the_content(chosen, seen, raw)
    if family is None:
        raise RefusedError(
            f"a reply of {model.name} cannot be steered or continued: how it marks its thinking is not known, or"
            " not sent by the server",
            ASK_ANEW,
        )
    return family


def reading(model: Model, chosen: Plan) -> Family:
    """Return the family that a reply is read by when it goes on: all of it comes as content then.

    Raises:
        RefusedError: it would think, and how it would mark that is not known.
    """
    if chosen.think is None:
        return chosen.family
    if chosen.think is False:
        return _of_the_field(model) or chosen.family
    return tag_family(model, chosen)


def _of_the_content(chosen: Plan, seen: str, raw: str) -> Family | None:
    family = FAMILIES.get(seen, chosen.family) if chosen.family.name == "any" else chosen.family
    if family.name == "any" and chosen.mode is Mode.REFLECT:
        family = FAMILIES["reflection"]
    used = [written for tag in family.thinking if (written := _written(tag, raw))]
    if not used:
        family = family._replace(thinking=tuple(tag for tag in family.thinking if "*" not in tag.opener))
        return family if family.thinking else None
    first = min(used, key=lambda tag: raw.index(tag.opener))
    return family._replace(thinking=_led_by(first, family.thinking))


def _written(tag: Tag, raw: str) -> Tag | None:
    """Return a tag as a reply has it, with the name that stands for the star of some; None where it is not there."""
    if "*" not in tag.opener:
        return tag if tag.opener and tag.opener in raw else None
    start, end = tag.opener.split("*")
    found = re.search(f"{re.escape(start)}(\\w+){re.escape(end)}", raw)
    return Tag(found[0], tag.closer.replace("*", found[1])) if found else None


def _of_the_field(model: Model) -> Family | None:
    """Return the tags that become the `thinking` field on the server: those of the template, else of the name."""
    known = by_model(model.name)
    if known and not _in_plain_text(known):
        return None
    for family in (FAMILIES["native"], *filter(_in_plain_text, FAMILIES.values())):
        for tag in family.thinking:
            if tag.opener and tag.opener in model.template:
                return _beginning_with(tag, family)
    return _beginning_with(known.thinking[0], known) if known else None


def _in_plain_text(family: Family) -> bool:
    """Whether the markers come through: tokens of their own are lost where the server's own parser is passed by."""
    return bool(family.thinking) and (family.plain or not family.anywhere)


def _beginning_with(tag: Tag, family: Family) -> Family:
    """Return the family that reads a native reply with this tag, the tag first."""
    native = FAMILIES["native"]
    if tag not in native.thinking:
        return family
    return native._replace(thinking=_led_by(tag, native.thinking))


def _led_by(tag: Tag, tags: tuple[Tag, ...]) -> tuple[Tag, ...]:
    return (tag, *(other for other in tags if other != tag))


def draft(segments: Iterable[tuple[Kind, str]], family: Family) -> str:
    """Return the thinking so far as the model writes it, without its opener; a correction at its end is left open."""
    lines: list[str] = []
    for kind, text in segments:
        if kind is not Kind.ANSWER:
            lines.append(_correction(text, family) if kind is Kind.REFLECTION else text)
            last = kind
    closer = family.reflection[0].closer if family.reflection else ""
    text = "\n".join(lines)
    return text.removesuffix(f"\n{closer}") if closer and lines and last is Kind.REFLECTION else text


def _correction(text: str, family: Family) -> str:
    if not family.reflection:
        return text
    tag = family.reflection[0]
    return f"{tag.opener}\n{text}\n{tag.closer}"


def figures(said: Said, family: Family, text: str) -> Measured:
    """Return the figures that a reply begins with which goes on from a draft.

    Of a draft that was changed the time counts that the thinking took; its tokens are counted anew.
    """
    took = said.measured
    if text.strip() == draft(said.segments, family).strip():
        return took
    return Measured(thinking_ms=took.thinking_ms, first_token_ms=took.first_token_ms)


def opened(family: Family, text: str) -> str:
    """Return the raw beginning of a reply from a draft: its thinking is open, and goes on where the draft ends."""
    opener = family.thinking[0].opener
    # A blank at the end belongs to the word that follows: models write the two as one token.
    body = text.removeprefix(opener).lstrip("\n").rstrip(" \t")
    return f"{opener.rstrip()}\n{body}"


def concluded(family: Family, text: str) -> str:
    """Return the raw beginning of a reply whose thinking ends with the draft: what follows is the answer."""
    lines = [opened(family, text).rstrip()]
    lines += (tag.closer for tag in family.reflection if _is_open(tag, text))
    lines.append(family.thinking[0].closer)
    lines += (tag.opener for tag in family.answer[:1])
    return "\n".join(lines) + "\n"


def _is_open(tag: Tag, text: str) -> bool:
    return text.rfind(tag.opener) > text.rfind(tag.closer)


def cut(said: Said, model: Model, chosen: Plan) -> str:
    """Return the raw beginning of a reply that was cut, in its thinking or in its answer, as it came.

    Args:
        said: the reply.
        model: who gave it.
        chosen: how it will be asked to go on.

    Raises:
        RefusedError: it thought in the `thinking` field, and how it would write that is not known.
    """
    if not said.raw_thinking:
        return said.raw
    family = tag_family(model, chosen, said.family)
    thinking = opened(family, said.raw_thinking)
    return f"{thinking.rstrip()}\n{family.thinking[0].closer}\n{said.raw}" if said.raw else thinking
