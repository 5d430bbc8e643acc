"""Installs the built-in model on an Ollama server, its adapter merged into its weights.

Ollama accepts no adapters since 0.34.1, and merged weights in every version.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib.util
import tempfile
from contextlib import aclosing
from typing import TYPE_CHECKING, BinaryIO, Final

from reflectty.core import model_spec
from reflectty.core.errors import RefusedError, StoreError, UnreachableError, reason_of
from reflectty.core.model_names import checked_name
from reflectty.engines.embedded.model import read_license
from reflectty.models import files
from reflectty.models.gguf import GgufError, changed_pieces_of
from reflectty.models.installed import ProgressUpdate
from reflectty.protocols.ollama.model_specs import encode_create

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reflectty.engines import ModelServer
    from reflectty.models.gguf.merge import MergePlan

    OnProgress = Callable[[ProgressUpdate], None]

MERGED_MODEL_LABEL: Final = "the merged model"


def can_merge() -> bool:
    """True if numpy is installed, which merging needs; does not import it."""
    return importlib.util.find_spec("numpy") is not None


async def install_mini(engine: ModelServer, name: str, weights: Path, folder: Path, on_progress: OnProgress) -> None:
    """Create the built-in model on a server; a model of that name is replaced.

    Args:
        engine: the server's engine.
        name: the model's name on the server.
        weights: the GGUF that the adapter changes; the merged one is an unnamed temporary file in its folder.
        folder: the folder of the adapter and its license.
        on_progress: receives the progress in bytes.

    Raises:
        RefusedError: the server is too old, cannot keep the file, or cannot create the model.
        StoreError: a disk is too full.
        UnreachableError: the weights or the adapter are damaged.
        OSError: a file cannot be read.
    """
    from reflectty.models.gguf.merge import plan_merge

    checked_name(name)
    version = await files.version_of(engine)
    if version and version < model_spec.MINI_OLDEST_OLLAMA:
        number = ".".join(map(str, version))
        raise RefusedError(f"Ollama {number} is too old for the built-in model", "update Ollama on the server")
    try:
        with weights.open("rb") as base, (folder / "mini.gguf").open("rb") as adapter:
            merge = plan_merge(base, adapter)
            await _refuse_full_disks(engine, version, merge, weights.parent)
            with tempfile.TemporaryFile(dir=weights.parent) as merged:
                digest = await _merge(merge, merged, on_progress)
                if not await engine.has_blob(digest):
                    await _send(engine, merged, digest, merge.size, on_progress)
    except GgufError as error:
        raise UnreachableError(f"the built-in model cannot be merged: {error}", "reinstall reflectty") from error
    on_progress(ProgressUpdate("creating the model"))
    await engine.create(encode_create(name, model_spec.mini_spec(name, read_license(folder)), digest))


async def _refuse_full_disks(engine: ModelServer, server_version: files.Version, merge: MergePlan, cache: Path) -> None:
    """Refuse to start if the merged file does not fit here or on the server.

    Raises:
        StoreError: a disk is too full.
    """
    there = files.bytes_needed_for(server_version, merge.size, is_uploaded=False)
    files.refuse_full_disks(((cache, merge.size), (await files.model_folder_of(engine), there)), MERGED_MODEL_LABEL)


async def _merge(merge: MergePlan, target: BinaryIO, on_progress: OnProgress) -> str:
    """Write the merged file and return its digest; merges in a thread so that signals are handled.

    Raises:
        StoreError: it cannot be written.
    """
    from reflectty.models.gguf.merge import merged_pieces_of

    digest, done = hashlib.sha256(), 0
    parts = merged_pieces_of(merge)

    def step() -> int:
        piece = next(parts, b"")
        digest.update(piece)
        return target.write(piece)

    try:
        while written := await asyncio.to_thread(step):
            done += written
            on_progress(ProgressUpdate("merging", "merging", merge.size, done))
        await asyncio.to_thread(target.flush)
    except OSError as error:
        message = f"{MERGED_MODEL_LABEL} cannot be written: {reason_of(error)}"
        raise StoreError(message, "free 300 MB there, or set XDG_CACHE_HOME to another folder") from error
    return f"sha256:{digest.hexdigest()}"


async def _send(engine: ModelServer, file: BinaryIO, digest: str, size: int, on_progress: OnProgress) -> None:
    def on_bytes(done: int) -> None:
        on_progress(ProgressUpdate(f"sending {digest[7:19]}", digest, size, done))

    async with aclosing(files.read_in_thread(changed_pieces_of(file, size, {}), on_bytes)) as pieces:
        await engine.send_blob(digest, size, pieces)
