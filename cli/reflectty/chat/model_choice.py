"""Picks the model to ask and reads which thinking tags its vocabulary has.

Ollama answers /api/show with `verbose` in some tenths of a second and with tens of megabytes, so the vocabulary is
read only where it can change the result: for a model whose thinking the server does not separate.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Final

from reflectty import config
from reflectty.core.errors import BusyError, ModelMissingError, ReflecttyError, RefusedError
from reflectty.core.messages import VocabularyTags
from reflectty.core.model_names import remote_host_of, short_name_of
from reflectty.reasoning.families import family_of_model
from reflectty.reasoning.modes import Mode, family_in_template, non_chat_kind_of, rank_candidates, selection_reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from reflectty.core.messages import Engine, Model
    from reflectty.reasoning.modes import AskOptions


VOCABULARY_TIMEOUT_SECONDS: Final = 10.0
"""Seconds after which reading a vocabulary is given up; its tags stay unknown."""
LIST_TIMEOUT_SECONDS: Final = 15.0
"""Seconds that a list of models waits for vocabularies not read before; the next list reads the rest."""
MAX_PARALLEL_READS: Final = 2
"""Vocabularies read at the same time; each takes some hundred megabytes while it is read."""


async def load_needed_tags(engine: Engine, model: Model) -> Model:
    """Load a model's tags from its vocabulary if only they can show whether it reflects by itself.

    A model without a cache key is left as it is, since every question would read its vocabulary again.
    """
    known = family_in_template(model) or family_of_model(model.name)
    return model if known or not _cache_key(model) else await load_tags(engine, model)


async def load_tags(engine: Engine, model: Model) -> Model:
    """Load a model's tags from its vocabulary, unless they cannot affect how it is asked."""
    if model.tags is not None or not _can_use_tags(model):
        return model
    tags = load_cached_tags(model).tags
    if tags is None:
        tags = await _read_tags(engine, model.name)
        if _cache_key(model) and tags is not None:
            config.remember_note(_cache_topic(), _cache_key(model), json.dumps(tags))
    return model._replace(tags=tags)


def load_cached_tags(model: Model) -> Model:
    """Add the cached tags of a model, without a request."""
    key = _cache_key(model)
    found = config.recall_note(_cache_topic(), key) if key and _can_use_tags(model) else ""
    return model._replace(tags=_parse_tags(found)) if found else model


def _cache_topic() -> str:
    from reflectty.reasoning.token_types import tag_set_version

    return f"tags-{tag_set_version()}"


async def load_all_tags(engine: Engine, models: Sequence[Model]) -> tuple[Model, ...]:
    """Load the tags of several models, some at a time; models that take too long stay as they are."""
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
    """True if a model's tags are useful; the server's parser reads those of a natively thinking model."""
    answers = "completion" in model.capabilities or not model.capabilities
    return answers and "thinking" not in model.capabilities


def _cache_key(model: Model) -> str:
    """The cache key of a model's vocabulary, shared by the variants of one file; empty if there is none."""
    if model.weights_digest or model.digest:
        return model.weights_digest or model.digest
    return "@".join((*model.name.split(), model.modified_at)) if model.modified_at else ""


async def _read_tags(engine: Engine, name: str) -> VocabularyTags | None:
    from reflectty.reasoning.token_types import tags_of

    try:
        async with asyncio.timeout(VOCABULARY_TIMEOUT_SECONDS):
            vocabulary = await engine.vocabulary(name)
    except (ReflecttyError, TimeoutError):
        return None
    return tags_of(vocabulary)


def _parse_tags(text: str) -> VocabularyTags | None:
    try:
        own, lost = json.loads(text)
        return VocabularyTags(tuple(map(str, own)), tuple(map(str, lost)))
    except (ValueError, TypeError):
        return None


CHOOSE_HINT: Final = "-m NAME to use another once, reflect config set model NAME to set a default"
MAX_INSPECTED: Final = 8
"""Models inspected when none is named: a list may not include their capabilities."""
MAX_NAMED: Final = 3
NO_MODEL_INSTALLED: Final = "no model is installed on the server"


async def find_model(
    engine: Engine, ask_options: AskOptions, note: Callable[[str], None], *, needs_vision: bool = False
) -> Model:
    """Look up the named model, or pick the best installed one and note it.

    Models on remote hosts are never picked, only used by name.

    Args:
        engine: the engine that answers.
        ask_options: the model's name, and how it will be asked: some options make its vocabulary irrelevant.
        note: called with the picked model and the reason.
        needs_vision: whether a picked model must see images.

    Raises:
        ModelMissingError: the model is not installed, or no installed model can be asked.
        RefusedError: the model cannot chat.
    """
    if ask_options.model:
        model = _require_chat_model(await engine.show(ask_options.model))
        return await _load_tags_if_undecided(engine, model, ask_options)
    listed = await engine.models()
    chosen = await _find_best(engine, listed, needs_vision=needs_vision)
    if chosen is None:
        raise await _no_model_error(engine, listed, needs_vision=needs_vision)
    # What stands in for a server reports itself.
    if not (chosen.notices or engine.using_fallback):
        reason = selection_reason(chosen) + (" that sees images" if needs_vision and not is_text_only(chosen) else "")
        note(f"using {chosen.name}, {reason}, because no model is set: {CHOOSE_HINT}")
    return await _load_tags_if_undecided(engine, chosen, ask_options)


async def _load_tags_if_undecided(engine: Engine, model: Model, ask_options: AskOptions) -> Model:
    """Load the needed tags of a model, unless the ask options determine the plan."""
    settles = ask_options.mode in {Mode.REFLECT, Mode.DIRECT} or ask_options.family is not None
    return model if settles else await load_needed_tags(engine, model)


def _require_chat_model(model: Model) -> Model:
    what = non_chat_kind_of(model)
    if what:
        raise RefusedError(f"{model.name} is {what} and cannot chat", "`reflect models` lists those that can")
    return model


async def _find_best(engine: Engine, listed: Sequence[Model], *, needs_vision: bool) -> Model | None:
    """The best model that proves able on inspection; models that the server cannot show are skipped.

    Raises:
        ReflecttyError: the server is unreachable, or could show none of the models (the first error).
    """
    problem = None
    able = [model for model in rank_candidates(listed) if not (needs_vision and is_text_only(model))]
    # The models that see may rank last, behind many that a list without capabilities does not tell from them.
    for one in able if needs_vision else able[:MAX_INSPECTED]:
        try:
            # An engine that picks a model itself lists an id, which is used unchanged.
            details = await engine.show(short_name_of(one.name, whole=bool(one.selection_reason)))
        except BusyError:
            raise
        except RefusedError as error:
            problem = problem or error
            continue
        if not (non_chat_kind_of(details) or remote_host_of(details) or (needs_vision and is_text_only(details))):
            return details._replace(digest=one.digest, notices=one.notices, selection_reason=one.selection_reason)
    if problem:
        raise problem
    return None


def is_text_only(model: Model) -> bool:
    """True if a model is known not to see images.

    Servers that report capabilities include `completion`; for others the capability is unknown.
    """
    return "completion" in model.capabilities and "vision" not in model.capabilities


async def blind_model_error(engine: Engine, model: Model) -> RefusedError:
    """The error for images that a named model cannot see; the hint names an installed one that can, or one to pull."""
    from reflectty.models.recommendation import vision_hint_for

    try:
        seeing = await _find_best(engine, await engine.models(), needs_vision=True)
    except ReflecttyError:
        seeing = None
    hint = f"-m {short_name_of(seeing.name)} can" if seeing else await vision_hint_for(engine)
    return RefusedError(f"{model.name} cannot see images", hint)


async def _no_model_error(engine: Engine, listed: Sequence[Model], *, needs_vision: bool) -> RefusedError:
    """The error for a server without a usable model."""
    if needs_vision and rank_candidates(listed):
        from reflectty.models.recommendation import vision_hint_for

        return RefusedError("no installed model can see images", await vision_hint_for(engine))
    if not engine.manages_models:
        return ModelMissingError("the server lists no chat model", "use -m NAME to try one anyway")
    from reflectty.models.recommendation import pull_hint_for

    return ModelMissingError(no_model_reason(listed), await pull_hint_for(engine))


def no_model_reason(listed: Iterable[Model]) -> str:
    """The reason, as a clause, why none of a server's models is picked."""
    found = tuple(listed)
    if not found:
        return NO_MODEL_INSTALLED
    cloud = [model for model in found if remote_host_of(model)]
    others = [model for model in found if not remote_host_of(model)]
    reasons = [
        *([f"{_join_names(others)} cannot chat (embedding only)"] if others else []),
        *(
            [f"{_join_names(cloud)} would send prompts to {remote_host_of(cloud[0])} and must be named explicitly"]
            if cloud
            else []
        ),
    ]
    return f"no installed model can be used: {'; '.join(reasons)}"


def _join_names(models: Sequence[Model]) -> str:
    names = [short_name_of(model.name) for model in models[:MAX_NAMED]]
    more = len(models) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")
