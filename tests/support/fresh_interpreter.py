"""Runs a script in a fresh interpreter, and reads the modules that it loaded."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from support.command import PATIENCE

NEVER = {"textual", "pydantic", "ollama", "sqlite3"}
ASKED = """
import json, sys
from reflectty.main import main
from reflectty.system.terminal import system_terminal
code = main(sys.argv[1:], system_terminal())
json.dump([code, sorted(sys.modules)], sys.stderr)
"""


def fresh(script: str, *words: str, environment: dict[str, str]) -> tuple[str, Any]:
    """Run a script in a fresh interpreter; return its stdout, and the JSON that it writes on stderr."""
    done = subprocess.run(
        (sys.executable, "-c", script, *words),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=environment,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads(done.stderr)


def packages(modules: list[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}
