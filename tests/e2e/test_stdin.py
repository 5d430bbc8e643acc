from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from support.command import COMMAND
from support.scripted_servers import ANSWER, ANSWERED, MODEL, saying
from support.waiting import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.command import Reflect
    from support.fake_server import FakeServer


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with saying(ANSWERED) as running:
        yield running


def sent(server: FakeServer) -> str:
    """The question that the server was asked."""
    (asked,) = server.asked("/api/chat")
    return str(asked.json["messages"][-1]["content"])


class TestWhatIsSent:
    @pytest.mark.process
    def test_is_stdin_first_and_the_instruction_last(self, reflect: Reflect, server: FakeServer) -> None:
        result = reflect.at(server.host)(*MODEL, "Summarise it.", stdin=b"line one\nline two\n")

        assert result.code == 0
        assert sent(server) == "<stdin>\nline one\nline two\n</stdin>\n\nSummarise it."

    def test_is_stdin_alone_as_it_stands(self, reflect: Reflect, server: FakeServer) -> None:
        reflect.at(server.host)(*MODEL, stdin=b"Why is the sky blue?\n")

        assert sent(server).rstrip("\n") == "Why is the sky blue?"

    def test_is_the_prompt_alone_when_stdin_says_nothing(self, reflect: Reflect, server: FakeServer) -> None:
        reflect.at(server.host)(*MODEL, "Why", "is it", "blue?")

        assert sent(server) == "Why is it blue?"

    def test_is_each_file_by_name_then_stdin_then_the_instruction(self, reflect: Reflect, server: FakeServer) -> None:
        (reflect.home / "a.txt").write_text("alpha\n")
        (reflect.home / "b.txt").write_text("beta\n")
        reflect.at(server.host)(*MODEL, "-f", "a.txt", "--file", "b.txt", "Compare.", stdin=b"gamma")
        text = sent(server)
        found = [text.index(part) for part in ("a.txt", "alpha", "b.txt", "beta", "<stdin>", "gamma", "Compare.")]

        assert found == sorted(found)
        assert text.endswith("Compare.")

    def test_is_stdin_once_where_it_is_also_named_as_a_file(self, reflect: Reflect, server: FakeServer) -> None:
        reflect.at(server.host)(*MODEL, "-f", "-", "Summarise.", stdin=b"alpha")

        assert sent(server) == "<stdin>\nalpha\n</stdin>\n\nSummarise."

    def test_is_a_file_alone(self, reflect: Reflect, server: FakeServer) -> None:
        (reflect.home / "q.txt").write_text("Why?\n")
        result = reflect.at(server.host)(*MODEL, "-f", "q.txt")

        assert result.code == 0
        assert "Why?" in sent(server)

    def test_is_a_word_that_could_be_a_command_after_two_dashes(self, reflect: Reflect, server: FakeServer) -> None:
        result = reflect.at(server.host)(*MODEL, "--", "models")

        assert (result.code, sent(server)) == (0, "models")

    def test_is_the_same_with_the_command_named(self, reflect: Reflect, server: FakeServer) -> None:
        result = reflect.at(server.host)("ask", *MODEL, "ask me")

        assert (result.code, sent(server)) == (0, "ask me")

    def test_is_every_byte_of_ten_megabytes(self, reflect: Reflect, server: FakeServer) -> None:
        text = "0123456789abcde\n" * (10 * 1024 * 1024 // 16)
        result = reflect.at(server.host)(*MODEL, "--final", "Summarise.", stdin=text.encode())

        assert (result.code, result.out) == (0, f"{ANSWER}\n")
        assert sent(server) == f"<stdin>\n{text.rstrip()}\n</stdin>\n\nSummarise."

    @pytest.mark.parametrize("data", [b"\xef\xbb\xbfG\xc3\xb6\r\nthe\r\n", "Gö\r\nthe\r\n".encode("utf-16")])
    def test_is_text_without_marks_of_its_encoding(self, reflect: Reflect, server: FakeServer, data: bytes) -> None:
        result = reflect.at(server.host)(*MODEL, stdin=data)

        assert (result.code, result.err) == (0, "")
        assert sent(server).rstrip("\n") == "Gö\nthe"


class TestWhatIsNoText:
    @pytest.mark.parametrize("data", [b"\x7fELF\0\0\x01", bytes(range(128, 256)) * 4], ids=["nul", "high"])
    def test_is_refused_as_stdin(self, reflect: Reflect, server: FakeServer, data: bytes) -> None:
        result = reflect.at(server.host)(*MODEL, "q", stdin=data)

        assert (result.code, result.out) == (2, "")
        assert len(result.err.splitlines()) == 1
        assert "stdin" in result.err
        assert not server.requests

    def test_is_refused_as_a_file_by_its_name(self, reflect: Reflect, server: FakeServer) -> None:
        (reflect.home / "a.bin").write_bytes(b"\0\1\2")
        result = reflect.at(server.host)(*MODEL, "-f", "a.bin", "q")

        assert result.code == 2
        assert "a.bin" in result.err
        assert not server.requests

    def test_is_replaced_with_a_warning_where_it_is_only_a_byte(self, reflect: Reflect, server: FakeServer) -> None:
        result = reflect.at(server.host)(*MODEL, stdin=b"The caf\xe9 on the corner is closed today.")

        assert (result.code, result.out) == (0, f"{ANSWER}\n")
        assert len(result.err.splitlines()) == 1
        assert "UTF-8" in result.err
        assert "caf\ufffd on" in sent(server)


class TestAnOpenPipe:
    def test_that_falls_silent_is_named_and_works_once_it_is_closed(self, reflect: Reflect, server: FakeServer) -> None:
        start = reflect.at(server.host).start
        with start(*MODEL, "q", stdin=subprocess.PIPE) as silent, start(*MODEL, "q", stdin=subprocess.PIPE) as begun:
            assert begun.process.stdin is not None
            begun.process.stdin.write(b"a beginning")
            begun.process.stdin.flush()
            named = [run.until(lambda run: run.stderr.endswith(b"\n")) for run in (silent, begun)]
            before = list(server.requests)
            results = [silent.finish(), begun.finish()]

        assert named == [True, True]
        assert before == []
        for result in results:
            assert (result.code, result.out) == (0, f"{ANSWER}\n")
            assert len(result.err.splitlines()) == 1
            assert "stdin" in result.err
            assert "--no-stdin" in result.err

    def test_is_left_alone_when_told_so(self, reflect: Reflect, server: FakeServer) -> None:
        with reflect.at(server.host).start(*MODEL, "--no-stdin", "q", stdin=subprocess.PIPE) as run:
            assert run.says(ANSWER)
            assert run.process.wait(PATIENCE) == 0
            assert sent(server) == "q"


class TestNoStdin:
    @pytest.mark.parametrize("redirect", ["<&-", "</dev/null"])
    def test_is_a_stdin_that_says_nothing(self, reflect: Reflect, server: FakeServer, redirect: str) -> None:
        result = reflect.at(server.host).shell(f"reflect --final -m reflection q {redirect}")

        assert (result.code, result.out, result.err) == (0, f"{ANSWER}\n", "")
        assert sent(server) == "q"

    @pytest.mark.parametrize("words", [(), ("",), ("  \n",), ("-f", "-")], ids=["none", "empty", "blank", "stdin"])
    def test_and_no_question_is_an_error(self, reflect: Reflect, server: FakeServer, words: tuple[str, ...]) -> None:
        result = reflect.at(server.host)(*MODEL, *words)

        assert (result.code, result.out) == (2, "")
        assert len(result.err.splitlines()) == 1
        assert not server.requests


def test_the_terminal_is_not_read_when_there_is_a_question(reflect: Reflect, server: FakeServer) -> None:
    leader, follower = os.openpty()
    try:
        done = subprocess.run(
            (*COMMAND, *MODEL, "q"),
            stdin=follower,
            capture_output=True,
            env=reflect.at(server.host).environment(),
            timeout=PATIENCE,
            check=False,
        )
    finally:
        os.close(leader)
        os.close(follower)

    assert (done.returncode, done.stdout) == (0, f"{ANSWER}\n".encode())
    assert sent(server) == "q"
