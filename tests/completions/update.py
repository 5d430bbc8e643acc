"""Writes the scripts of the completions anew, from the command as it is.

PYTHONPATH=tests python tests/completions/update.py
"""

from __future__ import annotations

from pathlib import Path

from completions.shells import FILES, written
from completions.tree import commands

FOLDER = Path(__file__).parents[2] / "completions"


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for shell, name in FILES.items():
        (FOLDER / name).write_text(written(shell, commands()), "utf-8")
        print(FOLDER / name)


if __name__ == "__main__":
    main()
