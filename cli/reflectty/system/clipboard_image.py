"""Reads an image from the desktop's clipboard, by the programs that are installed for it."""

from __future__ import annotations

import os
import shutil
import sys
from base64 import b64decode
from contextlib import suppress
from typing import TYPE_CHECKING

from reflectty.core.errors import UsageError
from reflectty.core.inputs import encode_image
from reflectty.core.named_tuple import NamedTuple
from reflectty.system.programs import run_program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Which = Callable[[str], str | None]

MAX_IMAGE_BYTES = 20_000_000
PATIENCE_SECONDS = 10.0
"""PowerShell takes seconds to start; the others answer at once or never."""
_TYPES = ("image/png", "image/jpeg", "image/webp")
_TEXT_PER_BYTE = 2
"""Characters of an image in hex for each of its bytes; base64 takes fewer."""
_POWERSHELL = (
    "Add-Type -AssemblyName System.Windows.Forms, System.Drawing; "
    "$image = [Windows.Forms.Clipboard]::GetImage(); "
    "if ($image) { $out = New-Object IO.MemoryStream; "
    "$image.Save($out, [Drawing.Imaging.ImageFormat]::Png); [Convert]::ToBase64String($out.ToArray()) }"
)


class _ImageReader(NamedTuple):
    """A program that writes the clipboard's image to its stdout; each argument list asks in another way."""

    program: str
    arguments: tuple[tuple[str, ...], ...]
    decode: Callable[[bytes], bytes] = bytes
    package: str = ""
    """What to install where the program is missing; empty if it belongs to the system."""


def _decode_applescript(output: bytes) -> bytes:
    """The bytes of `«data PNGf89504E…»`."""
    digits = output.partition(b"PNGf")[2].split("»".encode())[0]
    with suppress(ValueError):
        return bytes.fromhex(digits.decode(errors="replace"))
    return b""


def _decode_base64(output: bytes) -> bytes:
    with suppress(ValueError):
        return b64decode(output)
    return b""


_WAYLAND = _ImageReader("wl-paste", tuple(("--no-newline", "--type", kind) for kind in _TYPES), package="wl-clipboard")
_X11 = _ImageReader("xclip", tuple(("-selection", "clipboard", "-t", kind, "-o") for kind in _TYPES), package="xclip")
_MAC = (
    _ImageReader("pngpaste", (("-",),)),
    _ImageReader("osascript", (("-e", "get the clipboard as «class PNGf»"),), _decode_applescript),
)
_WSL = _ImageReader(
    "powershell.exe", (("-NoProfile", "-NonInteractive", "-STA", "-Command", _POWERSHELL),), _decode_base64
)


async def read_clipboard_image(
    environment: Mapping[str, str] | None = None, which: Which = shutil.which, patience: float = PATIENCE_SECONDS
) -> str:
    """Read the clipboard's image as base64 text.

    Args:
        environment: the variables that tell which desktop there is.
        which: finds a program.
        patience: the seconds that each program gets.

    Raises:
        UsageError: there is no image, it is too large, or there is no program that reads one.
    """
    given = os.environ if environment is None else environment
    readers = tuple(_readers_of(given))
    installed = [(path, reader) for reader in readers if (path := which(reader.program))]
    for path, reader in installed:
        if image := await _read(path, reader, patience):
            return image
    if installed:
        raise UsageError("no image in the clipboard", "copy one, or attach a file with @path")
    raise _no_reader_error(given, readers)


async def _read(path: str, reader: _ImageReader, patience: float) -> str:
    """The clipboard's image according to a program; empty without one, or if the program hangs.

    Raises:
        UsageError: it is too large.
    """
    for arguments in reader.arguments:
        output = await run_program((path, *arguments), patience, _TEXT_PER_BYTE * MAX_IMAGE_BYTES)
        if output.hung:
            break
        data = reader.decode(output.data)
        if output.is_cut or len(data) > MAX_IMAGE_BYTES:
            raise UsageError("the clipboard's image is too large", f"limit {MAX_IMAGE_BYTES // 1_000_000} MB")
        with suppress(UsageError):
            return encode_image(data, "the clipboard")
    return ""


def _readers_of(environment: Mapping[str, str]) -> Iterator[_ImageReader]:
    """The programs for the user's screen: over SSH only that for a forwarded display."""
    remote = _is_remote(environment)
    if environment.get("WAYLAND_DISPLAY") and not remote:
        yield _WAYLAND
    if environment.get("DISPLAY"):
        yield _X11
    if sys.platform == "darwin" and not remote:
        yield from _MAC
    if (environment.get("WSL_DISTRO_NAME") or environment.get("WSL_INTEROP")) and not remote:
        yield _WSL


def _is_remote(environment: Mapping[str, str]) -> bool:
    return bool(environment.get("SSH_TTY") or environment.get("SSH_CONNECTION"))


def _no_reader_error(environment: Mapping[str, str], readers: tuple[_ImageReader, ...]) -> UsageError:
    """The error where no program reads an image: what to install, or why none could."""
    package = next((reader.package for reader in readers if reader.package), "")
    if package:
        return UsageError("cannot read an image from the clipboard", f"install {package}, or attach a file with @path")
    where = "your machine's clipboard over SSH" if _is_remote(environment) else "an image from the clipboard here"
    return UsageError(f"cannot read {where}", "attach a file with @path")
