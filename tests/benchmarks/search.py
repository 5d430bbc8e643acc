"""Measures the store and the commands on 100,000 turns, and prints a table; no figure fails the run.

    python tests/benchmarks/search.py [--turns N] [--folder FOLDER]

The turns are written by the store itself: words by Zipf's law, so that the commonest is in almost every passage and
most are rare. With `--folder` the sessions are kept there, and read from there the next time. What the store does is
measured as CPU time, which is what a user waits for once the file is in the memory of the machine; the command as the
wall time of its process. Each is the least of a few runs.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from reflectty.core.segments import Kind
from reflectty.core.session import ReplyStatus, Session, StoredReply, Turn
from reflectty.store import open_store

if TYPE_CHECKING:
    from collections.abc import Callable

    from reflectty.store import Store

TURNS = 100_000
PER_SESSION = 50
LONG_SESSION = 1_000
VOCABULARY = 50_000
RUNS = 7
SYLLABLES = [
    first + last for first in "bcdfghjklmnprstvw" for last in ("a", "e", "i", "o", "u", "an", "er", "is", "on")
]


def row(what: str, budget: str, measured: str) -> None:
    print(f"| {what} | {budget} | {measured} |", flush=True)


class Language:
    """Words by Zipf's law: the one of rank r occurs 1 / r as often as the first. The same for every run."""

    def __init__(self) -> None:
        self._random = random.Random(1)  # noqa: S311 - no secret
        made = ("".join(self._random.choices(SYLLABLES, k=1 + at % 4)) for at in itertools.count(1))
        self.words = list(itertools.islice(dict.fromkeys(itertools.islice(made, VOCABULARY * 4)), VOCABULARY))
        self._weights = list(itertools.accumulate(1 / rank for rank in range(1, VOCABULARY + 1)))

    def text(self, mean: int) -> str:
        """A text of about `mean` words, in sentences and lines."""
        count = max(3, round(self._random.expovariate(1 / mean)))
        words = self._random.choices(self.words, cum_weights=self._weights, k=count)
        words[11::12] = [f"{word}.\n" for word in words[11::12]]
        return " ".join(words).capitalize() + "."

    def turn(self, number: int) -> Turn:
        """A question if the number is odd, else the reply to the one before."""
        if number % 2:
            return Turn(number, number - 1 or None, float(number), self.text(15))
        segments = [(Kind.THINKING, self.text(120)), (Kind.ANSWER, self.text(80))]
        if number % 4:
            segments[1:1] = [(Kind.REFLECTION, self.text(15)), (Kind.THINKING, self.text(40))]
        answer = segments[-1][1]
        raw = f"<thinking>{segments[0][1]}</thinking>\n{answer}"
        said = StoredReply(
            "m", mode="native", family="reflection", segments=tuple(segments), answer=answer, raw=raw,
            ended=ReplyStatus.COMPLETE,
        )  # fmt: skip
        return Turn(number, number - 1, float(number), said=said)


def fill(path: Path, turns: int) -> None:
    """Store sessions with so many turns, and one long session among them."""
    store, language = open_store(path, print), Language()
    sizes = [LONG_SESSION, *[PER_SESSION] * ((turns - LONG_SESSION) // PER_SESSION)]
    for at, size in enumerate(sizes):
        written = map(language.turn, range(1, size + 1))
        store.add_session(Session("", language.text(5), at, at, "m", size), written)
    store.close()


def queries(words: list[str]) -> dict[str, list[str]]:
    """Queries of each kind; `words` are in the order of their frequency."""
    sample = random.Random(2)  # noqa: S311 - no secret
    rare, usual = words[5_000:20_000], words[100:1_000]
    pick = sample.choice
    return {
        "a rare word": sample.sample(rare, 20),
        "a usual word": sample.sample(usual, 20),
        "a very frequent word": words[:20],
        "a frequent word that is complete": [f'"{word}"' for word in words[:20]],
        "two usual words": [f"{pick(usual)} {pick(usual)}" for _ in range(20)],
        "two very frequent words": [f"{one} {other}" for one, other in itertools.pairwise(words[:21])],
        "a frequent and a rare word": [f"{pick(words[:20])} {pick(rare)}" for _ in range(20)],
        "a phrase of frequent words": [f'"{pick(words[:30])} {pick(words[:30])}"' for _ in range(20)],
        "three frequent words": [" ".join(sample.sample(words[:60], 3)) for _ in range(20)],
        "no such word": [f"qx{word}" for word in sample.sample(rare, 20)],
        "no such word, with an accent": [f"qü{word}" for word in sample.sample(rare, 5)],
        "a symbol that is nowhere": ["->", "%%"],
        "as one types": [word[:end] for word in sample.sample(usual + rare, 10) for end in range(1, len(word) + 1)],
        "as one types a second word": [
            f"{pick(usual)} {word[:end]}" for word in sample.sample(usual + rare, 8) for end in range(1, len(word) + 1)
        ],
    }  # fmt: skip


def milliseconds(work: Callable[[], object], clock: Callable[[], float] = time.thread_time) -> float:
    start = clock()
    work()
    return (clock() - start) * 1000


def percentile(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


def searches(store: Store, words: list[str]) -> None:
    """Each query a few times, the least of which counts: p95 and worst of each kind, and of all."""
    everything: list[float] = []
    for kind, texts in queries(words).items():
        times = [min(milliseconds(functools.partial(store.search, text)) for _ in range(3)) for text in texts]
        hits = sum(len(store.search(text)) for text in texts) / len(texts)
        worst = texts[times.index(max(times))]
        everything += times
        row(
            f"search, {kind}",
            "",
            f"p95 {percentile(times, 0.95):.1f} ms, at most {max(times):.1f} ms ({worst!r}), {hits:.0f} hits",
        )
    row("search, all of these", "p95 ≤ 50 ms", f"p95 {percentile(everything, 0.95):.1f} ms")


def reading(store: Store) -> None:
    """What the chat reads at its start and for its panel, and a long session against a short one."""
    row("the list of 50 sessions", "", f"{least(store.sessions):.1f} ms")
    row("the 200 questions of the history", "", f"{least(store.questions):.1f} ms")
    row("a name that is a part of a title", "", f"{least(lambda: store.find(store.sessions()[7].title[3:])):.1f} ms")
    sessions = store.sessions(TURNS)
    long, short = max(sessions, key=lambda each: each.questions), sessions[0]
    for name, session in (("long", long), ("usual", short)):
        count = len(store.turns(session.id))
        took = least(functools.partial(store.turns, session.id))
        row(f"the {count} turns of a {name} session", "", f"{took:.1f} ms, {took / count * 1000:.0f} µs a turn")


def least(work: Callable[[], object], clock: Callable[[], float] = time.thread_time) -> float:
    return min(milliseconds(work, clock) for _ in range(RUNS))


def commands(path: Path, words: list[str]) -> None:
    """The whole process of the command, against one that does nothing."""

    def run(*arguments: str) -> float:
        command = [sys.executable, "-m", "reflectty", *arguments]
        environment = os.environ | {"XDG_DATA_HOME": str(path.parent.parent)}
        return least(lambda: subprocess.run(command, env=environment, check=False, capture_output=True), time.monotonic)

    empty = run("--version")
    row("`reflect --version`", "", f"{empty:.0f} ms")
    texts = {"rare": words[9_000], "usual": words[300], "very frequent": words[0], "no such": "qxqxqx"}
    for kind, text in texts.items():
        row(f"`sessions search`, a {kind} word", "", f"{run('sessions', 'search', text) - empty:.0f} ms more")
    row("`sessions list`", "", f"{run('sessions', 'list') - empty:.0f} ms more")


def measure(path: Path, turns: int) -> None:
    if not path.exists():
        took = milliseconds(lambda: fill(path, turns), time.monotonic)
        row(f"writing {turns:,} turns", "", f"{took / 1000:.0f} s, {path.stat().st_size / 1e6:.0f} MB")
    words = Language().words
    row("opening the store", "", f"{least(lambda: open_store(path, print).close()):.1f} ms")
    store = open_store(path, print)
    searches(store, words)
    reading(store)
    store.close()
    commands(path, words)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--turns", type=int, default=TURNS, help="how many turns are stored")
    arguments.add_argument("--folder", type=Path, help="keep the sessions in this folder")
    given = arguments.parse_args()
    print("| what | budget | measured |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as temporary:
        measure((given.folder or Path(temporary)).absolute() / "reflectty" / "sessions.db", given.turns)


if __name__ == "__main__":
    main()
