from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from support.command import COMMAND
from support.scripted_servers import ANSWER, ANSWERED, MODEL, answering_server
from support.waiting import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.command import Reflect
    from support.fake_server import FakeServer


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with answering_server(ANSWERED) as running:
        yield running


def sent(server: FakeServer) -> str:
    """The question that the server received."""
    (asked,) = server.asked("/api/chat")
    return str(asked.json["messages"][-1]["content"])


class TestSentPrompt:
    @pytest.mark.process
    def test_stdin_precedes_the_instruction(self, reflect: Reflect, server: FakeServer) -> None:
        result = reflect.at(server.host)(*MODEL, "Summarise it.", stdin=b"line one\nline two\n")

        assert result.code == 0
        assert sent(server) == "<stdin>\nline one\nline two\n</stdin>\n\nSummarise it."

    def test_stdin_alone_is_the_question(self, reflect: Reflect, server: FakeServer) -> None:
        reflect.at(server.host)(*MODEL, stdin=b"Why is the sky blue?\n")

        assert sent(server).rstrip("\n") == "Why is the sky blue?"

    def test_empty_stdin_sends_only_the_prompt(self, reflect: Reflect, server: FakeServer) -> None:
        reflect.at(server.host)(*MODEL, "Why", "is it", "blue?")

        assert sent(server) == "Why is it blue?"

    def test_files_precede_stdin_and_the_instruction(self, reflect: Reflect, server: FakeServer) -> None:
        (reflect.home / "a.txt").write_text("alpha\n")
        (reflect.home / "b.txt").write_text("beta\n")
        reflect.at(server.host)(*MODEL, "-f", "a.txt", "--file", "b.txt", "Compare.", stdin=b"gamma")
        text = sent(server)
        found = [text.index(part) for part in ("a.txt", "alpha", "b.txt", "beta", "<stdin>", "gamma", "Compare.")]

        assert found == sorted(found)
        assert text.endswith("Compare.")

    def test_stdin_named_as_a_file_is_sent_once(self, reflect: Reflect, server: FakeServer) -> None:
        reflect.at(server.host)(*MODEL, "-f", "-", "Summarise.", stdin=b"alpha")

        assert sent(server) == "<stdin>\nalpha\n</stdin>\n\nSummarise."

    def test_dash_among_the_words_is_stdin(self, reflect: Reflect, server: FakeServer) -> None:
        reflect.at(server.host)(*MODEL, "Summarize", "-", stdin=b"alpha")

        assert sent(server) == "<stdin>\nalpha\n</stdin>\n\nSummarize"

    def test_single_file_after_an_at_sign_is_the_question(self, reflect: Reflect, server: FakeServer) -> None:
        (reflect.home / "q.txt").write_text("Why is it blue?\n")
        reflect.at(server.host)(*MODEL, "@q.txt")

        assert sent(server).rstrip() == "Why is it blue?"

    def test_at_sign_among_words_is_text_and_a_file_of_that_name_is_noted(
        self, reflect: Reflect, server: FakeServer
    ) -> None:
        (reflect.home / "q.txt").write_text("Why?\n")
        result = reflect.at(server.host)(*MODEL, "Sum", "up", "@q.txt", "for", "@nobody")

        assert sent(server) == "Sum up @q.txt for @nobody"
        assert result.err == "reflect: @q.txt is asked as it is: -f q.txt asks about the file\n"

    def test_system_prompt_is_read_from_stdin(self, reflect: Reflect, server: FakeServer) -> None:
        reflect.at(server.host)(*MODEL, "-s", "-", "Why?", stdin=b"@once be brief")
        system, question = server.asked("/api/chat")[0].json["messages"]

        assert "@once be brief" in system["content"]
        assert question["content"] == "Why?"

    def test_question_is_written_in_the_editor(self, reflect: Reflect, server: FakeServer) -> None:
        run = reflect.at(server.host)
        result = run(*MODEL, "-e", "--final", "Why", "so?", stdin=b"alpha", EDITOR="sed -i s/so/not/")

        assert (result.code, result.out) == (0, f"{ANSWER}\n")
        assert sent(server) == "<stdin>\nalpha\n</stdin>\n\nWhy not?"

    @pytest.mark.parametrize(
        ("words", "editor", "said"),
        [
            (
                ("-s", "-", "--schema", "-", "q"),
                "",
                "--schema - and --system - cannot be combined (stdin is read once)",
            ),
            (("-s", "-", "-f", "-", "q"), "", "--system - and --file - cannot be combined"),
            (("--schema", "-", "--no-stdin", "q"), "", "--schema - and --no-stdin cannot be combined"),
            (("batch", "-", "-s", "-"), "", "--system - and the input - cannot be combined"),
            (("@nowhere.txt",), "", "cannot read nowhere.txt: no such file"),
            (
                ("-f", "https://example.com/a b", "q"),
                "",
                "reflect fetches no pages (pipe it in: curl -sL https://example",
            ),
            (("-e", "q"), "false", "the editor failed (nothing was asked)"),
            (("-e", "q"), "sed -i s/q//", "the question is empty (nothing was asked)"),
        ],
    )
    def test_what_cannot_be_asked_is_one_line(
        self, reflect: Reflect, server: FakeServer, words: tuple[str, ...], editor: str, said: str
    ) -> None:
        result = reflect.at(server.host)(*words, stdin=b"x", **({"EDITOR": editor} if editor else {}))

        assert (result.code, result.out, result.err.count("\n")) == (2, "", 1)
        assert said in result.err
        assert server.requests == []

    def test_dash_alone_asks_stdin(self, reflect: Reflect, server: FakeServer) -> None:
        reflect.at(server.host)(*MODEL, "-", stdin=b"Why?")

        assert sent(server) == "Why?"

    def test_system_prompt_comes_from_a_file(self, reflect: Reflect, server: FakeServer) -> None:
        (reflect.home / "terse.txt").write_text("Be terse.\n")
        reflect.at(server.host)(*MODEL, "-s", "@terse.txt", "q")
        missing = reflect.at(server.host)(*MODEL, "-s", "@none.txt", "q")
        (asked,) = server.asked("/api/chat")

        assert "Be terse." in asked.json["messages"][0]["content"]
        assert (missing.code, missing.out) == (2, "")
        assert "cannot read none.txt: no such file" in missing.err

    @pytest.mark.process
    def test_loop_over_lines_is_warned_of_the_rest_it_takes(self, reflect: Reflect, server: FakeServer) -> None:
        (reflect.home / "lines.txt").write_text("one\ntwo\nthree\n")
        script = 'while read -r line; do reflect -m reflection --final {} "$line"; done < lines.txt'
        result = reflect.at(server.host).shell(script.format(""))
        assert result.err.count("the rest of a partly read stdin is part of the question") == 1
        assert "two\nthree" in sent(server)

        result = reflect.at(server.host).shell(script.format("--no-stdin"))
        assert result.err == ""
        assert [str(one.json["messages"][-1]["content"]) for one in server.asked("/api/chat")[1:]] == [
            "one",
            "two",
            "three",
        ]

    def test_file_alone_is_the_question(self, reflect: Reflect, server: FakeServer) -> None:
        (reflect.home / "q.txt").write_text("Why?\n")
        result = reflect.at(server.host)(*MODEL, "-f", "q.txt")

        assert result.code == 0
        assert "Why?" in sent(server)

    def test_command_name_after_two_dashes_is_a_question(self, reflect: Reflect, server: FakeServer) -> None:
        result = reflect.at(server.host)(*MODEL, "--", "models")

        assert (result.code, sent(server)) == (0, "models")

    def test_ask_command_sends_the_question(self, reflect: Reflect, server: FakeServer) -> None:
        result = reflect.at(server.host)("ask", *MODEL, "ask me")

        assert (result.code, sent(server)) == (0, "ask me")

    def test_ten_megabytes_are_sent_in_full(self, reflect: Reflect, server: FakeServer) -> None:
        text = "0123456789abcde\n" * (10 * 1024 * 1024 // 16)
        result = reflect.at(server.host)(*MODEL, "--final", "Summarise.", stdin=text.encode())

        assert (result.code, result.out) == (0, f"{ANSWER}\n")
        assert sent(server) == f"<stdin>\n{text.rstrip()}\n</stdin>\n\nSummarise."

    @pytest.mark.parametrize("data", [b"\xef\xbb\xbfG\xc3\xb6\r\nthe\r\n", "Gö\r\nthe\r\n".encode("utf-16")])
    def test_byte_order_marks_and_carriage_returns_are_removed(
        self, reflect: Reflect, server: FakeServer, data: bytes
    ) -> None:
        result = reflect.at(server.host)(*MODEL, stdin=data)

        assert (result.code, result.err) == (0, "")
        assert sent(server).rstrip("\n") == "Gö\nthe"


class TestBinaryInput:
    @pytest.mark.parametrize("data", [b"\x7fELF\0\0\x01", bytes(range(128, 256)) * 4], ids=["nul", "high"])
    def test_binary_stdin_is_refused(self, reflect: Reflect, server: FakeServer, data: bytes) -> None:
        result = reflect.at(server.host)(*MODEL, "q", stdin=data)

        assert (result.code, result.out) == (2, "")
        assert len(result.err.splitlines()) == 1
        assert "stdin" in result.err
        assert not server.requests

    def test_binary_file_is_refused_by_name(self, reflect: Reflect, server: FakeServer) -> None:
        (reflect.home / "a.bin").write_bytes(b"\0\1\2")
        result = reflect.at(server.host)(*MODEL, "-f", "a.bin", "q")

        assert result.code == 2
        assert "a.bin" in result.err
        assert not server.requests

    def test_single_invalid_byte_is_replaced_with_a_warning(self, reflect: Reflect, server: FakeServer) -> None:
        result = reflect.at(server.host)(*MODEL, stdin=b"The caf\xe9 on the corner is closed today.")

        assert (result.code, result.out) == (0, f"{ANSWER}\n")
        assert len(result.err.splitlines()) == 1
        assert "UTF-8" in result.err
        assert "caf\ufffd on" in sent(server)


class TestOpenPipe:
    def test_silent_open_pipe_is_reported_and_read_once_closed(self, reflect: Reflect, server: FakeServer) -> None:
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

    def test_no_stdin_flag_ignores_an_open_pipe(self, reflect: Reflect, server: FakeServer) -> None:
        with reflect.at(server.host).start(*MODEL, "--no-stdin", "q", stdin=subprocess.PIPE) as run:
            assert run.says(ANSWER)
            assert run.process.wait(PATIENCE) == 0
            assert sent(server) == "q"


class TestNoStdin:
    @pytest.mark.parametrize("redirect", ["<&-", "</dev/null"])
    def test_closed_or_null_stdin_counts_as_empty(self, reflect: Reflect, server: FakeServer, redirect: str) -> None:
        result = reflect.at(server.host).shell(f"reflect --final -m reflection q {redirect}")

        assert (result.code, result.out, result.err) == (0, f"{ANSWER}\n", "")
        assert sent(server) == "q"

    @pytest.mark.parametrize("words", [(), ("",), ("  \n",), ("-f", "-")], ids=["none", "empty", "blank", "stdin"])
    def test_no_stdin_and_no_question_is_an_error(
        self, reflect: Reflect, server: FakeServer, words: tuple[str, ...]
    ) -> None:
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
