from __future__ import annotations

import io
import struct
import tracemalloc
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reflectty.models import gguf
from support.gguf_bytes import CODES, CONTROL_TYPES, SHARDS, TEXT, VOCABULARY, WHOLE, Case, Making, damaged

if TYPE_CHECKING:
    from pathlib import Path

MAKINGS = [Making(version, order) for version in (1, 2, 3) for order in "<>"]
NAMES = [f"version {made.version}, {'little' if made.order == '<' else 'big'}" for made in MAKINGS]
USER_DEFINED = 4


def retype(content: bytes, numbers: tuple[int, ...], piece: int = gguf.PIECE) -> bytes:
    """A file with other types for the tokens with those numbers."""
    file = io.BytesIO(content)
    head = gguf.read_header(file)
    changes = gguf.type_changes_of(head, dict.fromkeys(numbers, USER_DEFINED))
    return b"".join(gguf.changed_pieces_of(file, head.size, changes, piece))


def types(content: bytes) -> tuple[int, ...]:
    file = io.BytesIO(content)
    return tuple(token.type for token in gguf.read_tokens(file, gguf.read_header(file)))


@pytest.mark.parametrize("made", MAKINGS, ids=NAMES)
def test_a_vocabulary_is_found_among_values_of_every_type(made: Making) -> None:
    content = made.file()
    file = io.BytesIO(content)
    head = gguf.read_header(file)
    tokens = list(gguf.read_tokens(file, head))

    assert (head.version, head.order, head.size, head.shards) == (made.version, made.order, len(content), 1)
    assert [(token.id, token.text, token.type) for token in tokens] == [
        (number, text, kind) for number, (text, kind) in enumerate(zip(VOCABULARY, CONTROL_TYPES, strict=True))
    ]
    for token in tokens:
        assert struct.unpack(f"{made.order}i", content[token.type_offset : token.type_offset + token.type_width]) == (
            token.type,
        )


@pytest.mark.parametrize("kind", WHOLE)
@pytest.mark.parametrize("made", MAKINGS, ids=NAMES)
def test_only_types_of_the_named_tokens_change(made: Making, kind: int) -> None:
    content = made.file({**made.everything(), **made.vocabulary(kind=kind), "last": (TEXT, made.text("x"))})
    changed = retype(content, (1, 3))

    assert types(changed) == (3, 4, 1, 4, 6)
    width = struct.calcsize(CODES[kind])
    differing = [at for at, (one, other) in enumerate(zip(content, changed, strict=True)) if one != other]
    # A small number has one byte that is not 0, at the end that the byte order gives it.
    assert differing[1] - differing[0] == 2 * width
    assert len(differing) == 2


@given(
    st.sampled_from(MAKINGS),
    st.integers(1, 2000),
    st.lists(st.tuples(st.text(max_size=9), st.integers(0, 6)), min_size=1),
    st.data(),
)
def test_any_split_gives_the_same_file(
    made: Making, piece: int, entries: list[tuple[str, int]], data: st.DataObject
) -> None:
    texts, kinds = zip(*entries, strict=True)
    content = made.file({**made.vocabulary(texts, kinds), **made.everything()})
    numbers = tuple(data.draw(st.sets(st.integers(0, len(kinds) - 1))))

    changed = retype(content, numbers, piece)

    assert types(changed) == tuple(USER_DEFINED if at in numbers else kind for at, kind in enumerate(kinds))
    assert changed == retype(content, numbers)
    assert retype(changed, numbers, piece) == changed
    assert len(changed) == len(content)


@given(st.sampled_from(MAKINGS), st.floats(0, 1))
@example(MAKINGS[0], 1.0)
def test_cut_header_is_refused(made: Making, part: float) -> None:
    whole = made.file(rest=b"")
    cut = whole[: int(part * len(whole))]
    if len(cut) == len(whole):
        assert types(cut) == CONTROL_TYPES
    else:
        with pytest.raises(gguf.GgufError, match="ends inside its header"):
            gguf.read_header(io.BytesIO(cut))


@given(st.sampled_from(MAKINGS), st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=8))
def test_corrupt_header_is_read_or_refused(made: Making, wrong: list[tuple[int, int]]) -> None:
    content = bytearray(made.file())
    for at, byte in wrong:
        content[at] = byte
    file = io.BytesIO(content)
    try:
        head = gguf.read_header(file)
        tokens = list(gguf.read_tokens(file, head))
    except gguf.GgufError:
        return
    assert len(tokens) == head.tokens.length


@pytest.mark.parametrize("case", damaged(), ids=lambda case: case.name)
def test_damaged_file_is_refused(case: Case) -> None:
    with pytest.raises(gguf.GgufError, match=case.said):
        gguf.read_header(io.BytesIO(case.content))


@pytest.mark.parametrize(("kind", "code"), [(2, "H"), (4, "I"), (10, "Q")])
def test_split_model_reports_its_number_of_files(kind: int, code: str) -> None:
    made = Making()
    file = io.BytesIO(made.file({**made.vocabulary(), SHARDS: (kind, made.number(code, 7))}))

    assert gguf.read_header(file).shards == 7


def test_shrinking_file_is_refused() -> None:
    made = Making()
    with pytest.raises(gguf.GgufError, match="became shorter"):
        list(gguf.changed_pieces_of(io.BytesIO(made.file()), len(made.file()) + 1, {}))


def test_a_vocabulary_of_several_blocks_is_read_in_order() -> None:
    made = Making()
    texts = tuple(f"token {number}" for number in range(2 * gguf.BLOCK + 5))
    kinds = tuple(number % 7 for number in range(len(texts)))
    file = io.BytesIO(made.file(made.vocabulary(texts, kinds)))
    tokens = list(gguf.read_tokens(file, gguf.read_header(file)))

    assert tuple(token.text for token in tokens) == texts
    assert tuple(token.type for token in tokens) == kinds


def test_overlong_token_is_not_read_into_memory() -> None:
    made = Making()
    texts = ("<s>", "x" * (gguf.MAX_TOKEN_LENGTH + 1), "<think>")
    file = io.BytesIO(made.file(made.vocabulary(texts, (3, 1, 3))))

    assert [token.text for token in gguf.read_tokens(file, gguf.read_header(file))] == ["<s>", "", "<think>"]


def test_huge_file_is_not_read_into_memory(tmp_path: Path) -> None:
    """A file of 32 GiB, most of it holes, with a text of half that size in its header."""
    made = Making()
    path, huge = tmp_path / "huge.gguf", 1 << 34
    start = made.file({}, keys=3, rest=made.text("text") + made.number("I", TEXT) + made.count(huge))
    values = made.vocabulary()
    with path.open("wb") as file:
        file.write(start)
        file.seek(huge, io.SEEK_CUR)
        file.write(b"".join(made.text(key) + made.number("I", kind) + value for key, (kind, value) in values.items()))
        file.truncate(2 * huge)
    tracemalloc.start()
    with path.open("rb") as file:
        head = gguf.read_header(file)
        pieces = gguf.changed_pieces_of(file, head.size, gguf.type_changes_of(head, {1: USER_DEFINED}), 1 << 16)
        sizes = {len(next(pieces)) for _ in range(99)}
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert head.size == 2 * huge
    assert sizes == {1 << 16}
    assert peak < 1 << 20
