"""Highlights code line by line, so that a line keeps its look whatever follows it."""

from __future__ import annotations

import io
import re
from functools import cache
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    Token = tuple[int, object, str]
    """A position, a token type and a text."""
    Moves = int | str | tuple[str, ...] | None
    """The states to enter, `#push` and `#pop` among them, or how many to leave as a negative number."""
    Action = Callable[[object, re.Match[str]], Iterable[Token]] | object | None
    """What makes the tokens of a match, or its token type."""
    Pattern = tuple[Callable[[str, int], re.Match[str] | None], Action, Moves]


class _Lexer(Protocol):
    """A lexer of Pygments, which is untyped."""

    _tokens: Mapping[str, Sequence[Pattern]]

    def get_tokens_unprocessed(self, text: str) -> Iterable[Token]:
        """The tokens of a text."""
        ...


_MAX_HIGHLIGHTED = 60_000
"""Characters after which code is not highlighted: the lexer may take long, for text rarely read in a terminal."""
_MAX_MATCH = 4_000
"""Characters after which a match no longer goes on in further lines: each of them matches all of it again."""
_WINDOW = 40
"""Most lines of context for a lexer that cannot be resumed."""
_ROLES = {
    "Comment": "dim",
    "Keyword": "you",
    "Operator.Word": "you",
    "Name.Tag": "you",
    "Name.Builtin": "accent",
    "Name.Decorator": "accent",
    "Name.Attribute": "accent",
    "Name.Exception": "accent",
    "Literal.Number": "accent",
    "Literal.String": "good",
    "Generic.Inserted": "good",
    "Generic.Deleted": "error",
    "Generic.Heading": "dim",
    "Generic.Subheading": "dim",
    "Generic.Prompt": "dim",
}
_BOLD = ("Keyword", "Operator.Word", "Name.Function", "Name.Class")
# Many lexers know such a comment or string only by its end, which is still to come.
_CLOSERS = {"/*": "*/", "<!--": "-->", "{-": "-}", "(*": "*)", "--[[": "]]", "#=": "=#", "```": "```\n", "`": "`"}


_VISIBLE = re.compile(r"\S")


class LineHighlighter:
    """Highlights one block of code; a copy of it can be fed with a line that is not complete yet.

    A lexer of Pygments is a table of patterns by state. After each line the state before the last match is kept, and
    the next line resumes from there, since that match may go on.
    """

    def __init__(self, language: str) -> None:
        self._lexer = _lexer_of(language)
        self._text = ""
        """The code from the line on in which the last match begins."""
        self._at = 0
        self._stack: tuple[str, ...] = ("root",)
        self._length = 0

    def feed(self, line: str) -> list[tuple[str, str, bool]]:
        """Add a line, with its line break; return its pieces, each with its color role and whether it is bold."""
        self._length += len(line)
        lexer = self._lexer
        if lexer is None or self._length > _MAX_HIGHLIGHTED:
            return [(line, "text", False)]
        start = len(self._text)
        self._text += line
        tokens = list(self._resume(lexer) if _is_resumable(lexer) else lexer.get_tokens_unprocessed(self._text))
        pieces = [(text[max(0, start - at) :], kind) for at, kind, text in tokens if at + len(text) > start]
        self._trim(_is_resumable(lexer))
        return [(text, *look_of(str(kind).removeprefix("Token."))) for text, kind in pieces]

    def _resume(self, lexer: _Lexer) -> Iterator[Token]:
        at, stack = self._at, self._stack
        while at < len(self._text):
            self._at, self._stack = at, stack
            tokens, at, stack = self._match(lexer, at, stack)
            yield from tokens
        if at - self._at > _MAX_MATCH:
            self._at, self._stack = len(self._text), stack

    def _match(self, lexer: _Lexer, at: int, stack: tuple[str, ...]) -> tuple[Iterable[Token], int, tuple[str, ...]]:
        """The tokens of the next match, its end, and the states after it."""
        text = self._text
        whole = text + self._closer_at(at)
        for match, action, moves in lexer._tokens[stack[-1]]:  # noqa: SLF001 - Pygments cannot resume in a state
            found = match(whole, at)
            if found:
                tokens = _tokens_of(lexer, action, found)
                cut = [(pos, kind, piece[: len(text) - pos]) for pos, kind, piece in tokens]
                return cut, found.end(), _moved(stack, moves)
        from pygments.token import Error, Whitespace  # type: ignore[import-untyped]

        is_break = text[at] == "\n"
        return [(at, Whitespace if is_break else Error, text[at])], at + 1, ("root",) if is_break else stack

    def _closer_at(self, at: int) -> str:
        """The end that is missing of a comment which begins here, or after white space."""
        found = _VISIBLE.search(self._text, at)
        begin = found.start() if found else at
        for opener, closer in _CLOSERS.items():
            if self._text.startswith(opener, begin) and self._text.find(closer, begin + len(opener)) < 0:
                return closer
        return ""

    def _trim(self, resumes: bool) -> None:
        """Forget the code that no later match can see."""
        if resumes:
            line = self._text.rfind("\n", 0, self._at) + 1
            start = self._text.rfind("\n", 0, max(0, line - 1)) + 1
            self._at -= start
        else:
            ends = [at + 1 for at, character in enumerate(self._text) if character == "\n"]
            start = ends[len(ends) // 2] if len(ends) > _WINDOW else 0
        self._text = self._text[start:]


def highlight(code: str, language: str) -> Iterator[tuple[str, str, bool]]:
    """Yield the pieces of a whole block of code, each with its color role and whether it is bold."""
    highlighter = LineHighlighter(language)
    for line in io.StringIO(code):
        yield from highlighter.feed(line)


def _lexer_of(language: str) -> _Lexer | None:
    """The lexer of a language; None if there is none."""
    if not language:
        return None
    from pygments.lexers import (  # type: ignore[import-untyped]
        LEXERS,
        get_lexer_by_name,
    )

    # A lookup of an unknown name would search every installed package for plug-ins.
    known = any(language in aliases for _, _, aliases, _, _ in LEXERS.values())
    return cast("_Lexer", get_lexer_by_name(language)) if known else None


def _is_resumable(lexer: _Lexer) -> bool:
    """Whether a lexer is nothing but a table of patterns."""
    from pygments.lexer import RegexLexer  # type: ignore[import-untyped]

    return type(lexer).get_tokens_unprocessed is getattr(RegexLexer, "get_tokens_unprocessed", None)


def _tokens_of(lexer: _Lexer, action: Action, found: re.Match[str]) -> Iterator[Token]:
    """Yield the tokens of a match; its action is a type, a function or None."""
    if callable(action):
        yield from action(lexer, found)
    elif action is not None:
        yield found.start(), action, found[0]


def _moved(stack: tuple[str, ...], moves: Moves) -> tuple[str, ...]:
    """The states after the moves of a pattern."""
    if isinstance(moves, int):
        return stack[:moves] or stack[:1]
    for state in (moves,) if isinstance(moves, str) else moves or ():
        if state == "#pop":
            stack = stack[:-1] or stack
        else:
            stack += stack[-1:] if state == "#push" else (state,)
    return stack


@cache
def look_of(kind: str) -> tuple[str, bool]:
    """The color role of a token type, such as `Keyword.Type`, and whether it is bold."""
    names = kind.split(".")
    prefixes = [".".join(names[:end]) for end in range(len(names), 0, -1)]
    role = next((_ROLES[prefix] for prefix in prefixes if prefix in _ROLES), "text")
    return role, any(prefix in _BOLD for prefix in prefixes)
