r"""Makes untrusted text safe for a terminal by showing control and invisible characters instead of sending them.

Replaces each code point that a terminal would obey or a reader could not see: C0 controls and DEL become `^X`, a lone
surrogate U+FFFD, the rest `<U+XXXX>`. It parses no escape sequences, so none can be read one way here and another way
by the terminal. Invisible code points stay where they affect spelling. Line feed and tab stay; `\r\n` becomes a line
feed.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING
from unicodedata import bidirectional, category

from reflectty.core.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

# The classes below are fixed ranges, not looked up: newer emoji stay emoji on an older Python.
_CONTROLS = r"\x00-\x08\x0b-\x1f\x7f-\x9f"
_INVISIBLE = (
    "\xad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b\u2028-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0d\ufeff\uffa0"
    "\ufff0-\ufffb\U00016fe4\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e00ff"
    "\U000e01f0-\U000e0fff"
)
_FORMATS = "\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd\U00013430-\U0001343f"
_NONCHARACTERS = "\ufdd0-\ufdef" + "".join(
    f"{chr(plane + 0xFFFE)}-{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000)
)
_ALWAYS_REPLACED = f"{_CONTROLS}{_INVISIBLE}{_FORMATS}{_NONCHARACTERS}\ud800-\udfff"

_JOINERS = "\u200c\u200d"
_DIRECTIONS = "\u061c\u200e\u200f"
_EMOJI_SELECTORS = "\ufe0e\ufe0f"
_IDEOGRAPH_SELECTORS = "\U000e0100-\U000e01ef"
_MONGOLIAN_SELECTORS = "\u180b-\u180d\u180f"
_REPLACED_OUT_OF_PLACE = _JOINERS + _EMOJI_SELECTORS + _IDEOGRAPH_SELECTORS + _MONGOLIAN_SELECTORS

# Extended_Pictographic in the BMP; above it whole blocks, skin tones and regional indicators included.
_EMOJI = (
    "\xa9\xae\u203c\u2049\u2122\u2139\u2194-\u2199\u21a9\u21aa\u231a\u231b\u2328\u2388\u23cf\u23e9-\u23f3\u23f8-\u23fa"
    "\u24c2\u25aa\u25ab\u25b6\u25c0\u25fb-\u25fe\u2600-\u2605\u2607-\u2612\u2614-\u2685\u2690-\u2705\u2708-\u2712\u2714"
    "\u2716\u271d\u2721\u2728\u2733\u2734\u2744\u2747\u274c\u274e\u2753-\u2755\u2757\u2763-\u2767\u2795-\u2797\u27a1"
    "\u27b0\u27bf\u2934\u2935\u2b05-\u2b07\u2b1b\u2b1c\u2b50\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
)
# Blocks of the scripts whose letters join or form conjuncts: Arabic, Syriac, N'Ko, Mandaic, India's, Myanmar, Khmer,
# Mongolian, those of Java and Bali, Arabic presentation forms; above the BMP the cursive and the Brahmic ones.
_JOINING = (
    "\u0600-\u061b\u061d-\u077f\u07c0-\u07ff\u0840-\u0dff\u1000-\u109f\u1780-\u180a\u1810-\u18af\u1a20-\u1c4f\u1cd0-\u1cff"
    "\ua800-\ua82f\ua840-\ua8ff\ua930-\uaaff\uabc0-\uabff\ufb50-\ufdff\ufe70-\ufefc\U00010ac0-\U00010aff"
    "\U00010b80-\U00010baf\U00010d00-\U00010d3f\U00010f30-\U00010fdf\U00011000-\U00011fff\U0001e900-\U0001e95f"
)
_IDEOGRAPHS = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd"
_MONGOLIAN = "\u1807-\u180a\u1810-\u18af"
_BASES = (
    r"\w!-~\xa1-\xff\u2010-\u2027\u2030-\u205e\u20a0-\u20cf\u2100-\u2bff\u3001-\u3029\u3030-\u303f\u3200-\u33ff"
    "\ue000-\uf8ff\U0001f000-\U0001faff"
)

_FLAG = "\U0001f3f4"
_FLAG_TAGS = tuple(
    "".join(chr(0xE0000 + ord(letter)) for letter in f"{name}\x7f") for name in ("gbeng", "gbsct", "gbwls")
)

_STRAY = (
    f"(?:(?<=[{_ALWAYS_REPLACED}])|(?<=[{_ALWAYS_REPLACED}][{_REPLACED_OUT_OF_PLACE}])"
    f"|(?<![{_EMOJI}][{_JOINERS}])(?<![{_EMOJI}][{_EMOJI_SELECTORS}][{_JOINERS}])(?<![{_JOINING}][{_JOINERS}])"
    f"(?<![{_BASES}][{_EMOJI_SELECTORS}])(?<![{_IDEOGRAPHS}][{_IDEOGRAPH_SELECTORS}])"
    f"(?<![{_MONGOLIAN}][{_MONGOLIAN_SELECTORS}]))"
    # Code points that are kept in some positions are never kept after a stray, so a run of strays is one match.
    f"[{_ALWAYS_REPLACED}{_REPLACED_OUT_OF_PLACE}]*"
)
# A black flag with its tags, one direction mark, or a run of strays.
_SUSPECT = (
    f"[{_FLAG}{_DIRECTIONS}{_ALWAYS_REPLACED}{_REPLACED_OUT_OF_PLACE}]"
    f"(?:(?<={_FLAG})(?:{'|'.join(_FLAG_TAGS)})?|(?<=[{_DIRECTIONS}])|{_STRAY})"
)

_MARKS_PER_BASE = 30
# No letters, digits or blocks of symbols: little remains but the combining marks.
_NO_MARKS = (
    "\\w\x00-\u02ff\u2000-\u200b\u200e-\u20cf\u2100-\u2cee\u2e00-\u3029\u3030-\u3098\u309b-\ua66e\uac00-\ufb1d"
    "\ufb1f-\ufe1f\ufe30-\uffff\U00010000-\U000101fc\U0001f000-\U0010ffff"
    f"{_DIRECTIONS}{_ALWAYS_REPLACED}{_EMOJI_SELECTORS}{_IDEOGRAPH_SELECTORS}{_MONGOLIAN_SELECTORS}"
)
# What may exceed the limit: the marks, and the joiners kept among them, from the first that may be too many.
_STACKED = f"(?:[^{_NO_MARKS}{_JOINERS}]|(?<=[{_JOINING}])[{_JOINERS}])"
_PILE = f"{_STACKED}(?<=[^{_NO_MARKS}]{{{_MARKS_PER_BASE + 1}}}){_STACKED}*+"

# Letters, digits, punctuation and symbols in daily use, none of them ever replaced or counted as a mark.
_ORDINARY = (
    "\xa0-\xac\xae-\u02ff\u0370-\u0482\u048a-\u052f\u05d0-\u05ea\u061d-\u064a\u0660-\u066f\u0671-\u06d3\u1e00-\u1fff"
    "\u2000-\u200a\u2010-\u2027\u202f-\u205f\u20a0-\u20cf\u2100-\u27ff\u2900-\u2bff\u3000-\u3029\u3030-\u3096\u309b-\u30ff\u3400-\u9fff"
    "\uac00-\ud7a3\uff01-\uff9f\U0001f300-\U0001f3f3\U0001f3f5-\U0001faff"
)
# The maximum distance of a direction mark from its letter, and so how much may have to be held back.
_DIRECTION_REACH = 8
_NEUTRAL = {"EN", "ES", "ET", "CS", "ON", "WS", "NSM"}
_SCHEMES = {"http", "https", "mailto"}
# No rule looks further back than a full pile of marks and the base of its first joiner.
_LOOKBEHIND_LENGTH = _MARKS_PER_BASE + _DIRECTION_REACH


class Sanitizer:
    """Sanitizes a text chunk by chunk; the joined output equals that for the whole text.

    Holds back at most nine code points that cannot be decided yet. `replaced_count` counts the code points that are not
    shown as themselves.
    """

    def __init__(self) -> None:
        self.replaced_count = 0
        self._tail = ""
        self._held = ""
        self._half = ""

    def feed(self, text: str) -> str:
        """Sanitize a chunk; the output is what can be shown so far."""
        if not (self._held or self._half) and _is_plain(text):
            self._tail = (
                text[-_LOOKBEHIND_LENGTH:]
                if len(text) >= _LOOKBEHIND_LENGTH
                else (self._tail + text)[-_LOOKBEHIND_LENGTH:]
            )
            return text
        text = _join_surrogates(self._half + text)
        cut = len(text) - (text[-1:] == "\r" or "\ud800" <= text[-1:] <= "\udbff")
        self._half = text[cut:]
        return self._sanitize(text[:cut], last=False)

    def close(self) -> str:
        """The sanitized rest of what was held back."""
        if not (self._held or self._half):
            return ""
        text, self._half = self._half, ""
        return self._sanitize(text, last=True)

    def _sanitize(self, text: str, *, last: bool) -> str:
        copied = len(self._tail)
        text, self._held = self._tail + self._held + text, ""
        end = len(text)
        pieces: list[str] = []
        for odd in _odd_pattern().finditer(text, copied):
            replacement = _replacement_for(odd, last=last)
            if replacement is None:
                end = odd.start()
                self._held = text[end:]
                break
            pieces += text[copied : odd.start()], replacement.text
            copied = odd.end()
            self.replaced_count += replacement.replaced_count
        pieces.append(text[copied:end])
        self._tail = text[max(0, end - _LOOKBEHIND_LENGTH) : end]
        return "".join(pieces)


def clean(text: str) -> str:
    """Sanitize a whole text."""
    sanitizer = Sanitizer()
    return sanitizer.feed(text) + sanitizer.close()


def clean_line(text: str, limit: int = 400) -> str:
    """Sanitize a text and fit it on one line of at most `limit` code points, for names, titles and errors."""
    line = re.sub("[\t\n]+", " ", clean(text).strip("\t\n "))
    if len(line) <= limit:
        return line
    cut = line[: max(0, limit - 1)]
    # Code points kept only because of what followed would now stand alone; their neighbors are near.
    while cut != clean(cut):
        cut = cut[:-1]
    return f"{cut}…"


def is_safe_link(url: str) -> bool:
    """Whether a link may be offered for opening: an http, https or mailto address without hidden characters."""
    scheme, colon, _ = url.partition(":")
    return bool(colon) and scheme.lower() in _SCHEMES and not re.search(r"\s", url) and clean(url) == url


class _Replacement(NamedTuple):
    text: str
    replaced_count: int = 0


class _CodePointNames(dict[int, str]):
    """The visible form of each replaced code point; filled on demand."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        if char < " " or char == "\x7f":
            name = f"^{chr(code ^ 0x40)}"
        else:
            name = "\ufffd" if "\ud800" <= char <= "\udfff" else f"<U+{code:04X}>"
        self[code] = name
        return name


_CODE_POINT_NAMES = _CodePointNames()


@cache
def _odd_unicode_pattern() -> re.Pattern[str]:
    return re.compile(f"[^\t\n -~{_ORDINARY}]")


@cache
def _suspect_pattern() -> re.Pattern[str]:
    return re.compile(_SUSPECT)


@cache
def _odd_pattern() -> re.Pattern[str]:
    return re.compile(f"{_SUSPECT}|(?P<pile>{_PILE})")


def _is_plain(text: str) -> bool:
    """Whether a text surely needs no replacing or counting; False for much harmless text as well."""
    if text.isascii():
        return text.isprintable() or text.replace("\n", "").replace("\t", "").isprintable()
    return not _odd_unicode_pattern().search(text)


def _join_surrogates(text: str) -> str:
    r"""Join adjacent surrogate halves, and `\r\n`."""
    if re.search("[\ud800-\udfff]", text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return text.replace("\r\n", "\n")


def _replacement_for(odd: re.Match[str], *, last: bool) -> _Replacement | None:
    """The replacement for a match; None while it depends on text that has not arrived."""
    text, start = odd.string, odd.start()
    if odd["pile"]:
        return _cut_pile(text, start, odd.end())
    if odd[0] == _FLAG and not last and any(tags.startswith(text[start + 1 : start + 8]) for tags in _FLAG_TAGS):
        return None
    if odd[0].startswith(_FLAG):
        return _Replacement(odd[0])
    if odd[0] in _DIRECTIONS:
        near_rtl = _is_next_to_rtl(text, start)
        if near_rtl or (near_rtl is None and not last):
            return _Replacement(odd[0]) if near_rtl else None
    return _Replacement(odd[0].translate(_CODE_POINT_NAMES), len(odd[0]))


def _is_next_to_rtl(text: str, at: int) -> bool | None:
    """Whether the nearest letter on one side is right-to-left; None while that letter may still arrive."""
    before = _is_rtl(text, range(at - 1, max(-1, at - 1 - _DIRECTION_REACH), -1))
    return before or _is_rtl(text, range(at + 1, at + 1 + _DIRECTION_REACH))


def _is_rtl(text: str, positions: Iterable[int]) -> bool | None:
    """Whether the first letter at these positions is right-to-left; None if the text ends before it."""
    for position in positions:
        if position >= len(text):
            return None
        if _suspect_pattern().match(text, position):
            return False
        direction = bidirectional(text[position])
        if direction in {"R", "AL", "AN"}:
            return True
        if direction not in _NEUTRAL:
            return False
    return False


def _cut_pile(text: str, start: int, end: int) -> _Replacement:
    height = _pile_height(text, start)
    allowed = []
    for char in text[start:end]:
        height = height + 1 if _is_stacked(char) else 0
        if height <= _MARKS_PER_BASE:
            allowed.append(char)
    return _Replacement("".join(allowed), end - start - len(allowed))


def _pile_height(text: str, end: int) -> int:
    """Count the marks that end at `end`, with the joiners kept among them, up to the limit."""
    for height in range(_MARKS_PER_BASE):
        position = end - 1 - height
        if not _is_stacked(text[position]) or _suspect_pattern().match(text, position):
            return height
    return _MARKS_PER_BASE


def _is_stacked(char: str) -> bool:
    return category(char)[0] == "M" or char in _JOINERS
