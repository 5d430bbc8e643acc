from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reflectty.batch.append_file import AppendFile
from reflectty.batch.output import FileOutput, StreamOutput, open_output
from reflectty.batch.prompts import PromptLine
from reflectty.batch.records import ALL_FIELDS, COMPACT_FIELDS, Outcome, Record, ResumeIndex, parse_fields, record_of
from reflectty.core.errors import NoAnswerError, OutputError, UsageError
from reflectty.core.messages import Chunk
from reflectty.reasoning.families import FAMILIES
from reflectty.reasoning.reply import Reply

if TYPE_CHECKING:
    from collections.abc import Callable


def replied(*contents: str) -> Reply:
    reply = Reply("reflection", FAMILIES["reflection"], mode="native")
    for content in contents:
        reply.feed(Chunk(content))
    reply.feed(Chunk(done=True, done_reason="stop"))
    reply.close()
    return reply


def item(line: int, prompt: str = "why?") -> PromptLine:
    return PromptLine(line, f"{line:016x}", prompt)


def answered(line: int, answer: str = "a") -> Record:
    return record_of(item(line), Outcome(replied(f"<output>{answer}</output>")))


def failed(line: int) -> Record:
    return record_of(item(line), Outcome(None, NoAnswerError("the model said nothing", "ask again")))


def read(data: bytes) -> dict[str, Any]:
    assert data.isascii()
    assert data.endswith(b"\n")
    return dict(json.loads(data))


def lines_of(path: Path) -> list[int]:
    return [json.loads(line)["line"] for line in path.read_text().splitlines()]


def nothing(text: str) -> None:
    pytest.fail(f"nothing was to be said, but: {text}")


class TestRecord:
    def test_is_compact(self) -> None:
        said = record_of(item(3), Outcome(replied("<thinking>hm</thinking><output>9.9 ✓</output>"), None, "host")).data

        assert list(read(said)) == ["line", "digest", "model", "answer", "complete"]
        assert read(said)["answer"] == "9.9 ✓"
        assert read(said)["complete"] is True

    def test_has_the_id_of_its_line(self) -> None:
        for identity in ("a", 0, False, ""):
            assert read(record_of(item(3)._replace(id=identity), Outcome(replied("x"))).data)["id"] == identity

    def test_failed_record_has_the_error_and_the_partial_answer(self) -> None:
        error = NoAnswerError("the answer was cut off at the token limit", "raise it")
        value = read(record_of(item(3), Outcome(replied("<output>One, two"), error)).data)

        assert (value["complete"], value["answer"]) == (False, "One, two")
        assert value["error"] == {"message": "the answer was cut off at the token limit (raise it)", "exit_code": 5}

    def test_without_a_reply_has_an_empty_answer(self) -> None:
        value = read(failed(3).data)

        assert (value["answer"], value["complete"]) == ("", False)
        assert failed(3).key.failed

    def test_can_include_all_fields(self) -> None:
        value = read(record_of(item(3), Outcome(replied("<output>x</output>"), None, "host"), ALL_FIELDS).data)

        assert set(ALL_FIELDS) < set(value)
        assert (value["prompt"], value["host"], value["mode"]) == ("why?", "host", "native")

    def test_can_include_chosen_fields(self) -> None:
        fields = parse_fields(" answer, usage ,")
        value = read(record_of(item(3), Outcome(replied("x")), fields).data)

        assert list(value) == ["line", "digest", "answer", "usage"]

    def test_includes_warnings_if_there_are_any(self) -> None:
        reply = replied("x")
        reply.warnings.append("careful")

        assert read(record_of(item(3), Outcome(reply), COMPACT_FIELDS).data)["warnings"] == ["careful"]

    def test_unknown_field_is_refused(self) -> None:
        with pytest.raises(UsageError) as caught:
            parse_fields("answer,usge")
        assert (str(caught.value), caught.value.hint) == ("--fields: unknown field 'usge'", "did you mean usage?")


class TestStdout:
    def test_gets_the_lines_in_order(self) -> None:
        written: list[str] = []
        output = StreamOutput(written.append, ordered=True)
        for number in (2, 0, 1, 4):
            output.put(number, answered(number + 1))
        output.close(nothing)

        assert [json.loads(text)["line"] for text in written] == [1, 2, 3, 5]

    def test_gets_the_lines_as_they_arrive(self) -> None:
        written: list[str] = []
        output = StreamOutput(written.append, ordered=False)
        output.put(2, answered(3))

        assert [json.loads(text)["line"] for text in written] == [3]
        assert output.has_room(10**9)


class TestFile:
    def test_is_written_at_once_and_sorted_at_the_end(self, tmp_path: Path) -> None:
        path = tmp_path / "out.jsonl"
        output, _ = open_output(path, resume=False, force=False, ordered=True)
        for line in (3, 1, 2):
            output.put(line - 1, answered(line))
        before = lines_of(path)
        output.close(nothing)

        assert before == [3, 1, 2]
        assert lines_of(path) == [1, 2, 3]
        assert list(tmp_path.iterdir()) == [path]

    def test_keeps_arrival_order_when_unordered(self, tmp_path: Path) -> None:
        path = tmp_path / "out.jsonl"
        output, _ = open_output(path, resume=False, force=False, ordered=False)
        for line in (3, 1, 2):
            output.put(line - 1, answered(line))
        output.close(nothing)

        assert lines_of(path) == [3, 1, 2]

    def test_resume_continues_an_existing_file(self, tmp_path: Path) -> None:
        path = tmp_path / "out.jsonl"
        path.write_bytes(answered(4).data + failed(2).data + answered(1).data)
        output, ledger = open_output(path, resume=True, force=False, ordered=True)
        known = len(ledger)
        output.put(0, answered(2))
        output.put(1, answered(3))
        output.close(nothing)

        assert known == 3
        assert lines_of(path) == [1, 2, 3, 4]
        assert "error" not in path.read_text()

    def test_resume_discards_only_a_cut_line(self, tmp_path: Path) -> None:
        path, whole, torn = tmp_path / "out.jsonl", answered(1).data, answered(2).data
        for size in range(len(torn)):
            path.write_bytes(whole + torn[:size])
            output, ledger = open_output(path, resume=True, force=False, ordered=True)
            output.put(0, answered(2))
            output.close(nothing)

            assert len(ledger) == 2
            assert path.read_bytes() == whole + torn

    def test_resume_accepts_a_file_of_one_cut_line(self, tmp_path: Path) -> None:
        path, torn = tmp_path / "out.jsonl", answered(1).data
        for size in range(len(torn)):
            path.write_bytes(torn[:size])
            output, _ = open_output(path, resume=True, force=False, ordered=True)
            output.close(nothing)

            assert path.read_bytes() == b""

    @pytest.mark.parametrize(
        "content",
        [
            b"my notes",
            b"my notes\n",
            b'{"prompt": "q"}\n{"prompt": "r"}\n',
            answered(1).data + b"x\n" + answered(2).data,
        ],
    )
    def test_resume_refuses_and_preserves_a_foreign_file(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "out.jsonl"
        path.write_bytes(content)
        with pytest.raises(UsageError, match="was not written by reflect batch"):
            open_output(path, resume=True, force=False, ordered=True)

        assert path.read_bytes() == content

    def test_existing_file_is_overwritten_only_with_force(self, tmp_path: Path) -> None:
        path = tmp_path / "out.jsonl"
        path.write_bytes(answered(1).data)
        with pytest.raises(UsageError, match="already exists"):
            open_output(path, resume=False, force=False, ordered=True)
        output, ledger = open_output(path, resume=False, force=True, ordered=True)
        output.close(nothing)

        assert path.read_bytes() == b""
        assert len(ledger) == 0

    def test_is_refused_while_another_batch_writes_to_it(self, tmp_path: Path) -> None:
        path = tmp_path / "out.jsonl"
        output, _ = open_output(path, resume=False, force=False, ordered=True)
        output.put(0, answered(1))
        with pytest.raises(UsageError, match="another reflect batch"):
            open_output(path, resume=False, force=True, ordered=True)
        output.close(nothing)

        assert lines_of(path) == [1]

    def test_sorting_preserves_mode_and_symlink(self, tmp_path: Path) -> None:
        path, link = tmp_path / "out.jsonl", tmp_path / "link"
        path.touch(mode=0o600)
        link.symlink_to(path)
        output, _ = open_output(link, resume=True, force=False, ordered=True)
        for line in (2, 1):
            output.put(line, answered(line))
        output.close(nothing)

        assert link.is_symlink()
        assert path.stat().st_mode & 0o777 == 0o600
        assert lines_of(path) == [1, 2]

    @pytest.mark.parametrize(
        ("make", "kind", "said"),
        [
            (Path.mkdir, UsageError, "is a folder"),
            (os.mkfifo, UsageError, "is not a regular file"),
            (lambda path: path.symlink_to("/nowhere/at/all"), OutputError, "cannot write"),
        ],
        ids=["folder", "pipe", "nowhere"],
    )
    def test_unwritable_path_raises(
        self, tmp_path: Path, make: Callable[[Path], None], kind: type[Exception], said: str
    ) -> None:
        path = tmp_path / "out.jsonl"
        make(path)
        with pytest.raises(kind, match=said):
            open_output(path, resume=True, force=False, ordered=True)

    def test_failed_sort_is_noted_and_preserves_every_line(self, tmp_path: Path) -> None:
        folder, notes = tmp_path / "gone", list[str]()
        folder.mkdir()
        path = folder / "out.jsonl"
        output, _ = open_output(path, resume=False, force=False, ordered=True)
        for line in (2, 1):
            output.put(line, answered(line))
        moved = tmp_path / "moved"
        folder.rename(moved)
        output.close(notes.append)

        assert len(notes) == 1
        assert "remains in completion order" in notes[0]
        assert lines_of(moved / "out.jsonl") == [2, 1]


def test_full_disk_raises() -> None:
    # Every write to this device fails, and it cannot be truncated.
    with AppendFile(Path("/dev/full"), "out.jsonl") as file:
        output = FileOutput(file, ResumeIndex(), ordered=True)
        with pytest.raises(OutputError, match=r"cannot write out\.jsonl: no space left"):
            output.put(0, answered(1))
