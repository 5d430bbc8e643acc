"""Compares and shortens model names, and detects which models run on a remote host.

Cloud names follow `parseSourceSuffix` of internal/modelref in Ollama 0.34.2: regardless of the list of models,
ollama.com answers for a name whose tag is `cloud` or ends in `-cloud`, and never for `name:local`, which means a model
of the server itself. Valid names follow `ParseNameBare` and `isValidPart` of types/model/name.go in Ollama, the same in
0.32.15 and 0.34.2.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from reflectty.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reflectty.core.messages import Model


CLOUD_HOST: Final = "ollama.com"
"""The host of Ollama's own cloud."""
LOCAL_SUFFIX: Final = ":local"
"""The suffix that selects the server's own model of a name."""


def remote_host_of(model: Model) -> str:
    """The host that answers for a model; empty if its server runs it."""
    if model.remote_host:
        return _host(model.remote_host)
    return CLOUD_HOST if is_cloud_name(model.name) else ""


def is_cloud_name(name: str) -> bool:
    """Whether a name alone selects Ollama's cloud."""
    before, colon, tag = name.strip().lower().rpartition(":")
    return bool(before and colon) and "/" not in tag and (tag == "cloud" or tag.endswith("-cloud"))


def cloud_notice_of(model: Model) -> str:
    """The notice before a question leaves the machine; empty if it does not."""
    host = remote_host_of(model)
    return f"{model.name} {_CLOUD_NOTICE} and go to {host}" if host else ""


def is_cloud_notice(text: str) -> bool:
    """Whether a text is a notice from `cloud_notice_of`."""
    return _CLOUD_NOTICE in text


_CLOUD_NOTICE = "is a cloud model: your prompts leave this machine"


def _host(address: str) -> str:
    """The host of an address, with its port if that is not the default."""
    try:
        parts = urlsplit(address if "//" in address else f"//{address}")
        host, port = parts.hostname, parts.port
    except ValueError:
        return address
    if not host:
        return address
    is_default_port = port in (None, 443 if parts.scheme != "http" else 80)
    return host if is_default_port else f"{host}:{port}"


_PART: Final = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}"
_NAMESPACE: Final = r"[A-Za-z0-9_][A-Za-z0-9_-]{0,79}"
_HOST: Final = r"(?:https?://)?[A-Za-z0-9_][A-Za-z0-9_.:-]{0,349}"
_NAME: Final = rf"(?:(?:{_HOST}/)?{_NAMESPACE}/)?{_PART}(?::{_PART})?(?:{LOCAL_SUFFIX})?"
_PREFIXES: Final = ("https://", "http://", "registry.ollama.ai/", "library/")
FORM: Final = "write it as model, model:tag, user/model:tag or host/user/model:tag"


def checked_name(name: str) -> str:
    """Check a model name and return it unchanged.

    Raises:
        UsageError: it cannot be the name of a model: a path, blanks, control characters, a surplus slash.
    """
    if not re.fullmatch(_NAME, name):
        raise UsageError(f"{name!r} is not a valid model name" if name else "the model name is empty", FORM)
    return name


def short_name_of(name: str, *, whole: bool = False) -> str:
    """A name as displayed and requested: without the scheme, Ollama's own registry and the tag `latest`.

    Args:
        name: of a model.
        whole: whether it is an id of a server other than Ollama, where `mini` and `mini:latest` may be two models, so
            it stays unchanged.
    """
    if whole:
        return name
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    return name.removesuffix(":latest")


def is_same_model(one: str, other: str) -> bool:
    """Whether two names are those of one model; Ollama ignores case."""
    return _comparable_name(one) == _comparable_name(other)


def _comparable_name(name: str) -> str:
    return short_name_of(name.lower().removesuffix(LOCAL_SUFFIX))


def digest_in(installed: Iterable[Model], name: str) -> str:
    """The digest of a model in a list; empty if it is not there, or has none."""
    return next((one.digest for one in installed if is_same_model(one.name, name)), "")
