"""`reflect "question"`: builds the question and the output options, and asks once."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from reflectty import config
from reflectty.commands.ask_options import (
    AskArguments,
    decode_argument,
    has_no_question,
    parse_deadline,
    refuse_contradictions,
    repetition_of,
)
from reflectty.commands.engine_factory import engine_for
from reflectty.commands.inputs import gather_inputs, with_texts
from reflectty.commands.session_option import (
    add_omission_hint,
    add_option_source,
    find_continued_session,
    make_recorder,
    remember_terminal_session,
    restore_profile,
    restore_server,
    restored_settings,
)
from reflectty.core.errors import (
    NoAnswerError,
    OptionError,
    OutputError,
    PromptTooLongError,
    ReflecttyError,
    UsageError,
    internal_error_from,
)
from reflectty.core.named_tuple import NamedTuple
from reflectty.core.options import NUM_CTX, parse_options
from reflectty.core.segments import Kind
from reflectty.core.session import NO_SETTINGS
from reflectty.engines import manages_models
from reflectty.output import ALL_PARTS, OutputForm, OutputOptions, choose_renderer, write_remark
from reflectty.reasoning.families import family_named
from reflectty.reasoning.governor import AnswerRequest
from reflectty.system.signals import call_on_answer_signal, run_interruptible

if TYPE_CHECKING:
    from collections.abc import Callable

    from reflectty.chat.request import Question
    from reflectty.chat.run import ReplyRecorder
    from reflectty.chat.ways import Stage
    from reflectty.commands.inputs import QuestionInputs
    from reflectty.commands.session_option import ContinuedSession
    from reflectty.commands.template_option import FilledTemplate
    from reflectty.core.budget import Budget
    from reflectty.core.messages import Engine
    from reflectty.core.session import SessionSettings
    from reflectty.output import Renderer
    from reflectty.output.json import JsonRenderer
    from reflectty.reasoning.modes import AskOptions
    from reflectty.reasoning.reply import Reply
    from reflectty.system.terminal import Terminal


def run_ask(arguments: AskArguments, terminal: Terminal, on_session: Callable[[str], None] = lambda _: None) -> None:
    """Ask a question, or open the chat if there is none and stdin is a terminal.

    Args:
        arguments: the command line.
        terminal: its streams.
        on_session: called with the id of the session that has the question; empty if it is not saved.

    Raises:
        ReflecttyError: the arguments contradict each other, or the question was not answered; the JSON object of one,
            and of any other error, is printed before it is raised.
    """
    if arguments.inline:
        from reflectty.commands.inline import run_inline

        refuse_contradictions(arguments)
        run_inline(arguments, terminal)
        return
    if not (arguments.as_json or arguments.jsonl):
        _ask(arguments, terminal, on_session=on_session)
        return
    from reflectty.output.json import JsonRenderer

    renderer = JsonRenderer(terminal, lines=arguments.jsonl, quiet=arguments.quiet)
    try:
        _ask(arguments, terminal, renderer)
    except Exception as error:
        known = error if isinstance(error, ReflecttyError) else internal_error_from(error)
        with contextlib.suppress(OutputError):
            renderer.finish(known)
        raise
    renderer.finish(None)


def _ask(
    arguments: AskArguments,
    terminal: Terminal,
    json_renderer: JsonRenderer | None = None,
    on_session: Callable[[str], None] = lambda _: None,
) -> None:
    refuse_contradictions(arguments)
    settings = config.load_settings(profile=decode_argument(arguments.profile), engine=arguments.engine or "")
    if arguments.raw and terminal.out.tty:
        raise UsageError(
            "--raw cannot print to a terminal: a reply may contain control characters", "redirect it to a file"
        )
    warn = _make_warner(arguments, terminal)
    arguments = with_texts(arguments, terminal, warn)
    if arguments.edit:
        arguments = _edit_question(arguments)
    if has_no_question(arguments) and terminal.stdin_tty:
        _open_chat(question_of(arguments, settings), settings, arguments, terminal)
        return
    continued_session = find_continued_session(arguments, terminal, warn)
    try:
        _ask_in(continued_session, settings, arguments, terminal, json_renderer, on_session)
    finally:
        if continued_session:
            continued_session.store.close()


def _ask_in(  # noqa: PLR0913, PLR0917 - the session beside what `_ask` has
    continued_session: ContinuedSession | None,
    settings: config.Settings,
    arguments: AskArguments,
    terminal: Terminal,
    json_renderer: JsonRenderer | None,
    on_session: Callable[[str], None],
) -> None:
    """Ask a question in the session that it continues, if there is one."""
    question, settings, gathered, output_options = _prepare(continued_session, settings, arguments, terminal)
    timeouts = config.parse_timeouts(arguments.timeout, settings.timeouts)
    answer_request = AnswerRequest()
    question = question._replace(answer_request=answer_request)
    warn = _make_warner(arguments, terminal)

    recorder = (
        make_recorder(gathered.text, gathered.attachments, continued_session, decode_argument(arguments.session))
        if settings.store and not arguments.no_store
        else None
    )

    async def conversation() -> None:
        engine = engine_for(
            settings,
            arguments.host,
            timeouts,
            model=question.ask_options.model,
            unasked=not arguments.quiet,
            terminal=terminal,
        )
        if engine.warning:
            warn(engine.warning)
        try:
            async with engine:
                renderer = _renderer_for(json_renderer, terminal, output_options)
                await _converse(engine, question, renderer, arguments, terminal, recorder)
        finally:
            if recorder:
                _note_session(recorder.session, settings, arguments, terminal, json_renderer)
                on_session(recorder.session)

    try:
        with call_on_answer_signal(answer_request.set, quit_key=_has_answer_key(arguments, terminal)):
            run_interruptible(conversation())
    except PromptTooLongError as error:
        raise add_omission_hint(error, question) from error
    except OptionError as error:
        raise add_option_source(error, arguments.option or (), decode_argument(arguments.profile)) from error


class _Prepared(NamedTuple):
    """A question ready to be asked, and what belongs to it."""

    question: Question
    settings: config.Settings
    gathered: QuestionInputs
    output_options: OutputOptions


def _prepare(
    continued_session: ContinuedSession | None, settings: config.Settings, arguments: AskArguments, terminal: Terminal
) -> _Prepared:
    """Read the inputs, and combine what the session, the template and the arguments say of the question."""
    warn = _make_warner(arguments, terminal)
    if continued_session:
        settings = restore_profile(settings, arguments, continued_session, warn)
    filling, settings = _select_template(arguments, settings)
    named_template = filling.template if filling and arguments.template else None
    kept = restored_settings(continued_session, named_template) if continued_session else NO_SETTINGS
    question = question_of(arguments, settings, filling, kept)
    output_options = _output_options_of(arguments, settings, checks=question.schema is not None)
    output_options = output_options._replace(has_answer_key=_has_answer_key(arguments, terminal))
    settings = restore_server(settings, arguments, continued_session)
    gathered = gather_inputs(arguments, terminal, warn, filling)
    question = _complete_question(question, gathered)
    named_model = arguments.model or (settings.model if settings.is_model_explicit else "")
    return _Prepared(_continue_session(question, continued_session, named_model), settings, gathered, output_options)


def _has_answer_key(arguments: AskArguments, terminal: Terminal) -> bool:
    """Whether a key of the terminal asks for the answer."""
    return terminal.err.tty and terminal.stdin_tty and not arguments.raw


def _edit_question(arguments: AskArguments) -> AskArguments:
    """The arguments with the question as the user's editor leaves it.

    Raises:
        UsageError: there is no editor, it failed, or the question is empty.
    """
    from reflectty.system.editor import edit_text, require_editor

    require_editor()
    text = edit_text(decode_argument(" ".join(arguments.prompt or ())))
    if text is None:
        raise UsageError("the editor failed", "nothing was asked")
    if not text.strip():
        raise UsageError("the question is empty", "nothing was asked")
    # With a second word it is never the name of a file.
    return arguments._replace(prompt=[text.rstrip(), ""] if text.startswith("@") else [text.rstrip()])


def _renderer_for(json_renderer: JsonRenderer | None, terminal: Terminal, look: OutputOptions) -> Renderer:
    if json_renderer is None:
        return choose_renderer(terminal, look)
    json_renderer.reads_thoughts = look.reads_thoughts
    return json_renderer


def _note_session(
    session: str,
    settings: config.Settings,
    arguments: AskArguments,
    terminal: Terminal,
    json_renderer: JsonRenderer | None,
) -> None:
    """Remember and show which session has the question."""
    remember_terminal_session(terminal, session)
    if not manages_models(settings.engine):
        config.remember_session_server(session, settings.engine, arguments.host or settings.host)
    if json_renderer:
        json_renderer.session = session


def _select_template(
    arguments: AskArguments, settings: config.Settings
) -> tuple[FilledTemplate | None, config.Settings]:
    """The template, if any, and the settings with its own."""
    if not (arguments.template or arguments.field or settings.template):
        return None, settings
    from reflectty.commands.template_option import refuse_form_with_schema, select_template, settings_with

    filling = select_template(arguments, settings.template)
    if filling is None:
        return None, settings
    refuse_form_with_schema(arguments, filling.template)
    return filling, settings_with(filling.template, settings, is_named=bool(arguments.template))


def _settings_of(question: Question, arguments: AskArguments) -> SessionSettings:
    """What the command line sets for the session of a chat."""
    from reflectty.core.session import SessionSettings

    is_repetition_typed = arguments.samples is not None or arguments.verify
    return SessionSettings(
        decode_argument(arguments.profile),
        mode=str(arguments.mode) if arguments.mode else None,
        effort=str(arguments.effort) if arguments.effort else None,
        system=question.ask_options.system if arguments.system else None,
        options=question.ask_options.options if arguments.option else None,
        budget=arguments.budget or None,
        samples=str(question.ask_options.samples) if is_repetition_typed else None,
        verify=("on" if arguments.verify else "off") if is_repetition_typed else None,
    )


def _open_chat(question: Question, settings: config.Settings, arguments: AskArguments, terminal: Terminal) -> None:
    from reflectty.commands.chat import ChatRequest, open_chat

    wanted = ChatRequest(
        question.ask_options,
        host=arguments.host or settings.host,
        timeout=arguments.timeout,
        keeps_session=settings.store and not arguments.no_store,
        session=arguments.session,
        continues_latest=arguments.go_on,
        is_model_explicit=bool(arguments.model) or settings.is_model_explicit,
        profile=decode_argument(arguments.profile),
        typed=tuple((key, f"--option {key}") for key, _ in parse_options(tuple(arguments.option or ()))),
        settings=_settings_of(question, arguments),
    )
    open_chat(wanted, settings, terminal)


async def _converse(  # noqa: PLR0913, PLR0917 - one argument per part of the conversation
    engine: Engine,
    question: Question,
    renderer: Renderer,
    arguments: AskArguments,
    terminal: Terminal,
    recorder: ReplyRecorder | None,
) -> None:
    from reflectty.chat.run import ask as ask_engine
    from reflectty.chat.run import ask_raw

    warn = _make_warner(arguments, terminal)
    if arguments.raw:
        if not question.asks_once:
            warn("--raw asks once, without the samples or the verification of the settings")
        await ask_raw(engine, question, terminal.out.write, warn, recorder=recorder)
        return
    if question.asks_once:
        reply = await ask_engine(engine, question, renderer, first_time=_is_first_time, recorder=recorder)
    else:
        from reflectty.chat.ways import ask_in_its_way

        stage = _stage_of(renderer, arguments, terminal)
        reply = await ask_in_its_way(engine, question, stage, first_time=_is_first_time, recorder=recorder)
    if arguments.code:
        _print_code(reply, terminal)
    if arguments.stats:
        from reflectty.output.plain import format_stats

        terminal.write_stderr(format_stats(reply))


def _is_first_time(name: str) -> bool:
    return config.remember_once("asked", name)


def _stage_of(renderer: Renderer, arguments: AskArguments, terminal: Terminal) -> Stage:
    """Where several replies are shown: a pipe gets nothing until it is known which of them counts."""
    from reflectty.chat.ways import Stage

    is_final = arguments.final or arguments.code
    is_shown = not (is_final or arguments.as_json or arguments.jsonl)
    if arguments.quiet or is_final or not terminal.err.tty:
        return Stage(renderer, streams=is_shown and terminal.out.tty)
    from reflectty.output.live_region import ProgressLine

    return Stage(renderer, is_shown and terminal.out.tty, ProgressLine(terminal).show)


def _print_code(reply: Reply, terminal: Terminal) -> None:
    """Print the last block of code of a complete reply.

    Raises:
        NoAnswerError: it has none.
    """
    from reflectty.core.safety import clean
    from reflectty.view.grammar import last_code_block

    code = last_code_block(reply.answer)
    if not code:
        raise NoAnswerError("the answer has no block of code", "ask for code, or leave out -x to see the answer")
    terminal.out.write(f"{clean(code)}\n")


def _output_options_of(arguments: AskArguments, settings: config.Settings, *, checks: bool) -> OutputOptions:
    """The output options; `checks` says whether the answer is checked before it is printed."""
    is_final = arguments.final or arguments.code
    forms = {OutputForm.FINAL: is_final, OutputForm.JSON: arguments.as_json, OutputForm.JSONL: arguments.jsonl}
    form = next((form for form, on in forms.items() if on), OutputForm.SHOWN)
    parts = (
        frozenset({Kind.ANSWER}) if arguments.no_thinking or form is OutputForm.FINAL else _parse_parts(arguments.show)
    )
    if arguments.code:
        # The code is printed once the answer is complete: half a block may not reach a program.
        parts = frozenset()
    return OutputOptions(
        form=form,
        parts=parts,
        has_chosen_parts=bool(arguments.show),
        quiet=arguments.quiet,
        hold_until_checked=checks,
        reads_thoughts=settings.second_thoughts,
        theme=settings.theme,
    )


def _parse_parts(text: str) -> frozenset[Kind]:
    names = {name.strip() for name in text.split(",") if name.strip()}
    unknown = names - {str(kind) for kind in Kind}
    if unknown:
        known = ", ".join(Kind)
        raise UsageError(f"--show: unknown part {min(unknown)!r}", f"choose from {known}")
    return frozenset(Kind(name) for name in names) or ALL_PARTS


def question_of(
    arguments: AskArguments,
    settings: config.Settings,
    filling: FilledTemplate | None = None,
    kept: SessionSettings = NO_SETTINGS,
) -> Question:
    """Return what the arguments say of the question, all but the question itself.

    Args:
        arguments: the arguments.
        settings: the settings, with those of the template.
        filling: the template, for its schema.
        kept: what was set for the session that the question continues; the arguments precede it.
    """
    from reflectty.chat.request import Question

    schema = None
    if arguments.schema:
        from reflectty.core.schema import read_schema

        schema = read_schema(arguments.schema)
    elif filling:
        from reflectty.commands.template_option import schema_of

        schema = schema_of(filling.template)
    return Question(
        "",
        _ask_options_of(arguments, settings, kept),
        schema=schema,
        announce=not (arguments.final or arguments.code),
        deadline=parse_deadline(arguments.deadline),
    )


def _ask_options_of(arguments: AskArguments, settings: config.Settings, kept: SessionSettings) -> AskOptions:
    """How the model is asked: by the arguments, else as was set for the session, else by the settings."""
    samples, verify = repetition_of(arguments, settings)
    ask_options = settings.ask_options._replace(samples=samples, verify=verify)
    if kept != NO_SETTINGS:
        from reflectty.chat.session_settings import apply_settings

        ask_options = apply_settings(ask_options, kept)
    if arguments.samples is not None or arguments.verify:
        ask_options = ask_options._replace(samples=samples, verify=verify)
    return ask_options.override(
        mode=arguments.mode,
        effort=arguments.effort,
        budget=_budget_of(arguments),
        loops=arguments.loops,
        until_settled=arguments.until_settled,
        family=family_named(arguments.family) if arguments.family else None,
        system=arguments.system,
        model=arguments.model,
        options=parse_options(tuple(arguments.option or ())),
        keep_alive=arguments.keep_alive,
        keep_thinking=arguments.keep_thinking,
    )


def _budget_of(arguments: AskArguments) -> Budget | None:
    if not arguments.budget:
        return None
    from reflectty.core.budget import parse_budget

    return parse_budget(arguments.budget)


def _continue_session(question: Question, session: ContinuedSession | None, named_model: str) -> Question:
    """Return the question with the history of a session, whose model precedes that of the settings."""
    if session is None:
        return question
    ask_options = question.ask_options if named_model else question.ask_options.override(model=session.model)
    return question._replace(ask_options=ask_options, history=session.history_for(named_model))


def _complete_question(question: Question, gathered: QuestionInputs) -> Question:
    """Return the question with its prompt and images."""
    return question._replace(
        prompt=gathered.prompt,
        images=tuple(content for _, content in gathered.images),
        # A single question may reload its model; in a batch every long line would.
        context_growth="" if NUM_CTX in dict(question.ask_options.options) else "here",
    )


def _make_warner(arguments: AskArguments, terminal: Terminal) -> Callable[[str], None]:
    def warn(text: str) -> None:
        if not arguments.quiet:
            write_remark(terminal, text)

    return warn
