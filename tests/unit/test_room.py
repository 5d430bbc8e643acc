from __future__ import annotations

import pytest

from reflectty.chat import Message, Model
from reflectty.room import surely_fits

MODEL = Model("m", context_length=32_768, template="x" * 300)
BOUND = (("num_ctx", 8192), ("num_predict", 1000))


def said(size: int) -> tuple[Message, ...]:
    return (Message("user", "x" * size),)


@pytest.mark.parametrize(
    ("model", "options", "messages", "fits"),
    [
        (MODEL, BOUND, said(1000), True),
        (MODEL, BOUND, said(8000), False),
        # A letter of four bytes may be four tokens.
        (MODEL, BOUND, (Message("user", "😀" * 1500),), False),
        (MODEL, (("num_ctx", 8192),), said(1), False),
        (MODEL, (("num_predict", 10),), said(1), False),
        (MODEL, (("num_ctx", 8192), ("num_predict", -1)), said(1), False),
        (MODEL, (("num_ctx", 8192), ("num_predict", 8192)), said(1), False),
        (MODEL._replace(context_length=0), BOUND, said(1), False),
        # A server gives no more than the model was made for, whatever is asked of it.
        (MODEL._replace(context_length=2048), BOUND, said(1000), False),
        (MODEL._replace(system="x" * 8000), BOUND, said(1), False),
        (MODEL._replace(template="x" * 4000), BOUND, said(1), False),
        (MODEL._replace(examples=("x" * 8000,)), BOUND, said(1), False),
        (MODEL, BOUND, (Message("user", "x", ("aGk=",)),), False),
        (MODEL, (), (), False),
        (MODEL, BOUND, (), True),
    ],
)
def test_what_is_said_to_fit_is_bounded_by_its_bytes(
    model: Model, options: tuple[tuple[str, int], ...], messages: tuple[Message, ...], *, fits: bool
) -> None:
    assert surely_fits(model, options, messages) is fits


def test_what_a_reply_begins_with_counts() -> None:
    assert surely_fits(MODEL, BOUND, said(1), "x" * 100)
    assert not surely_fits(MODEL, BOUND, said(1), "x" * 8000)
