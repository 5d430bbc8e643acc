"""The short form of a server's long message: its beginning, its cause, and no signature."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflectty.protocols.decoding import TEXT_LIMIT, error_body_of, shorten

SIGNED = "https://cdn.example.org/" + "d" * 80 + "?X-Amz-Signature=" + "5" * 600 + "&Expires=1"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("short", "short"),
        ("two\n lines", "two lines"),
        (f'Get "{SIGNED}": dial tcp: no such host', f'Get "{SIGNED.partition("?")[0]}": dial tcp: no such host'),
        ("see https://a.example/x?token=1, or not", "see https://a.example/x or not"),
        ("https://me:secret@a.example/x", "https://a.example/x"),
        ("HTTPS://a.example?k=v", "HTTPS://a.example"),
        ("is it so? a=b", "is it so? a=b"),
        ("x" * TEXT_LIMIT, "x" * TEXT_LIMIT),
    ],
)
def test_message_is_one_line_without_url_queries(text: str, shown: str) -> None:
    assert shorten(text) == shown


@pytest.mark.parametrize("length", [301, 570, 854, 100_000, 10_000_000])
def test_shortened_message_keeps_its_beginning_and_cause(length: int) -> None:
    text = "max retries exceeded: Head " + "a" * (length - 64) + " blocked redirect to a different host"
    shown = error_body_of({"error": text}).text

    assert len(shown) <= TEXT_LIMIT
    assert shown.startswith("max retries exceeded: Head aaa")
    assert " … aaa" in shown
    assert shown.endswith("aaa blocked redirect to a different host")


@given(st.text(st.sampled_from(" ?=&/:@ahtps\"'<>\n"), max_size=2000))
def test_any_shortened_text_is_within_the_limit(text: str) -> None:
    assert len(shorten(text)) <= TEXT_LIMIT
    assert "\n" not in shorten(text)
