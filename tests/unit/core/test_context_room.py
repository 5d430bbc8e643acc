from __future__ import annotations

import pytest

from reflectty.core.messages import Bounds, Message, Model
from reflectty.core.model_spec import FRAME_TOKENS, LEAST_MESSAGE_BYTES, bounds_of

MODEL = Model("m", context_length=32_768, template="x" * 300)
BOUND = (("num_ctx", 8192), ("num_predict", 1000))


def messages_of(size: int) -> tuple[Message, ...]:
    return (Message("user", "x" * size),)


@pytest.mark.parametrize(
    ("model", "options", "messages", "fits"),
    [
        (MODEL, BOUND, messages_of(1000), True),
        (MODEL, BOUND, messages_of(8000), False),
        # A character of four bytes may be four tokens.
        (MODEL, BOUND, (Message("user", "😀" * 1500),), False),
        (MODEL, (("num_ctx", 8192),), messages_of(1), False),
        (MODEL, (("num_predict", 10),), messages_of(1), False),
        (MODEL, (("num_ctx", 8192), ("num_predict", -1)), messages_of(1), False),
        (MODEL, (("num_ctx", 8192), ("num_predict", 8192)), messages_of(1), False),
        (MODEL, (("num_ctx", "auto"), ("num_predict", 10)), messages_of(1), False),
        (MODEL._replace(context_length=0), BOUND, messages_of(1), False),
        # A server never exceeds the context that the model was trained for.
        (MODEL._replace(context_length=2048), BOUND, messages_of(1000), False),
        (MODEL._replace(system="x" * 8000), BOUND, messages_of(1), False),
        (MODEL._replace(template="x" * 7000), BOUND, messages_of(1), False),
        (MODEL._replace(examples=("x" * 8000,)), BOUND, messages_of(1), False),
        (MODEL, BOUND, (Message("user", "x", ("aGk=",)),), False),
        (MODEL, (), (), False),
        (MODEL, BOUND, (), True),
        # The Modelfile's values hold where the request has none.
        (MODEL._replace(parameters="num_ctx   8192\nnum_predict   1000"), (), messages_of(1000), True),
        (MODEL._replace(parameters="num_ctx   8192\nnum_predict   8000"), (), messages_of(1000), False),
        (MODEL._replace(parameters="num_predict   8000"), BOUND, messages_of(1000), True),
    ],
)
def test_messages_are_safe_only_if_their_bytes_fit(
    model: Model, options: tuple[tuple[str, int], ...], messages: tuple[Message, ...], *, fits: bool
) -> None:
    found = bounds_of(model, options, messages)

    assert found is not None
    assert found.are_safe is fits


@pytest.mark.parametrize(
    ("options", "bounds"),
    [
        ((), Bounds(FRAME_TOKENS + 300 + 2 + LEAST_MESSAGE_BYTES, 0, 0)),
        (BOUND, Bounds(FRAME_TOKENS + 300 + 2 + LEAST_MESSAGE_BYTES, 1000, 8192)),
        ((("num_ctx", 99_999), ("num_predict", -2)), Bounds(FRAME_TOKENS + 300 + 2 + LEAST_MESSAGE_BYTES, 0, 32_768)),
        # A limit of 0 still allows one token.
        ((("num_predict", 0),), Bounds(FRAME_TOKENS + 300 + 2 + LEAST_MESSAGE_BYTES, 1, 0)),
    ],
)
def test_bounds_of_prompt_reply_and_context(options: tuple[tuple[str, int], ...], bounds: Bounds) -> None:
    assert bounds_of(MODEL._replace(system=""), options, messages_of(2)) == bounds


def test_reply_prefix_counts_toward_the_bounds() -> None:
    begun = [bounds_of(MODEL, BOUND, messages_of(1), "x" * size) for size in (100, 8000)]

    assert [found.are_safe for found in begun if found] == [True, False]


def test_remote_model_has_no_bounds() -> None:
    assert bounds_of(MODEL._replace(remote_host="https://ollama.com:443"), BOUND, messages_of(1)) is None
