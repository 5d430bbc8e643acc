from __future__ import annotations

import pytest

from reflectty.chat import Model, Running
from reflectty.tui.screens.model_hints import arranged, hints
from reflectty.tui.widgets.model_entries import Coming, Known, Listed, Pulled

LISTED = Listed(Known(Model("m")), (1, 0, 0, 0, 0, 0))
BUSY = Listed(LISTED.known._replace(busy="loading"), LISTED.widths)
LOADED = Listed(LISTED.known._replace(running=Running("m"), answers=True), LISTED.widths)
COMING = Pulled(Coming("m"), 1)
ENDED = Pulled(Coming("m", problem="broken", wrong=True), 1)


@pytest.mark.parametrize(
    ("entry", "there", "expected"),
    [
        (LISTED, True, ["enter answers", "ctrl+l load", "ctrl+p pull", "ctrl+y copy", "ctrl+x remove", "esc back"]),
        (LOADED, True, ["ctrl+l unload", "ctrl+p pull", "ctrl+y copy", "ctrl+x remove", "esc back"]),
        (BUSY, True, ["enter answers", "ctrl+p pull", "ctrl+y copy", "ctrl+x remove", "esc back"]),
        (COMING, True, ["ctrl+x cancel", "ctrl+p pull", "esc back"]),
        (ENDED, True, ["enter pull again", "ctrl+x forget", "ctrl+p pull", "esc back"]),
        (None, True, ["ctrl+p pull", "esc back"]),
        (LISTED, False, ["esc back"]),
        (COMING, False, ["ctrl+x cancel", "esc back"]),
        (ENDED, False, ["ctrl+x forget", "esc back"]),
        (None, False, ["esc back"]),
    ],
)
def test_hints_name_only_keys_that_do_something_there(
    entry: Listed | Pulled | None, there: bool, expected: list[str]
) -> None:
    assert [fact.text for fact in hints(entry, there=there)] == expected


@pytest.mark.parametrize("width", [16, 20, 36, 76, 200])
def test_hints_fit_into_three_rows_and_the_way_back_stays(width: int) -> None:
    rows = arranged(hints(LISTED, there=True), width, " · ").split("\n")
    assert len(rows) <= 3
    assert all(len(row) <= max(width, len("esc back")) for row in rows)
    assert rows[-1].endswith("esc back")


def test_a_model_that_runs_elsewhere_is_neither_loaded_nor_unloaded() -> None:
    cloud = Listed(Known(Model("glm-5:cloud")), LISTED.widths)
    assert "ctrl+l load" not in [fact.text for fact in hints(cloud, there=True)]
