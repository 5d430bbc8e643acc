"""The page of a report: whole, harmless, without any other file, and with every question."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from reflectty.core.safety import clean, is_safe_link
from reflectty.evaluation.grader import Grade
from reflectty.evaluation.items import Item
from reflectty.evaluation.records import (
    ProbeRecord,
    ResultRecord,
    StepRecord,
    encode_item,
    encode_manifest,
    encode_probe,
    encode_result,
)
from reflectty.evaluation.report.charts import accuracy_chart, cost_chart, difference_chart, ledger_chart
from reflectty.evaluation.report.html import html_pieces
from reflectty.evaluation.report.page_assets import SCRIPT
from reflectty.evaluation.report.sections import report_of
from reflectty.evaluation.report.viewer import FILTERS, MAX_TEXT, chosen_questions, filters_of
from reflectty.evaluation.run_file import RunTexts, read_run
from reflectty.evaluation.summary import summarize
from reflectty.reasoning.stated_answers import AnswerKind
from support.evaluation_runs import RIGHT, WRONG, manifest_of, realistic_run, run_of
from support.hostile_strategies import CONTROLS, OPEN
from support.hostile_texts import hostile_texts, is_let_through, text_of
from support.html_reader import HtmlReader

if TYPE_CHECKING:
    from pathlib import Path

    from reflectty.evaluation.run_file import RunData

EVENTS = re.compile(r"on\w+")


def page_of(run: RunData) -> str:
    summary = summarize(run)
    with RunTexts(run) as texts:
        return "".join(html_pieces(run, summary, report_of(run, summary), texts))


def check_page(page: str) -> HtmlReader:
    """Check that a page is well nested, fetches nothing, and has one script: ours."""
    read = HtmlReader(page)
    assert (read.open, read.wrong) == ([], [])
    names = [tag for tag, _ in read.tags]
    assert names.count("script") == 1
    assert not {"link", "iframe", "object", "embed", "base", "form", "img", "audio", "video", "source"} & set(names)
    attributes = {name for _, found in read.tags for name in found}
    assert not {name for name in attributes if EVENTS.fullmatch(name) or name in {"src", "srcset", "action", "style"}}
    assert [url for _, found in read.tags if (url := found.get("href")) is not None and not is_safe_link(url)] == []
    assert not CONTROLS.search(page.replace("\n", ""))
    return read


def run_with(folder: Path, text: str) -> RunData:
    """A run that has a text in every place that a model, a set or a user fills."""
    item = Item(text, text, text, AnswerKind.EXACT, (text, text), text)
    arm = f"think@{text}"
    segments = (("thinking", text), ("reflection", text), ("thinking", text), ("answer", text))
    step = StepRecord(segments, text, False, text, text, 5, 5, 5, 1.0, 1, 1, marks=((0, 9999, text), (9, -1, "check")))  # noqa: FBT003 - its fields in order
    result = ResultRecord(
        text, arm, Grade(WRONG, text, text, is_weak=True), (step, step), Grade(RIGHT, text), error=text
    )
    base = manifest_of((arm, "cot"), 2)
    manifest = base._replace(
        set_name=text, origin=text, quantization=text, host=text, created=text, parameter_size=text
    )
    path = folder / "run.jsonl"
    other = Item("last", "An innocent question", "1", AnswerKind.NUMBER, group="other")
    path.write_bytes(
        encode_manifest(manifest)
        + encode_item(item)
        + encode_result(result)
        + encode_result(result._replace(arm="cot"))
        + encode_item(other)
    )
    return read_run(path)


def test_a_page_is_whole_and_closed(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes(realistic_run(25))
    read = check_page(page_of(read_run(path)))
    assert sum(found.get("class") == "q" for _, found in read.tags) == 25
    assert sum(tag == "figure" for tag, _ in read.tags) == 4


def test_the_policy_allows_our_style_and_our_script_alone(tmp_path: Path) -> None:
    page = page_of(run_of(tmp_path, {"cot": "+-", "reflect": "-+"}, {"reflect": "++"}))
    policy = next(found["content"] for _, found in check_page(page).tags if "http-equiv" in found) or ""
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        text = page[page.index(f"<{tag}>") + len(tag) + 2 : page.index(f"</{tag}>")]
        assert f"{tag}-src 'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" in policy
    assert SCRIPT in page


@pytest.mark.parametrize(
    "text",
    [
        *OPEN,
        "<img src=x onerror=alert(1)>",
        '" onmouseover="x',
        "' autofocus onfocus='x",
        "</style></title><script>",
        "]]>",
    ],
)
def test_text_cannot_break_out_of_its_element(tmp_path: Path, text: str) -> None:
    read = check_page(page_of(run_with(tmp_path, text)))
    assert "An innocent question" in "".join(read.texts)


@hostile_texts
def test_hostile_text_is_harmless_on_a_page(tmp_path: Path, hostile: tuple[dict[str, Any], ...]) -> None:
    for case in hostile:
        text = text_of(case, 100)[:MAX_TEXT]
        page = page_of(run_with(tmp_path, text))
        assert clean(text).strip() in "".join(check_page(page).texts), case["id"]
        assert not is_let_through(case, page), case["id"]


def test_corrections_are_marked_where_they_happened(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    free = "Twelve is more. " * 60 + "\n\nWait, that's wrong. It is eleven. " + "So eleven. " * 60
    segments = (("thinking", free), ("reflection", "No: ten."), ("answer", "Answer: 10"))
    marks = ((0, free.index("Wait"), "correction"),)
    step = StepRecord(
        segments, "Answer: 10", thinking_tokens=300, corrections=1, second_thoughts=1, marks=marks, settled=0.5
    )
    result = ResultRecord("q", "think", Grade(RIGHT, "10", "answer-line"), (step,), Grade(WRONG, "12"))
    path.write_bytes(
        encode_manifest(manifest_of(("think",), 1))
        + encode_item(Item("q", "How many?", "10", AnswerKind.NUMBER))
        + encode_result(result)
    )
    page = page_of(read_run(path))
    check_page(page)
    assert '<b class="turn" title="correction, as read">↶ </b>Wait, that&#x27;s wrong.' in page
    assert '<div class="correction">No: ten.</div>' in page
    assert '<span class="chip fixed">fixed</span>' in page
    assert re.search(r'<svg class="map".*<rect x="\d+" y="0" width="1" height="4" class="correction"/>', page)
    assert '<rect x="30" y="0" width="1" height="4" class="settled"/>' in page
    assert "thinking · 300 tokens · <b>1 correction</b> · ~1 second thought · settled at ~50 %" in page


def test_a_page_tells_what_a_correction_was_worth(tmp_path: Path) -> None:
    run = run_of(tmp_path, {"cot": "+", "think": "+"}, {"think": "-"})
    probe = ProbeRecord("q00000", "think", 2, compared=5, changed=4, towards_right=3, away_from_right=1)
    run.path.write_bytes(run.path.read_bytes() + encode_probe(probe))
    worth = "correction 2 changed the answer in 4 of 5, towards right in 3, away from right in 1"
    assert "".join(check_page(page_of(read_run(run.path))).texts).count(worth) == 1


@pytest.mark.parametrize(
    ("arms", "drafts", "passed"),
    [
        ({"cot": "+", "think": "+"}, {}, ()),
        ({"cot": "+", "think": "-"}, {}, ("disagree",)),
        ({"cot": "+", "think": "+"}, {"think": "-"}, ("fixed",)),
        ({"cot": "-", "think": "-"}, {"think": "+"}, ("broken",)),
        ({"cot": "0", "think": "~"}, {"think": "+"}, ("broken", "unfinished", "no-answer", "ran-away")),
        ({"cot": "!", "think": "+"}, {}, ("failed",)),
        ({"cot": " ", "think": "-"}, {}, ()),
    ],
)
def test_filters_find_what_they_name(
    tmp_path: Path, arms: dict[str, str], drafts: dict[str, str], passed: tuple[str, ...]
) -> None:
    run = run_of(tmp_path, arms, drafts)
    assert filters_of(list(run.results.values())) == passed
    read = check_page(page_of(run))
    assert next(found["data-is"] for _, found in read.tags if found.get("class") == "q") == " ".join(passed)
    buttons = [found["data-filter"] for tag, found in read.tags if tag == "button"]
    assert buttons == ["", *(name for name in FILTERS if name in passed)]


def test_of_too_many_questions_the_telling_ones_are_shown() -> None:
    passed = {"a": (), "b": ("weak",), "c": ("fixed",), "d": (), "e": ("broken", "weak")}
    assert chosen_questions(passed, 5) == ["a", "b", "c", "d", "e"]
    assert chosen_questions(passed, 3) == ["b", "c", "e"]
    assert chosen_questions(passed, 4) == ["a", "b", "c", "e"]


def test_the_middle_of_an_endless_text_is_left_out(tmp_path: Path) -> None:
    page = page_of(run_with(tmp_path, "x" * 100_000))
    assert "[… 70,000 characters left out …]" in page
    assert len(page) < 600_000


def test_charts_are_drawings_within_their_bounds(tmp_path: Path) -> None:
    names = ["cot", "think:high@" + "long-name" * 9, "a<b>&c"]
    run = run_of(
        tmp_path, dict(zip(names, ("+-+-~", "+++++", "-----"), strict=True)), dict.fromkeys(names[1:], "-+-+-")
    )
    summary = summarize(run)
    charts = (
        accuracy_chart(summary.arms),
        difference_chart(summary.differences),
        ledger_chart(summary.ledgers),
        cost_chart(summary.arms),
    )
    for chart in charts:
        read = HtmlReader(chart)
        assert (read.open, read.wrong) == ([], [])
        width, height = next(
            map(float, (found["viewbox"] or "").split()[2:]) for tag, found in read.tags if tag == "svg"
        )
        most = {"x": width, "x1": width, "x2": width, "cx": width, "y": height, "cy": height}
        for _, found in read.tags:
            assert [name for name in most if not -1 <= float(found.get(name) or 0) <= most[name]] == []


@pytest.mark.parametrize("signs", ["", "!!", "+", "-", "~"])
def test_a_page_of_little_is_whole(tmp_path: Path, signs: str) -> None:
    check_page(page_of(run_of(tmp_path, {"cot": signs, "think": signs}, planned=3)))
