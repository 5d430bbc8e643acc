"""Assembles the command and runs it; the only place that turns an error into one line and an exit code."""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

from reflectty import __version__
from reflectty.errors import OutputError, ReflecttyError, StoppedError, UsageError
from reflectty.terminal import BROKEN_PIPE, system_terminal

if TYPE_CHECKING:
    from collections.abc import Callable

    import typer

    from reflectty.terminal import Terminal

COMMANDS = {
    "ask": "reflectty.commands.ask",
    "batch": "reflectty.commands.batch",
    "completions": "reflectty.commands.completions",
    "config": "reflectty.commands.config",
    "doctor": "reflectty.commands.doctor",
    "models": "reflectty.commands.models",
    "sessions": "reflectty.commands.sessions",
    "templates": "reflectty.commands.templates",
}
"""Each command's module, which has a function of the command's name; only the one asked for is imported."""
GROUPS = frozenset({"completions", "config", "models", "sessions", "templates"})
"""The commands with subcommands: their function returns the app that has them."""
COMPLETE = "__complete"
"""The word by which the completions of a shell ask for names; no person types it."""


def run() -> NoReturn:
    """Run the process: arguments and streams are the system's."""
    # Start-up makes a hundred thousand objects that all stay: looking for garbage among them costs a tenth of it.
    gc.set_threshold(100_000, 20, 20)
    code = main(sys.argv[1:], system_terminal())
    # Everything was flushed when it was written; a stream that failed must not be flushed again.
    os._exit(code)


def main(arguments: list[str], terminal: Terminal) -> int:
    """Run one command and return the exit code; errors become one line on stderr."""
    try:
        _command(arguments, terminal)
    except StoppedError as error:
        return error.exit_code
    except ReflecttyError as error:
        _complain(error, terminal)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001 - no traceback ever reaches a user
        _complain(_internal(error), terminal)
        return 1
    return 0


def _command(arguments: list[str], terminal: Terminal) -> None:
    """Let Typer read the arguments; the first word names a command or begins a question."""
    if terminal.out.file is None:
        raise OutputError("stdout is closed: there is nowhere to put an answer")
    if arguments == ["--version"]:
        terminal.out.write(f"reflect {__version__}\n")
        return
    if arguments[:1] == [COMPLETE]:
        from reflectty.commands.complete import complete  # noqa: PLC0415 - only shells ask so

        complete(arguments[1:], terminal)
        return
    if not arguments and _chats(terminal):
        return
    named = bool(arguments) and arguments[0] in COMMANDS
    name, rest = (arguments[0], arguments[1:]) if named else ("ask", arguments)
    program = "reflect" if name == "ask" else f"reflect {name}"
    command = getattr(import_module(COMMANDS[name]), name)
    _let_typer_run(command() if name in GROUPS else alone(command), program, rest, terminal)


def _chats(terminal: Terminal) -> bool:
    """Open the chat where nothing was said on a terminal; return whether that was so."""
    from reflectty.commands.chat import can_open, chat  # noqa: PLC0415 - --version does without

    if not can_open(terminal):
        return False
    chat(terminal)
    return True


def alone(command: Callable[..., None]) -> typer.Typer:
    """Return the app of a command without subcommands."""
    import typer  # noqa: PLC0415 - a fifth of a one-shot's start; --version does without

    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command(context_settings={"help_option_names": ["-h", "--help"]})(command)
    return app


def _let_typer_run(app: typer.Typer, program: str, arguments: list[str], terminal: Terminal) -> None:
    """Call a command's function with what Typer makes of the arguments; its errors become ours."""
    import typer  # noqa: PLC0415 - --version does without

    misuse: type[Exception] = next(
        base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException" and issubclass(base, Exception)
    )
    try:
        code = typer.main.get_command(app).main(args=arguments, prog_name=program, standalone_mode=False, obj=terminal)
    except SystemExit as error:
        # Only --help writes past the terminal; where its reader has left, Typer exits by itself.
        raise StoppedError(BROKEN_PIPE) from error
    except OSError as error:
        raise OutputError(f"cannot write: {(error.strerror or str(error)).lower()}") from error
    except misuse as error:
        text = error.format_message() if hasattr(error, "format_message") else str(error)
        raise UsageError(text.rstrip("."), f"`{program} --help` lists the options") from error
    if code:
        # Typer makes a KeyboardInterrupt the return value 130.
        raise StoppedError(int(code))


def _internal(error: Exception) -> ReflecttyError:
    found = ReflecttyError(
        f"internal error: {type(error).__name__}: {error}", "REFLECTTY_DEBUG=1 shows where; please report it"
    )
    found.__cause__ = error
    return found


def _complain(error: ReflecttyError, terminal: Terminal) -> None:
    from reflectty import config  # noqa: PLC0415 - only errors need it
    from reflectty.safety import clean_line  # noqa: PLC0415

    line = f"reflect: {clean_line(str(error))}"
    if error.hint:
        line += f" ({clean_line(error.hint)})"
    terminal.say(line + "\n")
    if config.debugging():
        import traceback  # noqa: PLC0415 - only for those who debug

        from reflectty.safety import clean  # noqa: PLC0415

        cause = error.__cause__ or error
        terminal.say(clean("".join(traceback.format_exception(cause))))
