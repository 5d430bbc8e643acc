"""Recipe: what a model is made of, as far as its server tells; no wire format and no I/O."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from reflectty.errors import UsageError

if TYPE_CHECKING:
    from reflectty.chat import Message, OptionValue

LONGEST_PART: Final = 80
"""Characters of one part of a model's name."""
SUFFIX: Final = "-repaired"
LATEST: Final = ":latest"
NAME_PREFIX: Final = "registry.ollama.ai/library/"
"""What Ollama thinks of in front of a name that has no place of its own."""
_PART: Final = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}"
_NAME: Final = re.compile(
    rf"(?:[A-Za-z0-9_][\w.:-]{{0,349}}/)?(?:[A-Za-z0-9_][\w-]{{0,79}}/)?{_PART}(?::{_PART})?", re.ASCII
)


class Recipe(NamedTuple):
    """What one installed model is made of; what is a file is named by the path of the server's own copy."""

    name: str
    kind: str = ""
    """How its weights are stored: `gguf`, `safetensors`; empty for a model that is not on the server at all."""
    weights: tuple[str, ...] = ()
    """The language model, then what sees pictures for it."""
    adapters: tuple[str, ...] = ()
    draft: str = ""
    template: str = ""
    """The template that was made for Ollama; empty where the one within the weights is used."""
    system: str = ""
    parameters: tuple[tuple[str, OptionValue], ...] = ()
    licence: str = ""
    messages: tuple[Message, ...] = ()
    renderer: str = ""
    parser: str = ""
    requires: str = ""
    capabilities: tuple[str, ...] = ()


def repaired_name(name: str) -> str:
    """Return what the repaired copy of a model is called; a tag stays behind the name, as in `reflection-repaired:70b`.

    >>> repaired_name("you/reflection:70b")
    'you/reflection-repaired:70b'
    """
    path, slash, last = name.rpartition("/")
    model, colon, tag = last.partition(":")
    return path + slash + model[: LONGEST_PART - len(SUFFIX)] + SUFFIX + colon + tag


def full_name(name: str) -> str:
    """Return a name as it is compared: Ollama takes case for nothing, and adds `:latest`."""
    bare = name.lower().removeprefix(NAME_PREFIX).removeprefix("library/")
    return bare if ":" in bare.rpartition("/")[2] else bare + LATEST


def vet_name(name: str) -> None:
    """Refuse a name that Ollama does not take.

    Raises:
        UsageError: it is none.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} is no name for a model", "letters, digits, - _ and . make a name, :TAG may follow")
