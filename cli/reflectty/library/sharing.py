"""Finds a model among those that are loaded, where the server lists it under the name of another.

Ollama (seen with 0.32.15 and 0.34.2) keeps a model loaded by its file: /api/ps lists those of one file, as all variants
of a model are, under the name that was asked first, which may be removed by then; and an unloading of any of them
unloads that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.errors import ModelMissingError, ReflecttyError
from reflectty.library.values import loaded_as, perhaps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.chat import Engine, Model, Running


async def loaded_with(engine: Engine, model: Model, running: Sequence[Running]) -> Running | None:
    """Return where a model is loaded: under its own name, that of another of the same files, or perhaps of one gone."""
    known = loaded_as(model.name, running)
    if known or not model.files:
        return known
    gone: list[Running] = []
    for one in running:
        try:
            other = await engine.show(one.name)
        except ModelMissingError:
            gone.append(one)
        except ReflecttyError:
            continue
        else:
            if other.files == model.files:
                return one
    return perhaps(model, gone)
