"""Chooses the tests of a run: the quick tier, the rest, or all of them.

The quick tier leaves out tests that are marked `slow`, `server` or `recipe`. Tests named on the command line run in any
tier, or fail: one test by its name, by a marker (`-m`), or those of a server or of the recipe by their file or folder.
"""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.properties import load_profile

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
LEFT_OUT = ("server", "slow", "recipe")
"""Markers that leave a test out; a test counts under the first that it has."""
FOLDERS = {"real": "server", "recipe": "recipe"}
"""Folders under tests/ whose every test has a marker."""


def add_option(parser: pytest.Parser) -> None:
    parser.addoption(
        "--tier",
        choices=("quick", "rest", "all"),
        default="quick",
        help="quick: all but what is slow or needs a real server; rest: what quick leaves out, and every property again"
        " with all its examples; all: everything (default: quick)",
    )


def configure(config: pytest.Config) -> None:
    load_profile(quick=config.getoption("--tier") == "quick")
    config.pluginmanager.register(_Tiers(config), "tiers")


def workers(config: pytest.Config) -> int:
    """The number of processes that run the tests."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    # The quick tests spend half their time waiting for other processes; the rest computes on all cores.
    return 2 * cores if config.getoption("--tier") == "quick" else cores


class _Tiers:
    """Deselects tests and reports their number; with xdist the workers deselect and the controller reports."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._tier = str(config.getoption("--tier"))
        self._left_out: Counter[str] = Counter()

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            _mark(item)
        if self._tier == "all" or self._config.getoption("markexpr"):
            return
        reasons = [(item, _reason(item)) for item in items]
        if self._tier == "rest":
            kept = [item for item, reason in reasons if reason or _is_property(item)]
        else:
            left_out = _left_out(self._config.args)
            named = {argument for argument in self._config.args if "::" in argument}
            kept = [item for item, reason in reasons if reason not in left_out or _is_named(item, named)]
        chosen = set(kept)
        self._left_out.update(reason or "in the quick tier" for item, reason in reasons if item not in chosen)
        self._config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
        items[:] = kept

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
        if output is not None:
            output["left_out"] = dict(self._left_out)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        # Every worker collects the same tests; a crashed one reports nothing.
        self._left_out |= Counter(getattr(node, "workeroutput", {}).get("left_out", {}))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._left_out:
            counts = ", ".join(f"{count} {reason}" for reason, count in self._left_out.most_common())
            terminalreporter.write_line(f"left out: {counts} (tests/run --all runs everything)")


def _mark(item: pytest.Item) -> None:
    top = item.path.resolve().relative_to(TESTS).parts[0]
    if top in FOLDERS:
        item.add_marker(FOLDERS[top])
    if top == "real":
        item.add_marker("process")
    if item.get_closest_marker("server"):
        # One real server at a time: two of them have too few cores.
        item.add_marker(pytest.mark.xdist_group("server"))


def _reason(item: pytest.Item) -> str | None:
    return next((name for name in LEFT_OUT if item.get_closest_marker(name)), None)


def _is_property(item: pytest.Item) -> bool:
    return bool(getattr(getattr(item, "obj", None), "is_hypothesis_test", False))


def _left_out(arguments: Iterable[str]) -> set[str]:
    """The markers to leave out: not those of files on the command line, nor of a recipe that has changed."""
    paths = [(ROOT / argument.partition("::")[0]).resolve() for argument in arguments]
    asked_for = {marker for name, marker in FOLDERS.items() if any(path.is_relative_to(TESTS / name) for path in paths)}
    return set(LEFT_OUT) - asked_for - ({"recipe"} if _recipe_has_changed() else set())


def _is_named(item: pytest.Item, named: Iterable[str]) -> bool:
    """Whether a test, or a file or folder that contains it, is in a set of names."""
    return any(item.nodeid == name or item.nodeid.startswith((f"{name}[", f"{name}::")) for name in named)


def _recipe_has_changed() -> bool:
    """Whether models/ differs from the last commit or was changed by it; false where git cannot tell."""
    commands = (["git", "status", "--porcelain", "models"], ["git", "diff", "--name-only", "HEAD~1", "HEAD", "models"])
    try:
        return any(subprocess.run(command, cwd=ROOT, capture_output=True, check=False).stdout for command in commands)
    except OSError:
        return False
