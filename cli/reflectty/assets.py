"""Finds the folders that are shipped beside the code, in a wheel or in a checkout; reads none of them."""

from __future__ import annotations

from pathlib import Path


def folder(name: str) -> Path:
    """Return the folder of that name: `themes`, `completions` or `models/mini`.

    In a wheel it lies inside the package; in a checkout, or an editable install of one, at the root.

    Raises:
        FileNotFoundError: the installation lacks it.
    """
    package = Path(__file__).resolve().parent
    for place in (package / name, package.parents[1] / name):
        if place.is_dir():
            return place
    raise FileNotFoundError(f"the installation lacks its folder {name}")
