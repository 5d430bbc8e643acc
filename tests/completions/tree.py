"""The command line as a tree: commands, options, arguments and the values of each; runs no command."""

from __future__ import annotations

from importlib import import_module
from typing import Any, NamedTuple

import typer

from reflectty.commands.command_line import COMMANDS, HELP
from reflectty.core.options import OPTIONS
from reflectty.core.segments import Kind
from reflectty.evaluation.known_sets import KNOWN_SETS
from reflectty.main import single_command_app
from reflectty.models.recommendation import RECOMMENDED_MODELS
from reflectty.reasoning.families import FAMILIES

KINDS = {"PATH": "files", "FILE": "files", "FILE|JSON": "files", "TEXT|@FILE": "texts", "MODEL": "models"}
KINDS |= {"SET": "files", "ID": "sessions", "RUN": "runs", "HOST": "hosts", "KEY": "keys", "VALUE": "values"}
"""The kind of value for each placeholder."""
NAMES = {"model": "models", "source": "models", "profile": "profiles", "template": "templates"}
"""The kind of value for each parameter whose placeholder is only NAME."""


class Value(NamedTuple):
    """The values of one place: fixed words, or names of a kind that the command lists."""

    kind: str = ""
    choices: tuple[str, ...] = ()
    many: bool = False


class Option(NamedTuple):
    flags: tuple[str, ...]
    about: str
    value: Value | None


class Command(NamedTuple):
    """A command; one with subcommands has their names and its default subcommand."""

    path: str
    about: str
    options: tuple[Option, ...]
    places: tuple[Value, ...]
    subcommands: tuple[tuple[str, str], ...] = ()
    default: str = ""


def commands() -> tuple[Command, ...]:
    """Every command, the root first: its path is empty."""
    found = [one for name in COMMANDS for one in _below(name, assembled(name))]
    ask = next(one for one in found if one.path == "ask")
    named = tuple((one.path, one.about) for one in found if " " not in one.path)
    everything = (*named, (HELP, "Show the help of a command"))
    return (ask._replace(path="", subcommands=everything), *found, *_help_on(found, named))


def _help_on(found: list[Command], named: tuple[tuple[str, str], ...]) -> tuple[Command, ...]:
    """`help` with its arguments: a command, and one of its subcommands."""
    groups = (one for one in found if one.subcommands)
    below = (Command(f"{HELP} {one.path}", one.about, (), (), one.subcommands) for one in groups)
    return (Command(HELP, "", (), (), named), *below)


def assembled(name: str) -> Any:
    """A command with its options and subcommands, as Typer makes it."""
    command = getattr(import_module(COMMANDS[name].module), COMMANDS[name].function or name)
    return typer.main.get_command(command() if COMMANDS[name].subcommands else single_command_app(command))


def _below(path: str, command: Any) -> list[Command]:
    below = getattr(command, "commands", {})
    context = command.context_class(command, info_name=path, **command.context_settings)
    every = command.get_params(context)
    here = Command(
        path,
        _sentence(command.help),
        tuple(_option(path, one) for one in every if one.param_type_name == "option" and not one.hidden),
        tuple(_value(path, one) for one in every if one.param_type_name == "argument"),
        tuple((name, _sentence(one.help)) for name, one in below.items()),
        getattr(command, "default", ""),
    )
    return [here, *(each for name, one in below.items() for each in _below(f"{path} {name}", one))]


def _option(path: str, parameter: Any) -> Option:
    value = None if parameter.is_flag or parameter.name == "help" else _value(path, parameter)
    # Click keeps the options for help in a set.
    flags = sorted(parameter.opts) if parameter.name == "help" else (*parameter.opts, *parameter.secondary_opts)
    return Option(tuple(flags), _sentence(parameter.help), value)


def _value(path: str, parameter: Any) -> Value:
    name = (parameter.metavar or "").strip("[].")
    many = parameter.nargs == -1
    if hasattr(parameter.type, "choices"):
        return Value("", tuple(str(getattr(one, "value", one)) for one in parameter.type.choices), many)
    known = {"KEY=VALUE": tuple(f"{key}=" for key in OPTIONS), "PARTS": tuple(Kind), "SET": ("builtin", *KNOWN_SETS)}
    choices = tuple(map(str, known.get(name, tuple(FAMILIES) if parameter.name == "family" else ())))
    kind = KINDS.get(name, "")
    if not kind and name == "NAME":
        kind = "templates" if path.startswith("templates") else NAMES.get(parameter.name, "")
    if path == "models pull" and kind == "models":
        choices = tuple(offer.name for offer in RECOMMENDED_MODELS)
    if path == "eval fetch":
        choices = tuple(KNOWN_SETS)
    if path.startswith("completions") and name == "SHELL":
        choices = SHELLS
    return Value(kind, choices, many)


SHELLS = ("bash", "zsh", "fish")


def _sentence(text: str | None) -> str:
    """The first line of a help text without its full stop."""
    return " ".join((text or "").split("\n\n")[0].split()).rstrip(".")
