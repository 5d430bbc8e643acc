"""The `reflect` command: dispatches to a subcommand and turns an error into one line and an exit code."""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

from reflectty import __version__
from reflectty.core.errors import (
    OutputError,
    ReflecttyError,
    StoppedError,
    UsageError,
    internal_error_from,
    reason_of,
)
from reflectty.system.terminal import BROKEN_PIPE_EXIT_CODE, system_terminal

if TYPE_CHECKING:
    from collections.abc import Callable

    import typer

    from reflectty.system.terminal import Terminal

COMPLETE_COMMAND = "__complete"
"""The hidden command that the completion scripts of the shells call."""


def run() -> NoReturn:
    """Run the process with the arguments and streams of the system."""
    # Start-up makes a hundred thousand objects that all stay alive: collecting garbage takes a tenth of its time.
    gc.set_threshold(100_000, 20, 20)
    code = main(sys.argv[1:], system_terminal())
    # All output is flushed already; a stream that failed must not be flushed again.
    os._exit(code)


def main(arguments: list[str], terminal: Terminal) -> int:
    """Run one command and return the exit code; an error becomes one line on stderr."""
    try:
        _run_command(arguments, terminal)
    except StoppedError as error:
        return error.exit_code
    except ReflecttyError as error:
        _print_error(error, terminal)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001 - no traceback ever reaches a user
        _print_error(internal_error_from(error), terminal)
        return 1
    return 0


def _run_command(arguments: list[str], terminal: Terminal) -> None:
    """Dispatch the arguments; the first word names a command or begins a question."""
    if terminal.out.file is None:
        raise OutputError("stdout is closed: there is nowhere to put an answer")
    if arguments == ["--version"]:
        terminal.out.write(f"reflect {__version__}\n")
        return
    if arguments[:1] == [COMPLETE_COMMAND]:
        from reflectty.completion import complete

        complete(arguments[1:], terminal)
        return
    if not arguments and _try_open_chat(terminal):
        return
    from reflectty.commands.command_line import COMMANDS, interpret

    try:
        name, rest = interpret(arguments)
    except UsageError as error:
        _print_error_object(error, arguments, terminal)
        raise
    if name == "ask" and _try_plain_question(rest, terminal):
        return
    command = getattr(import_module(COMMANDS[name].module), COMMANDS[name].function or name)
    _run_typer(command() if COMMANDS[name].subcommands else single_command_app(command), name, rest, terminal)


def _try_open_chat(terminal: Terminal) -> bool:
    """Open the chat if all streams are terminals; return whether they are."""
    from reflectty.commands.chat import can_open_chat, chat

    if not can_open_chat(terminal):
        return False
    chat(terminal)
    return True


def _try_plain_question(words: list[str], terminal: Terminal) -> bool:
    """Ask the question if the command line is plain enough to parse without Typer; return whether it is."""
    from reflectty.commands.ask_options import parse_plain

    arguments = parse_plain(words)
    if arguments is None:
        return False
    from reflectty.commands.ask import run_ask

    run_ask(arguments, terminal)
    return True


def single_command_app(command: Callable[..., None]) -> typer.Typer:
    """The Typer app of a command without subcommands."""
    import typer

    from reflectty.commands.help_page import AskCommand, SingleCommand

    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    kind = AskCommand if command.__name__ == "ask" else SingleCommand
    app.command(cls=kind, context_settings={"help_option_names": ["-h", "--help"]})(command)
    return app


def _run_typer(app: typer.Typer, name: str, arguments: list[str], terminal: Terminal) -> None:
    """Run a Typer app and convert its errors to ours."""
    import typer
    from typer._click.exceptions import ClickException

    from reflectty.commands.help_page import MAX_WIDTH, add_examples

    program = "reflect" if name == "ask" else f"reflect {name}"
    command = typer.main.get_command(app)
    add_examples(command, "" if name == "ask" else name)
    try:
        code = command.main(
            args=arguments, prog_name=program, standalone_mode=False, obj=terminal, max_content_width=MAX_WIDTH
        )
    except SystemExit as error:
        # Only --help bypasses `terminal`; Typer exits by itself if the reader of its output has closed the pipe.
        raise StoppedError(BROKEN_PIPE_EXIT_CODE) from error
    except OSError as error:
        if {"-h", "--help"}.isdisjoint(arguments):
            raise
        raise OutputError(f"cannot write the help: {reason_of(error)}") from error
    except ClickException as error:
        from reflectty.commands.typer_errors import usage_error_from

        mistake = usage_error_from(error, program, arguments)
        if name == "ask":
            _print_error_object(mistake, arguments, terminal)
        raise mistake from error
    if code:
        # Typer turns a KeyboardInterrupt into the return value 130.
        raise StoppedError(int(code))


def _print_error_object(error: UsageError, words: list[str], terminal: Terminal) -> None:
    """Print the JSON object of a question that a mistake in the command line prevents, if JSON is asked for."""
    forms = {"--json", "--jsonl"} & set(words[: words.index("--")] if "--" in words else words)
    if forms:
        from reflectty.output.json import JsonRenderer

        JsonRenderer(terminal, lines="--jsonl" in forms, quiet=True).finish(error)


def _print_error(error: ReflecttyError, terminal: Terminal) -> None:
    from reflectty import config
    from reflectty.core.safety import clean_line

    line = f"reflect: {clean_line(str(error))}"
    if error.hint:
        line += f" ({clean_line(error.hint)})"
    terminal.write_stderr(line + "\n")
    if config.is_debugging():
        import traceback

        from reflectty.core.safety import clean

        cause = error.__cause__ or error
        terminal.write_stderr(clean("".join(traceback.format_exception(cause))))
