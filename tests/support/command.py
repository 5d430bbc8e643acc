"""The real command in a process of its own, in an empty home and a clean environment."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Self

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable
    from pathlib import Path

PATIENCE = 60.0
"""Seconds that a slow machine gets for what should take a fraction of one."""
KEPT = ("PATH", "LANG", "TMPDIR", "SYSTEMROOT", "PYTHONPATH", "VIRTUAL_ENV")
COMMAND = (sys.executable, "-m", "reflectty")


@dataclass(frozen=True, slots=True)
class Result:
    """What a process left behind; a code below 0 is the signal that killed it."""

    code: int
    stdout: bytes
    stderr: bytes

    @property
    def out(self) -> str:
        return self.stdout.decode()

    @property
    def err(self) -> str:
        return self.stderr.decode()


class Running:
    """A process under way, whose output can be looked at while it runs."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.stdout = self.stderr = b""
        self._changed = threading.Condition()
        self._readers = [
            threading.Thread(target=self._read, args=(stream, name), daemon=True)
            for stream, name in ((process.stdout, "stdout"), (process.stderr, "stderr"))
            if stream is not None
        ]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.finish()

    def _read(self, stream: IO[bytes], name: str) -> None:
        with stream:
            while piece := os.read(stream.fileno(), 1 << 16):
                with self._changed:
                    setattr(self, name, getattr(self, name) + piece)
                    self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()

    def until(self, condition: Callable[[Self], bool], patience: float = PATIENCE) -> bool:
        """Wait until a condition on the output holds; say whether it came to hold."""
        end = time.monotonic() + patience
        with self._changed:
            while not condition(self) and (left := end - time.monotonic()) > 0:
                self._changed.wait(min(left, 0.1))
            return condition(self)

    def says(self, text: str) -> bool:
        """Wait for a text on stdout."""
        return self.until(lambda run: text.encode() in run.stdout)

    def warns(self, text: str) -> bool:
        """Wait for a text on stderr."""
        return self.until(lambda run: text.encode() in run.stderr)

    def signalled(self, number: signal.Signals) -> Result:
        """Send a signal and return how the process ended."""
        self.process.send_signal(number)
        return self.finish()

    def finish(self, patience: float = PATIENCE) -> Result:
        """Wait for the end."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        code = self.process.wait(patience)
        for reader in self._readers:
            reader.join(patience)
        return Result(code, self.stdout, self.stderr)


class Reflect:
    """Runs `reflect` for one server; every keyword in capitals is a variable of its environment."""

    def __init__(self, home: Path, host: str = "", command: tuple[str, ...] = COMMAND, **variables: str) -> None:
        self.home = home
        self.host = host
        self.command = command
        self.variables = variables

    def at(self, host: str) -> Reflect:
        """Return the same command, speaking to a host."""
        return Reflect(self.home, host, self.command, **self.variables)

    def environment(self, **variables: str) -> dict[str, str]:
        """Return what the process sees: nothing of ours but where programs are."""
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        hosts = {"OLLAMA_HOST": self.host} if self.host else {}
        return {"LANG": "C.UTF-8", **kept, "HOME": str(self.home), **hosts, **self.variables, **variables}

    def __call__(self, *words: str, stdin: bytes = b"", patience: float = PATIENCE, **variables: str) -> Result:
        done = subprocess.run(
            (*self.command, *words),
            input=stdin,
            capture_output=True,
            env=self.environment(**variables),
            cwd=self.home,
            timeout=patience,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def start(self, *words: str, stdin: int = subprocess.DEVNULL, **variables: str) -> Running:
        """Start it and go on."""
        return Running(
            subprocess.Popen(
                (*self.command, *words),
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=self.environment(**variables),
                cwd=self.home,
            )
        )

    def in_path(self, **variables: str) -> dict[str, str]:
        """Return an environment in which `reflect` is the command."""
        folder = self.home / "bin"
        folder.mkdir(exist_ok=True)
        program = folder / "reflect"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m reflectty "$@"\n')
        program.chmod(0o755)
        environment = self.environment(**variables)
        return environment | {"PATH": f"{folder}:{environment.get('PATH', os.defpath)}"}

    def shell(self, script: str, **variables: str) -> Result:
        """Run a script in which `reflect` is the command."""
        done = subprocess.run(
            ("sh", "-c", script),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=self.in_path(**variables),
            cwd=self.home,
            timeout=PATIENCE,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr)
