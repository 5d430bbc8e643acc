"""`reflect completions install|show|path`: installs the completion script where the shell looks for it."""

from __future__ import annotations

import os
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from reflectty.commands.console import ShowByDefault, make_group
from reflectty.core.errors import OutputError, UsageError
from reflectty.core.safety import clean_line
from reflectty.output import write_remark
from reflectty.system import assets

if TYPE_CHECKING:
    from collections.abc import Callable

    from reflectty.system.terminal import Terminal


class Shell(StrEnum):
    """A shell that there are completions for."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"
    POWERSHELL = "powershell"


SCRIPT_FILES = {
    Shell.BASH: "reflect.bash",
    Shell.ZSH: "_reflect",
    Shell.FISH: "reflect.fish",
    Shell.POWERSHELL: "reflect.ps1",
}
"""The script of each shell in the folder that is shipped."""


class CompletionFile(NamedTuple):
    """Where a script goes, and what is to be done there before the shell reads it."""

    path: Path
    startup_file: Path | None = None
    """The file that the shell reads when it starts, where it does not find the script by itself."""
    startup_lines: tuple[str, ...] = ()
    """What that file has to say."""


def detect_shell() -> Shell:
    """Return the user's shell.

    Raises:
        UsageError: SHELL names none that there are completions for.
    """
    name = Path(os.environ.get("SHELL", "")).name
    known = {"pwsh": Shell.POWERSHELL, **{str(shell): shell for shell in Shell}}
    if name not in known:
        said = f"no completions for {name}" if name else "cannot tell your shell from SHELL"
        raise UsageError(said, f"choose one with --shell {'|'.join(Shell)}")
    return known[name]


def completion_file_of(shell: Shell) -> CompletionFile:
    """Return where a shell looks for the completions of a command.

    Raises:
        UsageError: there is no home.
    """
    data, settings = _xdg_folder("XDG_DATA_HOME", ".local/share"), _xdg_folder("XDG_CONFIG_HOME", ".config")
    if shell is Shell.BASH:
        own = os.environ.get("BASH_COMPLETION_USER_DIR", "").split(":")[0]
        return CompletionFile((Path(own) if own else data / "bash-completion") / "completions" / "reflect")
    if shell is Shell.FISH:
        return CompletionFile(settings / "fish" / "completions" / "reflect.fish")
    if shell is Shell.ZSH:
        home = Path(os.environ.get("ZDOTDIR", "") or _home())
        lines = (f"fpath=({quote_path(home / '.zfunc')} $fpath)", "autoload -Uz compinit && compinit")
        return CompletionFile(home / ".zfunc" / "_reflect", home / ".zshrc", lines)
    path = settings / "powershell" / "reflect.ps1"
    doubled = str(path).replace("'", "''")
    return CompletionFile(path, path.with_name("Microsoft.PowerShell_profile.ps1"), (f". '{doubled}'",))


def quote_path(path: Path) -> str:
    """Return a path as bash, zsh and fish read it; the home folder is a tilde."""
    from shlex import quote

    try:
        return f"~/{quote(str(path.relative_to(_home())))}"
    except ValueError:
        return quote(str(path))


def _xdg_folder(variable: str, under_home: str) -> Path:
    base = os.environ.get(variable, "")
    return Path(base) if base.startswith("/") else _home() / under_home


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError as error:
        raise UsageError("no home folder found", "set HOME") from error


ShellOption = Annotated[Shell | None, typer.Option("--shell", help="The shell.", show_default="from $SHELL")]
ShellArgument = Annotated[
    Shell | None, typer.Argument(metavar="[SHELL]", help="The shell (default: from $SHELL).", show_default=False)
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite a file that reflect did not write.")]
SCRIPT_MARK = "Completions of reflect for "
"""What a script of ours says in its first lines."""
UNTESTED_NOTE = "the PowerShell script is untested"


def install(context: typer.Context, shell: ShellOption = None, force: Force = False) -> None:
    """Install the completions where the shell looks for them."""
    from reflectty.export.files import save_text

    terminal: Terminal = context.obj
    chosen = shell or detect_shell()
    place = completion_file_of(chosen)
    _make_folder(place.path.parent)
    save_text(_read_script(chosen), place.path, force=force or _is_own_script(place.path))
    write_remark(terminal, f"installed the completions for {chosen} in {place.path}")
    write_remark(terminal, _remaining_step_of(chosen, place))
    if chosen is Shell.POWERSHELL:
        write_remark(terminal, UNTESTED_NOTE)


def show(context: typer.Context, shell: ShellArgument = None) -> None:
    """Print the completion script of a shell."""
    terminal: Terminal = context.obj
    terminal.out.write(_read_script(shell or detect_shell()))


def path_(context: typer.Context, shell: ShellArgument = None) -> None:
    """Print the path of the completion script; the file may not exist."""
    terminal: Terminal = context.obj
    terminal.out.write(f"{clean_line(str(completion_file_of(shell or detect_shell()).path), 4096)}\n")


def _read_script(shell: Shell) -> str:
    try:
        return (assets.find_asset_folder("completions") / SCRIPT_FILES[shell]).read_text("utf-8")
    except OSError as error:
        raise OutputError(
            f"the completions for {shell} are missing from the installation", "reinstall reflectty"
        ) from error


def _is_own_script(path: Path) -> bool:
    with suppress(OSError, ValueError), path.open(encoding="utf-8") as file:
        return SCRIPT_MARK in file.read(400)
    return False


def _remaining_step_of(shell: Shell, place: CompletionFile) -> str:
    """Return what is still to be done before the shell completes."""
    if shell is Shell.BASH:
        return f"open a new shell to use them; without bash-completion, add to ~/.bashrc: . {quote_path(place.path)}"
    if place.startup_file is None:
        return "open a new shell to use them"
    if _has_mention(place.startup_file, place.path):
        return f"{quote_path(place.startup_file)} already loads them: open a new shell to use them"
    return f"add to {quote_path(place.startup_file)} and open a new shell: {'; '.join(place.startup_lines)}"


def _has_mention(start: Path, path: Path) -> bool:
    """Whether the file that a shell begins with speaks of a script, or of the folder of it that is made for them."""
    with suppress(OSError, ValueError):
        text = start.read_text("utf-8")
        return path.name in text or (path.parent.name == ".zfunc" and ".zfunc" in text)
    return False


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot create {folder}: {(error.strerror or str(error)).lower()}") from error


SUBCOMMANDS: dict[str, Callable[..., None]] = {"install": install, "show": show, "path": path_}


def completions() -> typer.Typer:
    """Return the command with its subcommands."""
    return make_group(
        SUBCOMMANDS,
        "Install or print completions for bash, zsh, fish and PowerShell (default: show).\n\n"
        f"They complete the names of models, sessions, profiles and templates; {UNTESTED_NOTE}.",
        ShowByDefault,
    )
