"""The questions of a new run: a set by its name, a file, or saved sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.commands.ask_options import decode_argument
from reflectty.commands.sessions import open_session_store
from reflectty.evaluation.items import sample_items

if TYPE_CHECKING:
    from reflectty.commands.evaluate.run import EvalArguments
    from reflectty.evaluation.items import ItemSet
    from reflectty.system.terminal import Terminal


def load_questions(arguments: EvalArguments, terminal: Terminal) -> ItemSet:
    """Load the questions that the arguments name; those of sessions are graded on the terminal first.

    Raises:
        UsageError: there is no such set, its file cannot be used, or no question of a session has a key.
    """
    count = arguments.question_count or None
    if arguments.from_sessions:
        return _session_questions(arguments, terminal, count)
    from reflectty.evaluation.sets import load_set

    return load_set(decode_argument(arguments.set_name), count, arguments.seed)


def _session_questions(arguments: EvalArguments, terminal: Terminal, count: int | None) -> ItemSet:
    from reflectty.evaluation.session_items import collect_items, kept_path

    with open_session_store(terminal) as store:
        found = collect_items(store, terminal, kept_path(), yes=arguments.yes, wanted=count)
    return found._replace(items=sample_items(found.items, count, arguments.seed))
