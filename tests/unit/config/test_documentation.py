"""The README's table of settings matches the one in the code."""

from __future__ import annotations

import re
from pathlib import Path

from reflectty.config.schema import SETTINGS, TABLE_ABOUTS

README = Path(__file__).parents[3] / "README.md"


def rows() -> list[list[str]]:
    """The cells of the README's table of settings, row by row."""
    _, table = README.read_text("utf-8").split("| in the file | variable | sets |\n|---|---|---|\n")
    return [line.split("|")[1:-1] for line in table.partition("\n\n")[0].splitlines()]


def words_of(cell: str) -> set[str]:
    return set(re.findall(r"`(\w+)`", cell))


def test_the_readme_has_every_key_in_order() -> None:
    keys = [word for row in rows() for word in words_of(row[0])]

    assert keys == [*(setting.key for setting in SETTINGS if setting.key), *TABLE_ABOUTS]


def test_the_readme_has_every_variable_beside_its_key() -> None:
    listed = {variable: words_of(row[0]) for row in rows() for variable in words_of(row[1])}
    keys = {setting.field: setting.key for setting in reversed(SETTINGS)}
    wanted = {setting.variable: {keys[setting.field]} - {""} for setting in SETTINGS if setting.variable}

    assert listed == wanted | {"REFLECTTY_DEBUG": set()}


def test_every_setting_is_explained() -> None:
    assert {setting.field for setting in SETTINGS} == {setting.field for setting in SETTINGS if setting.about}
