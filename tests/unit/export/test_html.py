from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given

from reflectty.core.safety import clean, is_safe_link
from reflectty.core.segments import Kind
from reflectty.core.session import Attachment, StoredReply, Turn, branch_to
from reflectty.export.html import MAX_MARKDOWN_LENGTH, as_html, markdown_to_html
from support.conversations import SESSION, TURNS
from support.hostile_strategies import CONTROLS, MARKUP, OPEN, session_with, turns_with
from support.hostile_texts import hostile_texts, is_let_through, text_of
from support.html_reader import HtmlReader
from support.properties import examples

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
    | {"tbody", "tr", "th", "td", "em", "strong", "s", "blockquote", "img", "i"}
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
    "title",
    "aria-hidden",
}


def check_page(page: str) -> HtmlReader:
    """Check that a page has only allowed contents; return the parsed page."""
    read = HtmlReader(page)
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
def test_html_text_cannot_break_out_of_its_element(text: str) -> None:
    read = check_page(as_html(session_with(text), turns_with(text)))
    assert "An innocent answer." in "".join(read.texts)
    assert "".join(read.texts).count(text.strip()) >= 4


@examples(200)
@given(MARKUP)
def test_any_markup_gives_a_valid_page(text: str) -> None:
    check_page(as_html(session_with(text), turns_with(text)))


@hostile_texts
def test_hostile_text_is_harmless_in_html(hostile: tuple[dict[str, Any], ...]) -> None:
    for case in hostile:
        text = text_of(case)
        page = as_html(session_with(text), turns_with(text))
        read = check_page(page)
        assert clean(text).strip("\n") in "".join(read.texts), case["id"]
        assert not is_let_through(case, page), case["id"]


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
    links = [found["href"] for tag, found in HtmlReader(markdown_to_html(source)).tags if tag == "a"]
    assert links == ([link] if link else [])


@pytest.mark.parametrize("entity", ["&#x202e;", "&#x200b;", "&#x1b;", "&#155;", "&ZeroWidthSpace;"])
@pytest.mark.parametrize(
    "source", ["{}gpj", "[{}gpj](https://ok.example)", "![{}gpj](https://ok.example)", '[x](/a "{}gpj")']
)
def test_decoded_entities_are_cleaned_too(source: str, entity: str) -> None:
    page = "".join(HtmlReader(markdown_to_html(source.format(entity))).texts)
    assert not re.search("[\x1b\x9b\u200b\u202e]", page)


def test_page_renders_each_part() -> None:
    page = as_html(SESSION, branch_to(TURNS, 5))
    assert '<div class="said">Which is larger, 9.11 or 9.9?</div>' in page
    assert "<summary>thought 2 s · 64 tokens · <b>1 correction</b> · 41 tok/s</summary>" in page
    assert '<div class="correction">I must compare the same number of digits: 9.9 is 9.90.</div>' in page
    assert '<summary><b class="steered">steered</b> · thought 2 s' in page
    assert "<p><strong>9.9</strong> is larger.</p>" in page
    assert '<span class="dim"># True</span>' in page
    assert '<th style="text-align:right">b</th>' in page
    assert "default-src 'none'" in page
    assert "prefers-color-scheme: dark" in page


def test_page_shows_why_a_reply_ended_badly() -> None:
    assert '<p class="wrong">stopped by the user</p>' in as_html(SESSION, branch_to(TURNS, 7))


def test_page_loads_no_external_resources() -> None:
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
def test_valid_image_is_embedded_in_the_page(content: str, kind: str | None) -> None:
    page = as_html(SESSION, (Turn(1, None, 0.0, "q", (Attachment("a.png", "image", content),)),))
    sources = [found["src"] for tag, found in HtmlReader(page).tags if tag == "img"]
    assert sources == ([f"data:image/{kind};base64,{content}"] if kind else [])


@pytest.mark.parametrize("text", ["A" * (MAX_MARKDOWN_LENGTH + 1), "> " * 80 + "deep", "- " * 80 + "deep"])
def test_unparsable_markdown_is_shown_as_plain_text(text: str) -> None:
    (tag, _), *_ = HtmlReader(markdown_to_html(text)).tags
    assert tag == "pre"
    assert "".join(HtmlReader(markdown_to_html(text)).texts).strip() == text


def test_long_thought_has_a_map() -> None:
    plain = "I add the next number to the sum of those before it. " * 20
    thinking = f"{plain}Wait, no, that is wrong. {plain}So it is 4. {plain}"
    reply = StoredReply("m", segments=((Kind.THINKING, thinking), (Kind.ANSWER, "4")))
    page = as_html(SESSION, (Turn(1, None, 0.0, "q"), Turn(2, 1, 0.0, said=reply)))
    cells = [attributes for tag, attributes in HtmlReader(page).tags if tag == "i"]

    assert len(cells) == 60
    assert [cell["title"] for cell in cells if cell] == ["correction", "settled"]
    assert [cell["class"] for cell in cells if cell] == ["correction", "settled"]
