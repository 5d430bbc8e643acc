"""Locates and locks the built-in model's files."""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import reflectty
from reflectty.core.errors import UnreachableError, UsageError
from reflectty.core.named_tuple import NamedTuple
from reflectty.system import assets, paths
from reflectty.system.terminal import system_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def open_locked(path: Path, *, shared: bool = False) -> int | None:
    """Create a file if needed, lock it and return it open; closing it unlocks it. None if another process holds it."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    # Between opening and locking, the previous holder may have removed it: then the path names another file, or none.
    if try_lock(file, shared=shared) and is_file_at(file, path):
        return file
    os.close(file)
    return None


def try_lock(file: int, *, shared: bool = False) -> bool:
    """Lock an open file without waiting; False if another process holds it."""
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def unlock(file: int) -> None:
    """Unlock a file that stays open."""
    fcntl.flock(file, fcntl.LOCK_UN)


def is_file_at(file: int, path: Path) -> bool:
    """Whether an open file is the one at that path."""
    try:
        return os.path.samestat(os.fstat(file), path.lstat())
    except FileNotFoundError:
        return False


def is_locked(path: Path) -> bool:
    """Whether a process holds an exclusive lock on the file at that path; creates no file."""
    with suppress(FileNotFoundError):
        file = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
        try:
            return not try_lock(file, shared=True)
        finally:
            os.close(file)
    return False


WEIGHTS: Final = "gemma-3-270m-q4_k_m.gguf"
ADAPTER: Final = "mini.gguf"
LONGEST_SOCKET: Final = 100
"""Longest socket path in bytes on every system: 108 with the closing zero on Linux, 104 on macOS."""


class EmbeddedPaths(NamedTuple):
    """The built-in model's files."""

    weights: Path
    """The base model in the user's cache; may not exist yet."""
    adapter: Path
    folder: Path
    """The process's folder, private to the user; may not exist yet."""

    @property
    def socket(self) -> Path:
        """The socket that the process listens on."""
        return self.folder / "socket.sock"

    @property
    def life_lock(self) -> Path:
        """The file that the process locks while it is alive, and the client that starts it until then."""
        return self.folder / "life"

    @property
    def use_lock(self) -> Path:
        """The file that each client locks during its request; its modification time is when the process may end."""
        return self.folder / "use"

    @property
    def log(self) -> Path:
        """The process's output."""
        return self.folder / "log"


def find_paths(environment: Mapping[str, str] | None = None) -> EmbeddedPaths:
    """The paths of the files; creates none.

    The process's folder has its own name for each version of the program, adapter and location of the weights, so that
    a process that answers differently is never reused.

    Raises:
        UnreachableError: there is no home folder, or the installation lacks its adapter.
    """
    environment = system_environment() if environment is None else environment
    weights, adapter = _cache_folder(environment) / WEIGHTS, _adapter()
    info = adapter.stat()
    identity = f"{reflectty.__version__} {weights} {info.st_size} {info.st_mtime_ns}"
    name = f"mini-{hashlib.sha256(identity.encode()).hexdigest()[:12]}"
    return EmbeddedPaths(weights, adapter, _runtime_folder(environment, name))


def make_private(folder: Path) -> None:
    """Create a folder and its parent, accessible to this user only.

    Raises:
        UnreachableError: they exist and belong to another user, or others can enter them.
    """
    for each in (folder.parent, folder):
        with suppress(FileExistsError):
            each.mkdir(mode=0o700)
        if not _is_private(each):
            message = f"the built-in model cannot use {each}: it is not a folder private to you"
            raise UnreachableError(message, "remove it, or set XDG_RUNTIME_DIR to a folder that only you can access")


def _is_private(folder: Path) -> bool:
    info = folder.lstat()
    return stat.S_ISDIR(info.st_mode) and info.st_uid == os.getuid() and not stat.S_IMODE(info.st_mode) & 0o077


def _runtime_folder(environment: Mapping[str, str], name: str) -> Path:
    """The first folder whose path leaves room for a socket."""
    folders = [base / name for base in _bases(environment)]
    fitting = (folder for folder in folders if len(os.fsencode(folder / "socket.sock")) <= LONGEST_SOCKET)
    return next(fitting, folders[-1])


def _bases(environment: Mapping[str, str]) -> Iterator[Path]:
    own = Path(environment.get("XDG_RUNTIME_DIR", ""))
    # After a switch of users, the variable still names the previous user's folder.
    with suppress(OSError):
        if own.is_absolute() and own.stat().st_uid == os.getuid():
            yield own / "reflectty"
    yield Path(tempfile.gettempdir()) / f"reflectty-{os.getuid()}"
    yield Path("/tmp") / f"reflectty-{os.getuid()}"  # noqa: S108 - checked before use


def _cache_folder(environment: Mapping[str, str]) -> Path:
    try:
        return paths.cache_folder(environment)
    except UsageError as error:
        raise UnreachableError("there is no home folder for the built-in model's weights", error.hint) from error


def _adapter() -> Path:
    try:
        path = assets.find_asset_folder("models/mini") / ADAPTER
        path.stat()
    except FileNotFoundError as error:
        raise UnreachableError(f"the built-in model cannot be used: {error}", "reinstall reflectty") from error
    return path
