"""Looks at a model's vocabulary for the tags that it thinks in, once for every file of weights; asks no question.

Ollama answers /api/show with `verbose` in some tenths of a second and with tens of megabytes, so that it is asked only
where a look can change something: of a model whose thinking the server does not tell apart.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Final

from reflectty import config
from reflectty.chat import Tags
from reflectty.errors import ReflecttyError
from reflectty.families import by_model
from reflectty.mini import is_mini
from reflectty.modes import taught

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.chat import Engine, Model
    from reflectty.vocabulary import Vocabulary

LOOK_SECONDS: Final = 10.0
"""A look that takes longer is left, and nothing is known then."""
LIST_SECONDS: Final = 15.0
"""A list of models waits so long for all that it has not looked at yet; the next one goes on from there."""
AT_ONCE: Final = 2
"""So many vocabularies are read at the same time: each takes some hundred megabytes while it is read."""


async def made_for(engine: Engine, model: Model) -> Model:
    """Return a model with what its vocabulary says, where only that can tell whether it reflects by itself.

    Where nothing could be remembered of it, each question would wait for a look: then there is none.
    """
    known = taught(model) or by_model(model.name)
    return model if known or not _key(model) else await looked_at(engine, model)


async def looked_at(engine: Engine, model: Model) -> Model:
    """Return a model with what its vocabulary says of tags; as it is, where that says nothing of how it is asked."""
    if model.tags is not None or not _matters(model):
        return model
    tags = recalled(model).tags
    if tags is None:
        tags = await _look(engine, model.name)
        if _key(model) and tags is not None:
            config.note_down(_topic(), _key(model), json.dumps(tags))
    return model._replace(tags=tags)


def recalled(model: Model) -> Model:
    """Return a model with what an earlier look at its vocabulary found; asks nobody."""
    key = _key(model)
    found = config.noted(_topic(), key) if key and _matters(model) else ""
    return model._replace(tags=_read(found)) if found else model


def _topic() -> str:
    from reflectty.vocabulary import edition  # noqa: PLC0415 - most questions need no look

    return f"tags-{edition()}"


async def all_looked_at(engine: Engine, models: Sequence[Model]) -> tuple[Model, ...]:
    """Return models with what their vocabularies say, some at a time; those that a list cannot wait for as they are."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(model: Model) -> Model:
        async with gate:
            return await looked_at(engine, model)

    tasks = [asyncio.create_task(one(model)) for model in models]
    if tasks:
        _, late = await asyncio.wait(tasks, timeout=LIST_SECONDS)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
    return tuple(model if task.cancelled() else task.result() for model, task in zip(models, tasks, strict=True))


def _matters(model: Model) -> bool:
    """Whether the tags of a model are of use: of one that thinks natively the server's parser reads them."""
    answers = "completion" in model.capabilities or not model.capabilities
    return answers and "thinking" not in model.capabilities and not is_mini(model.name)


def _key(model: Model) -> str:
    """Return by what a model's vocabulary is known again: variants of one file share it."""
    if model.weights or model.digest:
        return model.weights or model.digest
    return "@".join((*model.name.split(), model.modified_at)) if model.modified_at else ""


async def _look(engine: Engine, name: str) -> Tags | None:
    tell = getattr(engine, "vocabulary", None)
    if tell is None:
        return None
    from reflectty.vocabulary import tags_of  # noqa: PLC0415 - the same

    try:
        async with asyncio.timeout(LOOK_SECONDS):
            vocabulary: Vocabulary = await tell(name)
    except (ReflecttyError, TimeoutError):
        return None
    return tags_of(vocabulary)


def _read(text: str) -> Tags | None:
    try:
        own, lost = json.loads(text)
        return Tags(tuple(map(str, own)), tuple(map(str, lost)))
    except (ValueError, TypeError):
        return None
