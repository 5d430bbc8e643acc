from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.drawn_markdown import ASCII, PLAIN, STYLED, drawn, emphasised, growth, split
from support.properties import examples

MATRIX = r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}"


@pytest.mark.parametrize(
    ("source", "rows"),
    [
        (r"With \(a \neq 0\) and $x_1*y_2*z_3$.", ["With a ≠ 0 and x₁ * y₂ * z₃."]),
        (r"\( x_{1,2} = \frac{a_b*c}{2*d*e} \)", [r"\( x_{1,2} = \frac{a_b*c}{2*d*e} \)"]),
        ("$$x^2 = 4$$", ["  x² = 4"]),
        ("\\[\nx\n=\n- b\n+ c\n\\]", ["  x = -b + c"]),
        ("$$\nx^2\n\n- y\n$$", ["  x² - y"]),
        (MATRIX, [MATRIX]),
        (
            "\\[\nA = \\begin{matrix}\n1 & 2 \\\\\n* & _\n\\end{matrix}\n\\]",
            ["\\[", "A = \\begin{matrix}", "1 & 2 \\\\", "* & _", "\\end{matrix}", "\\]"],
        ),
        (
            "\\begin{align}\na &= b \\\\\n# c\n\n- d\n\\end{align}",
            ["\\begin{align}", "a &= b \\\\", "# c", "", "- d", "\\end{align}"],
        ),
        (r"We get \[ x^2 = 4 \], so $x = \pm 2$.", ["We get", "  x² = 4,", "so x = ±2."]),
        ("Text:\n\\[\nx = 1\n\\]\nwhere **it**", ["Text:", "", "  x = 1", "", "where **it**"]),
        ("1. Solve:\n   \\[\n   x^2\n   - y\n   \\]\n2. Next", ["1. Solve:", "     x² - y", "2. Next"]),
        ("1. Solve: \\[\nx^2\n\\]\n2. Next", ["1. Solve:", "     x²", "2. Next"]),
        ("> $$\n> - x^2\n> $$", ["▎   -x²"]),
        (
            r"| $|x|$ | \(a_1*b*c\) |" + "\n|-|-|\n| $$x^2$$ | *y* |",
            ["|x|   a₁ * b * c", "───   ──────────", "x²    *y*"],
        ),
        ("# On $x^2$", ["# On x²"]),
        (r"\(a\), \{1\,2\} and \[1\]", [r"a, {1,2} and \[1\]"]),
        (r"The result is $\boxed{42}$.", [r"The result is $\boxed{42}$."]),
        (r"设$x$为$\sqrt{2}$的", ["设x为√2的"]),
        ("the $n$th and $x$-axis, $k$, ($m$)", ["the nth and x-axis, k, (m)"]),
    ],
)
def test_formulas_are_rendered(source: str, rows: list[str]) -> None:
    assert drawn(source, PLAIN) == rows


@pytest.mark.parametrize(
    "text",
    [
        "$5 and $10",
        "It costs $5, or 10$ today.",
        "US$5 ($4) and $1,000 (or $2,000)",
        "$5-$10 and $5k/$10k, $20/mo or 5$",
        "$5 - 10$ each",
        "$HOME/a_b and $PATH, $A_B:$C_D",
        "$x = $y; $z = $w;",
        "$ a $ and $$ cheap, $$$ dear",
        "echo $$ and $$",
        "the words $one two$",
        "${a}${b} and ${a}/${b}, $A:$(pwd)",
        'awk \'{print $1, $NF}\' or "$a" "$b"',
        "R$ 5 e R$ 10, $TSLA, $AAPL",
        "a stray \\) and \\] and \\[ and \\( here",
        "\\[x] task",
        "$x`$`",
    ],
)
def test_amounts_and_names_are_not_formulas(text: str) -> None:
    assert drawn(text, ASCII)[0].replace("`", "") == text.replace("`", "")
    assert drawn(text)[0] == text


@pytest.mark.parametrize("text", ["**$5** and **$10**", "$5 and **10$**", "\\[x] **b**", "$$ cheap **b**"])
def test_text_that_is_not_a_formula_keeps_its_emphasis(text: str) -> None:
    assert "{" in emphasised(text)


@pytest.mark.parametrize(
    ("source", "row"),
    [
        ("`$x^2$`", "`$x^2$`"),
        ("`\\(x\\)` and `\\[`", "`\\(x\\)` and `\\[`"),
        ("```\n$x^2$\n```", "  $x^2$"),
        ("    \\[ x^2 \\]", "  \\[ x^2 \\]"),
    ],
)
def test_a_formula_in_code_is_code(source: str, row: str) -> None:
    assert drawn(source, STYLED)[0] == row


def test_without_unicode_the_source_is_shown() -> None:
    assert drawn(r"\(x \le 4\) and $$y^2$$", ASCII) == [r"\(x \le 4\) and $$y^2$$"]


def test_box_is_bold_if_bold_can_be_shown() -> None:
    assert emphasised(r"So $\boxed{x = 2}$ it is.") == "So {x = 2} it is."


@pytest.mark.parametrize(
    "source",
    [
        "\\[\nx_1*y*z\n- b\n# no\n\\]",
        "$$\na*b*c\n\n- d\n$$",
        "Text \\[\n- a_1 * b_1\n\\] end",
        "\\begin{align}\n* a\n\n1. b\n\\end{align}",
        r"Let \(a*b*c \, d\) be $x_1*y*z_1$.",
        r"Let $\alpha \, *b* \{c\} _d_$ be $$\beta \, e$$ or \[\gamma \, f \].",
    ],
)
def test_unfinished_formula_is_shown_verbatim(source: str) -> None:
    for end in range(len(source)):
        shown = " ".join(drawn(source[:end], ASCII)).replace(" ", "")
        assert shown == source[:end].replace("\n", "").replace(" ", "") or "# no" in source


@examples(300)
@given(st.text(alphabet="ab$\\()[]{}^_* 1\n`", max_size=30), st.lists(st.integers(0, 30), max_size=4))
def test_any_split_gives_the_same_blocks(text: str, cuts: list[int]) -> None:
    ends = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    pieces = [text[start:end] for start, end in pairwise(ends)]
    assert split(*pieces) == split(text)
    assert "".join(split(text)) == text


@pytest.mark.parametrize(
    "piece",
    [
        "$",
        "$a ",
        "$$ ",
        "$a$",
        "\\",
        "\\(",
        "\\(`",
        "\\[a\\]",
        "\\begin{a}",
        "\\[\n",
        "$$\n",
        "a \\[\n",
        "\\(\n",
        "[$a",
        "- $$\n",
        "> \\[\n",
        "$\\$",
    ],
)
def test_many_unclosed_openers_stay_fast(piece: str) -> None:
    assert growth(lambda size: [split(piece * size), drawn(piece * size)], 1_000) < 24
