"""Records a reply in the store while it streams, immediately or deferred.

A chat writes immediately: the question is stored before the request is sent. A one-shot question is deferred: the
store is opened only when the exchange is a second old, or over.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from reflectty.core.errors import ReflecttyError, StoreError
from reflectty.core.named_tuple import NamedTuple
from reflectty.core.session import Attachment, ReplyOrigin, ReplyStatus, StoredReply, Turn, title_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from reflectty.reasoning.reply import Reply
    from reflectty.store import Store

    Work = Callable[[], None]

DEFER_SECONDS = 1.0
"""Age at which a one-shot exchange is first written, so that writing does not delay a quick answer."""
CHECKPOINT_SECONDS = 1.0
CHECKPOINT_CHARACTERS = 4096
HEARTBEAT_SECONDS = 5.0
"""Seconds between heartbeats while a reply has no new text."""
RECORDING_STOPPED = "the rest of this turn is not saved"


class RecordTarget(NamedTuple):
    """What an exchange adds: a new question, another reply to an old one, or more text of an old reply."""

    text: str = ""
    """The question as it was typed."""
    attachments: tuple[Attachment, ...] = ()
    session: str = ""
    """The session's id; empty for a new session."""
    parent: int | None = None
    """The turn that the question follows; None for the first."""
    question: int | None = None
    """The turn of an old question to which the reply is a new branch."""
    reply: int | None = None
    """The turn of an old reply that streams again."""
    origin: ReplyOrigin = ReplyOrigin.ASKED
    title: str = ""
    """The title of a new session; empty derives it from the question."""


def run_now(work: Work) -> None:
    """Run `work` inline."""
    work()


class BranchPoint:
    """The question that several replies branch off, and its session; empty until the first of them is written."""

    def __init__(self, session: str = "", question: int | None = None) -> None:
        self.session = session
        self.question = question


class Recorder:
    """Records one exchange; all its work on the store is submitted in order.

    Args:
        store: opens or returns the store; called once, at the first write, with the function that shows warnings.
        target: what the exchange adds to which session.
        beside: the question that the reply shares with those of other recorders; it precedes that of the target.
        below: the recorder of the reply that the question follows, in the same session.
        deferred: write only when the exchange is a second old or over, and never store an empty reply.
        submit: submits work to run in order, inline or on the store's thread.
        clock: the time in seconds.
    """

    def __init__(  # noqa: PLR0913 - what it follows is optional
        self,
        store: Callable[[Callable[[str], None]], Store],
        target: RecordTarget,
        *,
        beside: BranchPoint | None = None,
        below: Recorder | None = None,
        deferred: bool = False,
        submit: Callable[[Work], object] = run_now,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.session = target.session
        """The session's id, once the beginning is written."""
        self.question = target.question
        """The turn of the question, once the beginning is written."""
        self.reply = target.reply
        """The turn of the reply, once the beginning is written."""
        self.turn: Turn | None = None
        """The turn of a new reply as added, once the beginning is written."""
        self.written: StoredReply | None = None
        """The reply as written at its end."""
        self.failure: ReflecttyError | None = None
        """The error that ended the recording."""
        self._open_store = store
        self._target = target
        self._beside, self._below = beside, below
        self._is_deferred = deferred
        self._submit = submit
        self._clock = clock
        self._store: Store | None = None
        self._stored_reply: StoredReply | None = None
        self._live_reply: Reply | None = None
        self._note: Callable[[str], None] | None = None
        self._has_warned = False
        self._start = self._last_write = 0.0
        self._written_pieces = self._written_thinking_pieces = 0
        self._is_beginning_due = False
        """True while the beginning is still to be written."""
        self._number = 0
        """The number of the reply, counted from 1."""
        self.finished: dict[int, Turn] = {}
        """The replies that are stored, by their number."""

    # Events of the exchange

    def begin(self, stored: StoredReply, reply: Reply, note: Callable[[str], None]) -> None:
        """Start recording; `stored` holds the facts about the reply, and `note` shows a failure.

        Called again after the end, it starts another reply to the same question, as a branch.
        """
        if self._stored_reply is not None:
            self._submit(self._forget_reply)
        self._number += 1
        self._stored_reply, self._live_reply, self._note = stored._replace(origin=self._target.origin), reply, note
        self._start = self._last_write = self._clock()
        # The prefix of the reply is its first piece, which is written with the beginning.
        self._written_pieces, self._written_thinking_pieces = (1 if stored.raw else 0), 0
        self._is_beginning_due = self._is_deferred
        if not self._is_deferred:
            self._write_beginning(self._stored_reply)

    def tick(self) -> None:
        """Write what is due."""
        if self._stored_reply is None:
            return
        now = self._clock()
        if self._is_beginning_due and now - self._start >= DEFER_SECONDS:
            self._write_beginning(self._stored_reply)
            self._checkpoint(now)
        elif not self._is_beginning_due:
            silent, new = now - self._last_write, sum(map(len, self._unwritten_text()))
            if silent >= (CHECKPOINT_SECONDS if new else HEARTBEAT_SECONDS) or new >= CHECKPOINT_CHARACTERS:
                self._checkpoint(now)

    def end(self, ended: ReplyStatus, error: str = "", digest: str = "") -> None:
        """Write the end, and the beginning if it is still to be written."""
        stored, reply = self._stored_reply, self._live_reply
        if stored is None or reply is None:
            return
        reply.close()
        if self._is_deferred and not (reply.raw or reply.raw_thinking):
            self._discard()
            return
        whole = stored_reply_of(stored._replace(ended=ended, error=error, digest=stored.digest or digest), reply)
        number = self._number
        if self._is_beginning_due and self.reply is None:
            self._enqueue(lambda store: self._write_exchange(store, whole))
        else:
            if self._is_beginning_due:
                self._write_beginning(stored)
            self._enqueue(lambda store: self._finish_in_store(store, whole))
        self._submit(lambda: self._keep_finished(number))
        self._close()

    def choose(self, number: int, remarks: tuple[str, ...] = ()) -> None:
        """End the branch that is viewed last with one of several replies, by its number, unless it was empty.

        Args:
            number: counts the replies from 1.
            remarks: are kept with its warnings.
        """
        self._enqueue(lambda store: self._choose_in_store(store, number, remarks))
        self._close()

    async def wait_until_written(self) -> None:
        """Wait until all work submitted so far is done."""
        loop = asyncio.get_running_loop()
        written: asyncio.Future[None] = loop.create_future()

        def reached() -> None:
            loop.call_soon_threadsafe(written.set_result, None)

        self._submit(reached)
        await written

    # Writing

    def _write_beginning(self, stored: StoredReply) -> None:
        self._is_beginning_due = False
        self._enqueue(lambda store: self._begin_in_store(store, stored))

    def _begin_in_store(self, store: Store, stored: StoredReply) -> None:
        target = self._target
        if self.reply is not None:
            store.restart(self.reply, stored)
            return
        parent = self._find_place()
        if not self.session:
            self.session = store.create_session(self._title).id
        if self.question is None:
            self.question = store.add_question(self.session, parent, target.text, target.attachments).id
        if self._beside:
            self._beside.session, self._beside.question = self.session, self.question
        self.turn = store.add_reply(self.session, self.question, stored)
        self.reply = self.turn.id

    def _find_place(self) -> int | None:
        """Take over the place of the recorders beside or above, and give the turn that a new question follows."""
        if self._below:
            self.session = self._below.session
            return self._below.reply
        if self._beside and self._beside.session:
            self.session, self.question = self._beside.session, self._beside.question
        return self._target.parent

    @property
    def _title(self) -> str:
        return self._target.title or title_for(self._target.text, self._target.attachments)

    def _write_exchange(self, store: Store, whole: StoredReply) -> None:
        """Write question and reply in one transaction: what a quick answer costs is mostly those."""
        target = self._target
        asked = Turn(self.question or 0, target.parent, 0.0, target.text, target.attachments)
        title = "" if self.session else self._title
        self.session, question, self.turn = store.add_exchange(self.session, asked, whole, title)
        self.question, self.reply, self.written = question.id, self.turn.id, whole

    def _finish_in_store(self, store: Store, whole: StoredReply) -> None:
        store.finish(self._require_turn(), whole)
        self.written = whole

    def _keep_finished(self, number: int) -> None:
        if self.turn and self.written and not self.failure:
            self.finished[number] = self.turn._replace(said=self.written)

    def _choose_in_store(self, store: Store, number: int, remarks: tuple[str, ...]) -> None:
        chosen = self.finished.get(number)
        if chosen is None or chosen.said is None:
            return
        said = chosen.said._replace(warnings=(*chosen.said.warnings, *remarks))
        if remarks:
            store.finish(chosen.id, said)
        self.finished[number] = self.turn = chosen._replace(said=said)
        self.reply, self.written = chosen.id, said
        store.set_leaf(self.session, chosen.id)

    def _forget_reply(self) -> None:
        self.reply, self.turn, self.written = None, None, None

    def _require_turn(self) -> int:
        """The turn of the reply, which exists unless writing the beginning failed."""
        if self.reply is None:
            raise StoreError("the start of this reply was not saved")
        return self.reply

    def _unwritten_text(self) -> tuple[str, str]:
        """The content and thinking that are not written yet."""
        reply = self._live_reply
        if reply is None:
            return "", ""
        thinking = reply.raw_thinking[self._written_thinking_pieces :]
        return "".join(reply.raw[self._written_pieces :]), "".join(thinking)

    def _checkpoint(self, now: float) -> None:
        """Write new text; without any, the checkpoint is only a heartbeat."""
        if self._live_reply is None:
            return
        raw, thinking = self._unwritten_text()
        self._written_pieces, self._written_thinking_pieces = (
            max(self._written_pieces, len(self._live_reply.raw)),
            len(self._live_reply.raw_thinking),
        )
        self._last_write = now
        self._enqueue(lambda store: store.checkpoint(self._require_turn(), raw, thinking))

    def _discard(self) -> None:
        """Remove a one-shot question that got no reply, or an empty one among several replies."""
        if not self._is_beginning_due:
            self._enqueue(self._remove_from_store)
            self._close()

    def _remove_from_store(self, store: Store) -> None:
        if self.finished and self._stored_reply:
            # What is still being written is never removed.
            store.finish(self._require_turn(), self._stored_reply._replace(ended=ReplyStatus.FAILED))
            store.remove_turns(self.session, self._require_turn())
            return
        store.remove(self.session)
        self.session, self.question = "", None

    def _close(self) -> None:
        """Close the file after a one-shot question, so that the log is merged and one file holds everything."""
        if self._is_deferred:
            self._enqueue(self._close_store)

    def _close_store(self, store: Store) -> None:
        store.close()
        self._store = None

    def _enqueue(self, work: Callable[[Store], None]) -> None:
        self._submit(lambda: self._perform(work))

    def _perform(self, work: Callable[[Store], None]) -> None:
        if self.failure:
            return
        try:
            self._store = self._store or self._open_store(self._warn)
            work(self._store)
        except ReflecttyError as error:
            self.failure = error
            self._warn(f"{error}: {RECORDING_STOPPED}")

    def _warn(self, text: str) -> None:
        """Note the first problem with the store; later ones follow from it."""
        if self._note and not self._has_warned:
            self._note(text)
        self._has_warned = True


def stored_reply_of(initial: StoredReply, reply: Reply) -> StoredReply:
    """The stored form of a finished reply; `initial` is what was stored at its beginning."""
    return initial._replace(
        family=reply.family.name,
        segments=reply.segments,
        answer=reply.answer,
        raw="".join(reply.raw),
        raw_thinking="".join(reply.raw_thinking),
        done_reason=reply.done_reason,
        warnings=tuple(text for text in reply.warnings if text != initial.error),
        measured=reply.metrics,
    )
