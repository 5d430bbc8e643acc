"""Measures the budgets of the chat and prints them as a table of ratios; no figure fails the run.

    python tests/benchmarks/chat.py [--quick]

Every app runs in a terminal of its own, 120 columns wide, and reads a stream from a server on this machine; Textual's
own MarkdownStream gets the same tokens in the same run. With `--quick` the streams are a quarter as long.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from reflectty.core.segments import Kind  # noqa: E402
from reflectty.core.session import ReplyStatus, StoredReply  # noqa: E402
from reflectty.store import open_store  # noqa: E402
from support.fake_replies import Answer, line, show  # noqa: E402 - the path has to be set first
from support.fake_server import FakeServer  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

STEP = "{0}. digit {0} of both numbers is compared, and the larger one is kept for the next\n"
PEER = "import textual.app\nfrom textual.widgets import Markdown, TextArea\n"
EARLIER = "The first digits are the same.\nSo I compare the next ones, one after the other.\n" * 4
ANSWER = "**9.9** is larger.\n\n- 9.90 has 90 hundredths\n- 9.11 has 11\n\n```python\nprint(9.9 > 9.11)\n```\n"
RUNS = 5
COLUMNS, ROWS = 120, 45


def row(what: str, budget: str, measured: str) -> None:
    print(f"| {what} | {budget} | {measured} |", flush=True)


def tokens(count: int) -> list[str]:
    """The tokens of a numbered list, one for each word."""
    words = [f"{word} " if not word.endswith("\n") else word for at in range(count) for word in _words(at)]
    return words[:count]


def _words(at: int) -> list[str]:
    first, *others = STEP.format(at + 1).split(" ")
    return [first, *others]


def server(count: int, per_second: float, *, tagged: bool = True) -> FakeServer:
    """A server that thinks a list aloud; without tags, since Textual's Markdown shows nothing after one."""

    def paced() -> Iterator[bytes]:
        start = time.monotonic()
        if tagged:
            yield line("<thinking>\n")
        for at, token in enumerate(tokens(count)):
            time.sleep(max(0.0, start + at / per_second - time.monotonic()))
            yield line(token)
        if tagged:
            yield line("\n</thinking>\n<output>\nDone.\n</output>")
        yield line(done=True)

    return FakeServer({"/api/chat": Answer(paced), "/api/show": show(), "/api/ps": Answer(lambda: [b'{"models":[]}'])})


def in_terminal(command: list[str], **variables: str) -> tuple[subprocess.Popen[bytes], int]:
    """Start a command in a terminal of its own, whose output is read and dropped."""
    leader, follower = os.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    environment = os.environ | {"TERM": "xterm-256color", "COLORTERM": "truecolor", **variables}
    process = subprocess.Popen(
        command, stdin=follower, stdout=follower, stderr=follower, env=environment, start_new_session=True
    )
    os.close(follower)
    return process, leader


def drained(leader: int) -> threading.Thread:
    def drain() -> None:
        with contextlib.suppress(OSError):
            while os.read(leader, 1 << 16):
                pass

    thread = threading.Thread(target=drain, daemon=True)
    thread.start()
    return thread


def streamed(app: str, count: int, per_second: float, earlier: int = 0) -> dict[str, Any]:
    with server(count, per_second, tagged=app == "ours") as host, tempfile.TemporaryDirectory() as folder:
        out, store = Path(folder) / "out.json", Path(folder) / "sessions.db"
        if earlier:
            tell(store, earlier)
        words = (str(out), app, host.host, str(count), str(store) if app == "ours" else "")
        process, leader = in_terminal([sys.executable, str(HERE / "streamed.py"), *words], HOME=folder)
        reader = drained(leader)
        process.wait()
        reader.join(5)
        os.close(leader)
        found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
        return found


def tell(path: Path, turns: int) -> None:
    """Store a session with a number of questions and answers."""
    store = open_store(path, print)
    session = store.create_session("earlier")
    leaf: int | None = None
    segments = ((Kind.THINKING, EARLIER), (Kind.REFLECTION, "9.9 is 9.90."), (Kind.ANSWER, ANSWER))
    said = StoredReply(
        "m", mode="native", family="reflection", segments=segments, answer=ANSWER, ended=ReplyStatus.COMPLETE
    )
    for number in range(turns):
        question = store.add_question(session.id, leaf, f"Question {number}?")
        leaf = store.add_reply(session.id, question.id, said).id
        store.finish(leaf, said)
    store.close()


def cpu_of(process: subprocess.Popen[bytes]) -> float:
    """The CPU seconds of a process that has ended or is about to."""
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    return usage.ru_utime + usage.ru_stime


def start_of_chat() -> float:
    """The CPU seconds from the start of the command to a composer that shows typed text, and to its end."""
    with tempfile.TemporaryDirectory() as folder, server(1, 1) as host:
        command = [sys.executable, "-m", "reflectty"]
        process, leader = in_terminal(command, HOME=folder, OLLAMA_HOST=host.host, REFLECTTY_MODEL="m")
        seen = b""
        while b"Ask, or" not in seen:
            seen += os.read(leader, 1 << 16)
        os.write(leader, b"q")
        seen = b""
        while b"q" not in seen:
            seen += os.read(leader, 1 << 16)
        spent = sum(float(part) for part in _times(process.pid)) / os.sysconf("SC_CLK_TCK")
        process.kill()
        process.wait()
        os.close(leader)
        return spent


def _times(pid: int) -> list[str]:
    """The user and system time of a process, in clock ticks."""
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    return stat.rpartition(")")[2].split()[11:13]


def start_of_peer() -> float:
    process = subprocess.Popen([sys.executable, "-c", PEER])
    return cpu_of(process)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="streams a quarter as long")
    count = 500 if parser.parse_args().quick else 2_000
    print("| what | budget | measured |\n|---|---|---|")
    ours, peer = (min(run() for _ in range(RUNS)) for run in (start_of_chat, start_of_peer))
    row("start to a composer that takes keys, CPU", "≤ 1.10 × the imports", f"{ours / peer:.2f} × ({ours:.2f} s)")
    listed = streamed("ours", count, 40)
    row("a token in a list, 40 tok/s", "≤ 10 % of a core", f"{listed['share']:.0%}, {listed['token_ms']:.1f} ms")
    row("its stalls, p95", "≤ 20 ms", f"{listed['stall_p95_ms']:.0f} ms, at most {listed['stall_max_ms']:.0f} ms")
    row("its last quarter against the first", "≤ 1.2 ×", f"{listed['growth']:.2f} ×")
    markdown = streamed("markdown", count // 4, 40)
    row(
        f"MarkdownStream, the first {count // 4} tokens",
        "",
        f"{markdown['share']:.0%} of a core, {markdown['token_ms']:.0f} ms, stalls p95 {markdown['stall_p95_ms']:.0f} ms",
    )
    fast = streamed("ours", count * 2, 400)
    row("400 tok/s", "≤ 35 % of a core", f"{fast['share']:.0%}, stalls p95 {fast['stall_p95_ms']:.0f} ms")
    empty, some, many = (streamed("ours", count // 4, 40, earlier=turns) for turns in (0, 300, 1_000))
    row("1,000 earlier turns, opening", "≤ 1.3 × an empty chat", f"{many['opened_ms'] / empty['opened_ms']:.2f} ×")
    row("1,000 earlier turns, a token", "≤ 1.2 ×", f"{many['token_ms'] / empty['token_ms']:.2f} ×")
    row("300 earlier turns, memory", "≤ 50 MB", f"{some['memory_mb']:.0f} MB")


if __name__ == "__main__":
    main()
