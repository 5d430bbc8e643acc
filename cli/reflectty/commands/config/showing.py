"""`reflect config show|path`: what is set, by whom, and where the file is; the key itself is never said."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import typer  # noqa: TC002 - Typer reads the annotations when the command runs

from reflectty import config
from reflectty.chat import Timeouts
from reflectty.commands.arguments import Profile, decoded
from reflectty.commands.chat import DEFAULT_HOSTS
from reflectty.commands.output import AsJson, paged
from reflectty.config.explaining import Explained, explained
from reflectty.config.loading import Origin
from reflectty.config.templates import template_names
from reflectty.safety import clean_line

if TYPE_CHECKING:
    from reflectty.terminal import Terminal

SECRETS = frozenset({"api_key", "cluster_key"})
"""What is never shown, only that it is there."""
UNSET = {
    "model": "the best one installed",
    "effort": "as the model does",
    "family": "by the model",
    "keep_alive": "as the server does",
    "thinking": "as chosen in the chat",
    "keys": "the usual ones",
}
"""What holds where nobody said anything; for the rest it is nothing."""
_PASSWORD = re.compile(r"(?<=:)[^:@/]*(?=@)")


def show(context: typer.Context, profile: Profile = "", as_json: AsJson = False) -> None:
    """Show every setting, its value, and where it comes from.

    The strongest word last: defaults, the file, a profile that the file or REFLECTTY_PROFILE names, the environment,
    a profile named with --profile, other flags.
    """
    terminal: Terminal = context.obj
    found = tuple(map(_discreet, (*explained(profile=decoded(profile)), *_tables())))
    unset = UNSET | {"host": DEFAULT_HOSTS[next(str(one.value) for one in found if one.key == "engine")]}
    if as_json:
        from reflectty.exporting.json import written  # noqa: PLC0415 - each form loads only itself

        terminal.out.write(written([_as_object(one) for one in found]))
        return
    from reflectty.render.settings import settings_rows  # noqa: PLC0415

    page = paged(terminal)
    page.write(
        settings_rows([(one.key, _words(one) or unset.get(one.key, "none"), _origin(one)) for one in found], page)
    )


def path(context: typer.Context) -> None:
    """Print where the file of the settings is; it may not exist."""
    terminal: Terminal = context.obj
    terminal.out.write(f"{clean_line(str(config.config_path()), 4096)}\n")


def _tables() -> tuple[Explained, ...]:
    """Return what there is to choose from."""
    profiles, templates = config.profile_names(), template_names()
    return (
        Explained("profiles", profiles, Origin.FILE if profiles else Origin.DEFAULT),
        Explained("templates", templates, Origin.FILE if templates else Origin.DEFAULT),
    )


def _discreet(one: Explained) -> Explained:
    """Return the same without what nobody is to read over a shoulder."""
    if one.key in SECRETS:
        return one._replace(value=bool(one.value))
    if one.key == "host":
        return one._replace(value=_PASSWORD.sub("***", str(one.value)))
    if one.key == "hosts" and isinstance(one.value, tuple):
        return one._replace(value=tuple(_PASSWORD.sub("***", host) for host in one.value))
    return one


def _as_object(one: Explained) -> dict[str, Any]:
    value = one.value._asdict() if isinstance(one.value, Timeouts) else one.value
    return {"key": one.key, "value": value, "from": str(one.origin), "name": one.whose or None}


def _words(one: Explained) -> str:
    """Return a value for a reader; nothing where there is none."""
    if one.key in SECRETS:
        return "set, and not shown" if one.value else "not set"
    if isinstance(one.value, bool):
        return str(one.value).lower()
    if isinstance(one.value, Timeouts):
        return ",".join(f"{part}={seconds:g}" for part, seconds in one.value._asdict().items())
    return ", ".join(map(str, one.value)) if isinstance(one.value, tuple) else str(one.value)


def _origin(one: Explained) -> str:
    return f"{one.origin} ({one.whose})" if one.whose else str(one.origin)
