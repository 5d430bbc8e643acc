"""Reads stdin, files and images, and composes the prompt from them."""

from __future__ import annotations

import base64
import os
import select
from typing import TYPE_CHECKING, BinaryIO

from reflectty.core.errors import UsageError, reason_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SILENCE_SECONDS = 5.0
"""How long an open pipe may be silent before the user sees a warning."""
_MAX_BROKEN_SHARE = 0.3
_IMAGE_SIGNATURES = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"GIF8": "GIF",
    b"BM": "BMP",
    b"II*\x00": "TIFF",
    b"MM\x00*": "TIFF",
}


def read_stdin(stdin: BinaryIO, warn: Callable[[str], None], silence: float = SILENCE_SECONDS) -> bytes:
    """Read all of stdin; calls `warn` once if it stays open and silent for `silence` seconds."""
    try:
        number = stdin.fileno()
    except (OSError, ValueError, AttributeError):
        return stdin.read()
    pieces: list[bytes] = []
    warned = False
    while True:
        if not select.select([number], [], [], None if warned else silence)[0]:
            warn("still waiting for input on stdin: close it with < /dev/null, or use --no-stdin")
            warned = True
            continue
        piece = os.read(number, 1 << 16)
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)


def decode_input(data: bytes, name: str, warn: Callable[[str], None]) -> str:
    r"""Decode data to text, with line breaks as `\n`.

    Raises:
        UsageError: it is binary.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) and len(data) % 2 == 0:
        return data.decode("utf-16", "replace").replace("\r\n", "\n")
    text = data.decode("utf-8-sig", "replace")
    broken = text.count("\ufffd") - data.count("\ufffd".encode())
    if b"\0" in data or broken > _MAX_BROKEN_SHARE * len(text):
        raise UsageError(f"{name} is binary, not text", f"use --image{' -' if name == 'stdin' else ''} for an image")
    if broken:
        warn(f"{name} contains invalid UTF-8 (characters replaced: {broken})")
    return text.replace("\r\n", "\n")


def read_file(path: Path) -> bytes:
    """Read a file's bytes.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        scheme, colon, rest = str(path).partition(":/")
        if colon and scheme in ("http", "https"):
            url = f"{scheme}://{rest.lstrip('/')}"
            raise UsageError(
                f"{url} is not a file, and reflect fetches no pages", f"pipe it in: curl -sL {url} | reflect …"
            ) from error
        raise UsageError(f"cannot read {path}: {reason_of(error)}") from error


def read_image(path: Path) -> str:
    """Read an image as base64 text.

    Raises:
        UsageError: it cannot be read, or is not an image.
    """
    return encode_image(read_file(path), str(path))


def encode_image(data: bytes, name: str) -> str:
    """Encode the bytes of an image as base64 text; `name` is where they are from.

    Raises:
        UsageError: they are no image.
    """
    webp = data[:4] == b"RIFF" and data[8:12] == b"WEBP"
    if not webp and not any(data.startswith(start) for start in _IMAGE_SIGNATURES):
        raise UsageError(f"{name} is not a supported image", "use PNG, JPEG, WebP, GIF, BMP or TIFF")
    return base64.b64encode(data).decode("ascii")


def _wrap_in_tag(name: str, text: str, attribute: str = "") -> str:
    body = text.rstrip("\n")
    return f"<{name}{attribute}>\n{body}\n</{name}>"


def compose_prompt(prompt: str, stdin: str, files: tuple[tuple[str, str], ...]) -> str:
    """Compose the prompt: material first and the instruction last, because servers cut the front.

    Args:
        prompt: the instruction, possibly empty.
        stdin: the text from stdin, possibly empty.
        files: pairs of a file's name and its text.
    """
    parts = [_wrap_in_tag("file", text, f' name="{name}"') for name, text in files]
    if not prompt.strip():
        return "\n\n".join([*parts, stdin] if stdin.strip() else parts)
    if stdin.strip():
        parts.append(_wrap_in_tag("stdin", stdin))
    return "\n\n".join([*parts, prompt])
