"""Exports a branch as one self-contained HTML page without scripts."""

from __future__ import annotations

import re
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any

from reflectty.core.safety import clean, clean_line, is_safe_link
from reflectty.core.segments import Kind
from reflectty.export.markdown import answer_text_of, session_line_of
from reflectty.system import assets, theme
from reflectty.system.theme import COLOR_ROLES
from reflectty.view.grammar import MAX_NESTING, markdown_parser
from reflectty.view.summary import ORIGIN_LABELS, remarks_on, summary_facts
from reflectty.view.syntax import highlight
from reflectty.view.tex import render_formula

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from markdown_it import MarkdownIt
    from markdown_it.token import Token

    from reflectty.core.session import Attachment, Session, StoredReply, Turn
    from reflectty.system.theme import Theme


LIGHT_THEME, DARK_THEME = "paper", "ink"

_RULES = """
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 2.5rem 1.25rem 5rem; max-width: 52rem;
  background: var(--background); color: var(--answer);
  font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  overflow-wrap: break-word;
}
header { margin-bottom: 2.5rem; }
header h1 { margin: 0; font-size: 1.35rem; line-height: 1.3; }
header p { margin: .25rem 0 0; color: var(--dim); font-size: .9rem; }
section { margin: 0 0 1.5rem; }
.question { margin-top: 2.5rem; padding-left: 1rem; border-left: 4px solid var(--you); }
.said { color: var(--text); font-weight: 600; white-space: pre-wrap; }
.reply { padding-left: calc(1rem + 4px); }
.attached { margin-top: .5rem; color: var(--dim); font-size: .9rem; }
.attached img { display: block; max-width: 100%; max-height: 24rem; margin-top: .5rem; border-radius: 6px; }
summary, .summary { color: var(--dim); font-size: .9rem; cursor: pointer; }
.summary { cursor: auto; }
summary:hover { color: var(--text); }
summary b { color: var(--correction); }
.map { display: flex; gap: 1px; max-width: 32rem; margin: .3rem 0; }
.map i { flex: 1; height: .35rem; background: var(--dim); opacity: .3; }
.map i[title] { background: var(--correction); opacity: 1; }
.map i.check, .map i.alternative { height: .2rem; align-self: end; }
.map i.likely { opacity: .5; }
.map i.settled { background: var(--good); }
.steered { color: var(--accent) !important; }
.steered::before { content: "✎ "; }
.thought { margin-bottom: 1rem; }
.thinking, .correction {
  margin: 0; padding: .1rem 0 .1rem 1rem; border-left: 2px solid var(--line);
  color: var(--thinking); font-size: .95rem; white-space: pre-wrap;
}
.thought > summary + div { margin-top: .5rem; }
.correction { position: relative; border-color: var(--correction); color: var(--correction); }
.correction::before {
  content: "↺"; position: absolute; left: -.5rem; top: .1rem; width: .9rem; text-align: center;
  font-weight: 700; background: var(--background);
}
.answer > :first-child { margin-top: 0; }
.answer > :last-child { margin-bottom: 0; }
.answer h1, .answer h2, .answer h3, .answer h4 { margin: 1.5em 0 .5em; line-height: 1.3; }
.answer h1 { font-size: 1.3rem; }
.answer h2 { font-size: 1.2rem; }
.answer h3, .answer h4, .answer h5, .answer h6 { font-size: 1.05rem; }
a { color: var(--you); text-underline-offset: .15em; }
code, pre { font: .9em/1.5 ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
code { padding: .1em .3em; border-radius: 4px; background: var(--panel); color: var(--you); }
pre { margin: 1em 0; padding: .9rem 1rem; overflow-x: auto; border-radius: 8px; background: var(--panel); }
pre, pre code { color: var(--text); }
pre code { padding: 0; background: none; font: inherit; }
pre.literal { white-space: pre-wrap; }
blockquote { margin: 1em 0; padding-left: 1rem; border-left: 3px solid var(--line); color: var(--text); }
table { display: block; overflow-x: auto; border-collapse: collapse; margin: 1em 0; }
th, td { padding: .35rem .8rem .35rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
hr { border: 0; border-top: 1px solid var(--line); margin: 2em 0; }
.wrong, .remark { margin: 1rem 0 0; color: var(--dim); font-size: .9rem; }
.wrong { position: relative; }
.wrong::before { content: "!"; position: absolute; left: -1rem; color: var(--error); font-weight: 700; }
.you { color: var(--you); }
.accent { color: var(--accent); }
.good { color: var(--good); }
.error { color: var(--error); }
.dim { color: var(--dim); }
@media print { body { max-width: none; padding: 0; } pre { white-space: pre-wrap; } }
"""


def build_stylesheet() -> str:
    return f"{build_color_rules()}{_RULES}".rstrip("\n")


def build_color_rules() -> str:
    """The colors of the light and the dark theme as variables, by what the reader prefers."""
    folders = (assets.find_asset_folder("themes"),)
    light, dark = (theme.load_theme(name, folders).theme for name in (LIGHT_THEME, DARK_THEME))
    chosen = f"@media (prefers-color-scheme: dark) {{ :root {{ {_css_variables(dark)} }} }}"
    return f":root {{ {_css_variables(light)} }}\n{chosen}"


def _css_variables(page_theme: Theme) -> str:
    return " ".join(f"--{role}: {getattr(page_theme.colors, role)};" for role in COLOR_ROLES)


MAX_MARKDOWN_LENGTH = 200_000
"""Longer text is exported verbatim."""


def markdown_to_html(text: str) -> str:
    """Markdown that is safe to show as HTML ending in a line break; verbatim if too long or too deeply nested."""
    parser = _html_parser()
    tokens = parser.parse(text) if len(text) <= MAX_MARKDOWN_LENGTH else None
    # The parser omits deeper nesting.
    if tokens is None or any(token.level >= MAX_NESTING - 1 for token in tokens):
        return f'<pre class="literal">{escape(text)}</pre>\n'
    return str(parser.renderer.render(tokens, parser.options, {}))


@cache
def _html_parser() -> MarkdownIt:
    parser = markdown_parser()
    parser.validateLink = is_safe_link  # type: ignore[method-assign]
    parser.normalizeLinkText = lambda link: link  # type: ignore[method-assign]
    rules: dict[str, Callable[[Token], str]] = {
        "text": lambda token: _escape_text(token.content),
        "code_inline": lambda token: f"<code>{_escape_text(token.content)}</code>",
        "formula": lambda token: _formula(token.content),
        "fence": lambda token: _code(token.content, token.info),
        "code_block": lambda token: _code(token.content, ""),
        "link_open": lambda token: _link_start(str(token.attrs.get("href", ""))),
        "image": lambda token: _picture_link(str(token.attrs.get("src", "")), token.content),
        "softbreak": lambda _: "<br>\n",
        "hardbreak": lambda _: "<br>\n",
    }
    for name, rule in rules.items():
        parser.add_render_rule(name, _render_rule_from(rule))
    return parser


def _render_rule_from(rule: Callable[[Token], str]) -> Callable[..., str]:
    def draw(_renderer: Any, tokens: Sequence[Token], at: int, *_: Any) -> str:  # noqa: ANN401 - markdown-it's own
        return rule(tokens[at])

    return draw


def _escape_text(text: str) -> str:
    # A decoded entity may be a character that the source did not have.
    return escape(clean(text))


def _formula(source: str) -> str:
    """A formula in Unicode, or its source if that is not exact."""
    pieces = render_formula(source)
    if pieces is None:
        return _escape_text(source).replace("\n", "<br>\n")
    return "".join(f"<b>{_escape_text(text)}</b>" if boxed else _escape_text(text) for text, boxed in pieces)


def _link_start(url: str) -> str:
    return f'<a rel="noopener noreferrer" href="{escape(url)}">'


def _picture_link(url: str, text: str) -> str:
    """A link instead of a picture: fetching a picture reveals the reader to its server."""
    return f"{_link_start(url)}{_escape_text(text) or escape(url)}</a>"


def _code(text: str, info: str) -> str:
    language = info.split(maxsplit=1)[0].lower() if info.strip() else ""
    pieces = "".join(_span_html(piece, role, bold=bold) for piece, role, bold in highlight(text, language))
    return f"<pre><code>{pieces}</code></pre>\n"


def _span_html(text: str, role: str, *, bold: bool) -> str:
    inside = f"<b>{escape(text)}</b>" if bold else escape(text)
    return inside if role == "text" else f'<span class="{role}">{inside}</span>'


_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
# Beginnings of a picture's base64 and their types; other data is not shown as a picture.
_PICTURES = {"iVBORw0KGgo": "png", "/9j/": "jpeg", "R0lGOD": "gif", "UklGR": "webp"}
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")


def as_html(session: Session, path: Iterable[Turn]) -> str:
    """A branch as a page."""
    turns = tuple(path)
    title = escape(session.display_title)
    questions = sum(turn.said is None for turn in turns)
    body = "\n".join(piece for turn in turns for piece in _turn_html(turn))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
{build_stylesheet()}
</style>
</head>
<body>
<header>
<h1>{title}</h1>
<p>{escape(session_line_of(session, questions))}</p>
</header>
<main>
{body}
</main>
</body>
</html>
"""


def _turn_html(turn: Turn) -> Iterator[str]:
    if turn.said:
        yield from _reply_html(turn.said)
        return
    yield f'<section class="question"><div class="said">{escape(clean(turn.text).strip())}</div>'
    yield from map(_attachment_html, turn.attachments)
    yield "</section>"


def _attachment_html(item: Attachment) -> str:
    name = escape(clean_line(item.name))
    if item.kind == "image":
        return f'<div class="attached">+ {name}{_embedded_picture(item.content, name)}</div>'
    return f'<details class="attached"><summary>{name}</summary><pre>{escape(clean(item.content))}</pre></details>'


def _embedded_picture(content: str, name: str) -> str:
    kind = next((kind for begin, kind in _PICTURES.items() if content.startswith(begin)), "")
    if not kind or not _BASE64.fullmatch(content):
        return ""
    return f'<img alt="{name}" src="data:image/{kind};base64,{content}">'


def _reply_html(reply: StoredReply) -> Iterator[str]:
    thoughts = [(kind, clean(text).strip("\n")) for kind, text in reply.segments if kind is not Kind.ANSWER]
    thoughts = [(kind, text) for kind, text in thoughts if text.strip()]
    yield '<section class="reply">'
    if thoughts:
        yield f'<details class="thought"><summary>{_summary_html(reply) or "thinking"}{_map_html(reply)}</summary>'
        for kind, text in thoughts:
            yield f'<div class="{"correction" if kind is Kind.REFLECTION else "thinking"}">{escape(text)}</div>'
        yield "</details>"
    elif reply.origin in ORIGIN_LABELS:
        yield f'<p class="summary">{_summary_html(reply)}</p>'
    yield f'<div class="answer">\n{markdown_to_html(clean(answer_text_of(reply)))}</div>'
    for text, wrong in remarks_on(reply):
        yield f'<p class="{"wrong" if wrong else "remark"}">{escape(clean_line(text))}</p>'
    yield "</section>"


def _map_html(reply: StoredReply) -> str:
    """The strip that shows where a long thought turned and settled; empty for a short one, or one that never turns."""
    from reflectty.reasoning.thought_reader import marks_in
    from reflectty.view.thought_map import SHORTEST, cells_of, points_of, with_settled

    marks = marks_in(reply.segments)
    points, length = points_of(
        (kind, len(text), [mark for mark in marks if mark.block == number])
        for number, (kind, text) in enumerate(reply.segments)
        if kind is not Kind.ANSWER
    )
    if length < SHORTEST or not points:
        return ""
    cells = (
        f'<i class="{cell.kind}{"" if cell.is_sure else " likely"}" title="{cell.kind}"></i>' if cell else "<i></i>"
        for cell in cells_of(with_settled(points, length, reply.segments), length)
    )
    return f'<span class="map" aria-hidden="true">{"".join(cells)}</span>'


def _summary_html(reply: StoredReply) -> str:
    """The summary of the thinking, with corrections marked."""
    steered = ORIGIN_LABELS.get(reply.origin)
    facts = [f'<b class="steered">{steered}</b>'] if steered else []
    facts += [f"<b>{fact.text}</b>" if fact.strong else escape(fact.text) for fact in summary_facts(reply.measured)]
    return " · ".join(facts)
