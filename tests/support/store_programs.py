"""Starts the programs of `store_writers` and inspects the files they leave."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from support.waiting import PATIENCE

__all__ = ["PATIENCE", "Outcome", "health", "outcome", "start"]

SCRIPT = Path(__file__).with_name("store_writers.py")


def start(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


class Outcome(NamedTuple):
    code: int
    lines: tuple[str, ...]
    """The lines that were printed whole."""
    errors: str


def outcome(program: subprocess.Popen[str]) -> Outcome:
    out, errors = program.communicate(timeout=PATIENCE)
    return Outcome(
        program.returncode, tuple(line for line in out.splitlines(keepends=True) if line.endswith("\n")), errors
    )


def health(path: Path) -> tuple[str, ...]:
    """SQLite's complaints about a file, its index of words and its references; empty for a sound file."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        found = [str(said) for (said,) in connection.execute("PRAGMA integrity_check") if said != "ok"]
        found += [f"dangling: {row}" for row in connection.execute("PRAGMA foreign_key_check")]
        try:
            connection.execute("INSERT INTO found (found, rank) VALUES ('integrity-check', 1)")
        except sqlite3.DatabaseError as error:
            found.append(f"index: {error}")
    return tuple(found)
