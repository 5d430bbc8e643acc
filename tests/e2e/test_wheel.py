"""The wheel: what it carries, and what it says of itself."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from email.parser import HeaderParser
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        (sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )
    return ZipFile(next(folder.glob("*.whl")))


def names_below(wheel: ZipFile, part: str) -> set[str]:
    return {name.rpartition("/")[2] for name in wheel.namelist() if part in name}


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("cli/man", ".data/data/share/man/man1/"),
        ("completions", "reflectty/completions/"),
        ("themes", "reflectty/themes/"),
        ("cli/reflectty/schemas", "reflectty/schemas/"),
    ],
)
def test_folder_is_in_the_wheel(wheel: ZipFile, source: str, place: str) -> None:
    assert names_below(wheel, place) == {path.name for path in (ROOT / source).iterdir()}


def test_wheel_has_the_package_and_the_model_and_nothing_else(wheel: ZipFile) -> None:
    names = wheel.namelist()
    source = ROOT / "cli/reflectty"
    modules = {f"reflectty/{path.relative_to(source)}" for path in source.rglob("*.py")}
    assert {name for name in names if name.endswith(".py")} == modules
    assert {"reflectty/SKILL.md", "reflectty/py.typed", "reflectty/models/mini/mini.gguf"} <= set(names)
    assert {name.split("/")[0].partition("-")[0] for name in names} == {"reflectty"}
    assert not [name for name in names if "__pycache__" in name or name.startswith(("tests", "findings"))]


def test_metadata_is_complete(wheel: ZipFile) -> None:
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    head = HeaderParser().parsestr(wheel.read(name).decode())
    assert (head["Name"], head["Summary"]) == ("reflectty", PROJECT["description"])
    assert head["License-Expression"] == "MIT AND LicenseRef-Gemma"
    assert names_below(wheel, ".dist-info/licenses/") == {Path(one).name for one in PROJECT["license-files"]}
    assert set(head.get_all("Classifier") or ()) == set(PROJECT["classifiers"])
    assert {"cli", "ollama", "reasoning"} <= set(head["Keywords"].split(","))
    assert str(head.get_payload()).startswith("# reflectty\n")
