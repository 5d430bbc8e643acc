"""Measures the cost of the shells' completions beside `reflect --version`, as a table; no figure fails the run.

    python tests/benchmarks/completions.py

Each figure is the least wall time of several runs, interleaved with those of the others. The dead server accepts
connections and never answers.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from reflectty.store import open_store  # noqa: E402
from support.fake_replies import tags  # noqa: E402 - the path has to be set first
from support.fake_server import FakeServer  # noqa: E402

RUNS = 15
SESSIONS = 500
REFLECT = (sys.executable, "-m", "reflectty")
ASKED = ("sessions", "profiles", "templates", "hosts", "keys", "themes")


def waited(words: tuple[str, ...], environment: dict[str, str]) -> float:
    """The duration of one run in milliseconds."""
    start = time.perf_counter()
    subprocess.run((*REFLECT, *words), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=environment, check=True)
    return 1000 * (time.perf_counter() - start)


def fill(home: Path) -> None:
    """Write sessions, profiles and templates into a home."""
    store = open_store(home / ".local/share/reflectty/sessions.db", sys.exit)
    for number in range(SESSIONS):
        store.create_session(f"What is {number} + {number}?")
    store.close()
    settings = home / ".config/reflectty"
    (settings / "templates").mkdir(parents=True)
    for number in range(12):
        (settings / "templates" / f"t{number}.md").write_text("Review: {input}")
    (settings / "config.toml").write_text("".join(f"[profiles.p{number}]\nmodel = 'm'\n" for number in range(12)))


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        FakeServer({"/api/tags": tags(*(f"model{number}:8b" for number in range(50)))}) as server,
        socket.create_server(("127.0.0.1", 0), backlog=100) as silent,
    ):
        fill(Path(folder))
        plain = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ} | {"HOME": folder}
        dead = plain | {"OLLAMA_HOST": f"127.0.0.1:{silent.getsockname()[1]}"}
        rows: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {"--version": (("--version",), plain)}
        rows |= {kind: (("__complete", kind, ""), plain) for kind in ASKED}
        rows["models, server answers"] = (("__complete", "models", ""), plain | {"OLLAMA_HOST": server.host})
        rows["models, server is dead"] = (("__complete", "models", ""), dead)
        least = dict.fromkeys(rows, float("inf"))
        for _ in range(RUNS):
            for name, row in rows.items():
                least[name] = min(least[name], waited(*row))
    bare = least["--version"]
    print(f"{'what is completed':<26}{'ms':>8}{'more':>8}{'ratio':>8}")
    for name, figure in least.items():
        print(f"{name:<26}{figure:>8.0f}{figure - bare:>8.0f}{figure / bare:>8.2f}")


if __name__ == "__main__":
    main()
