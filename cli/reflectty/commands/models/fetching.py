"""`reflect models pull`: lets the server fetch a model, and shows how far it is."""

from __future__ import annotations

import json
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated

import typer

from reflectty.commands import output
from reflectty.commands.arguments import Host  # noqa: TC001 - Typer reads the annotations when the command runs
from reflectty.commands.models import arguments as args
from reflectty.drawing.sizes import size
from reflectty.drawing.summary import duration
from reflectty.errors import StoppedError
from reflectty.library import Transfer
from reflectty.render.progress import ProgressLine
from reflectty.render.remark import remark
from reflectty.terminal import BROKEN_PIPE

if TYPE_CHECKING:
    from reflectty.library.library import Library
    from reflectty.terminal import Terminal

Insecure = Annotated[bool, typer.Option("--insecure", help="Let the server speak plain http to the registry.")]
AsJsonl = Annotated[bool, typer.Option("--jsonl", help="Print what the server says as JSON, then the object.")]
STOPPED = "stopped: what came is kept, and the same command goes on from there"


def pull(  # noqa: PLR0913, PLR0917 - every option of the command is one
    context: typer.Context,
    name: args.Name,
    insecure: Insecure = False,
    host: Host = "",
    as_json: output.AsJson = False,
    jsonl: AsJsonl = False,
) -> None:
    """Fetch a model, or what is new of it; what was fetched before is not fetched again."""
    output.one_of((("--json", as_json), ("--jsonl", jsonl)), "--jsonl has the object as well")
    terminal: Terminal = context.obj
    wanted = args.named(name)
    line = ProgressLine(terminal, output.themed(terminal), f"pulling {wanted}")
    transfer = Transfer()

    async def work(library: Library) -> bool:
        before = await library.digest(wanted)
        async with aclosing(library.pull(wanted, insecure=insecure)) as progress:
            async for part in progress:
                transfer.feed(part)
                line.show(transfer)
                if jsonl:
                    terminal.out.write(json.dumps(part._asdict()) + "\n")
        return not before or before != await library.digest(wanted)

    try:
        changed = args.using(terminal, host, work)
    except StoppedError as error:
        line.stop()
        if error.exit_code != BROKEN_PIPE:
            remark(terminal, STOPPED)
        raise
    finally:
        line.stop()
    if as_json or jsonl:
        from reflectty.exporting.json import written  # noqa: PLC0415 - only --json needs it
        from reflectty.exporting.models import transfer_object  # noqa: PLC0415

        terminal.out.write(written(transfer_object(wanted, transfer, changed=changed)))
    output.told(terminal, _report(wanted, transfer) if changed else f"{wanted} is there, and up to date")


def _report(name: str, transfer: Transfer) -> str:
    amount = f", {size(transfer.fresh)}," if transfer.fresh else ""
    return f"pulled {name}{amount} in {duration(transfer.seconds)}"
