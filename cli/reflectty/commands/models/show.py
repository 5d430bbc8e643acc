"""`reflect models list|show`: prints the models of an Ollama or OpenAI-compatible server."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from reflectty import __version__, config
from reflectty.commands import console
from reflectty.commands.ask_options import decode_argument
from reflectty.commands.engine_factory import may_builtin_stand_in
from reflectty.commands.models import options as args
from reflectty.commands.options import EngineOption, Host, Profile
from reflectty.core.errors import ModelMissingError, ReflecttyError, RefusedError, UnreachableError
from reflectty.core.model_spec import MINI_NAME, is_mini
from reflectty.core.named_tuple import NamedTuple
from reflectty.core.safety import clean
from reflectty.engines import manages_models
from reflectty.engines.embedded import is_installed
from reflectty.models.manager import ModelLibrary
from reflectty.output import write_remark
from reflectty.system.signals import run_interruptible

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
    from typing import Any

    from reflectty.chat.evidence import EvidenceUse
    from reflectty.core.messages import Capacity, Model
    from reflectty.models.files import TemplateMismatch
    from reflectty.models.fit import Placement
    from reflectty.models.installed import InstalledModel
    from reflectty.protocols.openai import ListedModel
    from reflectty.system.terminal import Terminal


OWNER = "reflectty"
NO_SERVED_MODEL = "the server lists no models: use -m NAME to ask for one anyway"
TEMPLATE_FLAG = "--template"


class ServerSelection(NamedTuple):
    """The options that select a server."""

    profile: str = ""
    host: str = ""
    engine: str = ""

    @property
    def settings(self) -> config.Settings:
        """The settings with these options.

        Raises:
            UsageError: they are invalid.
        """
        return config.load_settings(profile=self.profile, engine=self.engine)


class ServerFacts(NamedTuple):
    """The kind, the version and the models that a server reports."""

    kind: str
    version: str
    listed: tuple[ListedModel, ...]


class ServedModel(NamedTuple):
    """A model with its server, capacity and entry in the server's list."""

    server: ServerFacts
    model: Model
    capacity: Capacity
    listed: ListedModel | None


def is_openai_selected(selection: ServerSelection) -> bool:
    """Whether the selected server uses the OpenAI protocol."""
    return not manages_models(selection.settings.engine)


def list_served(terminal: Terminal, selection: ServerSelection, *, as_json: bool) -> None:
    """List the models of an OpenAI-compatible server."""

    async def look() -> ServerFacts:
        async with args.make_openai_engine(selection.settings, selection.host) as engine:
            listed = await engine.listed_models()
            return ServerFacts(engine.software, await engine.version(), listed)

    server = run_interruptible(look())
    if not (server.listed or as_json):
        write_remark(terminal, NO_SERVED_MODEL)
    builtin = [_listed_builtin_of(one) for one in _list_builtin(selection, (one.model for one in server.listed))]
    if as_json:
        from reflectty.export.json import (
            dump_json,
            served_object,
        )

        served = [served_object(one.model, one, server.kind, server.version) for one in server.listed]
        own = [{**served_object(one.model, one, OWNER, __version__), "built_in": True} for one in builtin]
        terminal.out.write(dump_json([*served, *own]))
    elif server.listed or builtin:
        from reflectty.output.models import served_rows

        page = console.open_page(terminal)
        page.write(served_rows(server.listed, page, builtin))


def _list_builtin(selection: ServerSelection, others: Iterable[Model]) -> tuple[InstalledModel, ...]:
    """The built-in model, to be listed beside the others: those of the default server, if none of them is mini."""
    if any(selection) or not is_installed() or any(is_mini(model.name) for model in others):
        return ()
    with suppress(ReflecttyError, OSError):
        return args.run_with_builtin(ModelLibrary.list_installed)
    return ()


def _listed_builtin_of(one: InstalledModel) -> ListedModel:
    """The built-in model as an entry of an OpenAI-compatible server's list."""
    from reflectty.protocols.openai import ListedModel

    loaded = one.running is not None
    return ListedModel(one.model._replace(name=MINI_NAME), (MINI_NAME,), OWNER, one.model.context_length, loaded=loaded)


def show_served(terminal: Terminal, selection: ServerSelection, name: str, flag: str, *, as_json: bool) -> None:
    """Show the details of a model of an OpenAI-compatible server."""

    async def look() -> ServedModel:
        async with args.make_openai_engine(selection.settings, selection.host) as engine:
            model = await engine.show(name)
            listed = await engine.listed_models_if_any()
            version = await engine.version()
            capacity = await engine.capacity(model.name)
            served = next((one for one in listed if model.name in one.names), None)
            return ServedModel(ServerFacts(engine.software, version, listed), model, capacity, served)

    served = run_interruptible(look())
    for text in served.model.notices:
        write_remark(terminal, text)
    if flag:
        _print_served_text(served, flag, terminal)
    elif as_json:
        from reflectty.export.json import (
            dump_json,
            served_object,
        )

        server = served.server
        members = served_object(served.model, served.listed, server.kind, server.version)
        terminal.out.write(dump_json({**members, "slots": served.capacity.slots, "template": served.model.template}))
    else:
        from reflectty.output.models import served_detail_rows

        page = console.open_page(terminal)
        page.write(
            served_detail_rows(served.model, served.listed, _server_label_of(served.server), served.capacity, page)
        )


def _server_label_of(server: ServerFacts) -> str:
    return f"{server.kind} {server.version}".strip() or "an OpenAI-compatible server"


def _print_served_text(served: ServedModel, flag: str, terminal: Terminal) -> None:
    text = served.model.template if flag == TEMPLATE_FLAG else ""
    if not text.strip():
        what = {TEMPLATE_FLAG: "template", "--system": "system prompt"}.get(flag, flag.removeprefix("--"))
        raise RefusedError(f"{_server_label_of(served.server)} does not report the {what} of {served.model.name}")
    terminal.out.write(clean(text).rstrip("\n") + "\n")


Template = Annotated[bool, typer.Option("--template", help="Print only the template.")]
System = Annotated[bool, typer.Option("--system", help="Print only the system prompt.")]
Parameters = Annotated[bool, typer.Option("--parameters", help="Print only the parameters.")]
LicenseOption = Annotated[bool, typer.Option("--licence", "--license", help="Print only the license.")]
ONLY_BUILT_IN = "no server responds: only the built-in model is listed"
NO_MODEL = "no models are installed on the server: run reflect models pull {} for a model"


def list_(
    context: typer.Context,
    profile: Profile = "",
    host: Host = "",
    engine: EngineOption = None,
    as_json: console.AsJson = False,
) -> None:
    """List the models: their size, what they can do, where they run."""
    terminal: Terminal = context.obj
    selection = ServerSelection(decode_argument(profile), decode_argument(host), engine or "")
    if is_openai_selected(selection):
        list_served(terminal, selection, as_json=as_json)
        return

    async def work(library: ModelLibrary) -> tuple[InstalledModel, ...]:
        models = await _inspect_models(library, await library.list_installed())
        if not models and not as_json:
            write_remark(terminal, await _pull_advice_for(library))
        return models

    try:
        models = args.run_with_library(terminal, selection.host, work, selection.profile, selection.engine)
    except UnreachableError as error:
        models = _list_builtin(selection, ()) if may_builtin_stand_in(selection.settings, selection.host) else ()
        if not models:
            raise
        write_remark(terminal, "; ".join(filter(None, (ONLY_BUILT_IN, error.other_server_hint))))
    else:
        models = (*models, *_list_builtin(selection, (one.model for one in models)))
    if as_json:
        from reflectty.export.json import (
            dump_json,
            model_object,
        )

        terminal.out.write(dump_json([model_object(one) for one in models]))
    elif models:
        from reflectty.output.models import model_rows

        page = console.open_page(terminal)
        page.write(model_rows(models, page, time.time()))


async def _inspect_models(library: ModelLibrary, models: Sequence[InstalledModel]) -> tuple[InstalledModel, ...]:
    """Add to the models what their vocabularies show about tags."""
    from reflectty.chat.model_choice import load_all_tags

    found = await load_all_tags(library.engine, [one.model for one in models])
    return tuple(one._replace(model=model) for one, model in zip(models, found, strict=True))


async def _pull_advice_for(library: ModelLibrary) -> str:
    """The advice for a server without models: pull the largest model that the machine can run."""
    from reflectty.core.text import format_bytes
    from reflectty.models.recommendation import (
        find_comfortable_model,
        recommend_model,
    )
    from reflectty.view.memory_fit import describe_placement

    hardware = await args.find_hardware(library)
    offer, fit = recommend_model(hardware), find_comfortable_model(hardware)
    advice = f"{NO_MODEL.format(offer.name)} that {offer.kind}: {format_bytes(offer.size)}"
    return f"{advice}; rough estimate: {describe_placement(fit.placement)[0]}" if fit else advice


def show(  # noqa: PLR0913, PLR0917 - every option of the command is one
    context: typer.Context,
    name: args.Name,
    template: Template = False,
    system: System = False,
    parameters: Parameters = False,
    licence: LicenseOption = False,
    context_length: args.ContextLength = None,
    profile: Profile = "",
    host: Host = "",
    engine: EngineOption = None,
    as_json: console.AsJson = False,
) -> None:
    """Show the details of a model and how it would be asked."""
    terminal: Terminal = context.obj
    flags = (("--template", template), ("--system", system), ("--parameters", parameters), ("--license", licence))
    console.exclusive([*flags, ("--json", as_json)], "--json includes all of them")
    chosen = next((flag for flag, is_set in flags if is_set), "")
    selection = ServerSelection(decode_argument(profile), decode_argument(host), engine or "")
    if is_openai_selected(selection) and _try_show_served(terminal, selection, name, chosen, as_json=as_json):
        return
    model_name = args.model_name_of(name)

    async def work(library: ModelLibrary) -> ModelReport:
        (one,) = await _inspect_models(library, [await library.show(model_name)])
        if chosen:
            return ModelReport(one, None)
        return await _report_on_model(library, one, context_length)

    report = _find_model(terminal, selection, model_name, work)
    report = report._replace(evidence=_evidence_use_of(selection.settings, report.installed.model))
    if chosen:
        _print_text(report.installed, chosen, terminal)
    elif as_json:
        terminal.out.write(_as_json(report))
    else:
        _print_report(report, terminal)


def _try_show_served(terminal: Terminal, selection: ServerSelection, name: str, flag: str, *, as_json: bool) -> bool:
    """Show a model of an OpenAI-compatible server; False if the built-in one is requested and not served there."""
    try:
        show_served(terminal, selection, decode_argument(name), flag, as_json=as_json)
    except (UnreachableError, ModelMissingError):
        if not (is_mini(name) and is_installed()):
            raise
        return False
    return True


def _print_report(report: ModelReport, terminal: Terminal) -> None:
    from reflectty.output.models import model_detail_rows
    from reflectty.view import memory_fit

    page = console.open_page(terminal)
    more = memory_fit.describe_fit(report.fit) if report.fit else ()
    page.write(model_detail_rows(report.installed, page, time.time(), (*more, *_extra_facts_of(report))))


def _as_json(report: ModelReport) -> str:
    from reflectty.export.json import (
        dump_json,
        model_object,
    )
    from reflectty.output.models import fit_object

    fit = fit_object(report.fit) if report.fit else None
    warning = report.formats.warning if report.formats else None
    evidence = _evidence_object(report.evidence) if report.evidence else None
    members = {"fit": fit, "format_warning": warning, "evidence": evidence}
    return dump_json({**model_object(report.installed, with_texts=True), **members})


def _evidence_object(use: EvidenceUse) -> dict[str, Any]:
    from reflectty.config.evidence import evidence_table

    return {**evidence_table(use.evidence), "stale": use.is_stale}


def _find_model(
    terminal: Terminal,
    selection: ServerSelection,
    name: str,
    work: Callable[[ModelLibrary], Coroutine[Any, Any, ModelReport]],
) -> ModelReport:
    """The details of a model; those of the built-in one if it is requested and the server does not have it."""
    if is_openai_selected(selection):
        return args.run_with_builtin(_report_on_mini)
    try:
        return args.run_with_library(terminal, selection.host, work, selection.profile, selection.engine)
    except (UnreachableError, ModelMissingError):
        if not (is_mini(name) and is_installed()):
            raise
    return args.run_with_builtin(_report_on_mini)


async def _report_on_model(library: ModelLibrary, one: InstalledModel, context_length: int | None) -> ModelReport:
    from reflectty.models.files import template_mismatch_of

    fit = await args.estimate_fit(library, one, context_length)
    return ModelReport(one, fit, await template_mismatch_of(library.engine, one.model))


async def _report_on_mini(library: ModelLibrary) -> ModelReport:
    return ModelReport(await library.show(MINI_NAME), None)


class ModelReport(NamedTuple):
    """A model, and whether it fits, if known."""

    installed: InstalledModel
    fit: Placement | None
    formats: TemplateMismatch | None = None
    """Set if the model is prompted in a format other than its own."""
    evidence: EvidenceUse | None = None
    """What a question makes of the evidence for the model."""


def _evidence_use_of(settings: config.Settings, model: Model) -> EvidenceUse | None:
    if not settings.evidence:
        return None
    from reflectty.chat.evidence import evidence_use_of

    return evidence_use_of(settings.ask_options, model)


def _extra_facts_of(report: ModelReport) -> Iterator[tuple[str, str]]:
    """Yield the facts that only few models have, each with its name."""
    if report.formats:
        yield "format", report.formats.warning
    if report.evidence:
        yield "evidence", report.evidence.text


def _print_text(one: InstalledModel, flag: str, terminal: Terminal) -> None:
    texts = {
        "--template": ("template", one.model.template),
        "--system": ("system prompt", one.model.system),
        "--parameters": ("parameters", one.model.parameters),
        "--license": ("license", one.model.license),
    }
    name, text = texts[flag]
    if not text.strip():
        raise RefusedError(f"{one.short_name} has no {name}")
    terminal.out.write(clean(text).rstrip("\n") + "\n")
