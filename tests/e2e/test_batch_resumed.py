"""`reflect batch --output FILE` resumes after a stop, a kill or an error: no finished line is lost or repeated."""

from __future__ import annotations

import signal
from functools import partial
from typing import TYPE_CHECKING

import pytest

from support.batch_files import MODEL, Echo, answers, file_records, input_file, objects
from support.fake_replies import HANG, Answer, error
from support.waiting import PATIENCE, until

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Reflect, Result, Running

OUT = ("--output", "out.jsonl")
GO_ON = (*OUT, "--resume")
QUESTIONS = [f"question {number}" for number in range(1, 61)]
SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


def out(reflect: Reflect) -> Path:
    return reflect.home / "out.jsonl"


def has_grown(path: Path, size: int, run: Running) -> bool:
    """Whether a file has more bytes than before, or the run has ended."""
    return path.stat().st_size > size or run.process.poll() == 0


def batch(reflect: Reflect, server: Echo, *words: str) -> Result:
    return reflect.at(server.host)("batch", *MODEL, "--jobs", "2", *words)


class TestResume:
    def test_resume_asks_only_lines_without_an_answer(self, reflect: Reflect) -> None:
        name = input_file(reflect.home, "one", "two", "three")
        with Echo(two=error(400, "no such thing")) as server:
            first = batch(reflect, server, name, *GO_ON)
            failed = file_records(out(reflect))
        with Echo() as later:
            second = batch(reflect, later, name, *GO_ON)

        assert (first.code, second.code) == (5, 0)
        assert "(each has its error in the output; run it again with --resume to retry them)" in first.err
        assert ["error" in value for value in failed] == [False, True, False]
        assert later.prompts == ["two"]
        assert answers(file_records(out(reflect))) == [(1, "one"), (2, "two"), (3, "three")]
        assert [value for value in file_records(out(reflect)) if "error" in value] == []

    def test_resume_needs_no_server_when_every_line_is_answered(self, reflect: Reflect) -> None:
        name = input_file(reflect.home, "one", "two")
        with Echo() as server:
            batch(reflect, server, name, *OUT)
        before = out(reflect).read_bytes()
        result = reflect.at("127.0.0.1:9")("batch", *MODEL, name, *GO_ON)

        assert (result.code, result.err) == (0, "")
        assert out(reflect).read_bytes() == before

    def test_resume_asks_a_changed_line_again(self, reflect: Reflect) -> None:
        name = input_file(reflect.home, "one", "two", "three", "four")
        with Echo() as server:
            batch(reflect, server, name, *OUT)
            input_file(reflect.home, "one", "zwei", "three")
            result = batch(reflect, server, name, *GO_ON)

        assert result.code == 0
        assert "line 2 has changed since out.jsonl was written" in result.err
        assert "out.jsonl has 1 more line than in.txt" in result.err
        assert server.prompts[4:] == ["zwei"]
        assert answers(file_records(out(reflect))) == [(1, "one"), (2, "zwei"), (3, "three"), (4, "four")]

    def test_resume_asks_a_corrected_line_again(self, reflect: Reflect) -> None:
        name = objects(reflect.home, {"id": 1}, {"prompt": "two"})
        with Echo() as server:
            first = batch(reflect, server, name, *OUT)
            objects(reflect.home, {"id": 1, "prompt": "one"}, {"prompt": "two"})
            second = batch(reflect, server, name, *GO_ON)

        assert (first.code, second.code, second.err) == (5, 0, "")
        assert answers(file_records(out(reflect))) == [(1, "one"), (2, "two")]

    @pytest.mark.parametrize("rest", [(), ("two",)], ids=["all answered", "one left"])
    @pytest.mark.parametrize(
        ("change", "part"),
        [
            (("-m", "other"), "model"),
            (("--mode", "direct"), "mode"),
            (("--effort", "low", "--family", "think"), "effort and family"),
            (("-s", "Be brief."), "system prompt"),
            (("--schema", "word"), "schema"),
            (("-t", "other", "--mode", "direct", "-s", "x"), "mode, system prompt and template"),
            (("-t", "same", "--field", "how=well"), "template"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_resume_refuses_to_mix_ways_of_asking(
        self, reflect: Reflect, change: tuple[str, ...], part: str, rest: tuple[str, ...]
    ) -> None:
        folder = reflect.home / ".config" / "reflectty" / "templates"
        folder.mkdir(parents=True)
        for template in ("same", "other"):
            (folder / f"{template}.md").write_text(f"{template} {{how}} {{input}}")
        name = input_file(reflect.home, "one")
        first = ("-t", "same", "--field", "how=so")
        with Echo(0, "reflection", "other") as server:
            batch(reflect, server, name, *OUT, *first)
            before, asked = out(reflect).read_bytes(), len(server.prompts)
            input_file(reflect.home, "one", *rest)
            change = (*first, *change) if "-t" not in change else ("--field", "how=so", *change)
            result = batch(reflect, server, name, *GO_ON, *change)

        assert result.code == 2
        assert f"out.jsonl has answers with another {part} (resume with the same options" in result.err
        assert out(reflect).read_bytes() == before
        assert len(server.prompts) == asked

    def test_resume_refuses_another_model_that_was_picked(self, reflect: Reflect) -> None:
        name = input_file(reflect.home, "one")
        with Echo(0, "reflection") as server:
            reflect.at(server.host)("batch", name, *OUT)
        input_file(reflect.home, "one", "two")
        with Echo(0, "other") as server:
            result = reflect.at(server.host)("batch", name, *GO_ON)

        assert (result.code, server.prompts) == (2, [])
        assert "out.jsonl has answers with another model" in result.err

    def test_failed_lines_are_asked_again_with_other_options(self, reflect: Reflect) -> None:
        name = input_file(reflect.home, "one", "two")
        with Echo(two=error(400, "no such thing")) as server:
            assert batch(reflect, server, name, *OUT).code == 5
        with Echo() as server:
            assert batch(reflect, server, name, *GO_ON, "-o", "num_predict=9", "--timeout", "60").code == 0

        assert server.prompts == ["two"]

    def test_deadline_keeps_what_has_come(self, reflect: Reflect) -> None:
        name = input_file(reflect.home, "one", "two", "three")
        with Echo(two=Answer([HANG])) as server:
            batch(reflect, server, name, *OUT, "--limit", "1")
            result = batch(reflect, server, name, *GO_ON, "--deadline", "2", "--jobs", "1")
        with Echo() as later:
            resumed = batch(reflect, later, name, *GO_ON, "--deadline", "1h")

        assert (result.code, result.out) == (8, "")
        assert result.err == (
            "reflect: stopped: 1 line answered; run it again with --resume to continue\n"
            "reflect: the deadline of 2 s ended the batch (run it again with --resume to continue)\n"
        )
        assert (resumed.code, sorted(later.prompts)) == (0, ["three", "two"])

    def test_resume_accepts_records_saved_from_stdout(self, reflect: Reflect) -> None:
        name = input_file(reflect.home, "one", "two")
        with Echo() as server:
            out(reflect).write_bytes(batch(reflect, server, name).stdout.splitlines(keepends=True)[0])
            result = batch(reflect, server, name, *GO_ON)

        assert result.code == 0
        assert server.prompts[2:] == ["two"]

    def test_resume_refuses_a_file_not_written_by_batch(self, reflect: Reflect) -> None:
        name = input_file(reflect.home, "one")
        input_file(reflect.home, "mine", "and mine", name="out.jsonl")
        with Echo() as server:
            result = batch(reflect, server, name, *GO_ON)

        assert result.code == 2
        assert "was not written by reflect batch" in result.err
        assert out(reflect).read_text() == "mine\nand mine\n"
        assert server.requests == []

    def test_resume_is_refused_while_another_batch_is_writing(self, reflect: Reflect) -> None:
        name = input_file(reflect.home, "slow")
        with (
            Echo(slow=Answer([HANG])) as server,
            reflect.at(server.host).start("batch", *MODEL, name, *OUT) as run,
        ):
            assert until(lambda: server.prompts)
            result = batch(reflect, server, name, *GO_ON)
            run.process.kill()

        assert result.code == 2
        assert "another reflect batch is writing" in result.err


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_signal_keeps_finished_lines_and_says_how_to_resume(reflect: Reflect, number: signal.Signals) -> None:
    name = input_file(reflect.home, "slow", "two", "three")
    with (
        Echo(slow=Answer([HANG])) as server,
        reflect.at(server.host).start("batch", *MODEL, "--jobs", "2", name, *OUT) as run,
    ):
        assert until(lambda: out(reflect).exists() and out(reflect).read_bytes().count(b"\n") == 2)
        assert until(lambda: "slow" in server.prompts)
        slow = server.asked("/api/chat")[server.prompts.index("slow")]
        result = run.signalled(number)
        left = slow.left.wait(PATIENCE)

    assert (result.code, result.out) == (SIGNALS[number], "")
    assert result.err == "reflect: stopped: 2 lines answered; run it again with --resume to continue\n"
    assert left
    assert answers(file_records(out(reflect))) == [(2, "two"), (3, "three")]


def test_signal_writes_finished_lines_to_stdout(reflect: Reflect) -> None:
    name = input_file(reflect.home, "slow", "two", "three")
    with (
        Echo(slow=Answer([HANG])) as server,
        reflect.at(server.host).start("batch", *MODEL, "--jobs", "2", name) as run,
    ):
        assert until(lambda: sorted(server.prompts) == ["slow", "three", "two"])
        result = run.signalled(signal.SIGINT)

    assert result.code == 130
    assert '"line": 2' in result.out
    assert result.out.endswith("}\n")


@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.slow)])
def test_kills_lose_no_finished_line(reflect: Reflect, kills: int) -> None:
    name, seen, killed = input_file(reflect.home, *QUESTIONS), b"", 0
    out(reflect).touch()
    with Echo() as server:
        for _ in range(kills):
            server.room, size = 2, out(reflect).stat().st_size
            with reflect.at(server.host).start("batch", *MODEL, "--jobs", "2", name, *GO_ON) as run:
                assert until(partial(has_grown, out(reflect), size, run))
                run.process.kill()
            killed += run.process.returncode == -signal.SIGKILL
            now = out(reflect).read_bytes()
            assert set(seen.splitlines()) <= set(now.splitlines())
            seen = now[: now.rfind(b"\n") + 1]
        finished = seen.count(b"\n")
        server.room, asked = None, len(server.prompts)
        result = batch(reflect, server, name, *GO_ON)

    assert result.code == 0
    assert killed == kills
    assert len(server.prompts) - asked == len(QUESTIONS) - finished
    assert answers(file_records(out(reflect))) == list(enumerate(QUESTIONS, 1))
