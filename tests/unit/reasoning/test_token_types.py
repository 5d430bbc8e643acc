from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflectty.core.errors import UnreachableError
from reflectty.core.messages import Vocabulary
from reflectty.protocols.ollama.model_specs import vocabulary_of
from reflectty.reasoning.families import FAMILIES
from reflectty.reasoning.token_types import (
    LostTag,
    TokenType,
    lost_family_tokens_of,
    lost_tags,
    own_family,
    tags_of,
)
from support.engine_outcome import using
from support.fake_server import Answer, FakeServer

NORMAL, CONTROL, USER_DEFINED = TokenType.NORMAL, TokenType.CONTROL, TokenType.USER_DEFINED
SIX = ("<thinking>", "</thinking>", "<reflection>", "</reflection>", "<output>", "</output>")


def test_control_token_tags_are_lost_and_text_tags_are_kept() -> None:
    tokens = ("<s>", *SIX, "thinking")
    types = (CONTROL, *(CONTROL, USER_DEFINED) * 3, NORMAL)

    assert lost_tags(tokens, types) == (
        LostTag(1, "<thinking>", whole=True),
        LostTag(3, "<reflection>", whole=True),
        LostTag(5, "<output>", whole=True),
    )


@pytest.mark.parametrize("tag", ["</think>", "[THINK]", "<|begin_of_thought|>", "◁/think▷", "<|inner_prefix|>"])
def test_tags_of_every_family_are_checked(tag: str) -> None:
    assert lost_tags((tag,), (CONTROL,)) == (LostTag(0, tag, whole=True),)


@pytest.mark.parametrize("piece", ["thinking", "reflection", "output", "think", "<", "</", ">"])
def test_tag_fragment_is_lost_if_it_is_a_control_token(piece: str) -> None:
    assert lost_tags((piece,), (CONTROL,)) == (LostTag(0, piece, whole=False),)
    assert not lost_tags((piece,), (NORMAL,))


@pytest.mark.parametrize("kind", TokenType)
def test_only_normal_and_user_defined_tokens_are_kept(kind: TokenType) -> None:
    kept = kind in (TokenType.NORMAL, TokenType.USER_DEFINED)

    assert bool(lost_tags(SIX, [kind] * len(SIX))) is not kept
    assert not lost_tags(SIX, [0] * len(SIX))


@pytest.mark.parametrize("token", ["<|im_end|>", "<|end|>", "<|END_OF_TURN_TOKEN|>", "</s>", "<unused6>", "[INST]"])
def test_other_special_tokens_are_not_tags(token: str) -> None:
    assert not lost_tags((token,), (CONTROL,))


def test_named_token_counts_as_a_tag() -> None:
    assert lost_tags(("<mine>", "<mine>", "x"), (CONTROL, NORMAL, CONTROL), ["<mine>"]) == (
        LostTag(0, "<mine>", whole=True),
    )


@pytest.mark.parametrize(
    ("tokens", "kind", "family", "missed_ones"),
    [
        (SIX, CONTROL, "reflection", SIX),
        (SIX, USER_DEFINED, "reflection", ()),
        (SIX, NORMAL, "reflection", ()),
        (("thinking", "reflection", "output"), CONTROL, "reflection", ("thinking", "reflection", "output")),
        (("thinking", "reflection", "output"), USER_DEFINED, "reflection", ()),
        (("thinking", "reflection", "output"), NORMAL, None, ()),
        (("<thinking>", "output", "reflection"), USER_DEFINED, "reflection", ()),
        (("<thinking>", "<output>"), CONTROL, None, ("<thinking>", "<output>")),
        (("<think>", "</think>", "think"), CONTROL, None, ()),
        (("[THINK]", "<|channel>"), CONTROL, None, ()),
    ],
)
def test_own_tokens_identify_the_family_and_what_is_lost(
    tokens: tuple[str, ...], kind: TokenType, family: str | None, missed_ones: tuple[str, ...]
) -> None:
    found = tags_of(Vocabulary(("<s>", *tokens), (CONTROL, *(kind,) * len(tokens))))
    own = own_family(found)

    assert (own.name if own else None) == family
    assert lost_family_tokens_of(found, FAMILIES["reflection"]) == missed_ones


def test_missing_vocabulary_gives_no_information() -> None:
    assert (tags_of(Vocabulary()), own_family(None), lost_family_tokens_of(None, FAMILIES["reflection"])) == (
        None,
        None,
        (),
    )


def test_nothing_is_lost_without_token_types() -> None:
    assert not lost_tags(SIX, ())


def shown(tokens: object, types: object, **more: object) -> bytes:
    info = {"tokenizer.ggml.merges": ["a b"] * 9, "tokenizer.ggml.token_type": types, "tokenizer.ggml.tokens": tokens}
    return json.dumps({"modelfile": "FROM x", "model_info": info | more}, ensure_ascii=False).encode()


@given(st.lists(st.tuples(st.text(), st.integers(0, 6)), min_size=1), st.booleans())
def test_any_vocabulary_is_parsed_as_written(entries: list[tuple[str, int]], roomy: bool) -> None:
    tokens, types = zip(*entries, strict=True)
    answer = json.dumps({"model_info": {"tokenizer.ggml.token_type": types, "tokenizer.ggml.tokens": tokens}})
    spaced = json.dumps(json.loads(answer), indent=1 if roomy else None)

    assert vocabulary_of(spaced.encode()) == Vocabulary(tokens, types)


def test_quoted_vocabulary_in_a_text_is_ignored() -> None:
    quoted = json.loads(shown(["<lie>"], [3]))
    answer = shown(["<s>", 'a"],"tokenizer.ggml.tokens":["b"', "\\"], [3, 1, 1], licence=json.dumps(quoted))

    assert vocabulary_of(answer).tokens == ("<s>", 'a"],"tokenizer.ggml.tokens":["b"', "\\")


@pytest.mark.parametrize(
    "answer",
    [b"{}", shown([], []), shown(None, None), shown([1], [2]), shown(["a"], ["b"]), shown("<s>", 3), shown({}, {})],
)
def test_missing_vocabulary_is_empty(answer: bytes) -> None:
    assert vocabulary_of(answer) == Vocabulary()


@pytest.mark.parametrize(
    ("answer", "said"), [(b"<html>", "a web page"), (b"", "something other than JSON"), (b"[]", "unexpected JSON")]
)
def test_answer_that_is_not_an_object_is_refused(answer: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        vocabulary_of(answer)


def test_vocabulary_is_requested_by_model_name() -> None:
    with FakeServer({"/api/show": Answer([shown(["<s>", "<think>"], [3, 4])])}) as server:
        found = using(server.host, lambda engine: engine.vocabulary("m"))

    assert found == Vocabulary(("<s>", "<think>"), (3, 4))
    assert server.requests[0].json == {"model": "m", "verbose": True}


def test_other_kind_of_server_has_no_vocabulary() -> None:
    with (
        FakeServer({"/api/show": Answer([b"hello"])}) as server,
        pytest.raises(UnreachableError, match="not an Ollama"),
    ):
        using(server.host, lambda engine: engine.vocabulary("m"))
