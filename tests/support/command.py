"""The command in an empty home and a clean environment: in this process, or in a process of its own."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Self

import pytest

from reflectty.main import main
from reflectty.system.terminal import system_terminal
from support.waiting import PATIENCE, until_changed

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["COMMAND", "PATIENCE", "Reflect", "Result", "Running", "run_here"]

KEPT = ("PATH", "LANG", "TMPDIR", "SYSTEMROOT", "PYTHONPATH", "VIRTUAL_ENV")
COMMAND = (sys.executable, "-m", "reflectty")


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a process; a code below 0 is the signal that killed it."""

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
    """A running process, whose output can be read while it runs."""

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
        """Wait until a condition on the output holds; return whether it held in time."""
        return until_changed(self._changed, lambda: condition(self), patience)

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
    """Runs `reflect` for one server; keywords in capitals are variables of its environment.

    A call runs it in this process, unless `apart` is set; every other method starts a process.
    """

    def __init__(
        self,
        home: Path,
        host: str = "",
        command: tuple[str, ...] = COMMAND,
        *,
        apart: bool = True,
        **variables: str,
    ) -> None:
        self.home = home
        self.host = host
        self.command = command
        self.apart = apart
        self.variables = variables

    def at(self, host: str) -> Reflect:
        """The same command for another host."""
        return Reflect(self.home, host, self.command, apart=self.apart, **self.variables)

    def environment(self, **variables: str) -> dict[str, str]:
        """The environment of the command: nothing of ours but the path of programs."""
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        hosts = {"OLLAMA_HOST": self.host} if self.host else {}
        return {"LANG": "C.UTF-8", **kept, "HOME": str(self.home), **hosts, **self.variables, **variables}

    def __call__(self, *words: str, stdin: bytes = b"", **variables: str) -> Result:
        environment = self.environment(**variables)
        if not self.apart:
            return run_here(words, stdin, environment, self.home)
        done = subprocess.run(
            (*self.command, *words),
            input=stdin,
            capture_output=True,
            env=environment,
            cwd=self.home,
            timeout=PATIENCE,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def start(self, *words: str, stdin: int = subprocess.DEVNULL, **variables: str) -> Running:
        """Start it and return at once."""
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
        """An environment in which `reflect` is the command."""
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


def run_here(words: tuple[str, ...], stdin: bytes, environment: dict[str, str], folder: Path) -> Result:
    """Run the command in this process, with pipes for streams as a shell script has them."""
    out, err = io.BytesIO(), io.BytesIO()
    with pytest.MonkeyPatch.context() as replaced, _piped(stdin) as sys_stdin:
        for name in set(os.environ) - set(environment):
            replaced.delenv(name)
        for name, value in environment.items():
            replaced.setenv(name, value)
        replaced.chdir(folder)
        for name, stream in (("stdin", sys_stdin), ("stdout", _text(out)), ("stderr", _text(err))):
            replaced.setattr(sys, name, stream)
        terminal = system_terminal()
        # The width of the screen that runs these tests is not the width of a pipe.
        code = main(list(words), terminal._replace(width=terminal.forced_columns or 80))
        sys.stdout.flush()
        sys.stderr.flush()
    return Result(code, out.getvalue(), err.getvalue())


def _text(sink: io.BytesIO) -> io.TextIOWrapper:
    return io.TextIOWrapper(sink, encoding="utf-8")


@contextlib.contextmanager
def _piped(data: bytes) -> Iterator[io.TextIOWrapper]:
    """Open a pipe that delivers these bytes and then ends."""
    reading, writing = os.pipe()

    def write() -> None:
        # A command may close the pipe before it has read everything.
        with contextlib.suppress(BrokenPipeError), os.fdopen(writing, "wb") as file:
            file.write(data)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with os.fdopen(reading, encoding="utf-8") as stream:
            yield stream
    finally:
        writer.join()
