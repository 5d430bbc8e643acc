"""Fetches a public set of questions into the cache, and checks its bytes."""

from __future__ import annotations

import json
from contextlib import aclosing
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

from reflectty.core.errors import RefusedError, UsageError, reason_of
from reflectty.core.named_tuple import NamedTuple
from reflectty.engines.download import download
from reflectty.evaluation.item_file import MAX_FILE_BYTES, read_bytes
from reflectty.evaluation.items import LETTERS
from reflectty.evaluation.known_sets import check_digest
from reflectty.system.files import open_atomically, write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from reflectty.evaluation.known_sets import KnownSet

    Progress = Callable[[int, int], None]
    """Takes what is done and the whole, in parts if there are several, else in bytes; 0 if the whole is unknown."""

PRIVATE_FOLDER: Final = 0o700


class FetchedSet(NamedTuple):
    """A set in the cache."""

    path: Path
    size: int
    """In bytes."""
    sha256: str
    is_new: bool
    """Whether it was downloaded now."""


async def fetch_set(known: KnownSet, cache: Path, on_progress: Progress, *, force: bool = False) -> FetchedSet:
    """Download a set into the cache, unless it is there.

    Raises:
        UsageError: what is in the cache has changed, and `force` is not set; or the cache cannot be written.
        UnreachableError: the server cannot be reached.
        RefusedError: the server refuses, or the digest differs; nothing is kept.
        IncompleteError: the download was cut off; nothing is kept.
    """
    path = known.path_in(cache)
    if path.exists() and not force:
        data = read_bytes(path)
        check_digest(known, data, cache)
        return FetchedSet(path, len(data), sha256(data).hexdigest(), is_new=False)
    data = await (_joined(known, on_progress) if known.is_joined else _whole(known, on_progress))
    digest = sha256(data).hexdigest()
    _check_download(known, digest, known.expected_digest(cache), known.digest_path_in(cache))
    _keep(known, data, digest, cache)
    return FetchedSet(path, len(data), digest, is_new=True)


async def _whole(known: KnownSet, on_progress: Progress) -> bytes:
    data = bytearray()
    async with aclosing(download(known.addresses[0], known.size or MAX_FILE_BYTES)) as pieces:
        async for piece in pieces:
            data += piece
            on_progress(len(data), known.size)
    return bytes(data)


async def _joined(known: KnownSet, on_progress: Progress) -> bytes:
    """The rows of all parts, one JSON object a line."""
    lines: list[bytes] = []
    for done, address in enumerate(known.addresses):
        on_progress(done, len(known.addresses))
        async with aclosing(download(address, MAX_FILE_BYTES)) as pieces:
            page = b"".join([piece async for piece in pieces])
        lines.extend(_lines_of(page, address))
    return b"".join(lines)


def _lines_of(page: bytes, address: str) -> Iterator[bytes]:
    """The rows of a page of the Hugging Face dataset viewer (`/rows`), with the letter of the key.

    Raises:
        RefusedError: it is no such page, or cells of it are cut.
    """
    (subject,) = parse_qs(urlsplit(address).query).get("config", [""])
    try:
        for entry in json.loads(page)["rows"]:
            if entry["truncated_cells"]:
                raise _unexpected(address)
            yield json.dumps(_redux_row(subject, entry), ensure_ascii=True).encode("ascii") + b"\n"
    except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise _unexpected(address) from error


def _redux_row(subject: str, entry: dict[str, Any]) -> dict[str, Any]:
    row = entry["row"]
    names = ("question", "choices", "error_type", "correct_answer")
    key = {"answer": LETTERS[row["answer"]], "subject": subject, "id": f"{subject}-{entry['row_idx']}"}
    return {name: row[name] for name in names} | key


def _unexpected(address: str) -> RefusedError:
    return RefusedError(f"{urlsplit(address).netloc} sent something unexpected", "nothing was kept; try again later")


def _check_download(known: KnownSet, digest: str, expected: str, kept_in: Path) -> None:
    if not expected or digest == expected:
        return
    if known.sha256:
        raise RefusedError(f"{known.name}: the download has another SHA-256 than published", "nothing was kept")
    message = f"{known.name}: the download differs from the first one on this machine; nothing was kept"
    raise RefusedError(message, f"to accept the change, remove {kept_in}")


def _keep(known: KnownSet, data: bytes, digest: str, cache: Path) -> None:
    path = known.path_in(cache)
    try:
        path.parent.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
        with open_atomically(path) as file:
            file.write(data)
        if not known.sha256:
            write_atomically(known.digest_path_in(cache), f"{digest}  {known.file}\n")
    except OSError as error:
        raise UsageError(
            f"{path}: cannot be written: {reason_of(error)}", "set XDG_CACHE_HOME to another folder"
        ) from error
