"""Where the weights of the base model are: the file that the program itself joins and uses."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from reflectty.engines.embedded.places import places
from reflectty.engines.embedded.weights import join

if TYPE_CHECKING:
    from pathlib import Path


def base_path() -> Path:
    """Return the GGUF file of the base model, joined where it is not there yet."""
    found = places().weights
    asyncio.run(join(found))
    return found
