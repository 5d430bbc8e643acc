"""Builds the raw beginning from which a reply continues: its thinking edited, concluded or cut.

A user edits a draft: the thinking with its corrections in their tags, without the tag that opens it. What an
engine goes on from is the raw text from the opener on.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reflectty.core.errors import RefusedError
from reflectty.core.segments import Kind
from reflectty.core.session import ReplyMetrics
from reflectty.reasoning.families import FAMILIES, Tag, family_of_model, has_plain_text_markers, list_plain_openers
from reflectty.reasoning.modes import Mode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reflectty.core.messages import Model
    from reflectty.core.session import StoredReply
    from reflectty.reasoning.families import Family
    from reflectty.reasoning.modes import Plan

ASK_ANEW = "ask again instead, or edit the question"


def writing_family(  # noqa: PLR0913 - all that a reply tells of how it is written
    model: Model, chosen: Plan, seen_family: str = "", raw: str = "", *, came_in_field: bool = False, opener: str = ""
) -> Family:
    """Return the family in whose tags a reply of this model is written when it goes on.

    Args:
        model: who is to go on.
        chosen: how it is asked.
        seen_family: the name of the family that the reply so far was found to be of, where the plan leaves that open.
        raw: the content of the reply so far: where a family knows several tags, it is the one used there.
        came_in_field: whether its thinking came in a field of its own, though the plan did not ask for one.
        opener: the marker with which the model was seen to open its thinking; often nothing.

    Raises:
        RefusedError: its server cannot go on, or its tags are not known, or are control tokens, which no server sends.
    """
    require_resumable(model)
    in_field = came_in_field or chosen.think is not None
    family = _family_of_opener(opener) or (
        _family_of_field(model) if in_field else _family_of_content(chosen, seen_family, raw)
    )
    if family is None:
        raise RefusedError(
            f"a reply of {model.name} cannot be steered or continued: how it marks its thinking is not known, or"
            " not sent by the server",
            ASK_ANEW,
        )
    return family


def require_resumable(model: Model) -> None:
    """Refuse to go on with a reply of a model whose server might begin another one without a word.

    Raises:
        RefusedError: it is such a server.
    """
    if not model.can_resume:
        raise RefusedError(
            f"a reply of {model.name} cannot be steered or continued: only vLLM, SGLang, llama-server and Ollama are"
            " known to go on with one",
            ASK_ANEW,
        )


def can_continue(model: Model, chosen: Plan) -> bool:
    """Whether a reply of this model can be steered or continued, as far as that is known before a word of it came."""
    if chosen.think is None or chosen.family.name == "any":
        # How it marks its thinking is seen in the reply.
        return model.can_resume and not chosen.family.has_channels
    known = family_of_model(model.name)
    if known and not has_plain_text_markers(known):
        return False
    return model.can_resume and (model.shows_tokens or _family_of_field(model) is not None)


def reading_family(model: Model, chosen: Plan, so_far: str = "") -> Family:
    """Return the family that a reply is read by when it goes on: all of it comes as content then.

    Raises:
        RefusedError: it would think, and how it would mark that is not known.
    """
    written = _family_of_opener(next(filter(so_far.startswith, list_plain_openers()), "")) if so_far else None
    if chosen.think is None:
        return chosen.family if chosen.family.thinking or written is None else written
    if chosen.think is False or written:
        return _family_of_field(model) or written or chosen.family
    return writing_family(model, chosen)


def content_family(model: Model, chosen: Plan) -> Family:
    """Return the family in whose tags a reply thinks whose server leaves them in the content."""
    by_itself = chosen.think is not None and chosen.mode is not Mode.REFLECT
    return (_family_of_field(model) if by_itself else None) or chosen.family


def _family_of_opener(opener: str) -> Family | None:
    """Return the family whose thinking begins with a marker that was seen; None where there is no such marker."""
    for family in (FAMILIES["native"], *filter(has_plain_text_markers, FAMILIES.values())):
        for tag in family.thinking if opener else ():
            if tag.opener.rstrip() == opener:
                return _family_with_first_tag(tag, family)
    return None


def _family_of_content(chosen: Plan, seen: str, raw: str) -> Family | None:
    family = FAMILIES.get(seen, chosen.family) if chosen.family.name == "any" else chosen.family
    if family.name == "any" and chosen.mode is Mode.REFLECT:
        family = FAMILIES["reflection"]
    used = [written for tag in family.thinking if (written := _tag_as_written(tag, raw))]
    if not used:
        family = family._replace(thinking=tuple(tag for tag in family.thinking if "*" not in tag.opener))
        return family if family.thinking else None
    first = min(used, key=lambda tag: raw.index(tag.opener))
    return family._replace(thinking=_with_first_tag(first, family.thinking))


def _tag_as_written(tag: Tag, raw: str) -> Tag | None:
    """Return a tag as a reply has it, with the name that stands for the star of some; None where it is not there."""
    if "*" not in tag.opener:
        return tag if tag.opener and tag.opener in raw else None
    start, end = tag.opener.split("*")
    found = re.search(f"{re.escape(start)}(\\w+){re.escape(end)}", raw)
    return Tag(found[0], tag.closer.replace("*", found[1])) if found else None


def _family_of_field(model: Model) -> Family | None:
    """Return the tags that become the `thinking` field on the server: those of the template, else of the name."""
    known = family_of_model(model.name)
    if known and not has_plain_text_markers(known):
        return None
    written = "\n".join((model.template, *(model.prompt_endings or ())))
    for family in (FAMILIES["native"], *filter(has_plain_text_markers, FAMILIES.values())):
        for tag in family.thinking:
            if tag.opener and tag.opener in written:
                return _family_with_first_tag(tag, family)
    return _family_with_first_tag(known.thinking[0], known) if known else None


def _family_with_first_tag(tag: Tag, family: Family) -> Family:
    """Return the family that reads a native reply with this tag, the tag first."""
    native = FAMILIES["native"]
    if tag not in native.thinking:
        return family
    return native._replace(thinking=_with_first_tag(tag, native.thinking))


def _with_first_tag(tag: Tag, tags: tuple[Tag, ...]) -> tuple[Tag, ...]:
    return (tag, *(other for other in tags if other != tag))


def draft_of(segments: Iterable[tuple[Kind, str]], family: Family) -> str:
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


def metrics_of_draft(said: StoredReply, family: Family, text: str) -> ReplyMetrics:
    """Return the figures that a reply begins with which goes on from a draft.

    Of a draft that was changed the time counts that the thinking took; its tokens are counted anew.
    """
    took = said.measured
    if text.strip() == draft_of(said.segments, family).strip():
        return took
    return ReplyMetrics(thinking_ms=took.thinking_ms, first_token_ms=took.first_token_ms)


def open_thinking(family: Family, text: str) -> str:
    """Return the raw beginning of a reply from a draft: its thinking is open, and goes on where the draft ends."""
    opener = family.thinking[0].opener
    # A blank at the end belongs to the word that follows: models write the two as one token.
    body = text.removeprefix(opener).lstrip("\n").rstrip(" \t")
    return f"{opener.rstrip()}\n{body}"


def conclude_thinking(family: Family, text: str) -> str:
    """Return the raw beginning of a reply whose thinking ends with the draft: what follows is the answer."""
    lines = [open_thinking(family, text).rstrip()]
    lines += (tag.closer for tag in family.reflection if _is_open(tag, text))
    answer = _answer_opener(family)
    lines.append(family.thinking[0].closer + ("" if answer else _breaks_after(family.thinking[0])))
    lines += filter(None, (answer,))
    return "\n".join(lines) + ("\n" if answer else "")


def _answer_opener(family: Family) -> str:
    """Return the tag that a model of the family begins its answer with.

    The family of what thinks natively is any model's: Qwen3 and DeepSeek never saw an answer tag.
    """
    return family.answer[0].opener if family.answer and family.name != "native" else ""


def _breaks_after(tag: Tag) -> str:
    """Return the line breaks between a thinking and the answer: Qwen3, R1 and their kin leave a line free."""
    return "\n\n" if tag.closer == "</think>" else "\n"


def _is_open(tag: Tag, text: str) -> bool:
    return text.rfind(tag.opener) > text.rfind(tag.closer)


def continuation_prefix(said: StoredReply, model: Model, chosen: Plan, opener: str = "") -> str:
    """Return the raw beginning of a reply that was cut, in its thinking or in its answer, as it came.

    Args:
        said: the reply.
        model: who gave it.
        chosen: how it will be asked to go on.
        opener: the marker with which the model was seen to open its thinking; often nothing.

    Raises:
        RefusedError: it thought in the `thinking` field, and how it would write that is not known.
    """
    if not said.raw_thinking:
        return said.raw
    family = writing_family(model, chosen, said.family, came_in_field=True, opener=opener)
    thinking = open_thinking(family, said.raw_thinking)
    if not said.raw:
        return thinking
    tag = family.thinking[0]
    # A server that passes the model's own line breaks on has them in the content.
    breaks = "" if said.raw[0].isspace() else _breaks_after(tag)
    return f"{thinking.rstrip()}\n{tag.closer}{breaks}{said.raw}"
