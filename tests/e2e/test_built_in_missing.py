"""A machine without a server and without the extra: its errors, and the missing offer of the built-in model."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from reflectty.engines.embedded.install import how_to_install
from support.fresh_machine import QUESTION, bare, default_server, fresh, is_unreachable

if TYPE_CHECKING:
    from pathlib import Path

    from support.built_in import BuiltIn
    from support.command import Reflect

INSTALL = how_to_install()
"""The install command for this installation, which the machines of these tests share."""


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bare(tmp_path_factory.mktemp("site"))


@pytest.fixture
def machine(tmp_path: Path, mini: BuiltIn, without: Path) -> Reflect:
    return fresh(tmp_path, mini, without)


@pytest.mark.parametrize("words", [(), ("-m", "mini"), ("--engine", "embedded"), ("-m", "reflection")], ids=" ".join)
def test_the_error_says_what_to_install(machine: Reflect, words: tuple[str, ...]) -> None:
    result = machine(*words, QUESTION)

    assert (result.code, result.out, len(result.err.splitlines())) == (3, "", 1)
    assert result.err.count(INSTALL) == 1


def test_missing_mini_on_a_server_suggests_installing_and_not_pulling(machine: Reflect) -> None:
    with default_server(machine):
        result = machine("-m", "mini", QUESTION)

    assert (result.code, result.out, len(result.err.splitlines())) == (4, "", 1)
    assert INSTALL in result.err
    assert "pull" not in result.err


def test_install_hint_is_omitted_once_a_server_has_answered(machine: Reflect) -> None:
    with default_server(machine):
        assert machine("What?").code == 0
    result = machine(QUESTION)

    assert is_unreachable(result)
    assert INSTALL not in result.err


def test_doctor_says_what_to_install(machine: Reflect) -> None:
    result = machine("doctor", "--no-question", "--json")
    found = {one["check"]: one for one in json.loads(result.out)["findings"]}

    assert result.code == 3
    assert INSTALL in found["built in"]["found"]


def test_create_mini_is_refused_without_the_extra(machine: Reflect) -> None:
    with default_server(machine) as server:
        result = machine("models", "create", "mini")

    assert (result.code, result.out, len(result.err.splitlines())) == (2, "", 1)
    assert INSTALL in result.err
    assert not server.asked("/api/create")


def test_create_mini_is_refused_without_numpy(tmp_path: Path, mini: BuiltIn) -> None:
    machine = fresh(tmp_path, mini, bare(tmp_path / "site", ("numpy",)))
    with default_server(machine) as server:
        result = machine("models", "create", "mini")

    assert (result.code, result.out) == (2, "")
    assert (
        result.err
        == f"reflect: cannot merge the adapter into the weights: numpy is not installed (install it: {INSTALL})\n"
    )
    assert {asked.method for asked in server.requests} <= {"GET"}


def test_completion_does_not_offer_mini(machine: Reflect) -> None:
    assert machine("__complete", "models", "mi").out == ""
