"""`reflect last`: prints the last answer again, or a part of its reply."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from reflectty.commands import console
from reflectty.commands.sessions import NameOrLast, find_or_last, open_session_store
from reflectty.core.errors import NoAnswerError
from reflectty.core.safety import clean
from reflectty.core.session import branch_to

if TYPE_CHECKING:
    from reflectty.core.session import StoredReply
    from reflectty.store import Store
    from reflectty.system.terminal import Terminal

CodeOnly = Annotated[bool, typer.Option("--code", "-x", help="Print only its last block of code.")]
ThinkingOnly = Annotated[bool, typer.Option("--thinking", help="Print the thinking instead.")]


def last(
    context: typer.Context,
    session: NameOrLast = "",
    code: CodeOnly = False,
    thinking: ThinkingOnly = False,
    as_json: console.AsJson = False,
) -> None:
    """Print the last answer again: of this terminal's last session, or of another one."""
    console.exclusive((("--json", as_json), ("--code", code), ("--thinking", thinking)), "use one of them")
    terminal: Terminal = context.obj
    with open_session_store(terminal) as store:
        reply = _last_reply(store, session, terminal)
    if as_json:
        from reflectty.export.json import dump_json, stored_reply_object

        terminal.out.write(dump_json(stored_reply_object(reply)))
        return
    terminal.out.write(clean(_part_of(reply, code=code, thinking=thinking)).rstrip("\n") + "\n")


def _last_reply(store: Store, name: str, terminal: Terminal) -> StoredReply:
    session = find_or_last(store, name, terminal)
    path = branch_to(store.turns(session.id), session.leaf)
    replies = [turn.said for turn in path if turn.said is not None]
    if not replies:
        raise NoAnswerError(f"the session {session.id} has no reply yet")
    return replies[-1]


def _part_of(reply: StoredReply, *, code: bool, thinking: bool) -> str:
    """The text to print.

    Raises:
        NoAnswerError: the reply has none.
    """
    if thinking:
        text = reply.thinking
    elif code:
        from reflectty.view.grammar import last_code_block

        text = last_code_block(reply.answer)
    else:
        text = reply.answer
    if not text.strip():
        missing = "thinking" if thinking else "block of code" if code else "answer"
        raise NoAnswerError(f"the last reply has no {missing}", "reflect sessions show prints all of it")
    return text
