from __future__ import annotations

import time
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflectty.reasoning.numbers import are_close, number_alone, number_of, numbers_in

NUMBERS = {
    "18": "18",
    "18.": "18",
    "**18**": "18",
    "007": "7",
    "-5": "-5",
    "- 5": "-5",
    "−5": "-5",
    "–5": "-5",
    "$-5": "-5",
    "-$5": "-5",
    "-\\$5": "-5",
    "minus 5": "-5",
    "negative five": "-5",
    "x = -5": "-5",
    "x=-\\frac{3}{4}": "-3/4",
    "$18": "18",
    "$18$": "18",
    "\\(18\\)": "18",
    "\\$1{,}250.50": "1250.5",
    "US$5": "5",
    "€ 7": "7",
    "1,250.50": "1250.5",
    "1,250": "1250",
    "5,000,000": "5000000",
    "12,34,567": "1234567",
    "1 250": "1250",
    "1\u2009250": "1250",
    "1\u00a0250 km": "1250",
    "1'250": "1250",
    "3,\\!250": "3250",
    "10{,}000": "10000",
    "1.250": "1.25",
    "3,5": "3.5",
    "0,125": "0.125",
    "1.250,50": "1250.5",
    "1.250.000": "1250000",
    ".5": "0.5",
    "1/2": "1/2",
    "-1/2": "-1/2",
    "6 / 4": "3/2",
    "\\frac{1}{2}": "1/2",
    "-\\frac12": "-1/2",
    "\\dfrac{-3}{4}": "-3/4",
    "2 1/2": "5/2",
    "2\\frac{1}{2}": "5/2",
    "-2 1/2": "-5/2",
    "2½": "5/2",
    "¾": "3/4",
    "1e6": "1000000",
    "2.5E-3": "0.0025",
    "1.5 × 10^3": "1500",
    "1.5 x 10³": "1500",
    "1.5\\times10^{-3}": "0.0015",
    "2 million": "2000000",
    "$1.2 billion": "1200000000",
    "80k": "80000",
    "50%": "50",
    "50\\%": "50",
    "50 percent": "50",
    "18 dollars per day": "18",
    "18 cm²": "18",
    "18\\text{ cm}^2": "18",
    "18^\\circ": "18",
    "72 °F": "72",
    "5 km/h": "5",
    "about 18": "18",
    "eighteen": "18",
    "twenty-four apples": "24",
    "two hundred and five": "205",
    "three thousand": "3000",
    "٣": "3",
}
NO_NUMBERS = [
    *("", " ", "none", "one of the following", "a", "-", "$", "\\boxed{", "x+1", "x - 3", "GPT-4"),
    *("3 and 4", "10 or 12", "3:30 pm", "12/05/2024", "1.2.3", "52_8", "2^10", "1/0", "\\frac{1}{0}"),
    *("9" * 400, "1e99999", "1e" + "9" * 400, "10^{" + "9" * 300 + "}"),
]


@pytest.mark.parametrize(("text", "value"), NUMBERS.items())
def test_a_number_is_read_as_it_is_written(text: str, value: str) -> None:
    assert number_of(text) == Fraction(value)


@pytest.mark.parametrize("text", NO_NUMBERS, ids=lambda text: text[:20])
def test_no_number_is_made_of_something_else(text: str) -> None:
    assert number_of(text) is None


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("16 - 7 = 9 and 9*2=18", "16 7 9 9 2 18"),
        ("16 -7", "16 7"),
        ("5, -3 and (-2)", "5 -3 -2"),
        ("between 5-7 and 10–12", "5 7 10 12"),
        ("GPT-4 in x^2 and H2O", "4"),
        ("3,5,7", "3 5 7"),
        ("$80,000.50, then -$3", "80000.5 -3"),
        ("version 1.2.3 at 3:30 on 12/05/2024", ""),
        ("it costs 5.", "5"),
        ("3 250 g bags", "3 250"),
        ("2 1/2 cups, 1/3", "5/2 1/3"),
        ("a 50% rise of 2 million", "50 2000000"),
    ],
)
def test_the_numbers_of_a_text_keep_their_signs_and_separators(text: str, values: str) -> None:
    assert [number.value for number in numbers_in(text)] == [Fraction(value) for value in values.split()]


def test_numbers_have_their_places() -> None:
    text = "It is -$1,250.50 in all"
    found = next(numbers_in(text))
    assert text[found.start : found.end] == "-$1,250.50"
    alone = number_alone("**18 dollars**")
    assert alone
    assert (alone.start, alone.end) == (2, 4)


def test_a_number_with_words_before_it_does_not_stand_alone() -> None:
    assert number_alone("She earns 18") is None
    assert number_alone("18 in total") is not None


@pytest.mark.parametrize(
    ("number", "key", "close"),
    [
        ("0.333333", "1/3", True),
        ("0.333", "1/3", False),
        ("276000", "276004", False),
        ("-5", "5", False),
        ("0", "0", True),
    ],
)
def test_closeness_is_a_millionth_and_not_five_digits(number: str, key: str, close: bool) -> None:
    assert are_close(Fraction(number), Fraction(key)) is close


GROUPS = {"none": "", "comma": ",", "latex": "{,}", "narrow": "\u202f", "backslash": "\\,"}
RENDERINGS = ["{}", "${}", "**{}**", "${}$", "\\({}\\)", "{} dollars", "{}.", "x = {}", "`{}`", "{} apples per day"]


@given(
    st.integers(-(10**12), 10**12),
    st.integers(0, 4),
    st.sampled_from(sorted(GROUPS)),
    st.sampled_from(RENDERINGS),
    st.sampled_from("-−"),
)
def test_a_number_is_read_from_every_rendering(
    unscaled: int, places: int, groups: str, rendering: str, minus: str
) -> None:
    value = Fraction(unscaled, 10**places)
    whole, rest = divmod(abs(unscaled), 10**places)
    digits = f"{whole:,}".replace(",", GROUPS[groups]) + (f".{rest:0{places}}" if places else "")
    text = rendering.format((minus if unscaled < 0 else "") + digits)
    assert number_of(text) == value


@given(st.integers(-(10**6), 10**6), st.integers(1, 10**6), st.sampled_from(["{}/{}", "\\frac{{{}}}{{{}}}"]))
def test_a_fraction_is_read_from_every_rendering(top: int, bottom: int, rendering: str) -> None:
    assert number_of(rendering.format(top, bottom)) == Fraction(top, bottom)


@given(st.text(alphabet="0123456789.,-/eE^{}\\frac $%k½³ x×\n", max_size=60))
def test_any_text_is_read_without_an_error(text: str) -> None:
    for number in numbers_in(text):
        assert text[number.start : number.end].strip()
    value = number_of(text)
    assert value is None or abs(value) < 10**1500


@pytest.mark.parametrize("piece", ["1", "1,111", "\\frac{1}{", "-$", "1.", "½"])
def test_a_long_text_takes_time_in_proportion(piece: str) -> None:
    def seconds(size: int) -> float:
        text = piece * (size // len(piece))
        started = time.process_time()
        for _ in numbers_in(text):
            pass
        return time.process_time() - started

    seconds(2_000)
    assert seconds(80_000) < 12 * seconds(20_000) + 0.05
