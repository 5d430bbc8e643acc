"""Makes the servers that a batch or a run asks, each once."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from reflectty import config
from reflectty.batch.server import Server
from reflectty.commands.engine_factory import engine_for
from reflectty.engines import address_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reflectty.commands.ask_options import AskArguments
    from reflectty.commands.batch_reporter import BatchReporter
    from reflectty.system.terminal import Terminal


def make_servers(
    arguments: AskArguments,
    hosts: Sequence[str],
    settings: config.Settings,
    terminal: Terminal,
    reporter: BatchReporter,
) -> Iterator[Server]:
    """Make each distinct server that the arguments or the settings name.

    Args:
        arguments: the shared arguments of the command.
        hosts: the servers that it names; empty for those of the settings.
        settings: the settings.
        terminal: where the built-in model is announced.
        reporter: gets the notes.
    """
    timeouts = config.parse_timeouts(arguments.timeout, settings.timeouts)
    model = arguments.model or settings.model
    hosts = hosts or settings.hosts or (settings.host,)
    for name, host in {str(address_of(host, settings.engine)): host for host in hosts}.items():
        engine = engine_for(settings, host, timeouts, model=model, unasked=not arguments.quiet, terminal=terminal)
        if engine.warning:
            reporter.note(engine.warning)
        first_time = partial(config.remember_once, "asked")
        yield Server(name, engine, note=reporter.note_once, first_time=first_time)
