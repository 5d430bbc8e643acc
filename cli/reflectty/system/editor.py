"""Opens a text or a file in the user's editor."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from reflectty.core.errors import UsageError, reason_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Run = Callable[[Sequence[str]], int]

_HINT = "set VISUAL or EDITOR to an installed editor"
_VARIABLES = ("VISUAL", "EDITOR")
_FALLBACKS = ("nano", "vi")


def run_in_terminal(command: Sequence[str]) -> int:
    """Run a program in the terminal; return its exit code.

    Raises:
        OSError: it cannot be started.
    """
    with _leave_interrupts_to_editor(), _opened_terminal() as opened:
        stdin, stdout = (None if os.isatty(number) else opened for number in (0, 1))
        return subprocess.run(command, stdin=stdin, stdout=stdout, check=False).returncode  # noqa: S603 - the user's own


@contextmanager
def _opened_terminal() -> Iterator[int | None]:
    """The terminal of the process, for an editor where stdin or stdout is a pipe; None without one."""
    try:
        opened = os.open("/dev/tty", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        yield None
        return
    try:
        yield opened
    finally:
        os.close(opened)


@contextmanager
def _leave_interrupts_to_editor() -> Iterator[None]:
    """Let Ctrl-C reach the editor, which shares the terminal, without ending the chat.

    Uses a handler rather than SIG_IGN, which the editor would inherit.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before or signal.SIG_DFL)


def require_editor(environment: Mapping[str, str] | None = None) -> None:
    """Refuse to edit where the user has set no editor and there is no terminal to draw one on.

    Raises:
        UsageError: this is so.
    """
    variables = os.environ if environment is None else environment
    if any(variables.get(name, "").strip() for name in _VARIABLES):
        return
    with _opened_terminal() as opened:
        if opened is None and not (os.isatty(0) and os.isatty(1)):
            raise UsageError("there is no terminal for an editor", _HINT)


def edit_file(path: Path, environment: Mapping[str, str] | None = None, run: Run = run_in_terminal) -> bool:
    """Open a file in the user's editor; True if the editor exited successfully.

    Raises:
        UsageError: there is no editor, or it cannot be started.
    """
    command = _editor_command(os.environ if environment is None else environment)
    try:
        return run((*command, str(path))) == 0
    except OSError as error:
        raise _unusable_editor_error(command, error) from error


def edit_text(text: str, environment: Mapping[str, str] | None = None, run: Run = run_in_terminal) -> str | None:
    """Edit a text in the user's editor; None if the editor failed.

    Raises:
        UsageError: there is no editor, or its result is not text.
    """
    command = _editor_command(os.environ if environment is None else environment)
    try:
        with tempfile.TemporaryDirectory(prefix="reflectty-", ignore_cleanup_errors=True) as folder:
            return _edit_in_file(Path(folder) / "question.md", text, command, run)
    except UnicodeDecodeError as error:
        raise UsageError("the edited text is not UTF-8") from error
    except OSError as error:
        raise _unusable_editor_error(command, error) from error


def _unusable_editor_error(command: Sequence[str], error: OSError) -> UsageError:
    return UsageError(f"cannot run {command[0]}: {reason_of(error)}", _HINT)


def _edit_in_file(path: Path, text: str, command: Sequence[str], run: Run) -> str | None:
    path.touch(mode=0o600)
    path.write_bytes(text.encode("utf-8", "replace"))
    if run((*command, str(path))) != 0:
        return None
    return path.read_bytes().decode("utf-8").replace("\r\n", "\n")


def _editor_command(environment: Mapping[str, str]) -> list[str]:
    """The editor command with its arguments: the configured one, or one installed on nearly every machine."""
    for name in _VARIABLES:
        wanted = environment.get(name, "").strip()
        try:
            words = shlex.split(wanted)
        except ValueError as error:
            raise UsageError(f"{name} {wanted!r} is not a command: {error}", _HINT) from error
        if words:
            return words
    found = next(filter(shutil.which, _FALLBACKS), "")
    if not found:
        raise UsageError("no editor found", _HINT)
    return [found]
