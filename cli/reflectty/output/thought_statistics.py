"""Renders the statistics of stored thoughts: tables with a row for each model, and a JSON object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reflectty.core.safety import clean_line
from reflectty.output.tables import CUT_RANK, TableColumn, table_rows
from reflectty.reasoning.governor import EndReason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reflectty.output.tables import Page
    from reflectty.reasoning.thought_statistics import StatisticsByModel, ThoughtStatistics
    from reflectty.view.rows import Row

    Named = tuple[str, ThoughtStatistics]

_ALL = "all"
_MAX_MODEL_LENGTH = 40
_MIN_MODEL_WIDTH = 12


def statistics_rows(found: StatisticsByModel, page: Page) -> Iterator[Row]:
    """Yield the tables: what models thought, when they settled, and what an end at that point would have done."""
    named = [*found.models]
    if len(named) > 1:
        named.append((_ALL, found.all))
    for title, columns in (
        ("thinking (tokens of a reply; second thoughts are readings)", _thinking_columns),
        ("settled: where in the thinking the final answer first stood, if read", _settled_columns),
        ("--until-settled: what it would have done to complete thoughts", _ends_columns),
    ):
        if columns is not _thinking_columns:
            yield []
        yield [(title, page.palette.styles["dim"])]
        yield from table_rows([_model_column(named), *columns(named)], page, _MIN_MODEL_WIDTH, has_head=True)


def _model_column(named: list[Named]) -> TableColumn:
    texts = tuple(clean_line(name, _MAX_MODEL_LENGTH) or "-" for name, _ in named)
    return TableColumn("model", "accent", CUT_RANK, texts)


def _column(name: str, rank: int, named: list[Named], text: Callable[[ThoughtStatistics], str]) -> TableColumn:
    return TableColumn(name, "text", rank, tuple(text(one) for _, one in named), align_right=True)


def _thinking_columns(named: list[Named]) -> list[TableColumn]:
    return [
        _column("replies", 0, named, lambda one: f"{one.replies:,}"),
        _column("mean", 3, named, lambda one: _tokens(one.tokens.mean)),
        _column("median", 0, named, lambda one: _tokens(one.tokens.median)),
        _column("p90", 1, named, lambda one: _tokens(one.tokens.p90)),
        _column("corrections", 2, named, lambda one: f"{one.tagged_corrections + one.readings.corrections:,}"),
        _column("checks", 5, named, lambda one: f"{one.readings.checks:,}"),
        _column("alternatives", 6, named, lambda one: f"{one.readings.alternatives:,}"),
        _column("repeated", 4, named, lambda one: f"{one.repeated:,}"),
        _column("ended", 3, named, lambda one: f"{sum(one.ended.values()):,}"),
    ]


def _settled_columns(named: list[Named]) -> list[TableColumn]:
    return [
        _column("read", 0, named, lambda one: f"{one.settled:,} of {one.complete:,}"),
        _column("stood at", 0, named, lambda one: _share(one.settled_share, one.settled)),
        _column("tokens after: median", 1, named, lambda one: _after(one, one.tokens_after.median)),
        _column("p90", 2, named, lambda one: _after(one, one.tokens_after.p90)),
    ]


def _ends_columns(named: list[Named]) -> list[TableColumn]:
    return [
        _column("ended", 0, named, lambda one: f"{one.simulated_ends.ended:,} of {one.simulated_ends.simulated:,}"),
        _column("same answer", 1, named, lambda one: f"{one.simulated_ends.same:,}"),
        _column("different", 0, named, lambda one: f"{one.simulated_ends.different:,}"),
        _column("not compared", 3, named, lambda one: f"{one.simulated_ends.unread:,}"),
        _column("tokens saved", 2, named, lambda one: f"{one.simulated_ends.saved:,}"),
        _column("of all", 4, named, _saved_share),
    ]


def _tokens(count: float) -> str:
    return f"{round(count):,}"


def _after(one: ThoughtStatistics, count: float) -> str:
    return _tokens(count) if one.settled else "-"


def _share(share: float, count: int) -> str:
    return f"{share:.0%}" if count else "-"


def _saved_share(one: ThoughtStatistics) -> str:
    ends = one.simulated_ends
    return _share(ends.saved / ends.tokens, ends.tokens) if ends.tokens else "-"


def statistics_object(found: StatisticsByModel) -> dict[str, Any]:
    """The statistics of all replies and of each model."""
    models = [{"model": name, **_object(one)} for name, one in found.models]
    return {"all": _object(found.all), "models": models}


def _object(one: ThoughtStatistics) -> dict[str, Any]:
    settled = {
        "complete": one.complete,
        "read": one.settled,
        "median_share": one.settled_share if one.settled else None,
        "tokens_after": one.tokens_after._asdict() if one.settled else None,
    }
    return {
        "replies": one.replies,
        "tokens": one.tokens._asdict(),
        "corrections": one.tagged_corrections,
        "second_thoughts": one.readings._asdict(),
        "repeated": one.repeated,
        "ended": {str(reason): one.ended.get(reason, 0) for reason in EndReason},
        "settled": settled,
        "until_settled": one.simulated_ends._asdict(),
    }
