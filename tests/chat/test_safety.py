"""What reaches the terminal from the chat: the very bytes, and no control function but those of the screen itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from textual.drivers.headless_driver import HeadlessDriver

from reflectty.chat import Model
from reflectty.errors import RefusedError
from reflectty.session import Attachment, Ended, Measured, Said
from reflectty.stream import Kind
from reflectty.tui.conversation import Manner
from support.cases import cases
from support.chat_app import app_over, chatting, talked
from support.safety_checks import is_forbidden, told
from support.scripted_engine import HOLD, ScriptedEngine, cut

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from textual.driver import Driver

    from reflectty.store import Store
    from reflectty.tui.app import ReflectApp
    from support.chat_app import Reader
    from support.scripted_engine import Script

CASES = cases("hostile.jsonl")
MOST = 600
"""Of a text that is repeated without end, so many characters do."""
OURS = re.compile(r"\x1b\[[\d;]*m|\x1b\[\d+;\d+H|\x1b\[\?2026[hl]|\x1b\]22;[a-z-]+\x07")
"""Colours, where to write, what frames an update, the shape of the mouse: all that the screen says by itself."""
POINTER = re.compile(r"\x1b\]22;[a-z-]+\x07")
HIDING = re.compile(r"\x1b\[(?:\d+;)*0*(?:5|6|8)(?:;\d+)*m")
COLOURS = re.compile(r"[34]8;(?:2;\d+;\d+;\d+|5;\d+)")
_BEGINNINGS = ("\x1b", "\x1b[", " \x1b")
DRAWN = {"draw", "select_graphic_rendition", "cursor_position", "set_mode", "reset_mode", "linefeed", "carriage_return"}


class Recorder(HeadlessDriver):
    """A driver that keeps what it is to write."""

    written: list[str]

    @property
    def is_headless(self) -> bool:
        return False

    def write(self, data: str) -> None:
        self.written.append(data)

    def flush(self) -> None:
        """Everything is kept at once."""


def recorded(written: list[str]) -> Callable[..., ReflectApp]:
    """Return what makes the application over a driver that writes into that list."""

    def make(engine: ScriptedEngine, store: Store, **values: Any) -> ReflectApp:
        app = app_over(engine, store, **values)

        def build(*_: object, size: tuple[int, int] | None, **__: object) -> Driver:
            driver = Recorder(app, size=size)
            driver.written = written
            return driver

        app._build_driver = build  # type: ignore[method-assign,assignment] # noqa: SLF001 - Textual's seam for other drivers
        return app

    return make


def text_of(case: dict[str, Any]) -> str:
    text: str = case["text"]
    return text * min(int(case.get("repeat", 1)), max(1, MOST // max(1, len(text))))


def faults(written: str, those: Sequence[dict[str, Any]] = ()) -> list[str]:
    """Return what should not have been written while those texts were shown."""
    rest = OURS.sub("", written)
    found = [f"U+{ord(char):04X}" for char in sorted(set(rest)) if is_forbidden(char)]
    found += sorted(told(POINTER.sub("", written)) - DRAWN)
    found += HIDING.findall(COLOURS.sub("", written))
    needles = ((case["id"], case.get("needle", "")) for case in those if case["expect"] == "neutralise")
    # What is the beginning of a sequence of ours is looked for in the rest.
    return found + [
        name for name, needle in needles if needle and needle in (rest if needle in _BEGINNINGS else written)
    ]


async def each(
    reader: Reader, written: list[str], use: Callable[[list[str]], Awaitable[None]], size: int = 8
) -> list[str]:
    """Put all hostile texts somewhere, so many at a time; return what should not have been written then."""
    found: list[str] = []
    for at in range(0, len(CASES), size):
        those = CASES[at : at + size]
        written.clear()
        await use([text_of(case) for case in those])
        await reader.settle()
        assert written, "nothing was drawn"
        found += [f"{those[0]['id']}…{those[-1]['id']}: {fault}" for fault in faults("".join(written), those)]
    return found


def everywhere(text: str) -> tuple[str, Said]:
    """Return an exchange in which a text stands wherever one can."""
    segments = ((Kind.THINKING, text), (Kind.REFLECTION, text), (Kind.ANSWER, text))
    said = Said(
        text,
        segments=segments,
        answer=text,
        raw=text,
        mode=text,
        family=text,
        ended=Ended.INCOMPLETE,
        error=text,
        warnings=(text,),
        measured=Measured(4, 4, 1, 2_000.0),
    )
    return text, said


def recording(use: Callable[[Reader, list[str]], Awaitable[list[str]]], *scripts: Script, **values: Any) -> list[str]:
    """Run the chat on a tall screen; `use` is given the list into which all that it draws is written."""
    written: list[str] = []
    return chatting(lambda reader: use(reader, written), *scripts, make=recorded(written), size=(100, 150), **values)


def test_what_the_screen_itself_writes_is_known() -> None:
    async def use(reader: Reader, written: list[str]) -> list[str]:
        await reader.ask("Which?")
        await reader.press("f1")
        return faults("".join(written))

    assert recording(use, cut("<thinking>\nHm.\n</thinking>\n<output>\n**Yes**, `x`.\n</output>")) == []


@pytest.mark.parametrize("hostile", ["\x1b]52;c;aGk=\x07", "\x1b[8m", "\x9b31m", "\u202e", "\x1b[2J", "\r", "\x08"])
def test_what_is_no_part_of_the_screen_is_noticed(hostile: str) -> None:
    assert faults(f"\x1b[1;1H\x1b[38;2;8;8;8mtext {hostile} text\x1b[0m") != []


@pytest.mark.parametrize("view", ["live", "folded"])
def test_a_stored_session_is_safe_to_look_at(view: str) -> None:
    async def use(reader: Reader, written: list[str]) -> list[str]:
        await reader.send(f"/thinking {view}")

        async def show(texts: list[str]) -> None:
            reader.chat.show_conversation(talked(reader.store, *map(everywhere, texts)))
            await reader.press("pageup")

        return await each(reader, written, show)

    assert recording(use) == []


@pytest.mark.parametrize("view", ["live", "folded"])
def test_a_reply_that_comes_is_safe_to_look_at(view: str) -> None:
    async def use(reader: Reader, written: list[str]) -> list[str]:
        await reader.send(f"/thinking {view}")

        async def ask(texts: list[str]) -> None:
            text = "\n".join(texts)
            reader.chat.conversation.close()
            reader.chat.show_conversation()
            inside = f"<thinking>\n{text}\n<reflection>\n{text}\n</reflection>\n"
            reader.engine.add(*cut(inside, 7), HOLD, *cut(f"</thinking>\n<output>\n{text}\n</output>", 3))
            await reader.ask_held("Say something.")
            await reader.until(lambda: len(reader.reply.state.model) and reader.chat.transcript.virtual_size.height)
            await reader.pilot.pause(0.15)
            reader.engine.release()
            await reader.at_rest()

        return await each(reader, written, ask)

    assert recording(use) == []


def test_a_question_its_title_and_what_came_along_are_safe() -> None:
    async def use(reader: Reader, written: list[str]) -> list[str]:
        async def ask(texts: list[str]) -> None:
            reader.chat.conversation.close()
            reader.chat.show_conversation()
            for text in texts:
                reader.engine.add("Yes.")
                reader.chat.exchanges.ask(text, (Attachment(text, "file", text),))
            await reader.at_rest()
            for text in texts:
                reader.chat.conversation.rename(text)
                reader.chat.changed()
                await reader.pilot.pause()

        return await each(reader, written, ask)

    assert recording(use) == []


def test_what_is_typed_or_pasted_is_safe() -> None:
    async def use(reader: Reader, written: list[str]) -> list[str]:
        async def write(texts: list[str]) -> None:
            for text in texts:
                reader.chat.composer.fill("")
                reader.chat.composer.insert(f"x{text}")
                await reader.pilot.pause()

        return await each(reader, written, write, 40)

    assert recording(use) == []


def test_errors_notes_and_toasts_are_safe() -> None:
    async def use(reader: Reader, written: list[str]) -> list[str]:
        async def fail(texts: list[str]) -> None:
            reader.app.clear_notifications()
            reader.chat.show_conversation()
            for text in texts:
                reader.chat.note(text)
                reader.chat.note(text, wrong=True)
                reader.chat.complain(RefusedError(text, text))
            await reader.pilot.pause(0.05)

        return await each(reader, written, fail)

    assert recording(use) == []


def test_a_failing_server_is_quoted_safely() -> None:
    async def use(reader: Reader, written: list[str]) -> list[str]:
        async def ask(texts: list[str]) -> None:
            reader.chat.conversation.close()
            reader.chat.show_conversation()
            for text in texts:
                reader.engine.add("Yes, ", RefusedError(text, text))
                reader.chat.exchanges.ask("Say something.")
                await reader.until(lambda: reader.chat.talk.running is None)

        return await each(reader, written, ask)

    assert recording(use) == []


def test_the_names_of_models_are_safe() -> None:
    async def use(reader: Reader, written: list[str]) -> list[str]:
        async def choose(texts: list[str]) -> None:
            reader.engine.installed = tuple(Model(text, (text, "completion")) for text in texts)
            for text in texts:
                reader.chat.manner(model=text)
                await reader.pilot.pause()
            await reader.press("f2")
            await reader.until(lambda: len(reader.app.screen_stack) > 1)
            await reader.settle()
            await reader.press("escape")

        return await each(reader, written, choose, 30)

    assert recording(use, manner=Manner("other")) == []


def test_the_list_of_sessions_is_safe() -> None:
    async def use(reader: Reader, written: list[str]) -> list[str]:
        async def open_panel(texts: list[str]) -> None:
            for text in texts:
                talked(reader.store, everywhere(f"needle {text}"))
            await reader.press("ctrl+o", *["pagedown"] * 4, "escape")
            await reader.send("/search needle")
            await reader.press(*["pagedown"] * 8)

        return await each(reader, written, open_panel, len(CASES))

    assert recording(use) == []
