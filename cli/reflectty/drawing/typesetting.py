"""Sets the signs of a formula with the blanks that TeX would leave between them; reads no source."""

from __future__ import annotations

import re
from typing import NamedTuple

from reflectty.drawing.symbols import Kind

Piece = tuple[str, bool]
"""Text of a formula, and whether a box stands around it."""

_WORDS = re.compile(r"[A-Za-z0-9]+ [A-Za-z]{2,}|[A-Za-z]{2,} [A-Za-z0-9]+")
_BEFORE_SIGN = frozenset({Kind.BINARY, Kind.RELATION, Kind.OPENS, Kind.COMMA, Kind.FUNCTION})
_FACTORS = frozenset({Kind.PLAIN, Kind.FRACTION, Kind.ROOT, Kind.TEXT, Kind.BOXED, Kind.FUNCTION})


class Atom(NamedTuple):
    """A sign of a formula, or a part of one that nothing divides."""

    text: str
    kind: Kind
    apart: bool = False
    """Whether the source has a blank before it."""


class UnwritableError(Exception):
    """The formula has something that Unicode cannot show."""


def text_of(atoms: list[Atom]) -> str:
    """Return a part of a formula as text."""
    return "".join(text for text, _ in pieces_of(atoms)).strip()


def pieces_of(atoms: list[Atom]) -> list[Piece]:
    """Return a formula as pieces.

    Raises:
        UnwritableError: words stand beside each other, or an operator has nothing behind it.
    """
    atoms = [atom for atom in atoms if atom.text]
    pieces: list[Piece] = []
    before: Kind | None = None
    for at, atom in enumerate(atoms):
        after = atoms[at + 1] if at + 1 < len(atoms) else None
        kind = _sign(atom, before)
        if before is not None and _blank_between(atoms[at - 1], before, atom, kind):
            pieces.append((" ", False))
        pieces.append((_in_brackets(atom, before, after), kind is Kind.BOXED))
        before = kind
    if before is Kind.BINARY:
        raise UnwritableError
    return _joined(pieces)


def _sign(atom: Atom, before: Kind | None) -> Kind:
    """Return the kind of an atom: plus and minus with nothing before them belong to what follows."""
    return Kind.PLAIN if atom.kind is Kind.BINARY and (before is None or before in _BEFORE_SIGN) else atom.kind


def _blank_between(last: Atom, before: Kind, atom: Atom, kind: Kind) -> bool:
    if before in (Kind.BINARY, Kind.RELATION) or kind in (Kind.BINARY, Kind.RELATION):
        return True
    if before is Kind.COMMA:
        return atom.apart or not atom.text[0].isdigit()
    if Kind.TEXT in (before, kind):
        return atom.apart and not last.text.endswith(" ") and not atom.text.startswith(" ")
    if before is Kind.FUNCTION:
        return kind is not Kind.OPENS
    if kind is Kind.FUNCTION:
        return before in _FACTORS or before is Kind.CLOSES
    if atom.apart and _WORDS.fullmatch(f"{last.text} {atom.text}"):
        # Words beside each other are no formula, and TeX would run them together.
        raise UnwritableError
    return False


def _in_brackets(atom: Atom, before: Kind | None, after: Atom | None) -> str:
    """Return the text of an atom; a fraction or a root beside a factor would be read as a larger one."""
    if atom.kind is Kind.FRACTION:
        close = before in _FACTORS or before is Kind.CLOSES
        follows = after is not None and (after.kind in _FACTORS or after.kind is Kind.OPENS)
        return f"({atom.text})" if close or follows else atom.text
    if atom.kind is Kind.ROOT and after is not None and (after.kind in _FACTORS or after.kind is Kind.OPENS):
        return f"{atom.text[0]}({atom.text[1:]})"
    return atom.text


def _joined(pieces: list[Piece]) -> list[Piece]:
    """Return the pieces, neighbours that look alike as one, and no blank twice."""
    joined: list[Piece] = []
    for text, boxed in pieces:
        if joined and joined[-1][1] == boxed:
            last = joined.pop()[0]
            joined.append((last + (text.lstrip(" ") if last.endswith(" ") and text == " " else text), boxed))
        else:
            joined.append((text, boxed))
    return joined
