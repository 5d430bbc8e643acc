from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.drawn_markdown import ASCII, PLAIN, drawn, emphasised, growth
from support.properties import examples

SAID = (
    "3*4*5",
    "2**3 + 4**2",
    "2**3**2",
    "10*10*10 = 1000",
    "a*b + c*d",
    "a**b + c**d",
    "x * y * z",
    "2 ** 3 ** 2",
    "2*x*",
    "x**2 + y**2",
    "(x+1)*y*(z+2)",
    "(1+2)*3 and 4*(5+6)",
    "n!*x*y",
    "5*(3+2)*4",
    "5*-3*-2",
    "x=*p; y=*q",
    "int *p, *q; char*r; int*s;",
    "f(*args, **kwargs) and g(*args, **kwargs)",
    "*.py",
    "*.py, *.txt",
    '"*.py" and "*.txt"',
    "(*.py|*.txt)",
    "src/*.py, lib/*.js",
    "**/*.py and **/*.js",
    "test_*.py, foo*bar*",
    "lib*.so* and lib*.a*",
    "*.tar*.gz",
    "*/* is",
    "count(*) and sum(*)",
    "'*' or '*'",
    "/* a */ x /* b */",
    "*, +, - and x*",
    "__init__.py",
    "edit __init__ and __main__ now",
    "self.__dict__ and obj.__class__.__name__",
    'if __name__ == "__main__":',
    "__init__(self)",
    "__pycache__/x",
    "a_b_c and snake_case_name",
    "src/_a/_b_/c",
    "1~~2 and 3~~4",
    "x_1*x_2*x_3",
    "^a.*b.*$",
    "(.*?)_(.*) or .*?foo.*?",
    "[a-z]*_[0-9]*",
    "/api/*/users/* and /v1/*",
    "**kwargs, /** doc */",
    "(a)*b*",
)


@pytest.mark.parametrize("text", SAID)
def test_marks_in_arithmetic_names_and_globs_are_text(text: str) -> None:
    assert emphasised(text) == text
    assert drawn(text, ASCII) == [text]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("**bold** *it* _it_ __bold__ ~~gone~~ ***both***", "{bold} {it} {it} {bold} {gone} {both}"),
        ("**Note:** text", "{Note:} text"),
        ("word**bold** and **bold**word", "word{bold} and {bold}word"),
        ("**R**apid **E**ye", "{R}apid {E}ye"),
        ("The answer is **42**, not **-3**.", "The answer is {42}, not {-3}."),
        ("3+4=**7** and **$5** in **C++**", "3+4={7} and {$5} in {C++}"),
        ("**A**/**B** of anti-**hero** state-**of**-the-art", "{A}/{B} of anti-{hero} state-{of}-the-art"),
        ("**3*4*5** = 60", "{3*4*5} = 60"),
        ("**2**3 = 8**", "{2**3 = 8}"),
        ("**Step 1**: read **/etc/passwd**", "{Step 1}: read {/etc/passwd}"),
        ('(**bold**), "**bold**", **"bold"**, *(it)*.', '({bold}), "{bold}", {"bold"}, {(it)}.'),
        ("*.NET* and **Node**.js", "{.NET} and {Node}.js"),
        ("*Done.* (*Done.*) **__init__.py**", "{Done.} ({Done.}) {__init__.py}"),
        ("✅**Done**🎉 and 1.**b**", "✅{Done}🎉 and 1.{b}"),
        ("这是**重点**内容", "这是{重点}内容"),
        ("**注意：**内容和**「重点」**内容", "{注意：}内容和{「重点」}内容"),
        ("これは*強調*です", "これは{強調}です"),
        ("**중요**는 말", "{중요}는 말"),
        ("这**3*4*5**是", "这{3*4*5}是"),
        ("- **a**: x*y*z\n- *b*", "• {a}: x*y*z / • {b}"),
        ("| *a* | b*c*d |\n|-|-|\n| 3*4*5 | **x** |", "{a}       {b*c*d} / ─────   ───── / 3*4*5   {x}"),
    ],
)
def test_real_emphasis_stays(text: str, shown: str) -> None:
    assert emphasised(text) == shown


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("**bold** *it* _it_ __bold__ ~~gone~~", ["**bold** *it* _it_ __bold__ ~~gone~~"]),
        ("# One\n### Three *it*", ["# One", "", "### Three *it*"]),
        ("One\n===\nTwo\n---", ["One", "===", "", "Two", "---"]),
        ("- **a** `b`", ["• **a** `b`"]),
    ],
)
def test_marks_stay_as_written_if_styles_cannot_be_shown(text: str, rows: list[str]) -> None:
    assert drawn(text, PLAIN) == rows


@examples(300)
@given(st.text(alphabet="ab1 *_+=/.()", max_size=24))
def test_star_next_to_a_digit_is_always_preserved(text: str) -> None:
    shown = "".join(drawn(f"x{text}2*3", ASCII))
    assert shown.endswith("2*3")


@pytest.mark.parametrize("mark", ["*", "**a ", "*a", "a*", "a**b ", "_a", "__a", "~~", "中*", "*.", "(*", "`*"])
def test_many_unclosed_marks_stay_fast(mark: str) -> None:
    assert growth(lambda size: drawn(mark * size), 1_000) < 24
