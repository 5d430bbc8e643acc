"""Reads the letter of a choice from a statement, and lone letters in a text; a word never counts as its letter."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_LETTERS: Final = "ABCDEFGHIJ"
_WRAPPERS: Final = re.compile(r"\\(?:text|textbf|mathrm|mathbf|textrm|boldsymbol)\s?\{([^{}]{0,200})\}")
_NAME: Final = r"(?:(?:option|choice|letter|answer)[ \t]{1,3})?"
_ALONE: Final = re.compile(rf"{_NAME}[(\[{{]?([A-J])[)\]}}.:,;]{{0,3}}", re.IGNORECASE)
_FIRST: Final = re.compile(
    rf"(?i:{_NAME})[(\[]?([A-J])(?:[)\].:,;](?!\w)|[ \t][-–—][ \t]|[ \t](?=is\b)|$)"
    rf"|(?i:(?:option|choice|letter)[ \t]{{1,3}})[(\[]?([A-J])\b|([B-HJ])[ \t](?=\w)"
)
_LONE: Final = re.compile(r"(?<![\w'’.\\^_+*/=-])([A-J])(?![\w'’^_+*/=-]|\.\w)")
_ARTICLE: Final = re.compile(
    r"A[ \t]{1,3}(?!(?:and|or|nor|but|is|are|was|has|would|seems|because|since|as|with)\b)[a-z]|I[ \t,]"
)
"""An article or a pronoun at the place of a letter."""
_EXPLANATION: Final = re.compile(r",?[ \t](?:because|since|as|not|rather than|instead of)\b.*", re.DOTALL)
_DECORATION: Final = " \t\n*_`\"'$<>~"


def letter_of(statement: str, choices: Sequence[str] = ()) -> str | None:
    """The letter that a statement names, or whose choice it repeats in full; None if it has none, or two of them.

    A letter before the text of its own choice counts, whatever letters that text has. What explains it ("because
    …", ", not A") is left out.
    """
    whole = statement.strip()
    if whole not in _LETTERS and list(choices).count(whole) == 1:
        return _LETTERS[list(choices).index(whole)]
    bare = _WRAPPERS.sub(r"\1", statement).strip(_DECORATION)
    if match := _ALONE.fullmatch(bare):
        return match[1].upper()
    if named := _letter_by_choice(bare, choices):
        return named
    bare = _EXPLANATION.sub("", bare, count=1)
    match = _FIRST.match(bare)
    first = next(filter(None, match.groups()), None) if match else None
    lone = {letter for _, letter in lone_letters(bare)} | ({first} if first else set())
    if len(lone) > 1:
        return None
    return first or next(iter(lone), None)


def lone_letters(text: str) -> Iterator[tuple[int, str]]:
    """Each lone capital letter from A to J with its place, without the article A and the pronoun I."""
    for match in _LONE.finditer(text):
        if not _ARTICLE.match(text, match.start()) or text[max(0, match.start() - 1) : match.start()] in ("(", "["):
            yield match.start(), match[1]


def _letter_by_choice(bare: str, choices: Sequence[str]) -> str | None:
    """The letter of the only choice whose text this is, alone or behind its own letter."""
    texts = [comparable(choice) for choice in choices[: len(_LETTERS)]]
    given = comparable(bare)
    if given and texts.count(given) == 1:
        return _LETTERS[texts.index(given)]
    behind = re.match(
        rf"{_NAME}[(\[]?([A-J])(?:[)\].:,;*]{{1,4}}|[ \t])[ \t]{{0,3}}(?:[-–—][ \t])?(.+)", bare, re.DOTALL
    )
    at = _LETTERS.index(behind[1]) if behind else len(texts)
    return _LETTERS[at] if behind and at < len(texts) and comparable(behind[2]) == texts[at] else None


def comparable(text: str) -> str:
    """A text without case, punctuation and repeated spaces; signs of mathematics stay."""
    words = (word.strip("*_`\"'“”‘’.,;:!?()[]$") for word in text.casefold().split())
    return " ".join(filter(None, words))
