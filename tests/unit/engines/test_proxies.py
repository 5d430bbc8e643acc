from __future__ import annotations

import pytest

from reflectty.engines.hosts import parse_host
from reflectty.engines.proxies import Proxy, is_exempt, proxy_from_environment, proxy_to


@pytest.mark.parametrize(
    ("entries", "host", "exempt"),
    [
        ("*", "a", True),
        ("x, *", "a", True),
        ("a.b", "a.b", True),
        ("b", "a.b", True),
        (".b", "a.b", True),
        (".a.b", "a.b", True),
        ("*.b", "a.b", True),
        ("b", "ab", False),
        ("", "a", False),
        (" , ", "a", False),
        ("A.B", "a.b", True),
        ("a.b", "A.B.", True),
        ("x a.b", "a.b", True),
        ("192.0.2.2", "192.0.2.2", True),
        ("192.0.2.0/24", "192.0.2.2", True),
        ("192.0.2.7/24", "192.0.2.2", True),
        ("192.0.3.0/24", "192.0.2.2", False),
        ("192.0.2.0/33", "192.0.2.2", False),
        ("0.2.2", "192.0.2.2", False),
        ("0.0.0.0/0", "fd00::1", False),
        ("192.0.2.0/24", "::ffff:192.0.2.2", True),
        ("[::1]", "::1", True),
        ("::1/128", "::1", True),
        ("fd07:b51a:cc66::/64", "fd07:b51a:cc66::2", True),
        ("[fd07:b51a:cc66::]/64", "fd07:b51a:cc66::2", True),
        ("FD00:0::2", "fd00::2", True),
        ("fd00::/8", "fe80::1%eth0", False),
        ("fe80::/10", "fe80::1%eth0", True),
        ("[fe80::1%25eth0]", "fe80::1%eth0", True),
        ("fe80::1%eth1", "fe80::1%eth0", False),
        ("localhost,127.0.0.1,::1,[::1]", "192.0.2.2", False),
        ("[", "a", False),
        ("/24", "192.0.2.2", False),
    ],
)
def test_no_proxy_matches_names_addresses_and_networks(entries: str, host: str, exempt: bool) -> None:
    assert is_exempt({"NO_PROXY": entries}, host) is exempt


@pytest.mark.parametrize(
    ("entries", "host", "exempt"),
    [
        ("gpu.lan:11434", "gpu.lan", True),
        ("gpu.lan:80", "gpu.lan", False),
        ("192.0.2.2:11434", "192.0.2.2", True),
        ("192.0.2.2:80", "192.0.2.2", False),
        ("[fd00::2]:11434", "[fd00::2]:11434", True),
        ("[fd00::2]:80", "[fd00::2]:11434", False),
        ("http://gpu.lan", "gpu.lan", True),
        ("https://gpu.lan", "gpu.lan", False),
        ("all://gpu.lan:11434/", "gpu.lan", True),
    ],
)
def test_no_proxy_may_name_a_port_and_a_scheme(entries: str, host: str, exempt: bool) -> None:
    environment = {"http_proxy": "http://p:1", "NO_PROXY": entries}
    assert (proxy_to(parse_host(host), environment) is None) is exempt


@pytest.mark.parametrize(
    ("environment", "scheme", "variable"),
    [
        ({"HTTP_PROXY": "http://u", "http_proxy": "http://l", "all_proxy": "x"}, "http", "http_proxy"),
        ({"HTTP_PROXY": "http://u", "ALL_PROXY": "x"}, "https", "ALL_PROXY"),
        ({"HTTP_PROXY": "http://u", "http_proxy": ""}, "http", ""),
        ({"HTTP_PROXY": "http://u", "http_proxy": " ", "all_proxy": "x"}, "http", "all_proxy"),
        ({}, "http", ""),
    ],
)
def test_lower_case_proxy_variable_takes_precedence(environment: dict[str, str], scheme: str, variable: str) -> None:
    chosen = proxy_from_environment(environment, scheme)
    assert (chosen.variable if chosen else "") == variable


def test_lower_case_no_proxy_takes_precedence() -> None:
    assert not is_exempt({"NO_PROXY": "*", "no_proxy": ""}, "a")
    assert is_exempt({"NO_PROXY": "", "no_proxy": "a"}, "a")


@pytest.mark.parametrize(
    ("text", "url", "place"),
    [
        ("socks://p:1/", "socks5://p:1/", "socks://p:1/"),
        ("SOCKS5h://p:1", "socks5h://p:1", "SOCKS5h://p:1"),
        ("p:1", "http://p:1", "p:1"),
        ("http://u:secret@p:1", "http://u:secret@p:1", "p:1"),
    ],
)
def test_proxy_address_is_shown_without_its_login(text: str, url: str, place: str) -> None:
    proxy = Proxy("ALL_PROXY", text)
    assert (proxy.url, proxy.address) == (url, place)


@pytest.mark.parametrize("host", ["", "localhost:80", "[::1%lo]:80", "unix:///x", "http://127.0.0.9"])
def test_proxy_is_not_used_for_this_machine(host: str) -> None:
    assert proxy_to(parse_host(host), {"http_proxy": "http://p:1", "ALL_PROXY": "http://p:1"}) is None
