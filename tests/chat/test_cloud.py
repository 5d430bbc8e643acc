"""Cloud models in the chat: never a default, marked in the list, announced once."""

from __future__ import annotations

from reflectty.core.messages import Model
from reflectty.reasoning.modes import AskOptions
from support.chat_app import QUESTION, REPLY, Reader, in_a_chat
from support.model_server import model
from support.models_screen import WIDE, opened

NAME = "gpt-oss:120b-cloud"
STUB = Model(NAME, ("completion", "thinking"), remote_host="https://ollama.com:443")
LEAVES = f"{NAME} is a cloud model: your prompts leave this machine and go to ollama.com"


@in_a_chat(REPLY, REPLY, manner=AskOptions(model=NAME), size=WIDE)
async def test_cloud_model_notice_is_in_the_transcript_once(reader: Reader) -> None:
    reader.engine.installed = (STUB,)
    await reader.ask(QUESTION)
    await reader.ask(QUESTION)

    assert len(reader.engine.requests) == 2
    assert " ".join(reader.text.split()).count(LEAVES) == 1


@in_a_chat(size=WIDE)
async def test_model_dialog_names_the_host_of_a_cloud_model(reader: Reader) -> None:
    reader.engine.installed = (STUB, *reader.engine.installed)
    await reader.send("/model")
    await reader.shows("cloud: ollama.com, thinking")


@in_a_chat(size=WIDE)
async def test_model_list_shows_cloud_in_place_of_a_size(reader: Reader) -> None:
    stub = model(NAME, 384, "", "", "thinking", remote_host="https://ollama.com:443", remote_model="gpt-oss:120b")
    reader.server.models.append(stub)
    await opened(reader)
    await reader.shows(NAME)

    assert "cloud" in reader.row(NAME).split()
