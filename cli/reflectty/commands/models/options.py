"""Options of `reflect models`, and the calls that open a library for one command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from reflectty import config
from reflectty.commands.ask_options import decode_argument
from reflectty.core.errors import IncompleteError, ModelMissingError, ReflecttyError, UnreachableError, UsageError
from reflectty.core.model_names import checked_name, remote_host_of
from reflectty.core.model_spec import is_mini
from reflectty.engines import EngineName, address_of, is_built_in, manages_models
from reflectty.engines.embedded import is_installed
from reflectty.models.manager import open_model_library
from reflectty.output import write_remark
from reflectty.system.signals import run_interruptible

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from reflectty.engines.openai import OpenAIEngine
    from reflectty.models.fit import Placement, ServerHardware
    from reflectty.models.installed import InstalledModel
    from reflectty.models.manager import ModelLibrary
    from reflectty.system.terminal import Terminal

T = TypeVar("T")
NOT_OLLAMA = "this is not an Ollama server"
FIXED_MODELS_HINT = "use --engine openai with reflect models list and show to see the models it serves"

Name = Annotated[str, typer.Argument(metavar="MODEL", help="The model.", show_default=False)]
Names = Annotated[list[str], typer.Argument(metavar="MODEL...", help="The models.", show_default=False)]
Force = Annotated[bool, typer.Option("--force", help="Overwrite an existing model.")]
ContextLength = Annotated[
    int | None,
    typer.Option(
        "--context",
        metavar="TOKENS",
        min=1,
        help="The context length to estimate for.",
        show_default="chosen by the server",
    ),
]


def run_with_library(  # noqa: PLR0913 - each is a separate option of the commands
    terminal: Terminal,
    host: str,
    work: Callable[[ModelLibrary], Coroutine[Any, Any, T]],
    profile: str = "",
    engine: str = "",
    *,
    model: str = "",
) -> T:
    """Open the library of a server, run `work` with it and return the result.

    If `model` is mini, and neither an option names the server nor the server has one, `work` gets the built-in model.

    Raises:
        UsageError: the server is not Ollama, so its models cannot be changed; errors of `work` pass through.
    """
    selected = config.load_settings(profile=profile, engine=engine)
    is_embedded = not host and is_built_in(selected.engine)
    settings = config.load_settings(profile=profile, engine=engine if is_embedded else "ollama")

    async def main() -> T:
        library = open_model_library(
            host or settings.host, engine=settings.engine, api_key=settings.api_key, timeouts=settings.timeouts
        )
        if library.engine.warning:
            write_remark(terminal, library.engine.warning)
        async with library:
            return await work(library)

    try:
        result = run_interruptible(main())
    except (UnreachableError, ModelMissingError) as error:
        if is_mini(model) and is_installed() and not host:
            return run_with_builtin(work)
        if not isinstance(error, UnreachableError):
            raise
        # Even with the engine `openai`, the host may be an Ollama server.
        if manages_models(selected.engine) and NOT_OLLAMA not in str(error):
            raise
        kind = run_interruptible(describe_server(selected, host))
        if not kind:
            raise
        raise UsageError(f"models can only be managed on an Ollama server, but {kind}", FIXED_MODELS_HINT) from error
    if not (is_embedded or config.has_server_answered()):
        config.remember_server_answered()
    return result


def run_with_builtin(work: Callable[[ModelLibrary], Coroutine[Any, Any, T]]) -> T:
    """Run `work` with the built-in model and return the result."""

    async def main() -> T:
        async with open_model_library(engine=EngineName.EMBEDDED) as library:
            return await work(library)

    return run_interruptible(main())


async def describe_server(settings: config.Settings, host: str) -> str:
    """The address and kind of a server that is not Ollama; empty if it is not OpenAI-compatible either."""
    engine = make_openai_engine(settings, host)
    try:
        async with engine:
            version = await engine.version()
            if not engine.software:
                await engine.models()
    except ReflecttyError:
        return ""
    software = f"{engine.software} {version}".rstrip() if engine.software else "an OpenAI-compatible server"
    return f"{engine.address} is {software}"


def make_openai_engine(settings: config.Settings, host: str) -> OpenAIEngine:
    """The engine of an OpenAI-compatible server, for use in `async with`."""
    from reflectty.engines.openai import OpenAIEngine

    address = address_of(host or settings.host, settings.engine, key_over_http=settings.api_key_over_http)
    if manages_models(settings.engine):
        address = address.with_api_path("/v1", trusted=settings.api_key_over_http)
    return OpenAIEngine(address, timeouts=settings.timeouts, api_key=config.load_api_key(settings))


async def estimate_fit(library: ModelLibrary, one: InstalledModel, context: int | None) -> Placement | None:
    """Estimate how an installed model fits its server; None if the server reports too little or does not run it."""
    if remote_host_of(one.model):
        return None
    try:
        return await library.fit(one, await find_hardware(library), context or 0)
    except IncompleteError:
        return None


async def find_hardware(library: ModelLibrary) -> ServerHardware:
    """The hardware of the server; unknown if the server is not on this machine."""
    from reflectty.models.hardware import detect_hardware

    return await detect_hardware(local=library.engine.local)


def model_name_of(argument: str) -> str:
    """An argument as the name of a model.

    Raises:
        UsageError: it is not a valid name.
    """
    return checked_name(decode_argument(argument))
