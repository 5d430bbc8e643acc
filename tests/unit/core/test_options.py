from __future__ import annotations

import pytest

from reflectty.core.errors import UsageError
from reflectty.core.options import parse_options


def test_options_are_converted_to_ollama_types() -> None:
    given = ("num_ctx=4096", "temperature=0", "use_mmap=false", "stop=a", "stop=b = c")

    assert parse_options(given) == (
        ("num_ctx", 4096),
        ("temperature", 0.0),
        ("use_mmap", False),
        ("stop", ("a", "b = c")),
    )


def test_last_value_of_a_repeated_option_wins() -> None:
    assert parse_options(("seed=1", "seed=2")) == (("seed", 2),)


@pytest.mark.parametrize(
    ("pair", "complaint", "hint"),
    [
        ("temprature=1", "no option 'temprature'", "did you mean temperature?"),
        ("num-ctx=1", "no option 'num-ctx'", "did you mean num_ctx?"),
        ("zzz=1", "no option 'zzz'", "available:"),
        ("=1", "no option ''", "available:"),
        ("seed", "has no value", "KEY=VALUE"),
        ("seed=one", "a whole number", ""),
        ("seed=1.5", "a whole number", ""),
        ("top_p=nan", "a finite number", ""),
        ("temperature=", "a number", ""),
        ("use_mmap=maybe", "true or false", ""),
    ],
)
def test_invalid_option_is_refused(pair: str, complaint: str, hint: str) -> None:
    with pytest.raises(UsageError, match=complaint) as caught:
        parse_options((pair,))

    assert hint in caught.value.hint
