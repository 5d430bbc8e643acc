r"""Writes simple formulas in Unicode: `x^2 \le \frac{1}{2}` as `x² ≤ ½`; what it cannot write exactly it leaves whole.

A formula is never shown in part: a matrix, a raised character that Unicode has not, an unknown command make all of
it stay as it was said. Blanks are set as TeX sets them, around operators and relations, whatever the source has.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from reflectty.drawing.symbols import (
    ACCENTS,
    CHARACTERS,
    COMMANDS,
    FRACTIONS,
    IGNORED,
    LOWERED,
    RAISED,
    ROOTS,
    SET_LETTERS,
    Kind,
)

Piece = tuple[str, bool]
"""Text of a formula, and whether a box stands around it."""

_LONGEST = 1_000
_DEEPEST = 12
_TOKENS = re.compile(r"\\[A-Za-z]+\*?|\\.|[0-9]+(?:\.[0-9]+)?|[A-Za-z]+|\s+|.", re.DOTALL)
_DELIMITED = re.compile(r"\$\$(?P<two>.*)\$\$|\$(?P<one>.*)\$|\\\((?P<inline>.*)\\\)|\\\[(?P<lines>.*)\\\]", re.DOTALL)
_SAYS_SOMETHING = re.compile(r"\\\[(?:\s[^\\^_=<>]*[+*/-]|.*[\\^_=<>].*\\\])", re.DOTALL)
_FACTOR = re.compile(r"√?(?:[0-9.]+|[d∂]?\w[\u0302-\u0308\u20d7]?[⁰-₎ⁱ²³¹ᵃ-ᶿᵢ-ᵪₐ-ₜ′]*)")
_SIMPLE_ROOT = re.compile(r"[0-9.]+|\w")
_WORDS = re.compile(r"[A-Za-z0-9]+ [A-Za-z]{2,}|[A-Za-z]{2,} [A-Za-z0-9]+")
_FRACTIONS = frozenset({"frac", "dfrac", "tfrac", "cfrac"})
_UPRIGHT = frozenset({"mathrm", "mathit", "text", "textrm", "mbox", "operatorname", "operatorname*"})
_BEFORE_SIGN = frozenset({Kind.BINARY, Kind.RELATION, Kind.OPENS, Kind.COMMA, Kind.FUNCTION})
_FACTORS = frozenset({Kind.PLAIN, Kind.FRACTION, Kind.ROOT, Kind.TEXT, Kind.BOXED, Kind.FUNCTION})


class _Atom(NamedTuple):
    text: str
    kind: Kind
    apart: bool = False
    """Whether the source has a blank before it."""


class _UnwritableError(Exception):
    """The formula has something that Unicode cannot show."""


def written(source: str) -> tuple[Piece, ...] | None:
    """Return a formula with its delimiters as pieces of Unicode, or None where it has to stay as it is."""
    found = _DELIMITED.fullmatch(source) if len(source) <= _LONGEST else None
    inside = found[found.lastgroup or 0].strip() if found else ""
    if not inside:
        return None
    if source.startswith("\\[") and not _SAYS_SOMETHING.match(source):
        # A bracket that was escaped, such as that of a note or of a pattern.
        return None
    try:
        return tuple(_pieces(_Reader(inside).everything()))
    except _UnwritableError:
        return None


class _Reader:
    """Reads a formula once, from its start to its end."""

    def __init__(self, source: str) -> None:
        self._tokens = _TOKENS.findall(source)
        self._at = 0
        self._depth = 0
        self._bars = 0

    def everything(self) -> list[_Atom]:
        atoms = self._sequence("")
        if self._at < len(self._tokens):
            raise _UnwritableError
        return atoms

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _skip_blanks(self) -> bool:
        found = self._peek().isspace()
        self._at += found
        return found

    def _sequence(self, end: str) -> list[_Atom]:
        """Read up to a token that ends it, which is taken as well."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _UnwritableError
        atoms: list[_Atom] = []
        while True:
            apart = self._skip_blanks()
            sign = self._peek()
            if sign == end:
                break
            if sign in ("", "}"):
                raise _UnwritableError
            atoms += [atom._replace(apart=apart) for atom in self._scripted()]
        self._at += bool(end)
        self._depth -= 1
        return atoms

    def _scripted(self) -> list[_Atom]:
        """Read an atom and what is raised or lowered behind it."""
        atom = _Atom("", Kind.PLAIN) if self._peek() in "^_" else self._atom()
        lowered, raised, primes = "", "", ""
        while True:
            before = self._at
            self._skip_blanks()
            mark = self._peek()
            if mark in ("\\limits", "\\nolimits"):
                self._at += 1
            elif mark == "'":
                self._at, primes = self._at + 1, primes + "′"
            elif mark == "_" and not lowered:
                lowered = self._script(LOWERED)
            elif mark == "^" and not raised:
                raised = self._script(RAISED)
            else:
                self._at = before
                break
        if mark and mark in "^_":
            raise _UnwritableError
        return _with_scripts(atom, lowered + primes + raised)

    def _script(self, table: dict[str, str]) -> str:
        self._at += 1
        text = "".join(atom.text for atom in self._argument())
        if not text or any(character not in table for character in text):
            raise _UnwritableError
        return "".join(table[character] for character in text)

    def _argument(self) -> list[_Atom]:
        """Read what stands in braces, or one character or command."""
        self._skip_blanks()
        sign = self._peek()
        if sign == "{":
            self._at += 1
            return self._sequence("}")
        if not sign or sign in "}^_":
            raise _UnwritableError
        if sign[0].isalnum() and len(sign) > 1:
            self._tokens[self._at] = sign[1:]
            return [_Atom(sign[0], Kind.PLAIN)]
        return [self._atom()]

    def _raw(self) -> str:
        """Read what stands in braces as it is."""
        self._skip_blanks()
        if self._peek() != "{" or "}" not in self._tokens[self._at :]:
            raise _UnwritableError
        end = self._tokens.index("}", self._at)
        text = "".join(self._tokens[self._at + 1 : end])
        if re.search(r"[\\${}^_`]", text):
            raise _UnwritableError
        self._at = end + 1
        return re.sub(r"\s+", " ", text)

    def _atom(self) -> _Atom:
        sign = self._peek()
        self._at += 1
        if sign[0] == "\\":
            return self._command(sign[1:])
        if sign == "{":
            return _Atom(_text(self._sequence("}")), Kind.PLAIN)
        if sign == "~":
            return _Atom(" ", Kind.BLANK)
        if sign == "|":
            self._bars += 1
            return _Atom(sign, Kind.OPENS if self._bars % 2 else Kind.CLOSES)
        if sign in CHARACTERS:
            return _Atom(sign, CHARACTERS[sign])
        if sign[0].isalnum():
            return _Atom(sign, Kind.PLAIN)
        raise _UnwritableError

    def _command(self, name: str) -> _Atom:
        if name in COMMANDS:
            return _Atom(*COMMANDS[name])
        if name in IGNORED and self._peek() != ".":
            return _Atom("", Kind.PLAIN)
        if name in _UPRIGHT:
            return self._upright(name)
        if name in _FRACTIONS:
            return self._fraction()
        if name in ACCENTS:
            return self._accented(ACCENTS[name])
        found = {"sqrt": self._root, "mathbb": self._set, "boxed": self._boxed, "pmod": self._modulo}.get(name)
        if found is None:
            raise _UnwritableError
        return found()

    def _upright(self, name: str) -> _Atom:
        text = self._raw()
        if name.startswith("operatorname"):
            return _Atom(text, Kind.FUNCTION)
        return _Atom(text, Kind.TEXT)

    def _fraction(self) -> _Atom:
        above, below = _text(self._argument()), _text(self._argument())
        if not above or not below:
            raise _UnwritableError
        if sign := FRACTIONS.get(f"{above}/{below}"):
            return _Atom(sign, Kind.PLAIN)
        above = f"({above})" if re.search(r"[ /]", above) else above
        below = below if _FACTOR.fullmatch(below) else f"({below})"
        return _Atom(f"{above}/{below}", Kind.FRACTION)

    def _root(self) -> _Atom:
        self._skip_blanks()
        degree = ""
        if self._peek() == "[":
            self._at += 1
            degree = _text(self._sequence("]"))
        inside = _text(self._argument())
        if degree not in ROOTS or not inside:
            raise _UnwritableError
        if _SIMPLE_ROOT.fullmatch(inside):
            return _Atom(ROOTS[degree] + inside, Kind.ROOT)
        return _Atom(f"{ROOTS[degree]}({inside})", Kind.PLAIN)

    def _set(self) -> _Atom:
        return _Atom(self._looked_up(SET_LETTERS), Kind.PLAIN)

    def _looked_up(self, table: dict[str, str]) -> str:
        name = _text(self._argument())
        if name not in table:
            raise _UnwritableError
        return table[name]

    def _accented(self, accent: str) -> _Atom:
        letter = _text(self._argument())
        if len(letter) != 1 or not letter.isalpha():
            raise _UnwritableError
        return _Atom(letter + accent, Kind.PLAIN)

    def _boxed(self) -> _Atom:
        if self._depth > 1:
            raise _UnwritableError
        return _Atom(_text(self._argument()), Kind.BOXED)

    def _modulo(self) -> _Atom:
        return _Atom(f" (mod {_text(self._argument())})", Kind.TEXT)


def _with_scripts(atom: _Atom, scripts: str) -> list[_Atom]:
    if not scripts:
        return [atom] if atom.text or atom.kind is not Kind.PLAIN else []
    if atom.kind in (Kind.FRACTION, Kind.ROOT):
        return [_Atom(f"({atom.text}){scripts}", Kind.PLAIN)]
    if atom.kind in (Kind.BINARY, Kind.RELATION, Kind.COMMA, Kind.BLANK, Kind.BOXED) or atom.text.endswith(" "):
        raise _UnwritableError
    return [atom._replace(text=atom.text + scripts)]


def _text(atoms: list[_Atom]) -> str:
    return "".join(text for text, _ in _pieces(atoms)).strip()


def _pieces(atoms: list[_Atom]) -> list[Piece]:
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
        raise _UnwritableError
    return _joined(pieces)


def _sign(atom: _Atom, before: Kind | None) -> Kind:
    """Return the kind of an atom: plus and minus with nothing before them belong to what follows."""
    return Kind.PLAIN if atom.kind is Kind.BINARY and (before is None or before in _BEFORE_SIGN) else atom.kind


def _blank_between(last: _Atom, before: Kind, atom: _Atom, kind: Kind) -> bool:
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
        raise _UnwritableError
    return False


def _in_brackets(atom: _Atom, before: Kind | None, after: _Atom | None) -> str:
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
