from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import example, given
from markdown_it import MarkdownIt

from reflectty.core.session import Turn
from reflectty.export.markdown import as_markdown, contain_markdown, escape_markdown, fence_text
from support.conversations import SESSION, TURNS, stored_reply
from support.hostile_strategies import CONTROLS, MARKUP, OPEN, session_with, turns_with
from support.hostile_texts import hostile_texts, text_of
from support.properties import examples


def test_session_is_exported_as_readable_markdown() -> None:
    turns = (*TURNS[:4], Turn(8, 4, 0.0, "* why <b>?\n    1. code()"), Turn(9, 8, 0.0, said=stored_reply("So.\n")))
    document = as_markdown(SESSION, turns)
    assert re.sub(r"\d+ January 1970, \d\d:\d\d|31 December 1969, \d\d:\d\d", "DATE", document) == MARKDOWN


MARKDOWN = """\
# Which is larger, 9.11 or 9.9?

reflection:70b · DATE · 3 questions

## Question 1

Which is larger, 9.11 or 9.9?

<details>
<summary>thought 2 s · 64 tokens · 1 correction · 41 tok/s</summary>

> Both start with 9, so I compare the decimals.
>
> 1\\. 11 is more than 9.  \n\
> 2\\. So 9.11 is larger.
>
> > **↺** I must compare the same number of digits: 9.9 is 9.90.
>
> 90 against 11: 9.9 is larger.

</details>

**9.9** is larger.

- 9.90 has `90`
- 9.11 has `11`

```python
print(9.9 > 9.11)  # True
```

| a | b |
|---|--:|
| 1 | 2 |

## Question 2

And in Roman numerals?  \n\
Briefly.

<details>
<summary>+ notes.txt</summary>

````
IX
```
X
````

</details>

<!-- answer -->

There are none for fractions.

## Question 3

\\* why \\<b\\>?  \n\
&nbsp;&nbsp;&nbsp;&nbsp;1\\. code()

<details>
<summary>thought 2 s · 64 tokens · 1 correction · 41 tok/s</summary>

> Both start with 9, so I compare the decimals.
>
> 1\\. 11 is more than 9.  \n\
> 2\\. So 9.11 is larger.
>
> > **↺** I must compare the same number of digits: 9.9 is 9.90.
>
> 90 against 11: 9.9 is larger.

</details>

So.
"""
OURS = re.compile(r"(?:</?details>|<summary>[^<>]*</summary>|<!-- answer -->|\s)*")


def tokens_of(document: str) -> list[Any]:
    """The tokens of a document, block and inline, by a Markdown parser with HTML on."""
    parser = MarkdownIt("commonmark", {"html": True, "maxNesting": 100}).enable(["table", "strikethrough"])
    return [item for token in parser.parse(document) for item in (token, *(token.children or ()))]


def check_containment(text: str) -> None:
    """Check that stored text stays in its place, whatever a Markdown parser does."""
    document = as_markdown(session_with("A title"), turns_with(text))
    tokens = tokens_of(document)
    html = [token.content for token in tokens if token.type in ("html_block", "html_inline")]
    assert [piece for piece in html if not OURS.fullmatch(piece)] == []
    assert [token.attrs for token in tokens if token.type == "image"] == []
    assert [token.attrs for token in tokens if token.type == "link_open" and "ref" in token.content] == []
    inlines = [token.content for token in tokens if token.type == "inline" and token.level == 1]
    assert inlines[-3:] == ["Question 2", "An innocent question about \\[ref\\] and \\[^1\\]", "An innocent answer."]
    assert not CONTROLS.search(document.replace("\n", ""))
    heads = [token.map for token in tokens if token.type == "heading_open" and token.level == 0 and token.tag == "h2"]
    assert document.split("\n")[heads[-1][0]] == "## Question 2"


@pytest.mark.parametrize("text", OPEN)
def test_markdown_text_stays_contained(text: str) -> None:
    check_containment(text)


@examples(300)
@given(MARKUP)
def test_any_markup_stays_contained(text: str) -> None:
    check_containment(text)


@hostile_texts
def test_hostile_text_stays_contained_in_markdown(hostile: tuple[dict[str, Any], ...]) -> None:
    for case in hostile:
        check_containment(text_of(case))


@examples(300)
@given(MARKUP)
@example("    indented\n\n\tmore\n - a\n1) b\n===\n+ c\n# d\n~~~\n| e |\n|---|")
def test_escaped_text_is_parsed_as_written(text: str) -> None:
    shown = [token.children or () for token in tokens_of(escape_markdown(text)) if token.type == "inline"]
    said = "\n".join(
        "".join("\n" if child.type.endswith("break") else child.content for child in children) for children in shown
    )
    assert {child.type for children in shown for child in children} <= {"text", "softbreak", "hardbreak"}
    assert words(said) == words(text)


def words(text: str) -> list[list[str]]:
    return [line.split() for line in text.split("\n") if line.strip()]


@given(MARKUP)
def test_fence_contains_any_inner_fences(text: str) -> None:
    (token,) = tokens_of(fence_text(text))
    assert token.type == "fence"
    assert token.content == (text if text.endswith("\n") or not text else f"{text}\n")


@examples(300)
@example("```\n \n")
@example("```\n  x \n \n\n")
@given(MARKUP)
def test_code_is_unchanged_except_trailing_blank_lines(text: str) -> None:
    parse = MarkdownIt("commonmark", {"html": False}).enable("table").disable("reference").parse
    before, after = (
        [token.content for token in parse(each) if token.type == "fence"]
        for each in (without_blank_end(text), contain_markdown(text))
    )
    assert [piece.rstrip("\n") for piece in before] == [piece.rstrip("\n") for piece in after]


def without_blank_end(text: str) -> str:
    """Text up to its last line that is not blank: an open fence holds the lines after it, and is cut there."""
    lines = text.split("\n")
    while len(lines) > 1 and not lines[-1].strip():
        lines.pop()
    return "\n".join(lines)


@pytest.mark.parametrize("text", ["`" * 30_000, "[" * 30_000, "<" * 100_000, "`a``b" * 20_000, "[a]:" * 20_000])
def test_containing_large_input_is_fast(text: str) -> None:
    assert len(contain_markdown(text)) >= len(text)
