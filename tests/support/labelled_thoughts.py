"""Thoughts whose second thoughts are labelled, and how well the recogniser finds them."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from reflectty.reasoning.second_thoughts import SecondThought, SecondThoughts
from reflectty.reasoning.sentences import SentenceScanner

KINDS = {".": "", "c": "correction", "k": "check", "a": "alternative"}
"""The letters of `second_thoughts.txt`."""


class LabelledThought(NamedTuple):
    family: str
    text: str
    labels: tuple[tuple[int, str], ...]
    """The offset of a sentence, and the kind of second thought it opens."""


class Scores(NamedTuple):
    precision: float
    recall: float

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0


def own_thoughts() -> list[LabelledThought]:
    """Thoughts written for these tests, in the styles of several families; one sentence a line, a letter before it."""
    path = Path(__file__).parents[1] / "cases" / "second_thoughts.txt"
    found: list[LabelledThought] = []
    for line in path.read_text("utf-8").splitlines():
        letter, _, sentence = line.partition(" ")
        if letter == "#":
            found.append(LabelledThought(sentence, "", ()))
            continue
        family, text, labels = found[-1]
        if not letter:
            found[-1] = LabelledThought(family, f"{text}\n\n", labels)
            continue
        space = "" if not text or text.endswith("\n") else "\n" if sentence.startswith("*   ") else " "
        label = ((len(text + space), KINDS[letter]),) if KINDS[letter] else ()
        found[-1] = LabelledThought(family, text + space + sentence, labels + label)
    return found


def thoughts_in(folder: Path) -> list[LabelledThought]:
    """The labelled thoughts of a folder's JSONL files."""
    # Only \n ends a line: JSON may hold other line breaks raw.
    lines = [line for path in sorted(folder.rglob("*.jsonl")) for line in path.read_text("utf-8").split("\n")]
    rows = [json.loads(line) for line in lines if line.strip()]
    return [
        LabelledThought(
            row.get("family", ""), row["text"], tuple((label["start"], label["kind"]) for label in row["labels"])
        )
        for row in rows
        if "labels" in row and "text" in row
    ]


def marks_of(text: str, size: int = 0) -> tuple[SecondThought, ...]:
    """The marks of a text that comes in pieces of `size` characters; at once if that is 0."""
    reader = SecondThoughts()
    found: tuple[SecondThought, ...] = ()
    for at in range(0, len(text), size or max(len(text), 1)):
        found += reader.feed(text[at : at + (size or len(text))])
    return found + reader.close()


def _sentence_starts(text: str) -> list[int]:
    scanner = SentenceScanner()
    return [sentence.start for sentence in (*scanner.feed(text), *scanner.close()) if sentence.is_whole]


def _hits(marks: list[tuple[int, str]], labels: list[tuple[int, str]]) -> tuple[int, int, int]:
    """Right marks, false marks and missed labels; a mark may be one sentence off, and a second one there is not false."""
    used_marks: set[int] = set()
    used_labels: set[int] = set()
    for distance in (0, 1):
        for m, (at, kind) in enumerate(marks):
            for n, (place, wanted) in enumerate(labels):
                is_free = m not in used_marks and n not in used_labels
                if is_free and kind == wanted and abs(at - place) == distance:
                    used_marks.add(m)
                    used_labels.add(n)
    found = [labels[n] for n in used_labels]
    false = [
        mark
        for m, mark in enumerate(marks)
        if m not in used_marks and not any(abs(mark[0] - at) <= 1 and mark[1] == kind for at, kind in found)
    ]
    return len(used_labels), len(false), len(labels) - len(used_labels)


def score(
    thoughts: list[LabelledThought], kind: str = "", *, with_kind: bool = False, only_sure: bool = False
) -> Scores:
    """The scores for one kind, for all three together, or for marks of any kind."""
    total: Counter[str] = Counter()
    for thought in thoughts:
        starts = _sentence_starts(thought.text)

        def place(at: int, starts: list[int] = starts) -> int:
            return bisect_right(starts, at) - 1

        marks = [(place(mark.at), str(mark.kind)) for mark in marks_of(thought.text) if mark.is_sure or not only_sure]
        labels = [(place(at), wanted) for at, wanted in thought.labels]
        for one in ("correction", "check", "alternative") if kind or with_kind else ("",):
            if not kind or one == kind:
                right, false, missed = _hits(
                    [(at, one) for at, found in marks if one in ("", found)],
                    [(at, one) for at, wanted in labels if one in ("", wanted)],
                )
                total.update(right=right, false=false, missed=missed)
    marked, labelled = total["right"] + total["false"], total["right"] + total["missed"]
    return Scores(total["right"] / marked if marked else 0, total["right"] / labelled if labelled else 0)
