"""The chat's screen and controller: owns the conversation, the turns and the widgets, and handles their messages."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.containers import Container
from textual.screen import Screen

from reflectty.core.errors import ReflecttyError, StoreError
from reflectty.core.model_names import is_same_model, short_name_of
from reflectty.core.model_spec import is_mini
from reflectty.tui import slash, status
from reflectty.tui.actions import methods_of
from reflectty.tui.actions.general import COMPOSER_ACTIONS
from reflectty.tui.comparison import ComparisonController
from reflectty.tui.composer.composer import Composer
from reflectty.tui.composer.suggestions import Suggestions
from reflectty.tui.compositor import LineCompositor
from reflectty.tui.context_meter import ContextMeter
from reflectty.tui.conversation import Conversation, overflow_choices
from reflectty.tui.dialogs import Dialogs
from reflectty.tui.finder import Finder
from reflectty.tui.first_screen import FirstScreen
from reflectty.tui.keys import format_key
from reflectty.tui.message_cursor import MessageCursor
from reflectty.tui.notes import Notes
from reflectty.tui.prober import CorrectionProber
from reflectty.tui.session_options import SessionOptions
from reflectty.tui.sessions.controller import SessionsController
from reflectty.tui.sessions.welcome import Welcome
from reflectty.tui.submissions import Submissions
from reflectty.tui.tree.controller import TreeController
from reflectty.tui.turns import TurnQueue
from reflectty.tui.widgets.list import SHORT, list_glyphs
from reflectty.tui.widgets.status import StatusLine, TopLine
from reflectty.tui.widgets.transcript import Transcript
from reflectty.view.parts import QuestionPart, Scene
from reflectty.view.rows import Glyphs
from reflectty.view.thinking import TURNS_PER_SECOND, activity_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from typing import Any

    from textual.app import ComposeResult

    from reflectty.core.errors import PromptTooLongError
    from reflectty.core.messages import Engine
    from reflectty.core.session import Session
    from reflectty.tui.app import ChatConfig
    from reflectty.tui.models.manager import ModelManager
    from reflectty.tui.running_turn import TurnRequest
    from reflectty.tui.sessions.panel import SessionsPanel
    from reflectty.view.thinking import ReplyState


POLL_SECONDS = 5.0
PULL_STOPPED_NOTE = "pull of {0} stopped: progress is kept, run `reflect models pull {0}` to continue"


class ChatController(Screen[None]):
    """Shows one chat, and controls its widgets and its conversation.

    Args:
        chat_config: the configuration of the chat.
    """

    AUTO_FOCUS = "Composer"
    DEFAULT_CSS = """
    ChatController { background: $r-background; layout: vertical; }
    ChatController #middle { height: 1fr; }
    ChatController Transcript { height: 1fr; padding: 1 1 0 1; }
    ChatController.-short Transcript { padding: 0 1; }
    ChatController.-plain Composer, ChatController.-plain Composer:focus { border: ascii $r-line; }
    """
    BINDINGS: ClassVar = []

    def __init__(self, chat_config: ChatConfig) -> None:
        super().__init__()
        self._compositor = LineCompositor()
        self.config = chat_config
        self.theme = chat_config.theme
        self.actions = chat_config.actions
        self.unicode = chat_config.theme.palette.glyphs == Glyphs()
        self.submissions = Submissions(self)
        self.key_labels = {action.name: format_key(action.keys[0]) for action in self.actions if action.keys}
        self.conversation = Conversation(
            chat_config.store, chat_config.ask_options, chat_config.option_sources, chat_config.typed_settings
        )
        self.session_options = SessionOptions(self)
        self.transcript = Transcript(
            Scene(
                self.theme.palette,
                80,
                24,
                chat_config.view,
                tuple(self.key_labels.items()),
                reads_thoughts=chat_config.reads_thoughts,
            )
        )
        # Textual's type for work is narrower than a coroutine function, which works.
        self.turns = TurnQueue(self.conversation, self.transcript, self, self.run_worker)  # type: ignore[arg-type]
        self.cursor = MessageCursor(self.conversation, self.transcript, self.turns)
        self.finder = Finder(self.transcript)
        self.prober = CorrectionProber(self)
        self._opened_engines: list[Engine] = []
        """Every engine opened so far, closed at the end: a request may still run on a previous one."""
        self.suggestions = Suggestions(glyphs=list_glyphs(unicode=self.unicode))
        self.composer = self._build_composer()
        self.topline, self.status = TopLine(), StatusLine()
        self.meter = ContextMeter(self)
        self.notes = Notes(self)
        self.welcome = Welcome(list_glyphs(unicode=self.unicode))
        self.first_screen = FirstScreen(self)
        self.dialogs = Dialogs(lambda: self.app, unicode=self.unicode)
        self.sessions = SessionsController(self)
        self.version_tree = TreeController(self)
        self.comparison = ComparisonController(self)
        self._model_managers: dict[str, ModelManager] = {}
        self._methods = methods_of(self)
        self.set_class(not self.unicode, "-plain")
        self._bind_keys()

    def _bind_keys(self) -> None:
        for key in ("down", "tab"):
            self._bindings.bind(key, "enter_welcome", show=False, priority=True)
        handled = {action.name for action in COMPOSER_ACTIONS}
        for action in self.actions:
            for key in action.keys if action.name not in handled else ():
                name = f"perform('{action.name}')"
                self._bindings.bind(key, name, action.label, show=False, priority=not action.yields)

    def _build_composer(self) -> Composer:
        keys = {action.name: action.keys for action in self.actions}
        composer = Composer(self.suggestions, Path())
        composer.commands = slash.commands_of(self.actions)
        composer.choices = slash.argument_choices((), self.theme.names)
        composer.numbered_questions = lambda: self.conversation.numbered_questions
        composer.send_keys, composer.newline_keys = keys["send"], keys["newline"]
        composer.editor_key = self.key_labels.get("editor", "")
        return composer

    def compose(self) -> ComposeResult:
        yield self.topline
        with Container(id="middle"):
            yield self.welcome
            yield self.transcript
        yield self.suggestions
        yield self.composer
        yield self.status

    def on_resize(self) -> None:
        self.set_class(self.size.height < SHORT, "-short")

    def on_mount(self) -> None:
        self.refresh_theme()
        self.show_conversation(self.config.session)
        if self.config.model_overrides_session:
            self.change_ask_options(model=self.config.ask_options.model)
        for text in self.config.notes:
            self.note(text, wrong=True)
        # The user can type before the server is found.
        self.call_after_refresh(self.connect)
        self.set_interval(POLL_SECONDS, self.poll)

    async def on_unmount(self) -> None:
        """Stop the pulls, stop and store the running reply, and close the engines."""
        for manager in self._model_managers.values():
            for name in await manager.close():
                self.config.exit_message(PULL_STOPPED_NOTE.format(name))
        await self.prober.close()
        await self.comparison.close()
        await self.turns.close()
        for engine in self._opened_engines:
            await engine.aclose()

    def run_in_background(
        self, work: Callable[[], Coroutine[Any, Any, None]], group: str = "", *, exclusive: bool = False
    ) -> None:
        """Run a coroutine in the background; a worker canceled before its start never creates it."""
        self.run_worker(work, group=group, exclusive=exclusive)  # type: ignore[arg-type]

    # Actions

    def action_perform(self, name: str, argument: str = "") -> None:
        """Perform an action in the background, and show its errors in the transcript."""
        self.run_in_background(partial(self._perform, name, argument))

    async def _perform(self, name: str, argument: str) -> None:
        try:
            await self._methods[name](argument)
        except ReflecttyError as error:
            self.report_error(error)
        self.refresh_status()

    # The server

    @property
    def models(self) -> ModelManager:
        """The manager of the current server's models, created on first use."""
        from reflectty.tui.models.manager import ModelManager

        if self.config.host not in self._model_managers:
            self._model_managers[self.config.host] = ModelManager(self)
        return self._model_managers[self.config.host]

    def connect(self) -> None:
        """Open the engine and choose the model; the chat continues without whatever fails."""
        with self._report_errors():
            engine = self.turns.engine = status.note_warning(self.config.open_engine(), self.first_screen.note)
            self._opened_engines.append(engine)
            self.run_in_background(self._choose_model)
        self.turns.engine_settled.set()
        with self._report_errors():
            self.composer.earlier_questions = self.conversation.store.questions()
        self.first_screen.refresh()

    @contextlib.contextmanager
    def _report_errors(self) -> Iterator[None]:
        try:
            yield
        except ReflecttyError as error:
            self.first_screen.note(error.with_hint)

    async def _choose_model(self) -> None:
        """Find the model if none or the built-in one is named; a server may have the latter as well."""
        named = self.conversation.ask_options.model
        if not named or is_mini(named):
            self.welcome.facts = self.welcome.facts._replace(remarks=())
            with self._report_errors():
                model = await status.introduce_model(self.turns.connected_engine, named, self.first_screen.note)
                self.change_ask_options(model=model)
        with contextlib.suppress(ReflecttyError):
            engine = self.turns.connected_engine
            whole = not engine.manages_models
            names = [short_name_of(model.name, whole=whole) for model in await engine.models()]
            self.composer.choices = slash.argument_choices(names, self.theme.names)
        self.poll()

    def poll(self) -> None:
        """Update what the server and other chats have changed."""
        with self._report_errors():
            self.turns.parts.follow_other_chats()
        if self.turns.engine:
            self.run_in_background(partial(self._poll_engine, self.turns.engine), group="poll", exclusive=True)

    async def _poll_engine(self, engine: Engine) -> None:
        found = await status.poll_server(engine, self.status.facts, self.turns.last_model)
        back = self.status.facts.is_reachable is False and found.is_reachable
        # A reply may have progressed during the poll: take over only the server's facts.
        self.status.facts = self.status.facts._replace(
            is_reachable=found.is_reachable, context=found.context, gpu=found.gpu
        )
        if back and not self.conversation.ask_options.model:
            self.run_in_background(self._choose_model)
        self.refresh_status()

    # Notes and dialogs

    def note(self, text: str, *, wrong: bool = False) -> None:
        """Show a note at the composer, or a failure in the transcript, where it stays."""
        self.notes.show(text, wrong=wrong)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Let the composer have its keys unless they lead from an empty one to the first screen."""
        if action != "enter_welcome":
            return super().check_action(action, parameters)
        leads = self.welcome.display and not self.composer.text and not self.suggestions.display
        return leads and self.composer.has_focus

    def action_enter_welcome(self) -> None:
        self.welcome.focus()

    def on_welcome_example_picked(self, event: Welcome.ExamplePicked) -> None:
        self.composer.fill(event.text)
        self.composer.focus()

    async def on_welcome_session_picked(self, event: Welcome.SessionPicked) -> None:
        await self.sessions.open(event.session_id, None)

    def on_welcome_left(self, event: Welcome.Left) -> None:
        self.composer.focus()
        self.composer.insert(event.typed)

    def report_error(self, error: ReflecttyError) -> None:
        """Note what did not work, or does not apply here; what could not be stored stays in the transcript."""
        self.note(error.with_hint, wrong=isinstance(error, StoreError))

    async def handle_overflow(self, request: TurnRequest, error: PromptTooLongError) -> bool:
        """Ask what to omit from a conversation that exceeds the context; True to retry."""
        conversation = self.conversation
        before = conversation.count_exchanges_before(request.question)
        rows = overflow_choices(before, error, self.status.facts.context)
        wanted = await self.dialogs.choose(f"Prompt too long: {error}", rows, None)
        return conversation.apply_overflow_choice(wanted or "")

    async def copy(self, text: str, what: str) -> None:
        """Copy a text, and note the outcome."""
        from reflectty.system.clipboard import copy

        outcome = await asyncio.to_thread(copy, text, self.config.write_sequence)
        self.note(f"{what} {outcome}")

    # The composer's text

    async def on_composer_sent(self, event: Composer.Sent) -> None:
        """Handle the composer's text: edited thinking, a command, a rephrased question, or a question."""
        if self.turns.is_steering:
            self.turns.resume(event.text)
        elif (attachments := self.submissions.accept(event)) is not None:
            edited, attachments = self.submissions.end_editing(event.text, attachments)
            if edited:
                await self.turns.rephrase(edited, event.text, attachments, event.pastes)
            else:
                self.turns.ask(event.text, attachments, event.pastes)
        self.refresh_status()

    def on_text_area_changed(self) -> None:
        self.meter.note_draft()

    def on_composer_image_wanted(self) -> None:
        self.action_perform("paste_image")

    def on_composer_withdrawal_wanted(self) -> None:
        self.action_perform("withdraw")

    def on_composer_leave_wanted(self) -> None:
        self.action_perform("quit")

    # The screen

    def on_transcript_map_clicked(self, event: Transcript.MapClicked) -> None:
        """Go to the place in the thinking that was clicked on its map."""
        if not event.part.is_open:
            self.transcript.change(event.part, event.part.toggle)
        row = event.part.turning_row_near(event.share)
        if row >= 0:
            self.transcript.mark_row(event.part, row)

    def on_transcript_toggled(self, event: Transcript.Toggled) -> None:
        self.transcript.change(event.part, event.part.toggle)
        if isinstance(event.part, QuestionPart):
            self.transcript.reveal(event.part)

    def on_transcript_selection_toggled(self) -> None:
        self.refresh_status()

    def on_sessions_panel_page_requested(self, event: SessionsPanel.PageRequested) -> None:
        self.sessions.load_page(event.offset)

    def on_sessions_panel_searched(self, event: SessionsPanel.Searched) -> None:
        self.sessions.search_store(event.words)

    def on_sessions_panel_renamed(self, event: SessionsPanel.Renamed) -> None:
        self.sessions.rename(event.session_id, event.title)

    async def on_sessions_panel_removed(self, event: SessionsPanel.Removed) -> None:
        await self.sessions.remove(event.session_id)

    async def on_sessions_panel_opened(self, event: SessionsPanel.Opened) -> None:
        await self.sessions.open(event.session_id, event.turn, event.words)

    def on_descendant_focus(self) -> None:
        self.refresh_status()

    def on_descendant_blur(self) -> None:
        self.refresh_status()

    def on_sessions_panel_closed(self) -> None:
        self.composer.focus()

    def change_ask_options(self, **changes: object) -> None:
        """Change the ask options from the next question on."""
        self.conversation.change_ask_options(**changes)
        self.refresh_status()

    def set_theme(self, name: str) -> str:
        """Change the theme of the screen; return the problem, or an empty text."""
        problem = self.theme.set_theme(name)
        self.refresh_theme()
        if problem:
            self.note(problem, wrong=True)
        return problem

    def refresh_theme(self) -> None:
        """Apply the theme's colors to everything on the screen."""
        # Textual's own rules and its filter of colors differ for the terminal's colors.
        self.app.ansi_color = self.theme.uses_terminal_colors
        self.app.refresh_css(animate=False)
        palette = self.theme.palette
        self.topline.palette = self.status.palette = palette
        self.transcript.set_scene(self.transcript.scene._replace(palette=palette))

    def show_conversation(self, session: Session | None = None, turn: int | None = None) -> None:
        """Show a session, or an empty transcript."""
        self.submissions.edited_question = None
        if session:
            self.conversation.open(session)
        self.turns.parts.show()
        part = self.turns.parts.find(turn)
        if part:
            self.transcript.reveal(part)
        self.session_options.restore()
        if not self.conversation.ask_options.model and self.turns.engine_settled.is_set():
            self.run_in_background(self._choose_model)
        self.refresh_status()

    def show_branch(self, leaf: int) -> None:
        """Show another branch of the session.

        Raises:
            StoreError: the choice could not be stored; the branch is shown all the same.
        """
        try:
            self.conversation.set_leaf(leaf)
        finally:
            self.turns.parts.show(same_session=True)
            self.refresh_status()

    async def stop_session(self) -> None:
        """Stop everything in the session, steering included."""
        if self.turns.is_steering:
            self.composer.fill("")
        await self.prober.close()
        await self.turns.stop_all()

    def show_progress(self, state: ReplyState) -> None:
        """Show what the running reply does, with each turn of the spinner."""
        spinner = int(state.seconds * TURNS_PER_SECOND)
        if spinner != self.status.facts.spinner or not self.status.facts.activity:
            facts = self.status.facts
            self.status.facts = facts._replace(activity=activity_of(state), spinner=spinner, usage=self.meter.usage)

    def on_turn_end(self) -> None:
        """Poll the server after a reply, which shows whether it is reachable and has loaded the model."""
        if self.is_attached:
            self.poll()
            last = self.conversation.last_reply
            if last and last.said:
                self.config.announce(last.said, self.conversation.title)
        self.refresh_status()

    def refresh_status(self) -> None:
        """Update the title, the status line and the key hints from the current state."""
        if not self.is_attached:
            return
        turns, current = self.turns, self.turns.current
        self.topline.title = self.conversation.title
        model = current.part.state.model if current else self.conversation.ask_options.model
        if not is_same_model(model, self.status.facts.model):
            # The next poll finds those of this model.
            self.status.facts = self.status.facts._replace(context=0, gpu=None)
        self.config.show_title(self.conversation.title)
        self.status.facts = self.status.facts._replace(
            model=model,
            ids=turns.engine is not None and not turns.engine.manages_models,
            mode=status.mode_of(self.conversation),
            changes=status.changes_of(self.conversation),
            activity=self.status.facts.activity if current else self.prober.activity,
            usage=self.meter.usage,
            speed=turns.speed,
            host=status.host_label_of(turns.engine, self.config.host),
        )
        self.composer.hints = status.composer_hints(self)
        self.first_screen.refresh()
        self.composer.queued_count = len(turns.queue)
        gone = self.status.facts.is_reachable is False
        self.composer.state = "steering" if turns.is_steering else "gone" if gone else "quiet"
