"""`reflect "question"`: gathers what is asked and how it is shown, and asks once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import typer  # noqa: TC002 - Typer reads the annotations when the command runs

from reflectty import __version__, config
from reflectty.commands import arguments as args
from reflectty.errors import UsageError
from reflectty.families import named
from reflectty.interrupts import run
from reflectty.material import as_text, compose, read_file, read_image, read_stdin
from reflectty.modes import Mode, Wish
from reflectty.options import parse_options
from reflectty.render import ALL, Form, Look, choose
from reflectty.render.remark import remark
from reflectty.safety import clean_line
from reflectty.stream import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from reflectty.asking import Question
    from reflectty.chat import Engine
    from reflectty.terminal import Terminal

STDIN = Path("-")
NO_PROMPT = "there is no question"
NO_PROMPT_HINT = 'ask one: reflect "why is the sky blue?", or pipe one in'


def ask(  # noqa: PLR0913, PLR0917 - every option of the command is one
    context: typer.Context,
    prompt: args.Prompt = None,
    model: args.ModelName = "",
    host: args.Host = "",
    mode: args.Modes = None,
    effort: args.Efforts = None,
    family: args.FamilyName = "",
    system: args.System = "",
    option: args.Options = None,
    keep_alive: args.KeepAlive = "",
    file: args.Files = None,
    image: args.Images = None,
    schema: args.SchemaText = "",
    final: args.Final = False,
    show: args.Show = "",
    no_thinking: args.NoThinking = False,
    as_json: args.AsJson = False,
    jsonl: args.AsJsonl = False,
    raw: args.Raw = False,
    timeout: args.Timeout = "",
    no_stdin: args.NoStdin = False,
    stats: args.Stats = False,
    quiet: args.Quiet = False,
    version: args.Version = False,
) -> None:
    """Ask a question: the thinking is shown live, each correction marked; the answer alone goes to stdout."""
    if version:
        context.obj.out.write(f"reflect {__version__}\n")
        return
    values = {name: value for name, value in locals().items() if name not in ("context", "version")}
    _ask(args.Arguments(**values), context.obj)


def _ask(given: args.Arguments, terminal: Terminal) -> None:
    args.refuse_contradictions(given)
    settings = config.load()
    look = _look(given, settings)
    if given.raw and terminal.out.tty:
        raise UsageError("--raw is not for a terminal: a reply may hold control characters", "send it to a file")
    question = _question(given, settings, terminal)
    timeouts = config.parse_timeouts(given.timeout, settings.timeouts)

    async def conversation() -> None:
        from reflectty.engines import open_engine  # noqa: PLC0415 - errors in the arguments need no engine

        engine = open_engine(given.host or settings.host, api_key=settings.api_key, timeouts=timeouts)
        if engine.warning:
            _warner(given, terminal)(engine.warning)
        async with engine:
            await _converse(engine, question, look, given, terminal)

    run(conversation())


async def _converse(engine: Engine, question: Question, look: Look, given: args.Arguments, terminal: Terminal) -> None:
    from reflectty.asking import ask as ask_engine  # noqa: PLC0415 - loaded beside the engine
    from reflectty.asking import ask_raw  # noqa: PLC0415

    if given.raw:
        await ask_raw(engine, question, terminal.out.write)
        return
    renderer = choose(terminal, look)
    reply = await ask_engine(engine, question, renderer, first_time=lambda name: config.first_time("asked", name))
    if given.stats:
        from reflectty.render.figures import figures  # noqa: PLC0415 - only --stats needs it

        terminal.say(figures(reply))


def _look(given: args.Arguments, settings: config.Settings) -> Look:
    forms = {Form.FINAL: given.final, Form.JSON: given.as_json, Form.JSONL: given.jsonl}
    form = next((form for form, on in forms.items() if on), Form.SHOWN)
    parts = frozenset({Kind.ANSWER}) if given.no_thinking or form is Form.FINAL else _parts(given.show)
    return Look(
        form=form,
        parts=parts,
        chosen=bool(given.show),
        quiet=given.quiet,
        whole=bool(given.schema),
        theme=settings.theme,
        theme_folders=() if settings.theme == "terminal" else (config.themes_folder(),),
    )


def _parts(text: str) -> frozenset[Kind]:
    names = {name.strip() for name in text.split(",") if name.strip()}
    unknown = names - {str(kind) for kind in Kind}
    if unknown:
        known = ", ".join(Kind)
        raise UsageError(f"--show has no part {min(unknown)!r}", f"its parts are {known}")
    return frozenset(Kind(name) for name in names) or ALL


def _question(given: args.Arguments, settings: config.Settings, terminal: Terminal) -> Question:
    from reflectty.asking import Question  # noqa: PLC0415 - errors in the arguments need no asking

    options = parse_options(tuple(given.option or ()))
    mode = given.mode or _mode(settings.mode)
    family = named(given.family) if given.family else None
    wish = Wish(mode, given.effort, family, _decoded(given.system))
    schema = None
    if given.schema:
        from reflectty.schema import read_schema  # noqa: PLC0415 - a compiled library

        schema = read_schema(given.schema)
    images = tuple(read_image(path) for path in given.image or ())
    return Question(
        prompt=_prompt(given, terminal),
        model=given.model or settings.model,
        wish=wish,
        images=images,
        options=options,
        keep_alive=given.keep_alive,
        schema=schema,
        announce=not given.final,
    )


def _decoded(argument: str) -> str:
    """Return an argument as the UTF-8 text it is, even where the locale made Python read it as ASCII."""
    return os.fsencode(argument).decode("utf-8", "replace")


def _mode(text: str) -> Mode:
    try:
        return Mode(text)
    except ValueError as error:
        raise UsageError(f"REFLECTTY_MODE {text!r} is no mode", f"the modes are {', '.join(Mode)}") from error


def _prompt(given: args.Arguments, terminal: Terminal) -> str:
    """Return the whole question, material first.

    Raises:
        UsageError: nothing is asked, or the material is no text.
    """
    warn = _warner(given, terminal)
    words = _decoded(" ".join(given.prompt or ()))
    paths = given.file or []
    wanted = STDIN in paths
    stdin = "" if given.no_stdin or (terminal.stdin_tty and not wanted) else _stdin(terminal, warn)
    files = tuple(
        (clean_line(str(path)), as_text(read_file(path), clean_line(str(path)), warn))
        for path in paths
        if path != STDIN
    )
    text = compose(words, stdin, files)
    if not text.strip():
        raise UsageError("the question is empty" if given.prompt else NO_PROMPT, NO_PROMPT_HINT)
    return text


def _stdin(terminal: Terminal, warn: Callable[[str], None]) -> str:
    if terminal.stdin is None:
        return ""
    return as_text(read_stdin(terminal.stdin, warn), "stdin", warn)


def _warner(given: args.Arguments, terminal: Terminal) -> Callable[[str], None]:
    def warn(text: str) -> None:
        if not given.quiet:
            remark(terminal, text)

    return warn
