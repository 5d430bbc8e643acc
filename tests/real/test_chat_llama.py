"""The chat and a real llama-server that requires a key: a user and a model that corrects itself."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from reflectty.core.session import ReplyOrigin, ReplyStatus
from support.chat_process import SUMMARY, Chat, gutter, replies, stored_sessions
from support.openai_command import OpenAICommand
from support.real_llama import ENDLESS, KEY, NAME, ROOM, serve
from support.reference_replies import EDITED, QUESTION

if TYPE_CHECKING:
    from support.command import Reflect
    from support.real_llama import LlamaServer
    from support.reference_replies import ReferenceReply

pytestmark = pytest.mark.server

WORDS = ("-m", NAME, "--mode", "native")


@pytest.fixture
def command(reflect: Reflect, llama: LlamaServer) -> OpenAICommand:
    return OpenAICommand(reflect, llama.host, REFLECTTY_API_KEY=KEY)


def test_reply_is_streamed_steered_and_reopened(
    command: OpenAICommand, llama: LlamaServer, llama_reply: ReferenceReply
) -> None:
    with Chat(command, *WORDS, rows=50, columns=120) as chat:
        assert chat.opened()
        chat.ask(QUESTION)
        assert chat.matches(SUMMARY)
        assert chat.rests()
        assert chat.shows(llama_reply.answer)
        assert gutter(chat).count("↺") == len(llama_reply.corrections)
        assert chat.matches(rf"ctx .* of {ROOM // 1024}k ")
        assert chat.shows(f"● {llama.host.removeprefix('http://')}")

        chat.hit("steer")
        assert chat.shows("─ steer ")
        # With nothing selected and no reply running, this empties the composer.
        chat.hit("interrupt")
        assert chat.lacks("<reflection>")
        chat.press(EDITED.encode())
        assert chat.shows(EDITED)
        chat.hit("enter")
        assert chat.matches(r"✎ steered.*reply 2 of 2")
        assert chat.rests()
        assert chat.shows(f"│ {EDITED}")
        assert chat.leave() == 0

    ((_, turns),) = stored_sessions(command)
    first, steered = [turn.said for turn in turns if turn.said]
    assert (first.ended, first.answer, first.model) == (ReplyStatus.COMPLETE, llama_reply.answer, NAME)
    assert (steered.origin, steered.segments[0][1].startswith(EDITED)) == (ReplyOrigin.STEERED, True)

    with Chat(command, *WORDS, "-c", rows=50, columns=120) as chat:
        assert chat.shows("reply 2 of 2")
        assert chat.leave() == 0


def test_stopped_reply_is_continued(command: OpenAICommand) -> None:
    words = ("-m", NAME, "--mode", "direct", "--family", "none", "-o", "num_predict=60")
    with Chat(command, *words, rows=40) as chat:
        assert chat.opened()
        chat.ask(ENDLESS)
        assert chat.matches(r"\d+ tokens +esc stop")
        chat.hit("escape")
        assert chat.matches(r"stopped +alt\+g continue")
        (stopped,) = replies(command)
        chat.hit("continue")
        assert chat.lacks("alt+g continue")
        assert chat.until(lambda _: replies(command)[0].origin is ReplyOrigin.CONTINUED)
        assert chat.until(lambda _: replies(command)[0].ended is not ReplyStatus.STREAMING)
        assert chat.leave() == 0
    (continued,) = replies(command)

    assert stopped.ended is ReplyStatus.INTERRUPTED
    assert continued.origin is ReplyOrigin.CONTINUED
    assert continued.raw.startswith(stopped.raw)
    assert len(continued.raw) > len(stopped.raw)


def test_killed_server_is_reported_and_the_chat_stays_open(reflect: Reflect) -> None:
    with serve() as server:
        asking = OpenAICommand(reflect, server.host, REFLECTTY_API_KEY=KEY)
        with Chat(asking, "-m", NAME, "--mode", "direct", "--family", "none", rows=40) as chat:
            assert chat.opened()
            chat.ask(ENDLESS)
            assert chat.matches(r"\d+ tokens +esc stop")
            os.kill(server.process.pid, signal.SIGKILL)
            assert chat.matches(r"^ ! .*connection")
            assert chat.shows("is not reachable")
            assert chat.leave() == 0
    (said,) = replies(asking)

    assert said.ended is ReplyStatus.INCOMPLETE
    assert said.raw


def test_wrong_key_is_reported_and_the_chat_stays_open(reflect: Reflect, llama: LlamaServer) -> None:
    with Chat(OpenAICommand(reflect, llama.host, REFLECTTY_API_KEY="wrong-key"), *WORDS, columns=120) as chat:
        assert chat.opened()
        chat.ask(QUESTION)
        assert chat.shows("Invalid API Key")
        assert chat.shows("REFLECTTY_API_KEY")
        assert "wrong-key" not in chat.text
        assert chat.leave() == 0
