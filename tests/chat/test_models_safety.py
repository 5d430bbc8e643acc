"""Bytes that reach the terminal from the screen of models: see test_safety."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from reflectty.tui.widgets.field import Field
from support.model_server import model
from support.screen_recorder import faults_of_each, recording, sweeps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.chat_app import Reader
    from support.screen_recorder import Case


@sweeps
def test_hostile_model_names_and_details_are_safe(cases: Sequence[Case]) -> None:
    async def use(reader: Reader, written: list[str]) -> list[str]:
        async def look(texts: list[str]) -> None:
            reader.server.models = [
                model(text, 1_000_000, text, text, text, modified_at=text, digest=text, license=text) for text in texts
            ]
            reader.server.loaded = dict.fromkeys(texts, (10, 5))
            await reader.press("f6")
            await reader.until(lambda: len(reader.app.screen.query("#models-facts")) and "loaded" in reader.text)
            await reader.press(*["down"] * len(texts))
            for keys in (("ctrl+l",), ("ctrl+y", "escape"), ("ctrl+x", "n")):
                await reader.press(*keys)
            # Its name goes to the chat, which looks up the model.
            await reader.press("enter")

        return await faults_of_each(reader, written, cases, look, 40)

    assert recording(use) == []


@sweeps
def test_hostile_pull_messages_are_safe(cases: Sequence[Case]) -> None:
    async def use(reader: Reader, written: list[str]) -> list[str]:
        await reader.press("f6")
        await reader.shows("mini")
        number = count()

        async def pull(texts: list[str]) -> None:
            names = {f"m{next(number)}": text for text in texts}
            for name, text in names.items():
                reader.server.pulling(name).say(text, digest=text, total=9, completed=4)
                reader.chat.action_perform("pull", name)
            await reader.shows(*names)
            await reader.press("pageup", *["down"] * len(names))
            for name, text in names.items():
                reader.server.pulling(name).fail(text)
            await reader.until(lambda: reader.text.count("! m") == len(names))
            await reader.press("pageup", *["ctrl+x"] * len(names))

        return await faults_of_each(reader, written, cases, pull, 20)

    assert recording(use) == []


@sweeps
def test_hostile_input_on_the_models_screen_is_safe(cases: Sequence[Case]) -> None:
    async def use(reader: Reader, written: list[str]) -> list[str]:
        await reader.press("f6")
        await reader.shows("mini")

        async def write(texts: list[str]) -> None:
            field = reader.app.screen.query_one(Field)
            for text in texts:
                field.value = text
                await reader.pilot.pause()
            field.value = "".join(texts)
            await reader.press("ctrl+p")
            await reader.shows("Pull a model")
            await reader.press("enter")
            await reader.shows("\n  !")
            field.value = ""

        return await faults_of_each(reader, written, cases, write, 40)

    assert recording(use) == []
