"""Each script of findings/ describes its finding and installs only pinned versions."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

FINDINGS = Path(__file__).parents[3] / "findings"
SCRIPTS = sorted(FINDINGS.glob("*.sh"))
INSTALL = re.compile(r"(?:pip\"? install|npm pack|go install)(?P<packages>(?: .*)?)$", re.MULTILINE)
PINNED = re.compile(r"[\w.@/-]+(?:==\d[\w.]*|@v?\d[\w.]*)")

pytestmark = pytest.mark.skipif(not SCRIPTS, reason="a source distribution goes without the findings")


def header(script: Path) -> list[str]:
    """The comment at the start of a script, without its signs."""
    _, *lines = script.read_text("utf-8").splitlines()
    length = next(number for number, line in enumerate(lines) if not line.startswith("#"))
    return [line.removeprefix("#").removeprefix(" ") for line in lines[:length]]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_finding_is_executable_and_stops_at_the_first_error(script: Path) -> None:
    lines = script.read_text("utf-8").splitlines()

    assert os.access(script, os.X_OK)
    assert lines[0] == "#!/usr/bin/env bash"
    assert next(line for line in lines if not line.startswith("#")) == "set -euo pipefail"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_finding_header_has_guess_observation_versions_and_output(script: Path) -> None:
    parts = [line.partition(":")[0] for line in header(script) if re.match(r"[A-Z]\w+( \(.*\))?:", line)]

    assert [part.partition(" ")[0] for part in parts][-4:] == ["Guess", "Seen", "Versions", "Output"]
    assert header(script)[-1].startswith("  ")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_finding_pins_every_package_version(script: Path) -> None:
    installs = [found["packages"].split() for found in INSTALL.finditer(script.read_text("utf-8"))]
    packages = [word for words in installs for word in words if re.match(r"@?[a-z]", word)]

    assert packages
    assert [word for word in packages if not PINNED.fullmatch(word)] == []


def test_readme_lists_each_finding_once() -> None:
    listed = re.findall(r"^\| `([\w-]+)\.sh` \|", (FINDINGS / "README.md").read_text("utf-8"), re.MULTILINE)

    assert sorted(listed) == [script.stem for script in SCRIPTS]
