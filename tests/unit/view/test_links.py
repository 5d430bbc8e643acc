"""Links that a terminal can open, and boxes of tasks."""

from __future__ import annotations

import re

import pytest

from reflectty.view.links import link_target_of, split_at_addresses
from reflectty.view.markdown import Flow, render_blocks
from support.drawn_markdown import ASCII, PLAIN, STYLED, drawn

OSC_8 = re.compile(r"\x1b\]8;(?:id=([^;]*))?;([^\x1b]*)\x1b\\")
LONG = "https://example.org/" + "path/" * 30


def sent(source: str, width: int = 90) -> str:
    """What is sent to a terminal for an answer."""
    rows, _ = render_blocks(source, width, width, STYLED, Flow())
    return "\n".join(map(STYLED.paint, rows))


def links(source: str, width: int = 90) -> list[tuple[str, str]]:
    """The id and the address of each piece that is a link."""
    return [(found[1], found[2]) for found in OSC_8.finditer(sent(source, width)) if found[2]]


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://example.org/a?b=c;d&e=f#g", "https://example.org/a?b=c;d&e=f#g"),
        ("HTTP://example.org", "HTTP://example.org"),
        ("mailto:a@b.c", "mailto:a@b.c"),
        ("https://example.org/%C3%A4ä", "https://example.org/%C3%A4%C3%A4"),
        ("javascript:alert(1)", ""),
        ("file:///etc/passwd", ""),
        ("ssh://host", ""),
        ("docs/x.md", ""),
        ("https://a.b/\x1b]8;;evil\x1b\\", ""),
        ("https://a.b/\x07", ""),
        ("https://a.b/\x9c", ""),
        ("https://a.b/\u202egnp.exe", ""),
        ("https://a.b/" + "x" * 3000, ""),
    ],
)
def test_only_clean_addresses_of_the_web_and_of_mail_are_linked(url: str, target: str) -> None:
    assert link_target_of(url) == target


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("see https://a.b/c.", ["https://a.b/c"]),
        ("(https://a.b/c_(d)) and http://e.f?", ["https://a.b/c_(d)", "http://e.f"]),
        ("no ftp://a.b, no xhttps://a.b", []),
        ("**https://a.b**", ["https://a.b"]),
    ],
)
def test_bare_addresses_end_before_the_punctuation_of_the_sentence(text: str, addresses: list[str]) -> None:
    assert [url for _, url in split_at_addresses(text) if url] == addresses
    assert "".join(piece for piece, _ in split_at_addresses(text)) == text


def test_all_pieces_of_a_wrapped_link_have_one_id() -> None:
    found = links(f"Read {LONG} now", 40)
    assert len(found) > 2
    assert len(set(found)) == 1


def test_words_and_address_of_a_link_are_both_links() -> None:
    found = links("[words](https://example.org/x)")
    assert [url for _, url in found] == ["https://example.org/x"] * 2
    assert found[0] == found[1]


def test_a_link_that_must_not_be_opened_sends_no_address() -> None:
    assert links("[words](javascript:alert) [more](ssh://x) `https://in.code`") == []


def test_a_pipe_gets_no_links() -> None:
    rows, _ = render_blocks("https://example.org [a](http://x.org)", 90, 90, PLAIN, Flow())
    assert "\x1b" not in "".join(map(PLAIN.paint, rows))


@pytest.mark.parametrize(
    ("source", "rows"),
    [
        ("- [ ] one\n- [x] two\n- three", ["☐ one", "☑ two", "• three"]),
        ("1. [X] one\n2. [ ] **two**", ["1. ☑ one", "2. ☐ two"]),
        ("- [x]not\n- [y] not\n- [ ](http://x.org)", ["• [x]not", "• [y] not", "•   (http://x.org)"]),
        ("- one\n  - [ ] inner", ["• one", "  ☐ inner"]),
    ],
)
def test_tasks_are_drawn_as_boxes(source: str, rows: list[str]) -> None:
    assert drawn(source, STYLED) == rows


def test_tasks_keep_their_source_form_without_styles_or_unicode() -> None:
    assert drawn("- [ ] one\n- [x] two", PLAIN) == ["• [ ] one", "• [x] two"]
    assert drawn("- [ ] one\n- [x] two", ASCII) == ["[ ] one", "[x] two"]
