"""Finds the folders shipped with the package: themes, completions and the model `mini`."""

from __future__ import annotations

from pathlib import Path


def find_asset_folder(name: str) -> Path:
    """The folder `themes`, `completions` or `models/mini`.

    In a wheel it is inside the package; in a checkout, or an editable install of one, at the root.

    Raises:
        FileNotFoundError: the installation lacks it.
    """
    package = Path(__file__).resolve().parents[1]
    for place in (package / name, package.parents[1] / name):
        if place.is_dir():
            return place
    raise FileNotFoundError(f"the installation is missing the folder {name}")
