from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflectty.view.tex import render_formula
from support.drawn_markdown import growth
from support.properties import examples


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        (r"$x^2 \leq 4$", "x² ≤ 4"),
        (r"\(\alpha \times \beta \neq \infty\)", "α × β ≠ ∞"),
        (r"\(x = \frac{-b \pm \sqrt{b^2-4ac}}{2a}\)", "x = (-b ± √(b² - 4ac))/(2a)"),
        (r"$\frac{1}{2}x + \frac{a}{b}y$", "½x + (a/b)y"),
        (r"$\frac{3}{4} \times \frac{6}{20} = 2\frac12$", "¾ × 6/20 = 2½"),
        (r"$\frac{dy}{dx} = \dfrac{\partial f}{\partial x}$", "dy/dx = ∂f/∂x"),
        (r"$$\sum_{i=1}^{n} i = \frac{n(n+1)}{2}$$", "∑ᵢ₌₁ⁿ i = (n(n + 1))/2"),
        (r"$\sum\limits_{i=0}^n x_i^2$", "∑ᵢ₌₀ⁿ xᵢ²"),
        (r"$\int_0^1 x\,dx$", "∫₀¹ x dx"),
        (r"$\text{if } x > 0 \text{ and } y$", "if x > 0 and y"),
        (r"$5 \mathrm{kg}$", "5 kg"),
        (r"$10^{-3}\,\mathrm{m}^2$", "10⁻³ m²"),
        (r"$\left( \frac{a}{b} \right)^2$", "(a/b)²"),
        (r"$f: \mathbb{R} \to \mathbb{R}$", "f : ℝ → ℝ"),
        (r"$\{1, 2, 3\} \subseteq A \cap B$", "{1, 2, 3} ⊆ A ∩ B"),
        (r"$-x^2 - 3 = (-1)^n$", "-x² - 3 = (-1)ⁿ"),
        (r"$|x-1| < |-2|$", "|x - 1| < |-2|"),
        (r"$\sqrt{2}x + \sqrt[3]{8} + \sqrt x$", "√(2)x + ∛8 + √x"),
        ("$1,000$", "1,000"),
        ("$f(x, y)$", "f(x, y)"),
        (r"$\sin x + \sin(x) + 2\cos\theta$", "sin x + sin(x) + 2 cos θ"),
        (r"$90^\circ$", "90°"),
        ("$f'(x) + f''$", "f′(x) + f′′"),
        ("$x_1^2 + H_2O + {}^{14}C + A^T A$", "x₁² + H₂O + ¹⁴C + AᵀA"),
        (r"$\vec{v} \cdot \hat{n}$", "v⃗ · n̂"),
        (r"$x \equiv 1 \pmod{5}$", "x ≡ 1 (mod 5)"),
        (r"$O(n \log n)$", "O(n log n)"),
        ("$a*b*c$", "a * b * c"),
        (r"$50\% = \$5$", "50% = $5"),
        ("\\[\n x\n =\n 5\n\\]", "x = 5"),
        ("$x≤5$", "x ≤ 5"),
        (r"\[ a + b \]", "a + b"),
        (r"\[a^2\]", "a²"),
        (r"$P \implies Q \Rightarrow \neg R$", "P ⟹ Q ⇒ ¬R"),
    ],
)
def test_simple_formulas_are_written_in_unicode(source: str, shown: str) -> None:
    assert render_formula(source) == ((shown, False),)


def test_box_is_separated_from_the_rest() -> None:
    assert render_formula(r"$x = \boxed{42}$") == (("x = ", False), ("42", True))
    assert render_formula(r"\(\boxed{\frac{1}{2}}\)") == (("½", True),)


@pytest.mark.parametrize(
    "source",
    [
        r"\( x_{1,2} = 5 \)",
        r"$e^{i\pi}$",
        r"$\lim_{x \to 0} f(x)$",
        r"$x^{y^2}$",
        r"$\begin{matrix} 1 & 2 \end{matrix}$",
        r"\begin{matrix} 1 \end{matrix}",
        r"$a \\ b$",
        "$a & b$",
        r"$\mathbf{v}$",
        r"$\unknown x$",
        r"$\binom{n}{k}$",
        r"$\sqrt[5]{x}$",
        r"$\left. x \right|$",
        r"$\text{a $b$ c}$",
        r"$\frac{1}$",
        "$x^$",
        "$x^2^3$",
        "$x_{2$",
        "$}x{$",
        "$A and B$",
        "$5 apples$",
        r"$2 \boxed{x}^2$",
        r"$\frac{\boxed{1}}{2}$",
        r"\[1\]",
        r"\[note\]",
        r"\[a-z\]",
        r"\[ x \]",
        r"\([0-9]*\)",
        "$$ unclosed",
        r"\[ unclosed = 1",
        "$",
        "$$",
        "$ $",
        "",
        f"${'x+' * 600}x$",
        f"${'{' * 50}x{'}' * 50}$",
    ],
)
def test_formula_unicode_cannot_show_exactly_is_left_alone(source: str) -> None:
    assert render_formula(source) is None


@examples(500)
@given(
    st.lists(
        st.sampled_from(
            [
                "\\frac",
                "\\sqrt",
                "\\left",
                "\\boxed",
                "\\text",
                "{",
                "}",
                "[",
                "]",
                "^",
                "_",
                "x",
                "12",
                " ",
                "+",
                "=",
                "|",
                "\\",
                ",",
                "'",
                "\\limits",
                "&",
                "~",
                "中",
            ]
        ),
        max_size=14,
    )
)
def test_any_formula_is_rendered_or_left_alone(parts: list[str]) -> None:
    source = "".join(parts)
    pieces = render_formula(f"${source}$")
    shown = set("".join(text for text, _ in pieces or ())) & set("{}^_&$")
    # A mark after a backslash is meant literally.
    assert shown <= set(re.findall(r"\\([{}^_&$])", source))


@pytest.mark.parametrize("piece", ["{", "x^", "\\frac", "\\sqrt[", "\\left(", "'", "|", "x ", "\\text{", "\\boxed{1}"])
def test_long_formula_stays_fast(piece: str) -> None:
    assert growth(lambda size: [render_formula(f"${piece * (100 // len(piece))}$") for _ in range(size)], 50) < 24
    assert growth(lambda size: render_formula(f"${piece * size}$"), 1_000) < 200
