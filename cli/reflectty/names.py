"""What can be the name of a model, by the rules of Ollama's own; asks no server.

The rules are `ParseNameBare` and `isValidPart` of types/model/name.go in Ollama, the same in 0.32.15 and 0.34.2;
`:local` behind a name is of internal/modelref in 0.34.2, and says that a model of the server itself is meant.
"""

from __future__ import annotations

import re
from typing import Final

from reflectty.cloud import LOCAL
from reflectty.errors import UsageError

_PART: Final = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}"
_NAMESPACE: Final = r"[A-Za-z0-9_][A-Za-z0-9_-]{0,79}"
_HOST: Final = r"(?:https?://)?[A-Za-z0-9_][A-Za-z0-9_.:-]{0,349}"
_NAME: Final = re.compile(rf"(?:(?:{_HOST}/)?{_NAMESPACE}/)?{_PART}(?::{_PART})?(?:{LOCAL})?")
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


def short(name: str, *, whole: bool = False) -> str:
    """Return a name as it is shown and asked for: without the scheme, Ollama's own registry and the tag `latest`.

    Args:
        name: of a model.
        whole: whether it is an id of a server that is no Ollama: `mini` and `mini:latest` may be two models there, so
            it stays as it is.
    """
    return name if whole else _BEFORE.sub("", name).removesuffix(":latest")


def is_same(one: str, other: str) -> bool:
    """Whether two names are those of one model; Ollama tells no capital from a small letter."""
    return _bare(one) == _bare(other)


def _bare(name: str) -> str:
    return short(name.lower().removesuffix(LOCAL))
