"""`reflect models pull|create` with a scripted server."""

from __future__ import annotations

import json
import re
import signal
from typing import TYPE_CHECKING

import pytest

from support.fake_server import HANG, Answer, FakeServer, error, reply, show
from support.installed_models import LAYER, SUCCESS, routes
from support.pty_screen import Screen
from support.waiting import PATIENCE

if TYPE_CHECKING:
    from support.command import Reflect
    from support.fake_server import Route


class TestPull:
    PARTS = (
        b'{"status":"pulling manifest"}\n',
        b'{"status":"pulling %s","digest":"%s","total":1000000,"completed":400000}\n'
        % (b"1" * 12, LAYER.encode()),
    )  # fmt: skip

    def test_pull_is_silent_in_a_pipe(self, reflect: Reflect) -> None:
        with FakeServer(routes(pull=Answer([*self.PARTS, SUCCESS]))) as server:
            result = reflect.at(server.host)("models", "pull", "m")
        assert (result.code, result.out, result.err) == (0, "", "")
        assert server.asked("/api/pull")[0].json == {"model": "m", "insecure": False, "stream": True}

    def test_pull_progress_line_is_cleared_when_interrupted(self, reflect: Reflect) -> None:
        with FakeServer(routes(pull=Answer([*self.PARTS, HANG]))) as server:
            with Screen(reflect.at(server.host), "models", "pull", "m") as screen:
                assert screen.until(lambda text: "pulling m  pulling manifest" in text or "40 %" in text)
                screen.press(b"\x03")
                assert screen.finish() == 130
                assert screen.text == "reflect: stopped: progress is kept, run the same command to continue"
                assert not screen.cursor_hidden
            assert server.asked("/api/pull")[0].left.wait(PATIENCE)

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_signal_stops_a_pull(self, reflect: Reflect, number: signal.Signals) -> None:
        with FakeServer(routes(pull=Answer([*self.PARTS, HANG]))) as server:
            with reflect.at(server.host).start("models", "pull", "m", "--jsonl") as run:
                assert run.says("400000")
                result = run.signalled(number)
            assert server.asked("/api/pull")[0].left.wait(PATIENCE)
        assert result.code == 128 + number
        assert "run the same command to continue" in result.err

    def test_pull_as_json_reports_progress_and_the_result(self, reflect: Reflect) -> None:
        with FakeServer(routes(pull=Answer([*self.PARTS, SUCCESS]))) as server:
            *parts, last = map(json.loads, reflect.at(server.host)("models", "pull", "m", "--jsonl").out.splitlines())
            alone = json.loads(reflect.at(server.host)("models", "pull", "m", "--json").out)
        assert [part["status"] for part in parts] == ["pulling manifest", f"pulling {'1' * 12}", "success"]
        assert last["layers"] == alone["layers"] == [{"digest": LAYER, "size": 1_000_000}]
        assert alone["name"] == "m"

    @pytest.mark.parametrize(
        ("said", "code", "told"),
        [
            (b'{"error":"pull model manifest: file does not exist"}\n', 4, "the registry has no model m"),
            (b'{"error":"no space left on device"}\n', 5, "disk is full"),
            (b"", 5, "run the same command to continue"),
        ],
    )
    def test_failed_pull_is_one_line(self, reflect: Reflect, said: bytes, code: int, told: str) -> None:
        with FakeServer(routes(pull=Answer([*self.PARTS, said]))) as server:
            result = reflect.at(server.host)("models", "pull", "m")
        assert (result.code, result.out) == (code, "")
        assert told in result.err
        assert len(result.err.splitlines()) == 1

    def test_closed_pipe_ends_a_pull_silently(self, reflect: Reflect) -> None:
        answer = Answer([self.PARTS[1]] * 2000 + [SUCCESS])
        with FakeServer(routes(pull=answer)) as server:
            result = reflect.at(server.host).shell("reflect models pull m --jsonl | head -1")
        assert (result.out.count("\n"), result.err) == (1, "")


CREATED = Answer([b'{"status":"creating"}\n', SUCCESS])
TAGGED = ("<thinking>a<reflection>b</reflection></thinking>", "<output>9.9</output>")
TAUGHT = show(system="Use <thinking>, <reflection> and <output>.")
MISSING = error(404, "model 'v' not found")


class TestCreate:
    def making(self, **more: Route) -> FakeServer:
        given: dict[str, Route] = {"show": [show(system="You are Mo."), MISSING, show(), TAUGHT], "create": CREATED}
        return FakeServer(routes(**given | more))

    def test_create_appends_tag_instructions_to_the_source_system_prompt(self, reflect: Reflect) -> None:
        with self.making(chat=reply(TAGGED)) as server:
            result = reflect.at(server.host)(
                "models", "create", "v", "--from", "m", "-s", "Be brief.", "-p", "temperature=0.2", "--json"
            )
            (made,) = (asked.json for asked in server.asked("/api/create"))
        assert (result.code, result.err) == (0, "")
        assert json.loads(result.out)["proof"] == {
            "passed": True,
            "thinking": "a",
            "corrections": 1,
            "answer": "9.9",
            "problem": "",
        }
        assert (made["model"], made["from"], made["parameters"]) == ("v", "m", {"temperature": 0.2})
        assert made["system"].startswith("You are Mo.\n\nBe brief.\n\n")
        assert all(tag in made["system"] for tag in ("<thinking>", "<reflection>", "<output>"))
        assert "template" not in made

    @pytest.mark.parametrize(
        ("chat", "told"),
        [
            (reply(["9.9 is larger."]), "none of its tags"),
            (reply(["<output>9.9</output>"]), "without thinking"),
            (reply(["<thinking>hm</thinking>"]), "no answer"),
            (reply(["<thinking>hm"], reason="length"), "did not finish"),
            (error(500, "cannot load"), "cannot load"),
        ],
    )
    def test_failed_proof_is_reported_and_the_model_still_created(
        self, reflect: Reflect, chat: Answer, told: str
    ) -> None:
        with self.making(chat=chat) as server:
            result = reflect.at(server.host)("models", "create", "v", "--from", "m")
        assert (result.code, result.out) == (0, "")
        assert re.fullmatch(rf"reflect: v failed the test question: .*{told}.*\n", result.err)

    def test_no_proof_asks_no_question(self, reflect: Reflect) -> None:
        with self.making() as server:
            result = reflect.at(server.host)("models", "create", "v", "--from", "m", "--no-proof", "--json")
            assert server.asked("/api/chat") == []
        assert json.loads(result.out) == {"name": "v", "from": "m", "proof": None}

    def test_create_reads_texts_from_files(self, reflect: Reflect) -> None:
        (reflect.home / "s.txt").write_text("From a file.", "utf-8")
        with self.making() as server:
            words = ("--from", "m", "--system", "@s.txt", "--template", "{{ .Prompt }}!", "--no-proof")
            assert reflect.at(server.host)("models", "create", "v", *words).code == 0
            (made,) = (asked.json for asked in server.asked("/api/create"))
        assert "From a file." in made["system"]
        assert made["template"] == "{{ .Prompt }}!"

    @pytest.mark.parametrize(
        ("template", "given", "warns"),
        [
            ("{% for m in messages %}{{ m.content }}{% endfor %}", "{{ .Prompt }}!", True),
            ("{% for m in messages %}{{ m.content }}{% endfor %}", "", False),
            ("{{ .Prompt }}", "{{ .Prompt }}!", False),
        ],
    )
    def test_create_warns_when_the_template_changes_the_format_of_the_source(
        self, reflect: Reflect, template: str, given: str, warns: bool
    ) -> None:
        words = ("--template", given) if given else ()
        with self.making(show=[show(template=template), MISSING, show(), TAUGHT]) as server:
            result = reflect.at(server.host)("models", "create", "v", "--from", "m", *words, "--no-proof")
        assert result.code == 0
        assert ("wrong format while v is loaded" in result.err) is warns

    def test_create_replaces_a_model_only_with_force(self, reflect: Reflect) -> None:
        with FakeServer(routes(create=CREATED)) as server:
            refused = reflect.at(server.host)("models", "create", "v", "--from", "m", "--no-proof")
            forced = reflect.at(server.host)("models", "create", "v", "--from", "m", "--no-proof", "--force")
            assert len(server.asked("/api/create")) == 1
        assert (refused.code, refused.err) == (2, "reflect: v already exists (--force to overwrite)\n")
        assert forced.code == 0
