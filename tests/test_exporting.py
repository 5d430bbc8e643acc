from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from conversations import ANSWERED, QUESTION, REFLECTION, SESSION, THINKING, TURNS, plainly, said
from corpus import cases
from reflectty.chat import Usage
from reflectty.errors import OutputError, UsageError
from reflectty.exporting import Format, export
from reflectty.exporting.contained import contained, fenced, literal
from reflectty.exporting.html import as_html
from reflectty.exporting.json import as_json
from reflectty.exporting.markdown import as_markdown
from reflectty.exporting.markup import TOO_LONG, markup
from reflectty.exporting.saving import save
from reflectty.safety import clean, is_safe_link
from reflectty.session import Attachment, Ended, Measured, Origin, Said, Session, Turn, branch
from reflectty.stream import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOSTILE = cases("hostile.jsonl")
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
PIECES = [
    *"ab1 \n\n\n\t`*_~#>|![]()-+=\\:.",
    *(
        "<b>",
        "</b>",
        "<b",
        ">",
        "<!--",
        "</details>",
        "</pre>",
        "<?",
        "<![CDATA[",
        "<script>",
        "<https://x.example/",
        "<a@b.c>",
    ),
    *(
        "```",
        "~~~",
        "``",
        "    ",
        "> ",
        "- ",
        "1. ",
        "| a |",
        "|---|",
        "\n|---|---|\n",
        "[a]: /b",
        "[^1]:",
        "![",
        "](x)",
        "&lt;",
    ),
]
MARKUP = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)
OPEN = (
    "```\nnever closed",
    "~~~~ py\nx",
    "> ```\nq",
    "- ```\n  item",
    "<details><summary>x",
    "<!-- hidden",
    "<script>alert(1)</script>",
    "</details></blockquote></div>",
    "`<b>` and \\`<b>\\` and ``a`<i>``",
    "| ` | <b> ` |\n|---|---|\n| ` | <i> ` |",
    "[ref]: https://evil.example/\n\n[ref]",
    "[^1]: note\n\n    <b>",
    "![pixel](https://evil.example/p.png)",
    "[![x](https://evil.example/p.png)](https://evil.example)",
    "    <b>code</b>",
    "text\n===",
    "* a\n\n\n* b\n-\n",
    "<https://ok.example/`>` <b>`",
    "a\\",
)


def turns_with(text: str) -> tuple[Turn, ...]:
    """A conversation that says a text in every place, and an innocent question after it."""
    reply = said(
        text,
        ((THINKING, text), (REFLECTION, text)),
        ended=Ended.INCOMPLETE,
        model=text,
        error=text,
        warnings=(f"{text} ",),
    )
    return (
        Turn(1, None, 0.0, text, (Attachment(text, "file", text), Attachment(text, "image", text))),
        Turn(2, 1, 0.0, said=reply),
        Turn(3, 2, 0.0, "An innocent question about [ref] and [^1]"),
        Turn(4, 3, 0.0, said=plainly("An innocent answer.")),
    )


def session_with(text: str) -> Session:
    return Session("k3f9x2", text, 0.0, 0.0, text, 4, 2)


# JSON


def read_back(document: str) -> tuple[Session, tuple[Turn, ...]]:
    """The values that a document was made of."""
    found = json.loads(document)
    assert (found["format"], found["version"]) == ("reflectty session", 1)
    return Session(**found["session"]), tuple(_turn(turn) for turn in found["turns"])


def _turn(turn: dict[str, Any]) -> Turn:
    attachments = tuple(Attachment(**item) for item in turn["attachments"])
    return Turn(**{**turn, "attachments": attachments, "said": _said(turn["said"]) if turn["said"] else None})


def _said(said: dict[str, Any]) -> Said:
    measured = Measured(**{**said["measured"], "usage": Usage(**said["measured"]["usage"])})
    options = tuple(
        (name, tuple(value) if isinstance(value, list) else value) for name, value in said["options"].items()
    )
    segments = tuple((Kind(item["kind"]), item["text"]) for item in said["segments"])
    return Said(
        **{
            **said,
            "measured": measured,
            "options": options,
            "segments": segments,
            "warnings": tuple(said["warnings"]),
            "ended": Ended(said["ended"]),
            "origin": Origin(said["origin"]),
        }
    )


def test_json_is_everything_that_is_stored() -> None:
    assert read_back(export(SESSION, TURNS, Format.JSON)) == (SESSION, TURNS)


@given(st.text(st.characters(exclude_categories=()), max_size=40))
@example("\ud800\x00\x1b[31m\u202e</script>")
def test_json_carries_any_text_unchanged_and_in_ascii(text: str) -> None:
    document = as_json(session_with(text), turns_with(text))
    assert document.isascii()
    assert not CONTROLS.search(document.replace("\n", ""))
    assert read_back(document) == (session_with(text), turns_with(text))


# Markdown


def test_markdown_reads_as_one_would_write_it() -> None:
    turns = (*TURNS[:4], Turn(8, 4, 0.0, "* why <b>?\n    1. code()"), Turn(9, 8, 0.0, said=said("So.\n")))
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
    """What a reader of Markdown makes of a document that lets it do everything, block and inline."""
    parser = MarkdownIt("commonmark", {"html": True, "maxNesting": 100}).enable(["table", "strikethrough"])
    return [item for token in parser.parse(document) for item in (token, *(token.children or ()))]


def check_containment(text: str) -> None:
    """Check that what was said stays in its place, whatever a reader of Markdown does."""
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
def test_nothing_in_markdown_breaks_out_of_its_place(text: str) -> None:
    check_containment(text)


@settings(max_examples=300, deadline=None)
@given(MARKUP)
def test_no_markup_at_all_breaks_out_of_its_place(text: str) -> None:
    check_containment(text)


@pytest.mark.parametrize("case", HOSTILE, ids=lambda case: case["id"])
def test_hostile_text_stays_in_its_place_in_markdown(case: dict[str, Any]) -> None:
    check_containment(case["text"] * min(case.get("repeat", 1), 2_000))


@settings(max_examples=300, deadline=None)
@given(MARKUP)
@example("    indented\n\n\tmore\n - a\n1) b\n===\n+ c\n# d\n~~~\n| e |\n|---|")
def test_literal_text_is_read_as_it_was_written(text: str) -> None:
    shown = [token.children or () for token in tokens_of(literal(text)) if token.type == "inline"]
    said = "\n".join(
        "".join("\n" if child.type.endswith("break") else child.content for child in children) for children in shown
    )
    assert {child.type for children in shown for child in children} <= {"text", "softbreak", "hardbreak"}
    assert words(said) == words(text)


def words(text: str) -> list[list[str]]:
    return [line.split() for line in text.split("\n") if line.strip()]


@given(MARKUP)
def test_a_fence_holds_whatever_fences_are_in_it(text: str) -> None:
    (token,) = tokens_of(fenced(text))
    assert token.type == "fence"
    assert token.content == (text if text.endswith("\n") or not text else f"{text}\n")


@settings(max_examples=300, deadline=None)
@given(MARKUP)
def test_code_is_left_alone(text: str) -> None:
    parse = MarkdownIt("commonmark", {"html": False}).enable("table").disable("reference").parse
    before, after = (
        [token.content for token in parse(each) if token.type == "fence"] for each in (text, contained(text))
    )
    assert [piece.rstrip("\n") for piece in before] == [piece.rstrip("\n") for piece in after]


@pytest.mark.parametrize("text", ["`" * 30_000, "[" * 30_000, "<" * 100_000, "`a``b" * 20_000, "[a]:" * 20_000])
def test_containing_takes_no_more_than_a_moment(text: str) -> None:
    assert len(contained(text)) >= len(text)


# HTML


class Reader(HTMLParser):
    """Notes the tags of a page, their attributes, its text, and what is left open."""

    VOID = frozenset({"meta", "br", "hr", "img"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.wrong: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        self.wrong.append(data)


TAGS = frozenset(
    {"html", "head", "meta", "title", "style", "body", "header", "main", "section", "div", "details", "summary", "pre"}
    | {
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "p",
        "b",
        "code",
        "span",
        "a",
        "br",
        "hr",
        "ul",
        "ol",
        "li",
        "table",
        "thead",
    }
    | {"tbody", "tr", "th", "td", "em", "strong", "s", "blockquote", "img"}
)
ATTRIBUTES = {
    "class",
    "href",
    "rel",
    "start",
    "style",
    "lang",
    "charset",
    "http-equiv",
    "content",
    "name",
    "src",
    "alt",
}


def check_page(page: str) -> Reader:
    """Check that a page has nothing but what it should have; return what is in it."""
    read = Reader(page)
    assert (read.open, read.wrong) == ([], [])
    assert {tag for tag, _ in read.tags} - TAGS == set()
    assert {name for _, attributes in read.tags for name in attributes} - ATTRIBUTES == set()
    assert [url for _, found in read.tags if (url := found.get("href")) is not None and not is_safe_link(url)] == []
    assert all((found.get("src") or "").startswith("data:image/") for tag, found in read.tags if tag == "img")
    assert {found["style"] for tag, found in read.tags if "style" in found} <= {
        f"text-align:{side}" for side in ("left", "right", "center")
    }
    assert not CONTROLS.search("".join(read.texts).replace("\n", ""))
    assert not CONTROLS.search(page.replace("\n", ""))
    return read


@pytest.mark.parametrize(
    "text", [*OPEN, "<img src=x onerror=alert(1)>", '" onmouseover="x', "</style></title><script>"]
)
def test_nothing_in_html_breaks_out_of_its_place(text: str) -> None:
    read = check_page(as_html(session_with(text), turns_with(text)))
    assert "An innocent answer." in "".join(read.texts)
    assert "".join(read.texts).count(text.strip()) >= 4


@settings(max_examples=200, deadline=None)
@given(MARKUP)
def test_no_markup_at_all_breaks_a_page(text: str) -> None:
    check_page(as_html(session_with(text), turns_with(text)))


@pytest.mark.parametrize("case", HOSTILE, ids=lambda case: case["id"])
def test_hostile_text_is_harmless_in_html(case: dict[str, Any]) -> None:
    text = case["text"] * min(case.get("repeat", 1), 2_000)
    page = as_html(session_with(text), turns_with(text))
    read = check_page(page)
    assert clean(text).strip("\n") in "".join(read.texts)
    if case["expect"] == "neutralise" and "needle" in case:
        assert case["needle"] not in page


@pytest.mark.parametrize(
    ("source", "link"),
    [
        ("[x](https://ok.example/a?b=1&c=2)", "https://ok.example/a?b=1&c=2"),
        ("<mailto:a@b.example>", "mailto:a@b.example"),
        ("![x](https://ok.example/p.png)", "https://ok.example/p.png"),
        ("[x](javascript:alert(1))", None),
        ("[x](JaVaScRiPt&colon;alert(1))", None),
        ("[x](data:text/html,x)", None),
        ("[x](file:///etc/passwd)", None),
        ("[x](//evil.example)", None),
        ("[x](vbscript:x)", None),
    ],
)
def test_only_safe_links_are_links(source: str, link: str | None) -> None:
    links = [found["href"] for tag, found in Reader(markup(source)).tags if tag == "a"]
    assert links == ([link] if link else [])


def test_a_page_shows_each_part_as_what_it_is() -> None:
    page = as_html(SESSION, branch(TURNS, 5))
    assert '<div class="said">Which is larger, 9.11 or 9.9?</div>' in page
    assert "<summary>thought 2 s · 64 tokens · <b>1 correction</b> · 41 tok/s</summary>" in page
    assert '<div class="correction">I must compare the same number of digits: 9.9 is 9.90.</div>' in page
    assert '<summary><b class="steered">steered</b> · thought 2 s' in page
    assert "<p><strong>9.9</strong> is larger.</p>" in page
    assert '<span class="dim"># True</span>' in page
    assert '<th style="text-align:right">b</th>' in page
    assert "default-src 'none'" in page
    assert "prefers-color-scheme: dark" in page


def test_a_reply_that_did_not_end_well_says_so_on_the_page() -> None:
    assert '<p class="wrong">stopped by the user</p>' in as_html(SESSION, branch(TURNS, 7))


def test_a_page_fetches_nothing() -> None:
    page = as_html(SESSION, TURNS)
    assert not re.search(r"url\(|@import|src=|<link|<script", page)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("iVBORw0KGgoAAAA=", "png"),
        ("/9j/AAAA", "jpeg"),
        ("PHN2Zz4=", None),
        ('iVBORw0KGgo" onload="x', None),
        ("iVBORw0KGgo\n", None),
    ],
)
def test_a_picture_that_came_along_is_in_the_page_when_it_is_one(content: str, kind: str | None) -> None:
    page = as_html(SESSION, (Turn(1, None, 0.0, "q", (Attachment("a.png", "image", content),)),))
    sources = [found["src"] for tag, found in Reader(page).tags if tag == "img"]
    assert sources == ([f"data:image/{kind};base64,{content}"] if kind else [])


@pytest.mark.parametrize("text", ["A" * (TOO_LONG + 1), "> " * 80 + "deep", "- " * 80 + "deep"])
def test_what_cannot_be_read_as_markdown_is_shown_as_it_is(text: str) -> None:
    (tag, _), *_ = Reader(markup(text)).tags
    assert tag == "pre"
    assert "".join(Reader(markup(text)).texts).strip() == text


@pytest.mark.parametrize("form", list(Format))
def test_a_session_in_which_nothing_was_asked_can_be_exported(form: Format) -> None:
    assert export(Session("abcdef", "", 0.0, 0.0), (), form).endswith("\n")


@pytest.mark.parametrize("form", [Format.MARKDOWN, Format.HTML])
def test_only_the_branch_looked_at_last_is_exported_to_be_read(form: Format) -> None:
    assert "Roman" not in export(SESSION, TURNS, form)
    assert "Roman" in export(SESSION._replace(leaf=4), TURNS, form)


# Saving


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in which nothing is left behind."""
    yield tmp_path
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_file_is_written_in_utf_8(folder: Path) -> None:
    save("é\n", folder / "a.md")
    assert (folder / "a.md").read_bytes() == "é\n".encode()


def test_a_file_that_is_there_stays_unless_it_may_be_replaced(folder: Path) -> None:
    path = folder / "a.md"
    path.write_text("mine")
    with pytest.raises(UsageError, match="is there already"):
        save("theirs", path)
    assert path.read_text() == "mine"
    save("theirs", path, force=True)
    assert path.read_text() == "theirs"


def test_what_a_link_points_to_is_replaced_and_the_link_stays(folder: Path) -> None:
    (folder / "a.md").write_text("old")
    (folder / "b.md").symlink_to("a.md")
    save("new", folder / "b.md", force=True)
    assert (folder / "b.md").is_symlink()
    assert (folder / "a.md").read_text() == "new"


@pytest.mark.parametrize("force", [False, True])
def test_what_is_no_file_is_never_replaced(folder: Path, force: bool) -> None:
    os.mkfifo(folder / "pipe")
    for path in (folder, folder / "pipe"):
        with pytest.raises(UsageError):
            save("x", path, force=force)
    assert stat.S_ISFIFO((folder / "pipe").stat().st_mode)


@pytest.mark.parametrize("name", ["missing/a.md", "a\0b.md", "x" * 300 + ".md"])
def test_where_nothing_can_be_written_that_is_said(folder: Path, name: str) -> None:
    with pytest.raises(OutputError, match="cannot write"):
        save("x", folder / name)


def test_a_text_that_cannot_be_written_whole_is_not_written_at_all(folder: Path) -> None:
    path = folder / "a.md"
    path.write_text("mine")
    with pytest.raises(OutputError, match="cannot write"):
        save("a" * 100_000 + "\ud800", path, force=True)
    assert path.read_text() == "mine"


def test_a_full_disk_leaves_nothing_behind(folder: Path) -> None:
    script = f"""
import pathlib, resource
from reflectty.exporting.saving import save
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
save("a" * 100_000, pathlib.Path({str(folder / "a.md")!r}))
"""
    done = subprocess.run((sys.executable, "-c", script), capture_output=True, text=True, timeout=60, check=False)
    assert "OutputError: cannot write" in done.stderr
    assert list(folder.iterdir()) == []


def test_the_title_and_the_answer_are_in_every_form() -> None:
    for form in Format:
        document = export(SESSION, TURNS, form)
        assert QUESTION in document
        assert ANSWERED.split()[2] in document
