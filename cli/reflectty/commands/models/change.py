"""`reflect models copy|remove|load|unload|pull`: changes the models on a server."""

from __future__ import annotations

import json
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated

import typer

from reflectty import config
from reflectty.commands import console
from reflectty.commands.models import options as args
from reflectty.commands.options import (
    Host,
    KeepAlive,
)
from reflectty.core.errors import StoppedError, UsageError
from reflectty.core.model_names import short_name_of
from reflectty.core.named_tuple import NamedTuple
from reflectty.core.text import format_bytes, format_duration
from reflectty.models.installed import TransferProgress
from reflectty.output import write_remark
from reflectty.output.live_region import TransferProgressLine
from reflectty.system.terminal import BROKEN_PIPE_EXIT_CODE
from reflectty.view.model import gpu_advice_of, placement_of

if TYPE_CHECKING:
    from reflectty.core.messages import RunningModel
    from reflectty.models.installed import InstalledModel
    from reflectty.models.manager import ModelLibrary
    from reflectty.system.terminal import Terminal


Target = Annotated[str, typer.Argument(metavar="NAME", help="The name of the copy.", show_default=False)]


def copy(  # noqa: PLR0913, PLR0917 - every option of the command is one
    context: typer.Context,
    name: args.Name,
    target: Target,
    force: args.Force = False,
    host: Host = "",
    as_json: console.AsJson = False,
) -> None:
    """Give a model a second name; uses no extra disk space."""
    terminal: Terminal = context.obj
    source, copy_name = args.model_name_of(name), args.model_name_of(target)

    async def work(library: ModelLibrary) -> None:
        if not force and await library.is_installed(copy_name):
            raise UsageError(f"{copy_name} already exists", "--force to overwrite")
        await library.copy(source, copy_name)

    args.run_with_library(terminal, host, work)
    if as_json:
        _print_json({"name": copy_name, "from": source}, terminal)
    console.info(terminal, f"copied {source} to {copy_name}")


def remove(
    context: typer.Context,
    names: args.Names,
    yes: console.Yes = False,
    host: Host = "",
    as_json: console.AsJson = False,
) -> None:
    """Remove models from the server for good."""
    terminal: Terminal = context.obj
    console.require_yes(terminal, "models", yes=yes)
    wanted_names = tuple(dict.fromkeys(short_name_of(args.model_name_of(name)) for name in names))

    async def find(library: ModelLibrary) -> tuple[InstalledModel, ...]:
        return tuple([await library.find(name) for name in wanted_names])

    async def remove_found(library: ModelLibrary) -> None:
        for one in found:
            await library.remove(one.name)

    found = args.run_with_library(terminal, host, find)
    # No connection stays open during the confirmation.
    if not yes and not console.confirm(terminal, map(_describe, found)):
        console.end_without_effect(terminal, "nothing was removed")
    args.run_with_library(terminal, host, remove_found)
    if as_json:
        _print_json([{"name": one.name, "size": one.model.size} for one in found], terminal)
    for one in found:
        console.info(terminal, f"removed {one.short_name}")


def _describe(one: InstalledModel) -> str:
    loaded = ", loaded" if one.running else ""
    return f"{one.short_name}, {format_bytes(one.model.size)}{loaded}"


def load(
    context: typer.Context,
    name: args.Name,
    keep_alive: KeepAlive = "",
    host: Host = "",
    as_json: console.AsJson = False,
) -> None:
    """Load a model and show where it runs."""
    terminal: Terminal = context.obj
    model_name = args.model_name_of(name)

    settings = config.load_settings()

    async def work(library: ModelLibrary) -> tuple[RunningModel | None, str]:
        loaded = await library.load(model_name, keep_alive or settings.keep_alive, settings.options)
        # The built-in model always runs on the CPU.
        return loaded, gpu_advice_of(loaded, model_name) if loaded and not library.is_built_in else ""

    running, advice = args.run_with_library(terminal, host, work, model=model_name)
    if as_json:
        from reflectty.export.json import running_object

        _print_json({"name": model_name, "loaded": running_object(running) if running else None}, terminal)
    text = (
        f"{model_name} is loaded: {placement_of(running)}"
        if running
        else f"{model_name} was loaded but did not stay loaded"
    )
    console.info(terminal, text)
    if advice:
        console.info(terminal, advice)


def unload(context: typer.Context, name: args.Name, host: Host = "", as_json: console.AsJson = False) -> None:
    """Unload a model; it stays installed."""
    terminal: Terminal = context.obj
    model_name = args.model_name_of(name)

    async def work(library: ModelLibrary) -> bool:
        return await library.unload(model_name)

    was_loaded = args.run_with_library(terminal, host, work, model=model_name)
    if as_json:
        _print_json({"name": model_name, "unloaded": was_loaded}, terminal)
    console.info(terminal, f"unloaded {model_name}" if was_loaded else f"{model_name} was not loaded")


def _print_json(value: object, terminal: Terminal) -> None:
    from reflectty.export.json import dump_json

    terminal.out.write(dump_json(value))


Insecure = Annotated[bool, typer.Option("--insecure", help="Let the server use plain HTTP to reach the registry.")]
AsJsonl = Annotated[bool, typer.Option("--jsonl", help="Print the server's progress as JSON lines, then the object.")]
LARGE_LAYER_BYTES = 100_000_000
"""The size of a layer above which the pull estimates whether the model fits."""
STOPPED_NOTE = "stopped: progress is kept, run the same command to continue"


def pull(  # noqa: PLR0913, PLR0917 - every option of the command is one
    context: typer.Context,
    name: args.Name,
    insecure: Insecure = False,
    context_length: args.ContextLength = None,
    host: Host = "",
    as_json: console.AsJson = False,
    jsonl: AsJsonl = False,
) -> None:
    """Download or update a model.

    Nothing is downloaded twice: a stopped pull continues where it left off.
    """
    console.exclusive((("--json", as_json), ("--jsonl", jsonl)), "--jsonl includes the object")
    terminal: Terminal = context.obj
    model_name = args.model_name_of(name)
    line = TransferProgressLine(terminal, console.load_theme(terminal), f"pulling {model_name}")
    job = _PullJob(model_name, insecure, context_length or 0, terminal, line, TransferProgress(), jsonl)

    async def work(library: ModelLibrary) -> bool:
        before = await library.digest_of(model_name)
        await _fetch(library, job, estimates_fit=terminal.err.tty and not (as_json or jsonl))
        return not before or before != await library.digest_of(model_name)

    try:
        changed = args.run_with_library(terminal, host, work)
    except StoppedError as error:
        line.stop()
        if error.exit_code != BROKEN_PIPE_EXIT_CODE:
            write_remark(terminal, STOPPED_NOTE)
        raise
    finally:
        line.stop()
    _report(job, changed=changed, as_json=as_json or jsonl)


class _PullJob(NamedTuple):
    """The model to pull, and where to show the progress."""

    name: str
    insecure: bool
    context_length: int
    terminal: Terminal
    line: TransferProgressLine
    transfer: TransferProgress
    prints_lines: bool
    """Whether to print the server's progress as JSON lines."""


async def _fetch(library: ModelLibrary, job: _PullJob, *, estimates_fit: bool) -> None:
    async with aclosing(library.pull(job.name, insecure=job.insecure)) as progress:
        async for part in progress:
            job.transfer.feed(part)
            if estimates_fit and part.total > max(LARGE_LAYER_BYTES, part.completed):
                estimates_fit = False
                job.line.stop()
                write_remark(job.terminal, await _describe_fit(library, job, part.total))
            job.line.show(job.transfer)
            if job.prints_lines:
                job.terminal.out.write(json.dumps(part._asdict()) + "\n")


async def _describe_fit(library: ModelLibrary, job: _PullJob, size_in_bytes: int) -> str:
    """The estimated fit of a model, whose size is known only once the server reports it."""
    from reflectty.models.fit import fit_download
    from reflectty.view.memory_fit import describe_placement

    hardware, running = await args.find_hardware(library), await library.list_loaded()
    placement = fit_download(job.name, size_in_bytes, hardware, running, job.context_length)
    return f"{job.name}, {format_bytes(size_in_bytes)}, rough estimate: {'; '.join(describe_placement(placement))}"


def _report(job: _PullJob, *, changed: bool, as_json: bool) -> None:
    name, transfer = job.name, job.transfer
    if as_json:
        from reflectty.export.json import (
            dump_json,
            transfer_object,
        )

        job.terminal.out.write(dump_json(transfer_object(name, transfer, changed=changed)))
    amount = f", {format_bytes(transfer.new_bytes)}," if transfer.new_bytes else ""
    pulled = f"pulled {name}{amount} in {format_duration(transfer.seconds)}"
    console.info(job.terminal, pulled if changed else f"{name} is already up to date")
