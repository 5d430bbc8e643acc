"""`reflect models copy|remove|load|unload|pull`: changes the models on a server."""

from __future__ import annotations

import json
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated, NamedTuple

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
from reflectty.models.installed import TransferProgress
from reflectty.output import write_remark
from reflectty.output.live_region import TransferProgressLine
from reflectty.system.terminal import BROKEN_PIPE_EXIT_CODE
from reflectty.view.summary import format_duration
from reflectty.view.units import format_bytes, gpu_advice_of, placement_of

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
    source, wanted = args.model_name_of(name), args.model_name_of(target)

    async def work(library: ModelLibrary) -> None:
        if not force and await library.is_installed(wanted):
            raise UsageError(f"{wanted} already exists", "--force to overwrite")
        await library.copy(source, wanted)

    args.run_with_library(terminal, host, work)
    if as_json:
        _print_json({"name": wanted, "from": source}, terminal)
    console.info(terminal, f"copied {source} to {wanted}")


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
    wanted = tuple(dict.fromkeys(short_name_of(args.model_name_of(name)) for name in names))

    async def find(library: ModelLibrary) -> tuple[InstalledModel, ...]:
        return tuple([await library.find(name) for name in wanted])

    async def take_away(library: ModelLibrary) -> None:
        for one in found:
            await library.remove(one.name)

    found = args.run_with_library(terminal, host, find)
    # No connection stays open during the confirmation.
    if not yes and not console.confirm(terminal, map(_describe, found)):
        console.info(terminal, "nothing was removed")
        found = ()
    args.run_with_library(terminal, host, take_away)
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
    wanted = args.model_name_of(name)

    settings = config.load_settings()

    async def work(library: ModelLibrary) -> RunningModel | None:
        return await library.load(wanted, keep_alive or settings.keep_alive, settings.options)

    running = args.run_with_library(terminal, host, work)
    if as_json:
        from reflectty.export.json import running_object

        _print_json({"name": wanted, "loaded": running_object(running) if running else None}, terminal)
    told = f"{wanted} is loaded: {placement_of(running)}" if running else f"{wanted} was loaded but did not stay loaded"
    console.info(terminal, told)
    if running and gpu_advice_of(running, wanted):
        console.info(terminal, gpu_advice_of(running, wanted))


def unload(context: typer.Context, name: args.Name, host: Host = "", as_json: console.AsJson = False) -> None:
    """Unload a model; it stays installed."""
    terminal: Terminal = context.obj
    wanted = args.model_name_of(name)

    async def work(library: ModelLibrary) -> bool:
        return await library.unload(wanted)

    was = args.run_with_library(terminal, host, work)
    if as_json:
        _print_json({"name": wanted, "unloaded": was}, terminal)
    console.info(terminal, f"unloaded {wanted}" if was else f"{wanted} was not loaded")


def _print_json(value: object, terminal: Terminal) -> None:
    from reflectty.export.json import dump_json

    terminal.out.write(dump_json(value))


Insecure = Annotated[bool, typer.Option("--insecure", help="Let the server use plain HTTP to reach the registry.")]
AsJsonl = Annotated[bool, typer.Option("--jsonl", help="Print the server's progress as JSON lines, then the object.")]
LARGE_LAYER_BYTES = 100_000_000
"""Bytes of a layer from which on it is worth saying whether it fits."""
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
    wanted = args.model_name_of(name)
    line = TransferProgressLine(terminal, console.load_theme(terminal), f"pulling {wanted}")
    job = _PullJob(wanted, insecure, context_length or 0, terminal, line, TransferProgress(), jsonl)

    async def work(library: ModelLibrary) -> bool:
        before = await library.digest_of(wanted)
        await _fetch(library, job, weigh=terminal.err.tty and not (as_json or jsonl))
        return not before or before != await library.digest_of(wanted)

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
    """What is pulled, and where that is shown."""

    name: str
    insecure: bool
    context_length: int
    terminal: Terminal
    line: TransferProgressLine
    transfer: TransferProgress
    prints_lines: bool
    """Whether what the server says is printed as JSON."""


async def _fetch(library: ModelLibrary, job: _PullJob, *, weigh: bool) -> None:
    async with aclosing(library.pull(job.name, insecure=job.insecure)) as progress:
        async for part in progress:
            job.transfer.feed(part)
            if weigh and part.total > max(LARGE_LAYER_BYTES, part.completed):
                weigh = False
                job.line.stop()
                write_remark(job.terminal, await _describe_fit(library, job, part.total))
            job.line.show(job.transfer)
            if job.prints_lines:
                job.terminal.out.write(json.dumps(part._asdict()) + "\n")


async def _describe_fit(library: ModelLibrary, job: _PullJob, size_in_bytes: int) -> str:
    """Return whether a model fits, once the server has told how large it is: nothing tells that before."""
    from reflectty.models.fit_report import fit_download
    from reflectty.view.memory_fit import describe_placement

    hardware, running = await args.find_hardware(library), await library.list_loaded()
    made = fit_download(job.name, size_in_bytes, hardware, running, job.context_length).placement
    return f"{job.name}, {format_bytes(size_in_bytes)}, rough estimate: {'; '.join(describe_placement(made))}"


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
