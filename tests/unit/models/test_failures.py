"""The reason why a pull failed, after addresses of any length, and the advice."""

from __future__ import annotations

import json
from typing import NamedTuple

import pytest

from reflectty.core.errors import IncompleteError, RefusedError
from reflectty.models.refusals import pull_error_of
from reflectty.protocols.decoding import NdjsonDecoder

CDN = "https://cas-bridge.xethub.hf.co/xet-bridge-us/" + "6" * 24 + "/" + "a" * 64
SIGNED = CDN + "?X-Amz-Signature=" + "5" * 700 + "&response-content-disposition=" + "b" * 200
NAME = "hf.co/user/model"


class Failed(NamedTuple):
    """A server's message during a pull, and the error for the user."""

    said: str
    kind: type[Exception]
    told: tuple[str, ...]


FAILED = (
    Failed(
        f'max retries exceeded: Head "{SIGNED}": blocked redirect to a different host',
        RefusedError,
        ("redirects hf.co/user/model to cas-bridge.xethub.hf.co", "0.34.2", "a version of Ollama other than", "`ollama create`", "--insecure", "http"),
    ),
    Failed('Head "http://127.0.0.2:5001/x?y=1": blocked redirect to a different host', RefusedError, ("127.0.0.2:5001",)),
    Failed("blocked redirect to a different host", RefusedError, ("to another host",)),
    Failed("http: no Location header in response", RefusedError, ("serves files without a redirect", "`ollama create`")),
    Failed(
        f'max retries exceeded: Get "{SIGNED}": dial tcp: lookup cas-bridge.xethub.hf.co: no such host',
        IncompleteError,
        ("cannot reach the registry", "no such host"),
    ),
    Failed(f'Get "{SIGNED}": net/http: TLS handshake timeout', IncompleteError, ("cannot reach", "TLS handshake timeout")),
    Failed(f'Get "{SIGNED}": context deadline exceeded', IncompleteError, ("cannot reach", "HTTPS_PROXY")),
    Failed(f'Get "{SIGNED}": read tcp 10.0.0.1:5->10.0.0.2:443: i/o timeout', IncompleteError, ("cannot reach",)),
    Failed(f'Get "{SIGNED}": tls: failed to verify certificate: x509: unknown', IncompleteError, ("x509: unknown",)),
    Failed(f'write "{"/long" * 200}": no space left on device', IncompleteError, ("disk is full",)),
    Failed(f'Get "{SIGNED}": something else', IncompleteError, ("something else", "run the same command to continue")),
)  # fmt: skip


@pytest.mark.parametrize("case", FAILED, ids=lambda case: case.said[-32:])
def test_cause_of_a_failed_pull_is_found_behind_a_long_url(case: Failed) -> None:
    line = json.dumps({"error": case.said}).encode() + b"\n"
    with pytest.raises(IncompleteError) as ended:
        list(NdjsonDecoder().feed(line))
    error = pull_error_of(ended.value, NAME)
    told = f"{error} ({error.hint})"

    assert type(error) is case.kind
    assert all(part in told for part in case.told)
    assert "Signature" not in told


def test_resuming_is_not_promised_if_it_cannot_help() -> None:
    error = pull_error_of(IncompleteError("the server stopped: blocked redirect to a different host"), NAME)
    assert "run the same command to continue" not in error.hint
