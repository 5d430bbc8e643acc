"""Compares and shortens model names, and tells which models run on a remote host.

The names follow `parseSourceSuffix` of internal/modelref in Ollama 0.34.2: whatever stands in the list, a name whose
tag is `cloud` or ends in `-cloud` is answered by ollama.com, and `name:local` never is.

The rules are `ParseNameBare` and `isValidPart` of types/model/name.go in Ollama, the same in 0.32.15 and 0.34.2;
`:local` behind a name is of internal/modelref in 0.34.2, and says that a model of the server itself is meant.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from reflectty.core.errors import UsageError

if TYPE_CHECKING:
    from reflectty.core.messages import Model


CLOUD_HOST: Final = "ollama.com"
"""Where Ollama's own cloud is."""
LOCAL_SUFFIX: Final = ":local"
"""What stands behind the name of a model that is to be the server's own, whatever else is called so."""


def remote_host_of(model: Model) -> str:
    """Return the host that answers for a model; nothing where its server runs it."""
    if model.remote_host:
        return _host(model.remote_host)
    return CLOUD_HOST if is_cloud_name(model.name) else ""


def is_cloud_name(name: str) -> bool:
    """Whether a name alone says that Ollama's cloud answers."""
    before, colon, tag = name.strip().lower().rpartition(":")
    return bool(before and colon) and "/" not in tag and (tag == "cloud" or tag.endswith("-cloud"))


def cloud_notice_of(model: Model) -> str:
    """Return what is said before a question leaves the machine; nothing where it does not."""
    host = remote_host_of(model)
    return f"{model.name} {_CLOUD_NOTICE} and goes to {host}" if host else ""


def is_cloud_notice(text: str) -> bool:
    """Whether a text is one that `leaving` returned."""
    return _CLOUD_NOTICE in text


_CLOUD_NOTICE = "is a cloud model: what you ask leaves this machine"


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


_PART: Final = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}"
_NAMESPACE: Final = r"[A-Za-z0-9_][A-Za-z0-9_-]{0,79}"
_HOST: Final = r"(?:https?://)?[A-Za-z0-9_][A-Za-z0-9_.:-]{0,349}"
_NAME: Final = re.compile(rf"(?:(?:{_HOST}/)?{_NAMESPACE}/)?{_PART}(?::{_PART})?(?:{LOCAL_SUFFIX})?")
_BEFORE: Final = re.compile(r"^(https?://)?(registry\.ollama\.ai/)?(library/)?")
FORM: Final = "write it as model, model:tag, user/model:tag or host/user/model:tag"


def checked_name(name: str) -> str:
    """Return a name as it is.

    Raises:
        UsageError: it cannot be the name of a model: a path, blanks, control characters, a surplus slash.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} cannot be the name of a model" if name else "the name of the model is empty", FORM)
    return name


def short_name_of(name: str, *, whole: bool = False) -> str:
    """Return a name as it is shown and asked for: without the scheme, Ollama's own registry and the tag `latest`.

    Args:
        name: of a model.
        whole: whether it is an id of a server that is no Ollama: `mini` and `mini:latest` may be two models there, so
            it stays as it is.
    """
    return name if whole else _BEFORE.sub("", name).removesuffix(":latest")


def is_same_model(one: str, other: str) -> bool:
    """Whether two names are those of one model; Ollama tells no capital from a small letter."""
    return _comparable_name(one) == _comparable_name(other)


def _comparable_name(name: str) -> str:
    return short_name_of(name.lower().removesuffix(LOCAL_SUFFIX))
