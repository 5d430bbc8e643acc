from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reflectty.system import assets


def test_the_folder_of_a_checkout_is_found() -> None:
    assert (assets.find_asset_folder("themes") / "ink.toml").is_file()


def test_the_folder_of_a_wheel_lies_inside_the_package(tmp_path: Path) -> None:
    package = tmp_path / "site-packages" / "reflectty"
    (package / "themes").mkdir(parents=True)
    (package / "system").mkdir()
    source = Path(assets.__file__)
    shutil.copy(source, package / "system")
    shutil.copy(source.with_name("__init__.py"), package / "system")
    shutil.copy(source.parents[1] / "__init__.py", package)
    program = "from reflectty.system import assets; print(assets.find_asset_folder('themes'))"
    found = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(package.parent)!r}); {program}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(found.stdout.strip()) == package / "themes"


def test_missing_folder_is_named_in_the_error() -> None:
    with pytest.raises(FileNotFoundError, match="nothing-of-ours"):
        assets.find_asset_folder("nothing-of-ours")
