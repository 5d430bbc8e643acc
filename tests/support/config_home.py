"""A home with settings for one test, an editor that writes given texts, and the command in that home."""

from __future__ import annotations

import io
import re
import sys
from typing import TYPE_CHECKING, NamedTuple

from reflectty import config
from reflectty.main import main
from reflectty.system.terminal import Sink, Terminal

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]")


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


def run(*words: str, tty: bool = False, typed: bytes = b"", width: int = 60) -> Outcome:
    """Run `reflect …` with streams of its own."""
    out, err = io.StringIO(), io.StringIO()
    terminal = Terminal(io.BytesIO(typed), stdin_tty=tty, out=Sink(out, tty), err=Sink(err, tty), width=width)
    return Outcome(main(list(words), terminal), out.getvalue(), err.getvalue())


def home(folder: Path, patch: pytest.MonkeyPatch) -> Path:
    """Make a folder the empty home; return the path of the settings file."""
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "HOME"):
        patch.setenv(name, str(folder))
    for name in (*(setting.variable for setting in config.SETTINGS if setting.variable), "VISUAL", "REFLECTTY_DEBUG"):
        patch.delenv(name, raising=False)
    return config.config_path()


def writing_editor(folder: Path, patch: pytest.MonkeyPatch) -> Path:
    """Set an editor that takes its text from a file, one line per call; return that file."""
    script, texts = folder / "editor.py", folder / "texts"
    script.write_text(
        "import pathlib, sys\n"
        f"texts = pathlib.Path({str(texts)!r})\n"
        "first, _, rest = texts.read_text('utf-8').partition('\\n')\n"
        "texts.write_text(rest, 'utf-8')\n"
        "sys.exit(1) if first == 'fail' else pathlib.Path(sys.argv[1]).write_text(first + '\\n', 'utf-8')\n",
        "utf-8",
    )
    patch.setenv("EDITOR", f"{sys.executable} {script}")
    return texts


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
