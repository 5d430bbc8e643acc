"""`reflect models list|show` for a server that speaks OpenAI's protocol: it is looked at, and nothing is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reflectty import config
from reflectty.commands import output
from reflectty.commands.models import arguments as args
from reflectty.engines import EngineName
from reflectty.errors import RefusedError
from reflectty.interrupts import run
from reflectty.render.remark import remark
from reflectty.safety import clean

if TYPE_CHECKING:
    from reflectty.chat import Capacity, Model
    from reflectty.terminal import Terminal
    from reflectty.wire.openai import Listed

EMPTY = "the server lists no model: -m NAME asks for one all the same"
TEMPLATE = "--template"


class Named(NamedTuple):
    """What a call names of the server."""

    profile: str = ""
    host: str = ""
    engine: str = ""

    @property
    def settings(self) -> config.Settings:
        """The settings with what was named.

        Raises:
            UsageError: they cannot be used.
        """
        return config.load(profile=self.profile, engine=self.engine)


class ServerFacts(NamedTuple):
    """What a server says of itself."""

    kind: str
    version: str
    listed: tuple[Listed, ...]


class ServedModel(NamedTuple):
    """A model, and what is known beside it."""

    server: ServerFacts
    model: Model
    capacity: Capacity
    listed: Listed | None


def is_asked(named: Named) -> bool:
    """Whether a call means a server that speaks OpenAI's protocol."""
    return named.settings.engine == EngineName.OPENAI


def list_(terminal: Terminal, named: Named, *, as_json: bool) -> None:
    """List what is served."""

    async def look() -> ServerFacts:
        async with args.opened(named.settings, named.host) as engine:
            listed = await engine.listed()
            return ServerFacts(engine.kind, await engine.version(), listed)

    server = run(look())
    if as_json:
        from reflectty.exporting.json import written  # noqa: PLC0415 - each form loads only itself
        from reflectty.exporting.models import served_object  # noqa: PLC0415

        terminal.out.write(
            written([served_object(one.model, one, server.kind, server.version) for one in server.listed])
        )
    elif server.listed:
        from reflectty.render.served import served_rows  # noqa: PLC0415 - each form loads only itself

        page = output.paged(terminal)
        page.write(served_rows(server.listed, page))
    else:
        remark(terminal, EMPTY)


def show(terminal: Terminal, named: Named, name: str, flag: str, *, as_json: bool) -> None:
    """Show what is known of one model."""

    async def look() -> ServedModel:
        async with args.opened(named.settings, named.host) as engine:
            model = await engine.show(name)
            listed = await engine.listed_if_any()
            version = await engine.version()
            capacity = await engine.capacity(model.name)
            found = next((one for one in listed if model.name in one.names), None)
            return ServedModel(ServerFacts(engine.kind, version, listed), model, capacity, found)

    found = run(look())
    for text in found.model.notices:
        remark(terminal, text)
    if flag:
        _print_text(found, flag, terminal)
    elif as_json:
        from reflectty.exporting.json import written  # noqa: PLC0415 - each form loads only itself
        from reflectty.exporting.models import served_object  # noqa: PLC0415

        server = found.server
        whole = served_object(found.model, found.listed, server.kind, server.version)
        terminal.out.write(written({**whole, "slots": found.capacity.slots, "template": found.model.template}))
    else:
        from reflectty.render.served import one_served  # noqa: PLC0415 - each form loads only itself

        page = output.paged(terminal)
        page.write(one_served(found.model, found.listed, _server(found.server), found.capacity, page))


def _server(server: ServerFacts) -> str:
    return f"{server.kind} {server.version}".strip() or "an OpenAI-compatible server"


def _print_text(found: ServedModel, flag: str, terminal: Terminal) -> None:
    text = found.model.template if flag == TEMPLATE else ""
    if not text.strip():
        what = {TEMPLATE: "template", "--system": "system prompt"}.get(flag, flag.removeprefix("--"))
        raise RefusedError(f"{_server(found.server)} tells no {what} of {found.model.name}")
    terminal.out.write(clean(text).rstrip("\n") + "\n")
