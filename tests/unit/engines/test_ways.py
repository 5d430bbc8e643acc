"""Obstacles on the way to a server: proxies, certificates, http to an https port; and the error for each."""

from __future__ import annotations

import asyncio
import threading
from socket import socket
from typing import TYPE_CHECKING

import pytest

from reflectty.core.errors import BusyError, ReflecttyError, RefusedError, UnreachableError, UsageError
from reflectty.engines.hosts import parse_host
from reflectty.engines.ollama import OllamaEngine
from reflectty.engines.openai import OpenAIEngine
from support.engine_outcome import PATIENT, REQUEST, Outcome, ask, collect
from support.fake_server import Answer, FakeServer, Raw, reply
from support.faults import NOW, PAGE, closed_port
from support.tls import BODY, EVENTS, Authority, authority, serving

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ssl_cert_file", "ssl_cert_dir")
FAR = "http://gpu.test:11434/api/chat"


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("tls"))


def with_variables(monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str]) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("scheme", ["http://", ""])
def test_another_machine_is_reached_through_the_proxy(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeServer({FAR: reply(["hi"])}) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"{scheme}{proxy.host}")
        assert ask("gpu.test").text == "hi"


@pytest.mark.parametrize(
    "variables",
    [
        {"ALL_PROXY": "socks://127.0.0.1:7890/"},
        {"ALL_PROXY": "nonsense://x"},
        {"HTTP_PROXY": "http://127.0.0.1:9"},
        {"NO_PROXY": "localhost,127.0.0.1,::1,[::1],fd07:b51a:cc66::/64"},
    ],
)
def test_unused_proxy_is_not_required(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    exempt = variables.get("NO_PROXY", "localhost,[::1]") + ",nowhere.invalid"
    with_variables(monkeypatch, variables | {"NO_PROXY": exempt})
    error = ask("nowhere.invalid").error
    assert type(error) is UnreachableError
    assert str(error).startswith("cannot reach http://nowhere.invalid:11434:")


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("ALL_PROXY", "socks://127.0.0.1:7890", "socks://127.0.0.1:7890 (from ALL_PROXY) cannot be used: SOCKS"),
        ("HTTP_PROXY", "nonsense://u:secret@x", "x (from HTTP_PROXY) cannot be used: its scheme is not one of http"),
    ],
)
def test_unusable_proxy_is_named_when_needed(
    variable: str, value: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(UsageError) as caught:
        ask("gpu.test")
    assert says in str(caught.value)
    assert "add gpu.test to NO_PROXY" in caught.value.hint
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("host", ["gpu.test", "https://gpu.test"])
def test_unreachable_proxy_is_named_with_its_variable(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place = closed_port()
    monkeypatch.setenv("ALL_PROXY", f"http://me:secret@{place}")
    error = ask(host).error
    assert type(error) is UnreachableError
    assert f"cannot reach the proxy {place} (from ALL_PROXY)" in str(error)
    assert "Connection refused" in str(error)
    assert "add gpu.test to NO_PROXY" in error.hint
    assert "ollama serve" not in error.hint
    assert "secret" not in str(error) + error.hint


@pytest.mark.parametrize(
    ("status", "says", "advice"),
    [("403 Forbidden", "403 Forbidden", "add gpu.test to NO_PROXY"), ("407 Login", "407 Login", "user:password@")],
)
def test_proxy_that_refuses_is_named(status: str, says: str, advice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    refusing = Raw([f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()])
    with FakeServer({"gpu.test:443": refusing}) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.host}")
        error = ask("https://gpu.test").error
    assert type(error) is UnreachableError
    assert f"the proxy http://{proxy.host} (from HTTPS_PROXY) refuses to connect" in str(error)
    assert says in str(error)
    assert advice in error.hint


@pytest.mark.parametrize(
    ("status", "kind", "says"),
    [
        (403, RefusedError, "denies access (HTTP 403)"),
        (407, RefusedError, "a proxy requires a login"),
        (503, BusyError, "the server behind it does not (HTTP 503)"),
        (400, UnreachableError, "a web page with HTTP 400"),
    ],
)
def test_error_page_names_the_proxy_in_between(
    status: int, kind: type[ReflecttyError], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeServer({FAR: Answer([PAGE], status, NOW, "text/html")}) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://{proxy.host}")
        error = ask("gpu.test").error
    assert type(error) is kind
    assert says in str(error)
    assert error.hint.endswith(f"the request went through the proxy http://{proxy.host} (from HTTP_PROXY)")


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
@pytest.mark.parametrize("engine", [OllamaEngine, OpenAIEngine])
def test_certificate_variables_apply_to_this_machine_too(
    engine: type[OllamaEngine | OpenAIEngine],
    variable: str,
    name: str,
    signed: Authority,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def run(port: int) -> Outcome:
        async with engine(parse_host(f"https://{name}:{port}"), timeouts=PATIENT) as opened:
            return await collect(opened.chat(REQUEST))

    monkeypatch.setenv(variable, str(signed.signer if variable == "SSL_CERT_FILE" else signed.folder))
    with serving(signed, BODY if engine is OllamaEngine else EVENTS) as port:
        outcome = asyncio.run(run(port))
    assert (outcome.text, outcome.error) == ("hi", None)


@pytest.mark.parametrize("set_up", [False, True])
def test_untrusted_certificate_error_names_the_variables(
    set_up: bool, signed: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    if set_up:
        monkeypatch.setenv("SSL_CERT_DIR", str(signed.server.parent))
    with serving(signed) as port:
        error = ask(f"https://127.0.0.1:{port}").error
    assert type(error) is UnreachableError
    assert f"the certificate of https://127.0.0.1:{port} is not trusted" in str(error)
    assert "SSL_CERT_DIR" in error.hint
    assert ("SSL_CERT_FILE" in error.hint) is not set_up


@pytest.mark.parametrize(("variable", "says"), [("SSL_CERT_FILE", "No such file"), ("SSL_CERT_DIR", "No such file")])
def test_missing_certificates_fail_only_for_https(variable: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "/missing/certificates")
    with FakeServer({"/api/chat": reply(["hi"])}) as server:
        assert ask(server.host).complete
    with pytest.raises(UsageError, match=rf"in /missing/certificates \(from {variable}\) cannot be used: {says}"):
        ask("https://127.0.0.1:1")


def test_http_to_an_https_port_suggests_https(signed: Authority) -> None:
    with serving(signed) as port:
        error = ask(f"127.0.0.1:{port}").error
    assert type(error) is UnreachableError
    assert f"https://127.0.0.1:{port}" in error.hint
    assert "role=SERVER" not in str(error)


@pytest.mark.parametrize("far", [False, True])
def test_tls_reply_to_http_suggests_https(far: bool) -> None:
    with FakeServer({"/api/chat": Raw([b"\x15\x03\x03\x00\x02\x02\x46"])}) as server:
        error = ask(server.host, through_httpx=far).error
    assert type(error) is UnreachableError
    assert "does not speak http: it responds with https" in str(error)
    assert error.hint == f"use https://{server.host}"


def test_https_to_an_http_port_suggests_http() -> None:
    def refuse() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(100)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")

    with socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        threading.Thread(target=refuse, daemon=True).start()
        host = f"127.0.0.1:{listener.getsockname()[1]}"
        error = ask(f"https://{host}").error
    assert type(error) is UnreachableError
    assert str(error) == f"https://{host} does not speak https"
    assert error.hint == f"try http://{host}"


def test_zone_is_left_out_of_the_host_header(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeServer({}) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://{proxy.host}")
        ask("[fe80::1%25eth0]:11434")
    assert proxy.requests[0].headers["host"] == "[fe80::1]:11434"
