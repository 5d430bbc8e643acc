"""Tables of TeX commands and their Unicode characters, superscripts and subscripts."""

from __future__ import annotations

from enum import Enum


class AtomKind(Enum):
    """The role of a symbol in a formula, which decides the spacing around it."""

    PLAIN = "plain"
    FUNCTION = "function"
    BINARY = "binary"
    RELATION = "relation"
    OPENS = "opens"
    CLOSES = "closes"
    COMMA = "comma"
    BLANK = "blank"
    TEXT = "text"
    FRACTION = "fraction"
    ROOT = "root"
    BOXED = "boxed"


def _pairs(text: str) -> dict[str, str]:
    words = text.split()
    return dict(zip(words[::2], words[1::2], strict=True))


_PLAIN = _pairs(
    "alpha α beta β gamma γ delta δ epsilon ϵ varepsilon ε zeta ζ eta η theta θ vartheta ϑ iota ι kappa κ lambda λ "
    "mu μ nu ν xi ξ omicron ο pi π varpi ϖ rho ρ varrho ϱ sigma σ varsigma ς tau τ upsilon υ phi ϕ varphi φ chi χ "
    "psi ψ omega ω Gamma Γ Delta Δ Theta Θ Lambda Λ Xi Ξ Pi Π Sigma Σ Upsilon Υ Phi Φ Psi Ψ Omega Ω infty ∞ partial ∂ "
    "nabla ∇ forall ∀ exists ∃ nexists ∄ emptyset ∅ varnothing ∅ ell ℓ hbar ℏ Re ℜ Im ℑ aleph ℵ neg ¬ lnot ¬ prime ′ "
    "angle ∠ triangle △ square □ Box □ degree ° top ⊤ bot ⊥ dots … ldots … cdots ⋯ vdots ⋮ ddots ⋱ checkmark ✓ "
    "dagger † ddagger ‡ bullet • star ⋆ imath ı jmath ȷ wp ℘ pounds £ euro € S § P ¶ copyright ©"
)
_NAMES = (
    *("sin", "cos", "tan", "cot", "sec", "csc", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "coth"),
    *("log", "ln", "lg", "exp", "lim", "max", "min", "sup", "inf", "det", "dim", "ker", "gcd", "deg", "arg", "hom"),
    *("Pr", "limsup", "liminf"),
)
_FUNCTIONS = _pairs(
    "sum ∑ prod ∏ coprod ∐ int ∫ iint ∬ iiint ∭ oint ∮ bigcup ⋃ bigcap ⋂ bigoplus ⨁ bigotimes ⨂ bigvee ⋁ bigwedge ⋀"
) | {name: name for name in _NAMES}
_BINARY = _pairs(
    "pm ± mp ∓ times × cdot · div ÷ ast ∗ circ ∘ oplus ⊕ ominus ⊖ otimes ⊗ odot ⊙ cup ∪ cap ∩ setminus ∖ land ∧ "
    "lor ∨ wedge ∧ vee ∨ sqcup ⊔ sqcap ⊓ uplus ⊎ bmod mod"
)
_RELATIONS = _pairs(
    "le ≤ leq ≤ leqslant ⩽ ge ≥ geq ≥ geqslant ⩾ ne ≠ neq ≠ approx ≈ equiv ≡ sim ∼ simeq ≃ cong ≅ propto ∝ in ∈ "
    "notin ∉ ni ∋ subset ⊂ subseteq ⊆ subsetneq ⊊ supset ⊃ supseteq ⊇ to → rightarrow → gets ← leftarrow ← "
    "leftrightarrow ↔ Rightarrow ⇒ Leftarrow ⇐ Leftrightarrow ⇔ implies ⟹ impliedby ⟸ iff ⟺ mapsto ↦ "
    "longrightarrow ⟶ longleftarrow ⟵ Longrightarrow ⟹ uparrow ↑ downarrow ↓ ll ≪ gg ≫ prec ≺ succ ≻ perp ⊥ "
    "parallel ∥ mid | vdash ⊢ models ⊨ asymp ≍ doteq ≐ therefore ∴ because ∵ lt < gt > colon : triangleq ≜ coloneqq ≔"
)
_OPENS = _pairs("{ { lbrace { lbrack [ langle ⟨ lfloor ⌊ lceil ⌈ lvert | lVert ‖")
_CLOSES = _pairs("} } rbrace } rbrack ] rangle ⟩ rfloor ⌋ rceil ⌉ rvert | rVert ‖")
_BLANKS = {",": " ", ";": " ", ":": " ", " ": " ", "!": "", "quad": "  ", "qquad": "    ", "enspace": " ", ">": " "}
_LITERAL = {mark: mark for mark in "%$#&_"}

COMMANDS: dict[str, tuple[str, AtomKind]] = {
    name: (sign, kind)
    for table, kind in (
        (_PLAIN, AtomKind.PLAIN),
        (_FUNCTIONS, AtomKind.FUNCTION),
        (_BINARY, AtomKind.BINARY),
        (_RELATIONS, AtomKind.RELATION),
        (_OPENS, AtomKind.OPENS),
        (_CLOSES, AtomKind.CLOSES),
        (_BLANKS, AtomKind.BLANK),
        (_LITERAL, AtomKind.PLAIN),
    )
    for name, sign in table.items()
}
CHARACTERS: dict[str, AtomKind] = {
    **dict.fromkeys("+-*", AtomKind.BINARY),
    **dict.fromkeys("=<>:", AtomKind.RELATION),
    **dict.fromkeys("([", AtomKind.OPENS),
    **dict.fromkeys(")]!", AtomKind.CLOSES),
    **dict.fromkeys(",;", AtomKind.COMMA),
    **dict.fromkeys("/.?\"'", AtomKind.PLAIN),
    **{sign: kind for sign, kind in COMMANDS.values() if len(sign) == 1 and not sign.isascii()},
}
IGNORED_COMMANDS = frozenset(
    (
        *("displaystyle", "textstyle", "limits", "nolimits", "left", "right", "middle", "big", "Big", "bigg", "Bigg"),
        *("bigl", "bigr", "Bigl", "Bigr", "biggl", "biggr", "Biggl", "Biggr"),
    )
)
BLACKBOARD_LETTERS = _pairs("A 𝔸 B 𝔹 C ℂ D 𝔻 E 𝔼 F 𝔽 H ℍ N ℕ P ℙ Q ℚ R ℝ S 𝕊 T 𝕋 Z ℤ 1 𝟙")
ACCENTS = {
    "hat": "\u0302",
    "bar": "\u0304",
    "overline": "\u0304",
    "tilde": "\u0303",
    "dot": "\u0307",
    "ddot": "\u0308",
    "vec": "\u20d7",
}
"""Combining marks above one letter."""
FRACTIONS = _pairs(
    "1/2 ½ 1/3 ⅓ 2/3 ⅔ 1/4 ¼ 3/4 ¾ 1/5 ⅕ 2/5 ⅖ 3/5 ⅗ 4/5 ⅘ 1/6 ⅙ 5/6 ⅚ 1/7 ⅐ 1/8 ⅛ 3/8 ⅜ 5/8 ⅝ 7/8 ⅞ 1/9 ⅑ 1/10 ⅒"
)
ROOTS = {"": "√", "2": "√", "3": "∛", "4": "∜"}
SUPERSCRIPTS = dict(
    zip(
        "0123456789+-=()abcdefghijklmnoprstuvwxyzABDEGHIJKLMNOPRTUVWβγδθϕφχ∘°′",
        "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᴬᴮᴰᴱᴳᴴᴵᴶᴷᴸᴹᴺᴼᴾᴿᵀᵁⱽᵂᵝᵞᵟᶿᵠᵠᵡ°°′",
        strict=True,
    )
)
SUBSCRIPTS = dict(zip("0123456789+-=()aehijklmnoprstuvxβγρϕφχ", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵩᵪ", strict=True))
