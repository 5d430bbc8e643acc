"""Where the weights of the base model are: the file that the program itself joins and uses."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from reflectty.engines.embedded.install import join_weight_parts
from reflectty.engines.embedded.runtime_files import find_paths

if TYPE_CHECKING:
    from pathlib import Path


def base_path() -> Path:
    """Return the GGUF file of the base model, joined where it is not there yet."""
    found = find_paths().weights
    asyncio.run(join_weight_parts(found))
    return found
