"""Tells whether several answers to one question agree, as far as they state something that can be compared."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from reflectty.core.named_tuple import NamedTuple
from reflectty.reasoning.stated_answers import AnswerKind, final_answer, same_answer
from reflectty.reasoning.vote import tally

if TYPE_CHECKING:
    from collections.abc import Sequence

_KINDS: Final = (AnswerKind.NUMBER, AnswerKind.CHOICE, AnswerKind.CASEFOLD)
"""The kinds that an answer to a question of nobody's set may have, the first that all answers have counts."""
_MARKS: Final = re.compile(r"[*_`]{1,3}")
"""The marks of emphasis and code in Markdown."""
_SHORT_WORDS: Final = 2
"""Texts that differ and are longer than this may still say the same."""


class AgreementVerdict(StrEnum):
    """Whether answers agree."""

    SAME = "same"
    DIFFERENT = "different"
    NOT_COMPARED = "not-compared"
    """They state nothing that can be compared, or differ in their wording alone."""


class Agreement(NamedTuple):
    """Whether the answers of several arms agree, and what each states."""

    verdict: AgreementVerdict
    stated: tuple[str, ...] = ()
    """The answer that each text states; empty if it was not read, or there is no text."""
    groups: tuple[tuple[int, ...], ...] = ()
    """The positions of the texts that state the same; without those that state nothing."""


def agreement_of(texts: Sequence[str]) -> Agreement:
    """Compare answers; an empty one is that of an arm without a complete answer, and does not count.

    Only what is stated counts: by an explicit sentence, or by a text that is nothing but an answer.
    """
    given = [text for text in texts if text.strip()]
    kind, read = _read_all(given)
    if kind is None or len(given) < 2:  # noqa: PLR2004 - one answer agrees with none
        return Agreement(AgreementVerdict.NOT_COMPARED, ("",) * len(texts))
    readings = iter(read)
    stated = tuple(next(readings) if text.strip() else "" for text in texts)
    groups = tuple(group.members for group in tally(stated, lambda one, other: same_answer(one, other, kind)).groups)
    if len(groups) == 1:
        return Agreement(AgreementVerdict.SAME, stated, groups)
    if kind is AnswerKind.CASEFOLD and not _are_distinct([stated[group[0]] for group in groups]):
        return Agreement(AgreementVerdict.NOT_COMPARED, stated, ())
    return Agreement(AgreementVerdict.DIFFERENT, stated, groups)


def winner_of(texts: Sequence[str]) -> int:
    """The position of the answer that most samples of a vote give; of as many, the one seen first."""
    given = [text for text in texts if text.strip()]
    kind, read = _read_all(given)
    readings = iter(read)
    answers = [next(readings) if kind and text.strip() else text for text in texts]
    vote = tally(answers, (lambda one, other: same_answer(one, other, kind)) if kind else None)
    return vote.winner or 0


def _read_all(texts: Sequence[str]) -> tuple[AnswerKind | None, list[str]]:
    """The first kind of which every text states an answer, and these answers; None if there is none."""
    for kind in _KINDS:
        found = [_stated(text, kind) for text in texts]
        if found and all(found):
            return kind, found
    return None, []


def _stated(text: str, kind: AnswerKind) -> str:
    """The answer that a text states; empty if that is a weak reading."""
    answer = final_answer(text, kind)
    if answer is None or answer.is_weak:
        return ""
    return answer.text if kind is AnswerKind.NUMBER else _MARKS.sub("", answer.text)


def _are_distinct(texts: Sequence[str]) -> bool:
    """Whether texts that differ mean different things: short ones, none of them part of another, nor `9` and `nine`."""
    lowered = [text.casefold() for text in texts]
    are_short = all(len(text.split()) <= _SHORT_WORDS for text in lowered)
    is_mixed = len({any(map(str.isdigit, text)) for text in lowered}) > 1
    contains = any(one in other for one in lowered for other in lowered if one != other)
    return are_short and not (is_mixed or contains)
