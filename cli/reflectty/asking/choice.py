"""Finds the model that is asked: the one named, or the best one that is able to; asks it nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reflectty.asking.tags import made_for
from reflectty.cloud import elsewhere
from reflectty.errors import BusyError, ModelMissingError, RefusedError
from reflectty.modes import Mode, candidates, merit, unable
from reflectty.names import short

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from reflectty.chat import Engine, Model
    from reflectty.modes import Wish

CHOOSES: Final = "-m NAME chooses another once, reflect config set model NAME for good"
MOST_LOOKED_AT: Final = 8
"""So many models are looked at closely where nobody named one: a list may not tell what they can do."""
MOST_NAMED: Final = 3
BLIND: Final = "`reflect models` names those with vision"
NONE: Final = "no model is installed on the server"


async def find_model(
    engine: Engine, name: str, note: Callable[[str], None], wish: Wish | None = None, *, sees: bool = False
) -> Model:
    """Return the model named, or the installed one that suits best, and say which.

    A model that runs elsewhere than on the server is taken only where it is named, and so is none that cannot answer.

    Args:
        engine: who answers.
        name: the model; nothing where nobody named one.
        note: told which one was chosen, and why.
        wish: how it will be asked, where that is known: it decides whether its vocabulary is of use.
        sees: whether it is to see pictures, where it is chosen.

    Raises:
        ModelMissingError: it is not installed, or none is that can be asked.
        RefusedError: it gives no answers.
    """
    if name:
        return await _known(engine, _answering(await engine.show(name)), wish)
    listed = await engine.models()
    chosen = await _best(engine, listed, sees=sees)
    if chosen is None:
        raise await _nobody(engine, listed, sees=sees)
    if not chosen.notices:
        note(f"using {chosen.name}, {merit(chosen)}, since no model was named: {CHOOSES}")
    return await _known(engine, chosen, wish)


async def _known(engine: Engine, model: Model, wish: Wish | None) -> Model:
    """Return a model with what its vocabulary says, unless the wish says by itself how it is asked and read."""
    settles = wish is not None and (wish.mode in {Mode.REFLECT, Mode.DIRECT} or wish.family is not None)
    return model if settles else await made_for(engine, model)


def _answering(model: Model) -> Model:
    what = unable(model)
    if what:
        raise RefusedError(f"{model.name} is {what}, it cannot answer", "`reflect models` lists those that can")
    return model


async def _best(engine: Engine, listed: Sequence[Model], *, sees: bool) -> Model | None:
    """Return the best of the models that a closer look finds able; one that the server cannot show is passed over.

    Raises:
        ReflecttyError: the server is not reached; or it could show none of them, and this is why.
    """
    problem = None
    for one in [model for model in candidates(listed) if not (sees and is_blind(model))][:MOST_LOOKED_AT]:
        try:
            # What an engine picked itself is an id, which is asked for as it is listed.
            shown = await engine.show(short(one.name, whole=bool(one.merit)))
        except BusyError:
            raise
        except RefusedError as error:
            problem = problem or error
            continue
        if not (unable(shown) or elsewhere(shown) or (sees and is_blind(shown))):
            return shown._replace(digest=one.digest, notices=one.notices, merit=one.merit)
    if problem:
        raise problem
    return None


def is_blind(model: Model) -> bool:
    """Whether a model is known not to see pictures.

    A server that tells what a model can do tells of completion first; others leave it to the model.
    """
    return "completion" in model.capabilities and "vision" not in model.capabilities


async def _nobody(engine: Engine, listed: Sequence[Model], *, sees: bool) -> RefusedError:
    """Return the error for a server that has no model to be asked."""
    if sees and candidates(listed):
        return RefusedError("no installed model can see images", BLIND)
    if not getattr(engine, "pulls", True):
        return ModelMissingError("the server lists no model that can chat", "-m NAME asks for one all the same")
    from reflectty.library.first import to_pull  # noqa: PLC0415 - only who has no model needs advice

    return ModelMissingError(none_answers(listed), await to_pull(engine))


def none_answers(listed: Iterable[Model]) -> str:
    """Return in a sentence why none of the models that a server lists is asked unless it is named."""
    found = tuple(listed)
    if not found:
        return NONE
    cloud = [model for model in found if elsewhere(model)]
    others = [model for model in found if not elsewhere(model)]
    reasons = [
        *([f"{_names(others)} cannot answer (embedding)"] if others else []),
        *([f"{_names(cloud)} would send what you ask to {elsewhere(cloud[0])}, and has to be named"] if cloud else []),
    ]
    return f"no installed model can be asked: {'; '.join(reasons)}"


def _names(models: Sequence[Model]) -> str:
    names = [short(model.name) for model in models[:MOST_NAMED]]
    more = len(models) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")
