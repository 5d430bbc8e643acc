"""Lists a server's models for completion, from the server or from a cache."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from contextlib import suppress
from itertools import pairwise
from select import select
from typing import TYPE_CHECKING, Final, NoReturn
from urllib.parse import urlsplit

from reflectty import config
from reflectty.core.errors import UsageError
from reflectty.core.model_names import short_name_of
from reflectty.core.named_tuple import NamedTuple
from reflectty.engines import address_of, is_built_in, manages_models
from reflectty.system.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from http.client import HTTPConnection
    from pathlib import Path

    from reflectty.engines.hosts import Address

PATIENCE_SECONDS: Final = 0.06
"""How long a completion waits for a server."""
MAX_LISTEN_SECONDS: Final = 3
"""How long the child process waits for a server in the background; its result is cached for the next completion."""
MAX_ANSWER_BYTES: Final = 4 << 20
_MAX_CACHE_BYTES: Final = 1 << 20
_MAX_SERVERS: Final = 20
"""The number of servers whose models are cached."""
_NAME_PATTERN: Final = re.compile(r"[\w][\w.:/@+-]*")


class _ModelListServer(NamedTuple):
    address: Address
    path: str
    """The path of the model list."""
    key: str


def model_names(words: Sequence[str] = ()) -> tuple[str, ...]:
    """The models of the server named by the words of a line, or the settings."""
    try:
        server = _server_from(words)
    except UsageError:
        return ()
    name, cached = str(server.address), _load_cache()
    before = cached.get(name, ())
    if _is_proxied(server.address):
        return before
    names = _ask_in_child(server, lambda found: _save_cache(name, found, cached) if found != before else None)
    return before if names is None else names


def _is_proxied(address: Address) -> bool:
    """Whether requests to a server go through a proxy; model lists are not requested then."""
    from reflectty.system.terminal import system_environment

    environment = system_environment()
    if address.loopback or not any(name.lower().endswith("_proxy") for name in environment):
        return False
    from reflectty.engines.proxies import proxy_to

    return proxy_to(address, environment) is not None


def _server_from(words: Sequence[str]) -> _ModelListServer:
    managing = bool(words) and words[0] == "models" and words[1:2] != ["show"]
    settings = _load_settings(_flag_value(words, "--profile"), "ollama" if managing else _flag_value(words, "--engine"))
    if is_built_in(settings.engine):
        raise UsageError("the built-in model has no server")
    host, key = _flag_value(words, "--host") or settings.host, ""
    with suppress(UsageError):
        key = config.load_api_key(settings)
    address = address_of(host, settings.engine, key_over_http=settings.api_key_over_http)
    if not manages_models(settings.engine):
        return _ModelListServer(
            address, address.url_of("/v1/models").removeprefix(address.url), key if address.is_confidential else ""
        )
    # Ollama lists its models for everyone: only a server reached by https may require a key.
    return _ModelListServer(address, "/api/tags", key if address.url.startswith("https://") else "")


def _load_settings(profile: str, engine: str) -> config.Settings:
    """Load the settings, or the usable part of them."""
    try:
        return config.load_settings(profile=profile, engine=engine)
    except UsageError:
        from reflectty.doctor.files import load_usable_settings
        from reflectty.system.terminal import system_environment

        found = load_usable_settings(system_environment(), config.config_path(), profile).settings
        return found._replace(engine=engine or found.engine)


def _flag_value(words: Sequence[str], flag: str) -> str:
    """The value of an option on the line, or ""."""
    found = ""
    for word, after in pairwise((*words, "")):
        if word == flag:
            found = after
        elif word.startswith(f"{flag}="):
            found = word.partition("=")[2]
    return found.strip("\"'")


def _ask_in_child(server: _ModelListServer, save: Callable[[tuple[str, ...]], None]) -> tuple[str, ...] | None:
    """Request the models of a server; None after a timeout, in which case they are still cached once they arrive.

    A child process waits for the server: name resolution and a slow response have no time limit, and a shell waits for
    every process that holds its output.
    """
    # Imported before the fork, so that the wait does not include it.
    import http.client  # noqa: F401 - only a request needs it

    reader, writer = os.pipe()
    if os.fork() == 0:
        _run_child(server, save, writer)
    os.close(writer)
    reply, end = b"", time.monotonic() + PATIENCE_SECONDS
    while select([reader], [], [], max(0.0, end - time.monotonic()))[0]:
        piece = os.read(reader, 1 << 16)
        if not piece:
            return tuple(json.loads(reply)) if reply else None
        reply += piece
    return None


def _run_child(server: _ModelListServer, save: Callable[[tuple[str, ...]], None], writer: int) -> NoReturn:
    """Request the list of a server, cache it, send it to the parent and exit."""
    try:
        os.setsid()
        signal.alarm(MAX_LISTEN_SECONDS)
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nothing, stream)
        with suppress(OSError, ValueError, UsageError):
            names = _parse_names(_fetch_list(server))
            save(names)
            # A broken pipe if the parent no longer reads.
            os.write(writer, json.dumps(names).encode("ascii"))
    finally:
        os._exit(0)


def _fetch_list(server: _ModelListServer) -> bytes:
    """Read a server's model list as raw bytes.

    Raises:
        OSError: it did not arrive in time.
    """
    from http.client import HTTPException

    connection, prefix = _connection_to(server.address)
    try:
        connection.request("GET", prefix + server.path, headers=_headers_for(server))
        response = connection.getresponse()
        if response.status != 200:  # noqa: PLR2004 - OK
            raise OSError(f"it answered {response.status}")
        return response.read(MAX_ANSWER_BYTES)
    except HTTPException as error:
        raise OSError(str(error)) from error
    finally:
        connection.close()


def _connection_to(address: Address) -> tuple[HTTPConnection, str]:
    """A connection without the engines' HTTP client, and the prefix of every path."""
    import socket
    from http.client import HTTPConnection, HTTPSConnection

    url = urlsplit(address.url)
    kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
    connection = kind(url.hostname or "", url.port, timeout=MAX_LISTEN_SECONDS)
    if address.socket_path:
        connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.sock.settimeout(MAX_LISTEN_SECONDS)
        connection.sock.connect(address.socket_path)
    return connection, url.path


def _headers_for(server: _ModelListServer) -> dict[str, str]:
    headers = {"Accept": "application/json", "User-Agent": "reflectty"}
    if server.key:
        headers["Authorization"] = f"Bearer {server.key}"
    elif server.address.user and server.address.is_confidential:
        from base64 import b64encode

        login = f"{server.address.user}:{server.address.password}".encode()
        headers["Authorization"] = f"Basic {b64encode(login).decode('ascii')}"
    return headers


def _parse_names(answer: bytes) -> tuple[str, ...]:
    """Parse a model list in Ollama's or OpenAI's form.

    Raises:
        ValueError: it is neither.
    """
    try:
        body = json.loads(answer)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    rows = body.get("data", body.get("models")) if isinstance(body, dict) else None
    if not isinstance(rows, list):
        raise ValueError("not a list of models")  # noqa: TRY004 - about the response, not an argument
    names = _valid_names(row.get("id") or row.get("name") for row in rows if isinstance(row, dict))
    # An id of OpenAI's protocol is requested unchanged; in a name of Ollama's, the tag `latest` is implied.
    return tuple(short_name_of(name, whole="data" in body) for name in names)


def _valid_names(names: object) -> tuple[str, ...]:
    """The names that are valid model names."""
    found = names if hasattr(names, "__iter__") else ()
    return tuple(name for name in found if isinstance(name, str) and _NAME_PATTERN.fullmatch(name, 0, 400))


def _cache_path() -> Path:
    return config.state_folder() / "completions" / "models.json"


def _load_cache() -> Mapping[str, tuple[str, ...]]:
    """The cached models of the servers."""
    with suppress(OSError, ValueError, RecursionError, UsageError):
        with _cache_path().open("rb") as file:
            cached = json.loads(file.read(_MAX_CACHE_BYTES))
        if isinstance(cached, dict):
            return {server: _valid_names(names) for server, names in cached.items() if isinstance(names, list)}
    return {}


def _save_cache(server: str, names: tuple[str, ...], before: Mapping[str, tuple[str, ...]]) -> None:
    """Cache the models of a server, readable by the user only; does nothing if it cannot be written."""
    cached = {server: names, **{other: known for other, known in before.items() if other != server}}
    text = json.dumps(dict(list(cached.items())[:_MAX_SERVERS]))
    with suppress(OSError, UsageError):
        write_atomically(_cache_path(), text, 0o600, with_folder=True, synced=False)
