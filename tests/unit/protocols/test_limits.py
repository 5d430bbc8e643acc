from __future__ import annotations

from email.utils import formatdate

import pytest

from reflectty.core.errors import BusyError, RefusedError
from reflectty.protocols import ollama, openai
from reflectty.protocols.refusals import retry_after

NOW = 1_795_000_000.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"retry-after": formatdate(NOW + 3, usegmt=True)}, 3.0),
        ({"retry-after": formatdate(NOW - 3, usegmt=True)}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "٣"}, None),
        ({"llm_provider-retry-after": "60"}, 60.0),
        ({"retry-after": "2", "llm_provider-retry-after": "60"}, 2.0),
        ({}, None),
    ],
)
def test_retry_after_is_a_number_or_a_date(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOW) == seconds


@pytest.mark.parametrize("refusal", [ollama.refusal_error_of, openai.refusal_error_of], ids=["ollama", "openai"])
@pytest.mark.parametrize(
    ("text", "kind", "seconds"),
    [
        ("too many requests", BusyError, 0.0),
        ("Rate limit reached. Please try again in 20s.", BusyError, 20.0),
        ("Please try again in 1m7.66s", BusyError, 67.66),
        ("You exceeded your current quota. Please retry in 32.5s.", BusyError, 32.5),
        ("Please retry after 6 seconds", BusyError, 6.0),
        ("you have reached your weekly usage limit", RefusedError, 0.0),
        ("You exceeded your current quota, please check your plan and billing details", RefusedError, 0.0),
    ],
)
def test_temporary_rate_limit_is_busy_and_a_lasting_one_is_refused(
    text: str, kind: type[RefusedError], seconds: float, refusal: type
) -> None:
    error = refusal(429, f'{{"error":"{text}"}}'.encode(), "m")
    assert type(error) is kind
    assert (getattr(error, "retry_after", 0.0), getattr(error, "rate_limited", False)) == (seconds, kind is BusyError)
