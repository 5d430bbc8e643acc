from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reflectty.evaluation.grader import Verdict
from reflectty.evaluation.report.words import conclusion_of
from reflectty.evaluation.run_file import read_run
from reflectty.evaluation.summary import Conclusion, summarize
from support.evaluation_runs import manifest_of, run_of

if TYPE_CHECKING:
    from pathlib import Path

    from reflectty.evaluation.summary import RunSummary


def summary_of(folder: Path, *arms: tuple[str, str], **others: Any) -> RunSummary:
    return summarize(run_of(folder, dict(arms), **others))


def test_an_arm_counts_every_outcome(tmp_path: Path) -> None:
    arm = summary_of(tmp_path, ("cot", "++-0~!"), weak={"cot": "w-w"}).arms[0]
    assert [arm.verdicts[one] for one in Verdict] == [2, 1, 1, 1, 1]
    assert (arm.accuracy.part, arm.accuracy.whole) == (2, 5)
    assert (arm.finished_accuracy.part, arm.finished_accuracy.whole) == (2, 4)
    assert (arm.weak.part, arm.weak.whole) == (2, 3)
    assert (arm.runaways, arm.thinking_tokens, arm.answer_tokens, arm.seconds) == (1, 0, 20, 1)


def test_an_arm_that_failed_throughout_has_no_accuracy(tmp_path: Path) -> None:
    arm = summary_of(tmp_path, ("cot", "!!")).arms[0]
    assert (arm.accuracy.whole, arm.accuracy.share, arm.tokens, arm.seconds) == (0, 0, 0, 0)


def test_pairs_are_the_questions_that_both_answered(tmp_path: Path) -> None:
    found = summary_of(tmp_path, ("cot", "++--! +"), ("reflect", "+-+0++!")).differences[0]
    assert (found.pairs, found.asked, found.only_baseline, found.only_arm) == (4, 6, 1, 1)


@pytest.mark.parametrize(
    ("base", "other", "conclusion"),
    [
        ("-" * 20, "+" * 20, Conclusion.GAIN),
        ("+" * 20, "~" * 20, Conclusion.LOSS),
        ("+-" * 10, "-+" * 10, Conclusion.UNSEEN),
        ("+" * 20, "+" * 20, Conclusion.UNSEEN),
        ("-" * 20, "+" * 19, Conclusion.INTERIM),
        ("-" * 20, "+" * 19 + "!", Conclusion.GAIN),
        ("", "", Conclusion.INTERIM),
    ],
)
def test_a_conclusion_needs_all_planned_questions(
    tmp_path: Path, base: str, other: str, conclusion: Conclusion
) -> None:
    found = summary_of(tmp_path, ("cot", base), ("reflect", other), planned=20).differences[0]
    assert found.conclusion is conclusion


def test_several_arms_are_held_to_one_level_together(tmp_path: Path) -> None:
    # Six of six: p is 0.016 alone, and 0.047 among three, where one with five of five (0.031) gets twice its p.
    arms = (("cot", "-" * 6), ("reflect", "+" * 6), ("think", "+" * 5 + "-"), ("revise", "-" * 6))
    found = summary_of(tmp_path, *arms).differences
    assert [round(one.p, 4) for one in found] == [0.0156, 0.0312, 1.0]
    assert [round(one.adjusted_p, 4) for one in found] == [0.0469, 0.0625, 1.0]
    assert [one.conclusion for one in found] == [Conclusion.GAIN, Conclusion.UNSEEN, Conclusion.UNSEEN]


def test_a_difference_has_the_interval_of_bonett_and_price(tmp_path: Path) -> None:
    base = "+" * 60 + "-" * 40
    other = "+" * 50 + "-" * 10 + "+" * 20 + "-" * 20
    found = summary_of(tmp_path, ("cot", base), ("reflect", other)).differences[0]
    assert (found.only_baseline, found.only_arm) == (10, 20)
    assert found.difference == pytest.approx(0.1)
    # Of (b + 1, c + 1, n + 2) = (11, 21, 102).
    assert [found.low, found.high] == pytest.approx([-0.0089, 0.2050], abs=2e-4)


@pytest.mark.parametrize(
    ("base", "other", "said"),
    [
        ("-" * 20, "+" * 20, r"reflect: gain against cot \(\+100\.0 points, 95 %: .* only: ask more"),
        ("+" * 60, "-" * 60, r"reflect: loss against cot \(−100\.0 points, 95 %: [^)]*\)$"),
        (
            "+-" * 50,
            "-+" * 50,
            r"reflect: no difference seen against cot \(could be as large as \+\d+\.\d / −\d+\.\d points\); 100 questions show only gains of about \d+ points or more$",
        ),
        ("+-+-+", "-+-+-", r"; 5 questions hardly show any gain$"),
        ("+++", "+++ ", r"reflect: interim, 3 of 20 questions asked; so far 0\.0 points"),
    ],
)
def test_conclusions_are_sentences(tmp_path: Path, base: str, other: str, said: str) -> None:
    import re

    planned = 20 if len(base) == 3 else len(base)
    found = summary_of(tmp_path, ("cot", base), ("reflect", other), planned=planned).differences[0]
    assert re.search(said, conclusion_of(found))
    assert "equal" not in conclusion_of(found)


def test_groups_have_the_accuracy_of_each_arm(tmp_path: Path) -> None:
    groups = summary_of(tmp_path, ("cot", "++-!" * 3), ("think", "+-- " * 3), groups="abba" * 3).groups
    assert [(one.name, one.items) for one in groups] == [("a", 6), ("b", 6)]
    rates = [[(rate.part, rate.whole) for rate in one.accuracies] for one in groups]
    assert rates == [[(3, 3), (3, 3)], [(3, 6), (0, 6)]]


@pytest.mark.parametrize("groups", ["", "a" * 9, "aaaabbbbb"])
def test_one_group_and_tiny_ones_are_none(tmp_path: Path, groups: str) -> None:
    assert summary_of(tmp_path, ("cot", "+-+" * 3), groups=groups).groups == ()


def test_arms_that_reflect_or_have_drafts_have_a_ledger(tmp_path: Path) -> None:
    arms = (("cot", "+-"), ("direct", "+-"), ("reflect", "++"), ("think:low@m:1b", "+-"), ("vote-3", "++"))
    found = summary_of(tmp_path, *arms, drafts={"direct": ".-"})
    assert [one.arm for one in found.ledgers] == ["direct", "reflect", "think:low@m:1b"]


@pytest.mark.parametrize(
    ("arms", "others", "said"),
    [
        ((("cot", "+" * 20), ("think", "~" + "+" * 19)), {}, "think: 5 % of the answers are unfinished"),
        ((("cot", "+!"), ("think", "++")), {}, "cot: 1 question failed and left out"),
        ((("cot", "++"), ("think", "+ ")), {}, "interim: 1 of 2 questions asked in every arm"),
        (
            (("cot", "+" * 9), ("think", "+" * 9)),
            {"weak": {"think": "w" * 6}},
            "suspect: think has 6 weakly read answers, cot 0",
        ),
    ],
)
def test_a_summary_warns(
    tmp_path: Path, arms: tuple[tuple[str, str], ...], others: dict[str, object], said: str
) -> None:
    found = summary_of(tmp_path, *arms, **others).warnings
    assert len(found) == 1
    assert said in found[0]


def test_a_sound_run_has_no_warnings(tmp_path: Path) -> None:
    arms = (("cot", "+" * 30), ("think", "-~" + "+" * 28))
    assert summary_of(tmp_path, *arms, weak={"cot": "w", "think": " ww"}).warnings == ()


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("digest", "sha256:other", "qwen3:1.7b changed between the arms"),
        ("options", (("num_ctx", 4096),), "the arms have different contexts"),
    ],
)
def test_arms_that_differ_in_more_than_their_way_are_warned_of(
    tmp_path: Path, field: str, value: object, said: str
) -> None:
    first, second = (one._replace(digest="sha256:one") for one in manifest_of(("cot", "think"), 1).arms)
    changed = second._replace(**{field: value})  # type: ignore[arg-type]
    found = summary_of(tmp_path, ("cot", "+"), ("think", "+"), setups=(first, changed)).warnings
    assert len(found) == 1
    assert said in found[0]


def test_subjects_of_mmlu_widen_an_interval_where_they_differ(tmp_path: Path) -> None:
    groups = "".join(letter * 5 for letter in "abcdefghijkl")
    alike = "+++++-----" * 6
    mixed = "+-" * 30
    names = (("cot", alike), ("think", mixed))
    assert summary_of(tmp_path, *names, groups=groups).arms[0].clustered is None
    found = summary_of(tmp_path, *names, groups=groups, set_name="mmlu-redux")
    (low, high), (other_low, other_high) = (one.clustered or (0, 0) for one in found.arms)
    # Six of twelve subjects are right throughout: an error of 0.5 / sqrt(11).
    assert [low, high] == pytest.approx([0.5 - 1.96 * 0.5 / 11**0.5, 0.5 + 1.96 * 0.5 / 11**0.5])
    assert high - low > other_high - other_low
    assert found.differences[0].clustered is not None


def test_settled_is_the_mean_of_the_replies_that_tell(tmp_path: Path) -> None:
    run = run_of(tmp_path, {"cot": "+", "think": "+-+~!"}, {"think": "+++++"})
    one, two, three = b'"settled": 0.25', b'"settled": 0.75', b'"settled": null'
    lines = run.path.read_bytes().split(three)
    run.path.write_bytes(lines[0] + three + lines[1] + one + lines[2] + two + three.join(lines[3:]))
    found = summarize(read_run(run.path)).arms
    assert [(arm.settled, arm.settled_known) for arm in found] == [(None, 0), (0.5, 2)]
