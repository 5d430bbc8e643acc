"""The chat under signals, kills, odd terminals, large pastes and disks that take nothing."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from e2e.chatting import Chat, Unseen, database, kept, replies, serving
from e2e.command import COMMAND
from e2e.servers import ANSWER, ANSWERED, MODEL, unfinished
from fake_server import Answer, Asked, Pause, line, reply
from reflectty.session import Ended
from store_programs import health
from stored import filled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from e2e.command import Reflect
    from fake_replies import Step

HALF = "<thinking>\nFirst this.\n</thinking>\n<output>\nHalf of an answer"
SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
by_signal = pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
COLOUR = re.compile(rb"\x1b\[[0-9;]*\b(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])[0-9;]*m")
SOON = 5.0
"""Seconds in which the chat has ended once it has been told to."""


def ended_as(reflect: Reflect) -> list[tuple[Ended, str]]:
    return [(said.ended, said.answer or said.raw) for said in replies(reflect)]


class TestASignal:
    @by_signal
    def test_in_the_middle_of_a_reply_keeps_it_and_restores_the_terminal(
        self, reflect: Reflect, number: signal.Signals
    ) -> None:
        with serving(unfinished(HALF)) as server, Chat(reflect.at(server.host), *MODEL) as chat:
            assert chat.opened()
            chat.ask("well?")
            assert chat.shows("Half of an answer")
            assert "the alternate screen" in chat.left_behind
            chat.process.send_signal(number)
            code = chat.finish(SOON)
            behind = chat.left_behind
            left = server.asked("/api/chat")[0].left.wait(SOON)

        assert (code, behind) == (SIGNALS[number], [])
        assert left
        assert ended_as(reflect) == [(Ended.INTERRUPTED, "Half of an answer")]

    @by_signal
    def test_at_rest_restores_the_terminal(self, reflect: Reflect, number: signal.Signals) -> None:
        with serving(reply([ANSWERED])) as server, Chat(reflect.at(server.host), *MODEL) as chat:
            assert chat.shows("● ")
            chat.process.send_signal(number)
            assert chat.finish(SOON) == SIGNALS[number]
            assert chat.left_behind == []

    def test_while_a_list_is_open_restores_the_terminal(self, reflect: Reflect) -> None:
        with serving(reply([ANSWERED])) as server, Chat(reflect.at(server.host), *MODEL) as chat:
            assert chat.opened()
            chat.hit("palette")
            assert chat.shows("type to narrow")
            chat.process.send_signal(signal.SIGTERM)
            assert chat.finish(SOON) == SIGNALS[signal.SIGTERM]
            assert chat.left_behind == []

    def test_of_the_keyboard_leaves_when_it_comes_twice(self, reflect: Reflect) -> None:
        with serving(reply([ANSWERED])) as server, Chat(reflect.at(server.host), *MODEL) as chat:
            assert chat.opened()
            chat.hit("interrupt")
            assert chat.shows("once more to leave")
            chat.hit("interrupt")
            assert chat.finish(SOON) == 0
            assert chat.left_behind == []

    @pytest.mark.parametrize("trap", ["", "HUP"], ids=["plain", "nohup"])
    def test_that_never_comes_from_a_terminal_that_is_gone_ends_it_all_the_same(
        self, reflect: Reflect, trap: str
    ) -> None:
        with serving(unfinished(HALF)) as server:
            leader, follower = os.openpty()
            # The terminal is nobody's own: its end is a failed read and no signal.
            process = subprocess.Popen(
                ("sh", "-c", f'trap "" {trap}; exec "$@"', "sh", *COMMAND, *MODEL),
                stdin=follower,
                stdout=follower,
                stderr=follower,
                env=reflect.at(server.host).environment(TERM="xterm"),
                cwd=reflect.home,
                start_new_session=True,
            )
            os.close(follower)
            with process:
                shown = b""
                os.write(leader, b"well?\r")
                while b"Half of an answer" not in shown:
                    shown += os.read(leader, 1 << 16)
                    if b"well?" in shown and not server.asked("/api/chat"):
                        os.write(leader, b"\r")
                os.close(leader)
                try:
                    code = process.wait(SOON)
                finally:
                    process.kill()

        assert code == 129
        assert ended_as(reflect) == [(Ended.INTERRUPTED, "Half of an answer")]


BROKEN = """
from reflectty.tui.widgets.transcript import Transcript

def page(self, direction):
    secret = "what only the reader may see"
    raise ZeroDivisionError("made to fail")

Transcript.page = page
"""


class TestAnErrorOfItsOwn:
    @pytest.fixture
    def broken(self, tmp_path: Path) -> str:
        (tmp_path / "sitecustomize.py").write_text(BROKEN)
        return str(tmp_path)

    def test_is_one_line_behind_a_restored_terminal_and_the_reply_is_kept(self, reflect: Reflect, broken: str) -> None:
        with (
            serving(unfinished(HALF)) as server,
            Chat(reflect.at(server.host), *MODEL, PYTHONPATH=broken) as chat,
        ):
            assert chat.opened()
            chat.ask("well?")
            assert chat.shows("Half of an answer")
            chat.hit("page up")
            assert chat.finish(SOON) == 1
            assert chat.left_behind == []
            said = chat.raw[chat.raw.rfind(b"\x1b[?1049l") :].decode()

        assert "reflect: internal error: ZeroDivisionError: made to fail" in said
        assert "Traceback" not in said
        assert "secret" not in said
        assert ended_as(reflect) == [(Ended.INTERRUPTED, "Half of an answer")]

    def test_is_told_at_length_to_those_who_debug(self, reflect: Reflect, broken: str) -> None:
        with Chat(reflect, *MODEL, PYTHONPATH=broken, REFLECTTY_DEBUG="1") as chat:
            assert chat.opened()
            chat.hit("page up")
            assert chat.finish(SOON) == 1
            assert b"in page" in chat.raw


ROUNDS, AT_ONCE, RUNS = 5, 4, 5
SLACK = 0.7
"""Seconds beyond the promised one: what waits for a busy machine's disk and processors."""


class Spoken:
    """Replies that say numbered words for a while, and when each of them was sent."""

    def __init__(self) -> None:
        self.sent: dict[str, list[float]] = {}

    def answer(self, asked: Asked) -> Answer:
        times = self.sent.setdefault(asked.json["messages"][-1]["content"], [])

        def steps() -> Iterator[Step]:
            yield line("<output>\n")
            while True:
                yield line(f"w{len(times)} ")
                times.append(time.monotonic())
                yield Pause(0.01)

        return Answer(steps)


@pytest.mark.parametrize("run", range(RUNS))
def test_a_chat_that_is_killed_loses_at_most_the_last_second(reflect: Reflect, run: int) -> None:
    chance = random.Random(run)  # noqa: S311 - moments, not secrets
    spoken, killed = Spoken(), dict[str, float]()
    with serving(spoken.answer) as server:
        for number in range(ROUNDS):
            with ExitStack() as stack:
                chats = {
                    f"question {number}.{at}": stack.enter_context(Unseen(reflect.at(server.host), *MODEL))
                    for at in range(AT_ONCE)
                }
                for question, chat in chats.items():
                    assert chat.wrote(b"Ask, or /")
                    chat.ask(question)
                for chat in chats.values():
                    assert chat.wrote(b"w0 ")
                for question, chat in chats.items():
                    time.sleep(chance.uniform(0.0, 0.6))
                    killed[question] = time.monotonic()
                    chat.process.kill()
                    chat.process.wait()
            assert health(database(reflect)) == ()
    found = {turns[0].text: turns[1].said for _, turns in kept(reflect)}
    lost = []
    for question, moment in killed.items():
        said = found[question]
        assert said is not None
        assert said.ended is Ended.INTERRUPTED
        words = re.findall(r"w\d+", said.raw)
        assert words == [f"w{number}" for number in range(len(words))]
        lost.append(sum(1 for sent in spoken.sent[question][len(words) :] if sent < moment - 1 - SLACK))

    assert lost == [0] * (ROUNDS * AT_ONCE)


def test_what_a_killed_chat_left_is_shown_as_interrupted_and_goes_on(reflect: Reflect) -> None:
    with serving([unfinished(HALF), reply([ANSWERED])]) as server:
        with Chat(reflect.at(server.host), *MODEL) as chat:
            assert chat.opened()
            chat.ask("well?")
            assert chat.shows("Half of an answer")
            assert wait_for(lambda: "Half" in replies(reflect)[0].raw)
            chat.process.kill()
            assert chat.finish() == -signal.SIGKILL
        with Chat(reflect.at(server.host), *MODEL, "-c") as chat:
            assert chat.shows("Half of an answer")
            assert chat.matches("^ ! .*gone")
            chat.ask("and now?")
            assert chat.shows(ANSWER)
            assert chat.leave() == 0

    assert ended_as(reflect) == [(Ended.INTERRUPTED, "Half of an answer"), (Ended.COMPLETE, ANSWER)]


class Streams(NamedTuple):
    """A call without a terminal to draw on."""

    name: str
    script: str


NO_TERMINAL = (
    Streams("no stdin", "reflect </dev/null"),
    Streams("a pipe", "reflect | cat; exit 2"),
    Streams("no session", "reflect -c </dev/null"),
)


@pytest.mark.parametrize("streams", NO_TERMINAL, ids=lambda streams: streams.name)
def test_without_a_terminal_it_is_refused_with_a_next_step(reflect: Reflect, streams: Streams) -> None:
    result = reflect.shell(streams.script)

    assert (result.code, result.out) == (2, "")
    assert len(result.err.splitlines()) == 1
    assert "reflect" in result.err
    assert not database(reflect).exists()


@pytest.mark.parametrize("name", ["out", "err"])
def test_with_one_stream_that_is_no_terminal_it_is_refused(reflect: Reflect, tmp_path: Path, name: str) -> None:
    with Chat(
        reflect, out=tmp_path / "out" if name == "out" else None, err=tmp_path / "err" if name == "err" else None
    ) as chat:
        assert chat.finish() == 2
        said = chat.text + "".join(path.read_text() for path in tmp_path.glob("[oe][ur][tr]"))

    assert "the chat needs a terminal" in re.sub(r"\s+", " ", said)
    assert b"\x1b" not in chat.raw
    assert not database(reflect).exists()


class Place(NamedTuple):
    """A terminal as its environment describes it."""

    name: str
    variables: dict[str, Any]
    coloured: bool = True
    gutter: str = "│"


TERMINALS = (
    Place("sixteen colours", {"TERM": "xterm"}),
    Place("many colours", {"TERM": "xterm-256color", "COLORTERM": "truecolor"}),
    Place("no colours", {"NO_COLOR": "1"}, coloured=False),
    Place("dumb", {"TERM": "dumb"}, coloured=False),
    Place("unnamed", {"TERM": ""}),
    Place("the C locale", {"LC_ALL": "C"}),
    Place("ASCII", {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}, gutter="|"),
)


@pytest.mark.parametrize("place", TERMINALS, ids=lambda place: place.name)
def test_any_terminal_is_drawn_on(reflect: Reflect, place: Place) -> None:
    answered = reply([ANSWERED.replace("larger", "größer")])
    with serving(answered) as server, Chat(reflect.at(server.host), *MODEL, **place.variables) as chat:
        assert chat.opened()
        chat.ask("größer?")
        assert chat.shows(f"{place.gutter} So 9.9.")
        assert chat.shows("9.9 is gr")
        rows = chat.drawn
        assert chat.leave() == 0
        assert chat.left_behind == []
    frames = [row for row in rows if row.startswith(("╭", "╰", "+"))]

    assert bool(COLOUR.search(chat.raw)) is place.coloured
    assert [len(row) for row in frames] == [80, 80]
    assert "\\x" not in "".join(rows)
    assert "\\u" not in "".join(rows)
    assert [message["content"] for message in server.asked("/api/chat")[0].json["messages"]] == ["größer?"]


def test_a_terminal_that_changes_its_size_while_a_reply_comes_shows_all_of_it(reflect: Reflect) -> None:
    thoughts = [
        f"{number}. a thought that is a good deal longer than the smallest screen is wide\n" for number in range(60)
    ]
    points = [f"- point {number} of the **answer**, with `code` and more words than fit\n" for number in range(60)]
    pieces = ["<thinking>\n", *thoughts, "</thinking>\n<output>\n", *points, "\n\nThe very end.\n</output>"]
    answered = reply(pieces, pause=0.02)
    with serving(answered) as server, Chat(reflect.at(server.host), *MODEL, columns=120, rows=40) as chat:
        assert chat.opened()
        chat.ask("well?")
        for columns, rows in ((120, 40), (40, 10), (300, 50), (20, 5), (1, 1), (3, 2), (80, 24)):
            chat.resize(columns, rows)
            time.sleep(0.35)
        assert chat.shows("The very end.")
        points_shown = [int(number) for number in re.findall(r"• point (\d+)", "\n".join(chat.drawn))]
        assert chat.leave() == 0
        assert chat.left_behind == []

    assert points_shown == list(range(60))[-len(points_shown) :]
    assert len(points_shown) > 8
    assert ended_as(reflect)[0][0] is Ended.COMPLETE


def test_a_megabyte_that_is_pasted_is_one_mark_and_reaches_the_server_whole(reflect: Reflect) -> None:
    text = "".join(f"{number:07} of a long paste, ä\n" for number in range(40_000))
    with serving(reply([ANSWERED])) as server, Chat(reflect.at(server.host), *MODEL) as chat:
        assert chat.opened()
        data = b"\x1b[200~" + text.replace("\n", "\r").encode() + b"\x1b[201~"
        for at in range(0, len(data), 2048):
            chat.press(data[at : at + 2048])
        pasted = chat.seconds_to_show(b"", "[paste 1: 40,000 lines]")
        typed = chat.seconds_to_show(b" well?", "lines] well?")
        marks = chat.text.count("[paste")
        chat.hit("enter")
        assert chat.shows(ANSWER)
        answered = chat.seconds_to_show(b"next", "│ next")
        assert chat.leave() == 0
    sent = server.asked("/api/chat")[0].json["messages"][-1]["content"]

    assert len(data) > 1_000_000
    assert marks == 1
    assert max(pasted, typed, answered) < 2
    assert sent == f"{text} well?"
    assert kept(reflect)[0][1][0].text == f"{text} well?"


# Disks


@contextmanager
def small_disk(folder: Path, *options: str) -> Iterator[None]:
    """Put a file system of its own below a folder; skip the test where that is not allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = shutil.which("mount")
    done = mount and subprocess.run(
        (mount, "-t", "tmpfs", *options, "tmpfs", str(folder)), capture_output=True, text=True, check=False
    )
    if not done or done.returncode:
        pytest.skip(f"NOT TESTED: a disk that fills up needs a mount, which this system does not allow: {done}")
    try:
        yield
    finally:
        subprocess.run(("umount", "-l", str(folder)), check=True)


def asks_twice(reflect: Reflect, *replies: Answer) -> str:
    """Ask two questions, which are answered; return what stands in the transcript."""
    with serving([*replies, reply([ANSWERED])]) as server, Chat(reflect.at(server.host), *MODEL, rows=60) as chat:
        assert chat.opened()
        for number in range(2):
            chat.ask(f"question {number}")
            assert chat.matches(f"(?s){'.*'.join([re.escape(ANSWER)] * (number + 1))}")
            assert chat.shows("ctrl+j new line")
        assert chat.lacks("▌ using")
        # The scrollbar stands between the rows of a note.
        text = re.sub(r"[▁-█]?\s+", " ", chat.text)
        assert chat.leave() == 0
        assert chat.left_behind == []
    return text


class TestAStoreThatCannotBeWritten:
    def test_is_said_once_and_costs_no_answer(self, reflect: Reflect) -> None:
        (reflect.home / ".local").write_text("a file where a folder should be")
        text = asks_twice(reflect)

        assert text.count(" ! ") == 1
        assert "sessions" in text

    def test_because_a_newer_version_wrote_it_is_said_once(self, reflect: Reflect) -> None:
        database(reflect).parent.mkdir(parents=True)
        filled(database(reflect))
        with sqlite3.connect(database(reflect)) as connection:
            connection.execute("PRAGMA user_version = 9999")
        connection.close()
        before = database(reflect).read_bytes()
        text = asks_twice(reflect)

        assert text.count("nothing new is kept") == 1
        assert text.count("kept in memory only") == 1
        assert database(reflect).read_bytes() == before

    def test_because_its_disk_is_full_is_said_once_and_the_session_goes_on(self, reflect: Reflect) -> None:
        with small_disk(database(reflect).parent, "-o", "size=300k"):
            thought = "<thinking>\n" + "a long thought, " * 20_000 + "\n</thinking>\n"
            pieces = [thought[at : at + 4_000] for at in range(0, len(thought), 4_000)]
            text = asks_twice(reflect, reply([*pieces, f"<output>\n{ANSWER}\n</output>"], pause=0.01))

            assert text.count(" ! ") == 1
            assert "the disk is full: this session is kept in memory only from here on" in text
            assert health(database(reflect)) == ()

    def test_because_its_disk_is_read_only_is_said_once(self, reflect: Reflect) -> None:
        folder = database(reflect).parent
        with small_disk(folder):
            filled(database(reflect))
            subprocess.run(("mount", "-o", "remount,ro", str(folder)), check=True)
            text = asks_twice(reflect)

        assert text.count(" ! ") == 1

    def test_because_its_session_was_removed_meanwhile_is_said_once(self, reflect: Reflect) -> None:
        with serving(reply([ANSWERED])) as server, Chat(reflect.at(server.host), *MODEL, rows=60) as chat:
            assert chat.opened()
            chat.ask("question 0")
            assert chat.shows("▾ ")
            ((session, _),) = kept(reflect)
            assert reflect("sessions", "remove", session.id, "--yes").code == 0
            chat.ask("question 1")
            assert chat.until(lambda text: text.count(ANSWER) == 2)
            said = re.sub(r"\s+", " ", chat.text)
            chat.hit("new")
            assert chat.lacks(ANSWER)
            chat.ask("question 2")
            assert chat.shows(ANSWER)
            assert chat.leave() == 0
        sent = server.asked("/api/chat")[1].json["messages"]

        assert said.count("kept in memory only") == 1
        assert [message["content"] for message in sent] == ["question 0", ANSWER, "question 1"]
        assert [session.title for session, _ in kept(reflect)] == ["question 2"]

    def test_because_it_is_damaged_is_one_line_and_the_next_start_begins_another(self, reflect: Reflect) -> None:
        path = database(reflect)
        path.parent.mkdir(parents=True)
        filled(path)
        data = bytearray(path.read_bytes())
        pages = len(data) // 4096
        for page in range(int(pages * 0.3), int(pages * 0.6)):
            data[page * 4096 : (page + 1) * 4096] = b"\xa5" * 4096
        path.write_bytes(data)
        with serving(reply([ANSWERED])) as server:
            with Chat(reflect.at(server.host), *MODEL, "-c") as chat:
                assert chat.finish() == 6
                assert chat.left_behind == []
                assert b"Traceback" not in chat.raw
                assert "damaged" in chat.text
            with Chat(reflect.at(server.host), *MODEL) as chat:
                assert chat.shows("a new file was")
                chat.ask("well?")
                assert chat.shows(ANSWER)
                assert chat.leave() == 0

        assert list(path.parent.glob("*corrupt*"))
        assert ended_as(reflect) == [(Ended.COMPLETE, ANSWER)]


def wait_for(condition: Callable[[], bool], patience: float = 10.0) -> bool:
    end = time.monotonic() + patience
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()
