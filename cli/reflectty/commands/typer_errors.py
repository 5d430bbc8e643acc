"""Words Typer's errors as ours: what is wrong with a command line, and the option, value or command that was meant."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from typer._click.exceptions import BadOptionUsage, BadParameter, MissingParameter, NoSuchOption

from reflectty.commands.command_line import COMMANDS
from reflectty.commands.help_page import EXAMPLES
from reflectty.core.errors import UsageError, did_you_mean
from reflectty.core.options import OPTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from typer._click.core import Context
    from typer._click.exceptions import ClickException

_PLAIN_WORDS = (
    (r"is not a valid int(eger)?( range)?", "is not a whole number"),
    (r"is not a valid float( range)?", "is not a number"),
    (r"is not in the range (\d+)<=x<=(\d+)", r"is not between \1 and \2"),
    (r"is not in the range x>=(\d+)", r"is less than \1"),
)
_ASK = "reflect"
_OPTION_HINTS = (
    (("--think",), "--effort low|medium|high|max sets how much the model thinks, --mode direct turns it off"),
    (("--hidethinking", "--hide-thinking"), "use --no-thinking"),
    (("-v", "-V"), "--version prints the version, --stats the statistics of a reply"),
    (("--verbose", "-u", "--usage"), "--stats prints the statistics of a reply"),
    (("--temp",), "use -o temperature=VALUE"),
    (("--role", "-r"), "-t NAME uses a template"),
    (("--chat", "--cid", "--conversation", "--title"), "use --session NAME"),
    (("--attachment", "-a", "-i"), "use -f FILE or --image FILE"),
    (("--fragment", "--url"), "use -f FILE"),
    (("--extract", "--extract-last", "--xl"), "use -x"),
    (("--prompt", "-p"), "quote the question instead"),
    (("--no-stream",), "--final prints the answer alone"),
    (("--no-cache", "--cache"), "no answer is ever cached"),
    (("--key", "--api-key"), "set REFLECTTY_API_KEY"),
    (("--output", "-O"), "use > FILE"),
    (("--format",), "use --json, or --schema"),
    (("--list", "--list-models"), "use reflect models"),
)
_HINT_BY_OPTION = {option: hint for options, hint in _OPTION_HINTS for option in options}
"""Options of `ollama`, `llm`, `aichat`, `mods` and `sgpt` that a question has not, and what to use instead."""
_HINT_BY_SHORT_OPTION = {
    "-o": ("--output", "-o is a model option of a question; use --output FILE"),
    "-f": ("--format", "-f is a file to ask about; use --format FORMAT"),
}
"""Short options that mean one thing in every command, each with the long one that may be meant where it is refused."""
_HINT_BY_VALUE = {
    ("--effort", "none"): "--mode direct turns the thinking off",
    ("--effort", "off"): "--mode direct turns the thinking off",
}


def usage_error_from(error: ClickException, program: str, arguments: list[str]) -> UsageError:
    """The error of the user that an error of Typer is about.

    Args:
        error: an error of Typer's copy of Click.
        program: the command, such as `reflect models`.
        arguments: its arguments.
    """
    context = getattr(error, "ctx", None)
    path = context.command_path if context else program
    help_hint = f"see {path} --help"
    if isinstance(error, NoSuchOption):
        return _unknown_option(error.option_name, path, context)
    if isinstance(error, MissingParameter):
        return UsageError(f"{path} needs {_name_of(error).strip('.')}", _example(path) or help_hint)
    if isinstance(error, BadParameter):
        return _bad_value(error, help_hint)
    if isinstance(error, BadOptionUsage):
        verb = "takes no value" if "not take" in error.message else "needs a value"
        return UsageError(f"{error.option_name} {verb}", help_hint)
    return _surplus_words(error.message.rstrip("."), path, program, arguments, help_hint)


def _example(path: str) -> str:
    examples = EXAMPLES.get(path.removeprefix(_ASK).strip(), ())
    return f"for example: {examples[0][0]}" if examples else ""


def _unknown_option(name: str, path: str, context: Context | None) -> UsageError:
    known = {flag for parameter in context.command.get_params(context) for flag in parameter.opts} if context else set()
    option = name.lstrip("-").replace("-", "_")
    hint = _HINT_BY_OPTION.get(name, "") if "--final" in known else ""
    meant, why = _HINT_BY_SHORT_OPTION.get(name, ("", ""))
    hint = why if meant in known else hint
    if not hint and "--option" in known and option in OPTIONS:
        hint = f"use -o {option}=VALUE"
    return UsageError(f"{path} has no option {name}", hint or did_you_mean(name, _long(known)) or f"see {path} --help")


def _long(flags: Iterable[str]) -> list[str]:
    return [flag for flag in flags if flag.startswith("--")]


def _name_of(error: BadParameter) -> str:
    """The long flag of an option, or the placeholder of an argument."""
    if error.param is None or error.ctx is None:
        return "a value"
    return next(iter(_long(error.param.opts)), "") or error.param.make_metavar(error.ctx)


def _bad_value(error: BadParameter, help_hint: str) -> UsageError:
    """The error of a value that an option or argument cannot have."""
    name, text = _name_of(error), error.message.rstrip(".")
    if value := re.fullmatch(r"'(.*)' is not one of (.*)", text):
        choices = value[2].replace("'", "")
        return UsageError(
            f"{name} has no value {value[1]!r}", _HINT_BY_VALUE.get((name, value[1]), f"choose from {choices}")
        )
    for pattern, words in _PLAIN_WORDS:
        text = re.sub(pattern, words, text)
    return UsageError(f"{name}: {text}", help_hint)


def _surplus_words(text: str, path: str, program: str, arguments: list[str], help_hint: str) -> UsageError:
    """The error of words that are no subcommand and no argument of a command: perhaps they are a question."""
    name = program.removeprefix(_ASK).strip()
    question = f"if it is a question: reflect ask {shlex.join((name, *arguments))}" if path == program and name else ""
    if unknown := re.match(r"No such command '(.*?)'", text):
        subcommands = COMMANDS[name].subcommands
        near = did_you_mean(unknown[1], subcommands)
        hint = f"{near} {question}" if near else f"choose from {', '.join(subcommands)}; {question}"
        return UsageError(f"{path} has no command {unknown[1]!r}", hint)
    if extra := re.match(r"Got unexpected extra argument\(s\) \((.*)\)", text):
        return UsageError(f"{path} does not take {extra[1]!r}", question or help_hint)
    return UsageError(text, help_hint)
