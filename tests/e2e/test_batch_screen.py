"""`reflect batch` in a terminal: the progress line, and how it makes way for other output."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING

from reflectty.chat.trial import MAX_REQUESTS
from support.batch_files import MODEL, Echo, answers, file_records, input_file, parsed
from support.fake_replies import HANG, Answer, Pause, done, error, line
from support.pty_screen import Screen
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.command import Reflect
    from support.fake_replies import Step

QUESTIONS = [f"question {number}" for number in range(1, 13)]
ONE = ("--jobs", "1")


def test_progress_line_is_replaced_by_a_summary_at_the_end(reflect: Reflect) -> None:
    name, out = input_file(reflect.home, *QUESTIONS, "bad"), reflect.home / "out.jsonl"
    counted = threading.Event()
    with (
        Echo(bad=error(400, "no")) as server,
        Screen(reflect.at(server.host), "batch", *MODEL, *ONE, name, "--output", "out.jsonl") as screen,
    ):
        server.held_until = lambda: len(server.prompts) < 7 or counted.is_set()
        assert screen.until(lambda text: re.search(r"[1-9] of 13 · .* left", text) is not None)
        counted.set()
        code = screen.finish()
        lines = [text for text in screen.lines if text]

    assert code == 5
    assert re.fullmatch(r"reflect: 12 lines answered, 1 without a complete answer · \d.*tok/s", lines[0])
    assert lines[1].startswith("reflect: 1 of 13 lines have no complete answer")
    assert len(file_records(out)) == 13
    assert not screen.cursor_hidden


def test_progress_line_does_not_overwrite_records(reflect: Reflect) -> None:
    name = input_file(reflect.home, *QUESTIONS)
    with (
        Echo(0.02) as server,
        Screen(reflect.at(server.host), "batch", *MODEL, *ONE, name, columns=160, rows=30) as screen,
    ):
        code = screen.finish()
        lines = [text for text in screen.lines if text.startswith("{")]

    assert code == 0
    assert answers(parsed("\n".join([*lines, ""]))) == list(enumerate(QUESTIONS, 1))


def test_parallel_requests_are_announced_once(reflect: Reflect) -> None:
    name, begun = input_file(reflect.home, *QUESTIONS * 4), list[str]()

    def counting() -> Iterator[Step]:
        yield line("1, ")
        begun.append("1")
        until(lambda: len(begun) == MAX_REQUESTS)
        # The beginning of every reply is read before any of them ends.
        yield Pause(1.0)
        yield line("2", **done())

    with (
        Echo() as server,
        Screen(reflect.at(server.host), "batch", *MODEL, name, "--output", "out.jsonl", columns=120) as screen,
    ):
        server.answers["Count from 1 to 100."] = Answer(counting)
        server.held_until = lambda: server.prompts[-1] == QUESTIONS[0] or server.most == MAX_REQUESTS
        code = screen.finish()
        text = screen.text

    assert code == 0
    assert text.count(f"answers at least {MAX_REQUESTS} lines at once") == 1
    assert server.most == MAX_REQUESTS


def test_ctrl_c_stops_the_batch_and_says_how_to_resume(reflect: Reflect) -> None:
    name = input_file(reflect.home, "one", "slow", "three")
    with (
        Echo(slow=Answer([HANG])) as server,
        Screen(reflect.at(server.host), "batch", *MODEL, *ONE, name, "--output", "out.jsonl", columns=120) as screen,
    ):
        assert until(lambda: server.prompts[-1:] == ["slow"])
        screen.press(b"\x03")
        code = screen.finish()
        lines = [text for text in screen.lines if text and text != "^C"]

    assert code == 130
    assert lines[-1].endswith("stopped: 1 line answered; run it again with --resume to continue")


def test_no_progress_is_drawn_when_stderr_is_not_a_terminal(reflect: Reflect) -> None:
    name, err = input_file(reflect.home, *QUESTIONS), reflect.home / "err.txt"
    with (
        Echo(0.02) as server,
        Screen(reflect.at(server.host), "batch", *MODEL, *ONE, name, "--output", "out.jsonl", err=err) as screen,
    ):
        code = screen.finish()

    assert (code, err.read_text(), screen.raw) == (0, "", b"")
