from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reflectty.core.errors import OutputError, UsageError
from reflectty.core.messages import Usage
from reflectty.core.segments import Kind
from reflectty.core.session import (
    Attachment,
    ProbedCorrection,
    ReplyMetrics,
    ReplyOrigin,
    ReplyStatus,
    Session,
    SessionSettings,
    StoredReply,
    Turn,
)
from reflectty.export import ExportFormat, export_session
from reflectty.export.files import save_text
from reflectty.export.json import as_json
from support.conversations import ANSWERED, QUESTION, SESSION, TURNS
from support.hostile_strategies import CONTROLS, session_with, turns_with
from support.waiting import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def read_back(document: str) -> tuple[Session, tuple[Turn, ...]]:
    """The values in an exported document."""
    found = json.loads(document)
    assert (found["format"], found["version"]) == ("reflectty session", 1)
    settings = found["session"].pop("settings")
    options = tuple(settings.pop("options", {}).items()) or None
    return Session(**found["session"], settings=SessionSettings(**settings, options=options)), tuple(
        _turn(turn) for turn in found["turns"]
    )


def _turn(turn: dict[str, Any]) -> Turn:
    attachments = tuple(Attachment(**item) for item in turn["attachments"])
    pastes = tuple(map(tuple, turn["pastes"]))
    said = _said(turn["said"]) if turn["said"] else None
    return Turn(**{**turn, "attachments": attachments, "said": said, "pastes": pastes})


def _said(said: dict[str, Any]) -> StoredReply:
    probed = tuple(ProbedCorrection(**one) for one in said["measured"]["probed"])
    measured = ReplyMetrics(**{**said["measured"], "usage": Usage(**said["measured"]["usage"]), "probed": probed})
    options = tuple(
        (name, tuple(value) if isinstance(value, list) else value) for name, value in said["options"].items()
    )
    segments = tuple((Kind(item["kind"]), item["text"]) for item in said["segments"])
    return StoredReply(
        **{
            **said,
            "measured": measured,
            "options": options,
            "segments": segments,
            "warnings": tuple(said["warnings"]),
            "ended": ReplyStatus(said["ended"]),
            "origin": ReplyOrigin(said["origin"]),
        }
    )


def test_json_contains_everything_stored() -> None:
    assert read_back(export_session(SESSION, TURNS, ExportFormat.JSON)) == (SESSION, TURNS)


@given(st.text(st.characters(exclude_categories=()), max_size=40))
@example("\ud800\x00\x1b[31m\u202e</script>")
def test_json_preserves_any_text_in_ascii(text: str) -> None:
    document = as_json(session_with(text), turns_with(text))
    assert document.isascii()
    assert not CONTROLS.search(document.replace("\n", ""))
    assert read_back(document) == (session_with(text), turns_with(text))


@pytest.mark.parametrize("form", list(ExportFormat))
def test_empty_session_can_be_exported(form: ExportFormat) -> None:
    assert export_session(Session("abcdef", "", 0.0, 0.0), (), form).endswith("\n")


@pytest.mark.parametrize("form", [ExportFormat.MARKDOWN, ExportFormat.HTML])
def test_readable_formats_export_only_the_current_branch(form: ExportFormat) -> None:
    assert "Roman" not in export_session(SESSION, TURNS, form)
    assert "Roman" in export_session(SESSION._replace(leaf=4), TURNS, form)


# Saving


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in which no file may be left behind."""
    yield tmp_path
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_file_is_written_in_utf_8(folder: Path) -> None:
    save_text("é\n", folder / "a.md")
    assert (folder / "a.md").read_bytes() == "é\n".encode()


def test_existing_file_is_replaced_only_with_force(folder: Path) -> None:
    path = folder / "a.md"
    path.write_text("mine")
    with pytest.raises(UsageError, match="already exists"):
        save_text("theirs", path)
    assert path.read_text() == "mine"
    save_text("theirs", path, force=True)
    assert path.read_text() == "theirs"


def test_symlink_target_is_replaced_and_the_link_stays(folder: Path) -> None:
    (folder / "a.md").write_text("old")
    (folder / "b.md").symlink_to("a.md")
    save_text("new", folder / "b.md", force=True)
    assert (folder / "b.md").is_symlink()
    assert (folder / "a.md").read_text() == "new"


@pytest.mark.parametrize("force", [False, True])
def test_special_file_is_never_replaced(folder: Path, force: bool) -> None:
    os.mkfifo(folder / "pipe")
    for path in (folder, folder / "pipe"):
        with pytest.raises(UsageError):
            save_text("x", path, force=force)
    assert stat.S_ISFIFO((folder / "pipe").stat().st_mode)


@pytest.mark.parametrize("name", ["missing/a.md", "a\0b.md", "x" * 300 + ".md"])
def test_unwritable_path_raises(folder: Path, name: str) -> None:
    with pytest.raises(OutputError, match="cannot write"):
        save_text("x", folder / name)


def test_unencodable_text_leaves_the_old_file(folder: Path) -> None:
    path = folder / "a.md"
    path.write_text("mine")
    with pytest.raises(OutputError, match="cannot write"):
        save_text("a" * 100_000 + "\ud800", path, force=True)
    assert path.read_text() == "mine"


def test_a_full_disk_leaves_nothing_behind(folder: Path) -> None:
    script = f"""
import pathlib, resource
from reflectty.export.files import save_text
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
save_text("a" * 100_000, pathlib.Path({str(folder / "a.md")!r}))
"""
    done = subprocess.run((sys.executable, "-c", script), capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert "OutputError: cannot write" in done.stderr
    assert list(folder.iterdir()) == []


def test_the_title_and_the_answer_are_in_every_form() -> None:
    for form in ExportFormat:
        document = export_session(SESSION, TURNS, form)
        assert QUESTION in document
        assert ANSWERED.split()[2] in document
