"""Defines the options of a question for Typer, also for other commands, and the command that asks it."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from reflectty import __version__
from reflectty.commands.ask_options import ASK_OPTIONS, AskArguments
from reflectty.core.messages import Effort
from reflectty.engines import EngineName
from reflectty.reasoning.governor import LoopAction
from reflectty.reasoning.modes import Mode

if TYPE_CHECKING:
    from typer.models import ArgumentInfo, OptionInfo


def typer_option(name: str) -> OptionInfo | ArgumentInfo:
    """Make the Typer option or argument for an entry of `ASK_OPTIONS`."""
    spec = ASK_OPTIONS[name]
    shown = spec.shown_default or (spec.kind is bool)
    option: OptionInfo | ArgumentInfo = (
        typer.Option(*spec.flags, metavar=spec.metavar or None, help=spec.help, show_default=shown)
        if spec.flags
        else typer.Argument(metavar=spec.metavar, help=spec.help, show_default=shown)
    )
    return option


ModelName = Annotated[str, typer_option("model")]
Profile = Annotated[str, typer_option("profile")]
TemplateName = Annotated[str, typer_option("template")]
Fields = Annotated[list[str] | None, typer_option("field")]
Host = Annotated[str, typer_option("host")]
Options = Annotated[list[str] | None, typer_option("option")]
EngineOption = Annotated[EngineName | None, typer_option("engine")]
ModeOption = Annotated[Mode | None, typer_option("mode")]
EffortOption = Annotated[Effort | None, typer_option("effort")]
BudgetText = Annotated[str, typer_option("budget")]
Samples = Annotated[int | None, typer_option("samples")]
Verify = Annotated[bool, typer_option("verify")]
LoopsOption = Annotated[LoopAction | None, typer_option("loops")]
UntilSettled = Annotated[bool, typer_option("until_settled")]
FamilyName = Annotated[str, typer_option("family")]
System = Annotated[str, typer_option("system")]
KeepAlive = Annotated[str, typer_option("keep_alive")]
SchemaText = Annotated[str, typer_option("schema")]
Timeout = Annotated[str, typer_option("timeout")]
DeadlineText = Annotated[str, typer_option("deadline")]
Quiet = Annotated[bool, typer_option("quiet")]


def _parameter(name: str) -> inspect.Parameter:
    """Make the command's parameter for an option; Typer reads its type from the annotation."""
    spec = ASK_OPTIONS[name]
    default = AskArguments._field_defaults.get(name, False)
    kind: Any = list[spec.kind] if spec.many else spec.kind  # type: ignore[name-defined]
    annotation: Any = Annotated[kind | None if default is None else kind, typer_option(name)]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def ask(context: typer.Context, **values: object) -> None:
    """Ask a question: shows the thinking live and marks each correction; only the answer goes to stdout.

    Without a question, opens the chat if run on a terminal.
    """
    from reflectty.commands.ask import run_ask

    if values.pop("version"):
        context.obj.out.write(f"reflect {__version__}\n")
        return
    run_ask(AskArguments(**cast("dict[str, Any]", values)), context.obj)


_CONTEXT = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
ask.__signature__ = inspect.Signature([_CONTEXT, *map(_parameter, ASK_OPTIONS)])  # type: ignore[attr-defined]
