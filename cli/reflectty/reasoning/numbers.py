"""Reads numbers as models write them: signs, currencies, thousands, fractions, percent, powers of ten, in LaTeX too.

A comma before exactly three digits separates thousands (1,250), and a point is a decimal point (1.250 is 1¼). Where a
whole text is one number, a comma before another count of digits is a decimal comma (3,5 is 3½; 0,125 is ⅛), spaces may
separate thousands (1 250), and 1.250,50 and 1.250.000 are read as they are written in most of Europe.
"""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from reflectty.core.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_LENGTH: Final = 320
"""The longest number that is read, in characters; a longer one is none."""
MAX_EXPONENT: Final = 1000
"""The largest power of ten that is read, either way."""
_LONGEST_SENTENCE: Final = 4 * MAX_LENGTH
_OPERATORS: Final = "+-−–/^×÷·"
TOLERANCE: Final = Fraction(1, 1_000_000)
_SCALES: Final = {
    "hundred": 100,
    "k": 1000,
    "thousand": 1000,
    "million": 10**6,
    "billion": 10**9,
    "trillion": 10**12,
}
_VULGAR: Final = "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅐⅛⅜⅝⅞⅑⅒"
_MINUS: Final = "-−–－﹣"
_RAISED: Final = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺" + _MINUS, "0123456789-+-----")
_SEPARATOR: Final = r"(?:,?\\[!,:;]|\{,\}|[,'’\u00a0\u2009\u202f])"
_GROUPED: Final = rf"[1-9]\d{{0,2}}(?:{_SEPARATOR}\d{{3}}(?!\d)){{1,40}}"
_INDIAN: Final = r"[1-9]\d?(?:,\d\d){1,9},\d{3}(?!\d)"
_WITH_SPACES: Final = r"[1-9]\d{0,2}(?:\x20\d{3}(?![\d/])){1,9}"
_WITH_POINTS: Final = r"[1-9]\d{0,2}(?:\.\d{3}(?!\d)){2,9}|[1-9]\d{0,2}(?:\.\d{3}){1,9}(?=,\d)"
_TAIL: Final = rf"""
    (?:
        \x20?(?P<vulgar>[{_VULGAR}])
      | \s?\\[dt]?frac\s?(?:\{{\s?(?P<top>[{_MINUS}]?\d+)\s?\}}\s?\{{\s?(?P<bottom>\d+)\s?\}}|(?P<digits>\d\d)(?!\d))
      | \x20(?P<above>\d{{1,4}})/(?P<below>\d{{1,4}})(?![\d/])
      | \x20?/\x20?(?P<divisor>\d+)
      | e(?P<exponent>[{_MINUS}+]?\d+)(?!\w)
      | \s?(?:[×x*]|\\times|\\cdot)\s?10
        (?:(?:\^|\*\*)\{{?(?P<power>[{_MINUS}+]?\d+)\}}?|(?P<raised>[⁰¹²³⁴-⁹⁻⁺]+))
    )?
    (?:(?P<percent>\s?(?:\\?%|percent\b|per\x20cent\b))|\s?(?P<scale>hundred|thousand|million|billion|trillion|(?<=\d)k)\b)?
"""
"""What may follow the digits: a fraction (of a mixed number, too), a power of ten; then percent or a scale."""
_STARTS: Final = rf"(?=\\[dt]?frac\b|\\[dt]?frac\d|[{_VULGAR}])"
_ANYWHERE: Final = re.compile(
    rf"""
    (?:(?<![\w)\]}}%])(?<![\d)\]}}%]\x20)(?P<sign>[{_MINUS}+]|minus\x20|negative\x20))?
    (?:\\?[$£€¥₹]\x20?(?P<inner_sign>[{_MINUS}])?)?
    (?<![\w^_])(?<![\^_]\{{)(?<!\d[./:])
    (?:(?P<whole>{_GROUPED}|{_INDIAN}|\d+)(?P<decimals>\.\d+)?|(?P<bare>\.\d+)|{_STARTS})
    {_TAIL}
    """,
    re.VERBOSE | re.IGNORECASE,
)
_ALONE: Final = re.compile(
    rf"""
    (?:\\[(\[]\s?|\$\$?(?=[a-z\\])\s?)?(?:[a-z]\w{{0,12}}\s?=\s?|=\s?)?(?:[≈~]\s?)?(?P<number>
    (?P<sign>[{_MINUS}+]\s?|minus\s|negative\s)?
    (?:(?:us|a|c)?\\?[$£€¥₹]\s?|(?:usd|eur|gbp)\s)?
    (?P<inner_sign>[{_MINUS}])?
    (?:(?P<whole>{_WITH_POINTS}|{_WITH_SPACES}|{_GROUPED}|{_INDIAN}|\d+)(?P<decimals>(?:[.,]|\{{,\}})\d+)?
      |(?P<bare>\.\d+)|{_STARTS})
    {_TAIL}
    )(?P<unit>[^\d=<>^_+*/]{{0,60}}(?:/\s?[a-z][^\d=<>^_+*/]{{0,20}})?(?:(?<=[a-z}}])\^?\{{?[23²³]\}}?|\^\{{?\\circ\}}?)?)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_CONTINUES: Final = re.compile(r"[.:/]\d|_|\^(?!\{?\\circ)|\*\*\d")
"""What makes digits a part of something else: a version, a time, a date, a base, a power."""
_BELOW_TWENTY: Final = [
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
]
_TENS: Final = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_WORDS: Final = {
    word: value
    for words, values in ((_BELOW_TWENTY, range(20)), (_TENS, range(20, 100, 10)))
    for word, value in zip(words, values, strict=True)
}
_MAX_WORDS: Final = 12


class Number(NamedTuple):
    """A number in a text, and where its numeral stands, in characters."""

    value: Fraction
    """With its scale (2 million is 2,000,000), without its percent sign (50 % is 50)."""
    start: int
    end: int
    is_percent: bool = False
    scale: int = 1


def number_of(text: str) -> Fraction | None:
    """The number that a text consists of, besides its currency, percent sign and unit; None if it is no single one."""
    number = single_number(text)
    return number.value if number else None


def single_number(text: str) -> Number | None:
    """The same with its place: a numeral alone or with a unit, a number in words, or the only numeral of the text."""
    return number_alone(text) or _only_number(text) or _number_in_words(text)


def number_alone(text: str) -> Number | None:
    """The number that a text begins with and that nothing but a unit follows."""
    start = len(text) - len(text.lstrip(" \t\n*_`\"'(["))
    if len(text) - start > MAX_LENGTH:
        return None
    match = _ALONE.fullmatch(text[start:].rstrip(" \t\n*_`\"').]!;,$\\"))
    number = match and _number_from(match)
    return (
        number._replace(start=start + match.start("number"), end=start + match.end("number"))
        if match and number
        else None
    )


def numbers_in(text: str) -> Iterator[Number]:
    """Every number in a text, in order; linear in its length."""
    for match in _ANYWHERE.finditer(text):
        if not _CONTINUES.match(text, match.end()) and (number := _number_from(match)):
            yield number


def are_close(number: Fraction, key: Fraction) -> bool:
    """Whether two numbers differ by at most a millionth of the key, or a millionth if the key is below 1."""
    return abs(number - key) <= TOLERANCE * max(Fraction(1), abs(key))


def _only_number(text: str) -> Number | None:
    """The only number of a text, unless it is an operand: 18 of "She earns $18", none of x+1."""
    numbers = numbers_in(text[:_LONGEST_SENTENCE])
    number = next(numbers, None)
    if not number or next(numbers, None) or len(text) > _LONGEST_SENTENCE:
        return None
    before, after = text[: number.start].rstrip(" ")[-1:], text[number.end :].lstrip(" ")[:1]
    is_operand = (before and before in _OPERATORS) or (
        after and after in _OPERATORS and text[number.end : number.end + 2] != "**"
    )
    return None if is_operand else number


def _number_from(match: re.Match[str]) -> Number | None:
    """The number of a match; None if it is too long, too large, empty, or divided by zero."""
    if match.end() - match.start() > MAX_LENGTH:
        return None
    value = _unsigned_value(match)
    if value is None:
        return None
    scale = _SCALES[match["scale"].lower()] if match["scale"] else 1
    signs = (match["sign"] or "").strip().lower(), match["inner_sign"] or ""
    is_negative = any(sign and (sign in _MINUS or sign in ("minus", "negative")) for sign in signs)
    value = (-value if is_negative else value) * scale
    return Number(value, match.start(), match.end(), bool(match["percent"]), scale)


def _unsigned_value(match: re.Match[str]) -> Fraction | None:
    whole = _decimal(match["whole"], match["decimals"] or match["bare"])
    fraction = _fraction(match)
    if fraction is None or (whole is None and not fraction and not match["top"]):
        return None
    if match["divisor"]:
        return whole / int(match["divisor"]) if whole is not None and int(match["divisor"]) else None
    written = match["exponent"] or match["power"] or match["raised"] or "0"
    exponent = int(written.translate(_RAISED))
    if abs(exponent) > MAX_EXPONENT:
        return None
    return ((whole or Fraction()) + fraction) * Fraction(10) ** exponent


def _decimal(whole: str | None, decimals: str | None) -> Fraction | None:
    if not whole and not decimals:
        return None
    digits = re.sub(r"\D", "", whole or "0")
    after = re.sub(r"\D", "", decimals or "")
    return Fraction(int(digits + after), 10 ** len(after))


def _fraction(match: re.Match[str]) -> Fraction | None:
    """The fraction behind the whole part, or alone; 0 if there is none, None if its denominator is 0."""
    if match["vulgar"]:
        return Fraction(unicodedata.numeric(match["vulgar"])).limit_denominator(10)
    top, bottom = match["top"] or match["above"], match["bottom"] or match["below"]
    if match["digits"]:
        top, bottom = match["digits"][0], match["digits"][1]
    if not top or not bottom:
        return Fraction()
    return Fraction(int(top.translate(_RAISED)), int(bottom)) if int(bottom) else None


def _number_in_words(text: str) -> Number | None:
    """A number in English words, with at most one word behind it: `twenty-four`, `three apples`."""
    words = re.findall(r"[^\W\d_]+(?:['’]\w+)?", text[:MAX_LENGTH].lower())
    if not words or len(text) > MAX_LENGTH or len(words) > _MAX_WORDS:
        return None
    sign = -1 if words[0] in ("minus", "negative") else 1
    numerals = words[sign < 0 :]
    while numerals and not (numerals[-1] in _WORDS or numerals[-1] in _SCALES) and len(numerals) > len(words) - 2:
        numerals = numerals[:-1]
    value = _value_of_words([word for word in numerals if word != "and"])
    return Number(Fraction(sign * value), 0, len(text)) if value is not None else None


def _value_of_words(words: list[str]) -> int | None:
    """The value of words such as `two hundred forty`; None if one of them is no numeral."""
    total = current = 0
    for word in words:
        if word in _WORDS:
            current += _WORDS[word]
        elif word == "hundred":
            current = (current or 1) * 100
        elif word in _SCALES and word != "k":
            total, current = total + (current or 1) * _SCALES[word], 0
        else:
            return None
    return total + current if words else None
