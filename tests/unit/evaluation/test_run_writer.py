from __future__ import annotations

from pathlib import Path

import pytest

from reflectty.batch.append_file import AppendFile
from reflectty.core.errors import OutputError, UsageError
from reflectty.evaluation.grader import Grade, Verdict
from reflectty.evaluation.items import Item, ItemSet
from reflectty.evaluation.records import ArmSetup, ResultRecord, RunManifest, encode_result
from reflectty.evaluation.run_writer import RunContent, RunWriter, create_run, resume_run
from reflectty.reasoning.stated_answers import AnswerKind

ITEMS = ItemSet("mine", tuple(Item(f"q{at}", f"What is {at}?", str(at), AnswerKind.NUMBER) for at in range(3)))
MANIFEST = RunManifest("mine", ITEMS.digest, "", 3, 1, (ArmSetup("cot"), ArmSetup("think")), "2026-11-30T00:00:00Z")
CONTENT = RunContent(MANIFEST, ITEMS.items)


def result(item: str, arm: str, verdict: Verdict = Verdict.RIGHT) -> ResultRecord:
    return ResultRecord(item, arm, Grade(verdict, "1"))


def written(path: Path, *results: ResultRecord) -> Path:
    with create_run(path, CONTENT) as writer:
        for one in results:
            writer.put_result(one)
    return path


def resumed(path: Path) -> RunContent:
    content, writer = resume_run(path)
    writer.close()
    return content


def test_a_run_continues_with_what_it_was_begun_with_and_what_is_done(tmp_path: Path) -> None:
    path = written(tmp_path / "new" / "run.jsonl", result("q0", "cot"), result("q0", "think", Verdict.WRONG))
    assert resumed(path) == CONTENT._replace(done=frozenset({("q0", "cot"), ("q0", "think")}))


def test_an_error_is_asked_again_and_a_later_result_counts(tmp_path: Path) -> None:
    path = written(tmp_path / "run.jsonl", result("q0", "cot", Verdict.ERROR), result("q1", "cot", Verdict.ERROR))
    content, writer = resume_run(path)
    assert content.done == frozenset()
    with writer:
        writer.put_result(result("q1", "cot"))
    assert resumed(path).done == {("q1", "cot")}


@pytest.mark.parametrize("cut", [1, 20, 60])
def test_a_line_that_was_cut_is_removed_and_asked_again(tmp_path: Path, cut: int) -> None:
    path = written(tmp_path / "run.jsonl", result("q0", "cot"), result("q0", "think"))
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    content, writer = resume_run(path)
    assert content.done == {("q0", "cot")}
    with writer:
        writer.put_result(result("q0", "think"))
    assert path.read_bytes() == whole


def test_lines_of_a_later_kind_are_kept(tmp_path: Path) -> None:
    path = written(tmp_path / "run.jsonl", result("q0", "cot"))
    with path.open("ab") as file:
        file.write(b'{"probe": {"item": "q0"}}\n' + encode_result(result("q1", "cot")))
    assert resumed(path).done == {("q0", "cot"), ("q1", "cot")}
    assert b'"probe"' in path.read_bytes()


def damaged(data: bytes) -> dict[str, tuple[bytes, str]]:
    lines = data.splitlines(keepends=True)
    return {
        "another file": (b"hello\nworld\n", "is not the file of a run"),
        "empty": (b"", "is not the file of a run"),
        "no manifest": (b"".join(lines[1:]), "is not the file of a run"),
        "two manifests": (lines[0] + data, "is not the file of a run, or is damaged"),
        "a torn line in the middle": (b"".join([*lines[:-1], lines[-1][:30], b"\n", lines[-1]]), "damaged"),
        "another set": (b"".join([lines[0], *lines[2:]]), "does not have the questions"),
        "another key": (data.replace(b'"answer": "1"', b'"answer": "7"'), "does not have the questions"),
        "a later version": (data.replace(b'"version": 1', b'"version": 2'), "a later version"),
    }


@pytest.mark.parametrize("case", [*damaged(b"1\n2\n3\n")])
def test_a_file_that_is_not_a_whole_run_is_refused_and_left_as_it_is(tmp_path: Path, case: str) -> None:
    path = written(tmp_path / "run.jsonl", result("q0", "cot"))
    data, message = damaged(path.read_bytes())[case]
    path.write_bytes(data)
    with pytest.raises(UsageError, match=message):
        resume_run(path)
    assert path.read_bytes() == data


def test_two_writers_of_one_run_are_refused(tmp_path: Path) -> None:
    with create_run(tmp_path / "run.jsonl", CONTENT), pytest.raises(UsageError, match="another reflect eval"):
        resume_run(tmp_path / "run.jsonl")


def test_an_existing_file_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("mine")
    with pytest.raises(UsageError, match="already exists"):
        create_run(path, CONTENT)
    assert path.read_text() == "mine"


def test_a_missing_file_is_not_made_by_resuming(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no file"):
        resume_run(tmp_path / "run.jsonl")
    assert not (tmp_path / "run.jsonl").exists()


def test_a_full_disk_ends_the_run_with_an_error() -> None:
    with AppendFile(Path("/dev/full"), "run.jsonl") as file, pytest.raises(OutputError, match="cannot write"):
        RunWriter(file).put_result(result("q0", "cot"))
