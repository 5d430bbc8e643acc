from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import termios
import time
from typing import TYPE_CHECKING, NamedTuple

import pytest

from support.command import COMMAND, Reflect
from support.fake_server import HANG, Answer, Raw
from support.scripted_servers import ANSWERED, MODEL, Gate, answering_server, chat_server, endless, unfinished
from support.waiting import PATIENCE, until

if TYPE_CHECKING:
    from typing import IO

SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
SMALL = 4096
"""The size in bytes of the smallest pipe."""
by_signal = pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)


def unread(pipe: IO[bytes]) -> int:
    """The number of unread bytes in a pipe."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


class TestSignal:
    @by_signal
    @pytest.mark.parametrize("form", [(), ("--final",)], ids=["plain", "final"])
    def test_signal_mid_reply_keeps_the_printed_text(
        self, reflect: Reflect, number: signal.Signals, form: tuple[str, ...]
    ) -> None:
        chat = unfinished("<thinking>a</thinking>\n<output>\nOne, two")
        with chat_server(chat) as server, reflect.at(server.host).start(*MODEL, *form, "q") as run:
            assert run.says("One, two")
            result = run.signalled(number)
            left = server.asked("/api/chat")[0].left.wait(PATIENCE)

        assert (result.code, result.out, result.err) == (SIGNALS[number], "One, two\n", "")
        assert left

    @by_signal
    def test_signal_before_the_first_byte_ends_the_program(self, reflect: Reflect, number: signal.Signals) -> None:
        with chat_server(Raw([HANG])) as server, reflect.at(server.host).start(*MODEL, "q") as run:
            assert run.until(lambda _: bool(server.asked("/api/chat")))
            result = run.signalled(number)
            left = server.asked("/api/chat")[0].left.wait(PATIENCE)

        assert (result.code, result.out, result.err) == (SIGNALS[number], "", "")
        assert left

    def test_signal_ignored_from_the_start_stays_ignored(self, reflect: Reflect) -> None:
        gate = Gate()
        under_nohup = Reflect(reflect.home, command=("sh", "-c", 'trap "" HUP; exec "$@"', "sh", *COMMAND))
        with (
            chat_server(gate.between("<output>One,", " two")) as server,
            under_nohup.at(server.host).start("-m", "m", "q") as run,
        ):
            assert run.says("One,")
            run.process.send_signal(signal.SIGHUP)
            gate.open()
            result = run.finish()

        assert (result.code, result.out) == (0, "One, two\n")

    def test_signal_while_waiting_for_stdin_ends_the_program(self, reflect: Reflect) -> None:
        with answering_server(ANSWERED) as server, contextlib.ExitStack() as stack:
            start = reflect.at(server.host).start
            runs = [stack.enter_context(start(*MODEL, "q", stdin=subprocess.PIPE)) for _ in SIGNALS]
            assert all(run.warns("stdin") for run in runs)
            results = [run.signalled(number) for run, number in zip(runs, SIGNALS, strict=True)]

        # A shell reports a death by signal as 128 plus its number.
        codes = [128 - result.code if result.code < 0 else result.code for result in results]
        assert codes == list(SIGNALS.values())
        assert [result.out for result in results] == ["", "", ""]
        assert [len(result.err.splitlines()) for result in results] == [1, 1, 1]
        assert not server.requests

    @by_signal
    def test_signal_leaves_no_partial_json_line(self, reflect: Reflect, number: signal.Signals) -> None:
        chat = unfinished("<thinking>\nOne", " two")
        with chat_server(chat) as server, reflect.at(server.host).start(*MODEL, "--jsonl", "q") as run:
            assert run.says("One")
            result = run.signalled(number)

        assert result.code == SIGNALS[number]
        assert result.out.endswith("}\n")
        assert result.err == ""

    def test_second_signal_ends_the_program_when_the_pipe_is_not_read(self, reflect: Reflect) -> None:
        with chat_server(endless()) as server:
            process = subprocess.Popen(
                (*COMMAND, *MODEL, "q"),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=reflect.at(server.host).environment(),
                pipesize=SMALL,
            )
            with process:
                assert process.stdout is not None
                pipe = process.stdout
                assert until(lambda: unread(pipe) > SMALL - 100)
                process.send_signal(signal.SIGINT)
                time.sleep(0.2)
                process.send_signal(signal.SIGINT)
                code = process.wait(PATIENCE)

        assert code == 130


class TestClosedPipe:
    @pytest.mark.parametrize("form", [(), ("--raw",), ("--jsonl",), ("--stats",)], ids="".join)
    def test_closed_pipe_is_silent_and_exits_with_141(self, reflect: Reflect, form: tuple[str, ...]) -> None:
        with chat_server(endless()) as server:
            process = subprocess.Popen(
                (*COMMAND, *MODEL, *form, "q"),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=reflect.at(server.host).environment(),
            )
            with process:
                assert process.stdout is not None
                assert process.stderr is not None
                first = process.stdout.readline()
                process.stdout.close()
                said = process.stderr.read()
                code = process.wait(PATIENCE)
            left = server.asked("/api/chat")[0].left.wait(PATIENCE)

        assert first
        assert (code, said) == (141, b"")
        assert left

    def test_shell_sees_exit_code_141(self, reflect: Reflect) -> None:
        script = "{ reflect -m reflection q; echo $? >&2; } | head -1"
        with chat_server(endless()) as server:
            result = reflect.at(server.host).shell(script)

        assert (result.out, result.err) == ("line 0\n", "141\n")

    @pytest.mark.parametrize("words", ["--help", "--version", "ask --version"])
    def test_pipe_closed_before_any_output_exits_with_141(self, reflect: Reflect, words: str) -> None:
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run(
            (*COMMAND, *words.split()),
            stdout=writing,
            stderr=subprocess.PIPE,
            env=reflect.environment(),
            timeout=PATIENCE,
            check=False,
        )
        os.close(writing)

        assert (done.returncode, done.stderr) == (141, b"")


class Unwritable(NamedTuple):
    """A stdout that accepts nothing."""

    name: str
    redirect: str
    sent: bool


UNWRITABLE = (Unwritable("closed", ">&-", sent=False), Unwritable("full", ">/dev/full", sent=True))


@pytest.mark.parametrize("stdout", UNWRITABLE, ids=lambda stdout: stdout.name)
@pytest.mark.parametrize("form", ["", "--final", "--json", "--jsonl", "--raw"])
def test_unwritable_stdout_exits_with_6(reflect: Reflect, stdout: Unwritable, form: str) -> None:
    with answering_server(ANSWERED) as server:
        result = reflect.at(server.host).shell(f"reflect -m reflection {form} q {stdout.redirect}")

    assert (result.code, result.out) == (6, "")
    assert len(result.err.splitlines()) == 1
    assert bool(server.requests) is stdout.sent


@pytest.mark.parametrize("stdout", UNWRITABLE, ids=lambda stdout: stdout.name)
@pytest.mark.parametrize("words", ["--help", "--version", "ask --version"])
def test_help_to_an_unwritable_stdout_exits_with_6(reflect: Reflect, stdout: Unwritable, words: str) -> None:
    result = reflect.shell(f"reflect {words} {stdout.redirect}")

    assert result.code == 6
    assert len(result.err.splitlines()) == 1


def test_closed_stderr_does_not_affect_the_answer(reflect: Reflect) -> None:
    with answering_server("No tags at all.") as server:
        result = reflect.at(server.host).shell("reflect -m reflection q 2>&-")

    assert (result.code, result.out) == (0, "No tags at all.\n")


def test_full_stderr_does_not_affect_the_answer(reflect: Reflect) -> None:
    with answering_server("No tags at all.") as server:
        result = reflect.at(server.host).shell("reflect -m reflection q 2>/dev/full")

    assert (result.code, result.out) == (0, "No tags at all.\n")


def test_all_streams_closed_exits_with_6(reflect: Reflect) -> None:
    with answering_server(ANSWERED) as server:
        result = reflect.at(server.host).shell("reflect -m reflection q <&- >&- 2>&-")

    assert result.code == 6


def test_killed_program_closes_its_request(reflect: Reflect) -> None:
    with chat_server(Answer([HANG])) as server, reflect.at(server.host).start(*MODEL, "q") as run:
        assert run.until(lambda _: bool(server.asked("/api/chat")))
        run.process.kill()

        assert server.asked("/api/chat")[0].left.wait(PATIENCE)
