"""Measures `reflect eval run` beside `reflect batch` on the same prompts; no figure fails the run.

    python tests/benchmarks/evaluation.py [--questions N]

One arm of N questions (10,000 by default) against a server of its own process that answers at once, so that only our
own work is measured; and the memory for N questions against that for a hundredth of them.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from support.fake_replies import reply, show, tags  # noqa: E402 - the path has to be set first
from support.fake_server import FakeServer  # noqa: E402
from support.process_cost import Cost, once  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Sequence

REFLECT = (sys.executable, "-m", "reflectty")
MODEL = ("-m", "reflection", "--jobs", "4")
INSTRUCTION = "Think step by step before you answer.\nEnd with one line: Answer: <number>"
REPLY = [*(f"word{number} " for number in range(60)), "\nAnswer: ", "4", "2"]


def measure(command: Sequence[str], folder: Path, host: str) -> Cost:
    environment = os.environ | {"OLLAMA_HOST": host, "HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    nothing = folder / "nothing"
    nothing.touch()
    return once((*REFLECT, *command), nothing, environment)


def evaluate(folder: Path, count: int, host: str) -> Cost:
    name = folder / f"set-{count}.jsonl"
    items = ({"question": f"What is question {at}?", "answer": "42"} for at in range(count))
    name.write_text("".join(f"{json.dumps(item)}\n" for item in items))
    output = folder / f"run-{count}.jsonl"
    command = ("eval", "run", str(name), "-n", "full", "--arms", "cot", "--output", str(output), "-q", *MODEL)
    return measure(command, folder, host)


def batch(folder: Path, count: int, host: str) -> Cost:
    name = folder / f"lines-{count}.jsonl"
    prompts = ({"prompt": f"What is question {at}?\n\n{INSTRUCTION}"} for at in range(count))
    name.write_text("".join(f"{json.dumps(prompt)}\n" for prompt in prompts))
    output = folder / f"answers-{count}.jsonl"
    command = ("batch", str(name), "--output", str(output), "--mode", "direct", "--full", "-q", *MODEL)
    return measure(command, folder, host)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--questions", type=int, default=10_000)
    count = arguments.parse_args().questions
    routes = {"/api/chat": reply(REPLY), "/api/show": show(), "/api/version": show(), "/api/tags": tags("reflection")}
    with tempfile.TemporaryDirectory() as text, FakeServer(routes) as server:
        folder = Path(text)
        small = evaluate(folder, max(1, count // 100), server.host)
        ours, theirs = evaluate(folder, count, server.host), batch(folder, count, server.host)
    print("| what | figure |\n|---|---|")
    print(f"| wall time, against batch | {ours.wall / theirs.wall:.2f} x ({ours.wall:.1f} s, {theirs.wall:.1f} s) |")
    print(f"| CPU, against batch | {ours.cpu / theirs.cpu:.2f} x ({ours.cpu:.1f} s, {theirs.cpu:.1f} s) |")
    print(f"| memory, {count:,} questions against {count // 100:,} | {ours.memory:.0f} MB, {small.memory:.0f} MB |")


if __name__ == "__main__":
    main()
