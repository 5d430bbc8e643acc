from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reflectty.core.errors import BusyError, ReflecttyError, RefusedError, UnreachableError
from reflectty.protocols import ollama, openai

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = b"<!DOCTYPE html>\r\n<html><head><title>?</title></head></html>"
NGINX = b"<html>\n<center>The plain HTTP request was sent to HTTPS port</center></html>"


@pytest.mark.parametrize("refusal", [ollama.refusal_error_of, openai.refusal_error_of], ids=["ollama", "openai"])
@pytest.mark.parametrize(
    ("status", "body", "kind", "says", "advises"),
    [
        (401, PAGE, RefusedError, "a gateway in front of the server requires a login (HTTP 401)", "user:password@"),
        (407, PAGE, RefusedError, "a proxy requires a login (HTTP 407)", "user:password@"),
        (403, PAGE, RefusedError, "denies access (HTTP 403)", "access rules"),
        (413, PAGE, RefusedError, "rejects requests this large (HTTP 413)", "send less"),
        (429, PAGE, BusyError, "the server is busy: HTTP 429", "try again"),
        (500, PAGE, UnreachableError, "a web page with HTTP 500", "--host"),
        (400, PAGE, UnreachableError, "a web page with HTTP 400", "--host"),
        (400, NGINX, UnreachableError, "speaks https", "https://"),
        (400, b"Client sent an HTTP request to an HTTPS server.\n", UnreachableError, "speaks https", "https://"),
        *((status, PAGE, BusyError, f"the server behind it does not (HTTP {status})", "behind it is running")
          for status in (502, 503, 520, 521, 523, 525, 527, 530)),
        *((status, PAGE, BusyError, f"the server behind it does not (HTTP {status})", "shorter than the thinking")
          for status in (504, 522, 524)),
        (502, b"", BusyError, "the server behind it does not (HTTP 502)", "behind it is running"),
        (504, b"upstream request timeout", BusyError, "behind it does not (HTTP 504)", "shorter than the thinking"),
        (530, b"error code: 1033", BusyError, "behind it does not (HTTP 530)", "behind it is running"),
        (503, b"no healthy upstream", BusyError, "the server is busy: no healthy upstream", "try again"),
        (502, b'{"error":"bad gateway"}', RefusedError, "the server refused: bad gateway", "log"),
    ],
)  # fmt: skip
def test_gateway_errors_are_explained(  # noqa: PLR0913, PLR0917 - the columns of the table
    status: int,
    body: bytes,
    kind: type[ReflecttyError],
    says: str,
    advises: str,
    refusal: Callable[[int, bytes, str], ReflecttyError],
) -> None:
    error = refusal(status, body, "m")
    assert type(error) is kind
    assert says in str(error)
    assert advises in error.hint


@pytest.mark.parametrize("refusal", [ollama.refusal_error_of, openai.refusal_error_of], ids=["ollama", "openai"])
@pytest.mark.parametrize(
    ("status", "text", "transient"),
    [
        (500, "model runner has unexpectedly stopped", True),
        (500, "litellm.InternalServerError: Connection error", True),
        (504, "litellm.Timeout: timed out", True),
        (502, "bad gateway", True),
        (500, "model requires more system memory than is available", False),
        (500, "image input is not supported", False),
        (400, "bad top_p", False),
    ],
)
def test_transient_failures_differ_from_permanent_ones(
    status: int, text: str, transient: bool, refusal: Callable[[int, bytes, str], ReflecttyError]
) -> None:
    error = refusal(status, f'{{"error":"{text}"}}'.encode(), "m")
    assert isinstance(error, RefusedError)
    assert error.transient is transient
