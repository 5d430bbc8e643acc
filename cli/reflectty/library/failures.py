"""What a server says went wrong while it pulls or creates, as the errors of this program; no I/O."""

from __future__ import annotations

from typing import Final

from reflectty.errors import IncompleteError, ModelMissingError, ReflecttyError, RefusedError, StalledError
from reflectty.families import FAMILIES
from reflectty.library.names import short

KEPT_HINT: Final = "what came is kept: the same command goes on from there"
SEARCH_HINT: Final = "ollama.com/search finds models, and a model's page its tags"
_DISK: Final = ("no space left", "disk full", "not enough space", "disk quota exceeded")
_MISSING: Final = ("pull model manifest: file does not exist", "manifest unknown")
_TOO_OLD: Final = ("requires a newer version",)
_INSECURE: Final = (
    "insecure protocol http",
    "does not look like a tls handshake",
    "gave http response to https client",
)
_NETWORK: Final = ("dial tcp", "no such host", "network is unreachable", "connection refused", "tls:", "x509:")


def of_pull(error: IncompleteError, model: str) -> ReflecttyError:
    """Return the error that ended a pull, with what to do about it."""
    text = str(error)
    if _has(text, _MISSING):
        return ModelMissingError(f"the registry has no model {model}", f"{_near(model)}{SEARCH_HINT}")
    if _has(text, _TOO_OLD):
        return RefusedError(f"this server is too old for {model}", "update Ollama there")
    if _has(text, _INSECURE):
        return RefusedError(f"the registry of {model} speaks plain http", "--insecure lets the server do so as well")
    if _has(text, _DISK):
        return IncompleteError("the server's disk is full", f"free some space there; {KEPT_HINT}")
    if _has(text, _NETWORK):
        reason = text.removeprefix("the server stopped: ").removeprefix("pull model manifest: ")
        hint = "it is the server that pulls: see the network and HTTPS_PROXY of the machine where `ollama serve` runs"
        return IncompleteError(f"the server cannot reach the registry: {reason}", hint)
    return _again(error, KEPT_HINT)


def of_create(error: IncompleteError) -> ReflecttyError:
    """Return the error that ended a creation, with what to do about it."""
    if _has(str(error), _DISK):
        return IncompleteError("the server's disk is full", "free some space there, then create again")
    return error


def _near(model: str) -> str:
    """Return the names of the families of models that look like this one, as a question."""
    import difflib  # noqa: PLC0415 - only a missing model needs it

    known = {start for family in FAMILIES.values() for start in family.models}
    found = difflib.get_close_matches(short(model).partition(":")[0].lower(), known, cutoff=0.8)
    return f"did you mean {' or '.join(found)}? Otherwise " if found else ""


def _has(text: str, parts: tuple[str, ...]) -> bool:
    return any(part in text.lower() for part in parts)


def _again(error: IncompleteError, hint: str) -> IncompleteError:
    kind = StalledError if isinstance(error, StalledError) else IncompleteError
    return kind(str(error), hint)
