"""Renders simple TeX formulas in Unicode if the result is exact.

A formula is never rendered in part: with a matrix, a superscript missing from Unicode or an unknown command it keeps
its source form. Spacing around operators and relations follows TeX, not the source.
"""

from __future__ import annotations

import re

from reflectty.core.named_tuple import NamedTuple
from reflectty.view.symbols import (
    ACCENTS,
    BLACKBOARD_LETTERS,
    CHARACTERS,
    COMMANDS,
    FRACTIONS,
    IGNORED_COMMANDS,
    ROOTS,
    SUBSCRIPTS,
    SUPERSCRIPTS,
    AtomKind,
)

FormulaPiece = tuple[str, bool]
"""Text of a formula, and whether it is boxed."""

_WORDS = re.compile(r"[A-Za-z0-9]+ [A-Za-z]{2,}|[A-Za-z]{2,} [A-Za-z0-9]+")
_BEFORE_SIGN = frozenset({AtomKind.BINARY, AtomKind.RELATION, AtomKind.OPENS, AtomKind.COMMA, AtomKind.FUNCTION})
_FACTORS = frozenset(
    {AtomKind.PLAIN, AtomKind.FRACTION, AtomKind.ROOT, AtomKind.TEXT, AtomKind.BOXED, AtomKind.FUNCTION}
)


class Atom(NamedTuple):
    """A symbol of a formula, or an indivisible part."""

    text: str
    kind: AtomKind
    has_blank_before: bool = False
    """Whether the source has a blank before it."""


class UnwritableError(Exception):
    """The formula contains something that Unicode cannot show."""


def text_of(atoms: list[Atom]) -> str:
    """A part of a formula as text."""
    return "".join(text for text, _ in pieces_of(atoms)).strip()


def pieces_of(atoms: list[Atom]) -> list[FormulaPiece]:
    """A formula as pieces.

    Raises:
        UnwritableError: two words are adjacent, or an operator has no right operand.
    """
    atoms = [atom for atom in atoms if atom.text]
    pieces: list[FormulaPiece] = []
    before: AtomKind | None = None
    for at, atom in enumerate(atoms):
        after = atoms[at + 1] if at + 1 < len(atoms) else None
        kind = _kind_in_context(atom, before)
        if before is not None and _needs_blank_between(atoms[at - 1], before, atom, kind):
            pieces.append((" ", False))
        pieces.append((_text_in_context(atom, before, after), kind is AtomKind.BOXED))
        before = kind
    if before is AtomKind.BINARY:
        raise UnwritableError
    return _join_pieces(pieces)


def _kind_in_context(atom: Atom, before: AtomKind | None) -> AtomKind:
    """The kind of an atom in context: plus and minus without a left operand belong to what follows."""
    return AtomKind.PLAIN if atom.kind is AtomKind.BINARY and (before is None or before in _BEFORE_SIGN) else atom.kind


def _needs_blank_between(last: Atom, before: AtomKind, atom: Atom, kind: AtomKind) -> bool:
    if before in (AtomKind.BINARY, AtomKind.RELATION) or kind in (AtomKind.BINARY, AtomKind.RELATION):
        return True
    if before is AtomKind.COMMA:
        return atom.has_blank_before or not atom.text[0].isdigit()
    if AtomKind.TEXT in (before, kind):
        return atom.has_blank_before and not last.text.endswith(" ") and not atom.text.startswith(" ")
    if before is AtomKind.FUNCTION:
        return kind is not AtomKind.OPENS
    if kind is AtomKind.FUNCTION:
        return before in _FACTORS or before is AtomKind.CLOSES
    if atom.has_blank_before and _WORDS.fullmatch(f"{last.text} {atom.text}"):
        # Adjacent words are not a formula, and TeX would run them together.
        raise UnwritableError
    return False


def _text_in_context(atom: Atom, before: AtomKind | None, after: Atom | None) -> str:
    """The text of an atom; a fraction or root next to a factor gets parentheses, or it would look like a larger one."""
    if atom.kind is AtomKind.FRACTION:
        close = before in _FACTORS or before is AtomKind.CLOSES
        follows = after is not None and (after.kind in _FACTORS or after.kind is AtomKind.OPENS)
        return f"({atom.text})" if close or follows else atom.text
    if atom.kind is AtomKind.ROOT and after is not None and (after.kind in _FACTORS or after.kind is AtomKind.OPENS):
        return f"{atom.text[0]}({atom.text[1:]})"
    return atom.text


def _join_pieces(pieces: list[FormulaPiece]) -> list[FormulaPiece]:
    """Merge neighbors with equal style and drop double blanks."""
    joined: list[FormulaPiece] = []
    for text, boxed in pieces:
        if joined and joined[-1][1] == boxed:
            last = joined.pop()[0]
            joined.append((last + (text.lstrip(" ") if last.endswith(" ") and text == " " else text), boxed))
        else:
            joined.append((text, boxed))
    return joined


_MAX_LENGTH = 1_000
_MAX_DEPTH = 12
_TOKENS = re.compile(r"\\[A-Za-z]+\*?|\\.|[0-9]+(?:\.[0-9]+)?|[A-Za-z]+|\s+|.", re.DOTALL)
_DELIMITED = re.compile(r"\$\$(?P<two>.*)\$\$|\$(?P<one>.*)\$|\\\((?P<inline>.*)\\\)|\\\[(?P<lines>.*)\\\]", re.DOTALL)
_LOOKS_LIKE_FORMULA = re.compile(r"\\\[(?:\s[^\\^_=<>]*[+*/-]|.*[\\^_=<>].*\\\])", re.DOTALL)
_FACTOR = re.compile(r"√?(?:[0-9.]+|[d∂]?\w[\u0302-\u0308\u20d7]?[⁰-₎ⁱ²³¹ᵃ-ᶿᵢ-ᵪₐ-ₜ′]*)")
_SIMPLE_ROOT = re.compile(r"[0-9.]+|\w")
_FRACTION_COMMANDS = frozenset({"frac", "dfrac", "tfrac", "cfrac"})
_UPRIGHT = frozenset({"mathrm", "mathit", "text", "textrm", "mbox", "operatorname", "operatorname*"})


def render_formula(source: str) -> tuple[FormulaPiece, ...] | None:
    """A delimited formula as pieces of Unicode, or None if it has to stay in its source form."""
    found = _DELIMITED.fullmatch(source) if len(source) <= _MAX_LENGTH else None
    inside = found[found.lastgroup or 0].strip() if found else ""
    if not inside:
        return None
    if source.startswith("\\[") and not _LOOKS_LIKE_FORMULA.match(source):
        # An escaped bracket, such as that of a footnote or of a pattern.
        return None
    try:
        return tuple(pieces_of(_FormulaReader(inside).read_all()))
    except UnwritableError:
        return None


class _FormulaReader:
    """Reads a formula in one pass."""

    def __init__(self, source: str) -> None:
        self._tokens = _TOKENS.findall(source)
        self._at = 0
        self._depth = 0
        self._bars = 0

    def read_all(self) -> list[Atom]:
        atoms = self._sequence("")
        if self._at < len(self._tokens):
            raise UnwritableError
        return atoms

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _skip_blanks(self) -> bool:
        found = self._peek().isspace()
        self._at += found
        return found

    def _sequence(self, end: str) -> list[Atom]:
        """Read up to and including the token that ends the sequence."""
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise UnwritableError
        atoms: list[Atom] = []
        while True:
            apart = self._skip_blanks()
            sign = self._peek()
            if sign == end:
                break
            if sign in ("", "}"):
                raise UnwritableError
            atoms += [atom._replace(has_blank_before=apart) for atom in self._scripted()]
        self._at += bool(end)
        self._depth -= 1
        return atoms

    def _scripted(self) -> list[Atom]:
        """Read an atom with its subscript, superscript and primes."""
        atom = Atom("", AtomKind.PLAIN) if self._peek() in "^_" else self._atom()
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
                lowered = self._script(SUBSCRIPTS)
            elif mark == "^" and not raised:
                raised = self._script(SUPERSCRIPTS)
            else:
                self._at = before
                break
        if mark and mark in "^_":
            raise UnwritableError
        return _with_scripts(atom, lowered + primes + raised)

    def _script(self, table: dict[str, str]) -> str:
        self._at += 1
        text = "".join(atom.text for atom in self._argument())
        if not text or any(character not in table for character in text):
            raise UnwritableError
        return "".join(table[character] for character in text)

    def _argument(self) -> list[Atom]:
        """Read a group in braces, or one character or command."""
        self._skip_blanks()
        sign = self._peek()
        if sign == "{":
            self._at += 1
            return self._sequence("}")
        if not sign or sign in "}^_":
            raise UnwritableError
        if sign[0].isalnum() and len(sign) > 1:
            self._tokens[self._at] = sign[1:]
            return [Atom(sign[0], AtomKind.PLAIN)]
        return [self._atom()]

    def _raw(self) -> str:
        """Read a group in braces verbatim."""
        self._skip_blanks()
        if self._peek() != "{" or "}" not in self._tokens[self._at :]:
            raise UnwritableError
        end = self._tokens.index("}", self._at)
        text = "".join(self._tokens[self._at + 1 : end])
        if re.search(r"[\\${}^_`]", text):
            raise UnwritableError
        self._at = end + 1
        return re.sub(r"\s+", " ", text)

    def _atom(self) -> Atom:
        sign = self._peek()
        self._at += 1
        if sign[0] == "\\":
            return self._command(sign[1:])
        if sign == "{":
            return Atom(text_of(self._sequence("}")), AtomKind.PLAIN)
        if sign == "~":
            return Atom(" ", AtomKind.BLANK)
        if sign == "|":
            self._bars += 1
            return Atom(sign, AtomKind.OPENS if self._bars % 2 else AtomKind.CLOSES)
        if sign in CHARACTERS:
            return Atom(sign, CHARACTERS[sign])
        if sign[0].isalnum():
            return Atom(sign, AtomKind.PLAIN)
        raise UnwritableError

    def _command(self, name: str) -> Atom:
        if name in COMMANDS:
            return Atom(*COMMANDS[name])
        if name in IGNORED_COMMANDS and self._peek() != ".":
            return Atom("", AtomKind.PLAIN)
        if name in _UPRIGHT:
            return self._upright(name)
        if name in _FRACTION_COMMANDS:
            return self._fraction()
        if name in ACCENTS:
            return self._accented(ACCENTS[name])
        found = {"sqrt": self._root, "mathbb": self._set, "boxed": self._boxed, "pmod": self._modulo}.get(name)
        if found is None:
            raise UnwritableError
        return found()

    def _upright(self, name: str) -> Atom:
        text = self._raw()
        if name.startswith("operatorname"):
            return Atom(text, AtomKind.FUNCTION)
        return Atom(text, AtomKind.TEXT)

    def _fraction(self) -> Atom:
        above, below = text_of(self._argument()), text_of(self._argument())
        if not above or not below:
            raise UnwritableError
        if sign := FRACTIONS.get(f"{above}/{below}"):
            return Atom(sign, AtomKind.PLAIN)
        above = f"({above})" if re.search(r"[ /]", above) else above
        below = below if _FACTOR.fullmatch(below) else f"({below})"
        return Atom(f"{above}/{below}", AtomKind.FRACTION)

    def _root(self) -> Atom:
        self._skip_blanks()
        degree = ""
        if self._peek() == "[":
            self._at += 1
            degree = text_of(self._sequence("]"))
        inside = text_of(self._argument())
        if degree not in ROOTS or not inside:
            raise UnwritableError
        if _SIMPLE_ROOT.fullmatch(inside):
            return Atom(ROOTS[degree] + inside, AtomKind.ROOT)
        return Atom(f"{ROOTS[degree]}({inside})", AtomKind.PLAIN)

    def _set(self) -> Atom:
        return Atom(self._look_up(BLACKBOARD_LETTERS), AtomKind.PLAIN)

    def _look_up(self, table: dict[str, str]) -> str:
        name = text_of(self._argument())
        if name not in table:
            raise UnwritableError
        return table[name]

    def _accented(self, accent: str) -> Atom:
        letter = text_of(self._argument())
        if len(letter) != 1 or not letter.isalpha():
            raise UnwritableError
        return Atom(letter + accent, AtomKind.PLAIN)

    def _boxed(self) -> Atom:
        if self._depth > 1:
            raise UnwritableError
        return Atom(text_of(self._argument()), AtomKind.BOXED)

    def _modulo(self) -> Atom:
        return Atom(f" (mod {text_of(self._argument())})", AtomKind.TEXT)


def _with_scripts(atom: Atom, scripts: str) -> list[Atom]:
    if not scripts:
        return [atom] if atom.text or atom.kind is not AtomKind.PLAIN else []
    if atom.kind in (AtomKind.FRACTION, AtomKind.ROOT):
        return [Atom(f"({atom.text}){scripts}", AtomKind.PLAIN)]
    if atom.kind in (
        AtomKind.BINARY,
        AtomKind.RELATION,
        AtomKind.COMMA,
        AtomKind.BLANK,
        AtomKind.BOXED,
    ) or atom.text.endswith(" "):
        raise UnwritableError
    return [atom._replace(text=atom.text + scripts)]
