"""Builds the raw beginning from which a reply continues: its thinking edited, concluded or cut.

Users edit a draft: the thinking with its corrections in their tags, without its opener. An engine continues from the
raw text, which starts with the opener.
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

ASK_AGAIN_OR_EDIT = "ask again instead, or edit the question"


def writing_family(  # noqa: PLR0913 - all evidence of a reply's tags
    model: Model,
    plan: Plan,
    seen_family: str = "",
    raw: str = "",
    *,
    has_thinking_field: bool = False,
    opener: str = "",
) -> Family:
    """The family in whose tags to write the beginning of a reply that continues.

    Args:
        model: the model that continues the reply.
        plan: the plan for it.
        seen_family: the name of the family of the reply so far, if the plan leaves it open.
        raw: the content of the reply so far, which shows the tag to use if the family has several.
        has_thinking_field: whether the thinking was in its own field although the plan did not request one.
        opener: the model's opener of thinking, as seen in a reply or prompt; often empty.

    Raises:
        RefusedError: the server cannot continue replies, or the tags are unknown or control tokens, which are not sent.
    """
    require_resumable(model)
    uses_field = has_thinking_field or plan.think is not None
    family = _family_of_opener(opener) or (
        _family_of_field(model) if uses_field else _family_of_content(plan, seen_family, raw)
    )
    if family is None:
        raise RefusedError(
            f"replies from {model.name} cannot be steered or continued: its thinking tags are unknown, or not sent by"
            " the server",
            ASK_AGAIN_OR_EDIT,
        )
    return family


def require_resumable(model: Model) -> None:
    """Check that the model's server can continue a reply and will not silently start a new one.

    Raises:
        RefusedError: it is not known to.
    """
    if not model.can_resume:
        raise RefusedError(
            f"replies from {model.name} cannot be steered or continued: only vLLM, SGLang, llama-server and Ollama are"
            " known to support this",
            ASK_AGAIN_OR_EDIT,
        )


def can_continue(model: Model, plan: Plan) -> bool:
    """Whether a reply of this model can be steered or continued, as far as known before it begins."""
    if plan.think is None or plan.family.name == "any":
        # The reply will show how it marks its thinking.
        return model.can_resume and not plan.family.has_channels
    family = family_of_model(model.name)
    if family and not has_plain_text_markers(family):
        return False
    return model.can_resume and (model.shows_tokens or _family_of_field(model) is not None)


def reading_family(model: Model, plan: Plan, so_far: str = "") -> Family:
    """The family to parse a continued reply by, all of which is content.

    Raises:
        RefusedError: the model would think, and its tags are unknown.
    """
    written = _family_of_opener(next(filter(so_far.startswith, list_plain_openers()), "")) if so_far else None
    if plan.think is None:
        return plan.family if plan.family.thinking or written is None else written
    if plan.think is False or written:
        return _family_of_field(model) or written or plan.family
    return writing_family(model, plan)


def content_family(model: Model, plan: Plan) -> Family:
    """The family in whose tags a model thinks if its server leaves them in the content."""
    by_itself = plan.think is not None and plan.mode is not Mode.REFLECT
    return (_family_of_field(model) if by_itself else None) or plan.family


def _family_of_opener(opener: str) -> Family | None:
    """The family with this opener of thinking; None if there is none."""
    for family in (FAMILIES["native"], *filter(has_plain_text_markers, FAMILIES.values())):
        for tag in family.thinking if opener else ():
            if tag.opener.rstrip() == opener:
                return _family_with_first_tag(tag, family)
    return None


def _family_of_content(plan: Plan, seen_family: str, raw: str) -> Family | None:
    family = FAMILIES.get(seen_family, plan.family) if plan.family.name == "any" else plan.family
    if family.name == "any" and plan.mode is Mode.REFLECT:
        family = FAMILIES["reflection"]
    used = [written for tag in family.thinking if (written := _tag_as_written(tag, raw))]
    if not used:
        family = family._replace(thinking=tuple(tag for tag in family.thinking if "*" not in tag.opener))
        return family if family.thinking else None
    first = min(used, key=lambda tag: raw.index(tag.opener))
    return family._replace(thinking=_with_first_tag(first, family.thinking))


def _tag_as_written(tag: Tag, raw: str) -> Tag | None:
    """The tag as written in a reply, with a name in place of a star; None if it does not occur."""
    if "*" not in tag.opener:
        return tag if tag.opener and tag.opener in raw else None
    start, end = tag.opener.split("*")
    match = re.search(f"{re.escape(start)}(\\w+){re.escape(end)}", raw)
    return Tag(match[0], tag.closer.replace("*", match[1])) if match else None


def _family_of_field(model: Model) -> Family | None:
    """The family whose tags the server turns into the `thinking` field: by the template, else by the name."""
    named_family = family_of_model(model.name)
    if named_family and not has_plain_text_markers(named_family):
        return None
    written = "\n".join((model.template, *(model.prompt_endings or ())))
    for family in (FAMILIES["native"], *filter(has_plain_text_markers, FAMILIES.values())):
        for tag in family.thinking:
            if tag.opener and tag.opener in written:
                return _family_with_first_tag(tag, family)
    return _family_with_first_tag(named_family.thinking[0], named_family) if named_family else None


def _family_with_first_tag(tag: Tag, family: Family) -> Family:
    """The family for a native reply with this tag, as its first tag."""
    native = FAMILIES["native"]
    if tag not in native.thinking:
        return family
    return native._replace(thinking=_with_first_tag(tag, native.thinking))


def _with_first_tag(tag: Tag, tags: tuple[Tag, ...]) -> tuple[Tag, ...]:
    return (tag, *(other for other in tags if other != tag))


def draft_of(segments: Iterable[tuple[Kind, str]], family: Family) -> str:
    """The thinking so far as the model writes it, without its opener; a correction at its end stays open."""
    thinking = [segment for segment in segments if segment[0] is not Kind.ANSWER]
    text = closed_draft_of(thinking, family)
    closer = family.reflection[0].closer if family.reflection else ""
    return text.removesuffix(f"\n{closer}") if closer and thinking and thinking[-1][0] is Kind.REFLECTION else text


def closed_draft_of(segments: Iterable[tuple[Kind, str]], family: Family) -> str:
    """The thinking so far as the model writes it, without its opener; a correction at its end is closed."""
    return "\n".join(
        _correction(text, family) if kind is Kind.REFLECTION else text
        for kind, text in segments
        if kind is not Kind.ANSWER
    )


def _correction(text: str, family: Family) -> str:
    if not family.reflection:
        return text
    tag = family.reflection[0]
    return f"{tag.opener}\n{text}\n{tag.closer}"


def metrics_of_draft(reply: StoredReply, family: Family, text: str) -> ReplyMetrics:
    """The metrics with which a reply that continues from a draft begins.

    For an edited draft only the times are kept; its tokens are counted again.
    """
    metrics = reply.measured
    if text.strip() == draft_of(reply.segments, family).strip():
        return metrics
    return ReplyMetrics(thinking_ms=metrics.thinking_ms, first_token_ms=metrics.first_token_ms)


def open_thinking(family: Family, text: str) -> str:
    """The raw beginning of a reply whose thinking continues at the end of the draft."""
    opener = family.thinking[0].opener
    # A blank at the end belongs to the next word: models output the two as one token.
    body = text.removeprefix(opener).lstrip("\n").rstrip(" \t")
    return f"{opener.rstrip()}\n{body}"


def conclude_thinking(family: Family, text: str, sentence: str = "") -> str:
    """The raw beginning of a reply whose thinking ends with the draft, so that the answer follows."""
    return open_thinking(family, text).rstrip() + thinking_end(family, text, sentence)


def thinking_end(family: Family, text: str, sentence: str = "") -> str:
    """What follows a draft to end its thinking: the closers of open corrections, a last sentence, and the tags."""
    lines = ["", *(tag.closer for tag in family.reflection if _is_open(tag, text))]
    lines += ["", sentence] if sentence else []
    answer = _answer_opener(family)
    lines.append(family.thinking[0].closer + ("" if answer else _breaks_after(family.thinking[0])))
    lines += filter(None, (answer,))
    return "\n".join(lines) + ("\n" if answer else "")


def _answer_opener(family: Family) -> str:
    """The tag with which models of the family begin their answer.

    Empty for `native`, which any model may have: Qwen3 and DeepSeek were not trained on an answer tag.
    """
    return family.answer[0].opener if family.answer and family.name != "native" else ""


def _breaks_after(tag: Tag) -> str:
    """The line breaks between thinking and answer: Qwen3, R1 and related models write an empty line."""
    return "\n\n" if tag.closer == "</think>" else "\n"


def _is_open(tag: Tag, text: str) -> bool:
    return text.rfind(tag.opener) > text.rfind(tag.closer)


def continuation_prefix(reply: StoredReply, model: Model, plan: Plan, opener: str = "") -> str:
    """The raw beginning of a reply that was cut in its thinking or its answer.

    Args:
        reply: the reply.
        model: the model that wrote it.
        plan: the plan to continue it.
        opener: the model's opener of thinking, as seen in a reply or prompt; often empty.

    Raises:
        RefusedError: the thinking is in the `thinking` field, and the model's tags are unknown.
    """
    if not reply.raw_thinking:
        return reply.raw
    family = writing_family(model, plan, reply.family, has_thinking_field=True, opener=opener)
    thinking = open_thinking(family, reply.raw_thinking)
    if not reply.raw:
        return thinking
    tag = family.thinking[0]
    # A server that passes on the model's line breaks has them in the content.
    breaks = "" if reply.raw[0].isspace() else _breaks_after(tag)
    return f"{thinking.rstrip()}\n{tag.closer}{breaks}{reply.raw}"
