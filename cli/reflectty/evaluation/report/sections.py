"""What a report says, in the order in which every form of it says it: headings, tables and remarks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.core.named_tuple import NamedTuple
from reflectty.core.safety import clean_line
from reflectty.core.text import format_count
from reflectty.evaluation.grader import Verdict
from reflectty.evaluation.published import PRIORS, published_for
from reflectty.evaluation.report import words
from reflectty.evaluation.transitions import Transition
from reflectty.output.tables import CUT_RANK, TableColumn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from reflectty.evaluation.ledger import Ledger, Rate
    from reflectty.evaluation.published import PublishedFigure
    from reflectty.evaluation.records import RunManifest
    from reflectty.evaluation.run_file import RunData
    from reflectty.evaluation.summary import ArmSummary, GroupAccuracy, PairedDifference, RunSummary

_MAX_NAME = 60


class ReportSection(NamedTuple):
    """One part of a report: a heading, a table, and remarks below it."""

    title: str
    columns: tuple[TableColumn, ...]
    remarks: tuple[str, ...] = ()
    is_by_arm: bool = False
    """Whether each column after the first is an arm."""


class Report(NamedTuple):
    """A report as text in its parts; every text is cleaned."""

    title: str
    facts: tuple[str, ...]
    conclusions: tuple[str, ...]
    warnings: tuple[str, ...]
    sections: tuple[ReportSection, ...]


def report_of(run: RunData, summary: RunSummary) -> Report:
    """The report of a run."""
    manifest = run.manifest
    sections = [
        arms_section(summary.arms),
        *([differences_section(summary.differences)] if summary.differences else []),
        *([ledger_section(summary.ledgers)] if summary.ledgers else []),
        *([groups_section(summary.groups, run.arms)] if summary.groups else []),
    ]
    if figures := published_for(manifest):
        sections.append(published_section(figures))
    return Report(
        _name(manifest.set_name),
        facts_of_run(run),
        tuple(clean_line(words.conclusion_of(one)) for one in summary.differences),
        tuple(map(clean_line, summary.warnings)),
        tuple(sections),
    )


def _name(text: str) -> str:
    return clean_line(text, _MAX_NAME)


def facts_of_run(run: RunData) -> tuple[str, ...]:
    """What was asked, of whom and when, in short texts."""
    manifest = run.manifest
    return tuple(
        clean_line(fact)
        for fact in (
            " / ".join(models_of(manifest)),
            manifest.quantization,
            f"{len(run.items):,} of {format_count(manifest.planned, 'question')}",
            f"seed {manifest.seed}",
            manifest.created[:10],
        )
        if fact
    )


def models_of(manifest: RunManifest) -> tuple[str, ...]:
    """The models that were asked, each once."""
    return tuple(dict.fromkeys(arm.model for arm in manifest.arms if arm.model))


def arms_section(arms: Sequence[ArmSummary]) -> ReportSection:
    """A row for each arm."""

    def column(name: str, rank: int, text: Callable[[ArmSummary], str], role: str = "dim") -> TableColumn:
        return TableColumn(name, role, rank, tuple(map(text, arms)), align_right=True)

    def count(verdict: Verdict) -> Callable[[ArmSummary], str]:
        return lambda one: f"{one.verdicts[verdict]:,}"

    columns = [
        TableColumn("arm", "accent", CUT_RANK, tuple(_name(one.name) for one in arms)),
        column("right", 0, lambda one: words.rate(one.accuracy), "answer"),
        column("95 %", 1, lambda one: words.interval(one.accuracy), "text"),
        *([column("by subject", 11, _clustered_percents)] if arms[0].clustered else []),
        column("of", 3, lambda one: f"{one.accuracy.whole:,}"),
        column("unfinished", 5, count(Verdict.UNFINISHED)),
        column("no answer", 6, count(Verdict.NO_ANSWER)),
        column("of finished", 8, lambda one: words.rate(one.finished_accuracy)),
        column("weak", 9, lambda one: f"{one.weak.part:,}"),
        column("thinking", 7, lambda one: words.amount(one.thinking_tokens)),
        *([column("settled", 10, _settled_share)] if any(one.settled_known for one in arms) else []),
        column("tokens", 2, lambda one: words.amount(one.tokens), "text"),
        column("time", 4, lambda one: words.seconds(one.seconds), "text"),
    ]
    if any(one.verdicts[Verdict.ERROR] for one in arms):
        columns.append(column("failed", 12, count(Verdict.ERROR), "error"))
    remarks = ["tokens and time are means per answer; the intervals are Wilson's"]
    if any(one.settled_known for one in arms):
        remarks.append("settled: how far into its thinking the model first had its final answer, as read")
    return ReportSection("Each arm", tuple(columns), tuple(remarks))


def differences_section(found: Sequence[PairedDifference]) -> ReportSection:
    """A row for each arm but the baseline."""
    baseline = _name(found[0].baseline)

    def column(name: str, rank: int, text: Callable[[PairedDifference], str], role: str = "dim") -> TableColumn:
        return TableColumn(name, role, rank, tuple(map(text, found)), align_right=True)

    columns = [
        TableColumn("arm", "accent", CUT_RANK, tuple(_name(one.arm) for one in found)),
        column("points", 0, lambda one: words.points(one.difference), "answer"),
        column("95 %", 1, lambda one: words.spread(one.low, one.high), "text"),
        *([column("by subject", 7, _clustered_points)] if found[0].clustered else []),
        column("only it", 3, lambda one: f"{one.only_arm:,}"),
        column(f"only {baseline}", 4, lambda one: f"{one.only_baseline:,}"),
        column("pairs", 5, lambda one: f"{one.pairs:,}"),
        column("p", 2, lambda one: words.p_value(one.adjusted_p), "text"),
        TableColumn("result", "text", 6, tuple(str(one.conclusion) for one in found)),
    ]
    remarks = ("the same questions in both arms; p: McNemar mid-p, adjusted after Holm; interval: Bonett and Price",)
    return ReportSection(f"Against {baseline}", tuple(columns), remarks)


def _settled_share(one: ArmSummary) -> str:
    return words.UNKNOWN if one.settled is None else f"~{100 * one.settled:.0f} %"


def _clustered_percents(one: ArmSummary) -> str:
    found = one.clustered
    return f"{100 * found.low:.0f}{words.DASH}{100 * found.high:.0f}" if found else words.UNKNOWN


def _clustered_points(one: PairedDifference) -> str:
    return words.spread(*one.clustered) if one.clustered else words.UNKNOWN


_TRANSITION_LABELS = {
    Transition.KEPT_RIGHT: "right → right",
    Transition.FIXED: "wrong → right (fixed)",
    Transition.BROKEN: "right → wrong (broken)",
    Transition.LOST: "right → no answer (broken)",
    Transition.SAME_WRONG: "wrong → same wrong",
    Transition.OTHER_WRONG: "wrong → other or none",
    Transition.NO_DRAFT: "no draft that can be read",
}


def ledger_section(ledgers: Sequence[Ledger]) -> ReportSection:
    """A row for each figure, and a column for each arm that has drafts."""
    rows: list[tuple[str, Callable[[Ledger], str]]] = [
        *((label, _transition_text(one)) for one, label in _TRANSITION_LABELS.items()),
        ("had a correction", lambda one: words.rate(one.correction_rate)),
        ("  tagged corrections", lambda one: f"{one.tagged_corrections:,}"),
        ("  second thoughts", lambda one: f"{one.second_thoughts:,}"),
        ("answer changed", lambda one: words.rate(one.changed)),
        ("fixed, of wrong drafts", lambda one: _rate_with_interval(one.fix_rate)),
        ("broken, of right drafts", lambda one: _rate_with_interval(one.break_rate)),
        ("net", lambda one: f"{words.signed_count(one.net)} (p {words.p_value(one.p)})"),
        ("extra tokens per fixed", lambda one: _amount_or_dash(one.tokens_per_fix, words.amount)),
        ("extra time per fixed", lambda one: _amount_or_dash(one.seconds_per_fix, words.seconds)),
        ("ran away", lambda one: f"{one.runaways:,}"),
        *(_PROBE_ROWS if any(one.probes.corrections for one in ledgers) else ()),
    ]
    labels = TableColumn("draft → answer", "dim", CUT_RANK, tuple(label for label, _ in rows))
    columns = tuple(
        TableColumn(_name(one.arm), "text", at, tuple(text(one) for _, text in rows), align_right=True)
        for at, one in enumerate(ledgers)
    )
    return ReportSection("What the corrections did", (labels, *columns), PRIORS, is_by_arm=True)


_PROBE_ROWS: tuple[tuple[str, Callable[[Ledger], str]], ...] = (
    ("corrections probed", lambda one: f"{one.probes.corrections:,}"),
    ("  other answer without", lambda one: f"{one.probes.changed:,}/{one.probes.compared:,}"),
    ("  made it right / wrong", lambda one: f"{one.probes.towards_right:,} / {one.probes.away_from_right:,}"),
)
"""What is told of the corrections that were left out to see what they are worth."""


def _transition_text(transition: Transition) -> Callable[[Ledger], str]:
    return lambda one: f"{one.transitions[transition]:,}"


def _rate_with_interval(one: Rate) -> str:
    return f"{words.rate(one)} ({words.interval(one)})" if one.whole else words.UNKNOWN


def _amount_or_dash(value: float | None, text: Callable[[float], str]) -> str:
    return words.UNKNOWN if value is None else text(value)


def groups_section(groups: Sequence[GroupAccuracy], arms: Iterable[str]) -> ReportSection:
    """A row for each group of questions."""
    columns = [
        TableColumn("group", "dim", CUT_RANK, tuple(_name(one.name) or words.UNKNOWN for one in groups)),
        TableColumn("questions", "dim", len(groups) + 1, tuple(f"{one.items:,}" for one in groups), align_right=True),
    ]
    for at, arm in enumerate(arms):
        texts = tuple(words.rate(one.accuracies[at]) for one in groups)
        columns.append(TableColumn(_name(arm), "text", at, texts, align_right=True))
    return ReportSection(
        "By group", tuple(columns), ("no tests: groups are small, and looking for one invites chance",)
    )


def published_section(figures: Sequence[PublishedFigure]) -> ReportSection:
    """A row for each published figure of the model on the set."""
    columns = (
        TableColumn("published", "dim", CUT_RANK, tuple(f"{one.model}, {one.set_name}" for one in figures)),
        TableColumn("right", "text", 0, tuple(f"{one.percent:g} %" for one in figures), align_right=True),
        TableColumn("how", "dim", 1, tuple(one.how for one in figures)),
        TableColumn("source", "dim", 2, tuple(one.source for one in figures)),
    )
    remark = "not directly comparable: prompts, extraction, quantization and questions differ from yours"
    return ReportSection("Published figures", columns, (remark,))
