"""The chat and a real Ollama: a user and a model that corrects itself, from the first question to the next day."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from reflectty.core.segments import Kind
from reflectty.core.session import ReplyOrigin, ReplyStatus
from support.chat_process import SUMMARY, Chat, gutter, replies, stored_sessions
from support.reference_replies import EDITED, QUESTION

if TYPE_CHECKING:
    from support.command import Reflect
    from support.real_ollama import Server
    from support.reference_replies import ReferenceReply

pytestmark = pytest.mark.server

STORY = "Tell me a long story about a fox."


@pytest.fixture
def command(reflect: Reflect, ollama: Server) -> Reflect:
    return reflect.at(ollama.host)


@pytest.mark.parametrize("model", ["mini", "mini-native"])
class TestReflectionModel:
    def test_reply_is_streamed_steered_edited_and_reopened(  # noqa: PLR0915 - one session, from its first question to the next day
        self, command: Reflect, mini_reply: ReferenceReply, model: str
    ) -> None:
        words = ("-m", model, "--mode", "native")
        with Chat(command, *words, rows=50, columns=120) as chat:
            assert chat.opened()
            chat.ask(QUESTION)
            assert chat.shows(f"▌ {QUESTION}")
            assert chat.matches(r"^ │ \w+")
            assert chat.matches(SUMMARY)
            assert chat.rests()
            assert chat.shows(mini_reply.answer)
            assert gutter(chat).count("↺") == len(mini_reply.corrections)
            assert gutter(chat).startswith("│")

            chat.hit("steer")
            assert chat.shows("─ steer ")
            assert chat.shows("<reflection>")
            # With nothing selected and no reply running, this empties the composer.
            chat.hit("interrupt")
            assert chat.lacks("<reflection>")
            chat.press(EDITED.encode())
            assert chat.shows(EDITED)
            chat.hit("enter")
            assert chat.matches(r"✎ steered.*reply 2 of 2")
            assert chat.rests()
            assert chat.shows(f"│ {EDITED}")

            chat.hit("branch before")
            assert chat.matches(r"reply 1 of 2")
            assert "✎ steered" not in chat.text
            chat.hit("branch after")
            assert chat.matches(r"✎ steered.*reply 2 of 2")

            chat.hit("edit")
            assert chat.shows("resend as a new branch")
            assert chat.shows(f"│ {QUESTION}")
            chat.press(b" Answer briefly.")
            chat.hit("enter")
            assert chat.shows("question 2 of 2")
            assert chat.rests()
            assert chat.leave() == 0

        ((session, turns),) = stored_sessions(command)
        first, steered, other = [turn.said for turn in turns if turn.said]
        assert [turn.text for turn in turns if not turn.said] == [QUESTION, f"{QUESTION} Answer briefly."]
        assert (first.ended, first.answer) == (ReplyStatus.COMPLETE, mini_reply.answer)
        assert first.segments[1][0] is Kind.REFLECTION
        assert (steered.origin, steered.segments[0][1].startswith(EDITED)) == (ReplyOrigin.STEERED, True)
        assert (other.origin, other.ended) == (ReplyOrigin.ASKED, ReplyStatus.COMPLETE)
        assert all(one.answer for one in (steered, other))

        listed = json.loads(command("sessions", "list", "--json").out)
        assert [(one["id"], one["title"]) for one in listed] == [(session.id, QUESTION)]

        again = command("-c", "--final", "And which is smaller?")
        assert again.code in (0, 5)
        with Chat(command, *words, "-c", rows=50, columns=120) as chat:
            assert chat.shows("And which is smaller?")
            assert chat.shows("question 2 of 2")
            assert chat.shows(f"{QUESTION} Answer briefly.")
            assert chat.leave() == 0
        assert [turn.text for turn in stored_sessions(command)[0][1] if not turn.said][-1] == "And which is smaller?"

    def test_streaming_reply_is_concluded(self, command: Reflect, model: str) -> None:
        with Chat(command, "-m", model, "--mode", "native") as chat:
            assert chat.opened()
            chat.ask(QUESTION)
            assert chat.shows(f"▌ {QUESTION}")
            assert chat.matches(r"^ │ \w+ \w+")
            chat.hit("conclude")
            assert chat.matches(r"✎ concluded")
            assert chat.rests()
            assert chat.leave() == 0
        (concluded,) = replies(command)

        assert (concluded.origin, concluded.ended) == (ReplyOrigin.CONCLUDED, ReplyStatus.COMPLETE)
        assert concluded.answer


class TestStoppedReply:
    def test_stopped_reply_is_continued_and_regenerated(self, command: Reflect) -> None:
        words = ("-m", "plain", "--mode", "direct", "--family", "none", "-o", "num_predict=120")
        with Chat(command, *words, rows=40) as chat:
            assert chat.opened()
            chat.ask(STORY)
            assert chat.shows(f"▌ {STORY}")
            assert chat.matches(r"\d+ tokens +esc stop")
            chat.hit("escape")
            assert chat.matches(r"stopped +alt\+g continue")
            (stopped,) = replies(command)

            chat.hit("continue")
            assert chat.lacks("alt+g continue")
            assert chat.matches(r"^ ! .*token limit|continued")
            assert chat.until(lambda _: replies(command)[0].ended is not ReplyStatus.STREAMING)
            (continued,) = replies(command)

            chat.hit("regenerate")
            assert chat.shows("reply 2 of 2")
            chat.hit("escape")
            assert chat.leave() == 0

        assert stopped.ended is ReplyStatus.INTERRUPTED
        assert stopped.raw
        assert continued.origin is ReplyOrigin.CONTINUED
        assert continued.raw.startswith(stopped.raw)
        assert len(continued.raw) > len(stopped.raw)
        assert len(replies(command)) == 2
