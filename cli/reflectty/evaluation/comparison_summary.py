"""Sums a comparison up: a line for each arm and whether the answers agree, and the same as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reflectty.core.safety import clean_line
from reflectty.core.text import format_count, format_duration, format_percent
from reflectty.evaluation.agreement import AgreementVerdict, agreement_of
from reflectty.output.json import error_object, reply_object
from reflectty.reasoning.families import FAMILIES
from reflectty.reasoning.reply import Reply
from reflectty.reasoning.settled import settled_in
from reflectty.view.inline import wrap_line
from reflectty.view.rows import BOLD, cell_width
from reflectty.view.summary import SummaryFact, reading_facts
from reflectty.view.thinking import facts_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.evaluation.agreement import Agreement
    from reflectty.evaluation.comparison import ArmRun
    from reflectty.output.tables import Page
    from reflectty.view.parts import Scene
    from reflectty.view.rows import Row

_NAME_GAP = 2
_MAX_REMARK = 400
"""Maximum characters of the remark on the agreement."""


def summary_rows(runs: Sequence[ArmRun], page: Page | Scene) -> list[Row]:
    """A row for each arm with its figures, then whether the answers agree.

    Args:
        runs: the arms, which are over.
        page: where the rows are shown.
    """
    width = max(cell_width(clean_line(run.arm.name)) for run in runs) + _NAME_GAP
    answers = [run.answer for run in runs]
    remark = remark_of(agreement_of(answers), [run.arm.name for run in runs], sum(map(bool, answers)))
    line: Row = [(clean_line(remark, _MAX_REMARK), page.palette.styles["text"])]
    return [*(_summary_row(run, width, page) for run in runs), *wrap_line(line, page.columns.prose)]


def _summary_row(run: ArmRun, width: int, page: Page | Scene) -> Row:
    name = clean_line(run.arm.name)
    return [
        (name + " " * (width - cell_width(name)), page.palette.styles["text"] + BOLD),
        *facts_row(_facts_of(run, reads_thoughts=page.reads_thoughts), page.width - width, page.palette),
    ]


def remark_of(agreement: Agreement, names: Sequence[str], complete: int) -> str:
    """Whether answers agree, in a sentence.

    Args:
        agreement: what is known of them.
        names: the names of the arms.
        complete: how many of them have a complete answer.
    """
    if agreement.verdict is AgreementVerdict.NOT_COMPARED:
        return "answers differ in wording: not compared" if complete > 1 else "answers are not compared"
    answers = [agreement.stated[group[0]] for group in agreement.groups]
    if agreement.verdict is AgreementVerdict.SAME:
        return f"answers agree: {answers[0]}" if answers[0] else "answers agree word for word"
    named = (", ".join(names[at] for at in group) for group in agreement.groups)
    return f"answers differ: {'; '.join(f'{answer} ({arms})' for answer, arms in zip(answers, named, strict=True))}"


def _facts_of(run: ArmRun, *, reads_thoughts: bool) -> tuple[SummaryFact, ...]:
    corrections = run.corrections
    found = (
        SummaryFact(format_count(run.tokens, "token") if run.replies else "", 1),
        SummaryFact(format_duration(run.seconds) if run.replies else "", 1),
        SummaryFact(format_count(corrections, "correction") if corrections else "", 2, strong=True),
        *(reading_facts(run.readings) if reads_thoughts else ()),
        SummaryFact(_settled_words(run), 3),
        SummaryFact("stopped" if run.is_stopped else "no complete answer" if run.error else "", 0),
    )
    return tuple(fact for fact in found if fact.text)


def _settled_words(run: ArmRun) -> str:
    """Where the thinking first had the answer, with a tilde, as it is a reading; empty if that is unknown."""
    settled = settled_in(run.reply.segments) if run.reply and not run.error else None
    return f"settled at ~{format_percent(settled.share, 1)}" if settled else ""


def comparison_object(runs: Sequence[ArmRun], *, reads_thoughts: bool = True) -> dict[str, Any]:
    """A comparison as a JSON object, without its session and its error."""
    agreement = agreement_of([run.answer for run in runs])
    return {
        "arms": [
            _arm_object(run, reads_thoughts=reads_thoughts) | _agreement_object(agreement, at)
            for at, run in enumerate(runs)
        ],
        "agreement": str(agreement.verdict),
    }


def _agreement_object(agreement: Agreement, at: int) -> dict[str, Any]:
    """What an arm states, and whether that is what the first arm states; null where it was not compared."""
    group = next((group for group in agreement.groups if at in group), None)
    first = min((group[0] for group in agreement.groups), default=at)
    return {"stated": agreement.stated[at] or None, "agrees": None if group is None else first in group}


def _arm_object(run: ArmRun, *, reads_thoughts: bool) -> dict[str, Any]:
    """An arm: the reply that has its answer, and what is known of all its replies."""
    reply = run.reply or Reply(run.model_name or run.arm.model, FAMILIES["none"])
    return {
        "arm": run.arm.name,
        **reply_object(reply, reads_thoughts=reads_thoughts),
        "replies": [reply_object(one, reads_thoughts=reads_thoughts) for one in run.replies if one is not reply],
        "tokens": run.tokens,
        "seconds": round(run.seconds, 3),
        "error": error_object(run.error),
    }
