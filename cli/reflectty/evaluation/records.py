"""The file of a run: a manifest, then the items and the answers as they come, one JSON object a line.

    {"run": {...}}                      the manifest, in the first line
    {"item": {"id": ..., ...}}          an item, before its first answer
    {"result": {"item": ID, "arm": NAME, "steps": [...], "grade": {...}, ...}}
    {"probe": {"item": ID, "arm": NAME, "correction": 1, "changed": 4, "compared": 5, ...}}

A later result for the same item and arm replaces an earlier one. A line that is cut at the end of the file is dropped.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from reflectty.core.named_tuple import NamedTuple
from reflectty.evaluation.grader import Grade, Verdict
from reflectty.evaluation.items import Item
from reflectty.reasoning.stated_answers import AnswerKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

RUN_VERSION: Final = 1


class ArmSetup(NamedTuple):
    """How an arm was asked, as a run records it."""

    name: str
    """As it is typed: `think:low`."""
    mode: str = ""
    effort: str = ""
    budget: str = ""
    model: str = ""
    digest: str = ""
    """The digest of the model; empty if its server reports none."""
    options: tuple[tuple[str, Any], ...] = ()
    """The model options, among them temperature and the token limit."""
    instruction: str = ""
    """What is put to the model besides the question."""


class RunManifest(NamedTuple):
    """What a run is about; it does not change when the run is resumed."""

    set_name: str
    set_digest: str
    origin: str
    planned: int
    """The number of items."""
    seed: int
    arms: tuple[ArmSetup, ...]
    """The first is the baseline."""
    created: str
    """ISO 8601, UTC."""
    quantization: str = ""
    parameter_size: str = ""
    host: str = ""
    system: str = ""
    """The system prompt of all questions; empty if there is none of the user's own."""
    is_bare: bool = False
    """Whether the questions were asked alone, without instructions."""
    reflectty: str = ""
    """The version that began the run."""
    version: int = RUN_VERSION


class StepRecord(NamedTuple):
    """One reply of an arm: most arms have one, `revise` two, a vote several."""

    segments: tuple[tuple[str, str], ...] = ()
    """Pairs of a kind (thinking, reflection, answer) and its text, in order."""
    answer: str = ""
    """The final answer of the reply."""
    is_complete: bool = True
    """Whether the model ended it by itself, with an answer."""
    done_reason: str = ""
    ended_by: str = ""
    """How the thinking was ended from outside: `budget`, `loop`; empty if it was not."""
    thinking_tokens: int = 0
    answer_tokens: int = 0
    prompt_tokens: int = 0
    seconds: float = 0.0
    """By the server's clock (prompt and generation), else by ours; without waiting in a queue."""
    corrections: int = 0
    """Tagged corrections."""
    second_thoughts: int = 0
    """Sure corrections that were read in free thinking."""
    family: str = ""
    """The family whose tags the reply has."""
    is_thinking_apart: bool = False
    """Whether the server sent the thinking in a field of its own."""
    marks: tuple[tuple[int, int, str], ...] = ()
    """The sure second thoughts: the number of the segment, the characters of it before the mark, and its kind."""
    settled: float | None = None
    """The share of the thinking after which the final answer stood, as it was read; None if that cannot be read."""


class ResultRecord(NamedTuple):
    """The result of one item in one arm."""

    item: str
    arm: str
    grade: Grade
    steps: tuple[StepRecord, ...] = ()
    draft: Grade | None = None
    """The grade of the answer before the corrections; None if there is no draft that can be read."""
    at: str = ""
    """ISO 8601, UTC."""
    host: str = ""
    error: str = ""

    @property
    def tokens(self) -> int:
        """Tokens that the model generated in all steps."""
        return sum(step.thinking_tokens + step.answer_tokens for step in self.steps)

    @property
    def seconds(self) -> float:
        """Seconds of all steps."""
        return sum(step.seconds for step in self.steps)

    @property
    def is_runaway(self) -> bool:
        """Whether a thinking went in circles, or ran into the token limit."""
        return any(_is_runaway(step) for step in self.steps)

    @property
    def has_corrections(self) -> bool:
        """Whether the model corrected itself, in tags or in free thinking, or was asked to."""
        return len(self.steps) > 1 or any(step.corrections or step.second_thoughts for step in self.steps)


class ProbeRecord(NamedTuple):
    """What a correction of a reply was worth: the figures of `ProbeResult`, whose docstring defines them."""

    item: str
    arm: str
    correction: int
    """Its number in the reply, from 1."""
    kind: str = "correction"
    is_tagged: bool = False
    text: str = ""
    method: str = ""
    samples: int = 0
    """Continuations with the correction, and as many without it."""
    seed: int = 0
    temperature: float | None = None
    """The temperature of the continuations; None for that of the server."""
    answer: str = ""
    """The most frequent answer with the correction."""
    is_right: bool | None = None
    """Whether that answer is right."""
    compared: int = 0
    """Continuations without the correction that count."""
    changed: int = 0
    """How many of them have another answer."""
    with_correction: int = 0
    """Continuations with the correction that count."""
    varied: int = 0
    """How many of them have another answer."""
    towards_right: int = 0
    away_from_right: int = 0
    corrected_again: int = 0
    without_answer: int = 0
    p: float = 1.0
    answers: tuple[tuple[str, int, int], ...] = ()
    """Each answer with how often it was given with and without the correction."""
    tokens: int = 0
    seconds: float = 0.0
    at: str = ""
    """ISO 8601, UTC."""

    @property
    def key(self) -> tuple[str, str, int]:
        """What identifies it in a run: a later record with the same key replaces an earlier one."""
        return self.item, self.arm, self.correction


def _is_runaway(step: StepRecord) -> bool:
    """Whether a thinking repeated itself, or was cut by the token limit before an answer."""
    return step.ended_by == "loop" or (step.done_reason == "length" and not step.answer)


def time_stamp() -> str:
    """The time now as a run records it: ISO 8601, UTC, in seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def encode_line(kind: str, value: object) -> bytes:
    """One line of a run's file, with its line break."""
    return json.dumps({kind: value}, ensure_ascii=True).encode("ascii") + b"\n"


def encode_manifest(manifest: RunManifest) -> bytes:
    arms = [arm._asdict() | {"options": dict(arm.options)} for arm in manifest.arms]
    return encode_line("run", manifest._asdict() | {"arms": arms})


def encode_item(item: Item) -> bytes:
    return encode_line("item", item._asdict())


def encode_result(result: ResultRecord) -> bytes:
    value = result._asdict()
    value["grade"] = _grade_object(result.grade)
    value["draft"] = _grade_object(result.draft) if result.draft else None
    value["steps"] = [step._asdict() for step in result.steps]
    return encode_line("result", value)


def encode_probe(probe: ProbeRecord) -> bytes:
    return encode_line("probe", probe._asdict())


def _grade_object(grade: Grade) -> dict[str, Any]:
    return {"verdict": str(grade.verdict), "given": grade.given, "rule": grade.rule, "is_weak": grade.is_weak}


def decode_line(line: bytes) -> RunManifest | Item | ResultRecord | ProbeRecord | None:
    """Decode a line of a run's file; None if it is not one.

    Members that this version does not know are left out, so that a later one can add some.
    """
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or len(value) != 1:
        return None
    kind, members = next(iter(value.items()))
    if kind not in _DECODERS or not isinstance(members, dict):
        return None
    try:
        return _DECODERS[kind](members)
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def is_of_later_kind(line: bytes) -> bool:
    """Whether a line is an object of a kind that this version does not read."""
    return line.startswith(b'{"') and not line.startswith((b'{"run"', b'{"item"', b'{"result"'))


def _decode_manifest(members: Mapping[str, Any]) -> RunManifest:
    arms = tuple(
        ArmSetup(**_known(ArmSetup._fields, arm) | {"options": tuple(arm["options"].items())})
        for arm in members["arms"]
    )
    return RunManifest(**_known(RunManifest._fields, members) | {"arms": arms})


def _decode_item(members: Mapping[str, Any]) -> Item:
    own = _known(Item._fields, members)
    return Item(**own | {"kind": AnswerKind(own["kind"]), "choices": tuple(own["choices"])})


def _decode_result(members: Mapping[str, Any]) -> ResultRecord:
    own = _known(ResultRecord._fields, members)
    own["grade"] = _decode_grade(own["grade"])
    own["draft"] = _decode_grade(own["draft"]) if own.get("draft") else None
    own["steps"] = tuple(_decode_step(step) for step in own["steps"])
    return ResultRecord(**own)


def _decode_probe(members: Mapping[str, Any]) -> ProbeRecord:
    own = _known(ProbeRecord._fields, members)
    answers = tuple((str(text), int(given), int(left_out)) for text, given, left_out in own.get("answers", ()))
    return ProbeRecord(**own | {"answers": answers})


def _decode_step(members: Mapping[str, Any]) -> StepRecord:
    own = _known(StepRecord._fields, members)
    own["segments"] = tuple((str(kind), str(text)) for kind, text in own["segments"])
    own["settled"] = None if own.get("settled") is None else float(own["settled"])
    own["marks"] = tuple((int(segment), int(at), str(kind)) for segment, at, kind in own.get("marks", ()))
    return StepRecord(**own)


def _decode_grade(members: Mapping[str, Any]) -> Grade:
    own = _known(Grade._fields, members)
    return Grade(**own | {"verdict": Verdict(own["verdict"])})


def _known(fields: tuple[str, ...], members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: members[name] for name in fields if name in members}


_DECODERS: Final[dict[str, Callable[[Mapping[str, Any]], RunManifest | Item | ResultRecord | ProbeRecord]]] = {
    "run": _decode_manifest,
    "item": _decode_item,
    "result": _decode_result,
    "probe": _decode_probe,
}
