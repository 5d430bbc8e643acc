"""`reflect batch` in pipes: what goes in, what comes out, and the exit codes."""

from __future__ import annotations

import json
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest

from support.batch_files import MODEL, Echo, answers, file_records, input_file, objects, parsed, records
from support.command import COMMAND, PATIENCE
from support.fake_replies import HANG, Answer, done, error, line

if TYPE_CHECKING:
    from support.command import Reflect
    from support.fake_server import ReceivedRequest

LIMIT = Answer([line("<output>One, two"), line(**done("length"))])
QUESTIONS = [f"question {number}" for number in range(1, 9)]


class TestTextLines:
    def test_lines_come_from_stdin_without_a_file(self, reflect: Reflect) -> None:
        with Echo() as server:
            result = reflect.at(server.host)("batch", *MODEL, stdin=b"one\ntwo\n")

        assert answers(records(result)) == [(1, "one"), (2, "two")]

    def test_lines_are_answered_in_order(self, reflect: Reflect) -> None:
        with Echo() as server:
            result = reflect.at(server.host)("batch", *MODEL, input_file(reflect.home, "one", "", "  ", "two", "three"))

        assert (result.code, result.err) == (0, "")
        assert answers(records(result)) == [(1, "one"), (4, "two"), (5, "three")]
        assert records(result)[0].keys() == {"line", "digest", "fingerprint", "model", "answer", "complete"}

    def test_lines_from_a_pipe_are_answered_as_they_arrive(self, reflect: Reflect) -> None:
        with Echo() as server, reflect.at(server.host).start("batch", *MODEL, "-", stdin=subprocess.PIPE) as run:
            assert run.process.stdin is not None
            for number, word in enumerate(("one", "two"), 1):
                run.process.stdin.write(f"{word}\n".encode())
                run.process.stdin.flush()
                assert run.says(f'"line": {number}')
            result = run.finish()

        assert result.code == 0
        assert answers(records(result)) == [(1, "one"), (2, "two")]

    def test_blank_input_succeeds_without_a_server(self, reflect: Reflect) -> None:
        result = reflect.at("127.0.0.1:9")("batch", *MODEL, input_file(reflect.home, "", " "))

        assert (result.code, result.out, result.err) == (0, "", "")

    def test_lines_are_not_saved_as_sessions(self, reflect: Reflect) -> None:
        with Echo() as server:
            reflect.at(server.host)("batch", *MODEL, input_file(reflect.home, "one"))

        assert json.loads(reflect("sessions", "--json").out) == []


class TestWholeFiles:
    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("q.csv", 'prompt,gold\nwhy?,4\n"a, ""b""",5\n'),
            ("q.json", '[{"prompt": "why?", "gold": "4"}, {"prompt": "a, \\"b\\"", "gold": "5"}]'),
        ],
    )
    def test_csv_and_json_arrays_are_read(self, reflect: Reflect, name: str, text: str) -> None:
        (reflect.home / name).write_text(text)
        with Echo() as server:
            result = reflect.at(server.host)("batch", *MODEL, name)

        assert result.code == 0
        assert answers(records(result)) == [(1, "why?"), (2, 'a, "b"')]
        assert [one["gold"] for one in records(result)] == ["4", "5"]

    @pytest.mark.parametrize(
        ("name", "text", "problem"),
        [
            ("q.json", '{"prompt": "a"}\n{"prompt": "b"}\n', "is not valid JSON: extra data"),
            ("q.json", '{"prompt": "a"}', "is not a JSON array (use --format jsonl"),
            ("q.csv", "", "is empty: the first row must name the columns"),
        ],
    )
    def test_other_files_are_refused(self, reflect: Reflect, name: str, text: str, problem: str) -> None:
        (reflect.home / name).write_text(text)
        result = reflect.at("127.0.0.1:9")("batch", *MODEL, name)

        assert (result.code, result.out) == (2, "")
        assert problem in result.err

    def test_array_of_texts_and_resume(self, reflect: Reflect) -> None:
        (reflect.home / "q.json").write_text('["one", "two"]')
        with Echo() as server:
            for flags in ((), ("--resume",)):
                assert reflect.at(server.host)("batch", *MODEL, "q.json", "--output", "out.jsonl", *flags).code == 0
            assert server.prompts == ["one", "two"]


class TestChosenLines:
    def test_only_the_first_lines_are_asked(self, reflect: Reflect) -> None:
        with Echo() as server:
            result = reflect.at(server.host)("batch", *MODEL, "--limit", "2", input_file(reflect.home, *QUESTIONS))

        assert answers(records(result)) == [(1, "question 1"), (2, "question 2")]

    def test_input_is_not_read_beyond_the_last_line_to_ask(self, reflect: Reflect) -> None:
        with Echo() as server:
            result = reflect.at(server.host).shell(f"yes | timeout 20 reflect batch {' '.join(MODEL)} --limit 2 -")

        assert result.code == 0
        assert answers(records(result)) == [(1, "y"), (2, "y")]

    @pytest.mark.parametrize("flag", ["--limit", "--sample"])
    def test_records_of_lines_that_were_not_chosen_are_no_surplus(self, flag: str, reflect: Reflect) -> None:
        file = input_file(reflect.home, *QUESTIONS)
        with Echo() as server:
            assert reflect.at(server.host)("batch", *MODEL, file, "--output", "out.jsonl").code == 0
            result = reflect.at(server.host)("batch", *MODEL, file, "--output", "out.jsonl", "--resume", flag, "1")

        assert result.code == 0
        assert "more line" not in result.err

    def test_sample_is_the_same_for_a_seed(self, reflect: Reflect) -> None:
        file = input_file(reflect.home, *QUESTIONS)
        with Echo() as server:
            drawn = [
                answers(records(reflect.at(server.host)("batch", *MODEL, "--sample", "3", *seed, file)))
                for seed in ((), ("--seed", "0"), ("--seed", "1"), ("--seed", "2"))
            ]

        assert [len(each) for each in drawn] == [3, 3, 3, 3]
        assert drawn[0] == drawn[1]
        assert len({tuple(each) for each in drawn}) > 1

    def test_members_pass_through(self, reflect: Reflect) -> None:
        values = ({"prompt": "a", "gold": [1], "answer": "#### 4", "line": 9},)
        with Echo() as server:
            (record,) = records(reflect.at(server.host)("batch", *MODEL, objects(reflect.home, *values)))

        assert (record["gold"], record["input_answer"], record["input_line"]) == ([1], "#### 4", 9)
        assert (record["line"], record["answer"]) == (1, "a")

    def test_doubled_id_is_noted_once(self, reflect: Reflect) -> None:
        values = [{"prompt": str(number), "id": "x"} for number in range(3)]
        with Echo() as server:
            result = reflect.at(server.host)("batch", *MODEL, objects(reflect.home, *values))

        assert (result.code, result.err) == (0, "reflect: the id 'x' of line 2 is also that of an earlier line\n")


class TestJsonLines:
    def test_object_sets_prompt_model_and_system_prompt(self, reflect: Reflect) -> None:
        values = ({"prompt": "a", "id": "x"}, {"prompt": "b", "model": "other", "system": "Be brief."})
        with Echo(0, "reflection", "other") as server:
            result = reflect.at(server.host)("batch", *MODEL, "--jobs", "1", objects(reflect.home, *values))
        first, second = (asked.json for asked in server.asked("/api/chat"))

        assert [value.get("id") for value in records(result)] == ["x", None]
        assert (first["model"], second["model"]) == ("reflection", "other")
        assert second["messages"][0]["content"].startswith("Be brief.")
        assert not first["messages"][0]["content"].startswith("Be brief.")

    def test_object_fills_a_template(self, reflect: Reflect) -> None:
        folder = reflect.home / ".config/reflectty/templates"
        folder.mkdir(parents=True)
        (folder / "into.md").write_text("Into {language}, {style}: {input}")
        values = ({"prompt": "cat", "language": "French"}, {"prompt": "dog", "style": "formal"}, {"language": "Dutch"})
        with Echo() as server:
            result = reflect.at(server.host)(
                "batch", *MODEL, "-t", "into", "--field", "style=plain", objects(reflect.home, *values)
            )
        first, *failed = records(result)

        assert result.code == 5
        assert first["answer"] == "Into French, plain: cat"
        assert ["{language}" in failed[0]["error"]["message"], "{input}" in failed[1]["error"]["message"]] == [True] * 2

    @pytest.mark.parametrize("through_pipe", [False, True])
    def test_field_that_plain_lines_cannot_fill_is_one_error(self, reflect: Reflect, *, through_pipe: bool) -> None:
        folder = reflect.home / ".config/reflectty/templates"
        folder.mkdir(parents=True)
        (folder / "into.md").write_text("Into {language}: {input}")
        name = input_file(reflect.home, "cat", "dog")
        words = ("batch", *MODEL, "-t", "into")
        with Echo() as server:
            run = reflect.at(server.host)
            result = (
                run(*words, "-", stdin=b"cat\ndog\n") if through_pipe else run(*words, "--output", "out.jsonl", name)
            )
            filled = run(*words, "--field", "language=French", name)

        assert (result.code, result.out, result.err.count("\n")) == (2, "", 1)
        assert "the template into needs a value for {language}, which lines of plain text do not have" in result.err
        assert not (reflect.home / "out.jsonl").exists()
        assert filled.code == 0

    def test_format_is_detected_from_the_first_line_or_named(self, reflect: Reflect) -> None:
        name = objects(reflect.home, {"prompt": "a"}, name="in.txt")
        with Echo() as server:
            run = reflect.at(server.host)
            told, plain = run("batch", *MODEL, name), run("batch", *MODEL, "--format", "lines", name)

        assert answers(records(told)) == [(1, "a")]
        assert answers(records(plain)) == [(1, '{"prompt": "a"}')]


class TestFailingLine:
    def test_failing_line_does_not_stop_the_others(self, reflect: Reflect) -> None:
        lines = [b'{"prompt": "a", "id": 1}', b"no JSON", b'{"id": 3}', b'{"prompt": "\xff"}', b'{"prompt": "bad"}']
        long = json.dumps({"prompt": "x" * 10_000_000}).encode()
        (reflect.home / "in.jsonl").write_bytes(b"\n".join([*lines, long, b'{"prompt": "z"}']))
        with Echo(bad=error(400, "no such thing")) as server:
            result = reflect.at(server.host)("batch", *MODEL, "in.jsonl")
        values = records(result)

        assert result.code == 5
        assert result.err.startswith("reflect: 5 of 7 lines have no complete answer (")
        assert result.err.count("\n") == 1
        assert [value.get("error", {}).get("exit_code", 0) for value in values] == [0, 2, 2, 2, 4, 2, 0]
        assert answers(values)[::6] == [(1, "a"), (7, "z")]
        assert values[2]["id"] == 3

    def test_truncated_line_has_its_partial_answer(self, reflect: Reflect) -> None:
        with Echo(long=LIMIT) as server:
            result = reflect.at(server.host)("batch", *MODEL, input_file(reflect.home, "long"))
        (value,) = records(result)

        assert (result.code, value["answer"], value["complete"]) == (5, "One, two", False)
        assert value["error"]["exit_code"] == 5
        assert "token limit" in value["error"]["message"]

    def test_busy_server_is_retried_until_it_answers(self, reflect: Reflect) -> None:
        busy = [error(503, "busy", **{"Retry-After": "0"})] * 4
        with Echo() as server:
            answer = server.routes["/api/chat"]
            assert callable(answer)
            server.routes["/api/chat"] = lambda asked: busy.pop() if busy else answer(asked)
            result = reflect.at(server.host)("batch", *MODEL, input_file(reflect.home, "one"))

        assert (result.code, answers(records(result))) == (0, [(1, "one")])

    def test_line_that_does_not_fit_the_schema_fails(self, reflect: Reflect) -> None:
        with Echo() as server:
            result = reflect.at(server.host)(
                "batch",
                *MODEL,
                "--mode",
                "direct",
                "--schema",
                '{"type": "integer"}',
                input_file(reflect.home, "1", '"x"'),
            )

        assert result.code == 5
        assert [value.get("error", {}).get("exit_code", 0) for value in records(result)] == [0, 7]


class TestOrder:
    def test_ordered_output_waits_for_a_slow_line(self, reflect: Reflect) -> None:
        with (
            Echo(slow=Answer([HANG])) as server,
            reflect.at(server.host).start(
                "batch", *MODEL, "--jobs", "2", input_file(reflect.home, "one", "slow", "three", "four")
            ) as run,
        ):
            # The worker that asks the fourth while the second hangs has the answer to the third.
            assert run.until(lambda _: "four" in server.prompts)
            assert run.says('"line": 1')
            said = run.stdout

        assert answers(parsed(said.decode())) == [(1, "one")]

    def test_unordered_output_does_not_wait_for_a_slow_line(self, reflect: Reflect) -> None:
        with (
            Echo(slow=Answer([HANG])) as server,
            reflect.at(server.host).start(
                "batch", *MODEL, "--jobs", "2", "--unordered", input_file(reflect.home, "slow", "two", "three")
            ) as run,
        ):
            assert run.says('"line": 3')

    def test_jobs_sets_the_number_of_parallel_requests(self, reflect: Reflect) -> None:
        with Echo() as server:
            server.held_until = lambda: server.most >= 3
            result = reflect.at(server.host)("batch", *MODEL, "--jobs", "3", input_file(reflect.home, *QUESTIONS))

        assert [answer for _, answer in answers(records(result))] == QUESTIONS
        assert server.most == 3


class TestOutputRecords:
    def test_fields_of_a_record_can_be_chosen(self, reflect: Reflect) -> None:
        with Echo() as server:
            run = reflect.at(server.host)
            name = input_file(reflect.home, "one")
            some = run("batch", *MODEL, "--fields", "prompt,usage,answer", name)
            full = run("batch", *MODEL, "--full", name)
            wrong = run("batch", *MODEL, "--fields", "anser", name)

        assert list(records(some)[0]) == ["line", "digest", "fingerprint", "prompt", "usage", "answer"]
        assert {"prompt", "host", "thinking", "segments", "usage"} < records(full)[0].keys()
        assert (wrong.code, wrong.out) == (2, "")
        assert "did you mean answer?" in wrong.err

    def test_records_contain_no_control_bytes(self, reflect: Reflect) -> None:
        (reflect.home / "in.txt").write_bytes(b"\x1b]0;title\x07\x1b[2J \xc2\x9b31m\n")
        with Echo() as server:
            result = reflect.at(server.host)("batch", *MODEL, "--full", "in.txt")

        assert all(byte >= 0x20 for byte in result.stdout[:-1])
        assert records(result)[0]["answer"] == "\x1b]0;title\x07\x1b[2J \x9b31m"


class TestWholeRun:
    @pytest.mark.parametrize(
        ("words", "code", "said"),
        [
            (("nowhere.txt",), 2, "cannot read nowhere.txt: no such file"),
            (("bad\x1b[31m.txt",), 2, "cannot read bad"),
            ((".",), 2, ". is a folder"),
            (("in.txt", "-o", "out.jsonl"), 2, "-o is a model option; use --output out.jsonl for a file"),
            (("in.txt", "-f", "jsonl"), 2, "-f is a file to ask about; use --format FORMAT"),
            (("in.txt", "--deadline", "soon"), 2, "--deadline 'soon' is not a time"),
            (("in.txt", "--resume"), 2, "--resume needs an output file"),
            (("in.txt", "--output", "out", "--resume", "--force"), 2, "cannot be combined"),
            (("in.txt", "--output", "in.txt", "--force"), 2, "is also the input file"),
            (("in.txt", "--fields", "answer", "--full"), 2, "cannot be combined"),
            (("in.txt", "-t", "none-such"), 2, "unknown template"),
            (("in.txt", "--jobs", "0"), 2, "jobs"),
            (("in.txt", "-m", "absent"), 4, "absent is not installed"),
            (("in.txt", "--host", "127.0.0.1:9"), 3, "cannot reach"),
            (("in.txt", "--output", "no/such/folder"), 6, "cannot write"),
            (("utf16.txt",), 2, "UTF-16"),
        ],
        ids=lambda value: "".join(value).replace("\x1b", "ESC") if isinstance(value, tuple) else None,
    )
    def test_invalid_call_is_refused_before_any_request(
        self, reflect: Reflect, words: tuple[str, ...], code: int, said: str
    ) -> None:
        before = input_file(reflect.home, "one")
        (reflect.home / "utf16.txt").write_text("one", "utf-16")
        with Echo() as server:
            result = reflect.at(server.host)("batch", *words)

        assert (result.code, result.out) == (code, "")
        assert said in result.err
        assert result.err.count("\n") == 1
        assert "\x1b" not in result.err
        assert server.asked("/api/chat") == []
        assert (reflect.home / before).read_text() == "one\n"

    def test_full_stdout_ends_the_run(self, reflect: Reflect) -> None:
        input_file(reflect.home, *QUESTIONS * 20)
        with Echo() as server:
            result = reflect.at(server.host).shell("reflect batch in.txt -m reflection --jobs 1 > /dev/full")

        assert result.code == 6
        assert len(server.prompts) < 5

    def test_closed_pipe_ends_the_run_silently(self, reflect: Reflect) -> None:
        input_file(reflect.home, *QUESTIONS * 20)
        with Echo() as server:
            left = threading.Event()
            server.held_until = lambda: len(server.prompts) == 1 or left.is_set()
            process = subprocess.Popen(
                (*COMMAND, "batch", *MODEL, "--jobs", "1", "in.txt"),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=reflect.at(server.host).environment(),
                cwd=reflect.home,
            )
            with process:
                assert process.stdout is not None
                assert process.stderr is not None
                first = process.stdout.readline()
                process.stdout.close()
                left.set()
                said = process.stderr.read()
                code = process.wait(PATIENCE)

        assert json.loads(first)["line"] == 1
        assert (code, said) == (141, b"")
        assert len(server.prompts) < 5


class TestOutputFile:
    def test_output_file_is_in_order_at_the_end(self, reflect: Reflect) -> None:
        with Echo() as server:
            result = reflect.at(server.host)(
                "batch", *MODEL, "--jobs", "4", input_file(reflect.home, *QUESTIONS), "--output", "out.jsonl"
            )

        assert (result.code, result.out, result.err) == (0, "", "")
        assert [answer for _, answer in answers(file_records(reflect.home / "out.jsonl"))] == QUESTIONS

    def test_output_file_has_no_partial_record_when_the_disk_is_full(self, reflect: Reflect) -> None:
        input_file(reflect.home, *QUESTIONS * 20)
        with Echo() as server:
            words = "-m reflection --jobs 1 --output out.jsonl in.txt"
            result = reflect.at(server.host).shell(f"ulimit -f 8; reflect batch {words}")
            values = file_records(reflect.home / "out.jsonl")
            again = reflect.at(server.host)("batch", *words.split(), "--resume")

        assert result.code == 6
        assert result.err == "reflect: cannot write out.jsonl: file too large\n"
        assert 20 < len(values) < 160
        assert again.code == 0
        assert len(file_records(reflect.home / "out.jsonl")) == 160

    def test_output_file_is_not_replaced_without_force(self, reflect: Reflect) -> None:
        input_file(reflect.home, "mine", name="out.jsonl")
        with Echo() as server:
            result = reflect.at(server.host)("batch", *MODEL, input_file(reflect.home, "one"), "--output", "out.jsonl")

        assert result.code == 2
        assert "--resume to continue it, --force to overwrite" in result.err
        assert (reflect.home / "out.jsonl").read_text() == "mine\n"


class TestRateLimitedServer:
    @pytest.mark.parametrize("header", ["Retry-After", "llm_provider-retry-after"])
    def test_rate_limited_server_is_waited_for_and_loses_no_line(self, header: str, reflect: Reflect) -> None:
        spent = 0

        def limited(asked: ReceivedRequest) -> Answer:
            nonlocal spent
            spent += 1
            refused = error(429, "slow down", **{header: "1"})
            return refused if 3 <= spent <= 8 else server.echo(asked)

        with Echo() as server:
            server.routes["/api/chat"] = limited
            lines = input_file(reflect.home, *QUESTIONS[:4])
            result = reflect.at(server.host)("batch", *MODEL, "--jobs", "1", "--retry", "0", lines)

        assert result.code == 0
        assert [answer for _, answer in answers(records(result))] == QUESTIONS[:4]
        assert f"{server.host} accepts no more requests: waiting 1 s, as it requested" in result.err.replace(
            "http://", ""
        )
