"""Explains errors that end a pull or a create."""

from __future__ import annotations

import re
from typing import Final

from reflectty.core.errors import IncompleteError, ModelMissingError, ReflecttyError, RefusedError, StalledError
from reflectty.core.model_names import short_name_of
from reflectty.reasoning.families import FAMILIES

RESUME_PULL_HINT: Final = "run the same command to continue: progress is kept"
SEARCH_HINT: Final = "find models at ollama.com/search, and tags on a model's page"
_DISK: Final = ("no space left", "disk full", "not enough space", "disk quota exceeded")
_MISSING: Final = ("pull model manifest: file does not exist", "manifest unknown")
_TOO_OLD: Final = ("requires a newer version",)
_INSECURE: Final = (
    "insecure protocol http",
    "does not look like a tls handshake",
    "gave http response to https client",
)
_NETWORK: Final = (
    "dial tcp",
    "no such host",
    "network is unreachable",
    "no route to host",
    "connection refused",
    "connection reset",
    "timeout",
    "deadline exceeded",
    "tls:",
    "x509:",
    "proxyconnect",
)
_BLOCKED: Final = ("blocked redirect to a different host",)
"""How Ollama 0.34.2 refuses a redirect to another host, where the registry keeps the file (server/images.go)."""
_UNREDIRECTED: Final = ("no location header in response",)
"""How Ollama refuses a registry that serves files without a redirect, which it requires (server/download.go)."""
DOWNLOAD_HINT: Final = "download the GGUF and `ollama create` a model from it"
BLOCKED_HINT: Final = (
    f"use a version of Ollama other than 0.34.2, or {DOWNLOAD_HINT};"
    " --insecure allows it, but over plain http, where anyone on the network can change the files"
)


def pull_error_of(error: IncompleteError, model: str) -> ReflecttyError:
    """The error that ended a pull, with a hint."""
    text = str(error)
    if _has(text, _MISSING):
        return ModelMissingError(f"the registry has no model {model}", f"{_similar_names_hint(model)}{SEARCH_HINT}")
    if _has(text, _TOO_OLD):
        return RefusedError(f"this server is too old for {model}", "update Ollama on the server")
    if _has(text, _DISK):
        return IncompleteError("the server's disk is full", f"free some space there, then {RESUME_PULL_HINT}")
    return _refused_error_of(text, model) or _network_error_of(text) or _add_hint(error, RESUME_PULL_HINT)


def _refused_error_of(text: str, model: str) -> RefusedError | None:
    """The error of a server that refuses the registry's protocol or redirects."""
    if _has(text, _INSECURE):
        return RefusedError(f"the registry of {model} uses plain http", "use --insecure to pull over plain http")
    if _has(text, _BLOCKED):
        where = _last_host(text) or "another host"
        return RefusedError(
            f"the registry redirects {model} to {where}, and the server refuses to follow", BLOCKED_HINT
        )
    if _has(text, _UNREDIRECTED):
        message = f"the registry of {model} serves files without a redirect, which Ollama refuses"
        return RefusedError(message, f"use another registry, or {DOWNLOAD_HINT}")
    return None


def _network_error_of(text: str) -> IncompleteError | None:
    if not _has(text, _NETWORK):
        return None
    reason = text.removeprefix("the server stopped: ").removeprefix("pull model manifest: ")
    hint = "check the network and HTTPS_PROXY on the machine that runs `ollama serve`"
    return IncompleteError(f"the server cannot reach the registry: {reason}", hint)


def create_error_of(error: IncompleteError) -> ReflecttyError:
    """The error that ended a create, with a hint."""
    if _has(str(error), _DISK):
        return IncompleteError("the server's disk is full", "free some space there, then create it again")
    return error


def _last_host(text: str) -> str:
    """The host of the last URL in a text, where the cause of the failure follows."""
    found = re.findall(r"https?://([^\s/?#\"']+)", text)
    return found[-1] if found else ""


def _similar_names_hint(model: str) -> str:
    """The model families with similar names, as a question."""
    import difflib

    known = {start for family in FAMILIES.values() for start in family.models}
    found = difflib.get_close_matches(short_name_of(model).partition(":")[0].lower(), known, cutoff=0.8)
    return f"did you mean {' or '.join(found)}? Otherwise " if found else ""


def _has(text: str, parts: tuple[str, ...]) -> bool:
    return any(part in text.lower() for part in parts)


def _add_hint(error: IncompleteError, hint: str) -> IncompleteError:
    kind = StalledError if isinstance(error, StalledError) else IncompleteError
    return kind(str(error), hint)
