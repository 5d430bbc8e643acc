from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual import events

from reflectty.core.session import Attachment
from reflectty.reasoning.modes import AskOptions
from reflectty.tui.composer.pastes import Draft, PasteBuffer
from support.chat_app import IN_THOUGHT, chatting, in_a_chat
from support.clipboard_programs import JPEG, JPEG_TEXT, PNG, PNG_TEXT, install_clipboard
from support.scripted_engine import HOLD, cut

if TYPE_CHECKING:
    from pathlib import Path

    from support.chat_app import Reader

ANSWER = cut("<think>Let me see.</think>A red square.")
EYES = AskOptions(model="deepseek-r1")


class Desktop:
    """An X server's clipboard, in a folder that is the whole PATH."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        self._patch = patch

    def show(self) -> None:
        """Give the chat a display: it starts without one."""
        self._patch.setenv("DISPLAY", ":0")

    def copy(self, content: bytes = PNG) -> None:
        self.show()
        install_clipboard(self._folder, "xclip", "image/png", content)


@pytest.fixture(name="desktop")
def _desktop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desktop:
    monkeypatch.setenv("PATH", str(tmp_path))
    return Desktop(tmp_path, monkeypatch)


async def paste_image(reader: Reader, mark: str) -> None:
    await reader.press("alt+v")
    await reader.until(lambda: mark in reader.chat.composer.text)


def images_of(reader: Reader) -> list[tuple[str, str]]:
    """The images of the last question: their names and contents."""
    turn = next(turn for turn in reversed(reader.stored_turns) if turn.said is None)
    return [(item.name, item.content) for item in turn.attachments]


@in_a_chat(ANSWER, manner=EYES)
async def test_image_in_the_clipboard_is_attached(reader: Reader, desktop: Desktop) -> None:
    desktop.copy()
    await paste_image(reader, "[image 1] ")
    await reader.shows("image attached (15 B)")
    await reader.press(*"what?", "enter")
    await reader.at_rest()

    assert [message.images for message in reader.engine.requests[0].messages if message.role == "user"] == [(PNG_TEXT,)]
    assert images_of(reader) == [("image 1", PNG_TEXT)]
    assert reader.sees("[image 1] what?", "+ image 1") == ["[image 1] what?", "+ image 1"]


@pytest.mark.parametrize("way", ["an empty paste", "ctrl+v", "/paste"])
def test_every_way_to_paste_asks_for_the_image(way: str, desktop: Desktop) -> None:
    async def use(reader: Reader) -> None:
        desktop.copy()
        if way == "an empty paste":
            reader.chat.composer.post_message(events.Paste(""))
        elif way == "ctrl+v":
            await reader.press("ctrl+v")
        else:
            await reader.send("/paste")
        await reader.until(lambda: reader.chat.composer.text == "[image 1] ")

    chatting(use)


@in_a_chat()
async def test_text_that_was_cut_comes_before_the_image(reader: Reader, desktop: Desktop) -> None:
    desktop.copy()
    await reader.write("cut")
    await reader.press("shift+home", "ctrl+x", "ctrl+v")

    assert reader.chat.composer.text == "cut"


@in_a_chat()
async def test_clipboard_without_an_image_is_one_note(reader: Reader, desktop: Desktop) -> None:
    desktop.copy(b"text")
    await reader.press("alt+v")
    await reader.shows("no image in the clipboard")

    assert reader.chat.composer.text == ""


@in_a_chat()
async def test_missing_program_is_named(reader: Reader, desktop: Desktop) -> None:
    desktop.show()
    await reader.press("alt+v")
    await reader.shows("install xclip")


@in_a_chat(IN_THOUGHT, manner=AskOptions(model="reflection"))
async def test_thinking_takes_no_image(reader: Reader, desktop: Desktop) -> None:
    desktop.copy()
    await reader.ask_held("Why?", "90 is more")
    await reader.press("alt+s")
    await reader.until(lambda: reader.chat.turns.is_steering)
    await reader.press("alt+v")
    await reader.shows("the thinking is being edited")


@in_a_chat(ANSWER, ANSWER, ANSWER, manner=EYES)
async def test_edited_question_keeps_the_images_that_it_names(reader: Reader, desktop: Desktop) -> None:
    desktop.copy()
    await paste_image(reader, "[image 1] ")
    desktop.copy(JPEG)
    await paste_image(reader, "[image 2] ")
    await reader.press("x", "enter")
    await reader.at_rest()
    await reader.press("alt+e", "enter")
    await reader.at_rest()
    assert images_of(reader) == [("image 1", PNG_TEXT), ("image 2", JPEG_TEXT)]

    await reader.press("alt+e", "home", "delete", "enter")
    await reader.at_rest()
    assert images_of(reader) == [("image 2", JPEG_TEXT)]


@in_a_chat((HOLD, *ANSWER), ANSWER, manner=EYES)
async def test_withdrawn_question_brings_its_image_back(reader: Reader, desktop: Desktop) -> None:
    await reader.ask_held("First?")
    desktop.copy()
    await paste_image(reader, "[image 1] ")
    await reader.press("x", "enter")
    await reader.press("up")
    await reader.until(lambda: reader.chat.composer.text == "[image 1] x")
    await reader.press("enter")
    reader.engine.release()
    await reader.at_rest()

    assert images_of(reader) == [("image 1", PNG_TEXT)]


@in_a_chat(ANSWER, ANSWER, manner=EYES)
async def test_recalled_question_has_its_image_again(reader: Reader, desktop: Desktop) -> None:
    desktop.copy()
    await paste_image(reader, "[image 1] ")
    await reader.press("x", "enter")
    await reader.at_rest()
    await reader.press("up", "enter")
    await reader.at_rest()

    assert images_of(reader) == [("image 1", PNG_TEXT)]


def test_images_of_two_questions_get_marks_of_their_own() -> None:
    pastes = PasteBuffer()
    mark = pastes.paste_image(PNG_TEXT)
    shown = pastes.show(Draft("[image 1] and [image 2]", (), (image("image 1", JPEG_TEXT), image("image 2", PNG_TEXT))))

    assert (mark, shown) == ("[image 1]", "[image 2] and [image 1]")
    assert pastes.expand(shown).images == (image("image 1", PNG_TEXT), image("image 2", JPEG_TEXT))
    assert pastes.expand("[image 2").images == ()


def image(name: str, content: str) -> Attachment:
    return Attachment(name, "image", content)


@in_a_chat()
async def test_mark_of_an_image_is_deleted_whole_and_cannot_be_opened(reader: Reader, desktop: Desktop) -> None:
    desktop.copy()
    await paste_image(reader, "[image 1] ")
    await reader.press("tab")
    assert reader.chat.composer.text == "[image 1] "
    await reader.press("backspace", "backspace")
    assert reader.chat.composer.text == ""
