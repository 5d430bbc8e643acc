"""Measures the budgets and prints them as a table of ratios; no figure fails the run.

    python tests/benchmarks/run.py [--real]

The command is installed from the checkout into a virtual environment of its own, as a user would have it. CPU is
user and system time of the whole process, the least of several runs; every ratio is of two figures of this run.
With `--real`, `ollama run` and the command ask a real server the same question beside the script.
"""

from __future__ import annotations

import argparse
import itertools
import math
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from support.fake_replies import Answer, line, show, tags, whole  # noqa: E402 - the path has to be set first
from support.fake_server import BENCHMARK, LOADED, FakeServer, ReceivedRequest, Route  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

RUNS = 15
OLLAMA: dict[str, Route] = {
    "/api/chat": BENCHMARK,
    "/api/show": show(capabilities=["completion", "thinking"]),
    "/api/generate": LOADED,
    "/api/ps": whole({"models": [{"name": "m:latest", "context_length": 131_072}]}),
    "/api/tags": tags("m:latest"),
    "/api/version": whole({"version": "0.34.2"}),
}
"""What an Ollama server answers with the model `m` loaded."""
EMPTY_APP = (
    "import typer\n"
    "app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)\n"
    "@app.command()\n"
    "def main(a: str = '') -> None: pass\n"
    "app()\n"
)
PARSER = """
import time
from reflectty.reasoning.families import FAMILIES
from reflectty.reasoning.parser import StreamParser
tokens = [" " + word for word in "The quick brown fox considers, carefully, what to do next.\\n".split(" ")] * 40_000
text = "".join(tokens)
def spent(pieces):
    parser = StreamParser(FAMILIES["reflection"])
    parser.feed("<thinking>")
    start = time.process_time()
    for piece in pieces: parser.feed(piece)
    parser.close()
    return time.process_time() - start
size = 200 * len(text) // len(tokens)
print(len(tokens) / spent(tokens))
print(len(tokens) / spent([text[at : at + size] for at in range(0, len(text), size)]))
print(spent(["<"] * 1_000_000) / spent(["<"] * 250_000))
from reflectty.core.messages import Chunk
from reflectty.output.plain import FinalGate
from reflectty.reasoning.reply import Reply
def folded(count):
    reply, start = Reply("m", FAMILIES["reflection"]), time.process_time()
    answer = FinalGate(reply.family, final=True)
    for chunk in [Chunk(content=" word"), Chunk(content="\\n")] * (count // 2):
        for event in reply.feed(chunk): answer.feed(event)
    answer.close(reply)
    return time.process_time() - start
print(folded(200_000) / folded(50_000))
"""
WEIGHT = """
import re
from importlib.metadata import distribution
seen, todo = {}, ["reflectty"]
while todo:
    found = distribution(todo.pop())
    if found.name in seen: continue
    files = [file for file in found.files or () if file.locate().exists()]
    sizes = [(file.suffix == ".pyc", file.locate().stat().st_size) for file in files]
    seen[found.name] = (sum(size for compiled, size in sizes if not compiled), sum(size for _, size in sizes))
    for line in found.requires or ():
        name, _, marker = line.partition(";")
        if "extra ==" in marker: continue
        try: distribution(re.match(r"[\\w.-]+", name)[0])
        except Exception: continue
        todo.append(re.match(r"[\\w.-]+", name)[0])
print(len(seen), *(sum(sizes) / 1e6 for sizes in zip(*seen.values())))
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of one process: CPU and wall time in milliseconds, memory in megabytes."""

    cpu: float
    wall: float
    memory: float


def once(command: list[str], **environment: str) -> Cost:
    start = time.monotonic()
    with Path(os.devnull).open("r+b") as null:
        process = subprocess.Popen(
            command, stdin=null, stdout=null, stderr=null, env=os.environ | environment, start_new_session=True
        )
        _, _, used = os.wait4(process.pid, 0)
        process.returncode = 0
    return Cost((used.ru_utime + used.ru_stime) * 1000, (time.monotonic() - start) * 1000, used.ru_maxrss / 1000)


def least(command: list[str], runs: int = RUNS, **environment: str) -> Cost:
    return least_of([once(command, **environment) for _ in range(runs)])


def least_of(costs: Iterable[Cost]) -> Cost:
    return Cost(*map(min, zip(*map(astuple, costs), strict=True)))


def in_turns(*commands: list[str]) -> tuple[Cost, ...]:
    """The least costs of several commands, run in turns, so that a busy machine slows all of them."""
    return tuple(map(least_of, zip(*([once(command) for command in commands] for _ in range(RUNS)), strict=True)))


def row(what: str, budget: str, figure: str) -> None:
    print(f"| {what} | {budget} | {figure} |", flush=True)


def one_shot(python: str, reflect: str) -> None:
    """The same call by the script and by the command: CPU, time to the request, memory; and the memory of `doctor`."""
    arrivals: list[float] = []

    def chat(_: ReceivedRequest) -> Answer:
        arrivals.append(time.monotonic())
        return BENCHMARK

    with FakeServer({**OLLAMA, "/api/chat": chat}) as server:
        script = [python, str(HERE / "peer.py"), "--host", server.host, "--model", "m", "hi"]
        command = [reflect, "--host", server.host, "--model", "m", "hi"]
        peer, ours, final = in_turns(script, command, [*command, "--final"])
        row("one-shot, CPU", "≤ 2.2 ×", f"{ours.cpu / peer.cpu:.2f} × ({ours.cpu:.0f} ms against {peer.cpu:.0f})")
        row("one-shot --final, CPU", "≤ 2.2 ×", f"{final.cpu / peer.cpu:.2f} × ({final.cpu:.0f} ms)")
        peer_wire, our_wire = to_wire([script, command], arrivals)
        row(
            "start to the request, wall",
            "≤ 2.2 ×",
            f"{our_wire / peer_wire:.2f} × ({our_wire:.0f} ms against {peer_wire:.0f})",
        )
        row("one-shot, memory", "≤ 28 MB", f"{ours.memory:.0f} MB")
        doctor = least([reflect, "doctor", "--host", server.host], 5)
        row("doctor, memory", "≤ 45 MB", f"{doctor.memory:.0f} MB")


def to_wire(commands: list[list[str]], arrivals: list[float]) -> list[float]:
    """Milliseconds from the start of each process to its chat request: the least of several runs, in turns."""
    least_times = [math.inf] * len(commands)
    for _ in range(RUNS):
        for at, command in enumerate(commands):
            arrivals.clear()
            start = time.monotonic()
            once(command)
            least_times[at] = min(least_times[at], (arrivals[0] - start) * 1000)
    return least_times


def long_lines(reflect: str) -> None:
    endless = Answer(lambda: itertools.chain([line("one ")], itertools.repeat(b"x" * 65536)))
    with FakeServer({"/api/chat": endless, "/api/show": show()}) as server:
        cost = once([reflect, "--host", server.host, "--model", "m", "hi"])
    row("a line without end, memory", "≤ 100 MB", f"{cost.memory:.0f} MB")


def starts(python: str, reflect: str) -> None:
    empty = least([python, "-c", EMPTY_APP])
    for flag in ("--version", "--help"):
        cost = least([reflect, flag])
        row(
            flag,
            "≤ 2 × an empty Typer app",
            f"{cost.cpu / empty.cpu:.2f} × ({cost.cpu:.0f} ms against {empty.cpu:.0f})",
        )


def parser(python: str) -> None:
    out = subprocess.run([python, "-c", PARSER], capture_output=True, text=True, check=True).stdout.split()
    single, burst, growth, folding = map(float, out)
    row("parser, token by token", "≥ 3 M tokens/s", f"{single / 1e6:.2f} M tokens/s")
    row("parser, 200 tokens at a time", "≥ 2 M tokens/s", f"{burst / 1e6:.1f} M tokens/s")
    row("parser, `<` × 1,000,000 against 250,000", "linear: 4 ×", f"{growth:.1f} ×")
    row("a reply of 200,000 tokens against 50,000", "linear: 4 ×", f"{folding:.1f} ×")


def weight(python: str) -> None:
    out = subprocess.run([python, "-c", WEIGHT], capture_output=True, text=True, check=True).stdout.split()
    plain, compiled = map(float, out[1:])
    measured = f"{out[0]}, {plain:.0f} MB ({compiled:.0f} MB with what pip compiles)"
    row("distributions, without extras", "≤ 26, ≤ 45 MB", measured)


def real(python: str, reflect: str) -> None:
    """The same short question to a real server, by three clients."""
    from support import real_ollama

    question = "What is 17 + 25?"
    with real_ollama.serve() as server:
        server.create_all()
        ours = [reflect, "--host", server.host, "-m", "mini", "--mode", "direct", "--family", "reflection", question]
        clients = {
            "script": [python, str(HERE / "peer.py"), "--host", server.host, "--model", "mini", question],
            "`ollama run`": [str(server.ollama), "run", "mini", question],
            "`reflect`": ours,
        }
        once(clients["script"])
        costs = {name: least(command, 7, **server.environment) for name, command in clients.items()}
        base = costs["script"].cpu
        for name, cost in costs.items():
            row(f"real server, {name}, CPU", "", f"{cost.cpu / base:.2f} × ({cost.cpu:.0f} ms)")


def installed(folder: str, steps: list[Callable[[str, str], None]]) -> None:
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python, reflect = f"{folder}/bin/python", f"{folder}/bin/reflect"
    subprocess.run([python, "-m", "pip", "install", "--quiet", str(HERE.parent.parent)], check=True)
    for step in steps:
        step(python, reflect)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--real", action="store_true", help="measure against a real Ollama as well")
    wants_real = arguments.parse_args().real
    print("| what | budget | measured |\n|---|---|---|")
    steps: list[Callable[[str, str], None]] = [
        one_shot,
        starts,
        lambda _, reflect: long_lines(reflect),
        lambda python, _: parser(python),
        lambda python, _: weight(python),
    ]
    with tempfile.TemporaryDirectory() as folder:
        # Keep the sessions of these questions out of the user's store.
        os.environ["XDG_DATA_HOME"] = folder
        installed(folder, [*steps, real] if wants_real else steps)


if __name__ == "__main__":
    main()
