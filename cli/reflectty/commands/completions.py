"""`reflect completions install|show|path`: puts the completions where a shell looks for them; writes nothing else."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from reflectty import assets
from reflectty.commands.listing import ShowByDefault, grouped
from reflectty.config.shells import FILES, Place, Shell, as_word, completion_place, own_shell
from reflectty.errors import OutputError
from reflectty.render.remark import remark
from reflectty.safety import clean_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reflectty.terminal import Terminal

ShellName = Annotated[Shell | None, typer.Option("--shell", help="The shell.", show_default="that of SHELL")]
OneShell = Annotated[
    Shell | None, typer.Argument(metavar="[SHELL]", help="The shell; without one, that of SHELL.", show_default=False)
]
Force = Annotated[bool, typer.Option("--force", help="Replace a file that is not of reflect.")]
OURS = "Completions of reflect for "
"""What a script of ours says in its first lines."""
UNTRIED = "the script for PowerShell was never run by those who made it"


def install(context: typer.Context, shell: ShellName = None, force: Force = False) -> None:
    """Put the completions where the shell looks for them."""
    from reflectty.exporting.saving import save  # noqa: PLC0415 - only who installs writes

    terminal: Terminal = context.obj
    chosen = shell or own_shell()
    place = completion_place(chosen)
    _make_folder(place.path.parent)
    save(_script(chosen), place.path, force=force or _is_ours(place.path))
    remark(terminal, f"the completions for {chosen} are in {place.path}")
    remark(terminal, _still(chosen, place))
    if chosen is Shell.POWERSHELL:
        remark(terminal, UNTRIED)


def show(context: typer.Context, shell: OneShell = None) -> None:
    """Print the completions of a shell."""
    terminal: Terminal = context.obj
    terminal.out.write(_script(shell or own_shell()))


def path_(context: typer.Context, shell: OneShell = None) -> None:
    """Print where the completions go; the file may not exist."""
    terminal: Terminal = context.obj
    terminal.out.write(f"{clean_line(str(completion_place(shell or own_shell()).path), 4096)}\n")


def _script(shell: Shell) -> str:
    try:
        return (assets.folder("completions") / FILES[shell]).read_text("utf-8")
    except OSError as error:
        raise OutputError(f"the installation lacks the completions for {shell}", "install reflectty anew") from error


def _is_ours(path: Path) -> bool:
    with suppress(OSError, ValueError), path.open(encoding="utf-8") as file:
        return OURS in file.read(400)
    return False


def _still(shell: Shell, place: Place) -> str:
    """Return what is still to be done before the shell completes."""
    if shell is Shell.BASH:
        return f"a new shell has them; one without bash-completion has not: add to ~/.bashrc: . {as_word(place.path)}"
    if place.start is None:
        return "a new shell has them"
    if _mentions(place.start, place.path):
        return f"{as_word(place.start)} names the place already: a new shell has them"
    return f"add to {as_word(place.start)}, and a new shell has them: {'; '.join(place.lines)}"


def _mentions(start: Path, path: Path) -> bool:
    """Whether the file that a shell begins with speaks of a script, or of the folder of it that is made for them."""
    with suppress(OSError, ValueError):
        text = start.read_text("utf-8")
        return path.name in text or (path.parent.name == ".zfunc" and ".zfunc" in text)
    return False


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make {folder}: {(error.strerror or str(error)).lower()}") from error


SUBCOMMANDS: dict[str, Callable[..., None]] = {"install": install, "show": show, "path": path_}


def completions() -> typer.Typer:
    """Return the command with its subcommands."""
    return grouped(
        SUBCOMMANDS,
        "The completions of bash, zsh, fish and PowerShell: install puts them where the shell looks.\n\n"
        f"They know the names of models, sessions, profiles and templates; {UNTRIED}.",
        ShowByDefault,
    )
