"""Turns the Markdown of an answer into HTML: no HTML of its own, safe links alone, nothing that would be fetched."""

from __future__ import annotations

from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any

from reflectty.drawing.code import words
from reflectty.drawing.grammar import NESTING, markdown
from reflectty.drawing.tex import written
from reflectty.safety import clean, is_safe_link

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from markdown_it import MarkdownIt
    from markdown_it.token import Token

TOO_LONG = 200_000
"""What is longer is no Markdown any more."""


def markup(text: str) -> str:
    """Return Markdown that is safe to show as HTML that ends in a line break; what cannot be read as it is."""
    parser = _parser()
    tokens = parser.parse(text) if len(text) <= TOO_LONG else None
    # The parser leaves out what is nested deeper.
    if tokens is None or any(token.level >= NESTING - 1 for token in tokens):
        return f'<pre class="literal">{escape(text)}</pre>\n'
    return str(parser.renderer.render(tokens, parser.options, {}))


@cache
def _parser() -> MarkdownIt:
    parser = markdown()
    parser.validateLink = is_safe_link  # type: ignore[method-assign]
    parser.normalizeLinkText = lambda link: link  # type: ignore[method-assign]
    rules: dict[str, Callable[[Token], str]] = {
        "text": lambda token: _text(token.content),
        "code_inline": lambda token: f"<code>{_text(token.content)}</code>",
        "formula": lambda token: _formula(token.content),
        "fence": lambda token: _code(token.content, token.info),
        "code_block": lambda token: _code(token.content, ""),
        "link_open": lambda token: _opened(str(token.attrs.get("href", ""))),
        "image": lambda token: _picture(str(token.attrs.get("src", "")), token.content),
        "softbreak": lambda _: "<br>\n",
        "hardbreak": lambda _: "<br>\n",
    }
    for name, rule in rules.items():
        parser.add_render_rule(name, _as_rule(rule))
    return parser


def _as_rule(rule: Callable[[Token], str]) -> Callable[..., str]:
    def draw(_renderer: Any, tokens: Sequence[Token], at: int, *_: Any) -> str:  # noqa: ANN401 - markdown-it's own
        return rule(tokens[at])

    return draw


def _text(text: str) -> str:
    # An entity may have become a character that the source did not have.
    return escape(clean(text))


def _formula(source: str) -> str:
    """Return a formula in Unicode, or as it was said where that is not exact."""
    pieces = written(source)
    if pieces is None:
        return _text(source).replace("\n", "<br>\n")
    return "".join(f"<b>{_text(text)}</b>" if boxed else _text(text) for text, boxed in pieces)


def _opened(url: str) -> str:
    return f'<a rel="noopener noreferrer" href="{escape(url)}">'


def _picture(url: str, text: str) -> str:
    """Return a link: a picture that is fetched tells its server who reads."""
    return f"{_opened(url)}{_text(text) or escape(url)}</a>"


def _code(text: str, info: str) -> str:
    language = info.split(maxsplit=1)[0].lower() if info.strip() else ""
    pieces = "".join(_word(piece, role, bold=bold) for piece, role, bold in words(text, language))
    return f"<pre><code>{pieces}</code></pre>\n"


def _word(text: str, role: str, *, bold: bool) -> str:
    inside = f"<b>{escape(text)}</b>" if bold else escape(text)
    return inside if role == "text" else f'<span class="{role}">{inside}</span>'
