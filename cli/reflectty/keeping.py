"""Keeps one exchange in the store while it goes on, at once or late; what goes wrong there is a note and no error.

A chat writes at once: the question is there before the request is sent. A question of one shot writes late:
nothing is opened before the exchange is a second old, or over.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, NamedTuple

from reflectty.errors import ReflecttyError, StoreError
from reflectty.session import Attachment, Ended, Origin, Said

if TYPE_CHECKING:
    from collections.abc import Callable

    from reflectty.reply import Reply
    from reflectty.store import Store

    Work = Callable[[], None]

LATE_SECONDS = 1.0
"""How old an exchange of one shot is when it is written: a quick one pays nothing before its answer is out."""
CHECKPOINT_SECONDS = 1.0
CHECKPOINT_CHARACTERS = 4096
HEARTBEAT_SECONDS = 5.0
"""How often a silent reply says that who writes it is alive."""
TITLE_LENGTH = 60
GOES_ON = "this exchange is not kept any further"


class Place(NamedTuple):
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
    origin: Origin = Origin.ASKED


def at_once(work: Work) -> None:
    """Do a piece of work where it is asked for."""
    work()


class Keeper:
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
        place: Place,
        *,
        late: bool = False,
        soon: Callable[[Work], None] = at_once,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.session = place.session
        """The session's id, once the work is done that begins one."""
        self.question = place.question
        """The turn of the question, likewise."""
        self.reply = place.reply
        """The turn of the reply, likewise."""
        self.failure: ReflecttyError | None = None
        """Why nothing more is written."""
        self._open_store = store
        self._place = place
        self._late = late
        self._soon = soon
        self._clock = clock
        self._store: Store | None = None
        self._said: Said | None = None
        self._spoken: Reply | None = None
        self._note: Callable[[str], None] = _silently
        self._warned = False
        self._start = self._written = 0.0
        self._pieces = self._thoughts = 0
        self._waits = False
        """Whether the beginning is still to be written."""

    # What the exchange tells

    def begin(self, said: Said, reply: Reply, note: Callable[[str], None]) -> None:
        """Begin to keep a reply of which `said` is known; `note` says what goes wrong."""
        self._said, self._spoken, self._note = said._replace(origin=self._place.origin), reply, note
        self._start = self._written = self._clock()
        # What the reply recalls is its first piece, and the beginning has it.
        self._pieces, self._thoughts = (1 if said.raw else 0), 0
        self._waits = self._late
        if not self._late:
            self._write_beginning(self._said)

    def tick(self) -> None:
        """Write what is due."""
        if self._said is None:
            return
        now = self._clock()
        if self._waits and now - self._start >= LATE_SECONDS:
            self._write_beginning(self._said)
            self._checkpoint(now)
        elif not self._waits:
            silent, new = now - self._written, sum(map(len, self._new()))
            if silent >= (CHECKPOINT_SECONDS if new else HEARTBEAT_SECONDS) or new >= CHECKPOINT_CHARACTERS:
                self._checkpoint(now)

    def end(self, ended: Ended, error: str = "", digest: str = "") -> None:
        """Write the end, and the beginning where that is still to be done."""
        said, spoken = self._said, self._spoken
        if said is None or spoken is None:
            return
        spoken.close()
        if self._late and not (spoken.raw or spoken.raw_thinking):
            self._forget()
            return
        whole = told(said._replace(ended=ended, error=error, digest=said.digest or digest), spoken)
        if self._waits:
            self._write_beginning(said)
        self._do(lambda store: store.finish(self._turn(), whole))
        self._close()

    async def over(self) -> None:
        """Wait until all that was told so far has been written."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()

        def reached() -> None:
            loop.call_soon_threadsafe(done.set_result, None)

        self._soon(reached)
        await done

    # What becomes of it

    def _write_beginning(self, said: Said) -> None:
        self._waits = False
        self._do(lambda store: self._begin_in(store, said))

    def _begin_in(self, store: Store, said: Said) -> None:
        place = self._place
        if self.reply is not None:
            store.restart(self.reply, said)
            return
        if not self.session:
            self.session = store.begin(title(place)).id
        if self.question is None:
            self.question = store.ask(self.session, place.parent, place.text, place.attachments).id
        self.reply = store.reply(self.session, self.question, said).id

    def _turn(self) -> int:
        """Return the turn that the beginning made; after a beginning that failed nothing is done any more."""
        if self.reply is None:
            raise StoreError("this reply was never begun")
        return self.reply

    def _new(self) -> tuple[str, str]:
        """Return the content and the thinking that are not written yet."""
        spoken = self._spoken
        if spoken is None:
            return "", ""
        return "".join(spoken.raw[self._pieces :]), "".join(spoken.raw_thinking[self._thoughts :])

    def _checkpoint(self, now: float) -> None:
        """Write what is new; nothing new is a sign of life."""
        if self._spoken is None:
            return
        raw, thinking = self._new()
        self._pieces, self._thoughts = max(self._pieces, len(self._spoken.raw)), len(self._spoken.raw_thinking)
        self._written = now
        self._do(lambda store: store.checkpoint(self._turn(), raw, thinking))

    def _forget(self) -> None:
        """Leave nothing behind of a question of one shot to which not a word was said."""
        if not self._waits:
            self._do(lambda store: store.remove(self.session))
            self._close()

    def _close(self) -> None:
        """Close the file of a question of one shot: whoever copies it then has everything in one file."""
        if self._late:
            self._do(lambda store: store.close())

    def _do(self, work: Callable[[Store], None]) -> None:
        self._soon(lambda: self._try(work))

    def _try(self, work: Callable[[Store], None]) -> None:
        if self.failure:
            return
        try:
            self._store = self._store or self._open_store(self._warn)
            work(self._store)
        except ReflecttyError as error:
            self.failure = error
            self._warn(f"{error}: {GOES_ON}")

    def _warn(self, text: str) -> None:
        """Say what is wrong with the store, once: what follows from it is no news."""
        if not self._warned:
            self._note(text)
        self._warned = True


def told(said: Said, reply: Reply) -> Said:
    """Return what is kept of a reply that is over."""
    return said._replace(
        family=reply.family.name,
        segments=reply.segments,
        answer=reply.answer,
        raw="".join(reply.raw),
        raw_thinking="".join(reply.raw_thinking),
        done_reason=reply.done_reason,
        warnings=tuple(text for text in reply.warnings if text != said.error),
        measured=reply.measured,
    )


def title(place: Place) -> str:
    """Return what a new session is called: the first line of its question, or the names of what came along."""
    lines = (line.strip() for line in place.text.splitlines())
    first = next(filter(None, lines), "") or ", ".join(item.name for item in place.attachments)
    if len(first) <= TITLE_LENGTH:
        return first
    head = first[:TITLE_LENGTH]
    whole = head if first[TITLE_LENGTH].isspace() else head.rpartition(" ")[0] or head[:-1]
    return f"{whole.rstrip()[: TITLE_LENGTH - 1]}…"


def _silently(_: str) -> None:
    """Say nothing."""
