"""What the subcommands of `reflect models` share: arguments, and the library for one call; nothing is done here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from reflectty import config
from reflectty.cloud import elsewhere
from reflectty.commands.arguments import decoded
from reflectty.engines import EngineName, address_of
from reflectty.errors import IncompleteError, ReflecttyError, UnreachableError, UsageError
from reflectty.interrupts import run
from reflectty.library import checked_name, open_library
from reflectty.render.remark import remark

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from reflectty.engines.openai import OpenAIEngine
    from reflectty.library import Installed
    from reflectty.library.fit import Around, Fitted
    from reflectty.library.library import Library
    from reflectty.terminal import Terminal

T = TypeVar("T")
OTHER = "this is not an Ollama server"
SERVES = "it serves what it was started with; reflect models list and show look at that with --engine openai"

Name = Annotated[str, typer.Argument(metavar="MODEL", help="The model.", show_default=False)]
Names = Annotated[list[str], typer.Argument(metavar="MODEL...", help="The models.", show_default=False)]
Force = Annotated[bool, typer.Option("--force", help="Replace a model of that name.")]
Context = Annotated[
    int | None,
    typer.Option(
        "--context", metavar="TOKENS", min=1, help="The context to estimate for.", show_default="what the server picks"
    ),
]


def using(
    terminal: Terminal,
    host: str,
    work: Callable[[Library], Coroutine[Any, Any, T]],
    profile: str = "",
    engine: str = "",
) -> T:
    """Open the library of a server, do some work with it, and return what comes of it.

    Raises:
        UsageError: the server is of a kind whose models are none of ours to change; and what the work raises.
    """
    meant = config.load(profile=profile, engine=engine)
    alone = not host and meant.engine == EngineName.EMBEDDED
    settings = config.load(profile=profile, engine=engine if alone else "ollama")

    async def main() -> T:
        library = open_library(
            host or settings.host, engine=settings.engine, api_key=settings.api_key, timeouts=settings.timeouts
        )
        if library.engine.warning:
            remark(terminal, library.engine.warning)
        async with library:
            return await work(library)

    try:
        done = run(main())
    except UnreachableError as error:
        # Whoever asks a server by OpenAI's protocol may still have an Ollama there.
        if meant.engine != EngineName.OPENAI and OTHER not in str(error):
            raise
        kind = run(kind_of(meant, host))
        if not kind:
            raise
        raise UsageError(f"only an Ollama lets its models be managed, and {kind}", SERVES) from error
    if not (alone or config.server_known()):
        config.remember_server()
    return done


async def kind_of(settings: config.Settings, host: str) -> str:
    """Return what answers where no Ollama does, with its address; nothing where that is no server of ours either."""
    engine = opened(settings, host)
    try:
        async with engine:
            version = await engine.version()
            if not engine.kind:
                await engine.models()
    except ReflecttyError:
        return ""
    return (
        f"{engine.address} is {f'{engine.kind} {version}'.rstrip() if engine.kind else 'an OpenAI-compatible server'}"
    )


def opened(settings: config.Settings, host: str) -> OpenAIEngine:
    """Return the engine of an OpenAI-compatible server, to be used in `async with`."""
    from reflectty.engines.openai import OpenAIEngine  # noqa: PLC0415 - only where one is asked

    address = address_of(host or settings.host, settings.engine, key_over_http=settings.api_key_over_http)
    if settings.engine != EngineName.OPENAI:
        address = address.above("/v1", trusted=settings.api_key_over_http)
    return OpenAIEngine(address, timeouts=settings.timeouts, api_key=config.api_key(settings))


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
