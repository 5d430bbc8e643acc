"""Where the user's shell looks for completions; makes nothing and starts no shell."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from reflectty.errors import UsageError


class Shell(StrEnum):
    """A shell that there are completions for."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"
    POWERSHELL = "powershell"


FILES = {
    Shell.BASH: "reflect.bash",
    Shell.ZSH: "_reflect",
    Shell.FISH: "reflect.fish",
    Shell.POWERSHELL: "reflect.ps1",
}
"""The script of each shell in the folder that is shipped."""


class Place(NamedTuple):
    """Where a script goes, and what is to be done there before the shell reads it."""

    path: Path
    start: Path | None = None
    """The file that the shell reads when it starts, where it does not find the script by itself."""
    lines: tuple[str, ...] = ()
    """What that file has to say."""


def own_shell() -> Shell:
    """Return the user's shell.

    Raises:
        UsageError: SHELL names none that there are completions for.
    """
    name = Path(os.environ.get("SHELL", "")).name
    known = {"pwsh": Shell.POWERSHELL, **{str(shell): shell for shell in Shell}}
    if name not in known:
        said = f"there are no completions for {name}" if name else "SHELL does not say which shell is yours"
        raise UsageError(said, f"--shell {'|'.join(Shell)} names one")
    return known[name]


def completion_place(shell: Shell) -> Place:
    """Return where a shell looks for the completions of a command.

    Raises:
        UsageError: there is no home.
    """
    data, settings = _folder("XDG_DATA_HOME", ".local/share"), _folder("XDG_CONFIG_HOME", ".config")
    if shell is Shell.BASH:
        own = os.environ.get("BASH_COMPLETION_USER_DIR", "").split(":")[0]
        return Place((Path(own) if own else data / "bash-completion") / "completions" / "reflect")
    if shell is Shell.FISH:
        return Place(settings / "fish" / "completions" / "reflect.fish")
    if shell is Shell.ZSH:
        home = Path(os.environ.get("ZDOTDIR", "") or _home())
        lines = (f"fpath=({as_word(home / '.zfunc')} $fpath)", "autoload -Uz compinit && compinit")
        return Place(home / ".zfunc" / "_reflect", home / ".zshrc", lines)
    path = settings / "powershell" / "reflect.ps1"
    doubled = str(path).replace("'", "''")
    return Place(path, path.with_name("Microsoft.PowerShell_profile.ps1"), (f". '{doubled}'",))


def as_word(path: Path) -> str:
    """Return a path as bash, zsh and fish read it; the home folder is a tilde."""
    from shlex import quote  # noqa: PLC0415 - only who installs writes lines for a shell

    try:
        return f"~/{quote(str(path.relative_to(_home())))}"
    except ValueError:
        return quote(str(path))


def _folder(variable: str, under_home: str) -> Path:
    base = os.environ.get(variable, "")
    return Path(base) if base.startswith("/") else _home() / under_home


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError as error:
        raise UsageError("there is no home folder", "set HOME") from error
