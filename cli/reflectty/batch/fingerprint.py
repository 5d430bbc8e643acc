"""Digests of how a batch asks its lines, by which a later run notices that it would ask them in another way."""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from reflectty.chat.request import Question
    from reflectty.core.templates import Template
    from reflectty.reasoning.modes import AskOptions

_PARTS: Final = ("model", "mode", "effort", "family", "system prompt", "template", "schema")
_DIGITS: Final = 4
"""Hexadecimal digits of each part: one change in 65,536 goes unnoticed."""
FINGERPRINT: Final = re.compile(f"[0-9a-f]{{{_DIGITS * len(_PARTS)}}}")


def fingerprint_of(question: Question, template: Template | None, fields: dict[str, str], model: str = "") -> str:
    """The fingerprint of what all lines share, a few digits for each part.

    The model's options are no part of it, so that lines that failed can be asked again with others.

    Args:
        question: the question that all lines share.
        template: the template, if any.
        fields: the values of the fields of the template.
        model: the model that is asked; that of the question if empty.
    """
    options = question.ask_options
    parts = (
        (model or options.model).removesuffix(":latest"),
        f"{_mode_part(options, model or options.model)}{_repetition_of(options)}",
        options.effort or "",
        options.family.name if options.family else "",
        options.system,
        repr((template.text, sorted(fields.items()))) if template else "",
        question.schema.text if question.schema else "",
    )
    return "".join(blake2b(part.encode(), digest_size=_DIGITS // 2).hexdigest() for part in parts)


def _mode_part(options: AskOptions, model: str) -> str:
    """The mode, or the way of asking that evidence for the model puts in its place."""
    evidence = options.evidence_for(model)
    return f"{options.mode} {evidence.way}" if evidence else str(options.mode)


def _repetition_of(options: AskOptions) -> str:
    """What is asked besides one reply; empty for nothing, so that the fingerprint is that of its mode."""
    return " verified" if options.verify else f" {options.samples} samples" if options.samples > 1 else ""


def changed_parts(before: str, now: str, *, knows_model: bool) -> tuple[str, ...]:
    """The names of the parts in which two fingerprints differ; the model only if it `knows_model` now."""
    return tuple(
        name
        for at, name in enumerate(_PARTS)
        if before[at * _DIGITS : (at + 1) * _DIGITS] != now[at * _DIGITS : (at + 1) * _DIGITS]
        and (knows_model or name != "model")
    )
