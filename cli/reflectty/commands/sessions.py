"""`reflect sessions`: reads and changes stored sessions."""

from __future__ import annotations

import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reflectty import config
from reflectty.commands import console
from reflectty.commands.ask_options import decode_argument
from reflectty.commands.console import make_group
from reflectty.commands.session_option import latest_session, open_saved_store
from reflectty.core.errors import StoppedError, UsageError
from reflectty.core.safety import clean_line
from reflectty.core.segments import SecondThoughtKind
from reflectty.core.session import branch_to
from reflectty.core.text import format_count, parse_duration
from reflectty.export import FORMAT_BY_SUFFIX, ExportFormat, export_session
from reflectty.output import write_remark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from reflectty.core.session import Session, Turn
    from reflectty.store import Store
    from reflectty.system.terminal import Terminal


Name = Annotated[
    str,
    typer.Argument(metavar="ID", help="The session: its id, the start of its id, or its title.", show_default=False),
]
NameOrLast = Annotated[
    str,
    typer.Argument(
        metavar="[ID]",
        help="The session: its id, the start of its id, or its title.",
        show_default="the last one of this terminal",
    ),
]
Limit = Annotated[int, typer.Option("--limit", "-n", metavar="N", min=1, help="Show at most N.")]


@contextmanager
def open_session_store(terminal: Terminal, *, creates: bool = False) -> Iterator[Store]:
    """Open the store for one command; a missing file is only created if the command `creates` sessions.

    Raises:
        StoreError: the file is there and cannot be read.
    """
    from reflectty.store import open_store

    def warn(text: str) -> None:
        write_remark(terminal, text)

    store = open_saved_store(warn, creates=creates) or open_store(None, warn)
    try:
        yield store
    finally:
        store.close()


def find_or_last(store: Store, name: str, terminal: Terminal) -> Session:
    """Find a session by its name; without one, the last of this terminal.

    Raises:
        UsageError: no session matches, or several do.
    """
    session = store.find(decode_argument(name)) if name else latest_session(store, terminal)
    if session is None:
        raise UsageError("there are no sessions", "ask a question to start one")
    return session


def label_of(session: Session) -> str:
    """The id and title of a session, for a message."""
    return f"{session.id} ({session.display_title})"


Title = Annotated[
    list[str],
    typer.Argument(metavar="TITLE...", help="The new title; several words are joined.", show_default=False),
]
Names = Annotated[
    list[str],
    typer.Argument(metavar="ID...", help="The sessions: ids, starts of ids, or titles.", show_default=False),
]
At = Annotated[
    int | None,
    typer.Option("--at", metavar="N", min=1, help="The number of the last question to copy.", show_default="all"),
]


def rename(context: typer.Context, name: Name, title: Title, as_json: console.AsJson = False) -> None:
    """Rename a session."""
    terminal: Terminal = context.obj
    text = decode_argument(" ".join(title))
    if not clean_line(text):
        raise UsageError("the title is empty", "run reflect sessions rename ID TITLE")
    with open_session_store(terminal) as store:
        session = store.find(decode_argument(name))
        store.rename(session.id, text)
        renamed = store.find(session.id)
    if as_json:
        _print_json([renamed], terminal, one=True)
    console.info(terminal, f"{session.id} is now called {renamed.title}")


def remove(context: typer.Context, names: Names, yes: console.Yes = False, as_json: console.AsJson = False) -> None:
    """Remove sessions for good.

    Deletes questions, thinking and answers, also from the search index.
    """
    terminal: Terminal = context.obj
    console.require_yes(terminal, "sessions", yes=yes)
    with open_session_store(terminal) as store:
        found = {session.id: session for session in (store.find(decode_argument(name)) for name in names)}
        sessions = _remove_confirmed(store, tuple(found.values()), terminal, yes=yes)
    if as_json:
        _print_json(sessions, terminal)
    for session in sessions:
        console.info(terminal, f"removed {label_of(session)}")


def _remove_confirmed(
    store: Store, sessions: tuple[Session, ...], terminal: Terminal, *, yes: bool
) -> tuple[Session, ...]:
    """Remove sessions, after confirmation unless `yes`; return those that were removed.

    Raises:
        StoppedError: the user declined.
    """
    if sessions and not yes and not console.confirm(terminal, map(_describe, sessions)):
        console.end_without_effect(terminal, "nothing was removed")
    for session in sessions:
        store.remove(session.id)
    return sessions


Age = Annotated[
    str,
    typer.Option(
        "--older-than", metavar="TIME", help="Sessions without a turn for this long: 90d, 12h.", show_default=False
    ),
]


def prune(context: typer.Context, older_than: Age, yes: console.Yes = False, as_json: console.AsJson = False) -> None:
    """Remove old sessions for good."""
    terminal: Terminal = context.obj
    seconds = _age_in_seconds(older_than)
    console.require_yes(terminal, "sessions", yes=yes)
    with open_session_store(terminal) as store:
        old = tuple(one for one in store.sessions(_ALL) if one.updated < time.time() - seconds)
        old = _remove_confirmed(store, old, terminal, yes=yes)
    if as_json:
        _print_json(old, terminal)
    console.info(terminal, f"removed {format_count(len(old), 'session')}")


def _age_in_seconds(text: str) -> float:
    """The seconds of a duration such as `90d`, `2w` or `12h`.

    Raises:
        UsageError: it is not one.
    """
    seconds = parse_duration(text, "hdwy")  # no m: minutes or months
    if seconds is None:
        raise UsageError(f"--older-than {text!r} is not an age", "write 12h, 90d, 8w or 1y")
    return seconds


_ALL = -1
"""As a limit, all of them."""


def path_(context: typer.Context) -> None:
    """Print the path of the file with the sessions; it may not exist."""
    context.obj.out.write(f"{clean_line(str(config.store_path()), 4096)}\n")


def _describe(session: Session) -> str:
    return f"{label_of(session)}, questions: {session.questions:,}"


def fork(context: typer.Context, name: NameOrLast = "", at: At = None, as_json: console.AsJson = False) -> None:
    """Start a new session from a copy of this one; prints its id."""
    terminal: Terminal = context.obj
    with open_session_store(terminal) as store:
        session = find_or_last(store, name, terminal)
        leaf = None if at is None else _leaf_of_question(branch_to(store.turns(session.id), session.leaf), at)
        forked = store.fork(session.id, leaf)
    if as_json:
        _print_json([forked], terminal, one=True)
    else:
        terminal.out.write(f"{clean_line(forked.id)}\n")
    console.info(terminal, f"the new session is called {forked.title}")


def _leaf_of_question(path: Sequence[Turn], number: int) -> int:
    """The id of the last turn that belongs to the question of that number.

    Raises:
        UsageError: the branch has fewer questions.
    """
    questions = [at for at, turn in enumerate(path) if turn.said is None]
    if number > len(questions):
        count = len(questions)
        raise UsageError(f"--at {number}: only {count} {'question' if count == 1 else 'questions'} on this branch")
    end = questions[number] if number < len(questions) else len(path)
    return path[end - 1].id


def _print_json(sessions: Sequence[Session], terminal: Terminal, *, one: bool = False) -> None:
    from reflectty.export.json import dump_json, session_object

    objects = [session_object(session) for session in sessions]
    terminal.out.write(dump_json(objects[0] if one else objects))


Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="WORDS...", help='The words to find (all must match), or "a phrase" in quotes.', show_default=False
    ),
]
KindOption = Annotated[
    SecondThoughtKind | None,
    typer.Option(
        "--kind", help="Find second thoughts of this kind in the thinking; words are optional.", show_default=False
    ),
]
NoThinking = Annotated[bool, typer.Option("--no-thinking", help="Show only the summary of the thinking.")]
AsTree = Annotated[bool, typer.Option("--tree", help="Show all branches as a tree, a line a turn.")]
AllBranches = Annotated[bool, typer.Option("--all", "-a", help="Show every branch, not only the last viewed one.")]
FormatOption = Annotated[
    ExportFormat | None,
    typer.Option("--format", help="The format of the document.", show_default="from the file name, else markdown"),
]
OutputPath = Annotated[
    Path | None,
    typer.Option("--output", metavar="FILE", help="Write to a file; - writes to stdout.", show_default="stdout"),
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")]
STDOUT = STDIN = Path("-")
EMPTY = "no sessions yet: ask a question to start one"


def list_(context: typer.Context, limit: Limit = 50, as_json: console.AsJson = False) -> None:
    """List the sessions, latest first."""
    terminal: Terminal = context.obj
    with open_session_store(terminal) as store:
        sessions = store.sessions(limit)
    if as_json:
        from reflectty.export.json import dump_json, session_object

        terminal.out.write(dump_json([session_object(session) for session in sessions]))
    elif sessions:
        from reflectty.output.sessions import session_rows

        page = console.open_page(terminal)
        page.write(session_rows(sessions, page, time.time()))
    else:
        write_remark(terminal, EMPTY)


def show(  # noqa: PLR0913, PLR0917 - every option of the command is one
    context: typer.Context,
    name: NameOrLast = "",
    no_thinking: NoThinking = False,
    every: AllBranches = False,
    tree: AsTree = False,
    as_json: console.AsJson = False,
) -> None:
    """Show a session: questions, thinking with its corrections, answers."""
    console.exclusive((("--json", as_json), ("--no-thinking", no_thinking)), "--json includes everything stored")
    for other in (("--json", as_json), ("--no-thinking", no_thinking), ("--all", every)):
        console.exclusive((("--tree", tree), other), "--tree lists all branches, a line a turn")
    terminal: Terminal = context.obj
    with open_session_store(terminal) as store:
        session = find_or_last(store, name, terminal)
        turns = store.turns(session.id)
    path = turns if every else branch_to(turns, session.leaf)
    if tree:
        from reflectty.output.sessions import tree_rows

        page = console.open_page(terminal)
        page.write(tree_rows(turns, session.leaf, page, time.time()))
    elif as_json:
        from reflectty.export.json import dump_json, session_document

        terminal.out.write(dump_json(session_document(session, path)))
    else:
        _draw(terminal, turns, None if every else path, thinking=not no_thinking)


def _draw(terminal: Terminal, turns: Sequence[Turn], path: Sequence[Turn] | None, *, thinking: bool) -> None:
    from reflectty.output.sessions import positions_on_all_branches, positions_on_branch, transcript_rows

    page = console.open_page(terminal)
    positions = positions_on_all_branches(turns) if path is None else positions_on_branch(turns, path)
    for rows in transcript_rows(positions, page, thinking=thinking):
        page.write(rows)


def search(
    context: typer.Context,
    words: Words = None,
    kind: KindOption = None,
    limit: Limit = 50,
    as_json: console.AsJson = False,
) -> None:
    """Search titles, questions, thinking, corrections and answers.

    The exit code is 1 if nothing is found.
    """
    terminal: Terminal = context.obj
    text = decode_argument(" ".join(words or ()))
    if not (text or kind):
        raise UsageError("nothing to search for", "name a word, or `--kind correction` for second thoughts")
    with open_session_store(terminal) as store:
        hits = store.search_second_thoughts(kind, text, limit) if kind else store.search(text, limit)
    if as_json:
        from reflectty.export.json import dump_json, search_hit_object

        terminal.out.write(dump_json([search_hit_object(hit) for hit in hits]))
    elif hits:
        from reflectty.output.sessions import search_hit_rows

        page = console.open_page(terminal)
        for rows in search_hit_rows(hits, page, time.time()):
            page.write(rows)
    else:
        write_remark(terminal, f"nothing found for {text}" if text else f"no {kind} found")
    if not hits:
        raise StoppedError(console.NO_EFFECT_EXIT_CODE)


def stats(context: typer.Context, as_json: console.AsJson = False) -> None:
    """Count how models thought in the stored replies, and what --until-settled would do.

    Second thoughts, repetition and where the answer first stood are readings, not facts. The rule of
    --until-settled is played over the stored thinking: the answer that stood then is compared with the final one.
    """
    from reflectty.reasoning.thought_statistics import StatisticsByModel

    terminal: Terminal = context.obj
    found = StatisticsByModel()
    with open_session_store(terminal) as store:
        for turn in store.replies():
            if turn.said:
                found.add(turn.said)
    if as_json:
        from reflectty.export.json import dump_json
        from reflectty.output.thought_statistics import statistics_object

        terminal.out.write(dump_json(statistics_object(found)))
    elif found.models:
        from reflectty.output.thought_statistics import statistics_rows

        page = console.open_page(terminal)
        page.write(statistics_rows(found, page))
    else:
        write_remark(terminal, "no stored reply has thinking")


def export_(  # noqa: PLR0913, PLR0917 - every option of the command is one
    context: typer.Context,
    name: NameOrLast = "",
    form: FormatOption = None,
    output: OutputPath = None,
    force: Force = False,
    as_json: console.AsJson = False,
) -> None:
    """Export a session as Markdown, HTML or JSON.

    Markdown and HTML contain the last viewed branch; JSON contains everything stored, and can be imported.
    """
    terminal: Terminal = context.obj
    if as_json and form not in (None, ExportFormat.JSON):
        raise UsageError(f"--json and --format {form} cannot be combined", "use one of them")
    chosen = ExportFormat.JSON if as_json else form or _format_of(output or STDOUT)
    with open_session_store(terminal) as store:
        session = find_or_last(store, name, terminal)
        turns = store.turns(session.id)
    _deliver(
        terminal, session, export_session(session, turns, chosen), None if output == STDOUT else output, force=force
    )


def _format_of(path: Path) -> ExportFormat:
    """The format that the name of a file asks for.

    Raises:
        UsageError: there is no such format.
    """
    suffix = path.suffix.lower()
    if suffix in ("", ".txt"):
        return ExportFormat.MARKDOWN
    if suffix not in FORMAT_BY_SUFFIX:
        known = ", ".join(FORMAT_BY_SUFFIX)
        raise UsageError(f"no format has the suffix {suffix}", f"use one of {known}, or name the format with --format")
    return FORMAT_BY_SUFFIX[suffix]


Documents = Annotated[
    list[Path],
    typer.Argument(metavar="FILE...", help="Sessions exported as JSON; - reads stdin.", show_default=False),
]


def import_(context: typer.Context, files: Documents, as_json: console.AsJson = False) -> None:
    """Import sessions that were exported as JSON, with all their branches; prints the new ids.

    A file may have several documents. If one of them cannot be read, nothing is imported.
    """
    from reflectty.export.document import read_documents

    terminal: Terminal = context.obj
    documents = [
        document for path in files for document in read_documents(_load_document(path, terminal), clean_line(str(path)))
    ]
    with open_session_store(terminal, creates=True) as store:
        imported = [store.add_session(document.session, document.turns) for document in documents]
    if as_json:
        _print_json(imported, terminal)
    else:
        terminal.out.write("".join(f"{clean_line(session.id)}\n" for session in imported))
    for session in imported:
        console.info(terminal, f"imported {_describe(session)}")


def _load_document(path: Path, terminal: Terminal) -> bytes:
    from reflectty.core.inputs import read_file, read_stdin

    if path != STDIN:
        return read_file(path)
    if terminal.stdin is None:
        raise UsageError("stdin is closed", "name a file")
    return read_stdin(terminal.stdin, lambda text: write_remark(terminal, text))


def _deliver(terminal: Terminal, session: Session, text: str, path: Path | None, *, force: bool) -> None:
    if path is None:
        terminal.out.write(text)
        return
    from reflectty.export.files import save_text

    save_text(text, path, force=force)
    console.info(terminal, f"exported {label_of(session)} to {path}")


SUBCOMMANDS: dict[str, Callable[..., None]] = {
    "list": list_,
    "show": show,
    "search": search,
    "stats": stats,
    "export": export_,
    "import": import_,
    "rename": rename,
    "remove": remove,
    "fork": fork,
    "prune": prune,
    "path": path_,
}


def sessions() -> typer.Typer:
    """The command group with its subcommands."""
    return make_group(SUBCOMMANDS, "Read, search, export and manage saved sessions (default: list).")
