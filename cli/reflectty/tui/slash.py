"""Parses slash commands and lists what the composer can complete."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from reflectty.config import profile_names
from reflectty.config.load import NO_PROFILE
from reflectty.config.templates import template_names
from reflectty.core.errors import UsageError
from reflectty.core.messages import Effort
from reflectty.core.named_tuple import NamedTuple
from reflectty.reasoning.modes import Mode
from reflectty.tui.composer.completion import SlashCommand
from reflectty.view.parts import ThinkingView

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from reflectty.tui.actions.action import Action

_COMMAND_PATTERN = re.compile(r"(/[a-z]+|/?\?)(\s.*)?", re.DOTALL | re.IGNORECASE)
_SET = re.compile(r"/set\s+(?:parameter\s+)?([^\s=]+)(?:\s*=\s*|\s+|$)(.*)", re.DOTALL | re.IGNORECASE)
_SIMILARITY = 0.7
"""How similar a command must be to be suggested for a mistyped one; 1 is equal."""


class TypedCommand(NamedTuple):
    """A typed command: its action's name, and its argument."""

    name: str
    argument: str


def parse_command(text: str, actions: Iterable[Action]) -> TypedCommand | None:
    """Parse a text as a command, in our words or those of `ollama run`; None for a question.

    A path and a text with a leading blank are questions.

    Raises:
        UsageError: there is no such command, or it takes no argument.
    """
    text = _translate(text.rstrip())
    command = _COMMAND_PATTERN.fullmatch(text)
    if command is None:
        return None
    words = " ".join((command[1].lower(), *(command[2] or "").split()))
    by_slash = {slash: action for action in actions for slash in (action.slash, *action.aliases) if slash}
    found = [slash for slash in by_slash if f"{words} ".startswith(f"{slash} ")]
    if not found:
        raise UsageError(f"unknown command {command[1]}", _hint_at(words, by_slash))
    slash = max(found, key=len)
    action = by_slash[slash]
    rest = re.sub(r"\S+\s*", "", text, count=len(slash.split()))
    if rest and not action.argument:
        raise UsageError(f"{slash} takes no argument")
    return TypedCommand(action.name, rest)


def _translate(text: str) -> str:
    """The command for one of `ollama run` that is written in another way, else the text as it is.

    Raises:
        UsageError: it sets what is no setting here.
    """
    words = text.lower().split()[:2]
    if words[:1] == ["/show"]:
        return "/system" if words[1:] == ["system"] else "/models"
    wanted = _SET.fullmatch(text)
    if words[:1] != ["/set"] or wanted is None:
        return "/option" if words == ["/set"] else text
    name, value = wanted[1].lower(), wanted[2]
    if name in _NO_SETTINGS:
        raise UsageError(f"there is no /set {name} here", _NO_SETTINGS[name])
    if name == "think":
        return f"/effort {value}" if value in set(Effort) else "/mode native"
    if name == "nothink":
        return "/mode direct"
    return f"/system {value}" if name == "system" else f"/option {wanted[1]}={value}"


_ALWAYS_ON = "it is always so"
_NO_SETTINGS = {
    "verbose": "each reply shows its tokens and seconds",
    "quiet": "/thinking off hides the thinking",
    "history": _ALWAYS_ON,
    "nohistory": "reflect --no-store keeps nothing",
    "wordwrap": _ALWAYS_ON,
    "nowordwrap": "/copy gives the answer as it was written",
    "format": "reflect --schema asks for JSON",
    "noformat": _ALWAYS_ON,
}
"""What `ollama run` sets and the chat does not, and what to do instead."""


def _hint_at(words: str, names: Iterable[str]) -> str:
    """A hint at commands that begin like a mistyped one or are similar to it."""
    from difflib import get_close_matches

    plain = {name.removeprefix("/"): name for name in names}
    typed = words.split(maxsplit=1)[0].removeprefix("/")
    begun = [name for name in plain if len(typed) > 1 and name.startswith(typed)]
    similar = begun or get_close_matches(typed, plain, n=2, cutoff=_SIMILARITY)
    meant = f"did you mean {' or '.join(plain[name] for name in similar[:2])}?" if similar else "/help lists them"
    return f"{meant} A leading space sends it as a question"


def commands_of(actions: Iterable[Action]) -> tuple[SlashCommand, ...]:
    """The commands that the composer can complete."""
    return tuple(
        SlashCommand(
            action.slash.removeprefix("/"),
            action.argument,
            action.label,
            action.argument == "PATH",
            tuple(alias.removeprefix("/") for alias in action.aliases if len(alias) > len("/q")),
        )
        for action in actions
        if action.slash
    )


def argument_choices(models: Sequence[str], themes: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """The possible arguments of commands, by command; reads the settings for profiles and templates."""
    return {
        "model": models,
        "mode": tuple(Mode),
        "effort": tuple(Effort),
        "theme": themes,
        "thinking": tuple(ThinkingView),
        "profile": (*_names_or_none(profile_names), NO_PROFILE),
        "template": _names_or_none(template_names),
    }


def _names_or_none(names: Callable[[], tuple[str, ...]]) -> tuple[str, ...]:
    # Invalid settings are reported on use.
    with suppress(UsageError):
        return names()
    return ()
