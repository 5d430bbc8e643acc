from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflectty.core.safety import clean_line, is_safe_link
from support.properties import examples
from support.safety_checks import ENGLAND, FLAG, fed, texts


@pytest.mark.parametrize(
    ("text", "limit", "line"),
    [
        ("plain", 10, "plain"),
        ("two\r\nlines\tand\n\n\tmore\n", 40, "two lines and more"),
        ("\x1b]0;title\x07", 40, "^[]0;title^G"),
        ("0123456789", 10, "0123456789"),
        ("0123456789x", 10, "012345678…"),
        ("👩\u200d💻👩\u200d💻", 3, "👩\u200d…"),
        (ENGLAND, 5, FLAG + "…"),
        ("abc \u200f((((ש", 8, "abc …"),
        ("", 10, ""),
        ("\n", 10, ""),
    ],
)
def test_line_is_a_single_line_within_the_limit(text: str, limit: int, line: str) -> None:
    assert clean_line(text, limit) == line


@examples(200)
@given(texts, st.integers(1, 60))
def test_truncated_line_is_safe(text: str, limit: int) -> None:
    line = clean_line(text, limit)
    assert len(line) <= limit
    assert not {"\n", "\t"} & set(line)
    assert fed([line]) == (line, 0)


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://example.org/a?b=c#d", True),
        ("HTTP://example.org", True),
        ("mailto:someone@example.org", True),
        ("https://例え.jp/", True),
        ("javascript:alert(1)", False),
        ("file:///etc/passwd", False),
        ("ssh://-oProxyCommand=id/", False),
        ("x-man-page://ls", False),
        (" https://example.org", False),
        ("https://example.org/\x1b]52;c;\x07", False),
        ("https://example.org/\u202egpj", False),
        ("https://example.org/a b", False),
        ("example.org", False),
        ("https", False),
        ("", False),
    ],
)
def test_only_web_and_mail_links_may_be_opened(url: str, safe: bool) -> None:
    assert is_safe_link(url) is safe
