from __future__ import annotations

import pytest

from reflectty.core.messages import Model, RunningModel
from reflectty.tui.models.rows import DownloadRow, DownloadState, ModelInfo, ModelRow
from reflectty.tui.models.screen import arrange_hints, key_hints_for

LISTED = ModelRow(ModelInfo(Model("m")), (1, 0, 0, 0, 0, 0))
BUSY = ModelRow(LISTED.info._replace(busy_with="loading"), LISTED.widths)
LOADED = ModelRow(LISTED.info._replace(running=RunningModel("m"), is_chat_model=True), LISTED.widths)
COMING = DownloadRow(DownloadState("m"), 1)
ENDED = DownloadRow(DownloadState("m", problem="broken", is_error=True), 1)


@pytest.mark.parametrize(
    ("entry", "there", "expected"),
    [
        (LISTED, True, ["enter use", "ctrl+l load", "ctrl+p pull", "ctrl+y copy", "ctrl+x remove", "esc back"]),
        (LOADED, True, ["ctrl+l unload", "ctrl+p pull", "ctrl+y copy", "ctrl+x remove", "esc back"]),
        (BUSY, True, ["enter use", "ctrl+p pull", "ctrl+y copy", "ctrl+x remove", "esc back"]),
        (COMING, True, ["ctrl+x cancel", "ctrl+p pull", "esc back"]),
        (ENDED, True, ["enter retry", "ctrl+x dismiss", "ctrl+p pull", "esc back"]),
        (None, True, ["ctrl+p pull", "esc back"]),
        (LISTED, False, ["esc back"]),
        (COMING, False, ["ctrl+x cancel", "esc back"]),
        (ENDED, False, ["ctrl+x dismiss", "esc back"]),
        (None, False, ["esc back"]),
    ],
)
def test_hints_name_only_keys_that_apply_to_the_row(
    entry: ModelRow | DownloadRow | None, there: bool, expected: list[str]
) -> None:
    assert [fact.text for fact in key_hints_for(entry, is_reachable=there)] == expected


@pytest.mark.parametrize("width", [16, 20, 36, 76, 200])
def test_hints_fit_in_three_rows_and_keep_the_back_key(width: int) -> None:
    rows = arrange_hints(key_hints_for(LISTED, is_reachable=True), width, " · ").split("\n")
    assert len(rows) <= 3
    assert all(len(row) <= max(width, len("esc back")) for row in rows)
    assert rows[-1].endswith("esc back")


def test_cloud_model_has_no_load_hint() -> None:
    cloud = ModelRow(ModelInfo(Model("glm-5:cloud")), LISTED.widths)
    assert "ctrl+l load" not in [fact.text for fact in key_hints_for(cloud, is_reachable=True)]
