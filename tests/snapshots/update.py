"""Redraws the pictures of the chat, all of them or those that are named.

PYTHONPATH=tests python tests/snapshots/update.py [NAME…]
"""

from __future__ import annotations

import sys

from chat.test_snapshots import FOLDER, PICTURES, drawn


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name in sys.argv[1:] or PICTURES:
        path = FOLDER / f"{name}.svg"
        path.write_text(drawn(PICTURES[name]), "utf-8")
        path.with_suffix(".new.svg").unlink(missing_ok=True)
        print(path)


if __name__ == "__main__":
    main()
