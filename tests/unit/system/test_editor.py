from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reflectty.core.errors import UsageError
from reflectty.system.editor import edit_text, require_editor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@pytest.fixture(name="editor")
def _editor(tmp_path: Path) -> Callable[[str], dict[str, str]]:
    """An environment whose editor is a script that has the file's path in `path`."""

    def editor(body: str) -> dict[str, str]:
        script = tmp_path / "the editor.py"
        script.write_text(f"import os, signal, sys, pathlib\npath = pathlib.Path(sys.argv[-1])\n{body}\n", "utf-8")
        return {"EDITOR": f"{sys.executable} '{script}'"}

    return editor


@pytest.mark.parametrize(
    ("text", "edited"), [("", "X"), ("one\ntwo", "X"), ("é 漢 🙂", "é"), ("a", ""), ("a", "\n\n"), ("half \ud800", "X")]
)
def test_edited_text_is_returned(editor: Callable[[str], dict[str, str]], text: str, edited: str) -> None:
    assert edit_text(text, editor(f"path.write_text({edited!r}, 'utf-8')")) == edited


def test_editor_receives_the_text(editor: Callable[[str], dict[str, str]]) -> None:
    assert edit_text("one\ntwo é", editor("path.write_text(path.read_text('utf-8').upper(), 'utf-8')")) == "ONE\nTWO É"


def test_windows_line_endings_are_converted(editor: Callable[[str], dict[str, str]]) -> None:
    assert edit_text("", editor("path.write_bytes(b'a\\r\\nb')")) == "a\nb"


def test_failing_editor_changes_nothing(editor: Callable[[str], dict[str, str]]) -> None:
    assert edit_text("a", editor("path.write_text('b'); sys.exit(1)")) is None


def test_temporary_file_is_private_and_removed() -> None:
    seen: list[Path] = []

    def run(command: Sequence[str]) -> int:
        path = Path(command[-1])
        seen.append(path)
        assert path.suffix == ".md"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        return 0

    assert edit_text("secret", {"EDITOR": "ed"}, run) == "secret"
    assert not seen[0].parent.exists()


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"EDITOR": "e"}, ["e"]),
        ({"VISUAL": "v", "EDITOR": "e"}, ["v"]),
        ({"VISUAL": " ", "EDITOR": "code --wait"}, ["code", "--wait"]),
        ({"VISUAL": "'/a b/vi' -n"}, ["/a b/vi", "-n"]),
    ],
)
def test_configured_editor_is_used(environment: dict[str, str], words: list[str]) -> None:
    commands: list[list[str]] = []

    def run(command: Sequence[str]) -> int:
        commands.append(list(command[:-1]))
        return 0

    edit_text("", environment, run)

    assert commands == [words]


@pytest.mark.parametrize(("there", "used"), [(("vi",), "vi"), (("vi", "nano"), "nano")])
def test_common_editor_is_used_if_none_is_configured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, there: tuple[str, ...], used: str
) -> None:
    for name in there:
        (tmp_path / name).write_text(f"#!/bin/sh\necho {name} > $1\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert edit_text("", {}) == f"{used}\n"


def test_missing_editor_raises(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="no editor found"):
        edit_text("", {})


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("/nowhere/vi", "cannot run /nowhere/vi: no such file"),
        ("'open", 'EDITOR "\'open" is not a command'),
        ("/", "cannot run /: permission denied"),
    ],
)
def test_editor_that_cannot_start_is_named(wanted: str, message: str) -> None:
    with pytest.raises(UsageError) as refused:
        edit_text("", {"EDITOR": wanted})

    assert message in str(refused.value)
    assert "VISUAL" in refused.value.hint


@pytest.mark.parametrize(
    ("body", "message"), [("path.write_bytes(b'\\xff')", "not UTF-8"), ("path.unlink()", "no such file")]
)
def test_unreadable_result_is_refused(editor: Callable[[str], dict[str, str]], body: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        edit_text("", editor(body))


def test_interrupt_is_handled_by_the_editor_only(editor: Callable[[str], dict[str, str]]) -> None:
    before = signal.getsignal(signal.SIGINT)
    body = f"os.kill({os.getpid()}, signal.SIGINT); path.write_text(repr(signal.getsignal(signal.SIGINT)))"

    assert "default_int_handler" in str(edit_text("", editor(body)))
    assert signal.getsignal(signal.SIGINT) is before


def test_editor_is_required_to_be_set_without_a_terminal() -> None:
    program = "from reflectty.system.editor import require_editor; require_editor()"
    command = (sys.executable, "-c", program)
    refused = subprocess.run(command, input=b"", capture_output=True, check=False, start_new_session=True, env={})

    assert b"there is no terminal for an editor" in refused.stderr
    require_editor({"EDITOR": "nano"})
