"""Entry point of the built-in model's server process.

`server_process` starts it as a program, with its paths as JSON in the only argument and the life lock inherited. It
opens no port and makes no network request.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from reflectty.engines.embedded.model import CONTEXT
from reflectty.engines.embedded.openmp import load_openmp
from reflectty.engines.embedded.runtime_files import EmbeddedPaths, is_file_at, try_lock, unlock

if TYPE_CHECKING:
    from types import FrameType

LOOKING_SECONDS: Final = 0.5
"""Seconds between checks whether the server is still in use."""
MOST_THREADS: Final = 4
"""A model this small waits for memory, not for more threads."""
CONTROL_GROUP: Final = Path("/sys/fs/cgroup/cpu.max")
ERRORS_ONLY: Final = 1
CHECKPOINTS: Final = 4
"""Saved states of a slot to return to; each takes some megabytes."""


def main(argument: str) -> None:
    """Load the model, answer until it has been unused for a while, and clean up."""
    arguments = json.loads(argument)
    paths = EmbeddedPaths(*(Path(arguments[name]) for name in EmbeddedPaths._fields))
    # Double fork: no zombie for the caller; other clients watch the life lock.
    if os.fork():
        os._exit(0)
    os.umask(0o077)
    signal.signal(signal.SIGTERM, _exit_on_signal)
    failed = False
    try:
        use = os.open(paths.use_lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        served = _serve(paths)
        _wait_until_unused(paths, use, served)
    except SystemExit:
        pass
    except Exception:  # noqa: BLE001 - logged before the process ends
        failed = True
        traceback.print_exc()
    _clean_up(paths, arguments["life"], failed=failed)
    if failed:
        # llama.cpp writes its log in a thread, which is complete only when the process ends normally.
        sys.exit(1)
    # A normal end of the server would wait for the running reply.
    os._exit(0)


def _exit_on_signal(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def _serve(paths: EmbeddedPaths) -> object:
    """Start the server, which answers in its own threads while it is referenced."""
    # A leftover of a killed process: this process holds the life lock.
    paths.socket.unlink(missing_ok=True)
    load_openmp()
    import xllamacpp

    return xllamacpp.Server(_parameters(xllamacpp, paths))


def _parameters(xllamacpp: Any, paths: EmbeddedPaths) -> object:  # noqa: ANN401 - the package has no types
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(paths.weights)
    parameters.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(str(paths.adapter), 1.0)]
    parameters.hostnames = [str(paths.socket)]
    parameters.n_ctx = CONTEXT
    parameters.n_parallel = 1
    parameters.n_gpu_layers = 0
    parameters.cache_ram_mib = 0
    parameters.n_ctx_checkpoints = CHECKPOINTS
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = thread_count_for(_cores())
    parameters.fit_params = False
    parameters.offline = True
    parameters.ui = False
    parameters.verbosity = ERRORS_ONLY
    return parameters


def thread_count_for(cores: int) -> int:
    """Number of threads: they wait for each other in busy loops, and one core stays free."""
    return min(max(cores - 1, 1), MOST_THREADS)


def _cores() -> int:
    """Number of cores that this process may use."""
    allowed = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    with suppress(OSError):
        return min(allowed, cpu_quota_from(CONTROL_GROUP.read_text("ascii")) or allowed)
    return allowed


def cpu_quota_from(text: str) -> int:
    """Number of cores that a control group's quota allows, at least one; 0 if unlimited."""
    match = re.fullmatch(r"(\d+) (\d+)\s*", text, re.ASCII)
    return max(1, int(match[1]) // max(1, int(match[2]))) if match else 0


def _wait_until_unused(paths: EmbeddedPaths, use: int, served: object) -> None:
    """Wait until the server has been unused for long enough; returns with the lock that keeps new requests out."""
    while served:
        time.sleep(LOOKING_SECONDS)
        if try_lock(use):
            if time.time() >= os.fstat(use).st_mtime or not _is_reachable(paths, use):
                return
            unlock(use)


def _is_reachable(paths: EmbeddedPaths, use: int) -> bool:
    return is_file_at(use, paths.use_lock) and paths.socket.exists()


def _clean_up(paths: EmbeddedPaths, life: int, *, failed: bool) -> None:
    """Remove this process's files, but not those of a process started since.

    After a failure the log stays, and the life lock is held until the end: a client that waits for it reads the whole
    log.
    """
    if is_file_at(life, paths.life_lock):
        for path in (paths.socket, paths.use_lock, *(() if failed else (paths.log, paths.life_lock))):
            with suppress(OSError):
                path.unlink()
    for folder in (paths.folder, paths.folder.parent):
        with suppress(OSError):
            folder.rmdir()


if __name__ == "__main__":
    main(sys.argv[1])
