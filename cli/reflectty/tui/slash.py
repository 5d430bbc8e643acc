"""Slash commands: which action one names and what follows it, and what can be completed; does nothing with them."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from reflectty.chat import Effort
from reflectty.config import near, profile_names
from reflectty.config.profiles import NO_PROFILE
from reflectty.config.templates import template_names
from reflectty.errors import UsageError
from reflectty.modes import Mode
from reflectty.tui.completing import Command
from reflectty.tui.parts.part import View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from reflectty.tui.keys import Action

_PATHS = ("attach", "save")
_COMMAND = re.compile(r"/([a-z]+)(?:\s.*)?", re.DOTALL)


class Typed(NamedTuple):
    """A command that was typed: its action's name, and what follows it."""

    name: str
    rest: str


def typed(text: str, actions: Iterable[Action]) -> Typed | None:
    """Return the command that a text is, or nothing where it is a question; a path or a leading blank makes it one.

    Raises:
        UsageError: there is no such command, or it takes nothing.
    """
    command = _COMMAND.fullmatch(text.rstrip())
    if command is None:
        return None
    words = " ".join(text.split())
    by_slash = {action.slash: action for action in actions if action.slash}
    found = [slash for slash in by_slash if f"{words} ".startswith(f"{slash} ")]
    if not found:
        hint = f"{near(f'/{command[1]}', by_slash) or 'f1 lists them'}; a blank before it makes it a question"
        raise UsageError(f"there is no command /{command[1]}", hint)
    action = by_slash[max(found, key=len)]
    rest = re.sub(r"\S+\s*", "", text, count=len(action.slash.split())).rstrip()
    if rest and not action.takes:
        raise UsageError(f"{action.slash} takes nothing, not {rest!r}")
    return Typed(action.name, rest)


def commands(actions: Iterable[Action]) -> tuple[Command, ...]:
    """Return what the composer can complete."""
    return tuple(
        Command(action.slash.removeprefix("/"), action.takes, action.label, action.name in _PATHS)
        for action in actions
        if action.slash
    )


def choices(models: Sequence[str], themes: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """Return the values that commands can be given, by the command; the settings are asked which there are."""
    return {
        "model": models,
        "mode": tuple(Mode),
        "effort": tuple(Effort),
        "theme": themes,
        "thinking": tuple(View),
        "profile": (*_named(profile_names), NO_PROFILE),
        "template": _named(template_names),
    }


def _named(names: Callable[[], tuple[str, ...]]) -> tuple[str, ...]:
    # Settings that cannot be used are told of when something of them is wanted.
    with suppress(UsageError):
        return names()
    return ()
