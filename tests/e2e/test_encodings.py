from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from support.cases import cases
from support.fake_server import Answer, done, line
from support.scripted_servers import MODEL, answering_server, chat_server

if TYPE_CHECKING:
    from support.command import Reflect

TEXT = "Größe → 世界 👍"
LOCALES: dict[str, tuple[dict[str, Any], str]] = {
    "UTF-8": ({"LC_ALL": "C.UTF-8"}, "utf-8"),
    "C": ({"LC_ALL": "C"}, "utf-8"),
    "POSIX, nothing coerced": ({"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, "ascii"),
    "latin-1": ({"PYTHONIOENCODING": "latin-1"}, "latin-1"),
    "ascii": ({"PYTHONIOENCODING": "ascii"}, "ascii"),
    "cp1252": ({"PYTHONIOENCODING": "cp1252"}, "cp1252"),
}
CASES = cases("hostile.jsonl")
SAMPLE = [case for case in CASES if case["expect"] == "neutralise"][::5]
BENIGN = [case for case in CASES if case["expect"] != "neutralise"]
CONTROL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]")


@pytest.mark.process
@pytest.mark.parametrize("name", LOCALES)
@pytest.mark.parametrize("form", [(), ("--final",)], ids=["plain", "final"])
def test_answer_is_encoded_for_every_locale(reflect: Reflect, name: str, form: tuple[str, ...]) -> None:
    variables, encoding = LOCALES[name]
    with answering_server(f"<thinking>{TEXT}</thinking>\n<output>\n{TEXT}\n</output>") as server:
        result = reflect.at(server.host)(*MODEL, *form, "q", **variables)

    assert (result.code, result.stderr) == (0, b"")
    assert result.stdout == TEXT.encode(encoding, "backslashreplace") + b"\n"


@pytest.mark.process
@pytest.mark.parametrize("name", LOCALES)
def test_error_is_encoded_for_every_locale(reflect: Reflect, name: str) -> None:
    variables, encoding = LOCALES[name]
    result = reflect("-f", "Größe.txt", "q", **variables)

    assert result.code == 2
    assert b"Traceback" not in result.stderr
    assert len(result.stderr.splitlines()) == 1
    if encoding in ("utf-8", "latin-1", "cp1252"):
        assert "Größe.txt" in result.stderr.decode(encoding)


@pytest.mark.process
@pytest.mark.parametrize("name", LOCALES)
def test_question_is_sent_unchanged_in_every_locale(reflect: Reflect, name: str) -> None:
    variables, _ = LOCALES[name]
    with answering_server("<output>ok</output>") as server:
        result = reflect.at(server.host)(*MODEL, TEXT, stdin=TEXT.encode(), **variables)

    assert result.code == 0
    sent = server.asked("/api/chat")[0].json["messages"][-1]["content"]
    assert sent == f"<stdin>\n{TEXT}\n</stdin>\n\n{TEXT}"


def chat(text: str) -> Answer:
    # Escaped by json: half a surrogate pair has no bytes of its own.
    message = {"role": "assistant", "content": f"<output>\nx{text}x\n</output>"}
    return Answer([json.dumps({"message": message, "done": False}).encode() + b"\n", line(**done())])


@pytest.mark.parametrize("case", SAMPLE, ids=lambda case: case["id"])
def test_hostile_text_is_escaped_in_a_pipe(reflect: Reflect, case: dict[str, Any]) -> None:
    with chat_server(chat(case["text"])) as server:
        result = reflect.at(server.host)(*MODEL, "q", LC_ALL="C.UTF-8")

    assert result.code == 0
    assert not CONTROL.search(result.stdout)
    if "needle" in case:
        assert case["needle"].encode("utf-8", "surrogatepass") not in result.stdout


def test_benign_text_is_unchanged_in_a_pipe(reflect: Reflect) -> None:
    text = "\n".join(case["text"] for case in BENIGN)
    expected = "\n".join(case.get("out", case["text"]) for case in BENIGN)
    with answering_server(f"x{text}x") as server:
        result = reflect.at(server.host)(*MODEL, "--mode", "direct", "--family", "none", "q", LC_ALL="C.UTF-8")

    assert result.out == f"x{expected}x\n"
    assert result.err == ""


def test_replaced_control_characters_are_counted_in_one_warning(reflect: Reflect) -> None:
    with answering_server("<output>\na\x1bb\x07c\n</output>") as server:
        result = reflect.at(server.host)(*MODEL, "q")

    assert result.out == "a^[b^Gc\n"
    assert len(result.err.splitlines()) == 1
    assert "2 control characters" in result.err


def test_escape_sequence_split_across_chunks_is_escaped(reflect: Reflect) -> None:
    with answering_server("<output>\na\x1b", "[31", "mred\r", "\nb\n</output>") as server:
        result = reflect.at(server.host)(*MODEL, "q")

    assert result.out == "a^[[31mred\nb\n"


def test_control_characters_in_thinking_are_escaped(reflect: Reflect) -> None:
    with answering_server("<thinking>a\x1b]0;owned\x07</thinking>\n<output>ok</output>") as server:
        result = reflect.at(server.host)(*MODEL, "--show", "thinking,answer", "q")

    assert result.out == "ok\n"
    assert "a^[]0;owned^G" in result.err
    assert "\x1b" not in result.err


def test_raw_is_byte_for_byte(reflect: Reflect) -> None:
    with answering_server("a\x1b[31mb") as server:
        result = reflect.at(server.host)(*MODEL, "--raw", "q")

    assert result.stdout.rstrip(b"\n") == b"a\x1b[31mb"
