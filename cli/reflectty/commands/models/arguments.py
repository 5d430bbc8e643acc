"""What the subcommands of `reflect models` share: arguments, and the library for one call; nothing is done here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from reflectty import config
from reflectty.cloud import elsewhere
from reflectty.commands.arguments import decoded
from reflectty.engines import EngineName
from reflectty.errors import IncompleteError
from reflectty.interrupts import run
from reflectty.library import checked_name, open_library
from reflectty.render.remark import remark

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from reflectty.library import Installed
    from reflectty.library.fit import Around, Fitted
    from reflectty.library.library import Library
    from reflectty.terminal import Terminal

T = TypeVar("T")

Name = Annotated[str, typer.Argument(metavar="MODEL", help="The model.", show_default=False)]
Names = Annotated[list[str], typer.Argument(metavar="MODEL...", help="The models.", show_default=False)]
Force = Annotated[bool, typer.Option("--force", help="Replace a model of that name.")]
Context = Annotated[
    int | None,
    typer.Option(
        "--context", metavar="TOKENS", min=1, help="The context to estimate for.", show_default="what the server picks"
    ),
]


def using(terminal: Terminal, host: str, work: Callable[[Library], Coroutine[Any, Any, T]]) -> T:
    """Open the library of a server, do some work with it, and return what comes of it."""
    alone = not host and config.load().engine == EngineName.EMBEDDED
    settings = config.load(engine="" if alone else "ollama")

    async def main() -> T:
        library = open_library(
            host or settings.host, engine=settings.engine, api_key=settings.api_key, timeouts=settings.timeouts
        )
        if library.engine.warning:
            remark(terminal, library.engine.warning)
        async with library:
            return await work(library)

    done = run(main())
    if not (alone or config.server_known()):
        config.remember_server()
    return done


async def fitting(library: Library, one: Installed, context: int | None) -> Fitted | None:
    """Return how an installed model fits its server; None where the server does not tell enough, or does not run it."""
    if elsewhere(one.model):
        return None
    from reflectty.library.fit import fitted  # noqa: PLC0415 - only an estimate needs it

    try:
        return await fitted(library, one, await around(library), context or 0)
    except IncompleteError:
        return None


async def around(library: Library) -> Around:
    """Return what is known of where a server runs; of one that runs elsewhere that is nothing."""
    from reflectty.library.first import around_here  # noqa: PLC0415 - only an estimate asks for the GPUs

    return await around_here(local=library.engine.local)


def named(argument: str) -> str:
    """Return an argument as the name of a model.

    Raises:
        UsageError: it cannot be one.
    """
    return checked_name(decoded(argument))
