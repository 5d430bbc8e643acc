"""Reads the answers that a text states: an explicit statement, else, as a weak reading, its last number or letter."""

from __future__ import annotations

import re
from collections import deque
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from reflectty.core.named_tuple import NamedTuple
from reflectty.reasoning.letters import comparable, letter_of, lone_letters
from reflectty.reasoning.numbers import are_close, number_alone, numbers_in, single_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from reflectty.reasoning.numbers import Number


class AnswerKind(StrEnum):
    """What an answer is, and so how it is read and compared."""

    NUMBER = "number"
    CHOICE = "choice"
    """A letter."""
    MATH = "math"
    """LaTeX."""
    EXACT = "exact"
    CASEFOLD = "casefold"
    CONTAINS = "contains"
    REGEX = "regex"


class StatementRule(StrEnum):
    """How an answer was stated; the last two are fallbacks, and weak."""

    BOXED = "boxed"
    ANSWER_LINE = "answer-line"
    SENTENCE = "sentence"
    """The (final, correct, best) answer is …"""
    HASHES = "hashes"
    """#### 42, as the solutions of GSM8K end."""
    WHOLE = "whole"
    """The text is nothing but the answer."""
    LAST_NUMBER = "last-number"
    LAST_LETTER = "last-letter"


class StatedAnswer(NamedTuple):
    """An answer that a text states, without its decoration, and where it stands, in characters."""

    text: str
    rule: StatementRule
    start: int
    end: int
    is_weak: bool = False
    """Whether it was read by a fallback, or the statement has other numbers, too."""

    @property
    def is_explicit(self) -> bool:
        """Whether the text says that this is its answer."""
        return self.rule not in (StatementRule.WHOLE, StatementRule.LAST_NUMBER, StatementRule.LAST_LETTER)


class _Span(NamedTuple):
    """The place of what a statement says, before it is read; `is_heading` if that stands in the line after it."""

    start: int
    end: int
    rule: StatementRule
    is_heading: bool = False
    opening: int = -1
    """Where the words begin that state it; -1 if there are none before it."""


_MAX_STATEMENT: Final = 300
"""The longest statement, in characters; what follows is not read."""
_SHORT: Final = 200
"""The longest text that may be an answer as a whole, in characters."""
_TAIL: Final = 4000
"""The characters at the end of a text in which a fallback looks for its answer."""
_NAME_WORDS: Final = 5
"""A text with more words than this may be a sentence about the answer."""
_NESTED: Final = 4
"""So many characters before it, a statement is what another one says: "Answer: **the answer is 18"."""
_PROSE_WORDS: Final = 14
"""With so many words, something after `Answer:` with several numbers is an explanation, not a statement."""
_DECORATION: Final = " \t\r\n*_`"
_BRACES: Final = re.compile(r"\\(?:f?boxed|fbox)\s{0,3}\{|\\[{}\\]|[{}]")
_ANSWER: Final = re.compile(
    r"""(?:^[^\w\n]{0,20}(?:\d{1,2}[.)][ \t]{0,3})?(?:<\w{1,20}>)?[*_`"(]{0,3}
        |(?<=[.!?;:>)][ ])[*_`]{0,3}|(?<=<draft>))
    (?:(?:the|my|so|thus|therefore|hence),?[ \t]{1,3}){0,2}(?:(?:final|correct|best|right)[ \t]{1,3}){0,2}
    answer[*_`"]{0,3}(?:[ \t]\([^()\n]{1,40}\))?[ \t]{0,3}[:：=][*_`]{0,3}(?=(?P<value>[^\n]{0,400}))""",
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)
_TAGGED: Final = re.compile(r"<(?:final_)?answer>(?P<value>[^<]{1,300})</", re.IGNORECASE)
_NEXT_LINE: Final = re.compile(r"\s{1,20}([^\n]+)")
_SENTENCE: Final = re.compile(
    r"""\b(?:the|my|our)[ \t]{1,3}(?:(?:final|correct|best|right|numerical|overall)[ \t]{1,3}){0,2}
    (?:answer|option|choice)[*_ \t]{1,4}(?:is|would[ ]be|should[ ]be|must[ ]be|equals)\b
    (?:[ ](?:therefore|thus|then|simply|indeed))?[*_:, \t]{0,5}\s{0,4}(?=(?P<value>[^\n]{1,300}))
    |\b(?P<named>(?:option|choice)[ \t]{1,3}\(?[A-J]\)?)
    [ \t](?:is|must[ ]be)[ \t](?:the[ ])?(?:correct|right|best|answer)\b""",
    re.VERBOSE | re.IGNORECASE,
)
_SENTENCE_END: Final = re.compile(r"[.!?](?:[\s*_\"')]|$)")
_DENIED: Final = re.compile(r"(?:(?:not|neither|never|wrong|incorrect|correct|right(?! angle))\b|n't)", re.IGNORECASE)
_NEGATED: Final = re.compile(r"(?:not|neither|never)\b", re.IGNORECASE)
_HASHES: Final = re.compile(r"####[ \t]{0,3}(?P<value>[^\n]{1,80})")
_ALTERNATIVE: Final = re.compile(r"[\s$\\%*]{0,6}(?:or|and|,|;|to|-|–|/)[\s$\\*]{0,6}", re.IGNORECASE)
_OPERATION: Final = re.compile(r"[\s$\\]{0,3}(?:[-+*/×·÷^−–]|\\times|\\cdot)[\s$\\]{0,3}")
_TEXT_KINDS: Final = (AnswerKind.EXACT, AnswerKind.CASEFOLD, AnswerKind.CONTAINS, AnswerKind.REGEX)


def stated_answers(text: str, kind: AnswerKind, choices: Sequence[str] = ()) -> tuple[StatedAnswer, ...]:
    r"""Every explicit statement of an answer, in order; linear in the length of the text.

    Explicit are a balanced `\boxed{}`, a line `Answer: …`, a sentence "the answer is …", and `#### …` with nothing but
    the answer behind it. A statement within another one counts alone.

    Args:
        text: what is read, without thinking that does not belong to it.
        kind: what an answer is.
        choices: the texts of the choices, which may be stated in place of their letters.
    """
    answers = (_read(text, span, kind, choices) for span in _innermost(_spans(text, kind)))
    return tuple(answer for answer in answers if answer and answer.text)


def final_answer(text: str, kind: AnswerKind, choices: Sequence[str] = ()) -> StatedAnswer | None:
    """The latest explicit statement; else the text, if it is nothing but an answer; else its last number or letter.

    None also if the latest statement has no answer of the kind, or two different ones ("Answer: A or C").
    """
    for span in reversed(_innermost(_spans(text, kind))):
        if answer := _read(text, span, kind, choices):
            return answer if answer.text else None
    return _whole(text, kind, choices) or _fallback(text, kind)


def same_answer(first: str, second: str, kind: AnswerKind) -> bool:
    """Whether two stated answers are the same: numbers within a millionth, letters, or texts without case and marks.

    LaTeX is compared as a number or as it is written; whether two formulas are equal is left to the grader.
    """
    if kind in (AnswerKind.NUMBER, AnswerKind.MATH):
        read = number_alone if kind is AnswerKind.MATH else single_number
        one, other = read(first), read(second)
        if one and other:
            return are_close(one.value, other.value)
    if kind is AnswerKind.CHOICE:
        letters = letter_of(first), letter_of(second)
        if letters[0] or letters[1]:
            return letters[0] == letters[1]
    if kind is AnswerKind.MATH:
        return "".join(first.split()) == "".join(second.split())
    return comparable(first) == comparable(second)


def _spans(text: str, kind: AnswerKind) -> list[_Span]:
    """The places of statements, by their start, the longer one first."""
    spans = [*_boxes(text), *_answer_lines(text), *_sentences(text)]
    if kind not in _TEXT_KINDS:
        spans += [_Span(*match.span("value"), StatementRule.HASHES) for match in _HASHES.finditer(text)]
    return sorted(spans, key=lambda span: (span.start, -span.end))


def _innermost(spans: list[_Span]) -> list[_Span]:
    """The spans without those that hold the next one; each ends where the words of the next one begin."""
    innermost: list[_Span] = []
    for span, following in pairwise(spans):
        if following.opening > span.start + _NESTED:
            innermost.append(span._replace(end=min(span.end, following.opening)))
        elif following.end > span.end:
            innermost.append(span)
    return innermost + spans[-1:]


def _boxes(text: str) -> Iterator[_Span]:
    """The content of each balanced box that has one, in the order of their ends."""
    if "box" not in text:
        return
    opened: list[tuple[int, bool]] = []
    for match in _BRACES.finditer(text):
        brace = match[0]
        if brace == "}" and opened:
            start, is_box = opened.pop()
            if is_box and text[start : match.start()].strip():
                yield _Span(start, match.start(), StatementRule.BOXED)
        elif brace.endswith("{") and brace != r"\{":
            opened.append((match.end(), brace != "{"))


def _answer_lines(text: str) -> Iterator[_Span]:
    for match in _ANSWER.finditer(text):
        start, end = match.span("value")
        is_heading = not text[start:end].strip(_DECORATION)
        if is_heading and (line := _NEXT_LINE.match(text, end)):
            start, end = line.span(1)
        closer = text.find("</", start, min(end, start + _MAX_STATEMENT))
        end = closer if closer >= 0 else min(end, start + _MAX_STATEMENT)
        if text[start:end].strip(_DECORATION):
            yield _Span(start, end, StatementRule.ANSWER_LINE, is_heading, match.start())
    for match in _TAGGED.finditer(text):
        yield _Span(*match.span("value"), StatementRule.ANSWER_LINE)


def _sentences(text: str) -> Iterator[_Span]:
    for match in _SENTENCE.finditer(text):
        if match["named"]:
            yield _Span(*match.span("named"), StatementRule.SENTENCE)
            continue
        start, end = match.span("value")
        over = _SENTENCE_END.search(text, start, end)
        end = over.start() if over else end
        if not _DENIED.match(text, start) and text[start:end].strip(_DECORATION):
            yield _Span(start, end, StatementRule.SENTENCE, opening=match.start())


def _read(text: str, span: _Span, kind: AnswerKind, choices: Sequence[str]) -> StatedAnswer | None:
    """The answer at a place; None if it is no statement, one with an empty text if its answer cannot be read."""
    raw = text[span.start : span.end]
    start = span.start + len(raw) - len(raw.lstrip(_DECORATION))
    bare = raw.strip(_DECORATION)
    return _READERS[kind](bare, span._replace(start=start, end=start + len(bare)), choices)


def _read_number(bare: str, span: _Span, _choices: Sequence[str]) -> StatedAnswer | None:
    """The number of a statement: alone or the only one; else one of several, if the statement is no prose."""
    if _NEGATED.match(bare):
        return _unreadable(bare, span)
    stands_alone = span.rule is StatementRule.HASHES or span.is_heading
    number, is_weak = number_alone(bare) if stands_alone else single_number(bare), False
    if not number and not stands_alone:
        numbers = list(numbers_in(bare))
        if len(numbers) > 1 and numbers[0].start and len(bare.split()) > _PROSE_WORDS:
            return None
        number, is_weak = _one_of(numbers, bare)
    if not number:
        is_sentence = stands_alone or span.rule is StatementRule.SENTENCE
        return None if is_sentence else _unreadable(bare, span)
    start, end = span.start + number.start, span.start + number.end
    return StatedAnswer(bare[number.start : number.end], span.rule, start, end, is_weak)


def _one_of(numbers: list[Number], bare: str) -> tuple[Number | None, bool]:
    """The number that several are about, and whether that is a weak reading.

    It is the first one after the last `=`, or the one that the statement begins with if a `=` follows it; else, weakly,
    the first one, if the statement begins with it, or the last one. None of two alternatives ("10 or 12") and none of a
    calculation without its result.
    """
    if len(numbers) < 2:  # noqa: PLR2004 - an operand of a formula
        return None, False
    first, second = numbers[:2]
    begins = not bare[: first.start].strip("$\\(")
    if begins and _ALTERNATIVE.fullmatch(bare, first.end, second.start) and first.value != second.value:
        return None, False
    if "=" not in bare and _OPERATION.fullmatch(bare, first.end, second.start):
        return None, False
    equals = -1 if begins and bare[first.end :].lstrip("$\\) ").startswith("=") else bare.rfind("=")
    results = [number for number in numbers if number.start > equals] if "=" in bare else []
    return (results[0], False) if results else (first if begins else numbers[-1], True)


def _read_letter(bare: str, span: _Span, choices: Sequence[str]) -> StatedAnswer | None:
    is_denial = _NEGATED.match(bare) is not None and not _names_choice(bare, choices)
    letter = None if is_denial else letter_of(bare, choices)
    if letter:
        return StatedAnswer(letter, span.rule, span.start, span.end)
    is_statement = span.rule in (StatementRule.BOXED, StatementRule.ANSWER_LINE) and not span.is_heading
    return _unreadable(bare, span) if is_statement else None


def _read_text(bare: str, span: _Span, _choices: Sequence[str]) -> StatedAnswer | None:
    plain = bare.strip(" \t\"'“”<>")
    plain = plain[:-1] if plain.endswith(".") and plain.count(".") == 1 else plain
    return StatedAnswer(plain, span.rule, span.start, span.end) if plain else None


def _read_math(bare: str, span: _Span, _choices: Sequence[str]) -> StatedAnswer | None:
    if span.rule is StatementRule.HASHES and not number_alone(bare):
        return None
    inner = bare.rstrip(" .")
    for opener, closer in (("$$", "$$"), ("$", "$"), (r"\(", r"\)"), (r"\[", r"\]")):
        if inner.startswith(opener) and inner.endswith(closer) and len(inner) > len(opener + closer):
            inner = inner[len(opener) : -len(closer)].strip()
            break
    return StatedAnswer(inner, span.rule, span.start, span.end) if inner else None


_READERS: Final[Mapping[AnswerKind, Callable[[str, _Span, Sequence[str]], StatedAnswer | None]]] = {
    AnswerKind.NUMBER: _read_number,
    AnswerKind.CHOICE: _read_letter,
    AnswerKind.MATH: _read_math,
    **dict.fromkeys(_TEXT_KINDS, _read_text),
}


def _unreadable(bare: str, span: _Span) -> StatedAnswer | None:
    """A statement without an answer of its kind, if it is short enough to be one."""
    return StatedAnswer("", span.rule, span.start, span.end) if len(bare.split()) <= _PROSE_WORDS else None


def _whole(text: str, kind: AnswerKind, choices: Sequence[str]) -> StatedAnswer | None:
    """The text as an answer, if it is nothing else."""
    bare = text.strip(_DECORATION)
    if not bare or (len(bare) > _SHORT and kind not in (AnswerKind.CONTAINS, AnswerKind.REGEX)):
        return None
    start = len(text) - len(text.lstrip(_DECORATION))
    span = _Span(start, start + len(bare), StatementRule.WHOLE)
    if kind is AnswerKind.NUMBER:
        return _read_number(bare, span, choices) if number_alone(bare) else None
    if kind is AnswerKind.CHOICE:
        return _read_letter(bare, span, choices) if len(bare.split()) <= 1 or _names_choice(bare, choices) else None
    answer = _READERS[kind](bare, span, choices)
    is_prose = len(bare) > _SHORT or (
        kind in (AnswerKind.EXACT, AnswerKind.CASEFOLD) and len(bare.split()) > _NAME_WORDS
    )
    return answer._replace(is_weak=is_prose) if answer else None


def _names_choice(bare: str, choices: Sequence[str]) -> bool:
    """Whether a text begins with a letter and its punctuation, or is the text of a choice."""
    return bool(re.match(r"\(?[A-J][).:]", bare)) or comparable(bare) in map(comparable, choices)


def _fallback(text: str, kind: AnswerKind) -> StatedAnswer | None:
    """The last number, or the lone letter of the last line that has one, in the end of a text."""
    start = max(0, len(text) - _TAIL)
    start = max(start, text.find(" ", start, start + _SHORT) if start else 0)
    if kind in (AnswerKind.NUMBER, AnswerKind.MATH):
        number = next(iter(deque(numbers_in(text[start:]), maxlen=1)), None)
        if number:
            places = start + number.start, start + number.end
            return StatedAnswer(text[places[0] : places[1]], StatementRule.LAST_NUMBER, *places, is_weak=True)
    if kind is AnswerKind.CHOICE:
        return _last_letter(text, start)
    return None


def _last_letter(text: str, start: int) -> StatedAnswer | None:
    for line in reversed(list(re.finditer(r"[^\n]+", text[start:]))):
        letters = [(start + line.start() + at, letter) for at, letter in lone_letters(line[0])]
        if letters:
            at, letter = letters[-1]
            is_clear = len({letter for _, letter in letters}) == 1
            return StatedAnswer(letter, StatementRule.LAST_LETTER, at, at + 1, is_weak=True) if is_clear else None
    return None
