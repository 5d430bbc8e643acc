"""Sets the signs of a formula with the blanks that TeX would leave between them; reads no source."""

from __future__ import annotations

import re
from typing import NamedTuple

from reflectty.drawing.symbols import AtomKind

Piece = tuple[str, bool]
"""Text of a formula, and whether a box stands around it."""

_WORDS = re.compile(r"[A-Za-z0-9]+ [A-Za-z]{2,}|[A-Za-z]{2,} [A-Za-z0-9]+")
_BEFORE_SIGN = frozenset({AtomKind.BINARY, AtomKind.RELATION, AtomKind.OPENS, AtomKind.COMMA, AtomKind.FUNCTION})
_FACTORS = frozenset(
    {AtomKind.PLAIN, AtomKind.FRACTION, AtomKind.ROOT, AtomKind.TEXT, AtomKind.BOXED, AtomKind.FUNCTION}
)


class Atom(NamedTuple):
    """A sign of a formula, or a part of one that nothing divides."""

    text: str
    kind: AtomKind
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
    before: AtomKind | None = None
    for at, atom in enumerate(atoms):
        after = atoms[at + 1] if at + 1 < len(atoms) else None
        kind = _sign(atom, before)
        if before is not None and _blank_between(atoms[at - 1], before, atom, kind):
            pieces.append((" ", False))
        pieces.append((_in_brackets(atom, before, after), kind is AtomKind.BOXED))
        before = kind
    if before is AtomKind.BINARY:
        raise UnwritableError
    return _joined(pieces)


def _sign(atom: Atom, before: AtomKind | None) -> AtomKind:
    """Return the kind of an atom: plus and minus with nothing before them belong to what follows."""
    return AtomKind.PLAIN if atom.kind is AtomKind.BINARY and (before is None or before in _BEFORE_SIGN) else atom.kind


def _blank_between(last: Atom, before: AtomKind, atom: Atom, kind: AtomKind) -> bool:
    if before in (AtomKind.BINARY, AtomKind.RELATION) or kind in (AtomKind.BINARY, AtomKind.RELATION):
        return True
    if before is AtomKind.COMMA:
        return atom.apart or not atom.text[0].isdigit()
    if AtomKind.TEXT in (before, kind):
        return atom.apart and not last.text.endswith(" ") and not atom.text.startswith(" ")
    if before is AtomKind.FUNCTION:
        return kind is not AtomKind.OPENS
    if kind is AtomKind.FUNCTION:
        return before in _FACTORS or before is AtomKind.CLOSES
    if atom.apart and _WORDS.fullmatch(f"{last.text} {atom.text}"):
        # Words beside each other are no formula, and TeX would run them together.
        raise UnwritableError
    return False


def _in_brackets(atom: Atom, before: AtomKind | None, after: Atom | None) -> str:
    """Return the text of an atom; a fraction or a root beside a factor would be read as a larger one."""
    if atom.kind is AtomKind.FRACTION:
        close = before in _FACTORS or before is AtomKind.CLOSES
        follows = after is not None and (after.kind in _FACTORS or after.kind is AtomKind.OPENS)
        return f"({atom.text})" if close or follows else atom.text
    if atom.kind is AtomKind.ROOT and after is not None and (after.kind in _FACTORS or after.kind is AtomKind.OPENS):
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
