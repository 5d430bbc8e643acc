from __future__ import annotations

import base64
import time
from email.utils import formatdate
from typing import TYPE_CHECKING

import pytest

from reflectty.core.errors import BusyError, RefusedError, UsageError
from reflectty.engines.ollama import OllamaEngine
from support.engine_outcome import ask, using
from support.event_loops import SleeplessLoop
from support.fake_server import Answer, FakeServer, Raw, error, line, reply, whole

if TYPE_CHECKING:
    from pathlib import Path

PROXY_NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
BUSY_NOW = error(503, "server busy", **{"Retry-After": "0"})
CHAT = "/api/chat"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed(status: int) -> None:
    with FakeServer({}) as elsewhere:
        target = f"http://{elsewhere.host}/api/chat"
        with FakeServer(
            {CHAT: whole({}, status, Location=target), "/api/tags": whole({}, status, Location=target)}
        ) as server:
            outcome = ask(server.host, api_key="secret")
            with pytest.raises(RefusedError):
                using(server.host, OllamaEngine.models)
    assert type(outcome.error) is RefusedError
    assert elsewhere.host in str(outcome.error)
    assert elsewhere.connections == 0


@pytest.mark.parametrize("local", ["", "localhost:", "unix"])
def test_local_prompt_bypasses_the_proxy(local: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "s.sock" if local == "unix" else None
    with FakeServer({}) as proxy, FakeServer({CHAT: reply(["hi"])}, path) as server:
        for name in PROXY_NAMES:
            monkeypatch.setenv(name, f"http://{proxy.host}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        host = f"localhost:{server.port}" if local == "localhost:" else server.host
        assert ask(host).text == "hi"
    assert proxy.connections == 0


def test_another_machine_is_reached_through_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeServer({"http://gpu.test:11434/api/chat": reply(["hi"])}) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://{proxy.host}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert ask("gpu.test").text == "hi"


@pytest.mark.parametrize(
    ("name", "value"), [("ALL_PROXY", "socks://127.0.0.1:1"), ("ALL_PROXY", "socks5://127.0.0.1:1"), ("HTTP_PROXY", "nonsense://x")]
)  # fmt: skip
def test_unusable_proxy_is_a_usage_error_except_for_this_machine(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match="proxy"):
        ask("gpu.test")
    with FakeServer({CHAT: reply(["hi"])}) as server:
        assert ask(server.host).complete


def test_missing_certificate_file_matters_only_for_https(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/missing/certificates.pem")
    with FakeServer({CHAT: reply(["hi"])}) as server:
        assert ask(server.host).complete
    with pytest.raises(UsageError, match="certificate"):
        ask("https://gpu.test")


def test_key_is_sent_to_this_machine(tmp_path: Path) -> None:
    for path in (None, tmp_path / "s.sock"):
        with FakeServer({CHAT: reply(["hi"])}, path) as server:
            ask(server.host, api_key=" secret\n")
        assert server.requests[0].headers["authorization"] == "Bearer secret"


def test_key_is_not_sent_to_another_machine_over_http(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeServer({"http://gpu.test:11434/api/chat": reply(["hi"])}) as network:
        monkeypatch.setenv("HTTP_PROXY", f"http://{network.host}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert ask("gpu.test", api_key="secret").complete
    assert "secret" not in str(network.requests[0].headers)


def test_a_login_in_the_host_is_basic_authentication() -> None:
    with FakeServer({CHAT: reply(["hi"])}) as server:
        ask(f"http://me:p%40ss@{server.host}")
    assert server.requests[0].headers["authorization"] == "Basic " + base64.b64encode(b"me:p@ss").decode()


@pytest.mark.parametrize("key", ["schlüssel", "two\nlines", "tab\t"[:3] + "\x00"])
def test_invalid_key_is_a_usage_error_that_does_not_show_it(key: str) -> None:
    with pytest.raises(UsageError) as caught:
        ask("", api_key=key)
    assert key not in str(caught.value)


def test_a_busy_server_is_asked_three_times() -> None:
    with FakeServer({CHAT: BUSY_NOW}) as server:
        outcome = ask(server.host)
    assert type(outcome.error) is BusyError
    assert len(server.requests) == 3


def test_briefly_busy_server_answers() -> None:
    with FakeServer({CHAT: [BUSY_NOW, BUSY_NOW, reply(["hi"])]}) as server:
        assert ask(server.host).text == "hi"
        assert ask(server.host).text == "hi"
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    ("header", "seconds"), [("1", 1.0), ("5", 5.0), ("Wed, 21 Oct 2026 07:28:00 GMT", 0.5), ("-1", 0.5), ("", 0.5)]
)
@pytest.mark.parametrize("status", [429, 502, 503])
def test_retry_after_header_sets_the_delay(status: int, header: str, seconds: float) -> None:
    loop = SleeplessLoop()
    with FakeServer({CHAT: [error(status, "busy", **{"Retry-After": header}), reply(["hi"])]}) as server:
        assert ask(server.host, loop=loop).complete
    assert loop.slept == [seconds]


@pytest.mark.parametrize("status", [429, 503])
def test_server_busy_for_longer_is_not_retried(status: int) -> None:
    loop = SleeplessLoop()
    with FakeServer({CHAT: [error(status, "busy", **{"Retry-After": "60"}), reply(["hi"])]}) as server:
        outcome = ask(server.host, loop=loop)
        asked = len(server.requests)

    assert isinstance(outcome.error, BusyError)
    assert (outcome.error.retry_after, asked) == (60.0, 1)
    assert loop.slept == []


def test_wait_for_a_gateway_is_limited() -> None:
    loop = SleeplessLoop()
    with FakeServer({CHAT: [error(502, "busy", **{"Retry-After": "60"}), reply(["hi"])]}) as server:
        assert ask(server.host, loop=loop).complete
    assert loop.slept == [5.0]


def test_retry_after_accepts_a_date() -> None:
    loop = SleeplessLoop()
    busy = error(429, "busy", **{"Retry-After": formatdate(time.time() + 3, usegmt=True)})
    with FakeServer({CHAT: [busy, reply(["hi"])]}) as server:
        assert ask(server.host, loop=loop).complete
    assert len(loop.slept) == 1
    assert 1.0 <= loop.slept[0] <= 3.0


def test_server_that_stays_busy_reports_when_to_retry() -> None:
    busy = error(429, "slow down", **{"llm_provider-retry-after": "60"})
    with FakeServer({CHAT: busy}) as server:
        outcome = ask(server.host, loop=SleeplessLoop())
    assert isinstance(outcome.error, BusyError)
    assert (outcome.error.rate_limited, outcome.error.retry_after) == (True, 60.0)
    assert "60 s" in outcome.error.hint


def test_weekly_limit_is_not_retried_and_reported_in_full() -> None:
    text = "you have reached your weekly usage limit"
    with FakeServer({CHAT: error(429, text)}) as server:
        outcome = ask(server.host)
    assert type(outcome.error) is RefusedError
    assert str(outcome.error) == f"the server refused: {text}"
    assert len(server.requests) == 1


@pytest.mark.parametrize("failure", [error(500, "no"), Answer([line("one "), b'{"error":"server busy"}\n']), Raw([])])
def test_only_busy_errors_are_retried(failure: Answer | Raw) -> None:
    with FakeServer({CHAT: [failure, reply(["hi"])]}) as server:
        assert ask(server.host).error
    assert len(server.requests) == 1
