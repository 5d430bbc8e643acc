"""The manual pages of the command, in roff: its help and its examples, and the tables of the README."""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from completions.tree import assembled
from reflectty import __version__
from reflectty.commands.ask_options import ASK_OPTIONS, OTHER_GROUP
from reflectty.commands.command_line import COMMANDS
from reflectty.commands.help_page import EXAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

README = Path(__file__).parents[2] / "README.md"
PROGRAM = "reflect"
SUMMARY = "a terminal assistant for reflection models"
FILES = {
    "~/.config/reflectty/config.toml": "The settings; below $XDG_CONFIG_HOME if that is set.",
    "~/.config/reflectty/templates": "Your templates.",
    "~/.config/reflectty/themes": "Your themes.",
    "~/.local/share/reflectty/sessions.db": "The sessions; below $XDG_DATA_HOME if that is set.",
    "~/.local/state/reflectty": "What is remembered between runs; below $XDG_STATE_HOME if that is set.",
    "~/.cache/reflectty": "The weights of the built-in model; below $XDG_CACHE_HOME if that is set.",
}
"""A user's files, each with its contents."""


def pages() -> dict[str, str]:
    """Every page by the name of its file: one for questions, one for each command."""
    return {file_of(name): _page(name, tuple(COMMANDS)) for name in COMMANDS}


def file_of(command: str) -> str:
    """The file name of a command's page."""
    return f"{_title_of(command)}.1"


def exit_codes() -> list[tuple[str, ...]]:
    """The exit codes with their meanings."""
    return list(_readme_rows("exit code"))


def variables() -> list[tuple[str, ...]]:
    """The environment variables with their settings."""
    return [(names, about) for _, names, about in _readme_rows("in the file") if names]


def _readme_rows(head: str) -> Iterator[tuple[str, ...]]:
    """Yield the rows of the README's table whose first column has this head, without markup."""
    table = README.read_text("utf-8").split(f"\n| {head} |")[1].split("\n\n")[0]
    for row in table.splitlines()[2:]:
        yield tuple(_plain(cell.strip()) for cell in row.strip("|").split("|"))


def _plain(text: str) -> str:
    return re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text).replace("`", "").replace("*", "")


def _title_of(command: str) -> str:
    return PROGRAM if command == "ask" else f"{PROGRAM}-{command}"


def _page(name: str, commands: tuple[str, ...]) -> str:
    title = _title_of(name)
    others = [f".BR {_roff(_title_of(other))} (1)" for other in commands if other != name]
    lines = (
        r".\" Written by tests/completions/update.py",
        f'.TH {_roff(title.upper())} 1 "" "reflectty {__version__}" "User Commands"',
        ".SH NAME",
        f"{_roff(title)} \\- {_roff(_summary_of(name))}",
        *_command(name),
        ".SH EXAMPLES",
        *_examples("" if name == "ask" else name),
        ".SH EXIT STATUS",
        *_terms(exit_codes()),
        ".SH ENVIRONMENT",
        *_terms(variables()),
        ".SH FILES",
        *_terms(FILES.items()),
        ".SH SEE ALSO",
        ",\n".join(others),
    )
    return "\n".join(lines) + "\n"


def _summary_of(name: str) -> str:
    summary = SUMMARY if name == "ask" else COMMANDS[name].summary
    return summary[0].lower() + summary[1:]


def _command(name: str) -> Iterator[str]:
    command = assembled(name)
    context = _context(command, PROGRAM if name == "ask" else f"{PROGRAM} {name}")
    yield from (".SH SYNOPSIS", f"\\fB{_roff(context.command_path)}\\fR {_usage(command, context)}")
    yield from (".SH DESCRIPTION", *_paragraphs(command.help))
    if name == "ask":
        yield from (".SH COMMANDS", *_terms((f"{PROGRAM} {one}", COMMANDS[one].summary) for one in COMMANDS))
    below = getattr(command, "commands", {})
    yield ".SH COMMANDS" if below else ".SH OPTIONS"
    for word, subcommand in below.items():
        yield from _subcommand(subcommand, _context(subcommand, f"{PROGRAM} {name} {word}"))
    if not below:
        yield from _options(command, context, in_groups=name == "ask")


def _subcommand(command: Any, context: Any) -> Iterator[str]:
    yield f".SS {_roff(context.command_path)} {_usage(command, context)}"
    yield from _paragraphs(command.help)
    yield from _options(command, context)
    yield from (".PP", *_examples(context.command_path.removeprefix(f"{PROGRAM} ")))


def _context(command: Any, name: str) -> Any:
    return command.context_class(command, info_name=name, **command.context_settings)


def _usage(command: Any, context: Any) -> str:
    return _roff(" ".join(command.collect_usage_pieces(context)))


def _options(command: Any, context: Any, *, in_groups: bool = False) -> Iterator[str]:
    """Yield the arguments and options; those of a question in their groups."""
    for group, members in groupby(command.get_params(context), _group_of if in_groups else lambda _: ""):
        if group:
            yield f".SS {_roff(group)}"
        yield from _terms(record for one in members if (record := one.get_help_record(context)))


def _group_of(parameter: Any) -> str:
    return ASK_OPTIONS[parameter.name].group if parameter.name in ASK_OPTIONS else OTHER_GROUP


def _examples(path: str) -> Iterator[str]:
    for number, (line, purpose) in enumerate(EXAMPLES[path]):
        if number:
            yield ".PP"
        yield from (f"{_roff(purpose[0].upper() + purpose[1:])}:", ".RS 4", ".EX", _roff(line), ".EE", ".RE")


def _terms(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    for term, about in rows:
        yield from (".TP", f"\\fB{_roff(term)}\\fR", _roff(" ".join(about.split())))


def _paragraphs(text: str | None) -> Iterator[str]:
    for number, part in enumerate((text or "").split("\n\n")):
        if number:
            yield ".PP"
        yield _roff(" ".join(part.split()))


def _roff(text: str) -> str:
    """A line that roff prints as it stands: no escape, no request, and ASCII for every formatter."""
    escaped = text.replace("\\", r"\e").replace("-", r"\-")
    escaped = "".join(char if char.isascii() else f"\\[u{ord(char):04X}]" for char in escaped)
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped
