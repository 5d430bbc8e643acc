"""The viewer of a report: every question as HTML, its arms side by side, corrections marked, thinking folded."""

from __future__ import annotations

from collections import defaultdict
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from reflectty.core.named_tuple import NamedTuple
from reflectty.core.safety import clean, clean_line
from reflectty.core.segments import Kind, SecondThoughtKind
from reflectty.core.text import format_count, format_percent
from reflectty.evaluation.grader import Verdict
from reflectty.evaluation.report import words
from reflectty.evaluation.transitions import Transition, transition_of
from reflectty.reasoning.thought_reader import ThoughtMark
from reflectty.view.thought_map import SHORTEST, MapPoint, cells_of, points_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reflectty.evaluation.items import Item
    from reflectty.evaluation.records import ProbeRecord, ResultRecord, StepRecord
    from reflectty.evaluation.run_file import ResultFacts, RunData, RunTexts

MAX_QUESTIONS: Final = 2_000
"""A page shows so many questions; the most telling ones of a larger run."""
MAX_TEXT: Final = 30_000
"""Characters of a text that are shown; the middle of a longer one is left out."""
_MAX_LINE: Final = 160
_MAX_CHIP: Final = 24
_MAP_CELLS: Final = 60
FILTERS: Final = ("fixed", "broken", "disagree", "unfinished", "no-answer", "weak", "ran-away", "failed")
"""The kinds of questions that a reader may filter by."""
_LABELS: Final = {"disagree": "arms disagree", "no-answer": "no answer", "ran-away": "ran away"}
_SIGNS: Final = {
    Verdict.RIGHT: "✓ right",
    Verdict.WRONG: "✗ wrong",
    Verdict.NO_ANSWER: "○ no answer",
    Verdict.UNFINISHED: "⋯ unfinished",
    Verdict.ERROR: "! failed",
}
_CHANGES: Final = {Transition.FIXED: "fixed", Transition.BROKEN: "broken", Transition.LOST: "broken"}


def filters_of(facts: Sequence[ResultFacts]) -> tuple[str, ...]:
    """The filters that a question passes, by its results in all arms."""
    verdicts = {one.verdict for one in facts}
    graded = [one for one in facts if one.verdict is not Verdict.ERROR]
    rights = {one.verdict is Verdict.RIGHT for one in graded}
    changes = {_CHANGES.get(one.transition) for one in facts}
    holds = {
        "fixed": "fixed" in changes,
        "broken": "broken" in changes,
        "disagree": len(rights) > 1,
        "unfinished": Verdict.UNFINISHED in verdicts,
        "no-answer": Verdict.NO_ANSWER in verdicts,
        "weak": any(one.is_weak for one in graded),
        "ran-away": any(one.is_runaway for one in graded),
        "failed": Verdict.ERROR in verdicts,
    }
    return tuple(name for name in FILTERS if holds[name])


def viewer_pieces(run: RunData, texts: RunTexts) -> Iterator[str]:
    """Yield the HTML of the viewer in pieces; each question is read when its piece is due."""
    passed = {name: filters_of([*_facts_of(run, name)]) for name in run.items}
    shown = chosen_questions(passed)
    yield f'<section id="questions"><h2>Questions</h2>{_filter_bar([passed[name] for name in shown])}'
    if len(shown) < len(passed):
        yield f"<p class=remark>{len(shown):,} of {format_count(len(passed), 'question')}, the most telling first</p>"
    probes = defaultdict(list)
    for probe in run.probes:
        probes[probe.item, probe.arm].append(probe)
    for number, name in enumerate(shown, start=1):
        columns = [_ArmColumn(arm, texts.result(name, arm), tuple(probes[name, arm])) for arm in run.arms]
        yield _question_html(number, texts.item(name), columns, passed[name])
    yield "</section>"


def _facts_of(run: RunData, name: str) -> Iterator[ResultFacts]:
    return (run.results[name, arm] for arm in run.arms if (name, arm) in run.results)


def chosen_questions(passed: dict[str, tuple[str, ...]], limit: int = MAX_QUESTIONS) -> list[str]:
    """The questions that are shown, in their order: of too many, those that pass a filter, then the others."""
    if len(passed) <= limit:
        return list(passed)
    telling = sorted(passed, key=lambda name: min(map(FILTERS.index, passed[name]), default=len(FILTERS)))[:limit]
    kept = set(telling)
    return [name for name in passed if name in kept]


def _filter_bar(passed: Sequence[tuple[str, ...]]) -> str:
    """Buttons with counts, and a box for words; without scripts it stays hidden."""
    buttons = [f'<button type="button" data-filter="" aria-pressed="true">all <b>{len(passed):,}</b></button>']
    for name in FILTERS:
        if count := sum(name in one for one in passed):
            label = _LABELS.get(name, name)
            buttons.append(
                f'<button type="button" data-filter="{name}" aria-pressed="false">{label} <b>{count:,}</b></button>'
            )
    return (
        f'<div id="bar" hidden>{"".join(buttons)}<input id="words" type="search" placeholder="search" '
        'aria-label="search"><span id="count" role="status"></span>'
        "<span class=keys>j k next, previous · Enter open · / search</span></div>"
    )


class _ArmColumn(NamedTuple):
    """What one arm made of a question."""

    arm: str
    result: ResultRecord | None
    probes: tuple[ProbeRecord, ...]


def _question_html(number: int, item: Item, columns: Sequence[_ArmColumn], passed: Iterable[str]) -> str:
    chips, arms = "".join(map(_chip_html, columns)), "".join(map(_arm_html, columns))
    group = f" · {escape(clean_line(item.group))}" if item.group else ""
    return (
        f'<details class="q" data-is="{" ".join(passed)}"><summary><i>{number}</i>'
        f'<span class="start">{escape(clean_line(item.question, _MAX_LINE))}</span>'
        f'<span class="chips">{chips}</span></summary>'
        f'<div class="said">{_text_html(item.text)}</div>'
        f'<p class="key">{escape(clean_line(item.id))}{group} · key: <b>{escape(clean_line(item.answer))}</b></p>'
        f'<div class="arms">{arms}</div></details>\n'
    )


def _chip_html(column: _ArmColumn) -> str:
    """The outcome of an arm in the row of a question."""
    name, short = escape(clean_line(column.arm, _MAX_LINE)), escape(clean_line(column.arm, _MAX_CHIP))
    if column.result is None:
        return f'<span class="chip" title="{name}: not asked">{words.UNKNOWN} {short}</span>'
    verdict = column.result.grade.verdict
    change = _CHANGES.get(transition_of(column.result), "")
    told, sign = f" · {change}" if change else "", _SIGNS[verdict]
    return f'<span class="chip {verdict}" title="{name}: {sign}{told}">{sign[0]} {short}{told}</span>'


def _arm_html(column: _ArmColumn) -> str:
    head = f'<section class="arm"><h3>{escape(clean_line(column.arm, _MAX_LINE))}</h3>'
    result = column.result
    if result is None:
        return f'{head}<p class="remark">not asked</p></section>'
    error = f'<p class="wrong">{escape(clean_line(result.error))}</p>' if result.error else ""
    steps = "".join(
        _step_html(step, number if len(result.steps) > 1 else 0) for number, step in enumerate(result.steps, start=1)
    )
    worth = "".join(f'<p class="remark">{escape(_worth_of(probe))}</p>' for probe in column.probes)
    return f"{head}{_grade_html(result)}{error}{steps}{worth}</section>"


def _worth_of(probe: ProbeRecord) -> str:
    """What one correction was worth, in a sentence without its full stop."""
    parts = [
        f"correction {probe.correction} changed the answer in {probe.changed:,} of {probe.compared:,}",
        f"towards right in {probe.towards_right:,}" if probe.towards_right else "",
        f"away from right in {probe.away_from_right:,}" if probe.away_from_right else "",
    ]
    return ", ".join(filter(None, parts))


def _grade_html(result: ResultRecord) -> str:
    """The line below the name of an arm: verdict, the draft's fate, what was read and how, tokens and time."""
    grade = result.grade
    parts = [f'<span class="chip {grade.verdict}">{_SIGNS[grade.verdict]}</span>']
    if change := _CHANGES.get(transition_of(result)):
        parts.append(f'<span class="chip {change}">{change}</span>')
    if grade.is_weak:
        parts.append('<span class="chip weak">weak</span>')
    if result.is_runaway:
        parts.append('<span class="chip weak">ran away</span>')
    facts = []
    if result.draft and result.draft.given:
        facts.append(f"draft: {escape(clean_line(result.draft.given))}")
    if grade.given:
        facts.append(f"read: <b>{escape(clean_line(grade.given))}</b> ({escape(clean_line(grade.rule))})")
    facts += [format_count(result.tokens, "token"), words.seconds(result.seconds)]
    return f'<p class="grade">{"".join(parts)} {" · ".join(facts)}</p>'


def _step_html(step: StepRecord, number: int) -> str:
    """One reply; with its number if there are several."""
    from reflectty.export.html import markdown_to_html

    answers = [text for kind, text in step.segments if kind == Kind.ANSWER and text.strip()]
    answer = clean(_shortened("\n\n".join(answers) or step.answer))
    title = f"<h4>reply {number}</h4>" if number else ""
    body = markdown_to_html(answer) if answer.strip() else '<p class="remark">no answer</p>'
    ending = _ending_of(step)
    ended = f'<p class="remark">{ending}</p>' if ending else ""
    return f'{title}{_thinking_html(step)}<div class="answer">{body}</div>{ended}'


def _ending_of(step: StepRecord) -> str:
    """How a reply ended, if not by itself."""
    if step.ended_by:
        return f"thinking ended by its {escape(clean_line(step.ended_by))}"
    return "" if step.is_complete else f"cut off: {escape(clean_line(step.done_reason or 'no reason given'))}"


def _thinking_html(step: StepRecord) -> str:
    """The thinking of a reply, folded; empty if there is none."""
    places = [(number, at) for number, at, kind in step.marks if kind == SecondThoughtKind.CORRECTION]
    blocks = "".join(
        f'<div class="{"correction" if kind == Kind.REFLECTION else "thinking"}">'
        f"{_marked_text(text, [at for number, at in places if number == place])}</div>"
        for place, (kind, text) in enumerate(step.segments)
        if kind != Kind.ANSWER and text.strip()
    )
    if not blocks:
        return ""
    facts = [
        "thinking",
        format_count(step.thinking_tokens, "token") if step.thinking_tokens else "",
        f"<b>{format_count(step.corrections, 'correction')}</b>" if step.corrections else "",
        f"~{format_count(step.second_thoughts, 'second thought')}" if step.second_thoughts else "",
        f"settled at ~{format_percent(step.settled, 1)}" if step.settled is not None else "",
    ]
    summary = f"{' · '.join(filter(None, facts))}{_map_html(step)}"
    return f'<details class="thought"><summary>{summary}</summary>{blocks}</details>'


def _marked_text(text: str, places: Sequence[int]) -> str:
    """A thought with a sign before each correction that was read in it."""
    if len(text) > MAX_TEXT or not places:
        return _text_html(text)
    pieces = [escape(clean(text[start:end])) for start, end in pairwise((0, *sorted(places), len(text)))]
    return '<b class="turn" title="correction, as read">↶ </b>'.join(pieces)


_KINDS: Final = {str(kind): kind for kind in Kind}
_MARKS: Final = {str(kind): kind for kind in SecondThoughtKind}


def _map_html(step: StepRecord) -> str:
    """The strip that shows where a long thought turned; empty for a short one, or one that never turns."""
    marks = [
        ThoughtMark(_MARKS[kind], is_sure=True, block=place, at=at) for place, at, kind in step.marks if kind in _MARKS
    ]
    points, length = points_of(
        (_KINDS.get(kind, Kind.THINKING), len(text), [mark for mark in marks if mark.block == place])
        for place, (kind, text) in enumerate(step.segments)
        if kind != Kind.ANSWER
    )
    if length < SHORTEST or not points:
        return ""
    if step.settled is not None:
        points.append(MapPoint(round(step.settled * length), "settled"))
    cells = "".join(
        f'<rect x="{at}" y="0" width="1" height="4" class="{point.kind}"/>'
        for at, point in enumerate(cells_of(points, length, _MAP_CELLS))
        if point
    )
    return f'<svg class="map" viewBox="0 0 {_MAP_CELLS} 4" preserveAspectRatio="none" aria-hidden="true">{cells}</svg>'


def _text_html(text: str) -> str:
    return escape(clean(_shortened(text)))


def _shortened(text: str) -> str:
    """A text without the middle of what is too long."""
    if len(text) <= MAX_TEXT:
        return text
    half = MAX_TEXT // 2
    return f"{text[:half]}\n\n[… {len(text) - 2 * half:,} characters left out …]\n\n{text[-half:]}"
