from __future__ import annotations

import json
import os
import re
import signal
from typing import TYPE_CHECKING, Any

import pytest

from reflectty.store import open_store
from support.cases import cases
from support.fake_server import HANG, Answer, FakeServer, done, error, line, reply, show, tags, whole
from support.pty_screen import Screen
from support.scripted_servers import Gate

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from support.command import Reflect, Result
    from support.fake_server import Route

SAID = ("<thinking>\n9.11?\n<reflection>\nNo.\n</reflection>\n</thinking>\n", "<output>\n9.9 is larger.\n</output>")
CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")


def ollama(**routes: Route) -> FakeServer:
    """A server with one model that reflects; routes are named by the last part of their path."""
    usual: Mapping[str, Route] = {
        "version": whole({"version": "0.32.15"}),
        "tags": tags("reflection:latest"),
        "show": show(),
        "ps": whole({"models": [{"name": "reflection:latest", "size": 10, "size_vram": 10, "context_length": 32768}]}),
        "chat": reply(SAID),
    }
    return FakeServer({f"/api/{name}": route for name, route in {**usual, **routes}.items()})


def states(result: Result) -> dict[str, str]:
    """The sign of each check, of its last finding where it has several."""
    lines = [text for text in result.out.splitlines() if text and text[0] != " "]
    return {text[2:13].strip(): text[0] for text in lines}


def value(result: Result) -> dict[str, Any]:
    read = json.loads(result.out)
    assert read["exit_code"] == result.code
    return dict(read)


def found(read: dict[str, Any], check: str) -> dict[str, Any]:
    return next(dict(one) for one in read["findings"] if one["check"] == check)


def test_working_setup_is_reported(reflect: Reflect) -> None:
    with ollama() as server:
        result = reflect.at(server.host)("doctor")
    assert (result.code, result.err) == (0, "")
    assert not CONTROLS.search(result.out.replace("\n", ""))
    assert "reflection answered in" in result.out
    assert "thinking, 1 correction and answer are separated" in result.out
    assert result.out.endswith("✓ everything works\n")
    assert states(result)["GPU"] == "✓"


def test_doctor_saves_only_the_marker_that_a_server_has_answered(
    reflect: Reflect,
) -> None:
    with ollama() as server:
        assert reflect.at(server.host)("doctor").code == 0
    files = [path for path in reflect.home.rglob("*") if path.is_file()]
    assert [(path.name, path.stat().st_size) for path in files] == [("served", 0)]


def test_json_is_one_object(reflect: Reflect) -> None:
    with ollama() as server:
        result = reflect.at(server.host)("doctor", "--json")
        read = value(result)
    assert (result.code, result.err, read["answers"]) == (0, "", True)
    assert found(read, "server")["facts"] | {"milliseconds": 0} == {
        "address": f"http://{server.host}",
        "source": "OLLAMA_HOST",
        "version": "0.32.15",
        "milliseconds": 0,
    }
    assert found(read, "GPU")["facts"]["share"] == 1
    assert found(read, "question")["facts"]["answer"] == "9.9 is larger."


def test_no_question_asks_nothing_and_proves_nothing(reflect: Reflect) -> None:
    with ollama() as server:
        result = reflect.at(server.host)("doctor", "--no-question")
        assert not server.asked("/api/chat")
    assert result.code == 0
    assert result.out.endswith("· no problems found; no question was asked (--no-question)\n")
    assert states(result)["question"] == "○"


@pytest.mark.parametrize(
    ("routes", "code", "check", "part"),
    [
        ({"version": Answer([b"<html>"], content_type="text/html")}, 3, "server", "not an Ollama server"),
        ({"version": Answer([], 403, content_type="")}, 4, "server", "Host header"),
        ({"tags": whole({"hello": 1})}, 3, "models", "lists no models"),
        ({"tags": tags()}, 4, "model", "no model is installed"),
        ({"show": error(404, "model 'reflection:latest' not found")}, 4, "model", "not installed"),
        ({"chat": error(500, "out of memory")}, 4, "question", "out of memory"),
        ({"chat": Answer([line("half")])}, 5, "question", "before it was complete"),
        ({"chat": Answer([line("half"), line(**done("length"))])}, 5, "question", "token limit"),
    ],
)
def test_first_problem_sets_the_exit_code(
    reflect: Reflect, routes: dict[str, Route], code: int, check: str, part: str
) -> None:
    with ollama(**routes) as server:
        result = reflect.at(server.host)("doctor")
    assert result.code == code
    assert states(result)[check] == "✗"
    assert re.search(r"✗ \d problems? found", result.out)
    assert part in result.err
    assert len(result.err.splitlines()) == 1


def test_unreachable_server_is_reported_and_other_checks_run(reflect: Reflect) -> None:
    result = reflect.at("127.0.0.1:1")("doctor")
    assert result.code == 3
    assert "→ is `ollama serve` running?" in result.out
    signs = states(result)
    assert (signs["terminal"], signs["store"], signs["server"], signs["models"]) == ("✓", "✓", "✗", "○")


def test_missing_model_gets_a_suggestion(reflect: Reflect) -> None:
    routes: dict[str, Route] = {"show": error(404, "model 'reflektion' not found")}
    with ollama(**routes) as server:
        result = reflect.at(server.host)("doctor", "-m", "reflektion")
    assert result.code == 4
    assert "reflection" in result.err


def test_silent_server_times_out(reflect: Reflect) -> None:
    with ollama(chat=Answer([line("<thinking>"), HANG])) as server:
        result = reflect.at(server.host)("doctor", "--timeout", "3")
    assert result.code == 5
    assert states(result)["question"] == "✗"
    assert states(result)["context"] == "✓"


def test_all_config_errors_are_reported_and_other_checks_run(reflect: Reflect) -> None:
    folder = reflect.home / ".config" / "reflectty"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('mode = "loud"\nnosuch = 1\ntheme = "nosuch"\n[keys]\nsave = "x"\n')
    with ollama() as server:
        result = reflect.at(server.host)("doctor", "--json", REFLECTTY_THINKING="loud")
    read = value(result)
    assert result.code == 2
    texts = [one["found"] for one in read["findings"] if one["check"] == "config"]
    assert len(texts) == 5
    for part in ("mode", "nosuch", "REFLECTTY_THINKING", "theme", "save"):
        assert any(part in text for text in texts)
    assert found(read, "question")["state"] == "ok"


@pytest.mark.parametrize(
    ("setting", "blocks"),
    [
        ('template = "nope"', True),
        ('keep_alive = "long"', True),
        ('model = " "', True),
        ('hosts = ["not a host"]', False),
        ('[profiles.other]\nhost = "b:a:c"', False),
        ('theme = "pink"', False),
    ],
)
def test_values_that_config_set_refuses_are_found(reflect: Reflect, setting: str, blocks: bool) -> None:
    folder = reflect.home / ".config" / "reflectty"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(setting)
    with ollama() as server:
        result = reflect.at(server.host)("doctor", "--json", "-m", "m")
    (finding,) = (one for one in value(result)["findings"] if one["check"] == "config")

    assert setting.split(" = ", maxsplit=1)[0].rsplit("\n", maxsplit=1)[-1] in finding["found"]
    assert (finding["state"], result.code) == (("wrong", 2) if blocks else ("warning", 0))


def test_invalid_host_exits_with_2(reflect: Reflect) -> None:
    result = reflect("doctor", "--host", "ftp://x")
    assert result.code == 2
    assert states(result)["server"] == "✗"


def test_damaged_store_is_reported_and_left_unchanged(reflect: Reflect) -> None:
    path = reflect.home / ".local" / "share" / "reflectty" / "sessions.db"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no database" * 500)
    with ollama() as server:
        result = reflect.at(server.host)("doctor")
    assert result.code == 0
    assert states(result)["server"] == "✓"
    assert "file is not a database" in result.out
    assert path.read_bytes() == b"no database" * 500


def test_sessions_are_counted(reflect: Reflect) -> None:
    path = reflect.home / ".local" / "share" / "reflectty" / "sessions.db"
    path.parent.mkdir(parents=True)
    store = open_store(path, pytest.fail)
    store.create_session("one")
    store.close()
    result = reflect("doctor", "--json", "--no-question", "--host", "127.0.0.1:1")
    assert found(value(result), "store")["facts"]["sessions"] == 1


def test_hostile_server_text_sends_no_control_characters(reflect: Reflect) -> None:
    texts = [case["text"] for case in cases("hostile.jsonl") if case.get("repeat", 1) == 1][:60]
    names = [f"reflection{text}" for text in texts if text.isprintable() or "\x1b" in text][:12]
    nasty = "\x1b]0;owned\x07\x1b[2J\u202e"
    routes: dict[str, Route] = {
        "version": whole({"version": f"0.32.15{nasty}"}),
        "tags": tags(*names, f"reflection{nasty}"),
        "ps": whole({"models": [{"name": f"reflection{nasty}", "size": 10, "size_vram": 5, "context_length": 1}]}),
        "chat": reply([f"<output>{nasty}</output>"]),
    }
    with ollama(**routes) as server:
        result = reflect.at(server.host)("doctor", "-m", f"reflection{nasty}".replace("\x07", ""))
        assert not CONTROLS.search(result.out.replace("\n", ""))
        assert "\u202e" not in result.out
        with Screen(reflect.at(server.host), "doctor", columns=60, rows=80) as screen:
            assert screen.finish() == 0
            assert b"owned\x07" not in screen.raw
            assert b"\x1b[2J" not in screen.raw


class TestOnATerminal:
    def test_progress_is_replaced_by_the_findings(self, reflect: Reflect) -> None:
        gate = Gate()
        slow = gate.between("", "".join(SAID))
        with ollama(chat=slow) as server, Screen(reflect.at(server.host), "doctor", rows=60) as screen:
            assert screen.shows("waiting for an answer")
            assert "models" in screen.text
            gate.open()
            assert screen.finish() == 0
            lines = screen.lines
            assert "waiting for an answer" not in screen.text
            assert not screen.cursor_hidden
        assert any(text.startswith("✓ server     Ollama 0.32.15 responds at") for text in lines)
        assert any(text == "✓ everything works" for text in lines)

    @pytest.mark.parametrize(
        "columns", [40, 80, *(pytest.param(columns, marks=pytest.mark.slow) for columns in (50, 120, 300))]
    )
    def test_findings_fit_the_terminal_width(self, reflect: Reflect, columns: int) -> None:
        with ollama() as server, Screen(reflect.at(server.host), "doctor", columns=columns, rows=90) as screen:
            assert screen.finish() == 0
            assert all(len(text) < columns for text in screen.lines)
            assert all(len(text) <= 100 for text in screen.lines)
            assert "✓ everything works" in screen.lines

    def test_signs_remain_without_colours(self, reflect: Reflect) -> None:
        with ollama() as server, Screen(reflect.at(server.host), "doctor", rows=60, NO_COLOR="1") as screen:
            assert screen.finish() == 0
            assert "no colors (NO_COLOR is set)" in screen.text
            assert not re.search(rb"\x1b\[[\d;]*3\d", screen.raw)

    def test_closed_pipe_is_silent(self, reflect: Reflect) -> None:
        with ollama() as server:
            result = reflect.at(server.host).shell("reflect doctor | head -1")
        assert (result.err, result.out.count("\n")) == ("", 1)

    def test_result_is_printed_once_unless_stderr_is_apart(self, reflect: Reflect) -> None:
        with ollama(tags=tags()) as server:
            with Screen(reflect.at(server.host), "doctor", rows=60, columns=200) as screen:
                assert screen.finish() == 4
                seen = screen.text
            apart = reflect.home / "stderr"
            with Screen(reflect.at(server.host), "doctor", err=apart) as screen:
                assert screen.finish() == 4
        assert seen.count("no model is installed on the server") == 1
        assert seen.endswith("problem found")
        assert apart.read_text().startswith("reflect: no model is installed on the server")

    def test_interrupt_restores_the_terminal(self, reflect: Reflect) -> None:
        with ollama(chat=Answer([HANG])) as server, Screen(reflect.at(server.host), "doctor", rows=60) as screen:
            assert screen.shows("waiting for an answer")
            os.kill(screen.process.pid, signal.SIGINT)
            assert screen.finish() == 130
            assert "waiting for an answer" not in screen.text
            assert "Traceback" not in screen.text


def test_the_help_names_the_exit_codes(reflect: Reflect) -> None:
    text = " ".join(reflect("doctor", "--help").out.split())
    assert "0 the question was answered" in text
    assert "--no-question" in text


@pytest.mark.parametrize("words", [("--nosuch",), ("--timeout", "never"), ("--profile", "nosuch")])
def test_invalid_argument_exits_with_2(reflect: Reflect, words: tuple[str, ...], tmp_path: Path) -> None:
    result = reflect("doctor", *words, XDG_DATA_HOME=str(tmp_path))
    assert (result.code, result.out) == (2, "")
    assert len(result.err.splitlines()) == 1
