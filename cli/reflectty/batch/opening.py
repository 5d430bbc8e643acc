"""Finds out which servers can answer before the first line is asked; starts nothing and waits for none that is away."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

from reflectty.errors import IncompleteError, ModelMissingError, ReflecttyError, StalledError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from reflectty.batch.roster import Roster
    from reflectty.batch.server import Server
    from reflectty.chat import Model

    Look = Callable[[Server, str], Awaitable[Model]]

SILENT_SECONDS: Final = 10.0
"""How long one of several servers may take to say what it knows of a model; of a single one, when that is told."""
SILENT: Final = "{server} has sent nothing for {seconds:.0f} s: it is waited for as long as for a reply (--timeout)"


async def open_servers(servers: Sequence[Server], roster: Roster, model: str, note: Callable[[str], None]) -> str:
    """Return the model that all are to answer with, and note in the roster who can.

    Args:
        servers: who may be asked.
        roster: what is known of them, in the same order.
        model: the model that was named; where none was, the best one of the first server that answers.
        note: told who is left out, and why.

    Raises:
        ReflecttyError: nobody can answer; the error of the one that came closest.
    """
    found: list[ReflecttyError | None] = []
    # One that is silent must not keep the others from beginning.
    look = _in_time if len(servers) > 1 else partial(_patiently, note=note)
    if not model:
        model, found = await _chosen(servers, look)
    found += await asyncio.gather(*(_tried(server, model, look) for server in servers[len(found) :]))
    errors = [error for error in found if error]
    if len(errors) == len(servers):
        raise min(errors, key=_distance)
    for at, error in enumerate(found):
        if error:
            note(_left_out(roster, at, servers[at].name, model, error))
    able = [server for server, error in zip(servers, found, strict=True) if not error]
    for text in await _versions(able, model):
        note(text)
    return model


async def _versions(servers: Sequence[Server], model: str) -> tuple[str, ...]:
    """Return what is to be said where a model is not the same one everywhere."""
    if len(servers) == 1:
        return ()
    digests = await asyncio.gather(*(_digest(server, model) for server in servers))
    first = next(((server, digest) for server, digest in zip(servers, digests, strict=True) if digest), None)
    if first is None:
        return ()
    return tuple(
        f"{model} is not the same version on {server.name} as on {first[0].name}; both answer"
        for server, digest in zip(servers, digests, strict=True)
        if digest and digest != first[1]
    )


async def _digest(server: Server, model: str) -> str:
    """Return which version of a model a server has; nothing where it does not tell in time."""
    try:
        async with asyncio.timeout(SILENT_SECONDS):
            return await server.digest(model)
    except TimeoutError:
        return ""


async def _chosen(servers: Sequence[Server], look: Look) -> tuple[str, list[ReflecttyError | None]]:
    """Return the best model of the first server that answers, and how those fared that were asked for it."""
    errors: list[ReflecttyError | None] = []
    for server in servers:
        try:
            model = await look(server, "")
        except ReflecttyError as error:
            errors.append(error)
        else:
            return model.name, [*errors, None]
    return "", errors


async def _tried(server: Server, model: str, look: Look) -> ReflecttyError | None:
    try:
        await look(server, model)
    except ReflecttyError as error:
        return error
    return None


async def _in_time(server: Server, model: str) -> Model:
    """Return what a server knows of a model.

    Raises:
        StalledError: it says nothing in time.
    """
    try:
        async with asyncio.timeout(SILENT_SECONDS):
            return await server.model(model)
    except TimeoutError as error:
        raise StalledError(f"it sent nothing for {SILENT_SECONDS:g} s", "ask again") from error


async def _patiently(server: Server, model: str, note: Callable[[str], None]) -> Model:
    """Return the same, and say what is waited for where it takes its time."""
    text = SILENT.format(server=server.name, seconds=SILENT_SECONDS)
    telling = asyncio.get_running_loop().call_later(SILENT_SECONDS, note, text)
    try:
        return await server.model(model)
    finally:
        telling.cancel()


def _distance(error: ReflecttyError) -> int:
    """Return how far a server was from answering: one that lacks the model would do with it."""
    kinds = (ModelMissingError, UnreachableError)
    return 0 if isinstance(error, kinds[0]) else 2 if isinstance(error, kinds[1]) else 1


def _left_out(roster: Roster, at: int, name: str, model: str, error: ReflecttyError) -> str:
    """Note that a server cannot answer; return what is to be said of it."""
    place = roster.places[at]
    if isinstance(error, ModelMissingError):
        place.lacks.add(model)
        return f"{name} does not have {model}, so it is left out"
    if isinstance(error, UnreachableError | IncompleteError):
        place.away = True
        return f"{name} does not answer yet: the others begin ({error})"
    place.slots = 0
    return f"{name} is left out: {error}"
