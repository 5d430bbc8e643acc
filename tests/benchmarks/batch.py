"""Measures `reflect batch` beside `xargs -P` around the one-shot, as a table of ratios; no figure fails the run.

    python tests/benchmarks/batch.py [--real] [--memory]

Both answer the same lines, equally many at once. CPU is user and system time of all processes; every ratio is of two
figures of this run. With `--real`, a real Ollama with two parallel replies is measured as well; with `--memory`, the
memory for a hundred thousand lines is compared with that for a thousand.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from support.fake_replies import reply, show, tags  # noqa: E402 - the path has to be set first
from support.fake_server import FakeServer  # noqa: E402
from support.process_cost import Cost, once  # noqa: E402

LINES = 40
WORDS = ["<output>", *(f"word{number} " for number in range(98)), "</output>"]
REFLECT = (sys.executable, "-m", "reflectty")
QUESTIONS = ("Which is larger, 9.11 or 9.9?", "What is 17 + 25?", "What is the capital of France?")


def row(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


def beside(what: str, host: str, lines: Path, jobs: int, *words: str) -> None:
    """Print both, and the first as a share of the second."""
    environment = os.environ | {"OLLAMA_HOST": host, "REFLECTTY_STORE": "0"}
    number = str(jobs)
    one_shot = (*REFLECT, "--no-stdin", "--json", *words)
    batch = once((*REFLECT, "batch", "--jobs", number, *words, "-"), lines, environment)
    xargs = once(("xargs", "-d", "\n", "-n", "1", "-P", number, *one_shot), lines, environment)
    row(
        what,
        f"{batch.wall / xargs.wall:.2f} × ({batch.wall:.1f} s against {xargs.wall:.1f})",
        f"{batch.cpu / xargs.cpu:.2f} × ({batch.cpu:.1f} s against {xargs.cpu:.1f})",
    )


def fake(folder: Path) -> None:
    lines = folder / "lines.txt"
    lines.write_text("".join(f"question {number}\n" for number in range(LINES)))
    for name, pause in (("at once", 0.0), ("in half a second", 0.005)):
        routes = {"/api/chat": reply(WORDS, pause=pause), "/api/show": show(), "/api/tags": tags("reflection")}
        with FakeServer(routes) as server:
            for jobs in (1, 4):
                beside(
                    f"{LINES} lines, {jobs} at once, 100 tokens {name}", server.host, lines, jobs, "-m", "reflection"
                )


def real(folder: Path) -> None:
    from support import real_ollama

    lines = folder / "real.txt"
    lines.write_text("".join(f"{question}\n" for question in QUESTIONS * 4))
    with real_ollama.serve(OLLAMA_NUM_PARALLEL="2") as server:
        server.create_all()
        words = ("-m", "mini", "--mode", "native")
        warm = folder / "warm.txt"
        warm.write_text(f"{QUESTIONS[0]}\n")
        once((*REFLECT, "batch", *words, "-"), warm, os.environ | {"OLLAMA_HOST": server.host})
        for jobs in (1, 2):
            beside(f"real Ollama, 12 lines, {jobs} at once", server.host, lines, jobs, *words)


def memory(folder: Path) -> None:
    """Ask many lines with one-word answers; takes some minutes."""
    costs: list[Cost] = []
    for number in (1_000, 100_000):
        lines = folder / f"{number}.jsonl"
        lines.write_text("".join(f'{{"prompt": "question {at}"}}\n' for at in range(number)))
        with FakeServer(
            {"/api/chat": reply(["<output>yes</output>"]), "/api/show": show(), "/api/version": show()}
        ) as server:
            environment = os.environ | {"OLLAMA_HOST": server.host}
            words = ("-m", "reflection", "--jobs", "8", "--output", str(folder / f"{number}.out"))
            costs.append(once((*REFLECT, "batch", *words, "-"), lines, environment))
    row("memory, 100,000 lines against 1,000", f"{costs[1].memory:.0f} MB against {costs[0].memory:.0f}", "")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--real", action="store_true", help="measure against a real Ollama as well")
    arguments.add_argument("--memory", action="store_true", help="measure the memory of 100,000 lines as well")
    given = arguments.parse_args()
    print("| what | time, against `xargs -P` | CPU |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fake(folder)
        if given.memory:
            memory(folder)
        if given.real:
            real(folder)


if __name__ == "__main__":
    main()
