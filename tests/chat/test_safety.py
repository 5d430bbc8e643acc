"""Bytes that reach the terminal from the chat: the only control functions are those of the screen itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reflectty.core.errors import RefusedError
from reflectty.core.messages import Model
from reflectty.core.segments import Kind
from reflectty.core.session import Attachment, ReplyMetrics, ReplyStatus, StoredReply
from reflectty.reasoning.modes import AskOptions
from support.chat_app import store_exchanges
from support.screen_recorder import faults, faults_of_each, recording, sweeps
from support.scripted_engine import HOLD, cut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.chat_app import Reader
    from support.screen_recorder import Case


def everywhere(text: str) -> tuple[str, StoredReply]:
    """An exchange with a text in every possible place."""
    segments = ((Kind.THINKING, text), (Kind.REFLECTION, text), (Kind.ANSWER, text))
    said = StoredReply(
        text,
        segments=segments,
        answer=text,
        raw=text,
        mode=text,
        family=text,
        ended=ReplyStatus.INCOMPLETE,
        error=text,
        warnings=(text,),
        measured=ReplyMetrics(4, 4, 1, 2_000.0),
    )
    return text, said


def test_escape_sequences_of_the_screen_are_allowed() -> None:
    async def use(reader: Reader, written: list[str]) -> list[str]:
        await reader.ask("Which?")
        await reader.press("f1")
        return faults("".join(written))

    assert recording(use, cut("<thinking>\nHm.\n</thinking>\n<output>\n**Yes**, `x`.\n</output>")) == []


@pytest.mark.parametrize("hostile", ["\x1b]52;c;aGk=\x07", "\x1b[8m", "\x9b31m", "\u202e", "\x1b[2J", "\r", "\x08"])
def test_foreign_control_sequences_are_detected(hostile: str) -> None:
    assert faults(f"\x1b[1;1H\x1b[38;2;8;8;8mtext {hostile} text\x1b[0m") != []


@pytest.mark.parametrize("view", ["live", pytest.param("folded", marks=pytest.mark.slow)])
@sweeps
def test_hostile_stored_session_is_safe(view: str, cases: Sequence[Case]) -> None:
    async def use(reader: Reader, written: list[str]) -> list[str]:
        await reader.send(f"/thinking {view}")

        async def show(texts: list[str]) -> None:
            reader.chat.show_conversation(store_exchanges(reader.store, *map(everywhere, texts)))
            await reader.press("pageup")

        return await faults_of_each(reader, written, cases, show)

    assert recording(use) == []


@pytest.mark.parametrize("view", ["live", pytest.param("folded", marks=pytest.mark.slow)])
@sweeps
def test_hostile_streaming_reply_is_safe(view: str, cases: Sequence[Case]) -> None:
    async def use(reader: Reader, written: list[str]) -> list[str]:
        await reader.send(f"/thinking {view}")

        async def ask(texts: list[str]) -> None:
            text = "\n".join(texts)
            reader.chat.conversation.close()
            reader.chat.show_conversation()
            inside = f"<thinking>\n{text}\n<reflection>\n{text}\n</reflection>\n"
            reader.engine.add(*cut(inside, 7), HOLD, *cut(f"</thinking>\n<output>\n{text}\n</output>", 3))
            await reader.ask_held("Say something.")
            await reader.until(lambda: reader.engine.held)
            await reader.settle()
            reader.engine.release()
            await reader.at_rest()

        return await faults_of_each(reader, written, cases, ask)

    assert recording(use) == []


@sweeps
def test_hostile_questions_titles_and_attachments_are_safe(cases: Sequence[Case]) -> None:
    async def use(reader: Reader, written: list[str]) -> list[str]:
        async def ask(texts: list[str]) -> None:
            reader.chat.conversation.close()
            reader.chat.show_conversation()
            for text in texts:
                reader.engine.add("Yes.")
                reader.chat.turns.ask(text, (Attachment(text, "file", text),))
            await reader.at_rest()
            for text in texts:
                reader.chat.conversation.rename(text)
                reader.chat.refresh_status()
                await reader.pilot.pause()

        return await faults_of_each(reader, written, cases, ask)

    assert recording(use) == []


@sweeps
def test_hostile_composer_text_is_safe(cases: Sequence[Case]) -> None:
    async def use(reader: Reader, written: list[str]) -> list[str]:
        async def write(texts: list[str]) -> None:
            for text in texts:
                reader.chat.composer.fill("")
                reader.chat.composer.insert(f"x{text}")
                await reader.pilot.pause()

        return await faults_of_each(reader, written, cases, write, 40)

    assert recording(use) == []


@sweeps
def test_errors_notes_and_toasts_are_safe(cases: Sequence[Case]) -> None:
    async def use(reader: Reader, written: list[str]) -> list[str]:
        async def fail(texts: list[str]) -> None:
            reader.app.clear_notifications()
            reader.chat.show_conversation()
            for text in texts:
                reader.chat.note(text)
                reader.chat.note(text, wrong=True)
                reader.chat.report_error(RefusedError(text, text))
            await reader.settle()

        return await faults_of_each(reader, written, cases, fail)

    assert recording(use) == []


@sweeps
def test_hostile_server_errors_are_safe(cases: Sequence[Case]) -> None:
    async def use(reader: Reader, written: list[str]) -> list[str]:
        async def ask(texts: list[str]) -> None:
            reader.chat.conversation.close()
            reader.chat.show_conversation()
            for text in texts:
                reader.engine.add("Yes, ", RefusedError(text, text))
                reader.chat.turns.ask("Say something.")
                await reader.until(lambda: reader.chat.turns.current is None)

        return await faults_of_each(reader, written, cases, ask)

    assert recording(use) == []


@sweeps
def test_hostile_model_names_are_safe(cases: Sequence[Case]) -> None:
    async def use(reader: Reader, written: list[str]) -> list[str]:
        async def choose(texts: list[str]) -> None:
            reader.engine.installed = tuple(Model(text, (text, "completion")) for text in texts)
            for text in texts:
                reader.chat.change_ask_options(model=text)
                await reader.pilot.pause()
            await reader.press("f2")
            await reader.until(lambda: len(reader.app.screen_stack) > 1)
            await reader.settle()
            await reader.press("escape")

        return await faults_of_each(reader, written, cases, choose, 30)

    assert recording(use, manner=AskOptions(model="other")) == []


@sweeps
def test_hostile_session_list_is_safe(cases: Sequence[Case]) -> None:
    async def use(reader: Reader, written: list[str]) -> list[str]:
        async def open_panel(texts: list[str]) -> None:
            for text in texts:
                store_exchanges(reader.store, everywhere(f"needle {text}"))
            await reader.press("ctrl+o", *["pagedown"] * 4, "escape")
            await reader.send("/search needle")
            await reader.press(*["pagedown"] * 8)

        return await faults_of_each(reader, written, cases, open_panel, len(cases))

    assert recording(use) == []
