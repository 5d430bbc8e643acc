"""Runs one comparison: asks its arms, shows them and tells how it ended."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

from reflectty import config
from reflectty.chat.recorder import RecordTarget
from reflectty.commands.ask import question_of
from reflectty.commands.ask_options import decode_argument, refuse_contradictions
from reflectty.commands.compare_view import make_view
from reflectty.commands.engine_factory import engine_for
from reflectty.commands.inputs import gather_inputs, with_texts
from reflectty.commands.session_option import remember_terminal_session
from reflectty.commands.template_option import select_template, settings_with
from reflectty.core.errors import OutputError, ReflecttyError, StoppedError, UsageError, internal_error_from
from reflectty.core.model_spec import is_mini
from reflectty.core.options import NUM_CTX
from reflectty.engines import manages_models
from reflectty.evaluation.arm_recorders import ArmRecorders
from reflectty.evaluation.arms import Arm, Way, parse_arms
from reflectty.evaluation.comparison import Asker, compare, find_models, make_runs, usual_arms
from reflectty.evaluation.comparison_summary import comparison_object
from reflectty.output import OutputOptions, SilentRenderer, write_remark
from reflectty.output.json import error_object
from reflectty.output.tables import Page
from reflectty.system import theme
from reflectty.system.signals import call_on_answer_signal, run_interruptible

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reflectty.chat.request import Question
    from reflectty.chat.run import ReplyRecorder
    from reflectty.commands.compare import CompareArguments
    from reflectty.commands.compare_view import ComparisonView
    from reflectty.commands.inputs import QuestionInputs
    from reflectty.config import Settings
    from reflectty.core.messages import Engine
    from reflectty.evaluation.comparison import ArmRun
    from reflectty.store import Store
    from reflectty.system.terminal import Terminal

LEAST_ARMS = 2


def run_compare(arguments: CompareArguments, terminal: Terminal) -> None:
    """Ask a question in several arms.

    Raises:
        ReflecttyError: the arguments are invalid, or no arm could be asked; the JSON object of that, too, is printed.
        StoppedError: an arm has no complete answer, which was reported; or a signal ended the command.
    """
    comparison = ComparisonCommand(arguments, terminal)
    try:
        comparison.run()
    except Exception as error:
        known = error if isinstance(error, ReflecttyError) else internal_error_from(error)
        with contextlib.suppress(OutputError, StoppedError):
            comparison.finish(known)
        raise
    comparison.finish(None)
    if failed := next((run.error for run in comparison.runs if run.error), None):
        raise StoppedError(failed.exit_code)


class ComparisonCommand:
    """One call: its arguments, and its arms once their models are known."""

    def __init__(self, arguments: CompareArguments, terminal: Terminal) -> None:
        self.runs: Sequence[ArmRun] = ()
        self._arguments = arguments
        self._ask_arguments = arguments.ask_arguments
        self._terminal = terminal
        self._view: ComparisonView | None = None
        self._recorders: ArmRecorders | None = None
        self._reads_thoughts = True
        self._noted: set[str] = set()

    def run(self) -> None:
        """Ask all arms.

        Raises:
            ReflecttyError: the arguments are invalid, or no arm could be asked.
        """
        refuse_contradictions(self._ask_arguments)
        named = _named_arms(self._arguments)
        settings, question = self._read()
        self._reads_thoughts = settings.second_thoughts
        is_live = self._terminal.err.tty and self._terminal.stdin_tty
        with call_on_answer_signal(self._answer_now, quit_key=is_live):
            run_interruptible(self._ask(settings, question, named))

    def _answer_now(self) -> None:
        for run in self.runs:
            run.answer_now()

    def _read(self) -> tuple[Settings, Question]:
        """The settings and the question, with the inputs and the template."""
        arguments = self._ask_arguments
        settings = config.load_settings(profile=decode_argument(arguments.profile), engine=arguments.engine or "")
        arguments = with_texts(arguments, self._terminal, self._note)
        filling = select_template(arguments, settings.template)
        if filling:
            settings = settings_with(filling.template, settings, is_named=bool(arguments.template))
        question = question_of(arguments, settings, filling)
        gathered = gather_inputs(arguments, self._terminal, self._note, filling)
        if settings.store and not arguments.no_store:
            self._recorders = ArmRecorders(_open_store, RecordTarget(gathered.text, gathered.attachments))
        return settings, _with_inputs(question, gathered)

    async def _ask(self, settings: Settings, question: Question, named: Sequence[Arm]) -> None:
        arguments = self._ask_arguments
        models = [*(arm.model for arm in named if arm.model), *_names_of(self._arguments.models)]
        engine = engine_for(
            settings,
            arguments.host,
            config.parse_timeouts(arguments.timeout, settings.timeouts),
            model=next(filter(is_mini, models), question.ask_options.model),
            unasked=not arguments.quiet,
            terminal=self._terminal,
        )
        if engine.warning:
            self._note(engine.warning)
        async with engine:
            await self._find_arms(engine, question, named)
            self._show(settings)
            try:
                await compare(Asker(engine, question, self._recorder_for), self.runs)
            finally:
                self._note_session(settings)

    async def _find_arms(self, engine: Engine, question: Question, named: Sequence[Arm]) -> None:
        unnamed = [Arm(Way.COT, model=name) for name in _names_of(self._arguments.models)] or [Arm(Way.COT)]
        found = await find_models(engine, question, named or unnamed, self._announce)
        self.runs = make_runs(named or await usual_arms(engine, question, found), found)

    def _recorder_for(self, run: ArmRun, asked: Question) -> ReplyRecorder | None:
        return self._recorders.make(run, asked) if self._recorders else None

    def _note_session(self, settings: Settings) -> None:
        """Name the branches, and remember which session has them."""
        if self._recorders is None:
            return
        self._recorders.close()
        session = self._recorders.session
        remember_terminal_session(self._terminal, session)
        if session and not manages_models(settings.engine):
            config.remember_session_server(session, settings.engine, self._ask_arguments.host or settings.host)

    # Output

    def _note(self, text: str) -> None:
        """Write a note once: every arm of a model has the same."""
        if not self._ask_arguments.quiet and text not in self._noted:
            self._noted.add(text)
            write_remark(self._terminal, text)

    def _announce(self, text: str) -> None:
        if config.remember_once("asked", text):
            self._note(text)

    def _show(self, settings: Settings) -> None:
        """Begin to show the arms."""
        if self._ask_arguments.as_json:
            for run in self.runs:
                run.renderer = SilentRenderer(self._note)
            return
        loaded = theme.load_theme(settings.theme)
        if loaded.problem:
            self._note(loaded.problem)
        look = OutputOptions(
            quiet=self._ask_arguments.quiet, reads_thoughts=settings.second_thoughts, theme=settings.theme
        )
        page = Page(self._terminal, loaded.theme, reads_thoughts=settings.second_thoughts)
        self._view = make_view(self.runs, page, loaded.theme, look, self._note)

    def finish(self, error: ReflecttyError | None) -> None:
        """Print the summary, or the JSON object; `error` is what ended the whole comparison."""
        if self._ask_arguments.as_json:
            self._print_object(error)
        elif self._view:
            self._view.finish()

    def _print_object(self, error: ReflecttyError | None) -> None:
        value = {
            **comparison_object(self.runs, reads_thoughts=self._reads_thoughts),
            "session": (self._recorders.session if self._recorders else "") or None,
            "error": error_object(error),
        }
        self._terminal.out.write(json.dumps(value, ensure_ascii=True) + "\n")
        for run in self.runs:
            if run.error and not error:
                write_remark(self._terminal, f"{run.arm.name}: {run.error.with_hint}")


def _named_arms(arguments: CompareArguments) -> tuple[Arm, ...]:
    """The arms that the command line names; none if it leaves them to the models.

    Raises:
        UsageError: one is not an arm, or there is only one.
    """
    arms = parse_arms(arguments.arms, arguments.models) if arguments.arms else ()
    if len(arms) == 1:
        raise UsageError(f"there is nothing to compare {arms[0].name} with", "name two arms: --arms cot,reflect")
    return arms


def _names_of(texts: Sequence[str]) -> list[str]:
    return [name.strip() for text in texts for name in text.split(",") if name.strip()]


def _with_inputs(question: Question, gathered: QuestionInputs) -> Question:
    return question._replace(
        prompt=gathered.prompt,
        images=tuple(content for _, content in gathered.images),
        context_growth="" if NUM_CTX in dict(question.ask_options.options) else "here",
    )


def _open_store(warn: Callable[[str], None]) -> Store:
    from reflectty.store import open_store

    return open_store(config.store_path(), warn)
