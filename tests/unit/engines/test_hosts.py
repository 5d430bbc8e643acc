from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflectty.core.errors import UsageError
from reflectty.engines.hosts import Address, parse_host

LOCAL = "http://127.0.0.1:11434"


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("", LOCAL),
        ("  ", LOCAL),
        ("''", LOCAL),
        ("127.0.0.1", LOCAL),
        (" 'localhost' ", "http://localhost:11434"),
        ('"host:1"', "http://host:1"),
        (":5678", "http://127.0.0.1:5678"),
        ("host:", "http://host:11434"),
        ("host/", "http://host:11434"),
        ("host:8080/", "http://host:8080"),
        ("host:8080/some/path/", "http://host:8080/some/path"),
        ("host:8080/a b?c", "http://host:8080/a%20b%3Fc"),
        ("http://host", "http://host:80"),
        ("HTTP://host", "http://host:80"),
        ("http://", "http://127.0.0.1:80"),
        ("https://host", "https://host:443"),
        ("https://host:11434/ollama", "https://host:11434/ollama"),
        ("https://ollama.com", "https://ollama.com:443"),
        ("ollama.com", "https://ollama.com:443"),
        ("ollama.com:11434", "http://ollama.com:11434"),
        ("0.0.0.0", LOCAL),
        ("0.0.0.0:1234", "http://127.0.0.1:1234"),
        ("http://0.0.0.0", "http://127.0.0.1:80"),
        ("[::]:1234", "http://[::1]:1234"),
        ("::", "http://[::1]:11434"),
        ("::1", "http://[::1]:11434"),
        ("[::1]", "http://[::1]:11434"),
        ("[::1]:80", "http://[::1]:80"),
        ("http://[fd00::2]/p", "http://[fd00::2]:80/p"),
        ("[fe80::1%eth0]:1234", "http://[fe80::1%eth0]:1234"),
        ("[fe80::1%eth0]", "http://[fe80::1%eth0]:11434"),
        ("fe80::1%eth0", "http://[fe80::1%eth0]:11434"),
        ("fe80::1%eth0:1234", "http://[fe80::1%eth0]:1234"),
        ("http://[fe80::1%25en0]:1234/p", "http://[fe80::1%en0]:1234/p"),
        ("https://[fe80::1%2]", "https://[fe80::1%2]:443"),
        ("my_gpu-box.lan:65535", "http://my_gpu-box.lan:65535"),
        ("bücher.example", "http://bücher.example:11434"),
    ],
)
def test_host_is_parsed_as_ollama_parses_it(text: str, url: str) -> None:
    address = parse_host(text)
    assert address.url == url
    assert str(address) == url
    assert address.warning == ""


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("host:99999", "http://host:11434"),
        ("host:abc", "http://host:11434"),
        ("host:-1", "http://host:11434"),
        ("http://host:65536", "http://host:80"),
        ("https://host:x", "https://host:443"),
        ("host:²", "http://host:11434"),
    ],
)
def test_invalid_port_becomes_the_default_with_a_warning(text: str, url: str) -> None:
    address = parse_host(text)
    assert address.url == url
    assert "is not a port" in address.warning


@pytest.mark.parametrize(
    "text",
    ["not a url", "ftp://host", "unix://", "a:b:c", "host\x1b[2J", "ho\nst:1", "socks5://h:1", "[fe80::1%\x1b]:1"],
)
def test_invalid_host_is_a_usage_error_with_examples(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_host(text)
    assert "unix:///" in caught.value.hint
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("text", ["", "localhost", "LOCALHOST:1", "app.localhost", "127.1.2.3", "0.0.0.0", "::1", "::ffff:127.0.0.1", "unix:///s"])  # fmt: skip
def test_this_machine_is_loopback(text: str) -> None:
    assert parse_host(text).loopback
    assert parse_host(text).is_confidential


@pytest.mark.parametrize("text", ["192.168.0.2", "localhost.example", "notlocalhost", "fe80::1", "127.0.0.1.example"])
def test_another_machine_is_not_loopback(text: str) -> None:
    assert not parse_host(text).loopback
    assert not parse_host(text).is_confidential
    name = f"[{text}]" if "::" in text else text
    assert parse_host(f"https://{name}").is_confidential


def test_unix_host_is_a_socket_path() -> None:
    address = parse_host("unix:///run/ollama.sock")
    assert address == Address("http://localhost", "/run/ollama.sock", loopback=True)
    assert str(address) == "unix:///run/ollama.sock"


def test_login_is_separated_and_never_shown() -> None:
    address = parse_host("https://me:p%40ss@host/x")
    assert (address.url, address.user, address.password) == ("https://host:443/x", "me", "p@ss")
    assert "p@ss" not in f"{address!r}{address}"


def test_password_is_not_in_the_repr_of_an_address() -> None:
    assert "p@ss" not in repr(parse_host("https://me:p%40ss@host/x"))
    assert "user='me'" in repr(parse_host("https://me:p%40ss@host/x"))


@given(st.text())
def test_any_text_is_an_address_or_a_usage_error(text: str) -> None:
    try:
        address = parse_host(text)
    except UsageError:
        return
    assert address.socket_path or address.url.startswith(("http://", "https://"))


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("", "http://127.0.0.1:8000"),
        ("cluster", "http://cluster:8000"),
        ("cluster:1/v1/", "http://cluster:1"),
        ("https://cluster", "https://cluster:443"),
        ("https://cluster/llm/v1", "https://cluster:443/llm"),
        ("https://cluster/v1/x", "https://cluster:443/v1/x"),
        ("https://me:secret@cluster/v1", "https://cluster:443"),
    ],
)
def test_default_port_can_differ_and_the_api_path_is_stripped(text: str, url: str) -> None:
    address = parse_host(text, 8000).with_api_path("/v1")

    assert address.url == url
    assert address.user == ("me" if "@" in text else "")


@pytest.mark.parametrize(
    ("text", "models", "metrics", "shown"),
    [
        ("cluster", "http://cluster:8000/v1/models", "http://cluster:8000/metrics", "http://cluster:8000"),
        ("cluster/llm/v1", "http://cluster:8000/llm/v1/models", "http://cluster:8000/llm/metrics", "http://cluster:8000/llm"),
        ("cluster/v2", "http://cluster:8000/v2/models", "http://cluster:8000/metrics", "http://cluster:8000/v2"),
        (
            "https://maker/api/paas/v4/",
            "https://maker:443/api/paas/v4/models",
            "https://maker:443/api/paas/metrics",
            "https://maker:443/api/paas/v4",
        ),
        (
            "https://maker/v1beta/openai",
            "https://maker:443/v1beta/openai/models",
            "https://maker:443/v1beta/openai/metrics",
            "https://maker:443/v1beta/openai",
        ),
        ("https://way/v1/me/compat", "https://way:443/v1/me/compat/models", "https://way:443/v1/me/compat/metrics", "https://way:443/v1/me/compat"),
        ("https://way/vllm", "https://way:443/vllm/v1/models", "https://way:443/vllm/metrics", "https://way:443/vllm"),
    ],
)  # fmt: skip
def test_api_is_found_below_v1_or_the_given_version(text: str, models: str, metrics: str, shown: str) -> None:
    address = parse_host(text, 8000).with_api_path("/v1")

    assert (address.url_of("/v1/models"), address.url_of("/metrics"), str(address)) == (models, metrics, shown)


def test_trusted_host_is_confidential() -> None:
    assert parse_host("192.168.0.2/v1").with_api_path("/v1", trusted=True).is_confidential
    assert not parse_host("192.168.0.2/v1").with_api_path("/v1").is_confidential
