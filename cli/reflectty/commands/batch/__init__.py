"""`reflect batch FILE`: many questions of one file, answered into lines of JSON."""

from __future__ import annotations

import typer  # noqa: TC002 - Typer reads the annotations when the command runs

from reflectty.commands import arguments as args  # noqa: TC001 - the same
from reflectty.commands.batch import arguments as own


def batch(  # noqa: PLR0913, PLR0917 - every option of the command is one
    context: typer.Context,
    file: own.Input,
    output: own.OutputFile = None,
    resume: own.Resume = False,
    force: own.Force = False,
    unordered: own.Unordered = False,
    fields: own.Fields = "",
    full: own.Full = False,
    form: own.Forms = None,
    jobs: own.Jobs = None,
    retry: own.Retry = 3,
    patience: own.Patience = 3600.0,
    model: args.ModelName = "",
    profile: args.Profile = "",
    template: args.TemplateName = "",
    field: args.Fields = None,
    host: own.Hosts = None,
    engine: args.Engines = None,
    mode: args.Modes = None,
    effort: args.Efforts = None,
    family: args.FamilyName = "",
    system: args.System = "",
    option: own.Options = None,
    keep_alive: args.KeepAlive = "",
    schema: args.SchemaText = "",
    timeout: args.Timeout = "",
    quiet: args.Quiet = False,
) -> None:
    """Ask every line of a file, and write a line of JSON for each, in the same order.

    A line that cannot be asked or has no complete answer gets an error of its own and stops no other. With
    --output nothing that is finished is lost, and --resume goes on. What is asked here is not kept as sessions.

    Exit codes: 0 every line has a complete answer; 2 the call or a file cannot be used; 3 no server answers, at
    first or for as long as --patience; 4 the model is not installed; 5 some lines have no complete answer; 6 the
    output cannot be written.
    """
    given = own.given({name: value for name, value in locals().items() if name != "context"})
    own.refuse_contradictions(given)
    from reflectty.commands.batch.running import run_batch  # noqa: PLC0415 - --help needs none of this

    run_batch(given, context.obj)
