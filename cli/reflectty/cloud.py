"""Models that a server does not run itself but passes on to another: which they are, and what is said of them; no I/O.

The names follow `parseSourceSuffix` of internal/modelref in Ollama 0.34.2: whatever stands in the list, a name whose
tag is `cloud` or ends in `-cloud` is answered by ollama.com, and `name:local` never is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from reflectty.chat import Model

CLOUD: Final = "ollama.com"
"""Where Ollama's own cloud is."""
LOCAL: Final = ":local"
"""What stands behind the name of a model that is to be the server's own, whatever else is called so."""


def elsewhere(model: Model) -> str:
    """Return the host that answers for a model; nothing where its server runs it."""
    if model.remote_host:
        return _host(model.remote_host)
    return CLOUD if is_cloud_name(model.name) else ""


def is_cloud_name(name: str) -> bool:
    """Whether a name alone says that Ollama's cloud answers."""
    before, colon, tag = name.strip().lower().rpartition(":")
    return bool(before and colon) and "/" not in tag and (tag == "cloud" or tag.endswith("-cloud"))


def leaving(model: Model) -> str:
    """Return what is said before a question leaves the machine; nothing where it does not."""
    host = elsewhere(model)
    return f"{model.name} {_LEAVES} and goes to {host}" if host else ""


def is_leaving(text: str) -> bool:
    """Whether a text is one that `leaving` returned."""
    return _LEAVES in text


_LEAVES = "is a cloud model: what you ask leaves this machine"


def _host(address: str) -> str:
    """Return the host of an address, with its port where that is not the usual one."""
    try:
        parts = urlsplit(address if "//" in address else f"//{address}")
        host, port = parts.hostname, parts.port
    except ValueError:
        return address
    if not host:
        return address
    usual = port in (None, 443 if parts.scheme != "http" else 80)
    return host if usual else f"{host}:{port}"
