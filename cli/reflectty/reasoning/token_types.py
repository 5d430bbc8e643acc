"""Finds the tags that a model cannot output, by the types of its tokens.

llama.cpp outputs the text of tokens of the types NORMAL and USER_DEFINED, nothing for others, and a wrong byte for one
that is a byte. So does Ollama since 0.30. Seen with Ollama 0.32.15 and 0.34.2, and with their llama.cpp, b10488 and
b10970.
"""

from __future__ import annotations

import re
from enum import IntEnum
from functools import cache
from typing import TYPE_CHECKING, Final
from zlib import crc32

from reflectty.core.messages import VocabularyTags
from reflectty.core.named_tuple import NamedTuple
from reflectty.reasoning.families import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reflectty.core.messages import Vocabulary
    from reflectty.reasoning.families import Family

TOKENS_KEY: Final = "tokenizer.ggml.tokens"
TYPES_KEY: Final = "tokenizer.ggml.token_type"
TURN_ENDS: Final = frozenset({"<|end|>", "<|END_OF_TURN_TOKEN|>", "<|content_model_end_sampling|>"})
"""Markers that also end a turn, and would not end the reply if they were visible."""
BRACKETS: Final = frozenset({"<", "</", ">"})
_WHOLE: Final = re.compile(r"[<\[◁][^<>◁▷\[\]]+[>\]▷]")
_TAG: Final = re.compile(r"</?[\w:]+>")


class TokenType(IntEnum):
    """The types of tokens in a GGUF file."""

    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    USER_DEFINED = 4
    UNUSED = 5
    BYTE = 6


LOST_TYPES: Final = frozenset(TokenType) - {TokenType.NORMAL, TokenType.USER_DEFINED}


class LostTag(NamedTuple):
    """A token that is a tag, or a piece of one, and is missing from the output."""

    id: int
    text: str
    whole: bool
    """Whether it is a whole tag, not a piece of one such as the word between `<` and `>`."""


def tags_of(vocabulary: Vocabulary) -> VocabularyTags | None:
    """The tags in a vocabulary; None if the vocabulary is unknown.

    A word that is part of a tag counts as a tag's token only if its type differs from that of other words.
    """
    if not vocabulary.types:
        return None
    tag_parts = _tag_parts()
    words, special = tag_parts.pieces - BRACKETS, (TokenType.CONTROL, TokenType.USER_DEFINED)
    own = (
        text
        for text, kind in zip(*vocabulary, strict=False)
        if text in tag_parts.whole or (text in words and kind in special)
    )
    lost = (tag.text for tag in lost_tags(*vocabulary))
    return VocabularyTags(tuple(dict.fromkeys(own)), tuple(dict.fromkeys(lost)))


def own_family(tags: VocabularyTags | None) -> Family | None:
    """The reflection family if all its tags are tokens of the vocabulary, else None.

    Only the three kinds of tags together show that a model was trained to write them: models that do not think also
    have `<think>` as a token (Qwen3-Coder), or `[THINK]` (Mistral Small).
    """
    family = FAMILIES["reflection"]
    openers = [tag.opener for tag in (family.thinking[0], family.reflection[0], family.answer[0])]
    has_all = tags is not None and all(
        {opener, *re.findall(r"\w+", opener)} & set(tags.own_tokens) for opener in openers
    )
    return family if has_all else None


def lost_family_tokens_of(tags: VocabularyTags | None, family: Family) -> tuple[str, ...]:
    """The lost tokens in the first tag of each kind of a family."""
    leading = (*family.thinking[:1], *family.reflection[:1], *family.answer[:1])
    parts = {part for tag in leading for marker in tag for part in _token_texts_of(marker)}
    return tuple(text for text in tags.lost_tokens if text in parts) if tags else ()


def _token_texts_of(marker: str) -> set[str]:
    """The texts that the tokens of a marker may have."""
    whole = set(re.findall(_WHOLE, marker))
    return whole | ({*re.findall(r"\w+", marker)} | BRACKETS if re.fullmatch(_TAG, marker) else set())


def tag_set_version() -> str:
    """A hash of the known tags, because results for a vocabulary are valid for these only."""
    tag_parts = _tag_parts()
    return f"{crc32(' '.join((*sorted(tag_parts.whole), *sorted(tag_parts.pieces))).encode()):08x}"


class _TagParts(NamedTuple):
    """The possible texts of the tokens of tags."""

    whole: frozenset[str]
    pieces: frozenset[str]


def lost_tags(tokens: Sequence[str], types: Sequence[int], extra_tokens: Iterable[str] = ()) -> tuple[LostTag, ...]:
    """The tags of any family, and the tokens of `extra_tokens`, that a model cannot output.

    A tag need not be one token: a tokenizer may split it into `<`, a word and `>`. These pieces are ordinary text in a
    correct vocabulary, and lost in others.
    """
    tag_parts = _tag_parts()
    named = tag_parts.whole | frozenset(extra_tokens)
    searched = named | tag_parts.pieces
    return tuple(
        LostTag(number, text, text in named)
        for number, (text, kind) in enumerate(zip(tokens, types, strict=False))
        if kind in LOST_TYPES and text in searched
    )


@cache
def _tag_parts() -> _TagParts:
    """The parts of the tags of all families, except those that end a turn."""
    markers = [marker for family in FAMILIES.values() for marker in _markers(family)]
    whole = {part for marker in markers for part in re.findall(_WHOLE, marker)}
    words = {word for marker in markers for word in re.findall(r"\w+", marker) if re.fullmatch(_TAG, marker)}
    return _TagParts(frozenset(whole - TURN_ENDS), frozenset(words) | BRACKETS)


def _markers(family: Family) -> Iterator[str]:
    for tag in (*family.thinking, *family.reflection, *family.answer):
        yield from tag
