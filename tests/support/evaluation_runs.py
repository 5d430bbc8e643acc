"""Files of runs for the tests: with given outcomes, or realistic ones that a seed decides."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from reflectty.evaluation.grader import Grade, Verdict
from reflectty.evaluation.items import Item, digest_of_items
from reflectty.evaluation.records import (
    ArmSetup,
    ResultRecord,
    RunManifest,
    StepRecord,
    encode_item,
    encode_manifest,
    encode_result,
)
from reflectty.evaluation.run_file import read_run
from reflectty.reasoning.stated_answers import AnswerKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from reflectty.evaluation.run_file import RunData

RIGHT, WRONG, NO_ANSWER, UNFINISHED, ERROR = Verdict
VERDICTS = {"+": RIGHT, "-": WRONG, "0": NO_ANSWER, "~": UNFINISHED, "!": ERROR}
"""One sign for each verdict; a space is no result at all."""
DRAFTS = {**VERDICTS, ".": None}


def manifest_of(arms: Iterable[str], planned: int, **changes: Any) -> RunManifest:
    manifest = RunManifest(
        "arithmetic",
        "0" * 64,
        "seed 1",
        planned,
        1,
        tuple(
            ArmSetup(name, model="qwen3:1.7b", digest="sha256:8f68893c685c", options=(("num_ctx", 8192),))
            for name in arms
        ),
        "2026-11-30T12:00:00Z",
        quantization="Q4_K_M",
        parameter_size="2.0B",
        host="http://127.0.0.1:11434",
        reflectty="1.0.0",
    )
    return manifest._replace(**changes)


def item_of(number: int, group: str = "") -> Item:
    return Item(
        f"q{number:05}",
        f"A farm has {number} rows of 7 trees. How many trees?",
        str(7 * number),
        AnswerKind.NUMBER,
        group=group,
    )


def grade_of(verdict: Verdict, item: Item, *, is_weak: bool = False) -> Grade:
    given = {RIGHT: item.answer, WRONG: f"{item.answer}1"}.get(verdict, "")
    return Grade(verdict, given, "last-number" if is_weak else "answer-line" if given else "", is_weak and bool(given))


def result_of(  # noqa: PLR0913 - the parts of a result
    item: Item, arm: str, verdict: Verdict, draft: Verdict | None = None, *, is_weak: bool = False, length: int = 1
) -> ResultRecord:
    """A result with one reply that thinks if it has a draft."""
    if verdict is ERROR:
        return ResultRecord(item.id, arm, Grade(ERROR), error="the server refused: out of memory")
    grade = grade_of(verdict, item, is_weak=is_weak)
    thought = f"Seven trees for each of the rows of {item.id}. " * length
    turn = "Wait, that's wrong. I counted the rows twice." if length > 1 else "So it is."
    thinking = (
        ("thinking", thought),
        ("reflection", "No: I must multiply, not add."),
        ("thinking", f"{thought}{turn}"),
    )
    segments = (*(thinking if draft else ()), ("answer", f"**Multiply**: 7 × rows. {thought}\n\nAnswer: {grade.given}"))
    step = StepRecord(
        segments,
        f"Answer: {grade.given}" if verdict is not UNFINISHED else "",
        is_complete=verdict is not UNFINISHED,
        done_reason="length" if verdict is UNFINISHED else "stop",
        thinking_tokens=90 * length if draft else 0,
        answer_tokens=20 * length,
        prompt_tokens=60,
        seconds=(4.5 if draft else 1.0) * length,
        corrections=1 if draft else 0,
        second_thoughts=1 if draft and length > 1 else 0,
        marks=((2, len(thought), "correction"),) if draft and length > 1 else (),
        settled=0.75 if draft and length > 1 else None,
    )
    return ResultRecord(item.id, arm, grade, (step,), grade_of(draft, item) if draft else None, "2026-11-30T12:00:01Z")


def run_bytes(
    arms: Mapping[str, str],
    drafts: Mapping[str, str] | None = None,
    *,
    weak: Mapping[str, str] | None = None,
    groups: str = "",
    **manifest: Any,
) -> bytes:
    """The file of a run in which each arm has one sign for each item: `{"cot": "+-+", "reflect": "++~"}`.

    Args:
        arms: the verdicts by arm, see `VERDICTS`.
        drafts: the verdicts of the drafts by arm; a point for none.
        weak: by arm a `w` for each item whose answer is weakly read.
        groups: one letter for each item.
        manifest: what differs from the manifest of the tests; `setups` are its arms.
    """
    number = max(map(len, arms.values()))
    items = [item_of(at, groups[at : at + 1]) for at in range(number)]
    planned = manifest.pop("planned", number)
    if "setups" in manifest:
        manifest["arms"] = manifest.pop("setups")
    made = manifest_of(arms, planned, set_digest=digest_of_items(items))
    lines = [encode_manifest(made._replace(**manifest))]
    for at, item in enumerate(items):
        lines.append(encode_item(item))
        for arm, signs in arms.items():
            if signs[at : at + 1].strip():
                draft = DRAFTS[(drafts or {}).get(arm, "")[at : at + 1] or "."]
                is_weak = (weak or {}).get(arm, "")[at : at + 1] == "w"
                lines.append(encode_result(result_of(item, arm, VERDICTS[signs[at]], draft, is_weak=is_weak)))
    return b"".join(lines)


def run_of(folder: Path, arms: Mapping[str, str], drafts: Mapping[str, str] | None = None, **others: Any) -> RunData:
    """Write such a run into a folder, and read it."""
    path = folder / "run.jsonl"
    path.write_bytes(run_bytes(arms, drafts, **others))
    return read_run(path)


def realistic_run(
    number: int, seed: int = 1, arms: Iterable[str] = ("cot", "reflect", "think"), length: int = 20
) -> bytes:
    """The file of a run with outcomes by chance: reflecting fixes some answers and breaks others."""
    random = Random(seed)  # noqa: S311 - chance makes cases here
    names = tuple(arms)
    items = [item_of(at, f"group {at % 5}") for at in range(number)]
    lines = [encode_manifest(manifest_of(names, number, set_digest=digest_of_items(items)))]
    for item in items:
        lines.append(encode_item(item))
        is_easy = random.random() < 0.6
        for at, name in enumerate(names):
            draft = random.choices((RIGHT, WRONG, None), (6, 2, 1) if is_easy else (2, 6, 1))[0] if at else None
            odds = (8, 1, 0.3, 0.5, 0.1) if is_easy else (2 + at, 6, 0.5, 1.0, 0.1)
            verdict = random.choices(tuple(Verdict), odds)[0]
            if draft and random.random() < 0.8:
                verdict = draft
            lines.append(
                encode_result(
                    result_of(
                        item, name, verdict, draft, is_weak=random.random() < 0.05, length=1 + random.randrange(length)
                    )
                )
            )
    return b"".join(lines)
