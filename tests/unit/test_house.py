"""The names of the package: each class name occurs once, no module is a participle, every package is on the maps."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import reflectty

PACKAGE = Path(reflectty.__file__).parent
CONTRIBUTING = Path(__file__).parents[2] / "CONTRIBUTING.md"
FIELD = {"decoding", "encoding", "reasoning", "steering", "thinking"}
"""Nouns of the field that end like a participle."""


def sources() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def packages() -> list[str]:
    return sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))


def test_a_class_name_occurs_once() -> None:
    places = defaultdict(list)
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(str(path.relative_to(PACKAGE)))
    assert len(places) > 300
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_no_module_is_a_participle() -> None:
    names = {part for path in sources() for part in path.relative_to(PACKAGE).with_suffix("").parts}
    assert {name for name in names if name.endswith("ing")} - FIELD == set()


def test_every_package_is_documented() -> None:
    names = packages()
    assert len(names) > 15
    map_lines = [line.split()[0] for line in (reflectty.__doc__ or "").splitlines() if line.startswith("    ")]
    assert sorted({*names, "main"}) == sorted(map_lines)
    text = CONTRIBUTING.read_text("utf-8")
    assert [name for name in names if f"`{name}/`" not in text] == []


def test_every_file_that_the_guide_names_exists() -> None:
    root = CONTRIBUTING.parent
    table = CONTRIBUTING.read_text("utf-8").split("## Where do I change")[1].split("## Tests")[0]
    named = {
        word for word in table.replace("`", " ").split() if "/" in word and word.strip(",;:.").endswith((".py", "/"))
    }
    assert len(named) > 20
    missing = [word for word in named if not any((base / word.strip(",;:")).exists() for base in (root, PACKAGE))]
    assert missing == []
