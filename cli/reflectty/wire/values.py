"""JSON from a server that may send anything: decoded, coerced, and its errors unwrapped; no I/O."""

from __future__ import annotations

import json
from typing import Any, Final, NamedTuple

TEXT_LIMIT: Final = 300
"""Characters of a server's message that are shown."""
HIGHEST_COUNT: Final = 10**18
BOM: Final = b"\xef\xbb\xbf"
HOST_HINT: Final = "check --host or OLLAMA_HOST; an OpenAI-compatible server is asked with --engine openai"
LOG_HINT: Final = "ask again; the log of `ollama serve` may say why"

Body = dict[str, Any]


def decode(data: bytes) -> Body:
    """Return the JSON object that UTF-8 bytes are, a BOM aside and with U+FFFD for what is not UTF-8.

    Raises:
        ValueError: they are none; the message says what they are.
    """
    try:
        value = json.loads(data.removeprefix(BOM).decode(errors="replace"))
    except (ValueError, RecursionError) as error:
        kind = "a web page" if is_page(data) else "something else than JSON"
        raise ValueError(kind) from error
    if not isinstance(value, dict):
        kind = "JSON of another kind"
        raise ValueError(kind)  # noqa: TRY004 - to its callers it is data of the wrong kind, not an argument
    return value


def is_page(data: bytes) -> bool:
    """Say whether a body looks like HTML or XML: a proxy's, a login page's, another server's."""
    return data.removeprefix(BOM).lstrip().startswith(b"<")


class Failure(NamedTuple):
    """What a server said went wrong, and the innermost object in which it said so."""

    text: str
    details: Body


def failure(value: object) -> Failure:
    r"""Unwrap an error as deep as it goes.

    Ollama wraps what its model server answers as JSON in a string: `{"error": "{\"error\":{\"message\":…}}"}`.
    """
    details: Body = {}
    inner: object | None = value
    while inner is not None:
        value = inner
        details = value if isinstance(value, dict) else details
        inner = _inner_failure(value)
    return Failure(shorten(as_text(value)), details)


def _inner_failure(value: object) -> object | None:
    if isinstance(value, dict):
        return value.get("error") or value.get("message")
    if not isinstance(value, str) or not value.lstrip().startswith("{"):
        return None
    try:
        return decode(value.encode(errors="replace"))
    except ValueError:
        return None


def shorten(text: str) -> str:
    """Return a server's message on one line of at most 300 characters."""
    line = " ".join(text[: 10 * TEXT_LIMIT].split())
    return line if len(line) <= TEXT_LIMIT else line[: TEXT_LIMIT - 1] + "…"


def as_text(value: object) -> str:
    """Return a text that can be encoded again: other values as JSON, half surrogate pairs as U+FFFD."""
    if value is None or value == "":
        return ""
    text = value if isinstance(value, str) else _json(value)
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _json(value: object) -> str:
    try:
        return json.dumps(value)
    except RecursionError:
        return "…"


def as_number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return value if 0 <= value < HIGHEST_COUNT else 0


def called(value: object) -> tuple[str, ...]:
    """Return the names of the tools in a list of calls; a piece of a call that has begun has none.

    Ollama and OpenAI both write `[{"function": {"name": …, "arguments": …}}]`.
    """
    entries = value if isinstance(value, list) else ()
    functions = (entry.get("function") for entry in entries if isinstance(entry, dict))
    names = (as_text(one.get("name")) for one in functions if isinstance(one, dict))
    return tuple(shorten(name) for name in names if name.strip())
