"""Starts and stops a real llama-server for the tests, built from the sources that the tests' Ollama uses."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from support.real_ollama import ADAPTER, MODELFILES, UnavailableError, base_model, binary, free_port
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "only-for-tests"
ROOM = 1024
"""Size of its context in tokens."""
NAME = "mini"
NUMBERS = ", ".join(str(number * 37 % 101) for number in range(3, 30))
ENDLESS = f"Sort {NUMBERS} from smallest to largest."
"""A prompt that the model answers until its context is full."""


@dataclass
class LlamaServer:
    """A running server: its address and its process."""

    host: str
    process: subprocess.Popen[bytes]
    log: Path

    def kill(self) -> None:
        """Kill it, whatever it is doing."""
        self.process.kill()
        self.process.wait()


def _command(port: int, name: str, base: Path, template: str, *, special: bool) -> tuple[str, ...]:
    server = binary().parent.parent / "lib" / "ollama" / "llama-server"
    model = ("-m", str(base), "--lora", str(ADAPTER), "--alias", name)
    rendering = ("--jinja", "--chat-template-file", str(MODELFILES / f"{template}.jinja"))
    # Threads of llama.cpp wait for each other in a busy loop: two are forty times slower beside another busy process.
    size = ("-t", "1", "-c", str(ROOM), "-np", "1", "--temp", "0")
    place = ("--host", "127.0.0.1", "--port", str(port), "--api-key", KEY, "--no-webui")
    return (str(server), *model, *rendering, *size, *place, *(("--special",) if special else ()))


@contextlib.contextmanager
def serve(
    name: str = NAME, base: Path | None = None, *, template: str = "mini", special: bool = True
) -> Iterator[LlamaServer]:
    """Run a server with the built-in model on a free loopback port.

    Args:
        name: the name of the model.
        base: the model that the adapter changes; gemma by default.
        template: the chat template of the tests that renders prompts.
        special: whether special tokens are sent.

    Raises:
        UnavailableError: the server cannot be built or started.
    """
    port = free_port()
    command = _command(port, name, base or base_model(), template, special=special)
    with tempfile.TemporaryDirectory(prefix="reflectty-llama-") as folder:
        log = Path(folder, "server.log")
        with log.open("wb") as sink:
            process = subprocess.Popen(command, env=os.environ, stdout=sink, stderr=sink, start_new_session=True)
        server = LlamaServer(f"http://127.0.0.1:{port}/v1", process, log)
        try:
            _wait(port, server)
            yield server
        finally:
            server.kill()


def _wait(port: int, server: LlamaServer) -> None:
    def answers() -> bool:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=20):
            return True
        return False

    if until(lambda: server.process.poll() is not None or answers()) and server.process.poll() is None:
        return
    msg = f"llama-server did not answer:\n{server.log.read_text(errors='replace')[-2000:]}"
    raise UnavailableError(msg)
