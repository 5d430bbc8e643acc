from __future__ import annotations

import asyncio
import shutil
import sys
from base64 import b64encode
from functools import partial
from typing import TYPE_CHECKING

import pytest

from reflectty.core.errors import UsageError
from reflectty.system import clipboard_image
from reflectty.system.clipboard_image import read_clipboard_image
from support.clipboard_programs import JPEG, JPEG_TEXT, PNG, PNG_TEXT, install_clipboard, install_program
from support.waiting import PATIENCE

if TYPE_CHECKING:
    from pathlib import Path

WAYLAND = {"WAYLAND_DISPLAY": "wayland-0"}
X11 = {"DISPLAY": ":0"}
WSL = {"WSL_DISTRO_NAME": "Debian"}
SSH = {"SSH_CONNECTION": "1.2.3.4 1 5.6.7.8 22"}


def read(folder: Path, environment: dict[str, str], patience: float = PATIENCE) -> str:
    which = partial(shutil.which, path=str(folder))
    return asyncio.run(read_clipboard_image(environment, which, patience))


def refusal(folder: Path, environment: dict[str, str], patience: float = PATIENCE) -> str:
    with pytest.raises(UsageError) as caught:
        read(folder, environment, patience)
    return f"{caught.value}: {caught.value.hint}"


@pytest.mark.parametrize(
    ("program", "environment", "image"),
    [
        (("wl-paste", "image/png", PNG), WAYLAND, PNG_TEXT),
        (("wl-paste", "image/jpeg", JPEG), WAYLAND | X11, JPEG_TEXT),
        (("xclip", "image/png", PNG), X11, PNG_TEXT),
        (("xclip", "image/jpeg", JPEG), WAYLAND | X11, JPEG_TEXT),
        (("xclip", "image/png", PNG), X11 | SSH, PNG_TEXT),
        (("powershell.exe", "GetImage", b64encode(PNG) + b"\r\n"), WSL, PNG_TEXT),
    ],
)
def test_image_comes_from_the_program_of_the_desktop(
    program: tuple[str, str, bytes], environment: dict[str, str], image: str, tmp_path: Path
) -> None:
    install_clipboard(tmp_path, *program)

    assert read(tmp_path, environment) == image


@pytest.mark.parametrize(
    ("name", "kind", "content"),
    [
        ("pngpaste", "-", PNG),
        ("osascript", "PNGf", b"\xc2\xabdata PNGf" + PNG.hex().upper().encode() + b"\xc2\xbb\n"),
    ],
)
def test_image_comes_from_the_programs_of_a_mac(
    name: str, kind: str, content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    install_clipboard(tmp_path, name, kind, content)

    assert read(tmp_path, {}) == PNG_TEXT


@pytest.mark.parametrize(
    ("installed", "environment", "said"),
    [
        ("wl-paste", WAYLAND, "no image in the clipboard: copy one, or attach a file with @path"),
        (
            "xsel",
            X11,
            "cannot read an image from the clipboard: install xclip, or attach a file with @path",
        ),
        (
            "xclip",
            WAYLAND,
            "cannot read an image from the clipboard: install wl-clipboard, or attach a file with @path",
        ),
        ("xclip", {}, "cannot read an image from the clipboard here: attach a file with @path"),
        ("wl-paste", WAYLAND | SSH, "cannot read your machine's clipboard over SSH: attach a file with @path"),
    ],
)
def test_refusal_says_what_helps(installed: str, environment: dict[str, str], said: str, tmp_path: Path) -> None:
    install_clipboard(tmp_path, installed, "image/png", b"text, whatever was asked for")

    assert refusal(tmp_path, environment) == said


@pytest.mark.parametrize("body", ["echo not base64: %", "exit 1", "printf data"])
def test_broken_output_is_no_image(body: str, tmp_path: Path) -> None:
    install_program(tmp_path, "powershell.exe", body)

    assert refusal(tmp_path, WSL).startswith("no image in the clipboard")


def test_program_that_hangs_is_asked_once(tmp_path: Path) -> None:
    install_program(tmp_path, "xclip", f"echo asked >> {tmp_path}/log; exec sleep 600")

    assert refusal(tmp_path, X11, 1.0).startswith("no image in the clipboard")
    assert (tmp_path / "log").read_text() == "asked\n"


def test_image_above_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clipboard_image, "MAX_IMAGE_BYTES", 1_000)
    for size in (1_500, 5_000):
        install_clipboard(tmp_path, "xclip", "image/png", PNG + b"x" * size)

        assert refusal(tmp_path, X11).startswith("the clipboard's image is too large")
