"""The chat and scripted servers: questions, the queue, stopping, and the messages where a server fails."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, NamedTuple

import pytest

from reflectty.core.segments import Kind
from reflectty.core.session import ReplyStatus
from support.chat_process import Chat, LateServer, Unseen, replies, routes, serving, stored_sessions
from support.fake_server import CLOSE, HANG, RESET, Answer, Pause, Raw, done, error, line, reply, tags
from support.real_ollama import free_port
from support.scripted_servers import ANSWER, ANSWERED, MODEL, Gate, unfinished
from support.waiting import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.command import Reflect
    from support.fake_replies import Step
    from support.fake_server import Route

HALF = ("<thinking>\nFirst this.\n</thinking>\n", "<output>\nHalf of an answer")
PAGE = Answer([b"<html><body>Sign in to the network</body></html>"], content_type="text/html")
MISSING = error(404, "model 'reflection' not found")
BUSY = error(503, "server busy, please try again. maximum pending requests exceeded")
HANGS = 5.0
"""CPU seconds without a response to a key after which the chat counts as hanging; the benchmarks measure its speed."""


def behind(sign: str, text: str) -> str:
    """The digits of all rows behind a sign of the gutter."""
    return "".join(re.findall(rf"^ {sign} (\d+)\s*$", text, re.MULTILINE))


class TestQuestion:
    def test_question_is_answered_below_its_thinking_and_saved(self, reflect: Reflect) -> None:
        with serving(reply(ANSWERED)) as server, Chat(reflect.at(server.host), *MODEL) as chat:
            assert chat.opened()
            chat.ask("which?")
            assert chat.answered("▾ ")
            rows = [text.strip() for text in chat.drawn]
            code = chat.leave()
        ((session, (asked, answered)),) = stored_sessions(reflect)

        assert code == 0
        assert [row for row in rows if row[:1] in ("│", "↺") and "Ask" not in row] == [
            "│ 11 is more than 9, so 9.11.",
            "↺ No: 9.9 is 9.90.",
            "│ So 9.9.",
        ]
        assert ANSWER in rows
        assert session.title == asked.text == "which?"
        assert answered.said is not None
        assert (answered.said.ended, answered.said.answer) == (ReplyStatus.COMPLETE, ANSWER)

    @pytest.mark.parametrize("columns", [40, *(pytest.param(columns, marks=pytest.mark.slow) for columns in (80, 120))])
    def test_words_longer_than_a_row_lose_no_character(self, reflect: Reflect, columns: int) -> None:
        word = "".join(f"{number:04}" for number in range(100))
        said = reply([f"<output>\n{word}\n</output>"])
        with serving(said) as server, Chat(reflect.at(server.host), *MODEL, columns=columns, rows=40) as chat:
            assert chat.opened()
            chat.ask(word)
            # Half of a frame may be visible while it is drawn.
            assert chat.until(lambda text: behind("▌", text) == behind(" ", text) == word)

    def test_text_typed_before_the_first_frame_is_not_lost(self, reflect: Reflect) -> None:
        with serving(reply([ANSWERED])) as server, Chat(reflect.at(server.host), *MODEL) as chat:
            chat.press(b"which?")
            assert chat.shows("│ which?")
            chat.hit("enter")
            assert chat.answered(ANSWER)

    def test_question_sent_with_the_first_frame_is_asked(self, reflect: Reflect) -> None:
        with serving(reply([ANSWERED])) as server, Chat(reflect.at(server.host), *MODEL) as chat:
            assert chat.until(lambda _: b"\x1b[?2004h" in chat.raw)
            chat.ask("which?")
            assert chat.answered(ANSWER)
            assert "not known" not in chat.text

    def test_question_sent_during_a_reply_is_queued(self, reflect: Reflect) -> None:
        gate = Gate()
        first = gate.between("<output>\nOne, two", ", three\n</output>")
        chats = (first, reply(["<output>\nfour\n</output>"]))
        with serving(chats) as server, Chat(reflect.at(server.host), *MODEL) as chat:
            assert chat.opened()
            chat.ask("count")
            assert chat.shows("One, two")
            chat.ask("go on")
            assert chat.shows("queued")
            asked_by_then = len(server.asked("/api/chat"))
            gate.open()
            assert chat.answered("four")
            assert chat.lacks("queued")
            chat.leave()
        sent = server.asked("/api/chat")[1].json["messages"]

        assert asked_by_then == 1
        assert [message["content"] for message in sent] == ["count", "One, two, three", "go on"]
        assert [said.answer for said in replies(reflect)] == ["One, two, three", "four"]

    def test_queued_question_is_saved_when_the_chat_is_closed(self, reflect: Reflect) -> None:
        with serving(unfinished(*HALF)) as server, Chat(reflect.at(server.host), *MODEL) as chat:
            assert chat.opened()
            chat.ask("first")
            assert chat.shows("Half of an answer")
            chat.ask("second")
            assert chat.shows("queued")
            assert chat.leave() == 0
        ((_, turns),) = stored_sessions(reflect)

        assert [turn.text for turn in turns if turn.said is None] == ["first", "second"]

    @pytest.mark.parametrize("turn", [0, *(pytest.param(turn, marks=pytest.mark.slow) for turn in range(1, 6))])
    def test_question_sent_while_quitting_does_not_delay_the_exit(self, reflect: Reflect, turn: int) -> None:
        with serving(Raw([HANG])) as server, Chat(reflect.at(server.host), *MODEL) as chat:
            assert chat.opened()
            chat.press(b"which?\r")
            time.sleep(turn * 0.004)
            assert chat.leave() == 0


class TestStopping:
    def test_stopping_mid_reply_keeps_and_marks_the_partial_reply(self, reflect: Reflect) -> None:
        with serving(unfinished(*HALF)) as server, Chat(reflect.at(server.host), *MODEL) as chat:
            assert chat.opened()
            chat.ask("well?")
            assert chat.shows("Half of an answer")
            chat.hit("escape")
            assert chat.shows("stopped")
            assert server.asked("/api/chat")[0].left.wait(PATIENCE)
            chat.leave()
        (said,) = replies(reflect)

        assert (said.ended, said.answer) == (ReplyStatus.INTERRUPTED, "Half of an answer")
        assert (Kind.THINKING, "First this.") in said.segments

    def test_stopping_before_the_first_token_keeps_the_question(self, reflect: Reflect) -> None:
        with serving([Raw([HANG]), reply([ANSWERED])]) as server, Chat(reflect.at(server.host), *MODEL) as chat:
            assert chat.opened()
            chat.ask("well?")
            assert chat.shows("waiting for reflection")
            chat.hit("escape")
            assert chat.shows("stopped")
            assert chat.lacks("waiting")
            assert server.asked("/api/chat")[0].left.wait(PATIENCE)
            chat.hit("regenerate")
            assert chat.answered(ANSWER)
            chat.leave()

        assert [said.ended for said in replies(reflect)] == [ReplyStatus.INTERRUPTED, ReplyStatus.COMPLETE]


class Fault(NamedTuple):
    """A failure of a server, and the message for it."""

    name: str
    chat: Route
    said: str
    ended: tuple[ReplyStatus, ...] = ()
    """The stored status of the reply; empty where none began."""
    shown: Route | None = None
    words: tuple[str, ...] = ()


FAULTS = (
    Fault(
        "reset",
        Answer([*map(line, HALF), Pause(0.2), RESET]),
        "the connection to the server was lost",
        (ReplyStatus.INCOMPLETE,),
    ),
    Fault(
        "closed", Answer([*map(line, HALF), CLOSE]), "the connection to the server was lost", (ReplyStatus.INCOMPLETE,)
    ),
    Fault("no end", Answer([*map(line, HALF)]), "", (ReplyStatus.INCOMPLETE,)),
    Fault(
        "error", Answer([*map(line, HALF), b'{"error":"out of memory"}\n']), "out of memory", (ReplyStatus.INCOMPLETE,)
    ),
    Fault(
        "stalled", unfinished(*HALF), "sent nothing for 3 s", (ReplyStatus.INCOMPLETE,), words=("--timeout", "idle=3")
    ),
    Fault("busy", BUSY, "the server is busy", (ReplyStatus.FAILED,)),
    Fault("page", PAGE, "not an Ollama server: it sent a web page", (ReplyStatus.FAILED,)),
    Fault("removed", MISSING, "/pull reflection", (ReplyStatus.FAILED,)),
    Fault("removed before", MISSING, "/pull reflection", shown=MISSING),
)


QUICK = ("reset", "busy", "removed before")


@pytest.mark.parametrize(
    "fault",
    [pytest.param(one, id=one.name, marks=() if one.name in QUICK else pytest.mark.slow) for one in FAULTS],
)
def test_server_fault_is_reported_and_the_next_question_is_answered(reflect: Reflect, fault: Fault) -> None:
    shown = {"show": fault.shown} if fault.shown else {}
    with serving(fault.chat, **shown) as server, Chat(reflect.at(server.host), *MODEL, *fault.words) as chat:
        assert chat.opened()
        chat.ask("well?")
        assert chat.matches(r"^ +! ")
        assert chat.until(lambda text: fault.said in re.sub(r"\s+", " ", text))
        assert chat.rests()
        assert ("Half of an answer" in chat.text) is (ReplyStatus.INCOMPLETE in fault.ended)
        server.routes |= routes(reply([ANSWERED]))
        chat.ask("and now?")
        assert chat.answered(ANSWER)
        assert chat.leave() == 0
    ((_, turns),) = stored_sessions(reflect)
    found = [turn.said for turn in turns if turn.said]

    assert [turn.text for turn in turns if not turn.said] == ["well?", "and now?"]
    assert tuple(said.ended for said in found) == (*fault.ended, ReplyStatus.COMPLETE)
    if ReplyStatus.INCOMPLETE in fault.ended:
        assert found[0].answer == "Half of an answer"


class TestUnavailableServer:
    def test_unreachable_server_is_reported_and_used_once_it_is_up(self, reflect: Reflect) -> None:
        port = free_port()
        with Chat(reflect.at(f"127.0.0.1:{port}")) as chat:
            assert chat.shows("is not reachable")
            assert chat.shows("cannot reach")
            assert chat.text.count("cannot reach") == 1
            assert "ollama serve" in chat.text
            chat.ask("well?")
            # The first screen, which said it before, is gone with the question.
            assert chat.until(lambda text: "▌ well?" in text and text.count("cannot reach") == 1)
            with LateServer(routes(reply([ANSWERED])), port):
                assert chat.matches(r"^ reflection .*● ")
                chat.ask("and now?")
                assert chat.answered(ANSWER)
                assert chat.leave() == 0

        assert [said.ended for said in replies(reflect)] == [ReplyStatus.COMPLETE]

    def test_server_that_fails_the_status_request_is_not_reported_as_gone(self, reflect: Reflect) -> None:
        silent = error(500, "out of order")
        with serving(reply([ANSWERED]), ps=silent) as server, Chat(reflect.at(server.host), *MODEL) as chat:
            assert chat.shows("● ")
            assert "gone" not in chat.text

    def test_server_other_than_ollama_is_reported_before_any_question(self, reflect: Reflect) -> None:
        with serving(PAGE, show=PAGE, tags=PAGE, ps=PAGE) as server, Chat(reflect.at(server.host)) as chat:
            assert chat.shows("not an Ollama server")
            assert chat.leave() == 0

    def test_server_without_models_is_reported(self, reflect: Reflect) -> None:
        with serving(reply([ANSWERED]), tags=tags()) as server, Chat(reflect.at(server.host)) as chat:
            assert chat.shows("no model is installed")
            assert chat.leave() == 0


def paced(count: int, per_second: float) -> Answer:
    """A reply of so many numbered words at a pace."""

    def steps() -> Iterator[Step]:
        began = time.monotonic()
        yield line("<thinking>\n")
        for number in range(count):
            yield line(f"w{number}" + ("\n" if number % 12 == 11 else " "))
            late = began + number / per_second - time.monotonic()
            if late > 0:
                yield Pause(late)
        yield line("</thinking>\n<output>\nThe end.\n</output>")
        yield line(**done())

    return Answer(steps)


@pytest.mark.parametrize(
    ("count", "per_second"),
    [
        (2_000, float("inf")),
        pytest.param(2_000, 400, marks=pytest.mark.slow),
        pytest.param(200_000, float("inf"), marks=pytest.mark.slow),
    ],
)
class TestFastReply:
    def test_fast_reply_is_saved_in_full_and_the_chat_stays_responsive(
        self, reflect: Reflect, count: int, per_second: float
    ) -> None:
        with serving(paced(count, per_second)) as server, Unseen(reflect.at(server.host), *MODEL) as chat:
            assert chat.wrote(b"Ask, or /")
            chat.ask("count")
            computed: list[float] = []
            while not chat.wrote(b"The end.", 0.3):
                computed.append(chat.computed_to_echo(f"mark{len(computed):03}"))
            assert chat.rested(b"The end.")
            assert chat.leave() == 0
        (said,) = replies(reflect)

        assert max(computed, default=0.0) < HANGS
        assert said.ended is ReplyStatus.COMPLETE
        assert re.findall(r"w\d+", said.raw) == [f"w{number}" for number in range(count)]
