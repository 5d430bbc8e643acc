from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from support.cases import cases
from support.fake_server import HANG, Answer, Raw, error, line
from support.pty_screen import Screen
from support.scripted_servers import ANSWER, ANSWERED, MODEL, Gate, answering_server, chat_server, endless, unfinished
from support.waiting import PATIENCE

if TYPE_CHECKING:
    from support.command import Reflect

WHOLE = ["│ 11 is more than 9, so 9.11.", "↺ No: 9.9 is 9.90.", "│ So 9.9."]
SUMMARY = re.compile(r"^ *thought (?:\d.* )?· 45 tokens · 1 correction · 66 tok/s$", re.MULTILINE)
ESCAPE = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]|\x1b[^\[]")
COLOUR = re.compile(rb"\x1b\[[0-9;]*\b(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])[0-9;]*m")
NATIVE: dict[str, Any] = {"capabilities": ["completion", "thinking"]}
HOSTILE = [case for case in cases("hostile.jsonl") if case["expect"] == "neutralise" and "needle" in case]


class TestOnATerminal:
    def test_thinking_corrections_answer_and_summary_are_distinguished(self, reflect: Reflect) -> None:
        with answering_server(*ANSWERED) as server, Screen(reflect.at(server.host), *MODEL, "which?") as screen:
            code = screen.finish()
            lines = [text for text in screen.lines if text]

        assert code == 0
        assert lines[:3] == WHOLE
        assert lines[3].strip() == ANSWER
        assert SUMMARY.search(screen.text)
        assert len(lines) == 5
        assert not screen.cursor_hidden

    def test_native_thinking_is_drawn_like_tagged_thinking(self, reflect: Reflect) -> None:
        thinking = ("Is it 41?\n", "<reflection>\nNo, 42.\n</reflection>\n", "Yes.")
        with (
            answering_server("It is **42**.", thinking=thinking, **NATIVE) as server,
            Screen(reflect.at(server.host), "-m", "m", "q") as screen,
        ):
            screen.finish()
            lines = [text for text in screen.lines if text]

        assert lines[:3] == ["│ Is it 41?", "↺ No, 42.", "│ Yes."]
        assert lines[3].strip() == "It is 42."

    def test_thinking_is_shown_while_it_streams(self, reflect: Reflect) -> None:
        chat = unfinished("<thinking>\nFirst thought\n", "and a second")
        with chat_server(chat) as server, Screen(reflect.at(server.host), *MODEL, "q") as screen:
            assert screen.shows("│ First thought")
            assert screen.shows("│ and a second")

    def test_answer_is_shown_while_it_streams(self, reflect: Reflect) -> None:
        gate = Gate()
        chat = gate.between("<output>\nOne, two", ", three\n</output>")
        with chat_server(chat) as server, Screen(reflect.at(server.host), *MODEL, "q") as screen:
            assert screen.shows("One, two")
            gate.open()
            assert screen.finish() == 0
            assert "One, two, three" in screen.text
            assert screen.text.count("One") == 1

    def test_answer_reclassified_as_thinking_gets_the_gutter(self, reflect: Reflect) -> None:
        said = "I think 9.11.\n</thinking>\n<output>\n9.9 is larger.\n</output>"
        with answering_server(*said) as server, Screen(reflect.at(server.host), *MODEL, "q") as screen:
            assert screen.finish() == 0
            assert "│ I think 9.11." in screen.text
            assert screen.text.count("I think") == 1

    def test_scrollback_holds_every_line_once(self, reflect: Reflect) -> None:
        said = "<thinking>\n" + "".join(f"{n}. thought\n" for n in range(60)) + "</thinking>\n<output>\n"
        said += "".join(f"- point {n}\n" for n in range(60)) + "</output>"
        with answering_server(*re.findall(r"\S+|\s", said)) as server:
            with Screen(reflect.at(server.host), *MODEL, "q", rows=10, columns=40) as screen:
                code = screen.finish()
            text = screen.text

        assert code == 0
        assert re.findall(r"(\d+)\. thought", text) == [str(n) for n in range(60)]
        assert re.findall(r"point (\d+)", text) == [str(n) for n in range(60)]

    def test_long_line_wraps_with_its_gutter(self, reflect: Reflect) -> None:
        words = " ".join(f"word{n}" for n in range(60))
        with answering_server(f"<thinking>\n{words}\n</thinking>\n<output>ok</output>") as server:
            with Screen(reflect.at(server.host), *MODEL, "q", columns=40) as screen:
                screen.finish()
            rows = [text for text in screen.lines if "word" in text]

        assert len(rows) > 5
        assert all(row.startswith("│ ") for row in rows)
        assert " ".join(row[2:] for row in rows) == words

    def test_markdown_is_drawn(self, reflect: Reflect) -> None:
        said = "<output>\n# Title\n\nSome *soft* and **strong** text.\n\n```python\nprint(1)\n```\n</output>"
        with answering_server(*said) as server, Screen(reflect.at(server.host), *MODEL, "q") as screen:
            screen.finish()

        assert "Some soft and strong text." in screen.text
        assert "print(1)" in screen.text
        assert "**" not in screen.text

    @pytest.mark.parametrize(
        ("words", "hidden"), [(("--no-thinking",), "11 is more"), (("--show", "thinking"), "larg")]
    )
    def test_hidden_parts_are_not_shown(self, reflect: Reflect, words: tuple[str, ...], hidden: str) -> None:
        with answering_server(ANSWERED) as server, Screen(reflect.at(server.host), *MODEL, *words, "q") as screen:
            assert screen.finish() == 0
            assert hidden not in screen.text

    def test_final_prints_only_the_answer(self, reflect: Reflect) -> None:
        with answering_server(ANSWERED) as server, Screen(reflect.at(server.host), *MODEL, "--final", "q") as screen:
            screen.finish()

        assert screen.raw == f"{ANSWER}\r\n".encode()

    def test_raw_is_refused(self, reflect: Reflect) -> None:
        with answering_server(ANSWERED) as server, Screen(reflect.at(server.host), *MODEL, "--raw", "q") as screen:
            assert screen.finish() == 2
            assert not server.requests

    def test_error_is_one_line_below_the_partial_answer(self, reflect: Reflect) -> None:
        chat = Answer([line("<thinking>a</thinking>\n<output>\nOne, two"), b'{"error":"unexpected EOF"}\n'])
        with chat_server(chat) as server, Screen(reflect.at(server.host), *MODEL, "q", columns=200) as screen:
            assert screen.finish() == 5
            assert "One, two" in screen.text
            assert "unexpected EOF" in screen.lines[max(n for n, text in enumerate(screen.lines) if text)]
            assert not screen.cursor_hidden

    def test_waiting_message_appears_after_a_delay(self, reflect: Reflect) -> None:
        with chat_server(Raw([HANG])) as server, Screen(reflect.at(server.host), *MODEL, "q") as screen:
            assert screen.shows("reflection")

    @pytest.mark.parametrize("columns", [5, 20, 200])
    def test_answer_is_complete_at_any_width(self, reflect: Reflect, columns: int) -> None:
        with (
            answering_server(*ANSWERED) as server,
            Screen(reflect.at(server.host), *MODEL, "q", columns=columns) as screen,
        ):
            assert screen.finish() == 0
            assert "9.9islarger." in re.sub(r"\s|│|↺", "", screen.text)

    def test_columns_variable_limits_the_width(self, reflect: Reflect) -> None:
        words = " ".join(f"w{n}" for n in range(60))
        with answering_server(f"<output>{words}</output>") as server:
            with Screen(reflect.at(server.host), *MODEL, "q", columns=120, COLUMNS="40") as screen:
                screen.finish()
            longest = max(len(text) for text in screen.lines if "w" in text)

        assert longest <= 40

    def test_resized_terminal_keeps_every_word(self, reflect: Reflect) -> None:
        gate = Gate()
        chat = gate.between("<output>\nalpha beta gamma", " delta epsilon\n</output>")
        with chat_server(chat) as server, Screen(reflect.at(server.host), *MODEL, "q") as screen:
            assert screen.shows("gamma")
            screen.resize(30, 10)
            gate.open()
            assert screen.finish() == 0
            assert all(word in screen.text for word in ("alpha", "beta", "gamma", "delta", "epsilon"))


class TestInterrupt:
    def test_ctrl_c_keeps_the_shown_text(self, reflect: Reflect) -> None:
        chat = unfinished("<thinking>\na thought\n</thinking>\n<output>\nOne, two")
        with chat_server(chat) as server, Screen(reflect.at(server.host), *MODEL, "q") as screen:
            assert screen.shows("One, two")
            screen.press(b"\x03")
            assert screen.finish() == 130
            assert "a thought" in screen.text
            assert "One, two" in screen.text
            assert "Traceback" not in screen.text
            assert not screen.cursor_hidden
            assert server.asked("/api/chat")[0].left.wait(PATIENCE)

    def test_ctrl_c_ends_an_endless_answer(self, reflect: Reflect) -> None:
        with chat_server(endless()) as server, Screen(reflect.at(server.host), *MODEL, "q") as screen:
            assert screen.shows("line 3")
            screen.press(b"\x03")
            assert screen.finish() == 130
            assert not screen.cursor_hidden


class TestLimitedTerminal:
    def test_dumb_terminal_gets_no_escape_sequences(self, reflect: Reflect) -> None:
        with answering_server(*ANSWERED) as server, Screen(reflect.at(server.host), *MODEL, "q", TERM="dumb") as screen:
            assert screen.finish() == 0
            assert [text for text in screen.lines if text][:3] == WHOLE
            assert ANSWER in screen.text
            assert b"\x1b" not in screen.raw
            assert b"\r" not in screen.raw.replace(b"\r\n", b"")

    def test_parts_are_distinguished_without_colour(self, reflect: Reflect) -> None:
        with (
            answering_server(*ANSWERED) as server,
            Screen(reflect.at(server.host), *MODEL, "q", NO_COLOR="1") as screen,
        ):
            assert screen.finish() == 0
            assert [text for text in screen.lines if text][:3] == WHOLE
            assert not COLOUR.search(screen.raw)

    def test_colour_terminal_gets_colours(self, reflect: Reflect) -> None:
        with answering_server(*ANSWERED) as server, Screen(reflect.at(server.host), *MODEL, "q") as screen:
            screen.finish()
            assert COLOUR.search(screen.raw)

    def test_gutter_is_ascii_without_utf_8(self, reflect: Reflect) -> None:
        plain: dict[str, Any] = {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
        with answering_server(ANSWERED) as server, Screen(reflect.at(server.host), *MODEL, "q", **plain) as screen:
            assert screen.finish() == 0
            assert screen.raw.isascii()
            assert [text for text in screen.lines if text][:3] == [
                "| 11 is more than 9, so 9.11.",
                "~ No: 9.9 is 9.90.",
                "| So 9.9.",
            ]


class TestRedirectedStream:
    def test_redirected_stderr_shows_only_the_answer(self, reflect: Reflect) -> None:
        errors = reflect.home / "errors"
        with answering_server(*ANSWERED) as server, Screen(reflect.at(server.host), *MODEL, "q", err=errors) as screen:
            assert screen.finish() == 0
            assert screen.text == ANSWER
            assert errors.read_bytes() == b""

    def test_redirected_stdout_gets_the_answer_and_thinking_is_shown(self, reflect: Reflect) -> None:
        answer = reflect.home / "answer"
        with answering_server(*ANSWERED) as server, Screen(reflect.at(server.host), *MODEL, "q", out=answer) as screen:
            assert screen.finish() == 0
            assert [text for text in screen.lines if text][:3] == WHOLE
            assert ANSWER not in screen.text
            assert SUMMARY.search(screen.text)
            assert answer.read_bytes() == f"{ANSWER}\n".encode()

    def test_redirected_stdout_with_final_shows_nothing(self, reflect: Reflect) -> None:
        answer = reflect.home / "answer"
        with (
            answering_server(ANSWERED) as server,
            Screen(reflect.at(server.host), *MODEL, "--final", "q", out=answer) as screen,
        ):
            assert screen.finish() == 0
            assert screen.raw == b""
            assert answer.read_bytes() == f"{ANSWER}\n".encode()

    def test_forced_colour_applies_to_redirected_stdout(self, reflect: Reflect) -> None:
        answer, errors = reflect.home / "answer", reflect.home / "errors"
        with (
            answering_server("<output>\n# Title\n</output>") as server,
            Screen(reflect.at(server.host), *MODEL, "q", out=answer, err=errors, CLICOLOR_FORCE="1") as screen,
        ):
            assert screen.finish() == 0
            assert screen.raw == b""
            assert b"Title" in answer.read_bytes()
            assert b"\x1b[" in answer.read_bytes()


class TestHostileText:
    @pytest.mark.parametrize("case", HOSTILE[::8], ids=lambda case: case["id"])
    def test_hostile_reply_never_reaches_the_terminal(self, reflect: Reflect, case: dict[str, Any]) -> None:
        said = f"<thinking>\nt{case['text']}t\n<reflection>\nr{case['text']}r\n</reflection>\n</thinking>\n"
        said += f"<output>\nx{case['text']}x\n</output>"
        with answering_server(said) as server, Screen(reflect.at(server.host), *MODEL, "q", columns=200) as screen:
            assert screen.finish() == 0
        drawn = ESCAPE.sub(b"", screen.raw)

        assert case["needle"].encode("utf-8", "surrogatepass") not in screen.raw
        assert not re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", drawn)

    def test_hostile_server_error_never_reaches_the_terminal(self, reflect: Reflect) -> None:
        with (
            chat_server(error(400, "no\x1b]0;owned\x07\x1b[2J")) as server,
            Screen(reflect.at(server.host), *MODEL, "q", columns=200) as screen,
        ):
            assert screen.finish() == 4
            assert b"owned\x07" not in screen.raw
            assert b"\x1b[2J" not in screen.raw
