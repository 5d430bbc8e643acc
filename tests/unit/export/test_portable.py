from __future__ import annotations

import pytest
from hypothesis import given
from markdown_it import MarkdownIt

from reflectty.export.html import as_html, markdown_to_html
from reflectty.export.markdown import as_markdown, contain_markdown, make_portable
from support.hostile_strategies import MARKUP, session_with, turns_with
from support.properties import examples

READER = MarkdownIt("commonmark").enable("table")
SAID = r"So 3*4*5 = 60, 2**3 + 4**2 = 24; edit __init__.py. \(x_{1,2}*y*z\) and $a_1 \le b$."


@pytest.mark.parametrize(
    ("said", "written"),
    [
        (SAID, SAID),
        ("```markdown\n```py\nx\n```\nb\n```\nc", "````markdown\n```py\nx\n```\nb\n````\nc"),
        ("> ```md\n> ```py\n> x\n> ```\n> ```", "> ````md\n> ```py\n> x\n> ```\n> ````"),
        ("````md\n```py\nx\n```\n````", "````md\n```py\nx\n```\n````"),
        ("```py\nx\n```", "```py\nx\n```"),
        ("| a | b |\n|-|-|\n| `x|y` | z |\n| q | r |", "| a | b |\n|-|-|\n| `x\\|y` | z |\n| q | r |"),
        ("| a | b |\n|-|-|\n| 1 | 2 | 3 |", "| a | b |\n|-|-|\n| 1 | 2 \\| 3 |"),
    ],
)
def test_markdown_is_rewritten_for_other_parsers(said: str, written: str) -> None:
    assert make_portable(said) == written
    assert contain_markdown(make_portable(said)) == written


def test_no_cell_is_lost_in_an_exported_document() -> None:
    said = (
        "| Task | Command | Note |\n|---|---|---|\n| Count | `ls | wc -l` | counts lines |\n| Or | a || b | logical |"
    )
    document = as_markdown(session_with("T"), turns_with(said))
    cells = [token.content for token in READER.parse(document) if token.type == "inline" and token.level > 1]
    at = cells.index("Count")
    assert cells[at : at + 6] == ["Count", "`ls | wc -l`", "counts lines", "Or", "a", "| b | logical"]


@examples(200)
@given(MARKUP)
def test_rewriting_loses_no_word(text: str) -> None:
    rewritten = make_portable(text)
    assert sorted(filter(str.isalnum, rewritten)) == sorted(filter(str.isalnum, text))


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("3*4*5 and __init__.py, **b**", "<p>3*4*5 and __init__.py, <strong>b</strong></p>\n"),
        (r"\( x_{1,2}*y*z < 3 \)", "<p>\\( x_{1,2}*y*z &lt; 3 \\)</p>\n"),
        (r"$x^2 \le 4$ or $\boxed{2}$", "<p>x² ≤ 4 or <b>2</b></p>\n"),
        ("\\[\n\\begin{x}\n- a\n\\end{x}\n\\]", "<p>\\[<br>\n\\begin{x}<br>\n- a<br>\n\\end{x}<br>\n\\]</p>\n"),
        ("$5 and $10", "<p>$5 and $10</p>\n"),
        (r"$\text{<b>&lt;}$ `$x^2$`", "<p>&lt;b&gt;&amp;lt; <code>$x^2$</code></p>\n"),
        ("```md\n```py\nx\n```\n```\n*y*", None),
    ],
)
def test_html_renders_the_same(said: str, shown: str | None) -> None:
    assert markdown_to_html(said) == shown or (shown is None and markdown_to_html(said).endswith("<p><em>y</em></p>\n"))


def test_page_preserves_arithmetic_and_formulas() -> None:
    page = as_html(session_with("T"), turns_with(SAID))
    assert "So 3*4*5 = 60, 2**3 + 4**2 = 24; edit __init__.py. \\(x_{1,2}*y*z\\) and a₁ ≤ b." in page
