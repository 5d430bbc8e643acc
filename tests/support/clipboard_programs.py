"""Programs that stand for a desktop's clipboard, in a folder that is the whole PATH."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

PNG: Final = b"\x89PNG\r\n\x1a\n first"
JPEG: Final = b"\xff\xd8\xff second"
PNG_TEXT: Final = b64encode(PNG).decode()
JPEG_TEXT: Final = b64encode(JPEG).decode()


def install_program(folder: Path, name: str, body: str) -> None:
    """Write a shell script that finds the system's own programs."""
    path = folder / name
    path.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{body}\n")
    path.chmod(0o755)


def install_clipboard(folder: Path, name: str, kind: str, content: bytes) -> None:
    """Install a program that has a content of this type only, and fails for any other."""
    (folder / f"{name}.content").write_bytes(content)
    install_program(folder, name, f'case "$*" in *{kind}*) cat {folder}/{name}.content;; *) exit 1;; esac')
