"""Regenerates the scripts of the completions and the manual pages from the command.

PYTHONPATH=tests python tests/completions/update.py
"""

from __future__ import annotations

from pathlib import Path

from completions.manual import pages
from completions.shells import FILES, written
from completions.tree import commands

ROOT = Path(__file__).parents[2]


def main() -> None:
    tree = commands()
    texts = {f"completions/{name}": written(shell, tree) for shell, name in FILES.items()}
    texts |= {f"cli/man/{name}": text for name, text in pages().items()}
    for name, text in texts.items():
        (ROOT / name).parent.mkdir(exist_ok=True)
        (ROOT / name).write_text(text, "utf-8")
        print(ROOT / name)


if __name__ == "__main__":
    main()
