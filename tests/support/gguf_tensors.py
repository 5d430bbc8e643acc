"""Makes small whole GGUFs: weights of a few tensors, and an adapter for them, byte for byte."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, NamedTuple

from reflectty.models import gguf
from support.gguf_bytes import TEXT, Making

if TYPE_CHECKING:
    from pathlib import Path

MADE = Making()
FLOAT = 6
ALIGNMENT = 32


class Part(NamedTuple):
    """A tensor of a file, and its bytes."""

    name: str
    shape: tuple[int, ...]
    kind: int
    data: bytes


def whole(parts: list[Part], made: Making = MADE, alpha: float | None = None, name: str = "small") -> bytes:
    """A file with tensors; an adapter has a scale."""
    values = {"general.name": (TEXT, made.text(name))} | made.vocabulary()
    if alpha is not None:
        values = {"adapter.lora.alpha": (FLOAT, made.number("f", alpha))}
    head = b"GGUF" + made.number("I", made.version) + made.count(len(parts)) + made.count(len(values))
    head += b"".join(made.text(key) + made.number("I", kind) + value for key, (kind, value) in values.items())
    body = b""
    for part in parts:
        head += made.text(part.name) + made.number("I", len(part.shape)) + b"".join(map(made.count, part.shape))
        head += made.number("I", part.kind) + made.number("Q", len(body))
        body += part.data + bytes(-len(part.data) % ALIGNMENT)
    return head + bytes(-len(head) % ALIGNMENT) + body


def copy_with_template(source: Path, target: Path, template: str) -> None:
    """Copy a file without a chat template, and add one."""
    with source.open("rb") as old, target.open("wb") as new:
        found = gguf.read_layout(old)
        listed = sum(24 + len(one.name.encode()) + 8 * len(one.shape) for one in found.tensors)
        old.seek(0)
        content = old.read(found.keys_end + listed)
        key = MADE.text(gguf.TEMPLATE_KEY) + MADE.number("I", TEXT) + MADE.text(template)
        head = (
            content[: found.keys_start - 8]
            + MADE.count(found.key_count + 1)
            + content[found.keys_start : found.keys_end]
        )
        head += key + content[found.keys_end :]
        new.write(head + bytes(-len(head) % ALIGNMENT))
        old.seek(min(tensor.start for tensor in found.tensors))
        shutil.copyfileobj(old, new)
