from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from reflectty.core.safety import Sanitizer, clean
from support.cases import cases
from support.safety_checks import (
    ENGLAND,
    FLAG,
    SCOTLAND,
    TEXAS,
    WALES,
    fed,
    is_forbidden,
    stray_tags,
    terminal_commands,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

CASES = cases("hostile.jsonl")
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
SHORT, LONG = 300, 12_000
"""Lengths below which a text is cut at every place in the quick tier, and in the others."""


def given_text(case: dict[str, Any]) -> str:
    return str(case["text"]) * int(case.get("repeat", 1))


def shown_text(case: dict[str, Any]) -> str:
    return str(case["out"]) * int(case.get("repeat", 1))


@each_case
def test_hostile_text_is_shown_as_the_policy_requires(case: dict[str, Any]) -> None:
    assert clean(given_text(case)) == shown_text(case)


@each_case
def test_chunks_give_the_same_output_as_the_whole_text(case: dict[str, Any]) -> None:
    assert fed(case.get("chunks") or [given_text(case)])[0] == shown_text(case)


@each_case
def test_any_split_gives_the_same_output(case: dict[str, Any]) -> None:
    text = given_text(case)
    step = 1 + (len(text) // SHORT if len(text) < LONG else len(text) // LONG * 1000)
    check_cuts(text, range(0, len(text) + 1, step))


@pytest.mark.slow
@pytest.mark.parametrize(
    "case", [case for case in CASES if SHORT <= len(given_text(case)) < LONG], ids=lambda case: case["id"]
)
def test_any_split_of_a_long_text_gives_the_same_output(case: dict[str, Any]) -> None:
    text = given_text(case)
    check_cuts(text, range(len(text) + 1))


def check_cuts(text: str, cuts: Iterable[int]) -> None:
    whole = fed([text])
    for cut in cuts:
        assert fed([text[:cut], text[cut:]]) == whole, cut


@each_case
def test_cleaned_text_contains_no_terminal_commands(case: dict[str, Any]) -> None:
    assert terminal_commands(clean(given_text(case))) <= {"draw", "linefeed", "tab"}


@each_case
def test_no_forbidden_character_survives(case: dict[str, Any]) -> None:
    shown = clean(given_text(case))
    assert not [char for char in set(shown) if is_forbidden(char)]
    assert not stray_tags(shown)
    assert not case.get("needle") or case["needle"] not in shown or case["needle"] in shown_text(case)


def test_listener_detects_commands_in_raw_text() -> None:
    assert {"set_title", "erase_in_line", "bell"} <= terminal_commands("\x1b]2;x\x07\x1b[2K\x07")


def test_no_forbidden_code_point_survives_between_letters() -> None:
    forbidden = [
        chr(code) for code in range(sys.maxunicode + 1) if is_forbidden(chr(code)) or 0xE0000 <= code < 0xE1000
    ]
    for char in forbidden:
        shown = clean(f"a{char}b")
        assert char not in shown, hex(ord(char))
        assert shown[0] + shown[-1] == "ab"


def test_every_visible_code_point_stays() -> None:
    selectors = set("\U0001d159\U00016fe4").union(
        map(chr, [*range(0x180B, 0x1810), 0xFE0E, 0xFE0F, *range(0xE0100, 0xE01F0)])
    )
    visible = [
        char
        for char in map(chr, range(sys.maxunicode + 1))
        if char.isprintable() and not (is_forbidden(char) or char in selectors)
    ]
    # One at a time would take ten times as long; a character on a line of its own has no neighbors either.
    for start in range(0, len(visible), 1000):
        lines = visible[start : start + 1000]
        text = "\n".join(lines)
        assert clean(text) == text, [hex(ord(char)) for char in lines if clean(char) != char]


KEPT = {
    "a tab and line feeds": "a\tb\n\nc",
    "a no-break space": "10\xa0000\u202f€",
    "a private code point": "\ue0b0 \U000f0001",
    "an emoji newer than the Unicode of an older Python": "\U0001fae9 \U0001fac6",
    "a keycap": "1\ufe0f\u20e3 #\ufe0f\u20e3",
    "a skin tone": "👍🏽 👩🏽\u200d💻",
    "a sequence through a selector": "❤\ufe0f\u200d🔥 ⛓\ufe0f\u200d💥 🏃\u200d♂\ufe0f",
    "text style": "☎\ufe0e ℹ\ufe0f ©\ufe0f",
    "a flag of two letters": "🇩🇪🇫🇷",
    "the flags of tags": ENGLAND + SCOTLAND + WALES,
    "a pirate": FLAG + "\u200d☠\ufe0f",
    "a black flag": FLAG + " " + FLAG,
    "Persian": "می\u200cخواهم خانه\u200cها",
    "Arabic joined to nothing": "ه\u200d",
    "Hindi": "क्\u200dष क्\u200cष",
    "Bengali": "র\u200d্য",
    "Malayalam": "ന്\u200d",
    "Sinhala": "ශ්\u200dරී",
    "Khmer": "ប\u200c៉",
    "Mongolian": "ᠠ\u180b",
    "an ideograph's variant": "葛\U000e0100飾 𠀋\U000e0101",
    "a mark before Hebrew": "\u200fשלום",
    "a mark after Hebrew": "שלום\u200f",
    "a mark after the punctuation of Hebrew": "שלום!)\u200f",
    "a mark as far from Hebrew as it may be": "שלום" + "!" * 7 + "\u200f",
    "a mark as far before Hebrew as it may be": "\u200f" + "!" * 7 + "שלום",
    "a mark after pointed Hebrew": "שָׁ\u200f",
    "a mark between Latin and Arabic": "Wikipedia™\u200e طوال",
    "a mark before a list in Hebrew": "\u200f1. (שלום)",
    "an Arabic letter mark": "\u061cمرحبا",
    "thirty marks": "a" + "\u0301" * 30 + "b" + "\u0302" * 30,
    "Vietnamese taken apart": "Vie\u0323\u0302t",
    "Thai": "สวัสดีครับ" * 20,
    "many dandas": "।" * 100,
    "many lines": "─" * 100,
}
SHOWN = {
    "a lone carriage return": ("a\rb", "a^Mb"),
    "a carriage return before a line end": ("a\r\r\nb", "a^M\nb"),
    "a carriage return at the end": ("a\r", "a^M"),
    "line feed before carriage return": ("a\n\rb", "a\n^Mb"),
    "delete": ("a\x7fb", "a^?b"),
    "halves in the wrong order": ("\ude00\ud83d", "\ufffd\ufffd"),
    "two first halves": ("\ud83d\ud83d\ude00", "\ufffd😀"),
    "halves that make a tag": ("a\udb40\udc67", "a<U+E0067>"),
    "line and paragraph separators": ("a\u2028b\u2029c", "a<U+2028>b<U+2029>c"),
    "interlinear annotation": ("\ufff9a\ufffab\ufffb", "<U+FFF9>a<U+FFFA>b<U+FFFB>"),
    "a braille blank": ("⠓\u2800⠓", "⠓<U+2800>⠓"),
    "a byte order mark": ("\ufeffa", "<U+FEFF>a"),
    "formats of music, shorthand and Egypt": (
        "\U0001d173\U0001bca0\U00013430",
        "<U+1D173><U+1BCA0><U+13430>",
    ),
    "formats in Arabic": ("\u0600\u06dd", "<U+0600><U+06DD>"),
    "a joiner at the beginning": ("\u200da", "<U+200D>a"),
    "a second joiner": ("👩\u200d\u200d💻 ب\u200c\u200c", "👩\u200d<U+200D>💻 ب\u200c<U+200C>"),
    "a joiner after a space": ("می \u200c", "می <U+200C>"),
    "a joiner after a format of its script": ("\u06dd\u200d", "<U+06DD><U+200D>"),
    "a selector after nothing": ("\ufe0f a \ufe0f", "<U+FE0F> a <U+FE0F>"),
    "selectors after nothing": ("\ufe0f\ufe0f\ufe0e", "<U+FE0F><U+FE0F><U+FE0E>"),
    "a second selector": ("❤\ufe0f\ufe0f", "❤\ufe0f<U+FE0F>"),
    "a selector after a mark": ("e\u0301\ufe0f", "e\u0301<U+FE0F>"),
    "a selector after what is replaced": ("\u3164\ufe0f", "<U+3164><U+FE0F>"),
    "a selector of another kind": ("❤\ufe00", "❤<U+FE00>"),
    "an ideograph's second variant": ("葛\U000e0100\U000e0101", "葛\U000e0100<U+E0101>"),
    "an ideograph's variant after an emoji": ("😀\U000e0100", "😀<U+E0100>"),
    "a Mongolian selector elsewhere": ("a\u180b ᠠ\u180b\u180b", "a<U+180B> ᠠ\u180b<U+180B>"),
    "tags without a flag": (ENGLAND[1:], "".join(f"<U+{ord(tag):X}>" for tag in ENGLAND[1:])),
    "tags of another flag": (TEXAS, FLAG + "".join(f"<U+{ord(tag):X}>" for tag in TEXAS[1:])),
    "a flag cut short": (ENGLAND[:-1], FLAG + "".join(f"<U+{ord(tag):X}>" for tag in ENGLAND[1:-1])),
    "tags after a flag": (ENGLAND + ENGLAND[1:3], ENGLAND + "<U+E0067><U+E0062>"),
    "a direction mark among Latin": ("ls\u200e -la", "ls<U+200E> -la"),
    "a direction mark far from Hebrew": ("שלום ls\u200f -la", "שלום ls<U+200F> -la"),
    "a direction mark too far behind Hebrew": ("שלום!!!!!!!!\u200f", "שלום!!!!!!!!<U+200F>"),
    "a direction mark too far before Hebrew": ("\u200f!!!!!!!!שלום", "<U+200F>!!!!!!!!שלום"),
    "a direction mark on the line after": ("שלום\n\u200fls", "שלום\n<U+200F>ls"),
    "a second direction mark": ("שלום\u200f\u200e", "שלום\u200f<U+200E>"),
    "a direction mark before replaced text": ("\u200f\u2066ש", "<U+200F><U+2066>ש"),
    "a direction mark alone": ("\u200f", "<U+200F>"),
    "an override in Hebrew": ("של\u202eום", "של<U+202E>ום"),
}


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT.keys())
def test_meaningful_format_characters_are_preserved(text: str) -> None:
    assert fed([text]) == (text, 0)
    assert fed(text) == (text, 0)


@pytest.mark.parametrize(("text", "shown"), SHOWN.values(), ids=SHOWN.keys())
def test_hidden_or_control_characters_are_made_visible(text: str, shown: str) -> None:
    assert clean(text) == shown
    assert fed(text)[0] == shown


@pytest.mark.parametrize(
    ("text", "shown", "dropped"),
    [
        ("a" + "\u0301" * 40, "a" + "\u0301" * 30, 10),
        ("\u0301" * 1_000, "\u0301" * 30, 970),
        ("a" + "\u0301" * 20 + "\u20dd" * 20 + "b\u0301", "a" + "\u0301" * 20 + "\u20dd" * 10 + "b\u0301", 10),
        ("ب" + "\u064b\u200c" * 40, "ب" + "\u064b\u200c" * 15, 50),
        ("a" + "\u0301" * 40 + "।" + "\u0301" * 40, "a" + "\u0301" * 30 + "।" + "\u0301" * 30, 20),
    ],
)
def test_a_base_character_has_at_most_thirty_marks(text: str, shown: str, dropped: int) -> None:
    assert fed([text]) == (shown, dropped)
    assert fed(text) == (shown, dropped)


def test_mark_count_restarts_after_a_replacement() -> None:
    text = "a" + "\u0301" * 25 + "\u034f" + "\u0301" * 25 + "\u200d" + "\u0301" * 25
    assert clean(text) == text.replace("\u034f", "<U+034F>").replace("\u200d", "<U+200D>")


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("a\r\nb\tc", 0),
        ("\x1b[31m", 1),
        ("\x07\x07\r\u202e\ud800", 5),
        ("\ud83d\ude00", 0),
        (TEXAS, 5),
    ],
)
def test_replaced_characters_are_counted(text: str, count: int) -> None:
    assert fed([text])[1] == count


@pytest.mark.parametrize(
    "text", ["\x1b", "\ud800", chr(0xDC00), "\u200d", "\ufe0f", "\u200f", "\r", "\U000e0067", "\x1b["]
)
def test_repeated_control_characters_are_all_shown(text: str) -> None:
    assert clean(text * 50_000) == "".join(map(clean, text)) * 50_000


def test_half_a_surrogate_pair_waits_for_the_other() -> None:
    sanitizer = Sanitizer()
    assert [sanitizer.feed("\ud83d"), sanitizer.feed("\ude00"), sanitizer.close()] == ["", "😀", ""]


def test_text_after_close_continues_in_context() -> None:
    sanitizer = Sanitizer()
    assert [sanitizer.feed("👩"), sanitizer.close(), sanitizer.feed("\u200d\r"), sanitizer.close()] == [
        "👩",
        "",
        "\u200d",
        "^M",
    ]
