"""The table of commands, and which of them a command line means: a peer's verb, a typo, or a question."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from reflectty.commands.ask_options import ASK_OPTIONS
from reflectty.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator


class CommandSpec(NamedTuple):
    """A command: its module, which has a function of the command's name, and what help says of it."""

    module: str
    summary: str
    subcommands: tuple[str, ...] = ()
    """The names of its subcommands; then its function returns the app that has them."""


COMMANDS = {
    "ask": CommandSpec("reflectty.commands.options", "Ask a question that starts with a command's name"),
    "batch": CommandSpec("reflectty.commands.batch", "Ask every line of a file"),
    "completions": CommandSpec(
        "reflectty.commands.completions", "Install or print completions for your shell", ("install", "show", "path")
    ),
    "config": CommandSpec(
        "reflectty.commands.config",
        "Show and change the settings",
        ("show", "list", "get", "set", "unset", "edit", "path", "schema"),
    ),
    "doctor": CommandSpec(
        "reflectty.commands.doctor", "Check the terminal, the server and the models, and suggest fixes"
    ),
    "last": CommandSpec("reflectty.commands.last", "Print the last answer again"),
    "models": CommandSpec(
        "reflectty.commands.models",
        "Manage the models on a server",
        ("list", "show", "pull", "create", "repair", "copy", "remove", "load", "unload"),
    ),
    "sessions": CommandSpec(
        "reflectty.commands.sessions",
        "Read, search, export and manage saved sessions",
        ("list", "show", "search", "export", "import", "rename", "remove", "fork", "prune", "path"),
    ),
    "templates": CommandSpec(
        "reflectty.commands.templates", "Manage prompt templates, used with -t", ("list", "show", "edit", "path")
    ),
}
"""The commands; only the module of the one asked for is imported."""

HELP, CHAT, RUN = "help", "chat", "run"
_PEER_VERBS = {
    "ls": (("models", "list"), 0),
    "list": (("models", "list"), 0),
    "ps": (("models", "list"), 0),
    "pull": (("models", "pull"), 1),
    "show": (("models", "show"), 1),
    "rm": (("models", "remove"), 1),
    "cp": (("models", "copy"), 2),
    "stop": (("models", "unload"), 1),
    "version": (("ask", "--version"), 0),
    CHAT: (("ask",), 0),
}
"""What the verbs of `ollama`, `llm` and others mean here, and how many words they take; more are a sentence."""
_PLANNED = ("compare", "eval", "probe")
_MODEL_NAME = re.compile(r"[\w.-]*[\d:/][\w.:/-]*")
_SIMILARITY = 0.75
_SUBCOMMANDS = frozenset(name for command in COMMANDS.values() for name in command.subcommands)
_VALUE_FLAGS = frozenset(flag for spec in ASK_OPTIONS.values() if spec.kind is not bool for flag in spec.flags)


class CommandLine(NamedTuple):
    """The command that is meant, and its arguments."""

    command: str
    arguments: list[str]


def interpret(words: list[str]) -> CommandLine:
    """Find the command that a command line means; anything that begins with no command's name is a question.

    Options before a command are its own. A verb of a peer is the command that does the same.

    Raises:
        UsageError: the first word is close to a command's name, or a verb that needs another form here.
    """
    at = next(_positions(words), None)
    if at is None:
        return CommandLine("ask", words)
    first, options, rest = words[at], words[:at], words[at + 1 :]
    if first in COMMANDS:
        return CommandLine(first, _with_options(rest, options))
    if first == HELP and all(not word.startswith("-") and " " not in word for word in rest) and _are_commands(rest):
        return CommandLine(rest[0] if rest else "ask", [*rest[1:], "--help"])
    if first == RUN and rest:
        return _run(words, options, rest)
    values = [rest[at] for at in _positions(rest)]
    if first in _PEER_VERBS and len(values) == _PEER_VERBS[first][1]:
        (command, *subcommand), _ = _PEER_VERBS[first]
        return CommandLine(command, [*subcommand, *_with_options(rest, options)])
    _refuse_near_command(first, values)
    return CommandLine("ask", words)


def _positions(words: list[str]) -> Iterator[int]:
    """Yield the indexes of the words that are no options of a question nor their values, up to `--`."""
    is_value = False
    for at, word in enumerate(words):
        if word == "--":
            return
        if is_value:
            is_value = False
        elif word.startswith("-") and word != "-":
            is_value = word in _VALUE_FLAGS
        else:
            yield at


def _with_options(rest: list[str], options: list[str]) -> list[str]:
    """Put options that came before the command behind its own words."""
    end = rest.index("--") if "--" in rest else len(rest)
    return [*rest[:end], *options, *rest[end:]]


def _are_commands(words: list[str]) -> bool:
    return not words or (words[0] in COMMANDS and (len(words) == 1 or words[1] in COMMANDS[words[0]].subcommands))


def _run(words: list[str], options: list[str], rest: list[str]) -> CommandLine:
    """Ask a model, or chat with it, as `ollama run` does."""
    model, *question = rest
    if _MODEL_NAME.fullmatch(model) or (len(rest) == 1 and model.isascii() and model.isalnum()):
        return CommandLine("ask", [*options, "-m", model, *question])
    raise UsageError("reflect has no command 'run'", f'use reflect -m MODEL "…"; {_anyway(words[len(options) :])}')


def _refuse_near_command(first: str, values: list[str]) -> None:
    """Refuse a question that is probably a mistyped command: one word, or one with a subcommand.

    Raises:
        UsageError: it is.
    """
    if values and values[0] not in _SUBCOMMANDS:
        return
    if first in _PLANNED and not values:
        raise UsageError(f"reflect has no command {first!r} yet", _anyway([first]))
    import difflib

    near = next(iter(difflib.get_close_matches(first, [*COMMANDS, HELP], 1, _SIMILARITY)), "")
    subcommands = COMMANDS[near].subcommands if near in COMMANDS else ()
    if near and (not values or values[0] in subcommands):
        raise UsageError(f"reflect has no command {first!r}", f"did you mean {near}? {_anyway([first, *values])}")


def _anyway(words: list[str]) -> str:
    return f"to ask it as a question: reflect ask {' '.join(words)}"
