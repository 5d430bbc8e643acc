"""The tree of the command as the data of a script: for bash and zsh, which share it, and for fish."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from completions.tree import Command, Value

HERE = Path(__file__).parent
FILES = {"bash": "reflect.bash", "zsh": "_reflect", "fish": "reflect.fish"}
"""The script of each shell."""


def written(shell: str, tree: tuple[Command, ...]) -> str:
    """The script of a shell."""
    text = (HERE / f"template{Path(FILES[shell]).suffix or '.zsh'}").read_text("utf-8")
    return text.replace("# DATA\n", "\n".join(WRITERS[shell](tree)) + "\n")


def _taking(command: Command) -> Iterable[tuple[tuple[str, ...], Value]]:
    return ((option.flags, option.value) for option in command.options if option.value is not None)


def _pairs(command: Command) -> list[tuple[str, str]]:
    return [(flag, option.about) for option in command.options for flag in option.flags]


def _flat(pairs: Iterable[tuple[str, str]], quote: Callable[[str], str]) -> str:
    return " ".join(quote(text) for pair in pairs for text in pair)


def posix(tree: tuple[Command, ...]) -> Iterable[str]:
    """Yield two functions that bash and zsh read alike."""
    quote = shlex.quote
    yield "_reflect_about() {"
    yield "    subcommands=() default='' options=() places=()"
    yield "    case $1 in"
    for one in tree:
        yield f"    {quote(one.path)})"
        yield f"        subcommands=({_flat(one.subcommands, quote)})"
        yield f"        default={quote(one.default)}"
        yield f"        options=({_flat(_pairs(one), quote)})"
        yield f"        places=({' '.join(quote(value.kind + '*' * value.many) for value in one.places)})"
        yield "        ;;"
    yield from ("    esac", "}", "", "_reflect_value() {", "    kind='' choices=()", "    case $1 in")
    for one in tree:
        for flags, value in _taking(one):
            names = "|".join(quote(f"{one.path} {flag}") for flag in flags)
            yield f"    {names}) kind={quote(value.kind)} choices=({' '.join(map(quote, value.choices))}) ;;"
        for number, value in enumerate(one.places):
            if value.choices:
                name = quote(f"{one.path} {number}")
                yield f"    {name}) kind={quote(value.kind)} choices=({' '.join(map(quote, value.choices))}) ;;"
    yield from ("    *) return 1 ;;", "    esac", "}")


def fish(tree: tuple[Command, ...]) -> Iterable[str]:
    quote = _fish_quoted
    yield "function __reflect_about"
    yield "    set -g __reflect_subcommands; set -g __reflect_default ''"
    yield "    set -g __reflect_options; set -g __reflect_places"
    yield "    switch $argv[1]"
    for one in tree:
        yield f"        case {quote(one.path)}"
        yield f"            set -g __reflect_subcommands {_flat(one.subcommands, quote)}".rstrip()
        yield f"            set -g __reflect_default {quote(one.default)}"
        yield f"            set -g __reflect_options {_flat(_pairs(one), quote)}"
        yield f"            set -g __reflect_places {' '.join(quote(v.kind + '*' * v.many) for v in one.places)}".rstrip()
    yield from ("    end", "end", "", "function __reflect_value")
    yield from ("    set -g __reflect_kind ''; set -g __reflect_choices", "    switch $argv[1]")
    for one in tree:
        rows = [([f"{one.path} {flag}" for flag in flags], value) for flags, value in _taking(one)]
        rows += [([f"{one.path} {number}"], value) for number, value in enumerate(one.places) if value.choices]
        for names, value in rows:
            yield f"        case {' '.join(map(quote, names))}"
            yield f"            set -g __reflect_kind {quote(value.kind)}"
            yield f"            set -g __reflect_choices {' '.join(map(quote, value.choices))}".rstrip()
    yield from ("        case '*'", "            return 1", "    end", "    return 0", "end")


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


WRITERS: dict[str, Callable[[tuple[Command, ...]], Iterable[str]]] = {
    "bash": posix,
    "zsh": posix,
    "fish": fish,
}
