"""`reflect sessions list|show|search|export`: arguments become values, and values what is printed."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reflectty.commands import output
from reflectty.commands.arguments import decoded
from reflectty.commands.sessions import arguments as args
from reflectty.errors import UsageError
from reflectty.exporting import SUFFIXES, Format, export
from reflectty.render.remark import remark
from reflectty.session import branch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.session import Session, Turn
    from reflectty.terminal import Terminal

Words = Annotated[
    list[str],
    typer.Argument(
        metavar="WORDS...", help='What to look for: all of the words, or "a phrase" in quotes.', show_default=False
    ),
]
NoThinking = Annotated[bool, typer.Option("--no-thinking", help="Only the summary of the thinking.")]
Every = Annotated[bool, typer.Option("--all", "-a", help="Every branch, not only the one looked at last.")]
Form = Annotated[
    Format | None,
    typer.Option("--format", "-f", help="The form of the document.", show_default="by the file's name, else markdown"),
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write to a file; - is stdout.", show_default="stdout"),
]
Force = Annotated[bool, typer.Option("--force", help="Replace a file that is there already.")]
STDOUT = Path("-")
EMPTY = "there are no sessions yet: the first question begins one"


def list_(context: typer.Context, limit: args.Limit = 50, as_json: output.AsJson = False) -> None:
    """List the sessions, the latest first."""
    terminal: Terminal = context.obj
    with args.opened(terminal) as store:
        sessions = store.sessions(limit)
    if as_json:
        from reflectty.exporting.json import session_object, written  # noqa: PLC0415 - each form loads only itself

        terminal.out.write(written([session_object(session) for session in sessions]))
    elif sessions:
        from reflectty.render.listing import listed  # noqa: PLC0415

        page = output.paged(terminal)
        page.write(listed(sessions, page, time.time()))
    else:
        remark(terminal, EMPTY)


def show(
    context: typer.Context,
    name: args.Name,
    no_thinking: NoThinking = False,
    every: Every = False,
    as_json: output.AsJson = False,
) -> None:
    """Show a session: questions, thinking with its corrections, answers."""
    output.one_of((("--json", as_json), ("--no-thinking", no_thinking)), "--json has all that is stored")
    terminal: Terminal = context.obj
    with args.opened(terminal) as store:
        session = store.find(decoded(name))
        turns = store.turns(session.id)
    path = turns if every else branch(turns, session.leaf)
    if as_json:
        from reflectty.exporting.json import as_object, written  # noqa: PLC0415 - each form loads only itself

        terminal.out.write(written(as_object(session, path)))
    else:
        _draw(terminal, turns, None if every else path, thinking=not no_thinking)


def _draw(terminal: Terminal, turns: Sequence[Turn], path: Sequence[Turn] | None, *, thinking: bool) -> None:
    from reflectty.render.transcript import (  # noqa: PLC0415 - the only one that needs Markdown
        Scene,
        every_branch,
        one_branch,
        transcript,
    )

    page = output.paged(terminal)
    places = every_branch(turns) if path is None else one_branch(turns, path)
    for rows in transcript(places, Scene(page.palette, page.columns, thinking)):
        page.write(rows)


def search(context: typer.Context, words: Words, limit: args.Limit = 50, as_json: output.AsJson = False) -> None:
    """Search titles, questions, thinking, corrections and answers."""
    terminal: Terminal = context.obj
    text = decoded(" ".join(words))
    with args.opened(terminal) as store:
        found = store.search(text, limit)
    if as_json:
        from reflectty.exporting.json import found_object, written  # noqa: PLC0415 - each form loads only itself

        terminal.out.write(written([found_object(item) for item in found]))
    elif found:
        from reflectty.render.listing import found_rows  # noqa: PLC0415

        page = output.paged(terminal)
        for rows in found_rows(found, page, time.time()):
            page.write(rows)
    else:
        remark(terminal, f"nothing found for {text}")


def export_(  # noqa: PLR0913, PLR0917 - every option of the command is one
    context: typer.Context,
    name: args.Name,
    form: Form = None,
    output: Output = None,
    force: Force = False,
    as_json: output.AsJson = False,
) -> None:
    """Export a session as Markdown, HTML or JSON.

    Markdown and HTML have the branch looked at last, JSON has all that is stored.
    """
    terminal: Terminal = context.obj
    if as_json and form not in (None, Format.JSON):
        raise UsageError(f"--json and --format {form} exclude each other", "give one of them")
    with args.opened(terminal) as store:
        session = store.find(decoded(name))
        turns = store.turns(session.id)
    chosen = Format.JSON if as_json else form or SUFFIXES.get((output or STDOUT).suffix.lower(), Format.MARKDOWN)
    _deliver(terminal, session, export(session, turns, chosen), None if output == STDOUT else output, force=force)


def _deliver(terminal: Terminal, session: Session, text: str, path: Path | None, *, force: bool) -> None:
    if path is None:
        terminal.out.write(text)
        return
    from reflectty.exporting.saving import save  # noqa: PLC0415 - stdout needs no file

    save(text, path, force=force)
    output.told(terminal, f"{args.quoted(session)} is in {path}")
