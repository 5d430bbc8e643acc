"""Parses slash commands and lists what the composer can complete."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from reflectty.config import profile_names
from reflectty.config.load import NO_PROFILE
from reflectty.config.templates import template_names
from reflectty.core.errors import UsageError, did_you_mean
from reflectty.core.messages import Effort
from reflectty.core.named_tuple import NamedTuple
from reflectty.reasoning.modes import Mode
from reflectty.tui.composer.completion import SlashCommand
from reflectty.view.parts import ThinkingView

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from reflectty.tui.actions.action import Action

_COMMAND_PATTERN = re.compile(r"/([a-z]+)(?:\s.*)?", re.DOTALL)


class TypedCommand(NamedTuple):
    """A typed command: its action's name, and its argument."""

    name: str
    argument: str


def parse_command(text: str, actions: Iterable[Action]) -> TypedCommand | None:
    """Parse a text as a command; None for a question, including a path and a text with a leading blank.

    Raises:
        UsageError: there is no such command, or it takes no argument.
    """
    command = _COMMAND_PATTERN.fullmatch(text.rstrip())
    if command is None:
        return None
    words = " ".join(text.split())
    by_slash = {action.slash: action for action in actions if action.slash}
    found = [slash for slash in by_slash if f"{words} ".startswith(f"{slash} ")]
    if not found:
        hint = f"{did_you_mean(f'/{command[1]}', by_slash) or 'f1 lists them'}; a leading space sends it as a question"
        raise UsageError(f"unknown command /{command[1]}", hint)
    action = by_slash[max(found, key=len)]
    rest = re.sub(r"\S+\s*", "", text, count=len(action.slash.split())).rstrip()
    if rest and not action.argument:
        raise UsageError(f"{action.slash} takes no argument")
    return TypedCommand(action.name, rest)


def commands_of(actions: Iterable[Action]) -> tuple[SlashCommand, ...]:
    """The commands that the composer can complete."""
    return tuple(
        SlashCommand(action.slash.removeprefix("/"), action.argument, action.label, action.argument == "PATH")
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
