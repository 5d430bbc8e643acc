from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from reflectty.core.safety import Sanitizer, clean
from support.properties import examples
from support.safety_checks import fed, is_forbidden, stray_tags, terminal_commands, texts

HELD_AT_MOST = 9


@examples(400)
@given(texts, st.lists(st.integers(0, 120), max_size=6))
def test_any_split_gives_the_same_output(text: str, cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(text)]
    assert fed([text[start:end] for start, end in pairwise(places)]) == fed([text])
    assert fed(text) == fed([text])


@examples(300)
@given(texts)
def test_cleaned_text_is_safe_and_unchanged_by_cleaning(text: str) -> None:
    shown = clean(text)
    assert fed([shown]) == (shown, 0)
    assert terminal_commands(shown) <= {"draw", "linefeed", "tab"}
    assert not [char for char in shown if is_forbidden(char)]
    assert not stray_tags(shown)
    shown.encode()


@examples(300)
@given(texts)
def test_little_text_is_held_back(text: str) -> None:
    sanitizer = Sanitizer()
    sanitizer.feed(text)
    assert len(sanitizer.close()) <= HELD_AT_MOST * len("<U+10FFFF>")
