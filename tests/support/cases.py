"""Reads the cases of tests/cases and those of the folder that REFLECTTY_CASES names, under the same file names."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

HERE = Path(__file__).parents[1] / "cases"


def cases(name: str) -> list[dict[str, Any]]:
    """Every case of the file `name`, ours first; a repeated id gets its folder as a prefix."""
    folders = [HERE]
    named = os.environ.get("REFLECTTY_CASES")
    if named:
        folders.append(Path(named))
    found: dict[str, dict[str, Any]] = {}
    for folder in folders:
        path = folder / name
        if not path.exists():
            continue
        # Only \n ends a line: JSON may hold other line breaks raw.
        for line in path.read_text("utf-8").split("\n"):
            if line.strip():
                case = json.loads(line)
                known = found.get(case["id"])
                if known != case:
                    found[case["id"] if known is None else f"{folder.name}-{case['id']}"] = case
    return list(found.values())
