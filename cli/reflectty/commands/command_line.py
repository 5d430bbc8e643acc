"""The table of commands, and which of them a command line means: a peer's verb, a typo, or a question."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reflectty.commands.ask_options import ASK_OPTIONS
from reflectty.core.errors import UsageError
from reflectty.core.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


class CommandSpec(NamedTuple):
    """A command: its module, which has a function for it, and what help says of it."""

    module: str
    summary: str
    subcommands: tuple[str, ...] = ()
    """The names of its subcommands; then its function returns the app that has them."""
    function: str = ""
    """The function's name, if it is not the command's."""


COMMANDS = {
    "ask": CommandSpec("reflectty.commands.options", "Ask a question that starts with a command's name"),
    "batch": CommandSpec("reflectty.commands.batch", "Ask every line of a file"),
    "compare": CommandSpec("reflectty.commands.compare", "Ask one question in several ways, side by side"),
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
    "eval": CommandSpec(
        "reflectty.commands.evaluate",
        "Measure whether reflection helps, on your model and your questions",
        ("run", "list", "report", "regrade", "apply", "fetch", "path"),
        "evaluate",
    ),
    "last": CommandSpec("reflectty.commands.last", "Print the last answer again"),
    "models": CommandSpec(
        "reflectty.commands.models",
        "Manage the models on a server",
        ("list", "show", "pull", "create", "repair", "copy", "remove", "load", "unload"),
    ),
    "probe": CommandSpec("reflectty.commands.probe", "Tell what a correction of a reply is worth"),
    "sessions": CommandSpec(
        "reflectty.commands.sessions",
        "Read, search, export and manage saved sessions",
        ("list", "show", "search", "stats", "export", "import", "rename", "remove", "fork", "prune", "path"),
    ),
    "templates": CommandSpec(
        "reflectty.commands.templates",
        "Manage prompt templates, used with -t",
        ("list", "show", "edit", "remove", "path"),
    ),
}
"""The commands; only the module of the one asked for is imported."""

HELP, CHAT, RUN, COMPARE = "help", "chat", "run", "compare"
_COMPARE_FLAGS = ("--arms", "--models")
_QUOTED_WORDS = 2
"""`compare` and its quoted question; with more words it begins a sentence."""


class Verb(NamedTuple):
    """A peer's verb: the command that does the same, and how many words it takes; with others it is no such verb."""

    command: tuple[str, ...]
    fewest: int = 0
    most: int = 0


_PEER_VERBS = {
    "ls": Verb(("models", "list")),
    "list": Verb(("models", "list")),
    "ps": Verb(("models", "list")),
    "pull": Verb(("models", "pull"), most=1),
    "show": Verb(("models", "show"), most=1),
    "rm": Verb(("models", "remove"), most=2),
    "cp": Verb(("models", "copy"), most=2),
    "stop": Verb(("models", "unload"), fewest=1, most=1),
    "version": Verb(("ask", "--version")),
    CHAT: Verb(("ask",)),
}
"""The verbs of `ollama` and others that have an equal here."""
_HINTS = (
    (("serve", "start"), "reflect asks a server that runs: ollama serve starts one"),
    (("logs", "history"), "use reflect last, or reflect sessions"),
    (("new", "repl", "shell", "tui", "ui", CHAT), "reflect alone opens the chat"),
    (("prompt",), "leave it out, and quote the question"),
    (("prompts", "roles", "role"), "use reflect templates"),
    (("schemas",), "use --schema with a question"),
    (("fragments",), "use -f FILE with a question"),
    (("tools", "functions", "plugins", "mcp", "agents"), "reflect asks models, and runs no tools"),
    (("embed", "embed-models", "similar", "collections"), "reflect makes no embeddings"),
    (
        ("keys", "auth", "login", "logout", "signin", "signout", "whoami"),
        "set REFLECTTY_API_KEY, see reflect help config",
    ),
    (("aliases",), "reflect models copy MODEL NAME gives a model a second name, and so does a profile"),
    (("push",), "use ollama push"),
    (("download", "update", "upgrade"), "reflect models pull MODEL downloads or updates a model"),
    (("delete", "uninstall"), "use reflect models remove, or reflect sessions remove"),
    (("info", "status"), "use reflect doctor"),
    (("settings", "setup", "init"), "use reflect config"),
    ((RUN,), 'use reflect -m MODEL "…"'),
)
_HINT_BY_VERB = {verb: hint for verbs, hint in _HINTS for verb in verbs}
"""Verbs of peers that mean nothing here, and what to do instead."""
_SUBCOMMAND_VERBS = {"ls": "list", "rm": "remove", "delete": "remove", "cp": "copy", "mv": "rename", "cat": "show"}
"""What a subcommand may be called, too."""
_SUBCOMMAND_WORDS = frozenset(
    {"list", "ls", "get", "set", "show", "path", "add", "remove", "rm", "on", "off", "status"}
)
"""The subcommands that peers have below their verbs."""
_MODEL_NAME = r"[\w.-]*[\d:/][\w.:/-]*"
_SIMILARITY = 0.75
_VALUE_FLAGS = frozenset(flag for spec in ASK_OPTIONS.values() if spec.kind is not bool for flag in spec.flags)


class CommandLine(NamedTuple):
    """The command that is meant, and its arguments."""

    command: str
    arguments: list[str]


def interpret(words: list[str]) -> CommandLine:
    """Find the command that a command line means; anything that begins with no command's name is a question.

    Options before a command are its own. A verb of a peer is the command that does the same.

    Raises:
        UsageError: the first word is close to a command's name, or a verb that is another command here, or none.
    """
    at = next(_positions(words), None)
    if at is None:
        return CommandLine("ask", words)
    first, options, rest = words[at], words[:at], words[at + 1 :]
    if first in COMMANDS and not _is_sentence(words[at:]):
        return CommandLine(first, _with_options(_own_words(COMMANDS[first], rest), options))
    values = [rest[at] for at in _positions(rest)]
    if first == HELP and (known := _command_named(values)):
        return CommandLine(known[0], [*known[1:], "--help"])
    if first == RUN and values:
        return _run(words, options, rest)
    verb = _PEER_VERBS.get(first)
    if verb and verb.fewest <= len(values) <= verb.most:
        command, *subcommand = verb.command
        return CommandLine(command, [*subcommand, *_with_options(rest, options)])
    _refuse_verb(first, values)
    _refuse_near_command(first, values)
    return CommandLine("ask", words)


def _is_sentence(words: list[str]) -> bool:
    """Whether words that begin with `compare` are a question themselves: its own question is one quoted word."""
    has_own_option = any(word.partition("=")[0] in _COMPARE_FLAGS for word in words)
    return words[0] == COMPARE and not has_own_option and len(list(_positions(words))) > _QUOTED_WORDS


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


def _own_words(spec: CommandSpec, rest: list[str]) -> list[str]:
    """The arguments of a command with its own name for a subcommand, and `--help` for `help`."""
    places = list(_positions(rest))
    if not places:
        return rest
    at, word = places[0], rest[places[0]]
    if word == HELP and (len(places) == 1 or rest[places[1]] in spec.subcommands):
        return [*(rest[place] for place in places[1:2]), "--help"]
    name = _SUBCOMMAND_VERBS.get(word, word)
    return [*rest[:at], name, *rest[at + 1 :]] if name in spec.subcommands else rest


def _command_named(words: list[str]) -> tuple[str, ...]:
    """The command that words name, with its subcommand; `ask` for no words, and nothing if they name none."""
    if not words:
        return ("ask",)
    if words[0] in COMMANDS and (len(words) == 1 or words[1] in COMMANDS[words[0]].subcommands):
        return tuple(words)
    verb = _PEER_VERBS.get(words[0])
    return verb.command[: 1 + (verb.command[0] != "ask")] if verb and len(words) == 1 else ()


def _run(words: list[str], options: list[str], rest: list[str]) -> CommandLine:
    """Ask a model, or chat with it, as `ollama run` does.

    Raises:
        UsageError: the first word after it may be one of a sentence.
    """
    at = next(_positions(rest))
    model, question = rest[at], [*rest[:at], *rest[at + 1 :]]
    if re.fullmatch(_MODEL_NAME, model) or (len(rest) == at + 1 and model.isascii() and model.isalnum()):
        return CommandLine("ask", [*options, "-m", model, *question])
    raise _no_command(RUN, _HINT_BY_VERB[RUN], words[len(options) + 1 :])


def _refuse_verb(first: str, values: list[str]) -> None:
    """Refuse a verb of a peer and the name of a subcommand, unless a sentence begins with it.

    Raises:
        UsageError: it is one.
    """
    if len(values) > 1 and values[0] not in _SUBCOMMAND_WORDS:
        return
    groups = [name for name, spec in COMMANDS.items() if first in spec.subcommands]
    hint = _HINT_BY_VERB.get(first) or " or ".join(f"reflect {name} {first}" for name in groups)
    if hint or first in _PEER_VERBS:
        raise _no_command(first, hint or f"use reflect {' '.join(_PEER_VERBS[first].command)}", values)


def _refuse_near_command(first: str, values: list[str]) -> None:
    """Refuse a question that is probably a mistyped command: one word, or one with a subcommand or a model.

    Raises:
        UsageError: it is.
    """
    if not (first.islower() and first.isalpha()):
        return
    if not values:
        known = [*COMMANDS, HELP, RUN, *_PEER_VERBS]
    elif re.fullmatch(_MODEL_NAME, values[0]):
        known = [RUN, *_PEER_VERBS]
    else:
        known = [name for name, spec in COMMANDS.items() if values[0] in spec.subcommands]
    # A typo rarely changes the first letter, and many a word differs from a verb in it: how, what, patch.
    known = [name for name in known if name[0] == first[0] or sorted(name) == sorted(first)]
    known = [name for name in known if _has_similar_letters(first, name)]
    if not known:
        return
    import difflib

    if near := difflib.get_close_matches(first, known, 1, _SIMILARITY):
        raise _no_command(first, f"did you mean {near[0]}?", values)


def _has_similar_letters(word: str, name: str) -> bool:
    """Whether two words have enough letters in common to be similar: few questions have, and the rest start at once."""
    shared = min(len(word), len(name))
    wanted = _SIMILARITY * (len(word) + len(name)) / 2
    return shared >= wanted and sum(min(word.count(letter), name.count(letter)) for letter in set(name)) >= wanted


def _no_command(first: str, hint: str, values: list[str]) -> UsageError:
    return UsageError(
        f"reflect has no command {first!r}", f"{hint}{'' if hint.endswith('?') else ';'} {_anyway([first, *values])}"
    )


def _anyway(words: list[str]) -> str:
    import shlex

    return f"to ask it as a question: reflect ask {shlex.join(words)}"
