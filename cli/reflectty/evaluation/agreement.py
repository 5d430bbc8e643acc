"""Tells whether several answers to one question agree, as far as they state something that can be compared."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from reflectty.core.named_tuple import NamedTuple
from reflectty.reasoning.numbers import number_alone
from reflectty.reasoning.short_answers import is_same_answer, short_answer
from reflectty.reasoning.vote import tally

if TYPE_CHECKING:
    from collections.abc import Sequence

_MARKS: Final = re.compile(r"\*{1,3}|`")
"""The marks of emphasis and code in Markdown."""
_LEAST: Final = 2
"""One answer agrees with none."""
_SHORT_WORDS: Final = 2
"""Texts that differ and are longer than this may still say the same."""


class AgreementVerdict(StrEnum):
    """Whether answers agree."""

    SAME = "same"
    DIFFERENT = "different"
    NOT_COMPARED = "not-compared"
    """They state nothing that can be compared, or may differ in their wording alone."""


class Agreement(NamedTuple):
    """Whether the answers of several arms agree, and what each states."""

    verdict: AgreementVerdict
    stated: tuple[str, ...] = ()
    """The short answer that each text states; empty if it states none, or there is no text."""
    groups: tuple[tuple[int, ...], ...] = ()
    """The positions of the texts that state the same, the largest group first; empty if they are not compared."""


def agreement_of(texts: Sequence[str]) -> Agreement:
    """Compare answers; an empty one is that of an arm without a complete answer, and does not count."""
    stated = tuple(_MARKS.sub("", short_answer(text)) for text in texts)
    given = tuple(at for at, text in enumerate(texts) if text.strip())
    if len(given) < _LEAST:
        return Agreement(AgreementVerdict.NOT_COMPARED, stated)
    if len({" ".join(texts[at].split()) for at in given}) == 1:
        return Agreement(AgreementVerdict.SAME, stated, (given,))
    if not all(stated[at] for at in given):
        return Agreement(AgreementVerdict.NOT_COMPARED, stated, ())
    groups = tuple(group.members for group in tally(stated, is_same_answer).groups)
    if len(groups) == 1:
        return Agreement(AgreementVerdict.SAME, stated, groups)
    if not _are_distinct([stated[group[0]] for group in groups]):
        return Agreement(AgreementVerdict.NOT_COMPARED, stated)
    return Agreement(AgreementVerdict.DIFFERENT, stated, groups)


def winner_of(texts: Sequence[str]) -> int:
    """The position of the first answer that most samples of a vote give; those that are prose count as they are."""
    return tally([short_answer(text) or text for text in texts], is_same_answer).winner or 0


def _are_distinct(answers: Sequence[str]) -> bool:
    """Whether answers that differ mean different things: numbers, or short texts of which none is part of another."""
    if all(number_alone(answer) for answer in answers):
        return True
    texts = [answer.casefold() for answer in answers]
    are_short = all(len(text.split()) <= _SHORT_WORDS for text in texts)
    # One may be `9` and the other `nine`.
    is_mixed = len({any(map(str.isdigit, text)) for text in texts}) > 1
    contains = any(one in other for one in texts for other in texts if one != other)
    return are_short and not (is_mixed or contains)
