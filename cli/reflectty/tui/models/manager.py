"""Polls the models of a server, estimates their fit and performs the actions of the screen of models."""

from __future__ import annotations

import asyncio
import contextlib
import time
from functools import partial
from typing import TYPE_CHECKING

from reflectty.core.errors import ReflecttyError, UsageError
from reflectty.core.model_names import checked_name, is_same_model, remote_host_of, short_name_of
from reflectty.core.text import format_bytes, format_duration
from reflectty.models.installed import InstalledModel, installed_model_of
from reflectty.output import live_region, models
from reflectty.tui import slash
from reflectty.tui.models.downloads import (
    STOPPED_NOTE,
    Downloads,
    describe_error,
    download_facts_of,
    summarize_downloads,
)
from reflectty.tui.models.rows import DownloadState, ModelInfo
from reflectty.tui.models.screen import ModelsScreen, ModelsSnapshot
from reflectty.view.model import placement_of
from reflectty.view.summary import SummaryFact

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from reflectty.core.messages import Model, RunningModel
    from reflectty.models.manager import ModelLibrary
    from reflectty.tui.controller import ChatController
    from reflectty.tui.models.downloads import Download

    FitLines = tuple[tuple[str, str], ...]


SETTLE_SECONDS = 0.3
"""Seconds that a model must stay chosen before its fit is estimated, so that scrolling does not wait."""


class FitEstimates:
    """Estimates memory fits in the background; calls `on_change` after each estimate."""

    def __init__(self, controller: ChatController, library: ModelLibrary, on_change: Callable[[], None]) -> None:
        self._controller = controller
        self._library = library
        self._on_change = on_change
        self._lines: dict[tuple[object, ...], FitLines] = {}
        self._pending_key: tuple[object, ...] = ()

    def lines(self, one: InstalledModel) -> FitLines:
        """The facts about a model's fit; empty until it is estimated."""
        key = (one.name, one.model.digest, one.running)
        if key not in self._lines and key != self._pending_key:
            self._pending_key = key
            self._controller.run_in_background(partial(self._estimate, one, key), group="estimates", exclusive=True)
        return self._lines.get(key, ())

    async def _estimate(self, one: InstalledModel, key: tuple[object, ...]) -> None:
        hardware = self._controller.config.hardware
        if hardware is None or remote_host_of(one.model):
            return
        from reflectty.view import memory_fit

        await asyncio.sleep(SETTLE_SECONDS)
        self._lines[key] = ()
        with contextlib.suppress(ReflecttyError):
            self._lines[key] = memory_fit.describe_fit(await self._library.fit(one, await hardware(self._library)))
        self._on_change()


TIMEOUT_SECONDS = 4.0
"""Timeout of a poll."""
CONNECTING_FACTS = (SummaryFact("contacting the server", 0),)
STATUS_INTERVAL_SECONDS = 0.5
"""Minimum time between two updates of pulls in the status line."""


class ModelManager:
    """Manages the models of one server for one chat; opens the model library on creation."""

    def __init__(self, controller: ChatController) -> None:
        self._controller = controller
        self._library: ModelLibrary = controller.config.open_library()
        self._downloads = Downloads(self._on_progress)
        self._screen: ModelsScreen | None = None
        self._snapshot = ModelsSnapshot(host=controller.config.host)
        self._models: tuple[InstalledModel, ...] | None = None
        self._details: dict[tuple[str, str], Model] = {}
        """Details of each listed model, by name and digest."""
        self._estimates = FitEstimates(controller, self._library, self._on_estimate)
        self._busy_with: dict[str, str] = {}
        self._is_polling = False
        self._last_status_time = 0.0
        self._handlers: dict[str, Callable[[str], Awaitable[None]]] = {
            "answer": self._use_in_chat,
            "ask": self.ask_and_pull,
            "pull": self.pull,
            "load": self._load,
            "unload": self._unload,
            "copy": self._copy,
            "remove": self._remove,
        }

    async def close(self) -> tuple[str, ...]:
        """Stop the pulls and close the library; return the models whose pull was interrupted."""
        cut = await self._downloads.close()
        await self._library.aclose()
        return cut

    # The screen

    async def open(self) -> None:
        """Show the screen until the user leaves it."""
        if self._screen is not None:
            return
        controller = self._controller
        keys = next((action.keys for action in controller.actions if action.name == "models"), ())
        self._snapshot = self._snapshot._replace(note="", is_error=False)
        self._screen = ModelsScreen(self, keys, unicode=controller.unicode)
        try:
            await controller.app.push_screen_wait(self._screen)
        finally:
            self._screen = None

    def snapshot(self) -> ModelsSnapshot:
        """The current state."""
        models = self._models
        known = None if models is None else tuple(map(self._model_info_of, models))
        return self._snapshot._replace(models=known, downloads=tuple(map(self._download_state_of, self._downloads.all)))

    def _model_info_of(self, one: InstalledModel) -> ModelInfo:
        answers = is_same_model(one.name, self._controller.conversation.ask_options.model)
        return ModelInfo(one.model, one.running, one.labels, self._busy_with.get(one.name, ""), answers)

    def _download_state_of(self, pull: Download) -> DownloadState:
        if pull.error:
            return DownloadState(pull.name, problem=describe_error(pull.error), is_error=True)
        told = (
            live_region.transfer_facts(pull.transfer, self._controller.theme.palette.glyphs)
            if pull.transfer.status
            else CONNECTING_FACTS
        )
        return DownloadState(pull.name, told, "" if pull.task else STOPPED_NOTE)

    def _find(self, name: str) -> InstalledModel | None:
        return next((one for one in self._models or () if one.name == name), None)

    def facts(self, name: str, *, pull: bool) -> tuple[tuple[str, str], ...]:
        """The facts of a model or a pull, each with its name."""
        if not pull:
            one = self._find(name)
            more = (*self._estimates.lines(one), *self._evidence_on(one)) if one else ()
            return models.model_facts(one, time.time(), more) if one else ()
        found = self._downloads.find(name)
        return download_facts_of(found) if found else ()

    def _evidence_on(self, one: InstalledModel) -> tuple[tuple[str, str], ...]:
        """The fact on what a run has shown of a model; none if nothing has."""
        ask_options = self._controller.conversation.ask_options
        if not ask_options.evidence:
            return ()
        from reflectty.chat.evidence import evidence_use_of

        use = evidence_use_of(ask_options, one.model)
        return (("evidence", use.text),) if use else ()

    def perform(self, action: str, name: str) -> None:
        """Perform an action on a model or a pull in the background, and show its errors."""
        self._snapshot = self._snapshot._replace(note="", is_error=False)
        if action == "stop":
            self._downloads.stop(name)
        elif action == "forget":
            self._downloads.forget(name)
        else:
            self._controller.run_in_background(partial(self._perform, action, name))

    async def _perform(self, action: str, name: str) -> None:
        try:
            await self._handlers[action](name)
        except ReflecttyError as error:
            self._say(describe_error(error), wrong=True)

    def _say(self, text: str, *, wrong: bool = False) -> None:
        """Show a note on the screen of models if it is open, else in the chat."""
        if self._screen is not None:
            self._snapshot = self._snapshot._replace(note=text, is_error=wrong)
        else:
            self._controller.note(text, wrong=wrong)

    def _on_estimate(self) -> None:
        self._snapshot = self._snapshot._replace(revision=self._snapshot.revision + 1)

    # Polling

    def poll(self) -> None:
        """Poll the server, unless a poll is running."""
        if not self._is_polling:
            self._is_polling = True
            self._controller.run_in_background(self._poll)

    async def _poll(self) -> None:
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                models, running = await asyncio.gather(self._library.engine.models(), self._library.list_loaded())
            await self._update(models, running)
        except ReflecttyError as error:
            self._mark_unreachable(describe_error(error))
        except TimeoutError:
            self._mark_unreachable("the server does not respond")
        else:
            self._snapshot = self._snapshot._replace(is_reachable=True, unreachable_reason="")
        finally:
            self._is_polling = False

    def _mark_unreachable(self, why: str) -> None:
        """Mark the server as unreachable; the listed models stay."""
        if self._snapshot.is_reachable is not False:
            self._controller.poll()
        self._snapshot = self._snapshot._replace(is_reachable=False, unreachable_reason=why)

    async def _update(self, models: tuple[Model, ...], running: tuple[RunningModel, ...]) -> None:
        """Apply the server's lists, and load the details if a model is new."""
        self._set_models(models, running)
        if any((model.name, model.digest) not in self._details for model in models):
            from reflectty.chat.model_choice import load_cached_tags

            installed = await self._library.list_installed()
            self._details = {(one.name, one.model.digest): load_cached_tags(one.model) for one in installed}
            self._set_models(models, running)
            names = [short_name_of(model.name) for model in models]
            self._controller.composer.choices = slash.argument_choices(names, self._controller.theme.names)

    def _set_models(self, models: tuple[Model, ...], running: tuple[RunningModel, ...]) -> None:
        latest = sorted(models, key=lambda model: model.modified_at, reverse=True)
        known = [self._details.get((model.name, model.digest), model) for model in latest]
        self._models = tuple(installed_model_of(model, running, known) for model in known)

    # Pulling

    async def ask_and_pull(self, name: str) -> None:
        """Ask for a model name and pull it."""
        wanted = await self._controller.dialogs.ask_line("Pull a model", name, "model, model:tag or user/model:tag")
        if wanted:
            await self.pull(wanted)

    async def pull(self, name: str) -> None:
        """Pull a model and note the result.

        Raises:
            UsageError: the name is invalid, or the model is already being pulled.
        """
        wanted = checked_name(name)
        if self._screen is None:
            self._controller.note(f"pulling {wanted}: {self._models_key} shows progress")
        before = await self._library.digest_of(wanted)
        pull = await self._downloads.pull(self._library, wanted)
        if pull.error:
            self._report_failure(pull, pull.error)
        elif not pull.is_stopped:
            self._report_success(pull, new=not before or before != await self._library.digest_of(wanted))

    @property
    def _models_key(self) -> str:
        return next((action.hint for action in self._controller.actions if action.name == "models"), "")

    def _report_failure(self, pull: Download, error: ReflecttyError) -> None:
        if self._screen is None:  # The screen shows it beside the pull.
            self._controller.note(f"pull of {pull.name} failed: {describe_error(error)}", wrong=True)

    def _report_success(self, pull: Download, *, new: bool) -> None:
        """Note that a model is installed; it becomes the chat's model if there is none."""
        fresh = pull.transfer.new_bytes
        amount = f", {format_bytes(fresh)}," if fresh else ""
        pulled = f"pulled {pull.name}{amount} in {format_duration(pull.transfer.seconds)}"
        there = pulled if new else f"{pull.name} is already up to date"
        first = not self._controller.conversation.ask_options.model
        if first:
            self._controller.change_ask_options(model=short_name_of(pull.name))
        self._say(f"{there}; now using it" if first else there)
        self.poll()

    def _on_progress(self) -> None:
        """Update the pulls in the status line, at most every `STATUS_INTERVAL_SECONDS`."""
        now = time.monotonic()
        coming = self._downloads.active
        if coming and now - self._last_status_time < STATUS_INTERVAL_SECONDS:
            return
        self._last_status_time = now
        status = self._controller.status
        status.facts = status.facts._replace(downloads=summarize_downloads(coming))

    # Changing

    async def _use_in_chat(self, name: str) -> None:
        try:
            self._controller.action_perform("model", short_name_of(checked_name(name)))
        except UsageError as error:
            # The screen is closed by now.
            self._controller.report_error(error)

    async def _load(self, name: str) -> None:
        with self._mark_busy(name, "loading"):
            ask_options = self._controller.conversation.ask_options
            running = await self._library.load(name, ask_options.keep_alive, ask_options.options)
        told = f"is loaded: {placement_of(running)}" if running else "was loaded but did not stay loaded"
        self._say(f"{short_name_of(name)} {told}")

    async def _unload(self, name: str) -> None:
        with self._mark_busy(name, "unloading"):
            was = await self._library.unload(name)
        self._say(f"{short_name_of(name)} {'is unloaded' if was else 'was not loaded'}")

    @contextlib.contextmanager
    def _mark_busy(self, name: str, what: str) -> Iterator[None]:
        """Show what is being done with a model, and poll the server afterwards."""
        if name in self._busy_with:
            raise UsageError(f"{short_name_of(name)} is already {self._busy_with[name]}")
        self._busy_with[name] = what
        try:
            yield
        finally:
            del self._busy_with[name]
            self.poll()
            self._controller.poll()

    async def _copy(self, name: str) -> None:
        """Ask for a name and copy the model to it."""
        wanted = await self._controller.dialogs.ask_line(f"Copy {short_name_of(name)} as", "", "takes no disk space")
        if not wanted:
            return
        if await self._library.is_installed(wanted):
            raise UsageError(f"{wanted} already exists", "choose another name")
        await self._library.copy(name, wanted)
        self._say(f"{short_name_of(name)} copied to {wanted}")
        self.poll()

    async def _remove(self, name: str) -> None:
        """Remove a model after confirmation."""
        one = self._find(name)
        if one is None or not await self._controller.dialogs.confirm(
            self._removal_question_of(one), "remove it", "keep it"
        ):
            return
        await self._library.remove(name)
        self._models = tuple(other for other in self._models or () if other.name != name)
        self._say(f"removed {short_name_of(name)}")
        self.poll()

    def _removal_question_of(self, one: InstalledModel) -> str:
        details = (format_bytes(one.model.size) if one.model.size else "", "loaded" if one.running else "")
        answers = is_same_model(one.name, self._controller.conversation.ask_options.model)
        about = ", ".join(text for text in (*details, "used by this chat" if answers else "") if text)
        return f"Permanently remove {short_name_of(one.name)}{f' ({about})' if about else ''} from the server?"
