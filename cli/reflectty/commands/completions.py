"""`reflect completions install|show|path`: installs the completion script where the shell looks for it."""

from __future__ import annotations

import os
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reflectty.commands.console import ShowByDefault, make_group
from reflectty.core.errors import OutputError, UsageError, reason_of
from reflectty.core.named_tuple import NamedTuple
from reflectty.core.safety import clean_line
from reflectty.output import write_remark
from reflectty.system import assets

if TYPE_CHECKING:
    from collections.abc import Callable

    from reflectty.system.terminal import Terminal


class Shell(StrEnum):
    """A shell with a completion script."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


SCRIPT_FILES = {Shell.BASH: "reflect.bash", Shell.ZSH: "_reflect", Shell.FISH: "reflect.fish"}
"""The script of each shell in the packaged folder."""


class CompletionFile(NamedTuple):
    """The destination of a script, and what the shell needs to load it."""

    path: Path
    startup_file: Path | None = None
    """The startup file that must load the script; None if the shell finds the script by itself."""
    startup_lines: tuple[str, ...] = ()
    """The lines that load the script."""


def detect_shell() -> Shell:
    """The user's shell, from SHELL.

    Raises:
        UsageError: SHELL is not set, or names a shell without a completion script.
    """
    name = Path(os.environ.get("SHELL", "")).name
    if name not in [*Shell]:
        problem = f"there are no completions for {clean_line(name)}" if name else "cannot tell your shell from SHELL"
        raise UsageError(problem, f"name one of {', '.join(Shell)}")
    return Shell(name)


def completion_file_of(shell: Shell) -> CompletionFile:
    """The file in which a shell looks for the completions of `reflect`.

    Raises:
        UsageError: there is no home folder.
    """
    data, settings = _xdg_folder("XDG_DATA_HOME", ".local/share"), _xdg_folder("XDG_CONFIG_HOME", ".config")
    if shell is Shell.BASH:
        own = os.environ.get("BASH_COMPLETION_USER_DIR", "").split(":")[0]
        return CompletionFile((Path(own) if own else data / "bash-completion") / "completions" / "reflect")
    if shell is Shell.FISH:
        return CompletionFile(settings / "fish" / "completions" / "reflect.fish")
    home = Path(os.environ.get("ZDOTDIR", "") or _home())
    lines = (f"fpath=({quote_path(home / '.zfunc')} $fpath)", "autoload -Uz compinit && compinit")
    return CompletionFile(home / ".zfunc" / "_reflect", home / ".zshrc", lines)


def quote_path(path: Path) -> str:
    """A path quoted for bash, zsh and fish, with a tilde for the home folder."""
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
"""Marks our scripts, in one of the first lines."""
GUIDE = """\
Completions for bash, zsh and fish: they complete commands, options, models,
sessions, templates, profiles and settings.

  reflect completions install               install them for your shell
  reflect completions install --shell fish  install them for another one
  reflect completions show                  print the script
  reflect completions path                  print where it is installed
"""
"""Printed instead of the script if no subcommand is named on a terminal."""


def install(context: typer.Context, shell: ShellOption = None, force: Force = False) -> None:
    """Install the completions where the shell looks for them."""
    from reflectty.export.files import save_text

    terminal: Terminal = context.obj
    chosen = shell or detect_shell()
    target = completion_file_of(chosen)
    _make_folder(target.path.parent)
    save_text(_read_script(chosen), target.path, force=force or _is_own_script(target.path))
    write_remark(terminal, f"installed the completions for {chosen} in {target.path}")
    write_remark(terminal, _remaining_step_of(chosen, target))


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


def _remaining_step_of(shell: Shell, target: CompletionFile) -> str:
    """The remaining step before the shell loads the completions."""
    if shell is Shell.BASH:
        return f"open a new shell to use them; without bash-completion, add to ~/.bashrc: . {quote_path(target.path)}"
    if target.startup_file is None:
        return "open a new shell to use them"
    if _has_mention(target.startup_file, target.path):
        return f"{quote_path(target.startup_file)} already loads them: open a new shell to use them"
    return f"add to {quote_path(target.startup_file)} and open a new shell: {'; '.join(target.startup_lines)}"


def _has_mention(startup_file: Path, path: Path) -> bool:
    """Whether a startup file mentions the script, or the folder `.zfunc` that contains it."""
    with suppress(OSError, ValueError):
        text = startup_file.read_text("utf-8")
        return path.name in text or (path.parent.name == ".zfunc" and ".zfunc" in text)
    return False


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot create {folder}: {reason_of(error)}") from error


SUBCOMMANDS: dict[str, Callable[..., None]] = {"install": install, "show": show, "path": path_}


class GuideOnTerminal(ShowByDefault):
    """Explains how to install the completions if nothing is named and stdout is a terminal; else runs `show`."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        terminal: Terminal | None = ctx.obj
        if not args and terminal and terminal.out.tty:
            terminal.out.write(GUIDE)
            raise typer.Exit
        return super().parse_args(ctx, args)


def completions() -> typer.Typer:
    """The command group with its subcommands."""
    return make_group(
        SUBCOMMANDS,
        "Install or print completions for bash, zsh and fish (default: show, on a terminal how to install them).\n\n"
        "They complete commands, options, models, sessions, templates, profiles and settings.",
        GuideOnTerminal,
    )
