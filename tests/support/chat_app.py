"""Drives the whole chat without a terminal, over a scripted engine and a store in memory."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import io
import os
import tempfile
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import pytest

from reflectty import config
from reflectty.core.segments import Kind
from reflectty.core.session import ReplyStatus, StoredReply
from reflectty.reasoning.modes import AskOptions
from reflectty.store import open_store
from reflectty.system import assets
from reflectty.system.terminal import TRUECOLOR, Sink, Terminal
from reflectty.tui.actions import bind_actions
from reflectty.tui.app import ChatConfig, ChatProfile, ReflectApp
from reflectty.tui.controller import ChatController
from reflectty.tui.theme import ChatTheme
from support.app_pilot import piloted, until
from support.model_server import ModelServer
from support.scripted_engine import HOLD, ScriptedEngine, cut

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator

    from textual.pilot import Pilot

    from reflectty.core.messages import Engine
    from reflectty.core.session import Session
    from reflectty.store import Store
    from reflectty.view.reply_part import ReplyPart
    from support.scripted_engine import Step

P = ParamSpec("P")
Result = TypeVar("Result")

HOST = "127.0.0.1:11434"
QUESTION = "Which is larger, 9.11 or 9.9?"
THOUGHT = (
    "<thinking>\nBoth start with 9.\n11 is more than 9, so 9.11.\n"
    "<reflection>\nThe same number of digits: 9.90.\n</reflection>\n90 is more than 11.\n"
)
ANSWERED = "</thinking>\n\n<output>\n**9.9** is larger.\n</output>"
REPLY = cut(THOUGHT + ANSWERED)
"""A whole reply of a reflection model."""
IN_THOUGHT = (*cut(THOUGHT), HOLD, *cut(ANSWERED))
"""The same, held before the thinking ends."""
IN_ANSWER = (*cut(THOUGHT + ANSWERED[:35]), HOLD, *cut(ANSWERED[35:]))
"""The same, held within the answer."""
_DESKTOP = ("DISPLAY", "WAYLAND_DISPLAY", "TMUX", "STY", "SSH_TTY", "SSH_CONNECTION", "WSL_DISTRO_NAME", "WSL_INTEROP")


def plain_stored_reply(answer: str, *thought: tuple[Kind, str], **values: Any) -> StoredReply:
    """A complete reply of the reflection model."""
    said = StoredReply(
        "reflection",
        family="reflection",
        mode="native",
        segments=(*thought, (Kind.ANSWER, answer)),
        answer=answer,
        raw=answer,
        ended=ReplyStatus.COMPLETE,
    )
    return said._replace(**values)


def store_exchanges(store: Store, *exchanges: tuple[str, StoredReply]) -> Session:
    """Store a session with these questions and replies; return it."""
    session = store.create_session(exchanges[0][0])
    parent = None
    for text, said in exchanges:
        question = store.add_question(session.id, parent, text)
        parent = store.add_reply(session.id, question.id, said).id
        store.finish(parent, said)
    return store.find(session.id)


def three_exchanges(store: Store) -> Session:
    said = plain_stored_reply("Yes.", (Kind.THINKING, "Let me see."))
    return store_exchanges(store, ("First?", said), ("Second?", said), ("Third?", said))


class Reader:
    """A user of the chat: presses keys, types, and reads the rows of the screen."""

    def __init__(
        self, app: ReflectApp, pilot: Pilot[None], engine: ScriptedEngine, server: ModelServer, home: Path
    ) -> None:
        self.app = app
        self.pilot = pilot
        self.engine = engine
        self.server = server
        """The server whose models the chat shows and changes."""
        self.home = home
        self.written: list[str] = []
        """The control sequences that are sent past the screen."""
        self.parted: list[str] = []
        """The lines to print once the screen is gone."""
        self.chat.config = self.chat.config._replace(
            write_sequence=self.written.append, exit_message=self.parted.append
        )

    @property
    def chat(self) -> ChatController:
        """The screen of the chat."""
        return next(screen for screen in self.app.screen_stack if isinstance(screen, ChatController))

    @property
    def store(self) -> Store:
        return self.chat.conversation.store

    # Input

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.settle()

    async def write(self, text: str) -> None:
        """Put a text into the composer."""
        self.chat.composer.fill(text)
        await self.settle()

    async def send(self, text: str) -> None:
        """Send a question or a command."""
        self.chat.composer.fill(text)
        await self.press("enter")

    async def ask(self, text: str) -> None:
        """Ask, and wait for the end of the reply."""
        asked = len(self.engine.requests)
        await self.send(text)
        await self.until(lambda: len(self.engine.requests) > asked)
        await self.at_rest()

    async def ask_held(self, text: str, shown: str = "") -> None:
        """Ask, and wait until a part of the reply is on the screen."""
        asked = len(self.engine.requests)
        await self.send(text)
        await self.until(lambda: len(self.engine.requests) > asked)
        await self.shows(shown)

    async def resize(self, width: int, height: int) -> None:
        await self.pilot.resize_terminal(width, height)
        await self.settle()

    # Screen

    def rows(self) -> list[str]:
        """The rows of the screen without the scroll bar."""
        strips = self.app.screen._compositor.render_strips()  # noqa: SLF001 - there is no public view of the drawn rows
        return [strip.text.rstrip(" ▐") for strip in strips]

    @property
    def text(self) -> str:
        return "\n".join(self.rows())

    def row(self, part: str) -> str:
        """The first row that contains a text."""
        found = next((row for row in self.rows() if part in row), None)
        assert found is not None, f"{part!r} is not in\n{self.text}"
        return found

    def sees(self, *parts: str) -> list[str]:
        """Those of these texts that are on the screen."""
        return [part for part in parts if part in self.text]

    async def settle(self) -> None:
        """Wait until nothing is left to do, the next frame included."""
        await self.pilot.pause()
        transcript = self.chat.transcript
        if transcript._timer:  # noqa: SLF001 - a frame is due within 50 ms: it comes now
            transcript._draw_frame()  # noqa: SLF001
            await self.pilot.pause()

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until a condition holds."""
        await until(self.pilot, condition, self.rows)

    async def shows(self, *parts: str) -> None:
        """Wait until these texts are on the screen."""
        await self.until(lambda: self.sees(*parts) == list(parts))

    async def at_rest(self) -> None:
        """Wait until no question is running or queued."""
        await self.until(lambda: self.chat.turns.current is None and not self.chat.turns.queue)
        await self.settle()

    # State

    @property
    def reply(self) -> ReplyPart:
        """The last reply."""
        return self.chat.turns.parts.replies[-1]

    @property
    def stored_reply(self) -> StoredReply:
        """The last reply as stored."""
        said = self.stored_turns[-1].said
        assert isinstance(said, StoredReply)
        return said

    @property
    def stored_turns(self) -> tuple[Any, ...]:
        """All turns of the session, read from the store."""
        session = self.chat.conversation.session
        return self.store.turns(session.id) if session else ()


def app_over(
    engine: Engine, store: Store, *, theme: str = "ink", colours: int = TRUECOLOR, **values: Any
) -> ReflectApp:
    """The application as the command makes it, but for its engine, its store and its terminal."""
    sink = Sink(io.StringIO(), tty=True, color_count=colours, unicode=values.pop("unicode", True))
    terminal = Terminal(None, stdin_tty=True, out=sink, err=sink, can_redraw=True)
    manner = values.pop("manner", AskOptions(model="reflection"))
    looks = ChatTheme(terminal, theme, (Path("no-themes-of-the-user"), assets.find_asset_folder("themes")))
    library = values.pop("library", ModelServer().library)
    setup = ChatConfig(
        looks, bind_actions(values.pop("keys", ())), manner, store, lambda: engine, library, _profiled, HOST
    )
    return ReflectApp(setup._replace(**values), animation=False)


def _profiled(name: str) -> ChatProfile:
    """How a profile of the settings asks, with the same engine."""
    return ChatProfile(config.load_settings(profile=name).ask_options)


async def _use(  # noqa: PLR0913 - each is an option of a test
    home: Path,
    scripts: Iterable[Iterable[Step]],
    use: Callable[[Reader], Awaitable[Result]],
    *,
    size: tuple[int, int] = (80, 30),
    notifications: bool = True,
    before: Callable[[Store], Session | None] = lambda _: None,
    opened: Callable[[Store], Store] = lambda store: store,
    make: Callable[..., ReflectApp] = app_over,
    afterwards: Callable[[ScriptedEngine, Store], None] = lambda *_: None,
    **values: Any,
) -> Result:
    engine, server, store = ScriptedEngine(*scripts), ModelServer(), open_store(None, pytest.fail)
    try:
        app = make(engine, opened(store), session=before(store), library=server.library, **values)
        async with piloted(app, size, notifications=notifications) as pilot:
            reader = Reader(app, pilot, engine, server, home)
            await reader.until(lambda: reader.chat.turns.engine is engine)
            await reader.settle()
            result = await use(reader)
        afterwards(engine, store)
        return result
    finally:
        store.close()


def chatting(use: Callable[[Reader], Awaitable[Result]], *scripts: Iterable[Step], **values: Any) -> Result:
    """Run the chat in an empty home with scripted replies, and return the result of the test.

    Args:
        use: drives the chat.
        scripts: the model's replies, one for each request.
        values: `size`, `before` (fills the store and returns the session to continue), `opened` (wraps the store),
            `make` (makes the application), `afterwards` (runs after the chat has ended), and the arguments of
            `app_over`.
    """
    with empty_home() as home:
        return asyncio.run(_use(home, scripts, use, **values))


@contextlib.contextmanager
def empty_home() -> Iterator[Path]:
    """Hide everything of the machine's user: an empty home, no desktop, a known terminal."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", folder)
        patch.setenv("TERM", "xterm-256color")
        for name in [*_DESKTOP, *(name for name in os.environ if name.startswith("XDG_"))]:
            patch.delenv(name, raising=False)
        patch.chdir(folder)
        yield Path(folder)


def in_a_chat(
    *scripts: Iterable[Step], **values: Any
) -> Callable[[Callable[Concatenate[Reader, P], Awaitable[None]]], Callable[P, None]]:
    """Turn a test that takes a reader into one that runs in a chat with these replies; see `chatting`."""

    def around(test: Callable[Concatenate[Reader, P], Awaitable[None]]) -> Callable[P, None]:
        @wraps(test)
        def run(*args: P.args, **kwargs: P.kwargs) -> None:
            chatting(lambda reader: test(reader, *args, **kwargs), *scripts, **values)

        given = inspect.signature(test)
        run.__signature__ = given.replace(parameters=list(given.parameters.values())[1:])  # type: ignore[attr-defined]
        return run

    return around
