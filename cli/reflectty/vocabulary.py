"""Which tags of a model never reach its reader, from the types of its tokens; asks no server and changes nothing.

llama.cpp writes tokens of the types NORMAL and USER_DEFINED as they are; of the others it writes nothing, or for one
that is a byte a wrong one. So does Ollama since 0.30. Seen with Ollama 0.32.15 and 0.34.2, and with their llama.cpp,
b10488 and b10970.
"""

from __future__ import annotations

import re
from enum import IntEnum
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

from reflectty.families import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reflectty.families import Family

TOKENS_KEY: Final = "tokenizer.ggml.tokens"
TYPES_KEY: Final = "tokenizer.ggml.token_type"
TURN_ENDS: Final = frozenset({"<|end|>", "<|END_OF_TURN_TOKEN|>", "<|content_model_end_sampling|>"})
"""Markers that end a turn as well: where they are seen, the reply does not end."""
BRACKETS: Final = frozenset({"<", "</", ">"})


class TokenType(IntEnum):
    """The types that a GGUF gives to tokens."""

    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    USER_DEFINED = 4
    UNUSED = 5
    BYTE = 6


LOST: Final = frozenset(TokenType) - {TokenType.NORMAL, TokenType.USER_DEFINED}


class Vocabulary(NamedTuple):
    """The tokens of a model and their types, by id; both empty where the server does not tell them."""

    tokens: tuple[str, ...] = ()
    types: tuple[int, ...] = ()


class LostTag(NamedTuple):
    """A token that is a tag, or a piece of one, and is left out of what the model says."""

    id: int
    text: str
    whole: bool
    """Whether it is all of a tag; else it is a piece of several, such as the word between `<` and `>`."""


class _Parts(NamedTuple):
    """The texts that tokens of tags may have."""

    whole: frozenset[str]
    pieces: frozenset[str]


def lost_tags(tokens: Sequence[str], types: Sequence[int], also: Iterable[str] = ()) -> tuple[LostTag, ...]:
    """Return the tags of any family, and the tokens of `also`, that a model's reply comes without.

    A tag need not be a token of its own: a tokenizer may write it as `<`, a word and `>`. Such pieces are ordinary
    text in every vocabulary that was made well, and lost wherever they are not.
    """
    known = _parts()
    named = known.whole | frozenset(also)
    wanted = named | known.pieces
    return tuple(
        LostTag(number, text, text in named)
        for number, (text, kind) in enumerate(zip(tokens, types, strict=False))
        if kind in LOST and text in wanted
    )


@cache
def _parts() -> _Parts:
    """Return the parts of the tags of all families, without what ends a turn."""
    markers = [marker for family in FAMILIES.values() for marker in _markers(family)]
    whole = {part for marker in markers for part in re.findall(r"[<\[◁][^<>◁▷\[\]]+[>\]▷]", marker)}
    words = {word for marker in markers for word in re.findall(r"\w+", marker) if re.fullmatch(r"</?[\w:]+>", marker)}
    return _Parts(frozenset(whole - TURN_ENDS), frozenset(words) | BRACKETS)


def _markers(family: Family) -> Iterator[str]:
    for tag in (*family.thinking, *family.reflection, *family.answer):
        yield from tag
