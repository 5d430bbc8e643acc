"""Finds where in a thinking the final answer first stood, and was not replaced by another one afterwards.

A reading, not a fact: it knows numbers, letters of choices and texts of a few words, and no answer in prose. An answer
stands where it is stated ("the answer is 18"), or where a word or a sign before it asserts it ("so 18", "= 18", "is
Paris"). Only a statement of another answer replaces it, because a thinking that checks its answer has other results in
between; so an answer that was an intermediate result before is found too early.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from reflectty.core.named_tuple import NamedTuple
from reflectty.core.segments import Kind
from reflectty.reasoning.letters import comparable
from reflectty.reasoning.numbers import are_close, number_alone, numbers_in
from reflectty.reasoning.short_answers import short_answer
from reflectty.reasoning.stated_answers import AnswerKind, same_answer, stated_answers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from fractions import Fraction

_MOST_WORDS: Final = 5
"""The longest text that is looked for, in words."""
_LONGEST: Final = 1_000_000
"""The longest thinking that is read, in characters."""
_ASSERTED: Final = re.compile(
    r"(?:\b(?:is|are|was|be|equals?|gets?|got|gives?|gave|makes?|made|leaves?|left|costs?|earns?|pays?|means|yields?|say"
    r"|total|so|thus|therefore|hence|answer|result)|[=≈:→⇒])[\s*_`\"'$£€¥(\\,]{0,6}$",
    re.IGNORECASE,
)
_CALCULATED: Final = re.compile(r"[\s$*_]{0,3}(?:=|[-+*/×·^−]\s?\d)")
"""What follows an operand."""
_ASKED: Final = re.compile(r"(?:[^.!?\n]|\.(?=\d)){0,160}\?")
_LOOKED_BACK: Final = 24
"""Characters before an answer in which an assertion is looked for."""


class Settled(NamedTuple):
    """Where a thinking settled on its final answer."""

    offset: int
    """Characters of the thinking before it."""
    share: float
    """The same as a share of the thinking, from 0 to 1."""


def settled_in(segments: Sequence[tuple[Kind, str]]) -> Settled | None:
    """Where the thinking of a reply, corrections included, settled on its answer; None if that cannot be read.

    Args:
        segments: the blocks of the reply in order, each with its kind.
    """
    blocks = [text for kind, text in segments if kind is not Kind.ANSWER]
    settled = settled_at("\n".join(blocks), "\n".join(text for kind, text in segments if kind is Kind.ANSWER))
    if not settled:
        return None
    # The line breaks between blocks are ours.
    breaks, read = -1, 0
    for block in blocks:
        if read > settled.offset:
            break
        breaks, read = breaks + 1, read + len(block) + 1
    offset = settled.offset - breaks
    return Settled(offset, offset / sum(map(len, blocks)))


def settled_at(thinking: str, answer: str) -> Settled | None:
    """Where a thinking settled on an answer; None if it never stated it, or the answer is prose.

    Linear in the length of the thinking.
    """
    final = short_answer(answer)
    if not final or not thinking.strip() or len(thinking) > _LONGEST:
        return None
    number, letter = number_alone(final), re.fullmatch(r"\(?([A-J])\)?", final)
    kind = AnswerKind.NUMBER if number else AnswerKind.CHOICE if letter else AnswerKind.CASEFOLD
    if kind is AnswerKind.CASEFOLD and not 1 <= len(comparable(final).split()) <= _MOST_WORDS:
        return None
    stated = stated_answers(thinking, kind)
    same = [_states(one.text, final, kind) for one in stated]
    replaced_to = max((one.end for one, is_same in zip(stated, same, strict=True) if not is_same), default=0)
    places = [one.start for one, is_same in zip(stated, same, strict=True) if is_same]
    if number:
        places += _assertions_of_number(thinking, number.value)
    elif not letter:
        places += _assertions_of_text(thinking, final)
    first = min((at for at in places if at >= replaced_to), default=None)
    return None if first is None else Settled(first, first / len(thinking))


def _states(stated: str, final: str, kind: AnswerKind) -> bool:
    """Whether a statement has the final answer; a text may have more around it."""
    if kind is AnswerKind.CASEFOLD:
        return f" {comparable(final)} " in f" {comparable(stated)} "
    return same_answer(stated, final, kind)


def _assertions_of_number(thinking: str, value: Fraction) -> Iterator[int]:
    for number in numbers_in(thinking):
        is_result = are_close(number.value, value) and not _CALCULATED.match(thinking, number.end)
        if is_result and _is_asserted(thinking, number.start):
            yield number.start


def _assertions_of_text(thinking: str, text: str) -> Iterator[int]:
    words = r"\s{1,3}".join(map(re.escape, text.strip("*_`\"'.").split()))
    for match in re.finditer(rf"(?<!\w){words}(?!\w)", thinking, re.IGNORECASE):
        if _is_asserted(thinking, match.start()):
            yield match.start()


def _is_asserted(thinking: str, at: int) -> bool:
    """Whether what stands before a place asserts what follows, and no question mark ends the sentence."""
    is_asserted = _ASSERTED.search(thinking, max(0, at - _LOOKED_BACK), at) is not None
    return is_asserted and not _ASKED.match(thinking, at)
