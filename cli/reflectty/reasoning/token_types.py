"""Finds the tags that a model cannot output, by the types of its tokens.

llama.cpp writes tokens of the types NORMAL and USER_DEFINED as they are; of the others it writes nothing, or for one
that is a byte a wrong one. So does Ollama since 0.30. Seen with Ollama 0.32.15 and 0.34.2, and with their llama.cpp,
b10488 and b10970.
"""

from __future__ import annotations

import re
from enum import IntEnum
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple
from zlib import crc32

from reflectty.core.messages import VocabularyTags
from reflectty.reasoning.families import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reflectty.reasoning.families import Family

TOKENS_KEY: Final = "tokenizer.ggml.tokens"
TYPES_KEY: Final = "tokenizer.ggml.token_type"
TURN_ENDS: Final = frozenset({"<|end|>", "<|END_OF_TURN_TOKEN|>", "<|content_model_end_sampling|>"})
"""Markers that end a turn as well: where they are seen, the reply does not end."""
BRACKETS: Final = frozenset({"<", "</", ">"})
_WHOLE: Final = re.compile(r"[<\[◁][^<>◁▷\[\]]+[>\]▷]")
_TAG: Final = re.compile(r"</?[\w:]+>")


class TokenType(IntEnum):
    """The types that a GGUF gives to tokens."""

    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    USER_DEFINED = 4
    UNUSED = 5
    BYTE = 6


LOST_TYPES: Final = frozenset(TokenType) - {TokenType.NORMAL, TokenType.USER_DEFINED}


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


def tags_of(vocabulary: Vocabulary) -> VocabularyTags | None:
    """Return what a vocabulary says of tags; None of one that is not told.

    A word that is part of a tag is a tag's own token only where its type sets it apart from other words.
    """
    if not vocabulary.types:
        return None
    known = _tag_parts()
    words, special = known.pieces - BRACKETS, (TokenType.CONTROL, TokenType.USER_DEFINED)
    own = (
        text
        for text, kind in zip(*vocabulary, strict=False)
        if text in known.whole or (text in words and kind in special)
    )
    lost = (tag.text for tag in lost_tags(*vocabulary))
    return VocabularyTags(tuple(dict.fromkeys(own)), tuple(dict.fromkeys(lost)))


def own_family(tags: VocabularyTags | None) -> Family | None:
    """Return the family whose tags are a vocabulary's own; None for tags that thinking shares with much else.

    Only the three kinds of tags of a reflection model together say that a model was made to write them: models that
    do not think have `<think>` as a token as well (Qwen3-Coder), or `[THINK]` (Mistral Small).
    """
    family = FAMILIES["reflection"]
    openers = [tag.opener for tag in (family.thinking[0], family.reflection[0], family.answer[0])]
    made = tags is not None and all({opener, *re.findall(r"\w+", opener)} & set(tags.own_tokens) for opener in openers)
    return family if made else None


def lost_family_tokens_of(tags: VocabularyTags | None, family: Family) -> tuple[str, ...]:
    """Return the lost tokens that a model of a family writes its tags with, those that it writes first of each kind."""
    leading = (*family.thinking[:1], *family.reflection[:1], *family.answer[:1])
    parts = {part for tag in leading for marker in tag for part in _token_texts_of(marker)}
    return tuple(text for text in tags.lost_tokens if text in parts) if tags else ()


def _token_texts_of(marker: str) -> set[str]:
    """Return the texts that the tokens of a marker may have."""
    whole = set(re.findall(_WHOLE, marker))
    return whole | ({*re.findall(r"\w+", marker)} | BRACKETS if re.fullmatch(_TAG, marker) else set())


def tag_set_version() -> str:
    """Return a name for the tags that are known: what was found of a vocabulary holds for these alone."""
    known = _tag_parts()
    return f"{crc32(' '.join((*sorted(known.whole), *sorted(known.pieces))).encode()):08x}"


class _TagParts(NamedTuple):
    """The texts that tokens of tags may have."""

    whole: frozenset[str]
    pieces: frozenset[str]


def lost_tags(tokens: Sequence[str], types: Sequence[int], extra_tokens: Iterable[str] = ()) -> tuple[LostTag, ...]:
    """Return the tags of any family, and the tokens of `also`, that a model's reply comes without.

    A tag need not be a token of its own: a tokenizer may write it as `<`, a word and `>`. Such pieces are ordinary
    text in every vocabulary that was made well, and lost wherever they are not.
    """
    known = _tag_parts()
    named = known.whole | frozenset(extra_tokens)
    wanted = named | known.pieces
    return tuple(
        LostTag(number, text, text in named)
        for number, (text, kind) in enumerate(zip(tokens, types, strict=False))
        if kind in LOST_TYPES and text in wanted
    )


@cache
def _tag_parts() -> _TagParts:
    """Return the parts of the tags of all families, without what ends a turn."""
    markers = [marker for family in FAMILIES.values() for marker in _markers(family)]
    whole = {part for marker in markers for part in re.findall(_WHOLE, marker)}
    words = {word for marker in markers for word in re.findall(r"\w+", marker) if re.fullmatch(_TAG, marker)}
    return _TagParts(frozenset(whole - TURN_ENDS), frozenset(words) | BRACKETS)


def _markers(family: Family) -> Iterator[str]:
    for tag in (*family.thinking, *family.reflection, *family.answer):
        yield from tag
