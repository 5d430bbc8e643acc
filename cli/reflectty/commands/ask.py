"""`reflect "question"`: gathers what is asked and how it is shown, and asks once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer  # noqa: TC002 - Typer reads the annotations when the command runs

from reflectty import __version__, config
from reflectty.commands import arguments as args
from reflectty.commands.conversation import before, blamed, keeper, leaner, resumed_at
from reflectty.commands.gathering import gather
from reflectty.commands.serving import engine_for
from reflectty.engines import EngineName
from reflectty.errors import OptionError, PromptTooLongError, UsageError
from reflectty.families import named
from reflectty.interrupts import run
from reflectty.modes import Wish
from reflectty.options import CONTEXT, parse_options
from reflectty.render import ALL, Form, Look, choose
from reflectty.render.remark import remark
from reflectty.stream import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from reflectty.asking import Keeper, Question
    from reflectty.chat import Engine
    from reflectty.commands.conversation import Before
    from reflectty.commands.gathering import Gathered
    from reflectty.commands.templating import Filling
    from reflectty.terminal import Terminal


def ask(  # noqa: PLR0913, PLR0917 - every option of the command is one
    context: typer.Context,
    prompt: args.Prompt = None,
    model: args.ModelName = "",
    profile: args.Profile = "",
    template: args.TemplateName = "",
    field: args.Fields = None,
    host: args.Host = "",
    engine: args.Engines = None,
    mode: args.Modes = None,
    effort: args.Efforts = None,
    family: args.FamilyName = "",
    system: args.System = "",
    option: args.Options = None,
    keep_alive: args.KeepAlive = "",
    keep_thinking: args.KeepThinking = None,
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
    go_on: args.GoOn = False,
    session: args.SessionName = "",
    no_store: args.NoStore = False,
    stats: args.Stats = False,
    quiet: args.Quiet = False,
    version: args.Version = False,
) -> None:
    """Ask a question: the thinking is shown live, each correction marked; the answer alone goes to stdout.

    Without a question, on a terminal, it opens the chat.
    """
    if version:
        context.obj.out.write(f"reflect {__version__}\n")
        return
    values = {name: value for name, value in locals().items() if name not in ("context", "version")}
    _ask(args.Arguments(**values), context.obj)


def _ask(given: args.Arguments, terminal: Terminal) -> None:
    args.refuse_contradictions(given)
    settings = config.load(profile=args.decoded(given.profile), engine=given.engine or "")
    look = _look(given, settings)
    if given.raw and terminal.out.tty:
        raise UsageError("--raw is not for a terminal: a reply may hold control characters", "send it to a file")
    warn = _warner(given, terminal)
    question = question_of(given, settings)
    if args.asks_nothing(given) and terminal.stdin_tty:
        _chat(question, settings, given, terminal)
        return
    filling = _filling(given, settings)
    earlier = before(given, warn)
    settings = resumed_at(settings, given, earlier)
    gathered = gather(given, terminal, warn, filling)
    question = _complete(question, gathered, earlier, settings)
    timeouts = config.parse_timeouts(given.timeout, settings.timeouts)

    async def conversation() -> None:
        engine = engine_for(settings, given.host, timeouts, model=question.model, unasked=not given.quiet)
        if engine.warning:
            warn(engine.warning)
        keep = keeper(gathered.text, gathered.attachments, earlier) if settings.store and not given.no_store else None
        try:
            async with engine:
                await _converse(engine, question, look, given, terminal, keep)
        finally:
            if keep and settings.engine == EngineName.OPENAI:
                config.remember_place(keep.session, settings.engine, given.host or settings.host)

    try:
        run(conversation())
    except PromptTooLongError as error:
        raise leaner(error, question) from error
    except OptionError as error:
        raise blamed(error, given.option or (), args.decoded(given.profile)) from error
    finally:
        if earlier:
            earlier.store.close()


def _filling(given: args.Arguments, settings: config.Settings) -> Filling | None:
    if not (given.template or given.field or settings.template):
        return None
    from reflectty.commands.templating import filling  # noqa: PLC0415 - most questions have no template

    return filling(given, settings.template)


def _chat(question: Question, settings: config.Settings, given: args.Arguments, terminal: Terminal) -> None:
    from reflectty.commands.chat import Wanted, open_chat  # noqa: PLC0415 - a question of one shot needs no chat

    wanted = Wanted(
        question._replace(model=given.model or settings.model),
        host=given.host or settings.host,
        timeout=given.timeout,
        keep=settings.store and not given.no_store,
        session=given.session,
        latest=given.go_on,
        insists=bool(given.model) or settings.model_insists,
        profile=args.decoded(given.profile),
        typed=tuple((key, f"--option {key}") for key, _ in parse_options(tuple(given.option or ()))),
    )
    open_chat(wanted, settings, terminal)


async def _converse(  # noqa: PLR0913, PLR0917 - one conversation from all sides
    engine: Engine,
    question: Question,
    look: Look,
    given: args.Arguments,
    terminal: Terminal,
    keep: Keeper | None,
) -> None:
    from reflectty.asking import ask as ask_engine  # noqa: PLC0415 - loaded beside the engine
    from reflectty.asking import ask_raw  # noqa: PLC0415

    if given.raw:
        await ask_raw(engine, question, terminal.out.write, _warner(given, terminal), keep=keep)
        return
    reply = await ask_engine(
        engine,
        question,
        choose(terminal, look),
        first_time=lambda name: config.first_time("asked", name),
        keep=keep,
    )
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


def question_of(given: args.Arguments, settings: config.Settings) -> Question:
    """Return what the arguments say of the question, all but the question itself."""
    from reflectty.asking import standing  # noqa: PLC0415 - errors in the arguments need no asking

    asked = standing(settings)
    wish = asked.wish
    options = dict(asked.options) | dict(parse_options(tuple(given.option or ())))
    schema = None
    if given.schema:
        from reflectty.schema import read_schema  # noqa: PLC0415 - a compiled library

        schema = read_schema(given.schema)
    return asked._replace(
        # A session that is gone on with has a model, which goes before that of the settings.
        model=given.model or (settings.model if settings.model_insists else ""),
        wish=Wish(
            given.mode or wish.mode,
            given.effort or wish.effort,
            named(given.family) if given.family else wish.family,
            args.decoded(given.system) or wish.system,
        ),
        options=tuple(options.items()),
        keep_alive=given.keep_alive or asked.keep_alive,
        keep_thinking=given.keep_thinking or asked.keep_thinking,
        schema=schema,
        announce=not given.final,
    )


def _complete(question: Question, gathered: Gathered, earlier: Before | None, settings: config.Settings) -> Question:
    """Return the question with its words, what came along, and what was said before."""
    return question._replace(
        prompt=gathered.prompt,
        images=tuple(content for _, content in gathered.images),
        model=question.model or (earlier.model if earlier else "") or settings.model,
        history=earlier.history if earlier else (),
        # One question may load its model anew; in a batch each long line would do so.
        widens="" if CONTEXT in dict(question.options) else "here",
    )


def _warner(given: args.Arguments, terminal: Terminal) -> Callable[[str], None]:
    def warn(text: str) -> None:
        if not given.quiet:
            remark(terminal, text)

    return warn
