from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from support.token_types import TOKENS, TYPES, GgufError, TokenType, copy_retyped, token_types

if TYPE_CHECKING:
    from pathlib import Path

VOCABULARY = ("<s>", "<thinking>", "你好", "</thinking>")


def text(order: str, value: str) -> bytes:
    return struct.pack(f"{order}Q", len(value.encode())) + value.encode()


def array(order: str, kind: int, *elements: bytes) -> bytes:
    return struct.pack(f"{order}IQ", kind, len(elements)) + b"".join(elements)


def vocabulary(order: str) -> dict[str, tuple[int, bytes]]:
    return {
        TOKENS: (9, array(order, 8, *(text(order, token) for token in VOCABULARY))),
        TYPES: (9, array(order, 5, *(struct.pack(f"{order}i", kind) for kind in (3, 3, 1, 3)))),
    }


def gguf(changed: dict[str, tuple[int, bytes]] | None = None, order: str = "<", version: int = 3) -> bytes:
    """A file with a value of every type, and arrays of texts, of arrays and of nothing, around a vocabulary."""
    codes = dict(zip((0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12), "BbHhIif?Qqd", strict=True))
    inner = array(order, 9, array(order, 8, text(order, "a")), array(order, 0, b"\1", b"\2"))
    values = {f"scalar.{kind}": (kind, struct.pack(order + code, 1)) for kind, code in codes.items()}
    values |= {"a.text": (8, text(order, TYPES)), "a.nest": (9, inner), "nothing": (9, array(order, 12))}
    values |= vocabulary(order) | {"last": (8, text(order, "x"))} | (changed or {})
    pairs = (text(order, key) + struct.pack(f"{order}I", kind) + value for key, (kind, value) in values.items())
    return b"GGUF" + struct.pack(f"{order}IQQ", version, 0, len(values)) + b"".join(pairs) + b"tensors" * 99


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("order", "<>", ids=["little", "big"])
def test_only_the_types_of_the_tokens_named_change(tmp_path: Path, order: str, version: int) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(gguf(order=order, version=version))

    copy_retyped(source, target, {"<thinking>": TokenType.USER_DEFINED, "你好": TokenType.CONTROL})

    before, after = source.read_bytes(), target.read_bytes()
    assert token_types(source, VOCABULARY) == dict(zip(VOCABULARY, (3, 3, 1, 3), strict=True))
    assert token_types(target, VOCABULARY) == dict(zip(VOCABULARY, (3, 4, 3, 3), strict=True))
    assert len(after) == len(before)
    assert sum(one != other for one, other in zip(before, after, strict=True)) == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "ends within"),
        (b"GGML" + gguf()[4:], "no GGUF"),
        (gguf(version=1), "versions 2 and 3"),
        (gguf()[:-700], "ends within"),
        (gguf()[:300], "ends within"),
        (gguf({"odd": (13, b"")}), "type of value 13"),
        (gguf({"huge": (8, b"\xff" * 8)}), "ends within"),
        (gguf({"huge": (9, b"\4\0\0\0" + b"\xff" * 8)}), "ends within"),
        (gguf({TYPES: (9, array("<", 5))}), "a type for every token"),
        (gguf({TYPES: (5, b"\0" * 4)}), "a type for every token"),
        (gguf().replace(b"<thinking>", b"<thinking "), "lacks '<thinking>'"),
    ],
)
def test_invalid_file_is_refused_and_not_copied(tmp_path: Path, content: bytes, said: str) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(content)

    with pytest.raises(GgufError, match=said):
        copy_retyped(source, target, {"<thinking>": TokenType.USER_DEFINED})

    assert not target.exists()
