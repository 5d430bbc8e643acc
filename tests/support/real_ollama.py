"""Starts and stops a real Ollama server for the tests; `python -m support.real_ollama` in tests/ does it by hand.

Its binaries and its model come from real_ollama_build.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from support.real_ollama_build import UnavailableError, base_model, binary, cache_dir, output, run
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "ADAPTER",
    "MODELFILES",
    "MODELS",
    "Server",
    "UnavailableError",
    "base_model",
    "binary",
    "free_port",
    "serve",
    "tuned_model",
]

MODELS = ("plain", "mini", "mini-native", "fewshot")
MODELFILES = Path(__file__).parents[1] / "real" / "models"
ADAPTER = Path(__file__).parents[2] / "models" / "mini" / "mini.gguf"
"""The adapter that makes the built-in model from the base model, under the terms that lie beside it."""


@dataclass
class Server:
    """A running server: its address, its binary, its folder, its process."""

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
        """Create a model; `beside` are files that the Modelfile refers to by relative paths."""
        folder = Path(tempfile.mkdtemp(dir=self.home))
        for path in (modelfile, *beside):
            (folder / path.name).symlink_to(path.resolve())
        command = (str(self.ollama), "create", name, "-f", str(folder / modelfile.name))
        run(f"creating {name}", *command, cwd=folder, OLLAMA_HOST=self.host, HOME=str(self.home))
        self.made.add(name)

    def remove(self, *names: str) -> None:
        """Remove models that were created here."""
        if names:
            command = (str(self.ollama), "rm", *names)
            run(f"removing {', '.join(names)}", *command, OLLAMA_HOST=self.host, HOME=str(self.home))
            self.made.difference_update(names)

    def create_mini(self, name: str = "mini") -> None:
        """Create the built-in model, as `reflect models create mini` does."""
        # Importing it here lets a machine build the server without the dependencies of the program.
        from reflectty.models.manager import open_model_library
        from reflectty.models.merged_mini import install_mini

        async def main() -> None:
            async with open_model_library(self.host) as library:
                await install_mini(library.engine, name, base_model(), ADAPTER.parent, lambda _: None)

        asyncio.run(main())
        self.made.add(name)

    def create_all(self) -> None:
        """Create the models of the tests: plain, mini, mini-native, fewshot."""
        gguf = self.home / "gemma.gguf"
        gguf.symlink_to(base_model())
        self.create("plain", MODELFILES / "plain.Modelfile", gguf)
        self.create_mini()
        for name in MODELS[2:]:
            self.create(name, MODELFILES / f"{name}.Modelfile")

    def create_tuned(self, name: str, gguf: Path) -> None:
        """Create the built-in model from weights of its own, which lie in a writable folder."""
        from reflectty.core.model_spec import MINI_STOP, MINI_TEMPLATE

        tuned = gguf.with_name(f"{name}.Modelfile")
        written = f'FROM ./{gguf.name}\nTEMPLATE """{MINI_TEMPLATE}"""\n'
        tuned.write_text(f"{written}PARAMETER stop {MINI_STOP}\nPARAMETER temperature 0\n")
        self.create(name, tuned, gguf)

    def runners(self) -> list[int]:
        """The pids of the runners that this server started."""
        text = output("ps", "-o", "pid=", "--ppid", str(self.process.pid))
        return [int(word) for word in text.split()]

    def stop(self) -> None:
        """Stop the server and its runners."""
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


def tuned_model() -> Path:
    """The weights of the built-in model with its adapter merged in, made once (292 MB)."""
    from reflectty.models.gguf.merge import merged_pieces_of, plan_merge

    path = cache_dir() / f"mini-{hashlib.sha256(ADAPTER.read_bytes()).hexdigest()[:12]}.gguf"
    if not path.exists():
        for old in path.parent.glob("mini-*.gguf"):
            old.unlink()
        with (
            base_model().open("rb") as base,
            ADAPTER.open("rb") as adapter,
            tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as part,
        ):
            for piece in merged_pieces_of(plan_merge(base, adapter)):
                part.write(piece)
        Path(part.name).rename(path)
    return path


def free_port() -> int:
    """A free loopback port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(host: str, process: subprocess.Popen[bytes], log: Path) -> None:
    def answers() -> bool:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://{host}/api/version", timeout=20) as answer:
            json.load(answer)
            return True
        return False

    if until(lambda: process.poll() is not None or answers()) and process.poll() is None:
        return
    msg = f"ollama serve did not answer on {host}:\n{log.read_text(errors='replace')[-2000:]}"
    raise UnavailableError(msg)


@contextlib.contextmanager
def serve(**settings: str) -> Iterator[Server]:
    """Run a server on a free loopback port with a temporary model folder; `settings` go into its environment.

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
        # Threads of llama.cpp wait in a busy loop for each other: two are forty times slower beside a busy process.
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
    """Serve the models of the tests until interrupted; with `--get`, only build what is needed."""
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
