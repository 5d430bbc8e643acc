from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]

from reflectty.core.segments import Kind
from reflectty.view.answer import AnswerRenderer
from reflectty.view.markdown import Flow, render_blocks
from reflectty.view.parts import Scene
from reflectty.view.rows import BOLD, MARGIN, Columns, Row, text_of_row
from reflectty.view.syntax import LineHighlighter, highlight, look_of
from support.conversations import page
from support.drawn_markdown import STYLED, growth
from support.properties import examples

if TYPE_CHECKING:
    from reflectty.view.rows import Palette

PANELED = page(80, colours=256, tty=True, look="ink").palette
CODE = {
    "python": 'def f(x: int) -> str:\n    """First.\n\n    def g():\n    """\n    return f"{x!r}" + """a\nb"""  # end\n\n\n@d\nclass A:\n    pass\n',
    "javascript": "/** Adds.\n * if (a) return b;\n */\nfunction add(a, b) {\n  return `x ${a +\n b} y`;  // done\n}\n",
    "java": '/**\n * Returns "it".\n */\npublic class A {\n  int f() { return 1; } /* b */\n}\n',
    "c": '/* open\n int a;\n*/\n#include <a.h>\nint main(void) {\n  char *s = "x\\\n y";\n  return 0;\n}\n',
    "go": "package main\n\n/* a\nfunc b */\nfunc main() {\n\ts := `raw\nfunc`\n}\n",
    "rust": "/* a /* b */\n c */\nfn main() {\n    let x: u8 = 1;\n}\n",
    "css": "/* a\n b {} */\n.a > b:hover {\n  color: #fff;\n}\n",
    "html": '<!-- a\n <b> -->\n<p class="x">text</p>\n<script>\nif (a) { b() }\n</script>\n<i>z</i>\n',
    "json": '{\n  "a": [1, true,\n    null],\n  "b": "c"\n}\n',
    "yaml": "a:\n  - b: 1\n    c: |\n      text\n  - 'd'\n# e\n",
    "bash": '#!/bin/sh\nfor a in b; do\n  echo "$a\nc"\ndone\n',
    "sql": "select a -- b\nfrom c where d = 'e';\n",
    "diff": "--- a\n+++ b\n@@ -1 +1 @@\n-x\n+y\n",
    "lua": "local a = 1\n--[[ b\nc ]]\nreturn a\n",
    "console": "$ ls -l\ntotal 0\n$ cat a\n",
    "ruby": 'def a\n  puts "b #{c}"\nend\n',
    "markdown": "# T\n\n```python\nx = 1\n\ny = 2\n```\n*a* `b`\n",
    "nosuchlanguage": "a b\n",
    "": "a b\n\n  c\n",
}
FENCES = [f"```{language}\n{code}```\n" for language, code in CODE.items()]
ANSWERS = [
    *FENCES,
    *(f"Text:\n\n\n{fence}More.\n\n{fence}" for fence in FENCES[:3]),
    "```py\nopen = 1\n\n\n# still",
    "```\n```\n",
    "```\n\n\n",
    "```py\n```` \n``` x\n~~~\n```",
    "~~~ py x\n```\n~~~~\nafter",
    "  ```py\n  a\n   b\n  ```\nc",
    "- a\n  ```py\n  b\n  ```\n",
    "```markdown\n```py\na\n```\n```\nb",
    "> ```\n> a\n\n```\n\tb\n" + "long " * 60 + "\n" + "x" * 300 + "\n```",
    "```a|b\nc\n```\n",
]


def streamed(pieces: list[str], palette: Palette, width: int) -> list[Row]:
    renderer, columns = AnswerRenderer(palette), Columns(min(width, 98), width)
    rows = renderer.begin(Kind.ANSWER, columns)
    for piece in pieces:
        rows += renderer.feed(piece, columns)
        renderer.live_rows(Scene(palette, width + 2, 24))
    return rows + renderer.close(columns)


def cut(text: str, at: list[int]) -> list[str]:
    ends = [0, *sorted({min(end, len(text)) for end in at}), len(text)]
    return [text[start:end] for start, end in pairwise(ends)]


def joined(rows: list[Row]) -> list[Row]:
    """Rows with neighboring runs of one style joined."""
    found: list[Row] = []
    for row in rows:
        found.append([])
        for text, style in row:
            before = found[-1].pop()[0] if found[-1] and found[-1][-1][1] == style else ""
            found[-1].append((before + text, style))
    return found


@given(
    text=st.sampled_from(ANSWERS),
    at=st.lists(st.integers(0, 600), max_size=40),
    palette=st.sampled_from([PANELED, STYLED]),
    width=st.sampled_from([12, 60, 140]),
)
@examples(150)
def test_code_that_streams_gets_the_rows_and_colors_of_the_whole(
    text: str, at: list[int], palette: Palette, width: int
) -> None:
    whole, _ = render_blocks(text, min(width, 98), width, palette, Flow())
    assert joined(streamed(cut(text, at), palette, width)) == joined([[MARGIN, *row] if row else row for row in whole])


@pytest.mark.parametrize("text", ANSWERS)
def test_code_that_streams_by_character_gets_the_rows_of_the_whole(text: str) -> None:
    assert joined(streamed(list(text), PANELED, 60)) == joined(streamed([text], PANELED, 60))


def roles(pieces: list[tuple[str, str, bool]]) -> list[tuple[str, str, bool]]:
    """The role of each visible character."""
    return [(character, role, bold) for text, role, bold in pieces for character in text if character.strip()]


@pytest.mark.parametrize("language", [language for language in CODE if language not in ("", "nosuchlanguage")])
def test_line_by_line_highlighting_gives_the_colors_of_pygments(language: str) -> None:
    lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    expected = [(text, *look_of(str(kind).removeprefix("Token."))) for kind, text in lexer.get_tokens(CODE[language])]
    assert roles(list(highlight(CODE[language], language))) == roles(expected)


@pytest.mark.parametrize("language", list(CODE))
def test_highlighting_loses_no_text(language: str) -> None:
    assert "".join(text for text, _, _ in highlight(CODE[language], language)) == CODE[language]


def test_finished_line_of_open_code_is_complete_and_has_its_colors() -> None:
    renderer, columns = AnswerRenderer(STYLED), Columns(40, 40)
    rows = renderer.feed("```py\nreturn 1\nret", columns)
    assert [text_of_row(row) for row in rows] == ["    return 1"]
    assert ("return", STYLED.styles["you"] + BOLD) in rows[0]


@pytest.mark.parametrize("fence", [*FENCES, "~~~\na\n~~~\n", "````py\n```\n````\n"])
def test_closing_fence_is_never_shown_as_code(fence: str) -> None:
    renderer, columns = AnswerRenderer(STYLED), Columns(40, 40)
    marks = fence.partition("\n")[0].rstrip("abcdefghijklmnopqrstuvwxyz")
    opener, code = fence.split("\n", 1)
    renderer.feed(opener + "\n", columns)
    for character in code:
        renderer.feed(character, columns)
        shown = [text_of_row(row).strip() for row in renderer.live_rows(Scene(STYLED, 42, 24))]
        assert marks not in shown


@pytest.mark.parametrize(
    ("language", "line"),
    [("python", "x = f(1)\n"), ("python", '"""\n'), ("c", "/* a\n"), ("json", "{\n"), ("", "\n")],
)
def test_long_code_is_drawn_in_linear_time(language: str, line: str) -> None:
    def draw(size: int) -> None:
        streamed([f"```{language}\n", *[line] * size], STYLED, 60)

    assert growth(draw, 40) < 24


@pytest.mark.parametrize("text", ["/*", "{-", "<!--", "(*", "x /* y", "a\n", "\x0b", "\r", "\u2028b"])
@pytest.mark.parametrize("language", ["c", "haskell", "html", "ocaml", "json", "php", "ini"])
def test_highlighter_takes_any_line(language: str, text: str) -> None:
    highlighter = LineHighlighter(language)
    for _ in range(100):
        assert "".join(piece for piece, _, _ in highlighter.feed(text + "\n")) == text + "\n"
