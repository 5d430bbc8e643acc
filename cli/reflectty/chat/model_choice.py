"""Picks the model to ask and reads which thinking tags its vocabulary has.

Ollama answers /api/show with `verbose` in some tenths of a second and with tens of megabytes, so that it is asked only
where a look can change something: of a model whose thinking the server does not tell apart.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Final

from reflectty import config
from reflectty.core.errors import BusyError, ModelMissingError, ReflecttyError, RefusedError
from reflectty.core.messages import VocabularyTags
from reflectty.core.model_names import remote_host_of, short_name_of
from reflectty.core.model_spec import is_mini
from reflectty.reasoning.families import family_of_model
from reflectty.reasoning.modes import Mode, family_in_template, non_chat_kind_of, rank_candidates, selection_reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from reflectty.core.messages import Engine, Model
    from reflectty.reasoning.modes import AskOptions
    from reflectty.reasoning.token_types import Vocabulary


VOCABULARY_TIMEOUT_SECONDS: Final = 10.0
"""A look that takes longer is left, and nothing is known then."""
LIST_TIMEOUT_SECONDS: Final = 15.0
"""A list of models waits so long for all that it has not looked at yet; the next one goes on from there."""
MAX_PARALLEL_READS: Final = 2
"""So many vocabularies are read at the same time: each takes some hundred megabytes while it is read."""


async def load_needed_tags(engine: Engine, model: Model) -> Model:
    """Return a model with what its vocabulary says, where only that can tell whether it reflects by itself.

    Where nothing could be remembered of it, each question would wait for a look: then there is none.
    """
    known = family_in_template(model) or family_of_model(model.name)
    return model if known or not _cache_key(model) else await load_tags(engine, model)


async def load_tags(engine: Engine, model: Model) -> Model:
    """Return a model with what its vocabulary says of tags; as it is, where that says nothing of how it is asked."""
    if model.tags is not None or not _can_use_tags(model):
        return model
    tags = load_cached_tags(model).tags
    if tags is None:
        tags = await _read_tags(engine, model.name)
        if _cache_key(model) and tags is not None:
            config.remember_note(_cache_topic(), _cache_key(model), json.dumps(tags))
    return model._replace(tags=tags)


def load_cached_tags(model: Model) -> Model:
    """Return a model with what an earlier look at its vocabulary found; asks nobody."""
    key = _cache_key(model)
    found = config.recall_note(_cache_topic(), key) if key and _can_use_tags(model) else ""
    return model._replace(tags=_parse_tags(found)) if found else model


def _cache_topic() -> str:
    from reflectty.reasoning.token_types import tag_set_version

    return f"tags-{tag_set_version()}"


async def load_all_tags(engine: Engine, models: Sequence[Model]) -> tuple[Model, ...]:
    """Return models with what their vocabularies say, some at a time; those that a list cannot wait for as they are."""
    gate = asyncio.Semaphore(MAX_PARALLEL_READS)

    async def one(model: Model) -> Model:
        async with gate:
            return await load_tags(engine, model)

    tasks = [asyncio.create_task(one(model)) for model in models]
    if tasks:
        _, late = await asyncio.wait(tasks, timeout=LIST_TIMEOUT_SECONDS)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
    return tuple(model if task.cancelled() else task.result() for model, task in zip(models, tasks, strict=True))


def _can_use_tags(model: Model) -> bool:
    """Whether the tags of a model are of use: of one that thinks natively the server's parser reads them."""
    answers = "completion" in model.capabilities or not model.capabilities
    return answers and "thinking" not in model.capabilities and not is_mini(model.name)


def _cache_key(model: Model) -> str:
    """Return by what a model's vocabulary is known again: variants of one file share it."""
    if model.weights_digest or model.digest:
        return model.weights_digest or model.digest
    return "@".join((*model.name.split(), model.modified_at)) if model.modified_at else ""


async def _read_tags(engine: Engine, name: str) -> VocabularyTags | None:
    tell = getattr(engine, "vocabulary", None)
    if tell is None:
        return None
    from reflectty.reasoning.token_types import tags_of

    try:
        async with asyncio.timeout(VOCABULARY_TIMEOUT_SECONDS):
            vocabulary: Vocabulary = await tell(name)
    except (ReflecttyError, TimeoutError):
        return None
    return tags_of(vocabulary)


def _parse_tags(text: str) -> VocabularyTags | None:
    try:
        own, lost = json.loads(text)
        return VocabularyTags(tuple(map(str, own)), tuple(map(str, lost)))
    except (ValueError, TypeError):
        return None


CHOOSE_HINT: Final = "-m NAME chooses another once, reflect config set model NAME for good"
MAX_INSPECTED: Final = 8
"""So many models are looked at closely where nobody named one: a list may not tell what they can do."""
MAX_NAMED: Final = 3
VISION_HINT: Final = "`reflect models` names those with vision"
NO_MODEL_INSTALLED: Final = "no model is installed on the server"


async def find_model(
    engine: Engine,
    name: str,
    note: Callable[[str], None],
    ask_options: AskOptions | None = None,
    *,
    needs_vision: bool = False,
) -> Model:
    """Return the model named, or the installed one that suits best, and say which.

    A model that runs elsewhere than on the server is taken only where it is named, and so is none that cannot answer.

    Args:
        engine: who answers.
        name: the model; nothing where nobody named one.
        note: told which one was chosen, and why.
        ask_options: how it will be asked, where that is known: it decides whether its vocabulary is of use.
        needs_vision: whether it is to see pictures, where it is chosen.

    Raises:
        ModelMissingError: it is not installed, or none is that can be asked.
        RefusedError: it gives no answers.
    """
    if name:
        return await _load_tags_if_undecided(engine, _require_chat_model(await engine.show(name)), ask_options)
    listed = await engine.models()
    chosen = await _find_best(engine, listed, needs_vision=needs_vision)
    if chosen is None:
        raise await _no_model_error(engine, listed, needs_vision=needs_vision)
    if not chosen.notices:
        note(f"using {chosen.name}, {selection_reason(chosen)}, since no model was named: {CHOOSE_HINT}")
    return await _load_tags_if_undecided(engine, chosen, ask_options)


async def _load_tags_if_undecided(engine: Engine, model: Model, ask_options: AskOptions | None) -> Model:
    """Return a model with what its vocabulary says, unless the wish says by itself how it is asked and read."""
    settles = ask_options is not None and (
        ask_options.mode in {Mode.REFLECT, Mode.DIRECT} or ask_options.family is not None
    )
    return model if settles else await load_needed_tags(engine, model)


def _require_chat_model(model: Model) -> Model:
    what = non_chat_kind_of(model)
    if what:
        raise RefusedError(f"{model.name} is {what}, it cannot answer", "`reflect models` lists those that can")
    return model


async def _find_best(engine: Engine, listed: Sequence[Model], *, needs_vision: bool) -> Model | None:
    """Return the best of the models that a closer look finds able; one that the server cannot show is passed over.

    Raises:
        ReflecttyError: the server is not reached; or it could show none of them, and this is why.
    """
    problem = None
    for one in [model for model in rank_candidates(listed) if not (needs_vision and is_text_only(model))][
        :MAX_INSPECTED
    ]:
        try:
            # What an engine picked itself is an id, which is asked for as it is listed.
            shown = await engine.show(short_name_of(one.name, whole=bool(one.selection_reason)))
        except BusyError:
            raise
        except RefusedError as error:
            problem = problem or error
            continue
        if not (non_chat_kind_of(shown) or remote_host_of(shown) or (needs_vision and is_text_only(shown))):
            return shown._replace(digest=one.digest, notices=one.notices, selection_reason=one.selection_reason)
    if problem:
        raise problem
    return None


def is_text_only(model: Model) -> bool:
    """Whether a model is known not to see pictures.

    A server that tells what a model can do tells of completion first; others leave it to the model.
    """
    return "completion" in model.capabilities and "vision" not in model.capabilities


async def _no_model_error(engine: Engine, listed: Sequence[Model], *, needs_vision: bool) -> RefusedError:
    """Return the error for a server that has no model to be asked."""
    if needs_vision and rank_candidates(listed):
        return RefusedError("no installed model can see images", VISION_HINT)
    if not getattr(engine, "pulls", True):
        return ModelMissingError("the server lists no model that can chat", "-m NAME asks for one all the same")
    from reflectty.models.recommendation import pull_hint_for

    return ModelMissingError(no_model_reason(listed), await pull_hint_for(engine))


def no_model_reason(listed: Iterable[Model]) -> str:
    """Return in a sentence why none of the models that a server lists is asked unless it is named."""
    found = tuple(listed)
    if not found:
        return NO_MODEL_INSTALLED
    cloud = [model for model in found if remote_host_of(model)]
    others = [model for model in found if not remote_host_of(model)]
    reasons = [
        *([f"{_join_names(others)} cannot answer (embedding)"] if others else []),
        *(
            [f"{_join_names(cloud)} would send what you ask to {remote_host_of(cloud[0])}, and has to be named"]
            if cloud
            else []
        ),
    ]
    return f"no installed model can be asked: {'; '.join(reasons)}"


def _join_names(models: Sequence[Model]) -> str:
    names = [short_name_of(model.name) for model in models[:MAX_NAMED]]
    more = len(models) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")
