"""Reads an item from a row of a file: a user's own, or one in the shape of GSM8K, MATH, MMLU or MMLU-Redux."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from reflectty.core.errors import UsageError, did_you_mean
from reflectty.core.named_tuple import NamedTuple
from reflectty.evaluation.items import LETTERS, Item
from reflectty.evaluation.patterns import problem_of
from reflectty.reasoning.numbers import number_alone, single_number
from reflectty.reasoning.stated_answers import AnswerKind

if TYPE_CHECKING:
    from reflectty.evaluation.item_file import Row

QUESTION_NAMES: Final = ("question", "prompt", "input", "problem")
ANSWER_NAMES: Final = ("answer", "key", "target")
_CHOICES_NAMES: Final = ("choices", "options")
_KIND_NAMES: Final = ("kind", "type")
_ID_NAMES: Final = ("id", "unique_id")
_GROUP_NAMES: Final = ("group", "subject")
_HASHES: Final = re.compile(r"####\s*(\S[^\n]*?)\s*\Z")
_LATEX: Final = re.compile(r"\\[a-zA-Z]|\^|\$.*\$")


class RowItem(NamedTuple):
    """An item of a row, and how its key was written."""

    item: Item
    position: int | None = None
    """The number of the choice, from 0, where the key was one."""


def read_item(row: Row, stem: str, *, is_lettered: bool = False) -> RowItem:
    """Read an item.

    Args:
        row: its members.
        stem: begins the id of an item that has none of its own; its line ends it.
        is_lettered: whether the key of a choice is known to be a letter, also where a choice is a letter, too.

    Raises:
        UsageError: the question or the answer is missing, the kind is unknown, or the key does not fit it.
    """
    question = _required_text(row, QUESTION_NAMES, "question")
    choices = _choices(row)
    is_math = "problem" in row.members and "solution" in row.members
    kind = AnswerKind.MATH if is_math else _stated_kind(row)
    item = Item(_identity(row, stem), question, "", kind or AnswerKind.CASEFOLD, choices, _group(row, is_math=is_math))
    if choices:
        return _choice_item(row, item, kind, is_lettered=is_lettered or "error_type" in row.members)
    answer = _required_text(row, ANSWER_NAMES, "answer")
    if kind is None and (match := _HASHES.search(answer)):
        answer = match[1]
    item = item._replace(answer=answer.strip(), kind=kind or guessed_kind(answer))
    if kind:
        _check_key(row, item)
    return RowItem(item)


def _member(row: Row, names: tuple[str, ...]) -> Any:  # noqa: ANN401 - any JSON value
    """The first member that has one of some names; None if none has."""
    return next((row.members[name] for name in names if name in row.members), None)


def _required_text(row: Row, names: tuple[str, ...], what: str) -> str:
    value = _member(row, names)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)
    if value is None or value == "":
        raise UsageError(f"{row.place}: no {what}", f"name the member {' or '.join(names)}")
    if not isinstance(value, str) or not value.strip():
        raise UsageError(f"{row.place}: the {what} is not a text")
    return value


def _identity(row: Row, stem: str) -> str:
    value = _member(row, _ID_NAMES)
    if value in (None, ""):
        return f"{stem}-{row.number}"
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise UsageError(f"{row.place}: the id is not a text or a number")
    return str(value)


def _group(row: Row, *, is_math: bool) -> str:
    value = _member(row, (*_GROUP_NAMES, "type") if is_math else _GROUP_NAMES)
    return value if isinstance(value, str) else ""


def _stated_kind(row: Row) -> AnswerKind | None:
    value = _member(row, _KIND_NAMES)
    if value in (None, ""):
        return None
    try:
        return AnswerKind(str(value).strip().lower())
    except ValueError as error:
        hint = did_you_mean(str(value), tuple(AnswerKind)) or f"kinds are {', '.join(AnswerKind)}"
        raise UsageError(f"{row.place}: no kind {value!r}", hint) from error


def guessed_kind(answer: str) -> AnswerKind:
    """What a key is by its form: a number, LaTeX, or a text."""
    if number_alone(answer):
        return AnswerKind.NUMBER
    return AnswerKind.MATH if _LATEX.search(answer) else AnswerKind.CASEFOLD


def _check_key(row: Row, item: Item) -> None:
    if item.kind is AnswerKind.NUMBER and not single_number(item.answer):
        raise UsageError(f"{row.place}: the answer {_short(item.answer)} is not a number")
    if item.kind is AnswerKind.CHOICE:
        raise UsageError(f"{row.place}: no choices", 'add "choices": [...], or the columns A, B, C, D')
    if item.kind is AnswerKind.REGEX and (problem := problem_of(item.answer)):
        raise UsageError(f"{row.place}: the regular expression {problem}", "write a simpler one")


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}…")  # noqa: PLR2004 - of an error's line


def _choices(row: Row) -> tuple[str, ...]:
    """The choices of a list, of a list written as text, or of the columns A, B, C …; none if there are none."""
    value = _member(row, _CHOICES_NAMES)
    if isinstance(value, dict):
        value = value.get("text")
    if isinstance(value, str) and value.strip():
        value = _parse_list(value, row)
    if value in (None, ""):
        cells = [row.members.get(letter.lower(), "") for letter in LETTERS]
        value = cells[: max((place + 1 for place, cell in enumerate(cells) if cell != ""), default=0)]
    if not isinstance(value, list) or not all(isinstance(choice, (str, int, float)) for choice in value):
        raise UsageError(f"{row.place}: the choices are not a list of texts")
    choices = tuple(str(choice).strip() for choice in value)
    if len(choices) == 1 or len(choices) > len(LETTERS):
        raise UsageError(f"{row.place}: {len(choices)} choices", f"give 2 to {len(LETTERS)}")
    return choices


def _parse_list(text: str, row: Row) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{row.place}: the choices are not a JSON list") from error


def _choice_item(row: Row, item: Item, kind: AnswerKind | None, *, is_lettered: bool) -> RowItem:
    if kind not in (None, AnswerKind.CHOICE):
        raise UsageError(f"{row.place}: choices, but the kind is {kind}", "leave the kind out, or the choices")
    answer = _required_text(row, ANSWER_NAMES, "answer").strip()
    letters = LETTERS[: len(item.choices)]
    places, position = _places_of(answer, item.choices), _position_of(answer, len(item.choices))
    if is_lettered and answer in tuple(letters):
        places = {letters.index(answer)}
    if len(places) != 1:
        what = "names several choices" if places else "is not among the choices"
        hint = f"give the letter of the right choice, A to {letters[-1]}"
        raise UsageError(f"{row.place}: the answer {_short(answer)} {what}", hint)
    return RowItem(item._replace(answer=letters[places.pop()], kind=AnswerKind.CHOICE), position)


def _places_of(answer: str, choices: tuple[str, ...]) -> set[int]:
    """The choices that a key may name: by a letter, by its text, or by its number, counted from 0."""
    letters, letter = LETTERS[: len(choices)], answer.strip("().: ").upper()
    by_letter = {letters.index(letter)} if len(letter) == 1 and letter in letters else set[int]()
    by_text = {place for place, choice in enumerate(choices) if choice == answer}
    position = _position_of(answer, len(choices))
    return by_letter | by_text | (set() if position is None else {position})


def _position_of(answer: str, count: int) -> int | None:
    return int(answer) if answer.isascii() and answer.isdecimal() and len(answer) < 3 and int(answer) < count else None  # noqa: PLR2004
