"""`reflect eval apply`: writes what a run has shown into the settings, where the mode `auto` uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from reflectty import config
from reflectty.commands.ask_options import decode_argument
from reflectty.commands.console import info
from reflectty.core.errors import UsageError
from reflectty.output import write_remark

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reflectty.evaluation.evidence import Offer
    from reflectty.system.terminal import Terminal

RunName = Annotated[
    str,
    typer.Argument(metavar="[RUN]", help="The name of a run, its start, or its file.", show_default="the latest run"),
]
ArmName = Annotated[
    str, typer.Option("--arm", metavar="NAME", help="The arm to ask by.", show_default="the best that has gained")
]
ProfileName = Annotated[
    str, typer.Option("--profile", metavar="NAME", help="Write it into a profile.", show_default="for every question")
]
Force = Annotated[bool, typer.Option("--force", help="Write it even if the run has shown no gain, or is unfinished.")]


def apply(
    context: typer.Context, run: RunName = "", arm: ArmName = "", profile: ProfileName = "", force: Force = False
) -> None:
    """Ask as a run has shown to be best.

    The settings keep the evidence, and --mode auto asks the model by it and says so. A mode, effort or budget that
    you give overrules it, and a model that has changed since is asked as before.
    """
    from reflectty.evaluation.evidence import offer_of, offers_of
    from reflectty.evaluation.run_file import read_run
    from reflectty.evaluation.runs import find_run

    terminal: Terminal = context.obj
    data = read_run(find_run(decode_argument(run)))
    offers = (offer_of(data, decode_argument(arm)),) if arm else offers_of(data)
    chosen = offers if force else _without_objections(offers, terminal)
    _write(chosen, decode_argument(profile), terminal)


def _without_objections(offers: Sequence[Offer], terminal: Terminal) -> tuple[Offer, ...]:
    """The offers that nothing speaks against; the others are told.

    Raises:
        UsageError: something speaks against each; the first objection.
    """
    chosen = tuple(offer for offer in offers if not offer.objection)
    if not chosen:
        raise UsageError(offers[0].objection, offers[0].hint)
    for offer in offers:
        if offer.objection:
            write_remark(terminal, f"{offer.model} stays as it is: {offer.objection}")
    return chosen


def _write(offers: Sequence[Offer], profile: str, terminal: Terminal) -> None:
    """Write the evidence of offers into the config file, and tell what keeps it from being used."""
    from reflectty.commands.config.subcommands import write_change
    from reflectty.config.edit import with_value
    from reflectty.config.evidence import evidence_table
    from reflectty.config.load import parse_toml
    from reflectty.config.schema import parse_name

    within = ("profiles", parse_name(profile, "--profile")) if profile else ()
    path = config.config_path()

    def change(text: str) -> str:
        for offer in offers:
            keys = (*within, "evidence")
            keys = (*keys, _key_in(_table_at(parse_toml(text, path), keys), offer.model))
            text = with_value(text, keys, evidence_table(offer.evidence))
        return text

    write_change(path, change)
    for offer in offers:
        info(terminal, f"{offer.model} from now on: {offer.evidence}")
        if reason := _overruling(profile, offer.model):
            write_remark(terminal, reason)
    info(terminal, f"written to {path}{f', profile {profile}' if profile else ''}")


def _table_at(document: Mapping[str, object], keys: Sequence[str]) -> Mapping[str, object]:
    """The table at some keys of a document; empty if there is none."""
    for key in keys:
        found = document.get(key)
        document = found if isinstance(found, dict) else {}
    return document


def _key_in(table: Mapping[str, object], model: str) -> str:
    """The key under which a table has a model, or is to have it."""
    from reflectty.core.model_names import is_same_model, short_name_of

    return next((key for key in table if is_same_model(key, model)), short_name_of(model))


def _overruling(profile: str, model: str) -> str:
    """What keeps the evidence for a model from being used with these settings; empty if nothing does."""
    from reflectty.core.model_names import is_same_model

    settings = config.load_settings(profile=profile)
    if settings.mode != "auto":
        return f"the mode {settings.mode} is set, which overrules it: `reflect config show` shows where"
    if settings.ask_options.evidence_for(model) is None:
        return "an effort or a budget is set, which overrules it: `reflect config show` shows where"
    if settings.model and not is_same_model(settings.model, model):
        return f"the model {settings.model} is set, so it is used with -m {model} alone"
    return ""
