"""The real command continues a session."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from reflectty.core.session import ReplyStatus
from support.fake_server import HANG, Raw, error, reply
from support.scripted_servers import ANSWER, ANSWERED, MODEL, answering_server, chat_server
from support.stored_replies import StoredHome

if TYPE_CHECKING:
    from support.command import Reflect

FIRST = "reflection-first"
TOO_LONG = error(
    400,
    json.dumps({"error": {"type": "exceed_context_size_error", "message": "x", "n_prompt_tokens": 3017, "n_ctx": 512}}),
)


def sent(messages: list[dict[str, str]]) -> list[tuple[str, str]]:
    return [(message["role"], message["content"]) for message in messages]


class TestContinue:
    def began(self, reflect: Reflect, *questions: str) -> None:
        with answering_server(ANSWERED) as server:
            for question in questions:
                assert reflect.at(server.host)("-m", FIRST, question).code == 0

    @pytest.mark.parametrize("words", [("-c",), ("--continue",), ("--session", "Which is")])
    def test_continue_sends_earlier_turns_without_the_thinking(self, reflect: Reflect, words: tuple[str, ...]) -> None:
        self.began(reflect, "Which is larger?")
        with answering_server("<output>Because.</output>") as server:
            result = reflect.at(server.host)(*words, "Why?")
        request = server.asked("/api/chat")[0].json
        kept = StoredHome(reflect.home)

        assert (result.code, result.out) == (0, "Because.\n")
        assert sent(request["messages"]) == [("user", "Which is larger?"), ("assistant", ANSWER), ("user", "Why?")]
        assert request["model"] == FIRST
        assert len(kept.sessions) == 1
        assert [turn.parent for turn in kept.turns] == [None, *(turn.id for turn in kept.turns[:-1])]
        assert kept.said.answer == "Because."

    def test_continue_accepts_another_model(self, reflect: Reflect) -> None:
        self.began(reflect, "Which?")
        with answering_server(ANSWERED) as server:
            result = reflect.at(server.host)("-c", *MODEL, "Why?")

        assert result.code == 0
        assert server.asked("/api/chat")[0].json["model"] == "reflection"

    def test_continue_uses_the_model_of_the_session_over_the_setting(self, reflect: Reflect) -> None:
        self.began(reflect, "Which?")
        with answering_server(ANSWERED) as server:
            result = reflect.at(server.host)("-c", "Why?", REFLECTTY_MODEL="third")

        assert result.code == 0
        assert server.asked("/api/chat")[0].json["model"] == FIRST

    def test_continue_uses_the_last_session_or_the_named_one(self, reflect: Reflect) -> None:
        self.began(reflect, "one", "two")
        last, first = StoredHome(reflect.home).sessions
        with answering_server(ANSWERED) as server:
            reflect.at(server.host)("-c", "q")
            reflect.at(server.host)("--session", first.id[:5], "q")
            asked = [sent(request.json["messages"])[0] for request in server.asked("/api/chat")]

        assert (last.title, first.title) == ("two", "one")
        assert asked == [("user", "two"), ("user", "one")]

    def test_no_store_continues_without_saving(self, reflect: Reflect) -> None:
        self.began(reflect, "Which?")
        with answering_server(ANSWERED) as server:
            result = reflect.at(server.host)("-c", "--no-store", "Why?")

        assert result.code == 0
        assert len(server.asked("/api/chat")[0].json["messages"]) == 3
        assert len(StoredHome(reflect.home).turns) == 2

    def test_question_is_saved_before_it_is_sent(self, reflect: Reflect) -> None:
        self.began(reflect, "Which?")
        with chat_server(Raw([HANG])) as server, reflect.at(server.host).start("-c", "Why?") as run:
            assert run.until(lambda _: bool(server.asked("/api/chat")))
            run.process.kill()
            run.finish()
        kept = StoredHome(reflect.home)

        assert [turn.text for turn in kept.turns] == ["Which?", "", "Why?", ""]
        assert kept.said.ended is ReplyStatus.INTERRUPTED

    def test_continue_leaves_out_an_unanswered_question(self, reflect: Reflect) -> None:
        self.began(reflect, "Which?")
        with chat_server([error(500, "no"), reply([ANSWERED])]) as server:
            refused = reflect.at(server.host)("-c", "What?")
            reflect.at(server.host)("-c", "Why?")
        messages = sent(server.asked("/api/chat")[1].json["messages"])

        assert refused.code == 4
        assert messages == [("user", "Which?"), ("assistant", ANSWER), ("user", "Why?")]
        assert [turn.text for turn in StoredHome(reflect.home).turns if turn.said is None] == [
            "Which?",
            "What?",
            "Why?",
        ]

    def test_session_too_long_names_the_turns_sent_along(self, reflect: Reflect) -> None:
        self.began(reflect, "Which?")
        with chat_server(TOO_LONG) as server:
            result = reflect.at(server.host)("-c", "Why?")

        assert (result.code, result.out) == (4, "")
        assert len(result.err.splitlines()) == 1
        assert "has 3017 tokens, the context holds 512" in result.err
        assert "drop -c or --session to leave out an earlier turn" in result.err
        assert "num_ctx" in result.err

    @pytest.mark.parametrize(
        ("words", "says"),
        [
            (("-c",), "there is no session to continue"),
            (("-c", "--session", "x"), "--continue and --session cannot be combined"),
        ],
    )
    def test_continue_without_a_session_is_refused_and_creates_no_file(
        self, reflect: Reflect, words: tuple[str, ...], says: str
    ) -> None:
        with answering_server(ANSWERED) as server:
            result = reflect.at(server.host)(*words, "Why?")

        assert (result.code, result.out) == (2, "")
        assert says in result.err
        assert server.requests == []
        assert not any(reflect.home.rglob("sessions.db*"))

    def test_continue_with_an_unknown_session_is_refused(self, reflect: Reflect) -> None:
        self.began(reflect, "Which?")
        result = reflect("--session", "7dmw", "Why?")

        assert (result.code, result.out) == (2, "")
        assert len(result.err.splitlines()) == 1
        assert "7dmw" in result.err
