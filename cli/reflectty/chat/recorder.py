"""Records a reply in the store while it streams, immediately or deferred.

A chat writes at once: the question is there before the request is sent. A question of one shot writes late:
nothing is opened before the exchange is a second old, or over.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, NamedTuple

from reflectty.core.errors import ReflecttyError, StoreError
from reflectty.core.session import Attachment, ReplyOrigin, ReplyStatus, StoredReply

if TYPE_CHECKING:
    from collections.abc import Callable

    from reflectty.reasoning.reply import Reply
    from reflectty.store import Store

    Work = Callable[[], None]

DEFER_SECONDS = 1.0
"""How old an exchange of one shot is when it is written: a quick one pays nothing before its answer is out."""
CHECKPOINT_SECONDS = 1.0
CHECKPOINT_CHARACTERS = 4096
HEARTBEAT_SECONDS = 5.0
"""How often a silent reply says that who writes it is alive."""
TITLE_LENGTH = 60
RECORDING_STOPPED = "this exchange is not kept any further"


class RecordTarget(NamedTuple):
    """Where an exchange belongs: a new question, another reply to an old one, or the same reply going on."""

    text: str = ""
    """The question as it was typed."""
    attachments: tuple[Attachment, ...] = ()
    session: str = ""
    """Nothing begins a new one."""
    parent: int | None = None
    """The turn that the question follows; None where it is the first."""
    question: int | None = None
    """The turn of the question, where the reply is another branch of an old one."""
    reply: int | None = None
    """The turn of the reply, where the same reply streams again."""
    origin: ReplyOrigin = ReplyOrigin.ASKED


def run_now(work: Work) -> None:
    """Do a piece of work where it is asked for."""
    work()


class Recorder:
    """Writes one exchange; all of its work on the store goes through `soon`, piece by piece and in order.

    Args:
        store: opens the store, or returns it; called once, when there is something to write, with whom to warn.
        place: where the exchange belongs.
        late: nothing is written before the exchange is a second old or over, and nothing of which not a word came.
        soon: does a piece of work after all the work it was given before, in this thread or another.
        clock: seconds.
    """

    def __init__(
        self,
        store: Callable[[Callable[[str], None]], Store],
        target: RecordTarget,
        *,
        deferred: bool = False,
        submit: Callable[[Work], None] = run_now,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.session = target.session
        """The session's id, once the work is done that begins one."""
        self.question = target.question
        """The turn of the question, likewise."""
        self.reply = target.reply
        """The turn of the reply, likewise."""
        self.failure: ReflecttyError | None = None
        """Why nothing more is written."""
        self._open_store = store
        self._target = target
        self._is_deferred = deferred
        self._submit = submit
        self._clock = clock
        self._store: Store | None = None
        self._stored_reply: StoredReply | None = None
        self._live_reply: Reply | None = None
        self._note: Callable[[str], None] = _discard_note
        self._has_warned = False
        self._start = self._last_write = 0.0
        self._written_pieces = self._written_thinking_pieces = 0
        self._is_beginning_due = False
        """Whether the beginning is still to be written."""

    # What the exchange tells

    def begin(self, said: StoredReply, reply: Reply, note: Callable[[str], None]) -> None:
        """Begin to keep a reply of which `said` is known; `note` says what goes wrong."""
        self._stored_reply, self._live_reply, self._note = said._replace(origin=self._target.origin), reply, note
        self._start = self._last_write = self._clock()
        # What the reply recalls is its first piece, and the beginning has it.
        self._written_pieces, self._written_thinking_pieces = (1 if said.raw else 0), 0
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
        """Write the end, and the beginning where that is still to be done."""
        said, spoken = self._stored_reply, self._live_reply
        if said is None or spoken is None:
            return
        spoken.close()
        if self._is_deferred and not (spoken.raw or spoken.raw_thinking):
            self._discard()
            return
        whole = stored_reply_of(said._replace(ended=ended, error=error, digest=said.digest or digest), spoken)
        if self._is_beginning_due:
            self._write_beginning(said)
        self._enqueue(lambda store: store.finish(self._require_turn(), whole))
        self._close()

    async def wait_until_written(self) -> None:
        """Wait until all that was told so far has been written."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()

        def reached() -> None:
            loop.call_soon_threadsafe(done.set_result, None)

        self._submit(reached)
        await done

    # What becomes of it

    def _write_beginning(self, said: StoredReply) -> None:
        self._is_beginning_due = False
        self._enqueue(lambda store: self._begin_in_store(store, said))

    def _begin_in_store(self, store: Store, said: StoredReply) -> None:
        place = self._target
        if self.reply is not None:
            store.restart(self.reply, said)
            return
        if not self.session:
            self.session = store.create_session(title_of(place)).id
        if self.question is None:
            self.question = store.add_question(self.session, place.parent, place.text, place.attachments).id
        self.reply = store.add_reply(self.session, self.question, said).id

    def _require_turn(self) -> int:
        """Return the turn that the beginning made; after a beginning that failed nothing is done any more."""
        if self.reply is None:
            raise StoreError("this reply was never begun")
        return self.reply

    def _unwritten_text(self) -> tuple[str, str]:
        """Return the content and the thinking that are not written yet."""
        spoken = self._live_reply
        if spoken is None:
            return "", ""
        return "".join(spoken.raw[self._written_pieces :]), "".join(
            spoken.raw_thinking[self._written_thinking_pieces :]
        )

    def _checkpoint(self, now: float) -> None:
        """Write what is new; nothing new is a sign of life."""
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
        """Leave nothing behind of a question of one shot to which not a word was said."""
        if not self._is_beginning_due:
            self._enqueue(lambda store: store.remove(self.session))
            self._close()

    def _close(self) -> None:
        """Close the file of a question of one shot: whoever copies it then has everything in one file."""
        if self._is_deferred:
            self._enqueue(lambda store: store.close())

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
        """Say what is wrong with the store, once: what follows from it is no news."""
        if not self._has_warned:
            self._note(text)
        self._has_warned = True


def stored_reply_of(said: StoredReply, reply: Reply) -> StoredReply:
    """Return what is kept of a reply that is over."""
    return said._replace(
        family=reply.family.name,
        segments=reply.segments,
        answer=reply.answer,
        raw="".join(reply.raw),
        raw_thinking="".join(reply.raw_thinking),
        done_reason=reply.done_reason,
        warnings=tuple(text for text in reply.warnings if text != said.error),
        measured=reply.metrics,
    )


def title_of(target: RecordTarget) -> str:
    """Return what a new session is called: the first line of its question, or the names of what came along."""
    lines = (line.strip() for line in target.text.splitlines())
    first = next(filter(None, lines), "") or ", ".join(item.name for item in target.attachments)
    if len(first) <= TITLE_LENGTH:
        return first
    head = first[:TITLE_LENGTH]
    whole = head if first[TITLE_LENGTH].isspace() else head.rpartition(" ")[0] or head[:-1]
    return f"{whole.rstrip()[: TITLE_LENGTH - 1]}…"


def _discard_note(_: str) -> None:
    """Say nothing."""
