"""The models of the server that a line would ask: asked for a moment, or remembered from the last time it answered."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from contextlib import suppress
from itertools import pairwise
from select import select
from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn

from reflectty import config
from reflectty.engines import VLLM_PORT, EngineName
from reflectty.engines.hosts import parse_host
from reflectty.errors import UsageError
from reflectty.names import short

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from reflectty.engines.hosts import Address

PATIENCE: Final = 0.06
"""Seconds that whoever presses tab waits for a server."""
LONGEST: Final = 3
"""Seconds that a server is listened to behind his back: what it says then is there for the next time."""
LARGEST: Final = 4 << 20
_LARGEST_KEPT: Final = 1 << 20
_SERVERS: Final = 20
"""Of how many servers the models are remembered."""
_NAME: Final = re.compile(r"[\w][\w.:/@+-]*")


class _Server(NamedTuple):
    address: Address
    path: str
    """Where its models are listed."""
    key: str


def model_names(words: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the models of the server that the words of a line, and the settings, name."""
    try:
        server = _server(words)
    except UsageError:
        return ()
    name, kept = str(server.address), _kept()
    before = kept.get(name, ())
    if _is_proxied(server.address):
        return before
    names = _asked(server, lambda found: _keep(name, found, kept) if found != before else None)
    return before if names is None else names


def _is_proxied(address: Address) -> bool:
    """Whether a question to a server would go through a proxy: a list is not asked for past it."""
    from reflectty.terminal import system_environment  # noqa: PLC0415 - the whole of it is looked at only here

    environment = system_environment()
    if address.loopback or not any(name.lower().endswith("_proxy") for name in environment):
        return False
    from reflectty.engines.proxies import proxy_to  # noqa: PLC0415 - few machines have a proxy

    return proxy_to(address, environment) is not None


def _server(words: Sequence[str]) -> _Server:
    managing = bool(words) and words[0] == "models" and words[1:2] != ["show"]
    settings = _settings(_flag(words, "--profile"), EngineName.OLLAMA if managing else _flag(words, "--engine"))
    if settings.engine == EngineName.EMBEDDED:
        raise UsageError("the built-in model has no server")
    host, key = _flag(words, "--host") or settings.host, ""
    with suppress(UsageError):
        key = config.api_key(settings)
    if settings.engine == EngineName.OPENAI:
        address = parse_host(host, VLLM_PORT).above("/v1", trusted=settings.api_key_over_http)
        return _Server(address, address.at("/v1/models").removeprefix(address.url), key if address.confidential else "")
    address = parse_host(host)
    # Ollama lists its models for everyone: only a server that is reached by https may stand behind something that asks.
    return _Server(address, "/api/tags", key if address.url.startswith("https://") else "")


def _settings(profile: str, engine: str) -> config.Settings:
    """Return the settings, or what can be used of them."""
    try:
        return config.load(profile=profile, engine=engine)
    except UsageError:
        from reflectty.checking.settings import usable  # noqa: PLC0415 - only mistakes need it
        from reflectty.terminal import system_environment  # noqa: PLC0415

        found = usable(system_environment(), config.config_path(), profile).settings
        return found._replace(engine=engine or found.engine)


def _flag(words: Sequence[str], flag: str) -> str:
    """Return the value of an option of the line, or nothing."""
    found = ""
    for word, after in pairwise((*words, "")):
        if word == flag:
            found = after
        elif word.startswith(f"{flag}="):
            found = word.partition("=")[2]
    return found.strip("\"'")


def _asked(server: _Server, keep: Callable[[tuple[str, ...]], None]) -> tuple[str, ...] | None:
    """Return the models that a server lists, or None where it is late; they are kept all the same, once they come.

    A process of its own waits for the server: a name that does not resolve, or an answer that drips, knows no time
    limit, and a shell waits for whoever holds its output.
    """
    # What is imported by now is not waited for.
    import reflectty.completing.connecting  # noqa: F401, PLC0415 - only who asks a server needs it

    reader, writer = os.pipe()
    if os.fork() == 0:
        _listen(server, keep, writer)
    os.close(writer)
    said, end = b"", time.monotonic() + PATIENCE
    while select([reader], [], [], max(0.0, end - time.monotonic()))[0]:
        piece = os.read(reader, 1 << 16)
        if not piece:
            return tuple(json.loads(said)) if said else None
        said += piece
    return None


def _listen(server: _Server, keep: Callable[[tuple[str, ...]], None], writer: int) -> NoReturn:
    """Ask a server, keep and say what it lists, and end."""
    try:
        os.setsid()
        signal.alarm(LONGEST)
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nothing, stream)
        with suppress(OSError, ValueError, UsageError):
            names = _listed(_answer(server))
            keep(names)
            # Where nobody reads any more, this is a broken pipe.
            os.write(writer, json.dumps(names).encode("ascii"))
    finally:
        os._exit(0)


def _answer(server: _Server) -> bytes:
    """Return the list of a server as it comes.

    Raises:
        OSError: there is none in time.
    """
    from http.client import HTTPException  # noqa: PLC0415 - only here

    from reflectty.completing.connecting import connection_to  # noqa: PLC0415

    connection, prefix = connection_to(server.address, LONGEST)
    try:
        connection.request("GET", prefix + server.path, headers=_headers(server))
        response = connection.getresponse()
        if response.status != 200:  # noqa: PLR2004 - OK
            raise OSError(f"it answered {response.status}")
        return response.read(LARGEST)
    except HTTPException as error:
        raise OSError(str(error)) from error
    finally:
        connection.close()


def _headers(server: _Server) -> dict[str, str]:
    headers = {"Accept": "application/json", "User-Agent": "reflectty"}
    if server.key:
        headers["Authorization"] = f"Bearer {server.key}"
    elif server.address.user and server.address.confidential:
        from base64 import b64encode  # noqa: PLC0415 - few servers want a password

        login = f"{server.address.user}:{server.address.password}".encode()
        headers["Authorization"] = f"Basic {b64encode(login).decode('ascii')}"
    return headers


def _listed(answer: bytes) -> tuple[str, ...]:
    """Return the names in a list of Ollama's or OpenAI's form.

    Raises:
        ValueError: it is neither.
    """
    try:
        body = json.loads(answer)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    rows = body.get("data", body.get("models")) if isinstance(body, dict) else None
    if not isinstance(rows, list):
        raise ValueError("it is no list of models")  # noqa: TRY004 - of what came, not of an argument
    names = _sound(row.get("id") or row.get("name") for row in rows if isinstance(row, dict))
    # An id of OpenAI's protocol is asked for as it stands; of a name of Ollama's, the tag goes without saying.
    return tuple(short(name, whole="data" in body) for name in names)


def _sound(names: object) -> tuple[str, ...]:
    """Return those of the names that are such as models have."""
    found = names if hasattr(names, "__iter__") else ()
    return tuple(name for name in found if isinstance(name, str) and _NAME.fullmatch(name, 0, 400))


def _place() -> Path:
    return config.state_folder() / "completions" / "models.json"


def _kept() -> Mapping[str, tuple[str, ...]]:
    """Return the models of the servers that answered before."""
    with suppress(OSError, ValueError, RecursionError, UsageError):
        with _place().open("rb") as file:
            kept = json.loads(file.read(_LARGEST_KEPT))
        if isinstance(kept, dict):
            return {server: _sound(names) for server, names in kept.items() if isinstance(names, list)}
    return {}


def _keep(server: str, names: tuple[str, ...], before: Mapping[str, tuple[str, ...]]) -> None:
    """Remember the models of a server, for nobody else to read; where nothing can be written, they are forgotten."""
    kept = {server: names, **{other: known for other, known in before.items() if other != server}}
    text = json.dumps(dict(list(kept.items())[:_SERVERS]))
    with suppress(OSError, UsageError):
        path = _place()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.{os.getpid()}.{time.monotonic_ns()}")
        number = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(number, "w", encoding="utf-8") as file:  # noqa: PTH123 - a file that is open already has no path
            file.write(text)
        fresh.replace(path)
