"""Actions on settings: model, mode, effort, profile, theme, options, and the models of the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from reflectty import config
from reflectty.config.load import NO_PROFILE
from reflectty.core.errors import UsageError
from reflectty.core.messages import Effort
from reflectty.core.model_names import remote_host_of, short_name_of
from reflectty.core.options import parse_options
from reflectty.reasoning.modes import Mode
from reflectty.tui import status
from reflectty.tui.actions.action import ActionGroup, action
from reflectty.tui.conversation import OptionSources

if TYPE_CHECKING:
    from reflectty.core.messages import Model
    from reflectty.tui.app import ChatProfile
    from reflectty.tui.controller import ChatController


MODE_DETAILS = {
    Mode.AUTO: "native if the model can think, else by prompt",
    Mode.NATIVE: "the model's own thinking or tags",
    Mode.REFLECT: "by prompt",
    Mode.DIRECT: "no thinking",
}
NO_EFFORT = "default"
MORE_CHOICE = "/models"
"""The choice that opens the screen of models; no model can have this name."""
T = TypeVar("T", Mode, Effort)


class SettingsActions(ActionGroup):
    """Actions on settings; without an argument each offers the choices."""

    group = "Settings"

    def __init__(self, controller: ChatController) -> None:
        super().__init__(controller)
        self._profile_name = ""
        self._initial_config = controller.config
        self._is_on_profile_server = False

    @action("Choose a model", "f2", slash="/model", argument="NAME")
    async def model(self, name: str) -> None:
        controller = self._controller
        wanted = name.strip() or await controller.dialogs.choose(
            "Model", await self._model_rows(), controller.conversation.ask_options.model
        )
        if wanted == MORE_CHOICE:
            await controller.perform("models", "")
        elif wanted:
            await controller.turns.connected_engine.show(wanted)
            controller.change_ask_options(model=wanted)
            controller.note(f"now using {wanted}")

    async def _model_rows(self) -> list[tuple[str, str, str]]:
        engine = self._controller.turns.connected_engine
        installed = await engine.models()
        if not installed and not engine.manages_models:
            raise UsageError("the server lists no models", "use /model NAME to ask for one anyway")
        if not installed:
            from reflectty.models.recommendation import pull_hint_for

            raise UsageError("no model is installed on the server", await pull_hint_for(engine))
        names = (short_name_of(model.name, whole=not engine.manages_models) for model in installed)
        rows = [(name, name, _describe_abilities(model)) for name, model in zip(names, installed, strict=True)]
        more = (MORE_CHOICE, "more", "pull, load, copy or remove a model")
        return [*rows, more] if engine.manages_models else rows

    @action("Reflection mode", "f3", slash="/mode", argument="auto|native|reflect|direct")
    async def mode(self, name: str) -> None:
        controller = self._controller
        rows = [(str(mode), str(mode), what) for mode, what in MODE_DETAILS.items()]
        wanted = name.strip() or await controller.dialogs.choose(
            "Mode", rows, str(controller.conversation.ask_options.mode)
        )
        if wanted:
            controller.change_ask_options(mode=_parse_member(Mode, wanted, "mode"))

    @action("Thinking effort", "f4", slash="/effort", argument="low|medium|high|max")
    async def effort(self, name: str) -> None:
        controller = self._controller
        rows = [(NO_EFFORT, NO_EFFORT, "the model's own default"), *((str(one), str(one), "") for one in Effort)]
        now = str(controller.conversation.ask_options.effort or NO_EFFORT)
        wanted = name.strip() or await controller.dialogs.choose("Effort", rows, now)
        if wanted:
            controller.change_ask_options(
                effort=None if wanted == NO_EFFORT else _parse_member(Effort, wanted, "effort")
            )
            controller.note(f"effort: {wanted}")

    @action("Manage models on the server", "f6", slash="/models")
    async def models(self, _: str) -> None:
        await self._controller.models.open()

    @action("Pull a model", slash="/pull", argument="NAME")
    async def pull(self, name: str) -> None:
        """Pull a model; ask for its name if none is given."""
        manager = self._controller.models
        await (manager.pull(name.strip()) if name.strip() else manager.ask_and_pull(""))

    @action("Use a profile", "f8", slash="/profile", argument="NAME")
    async def profile(self, name: str) -> None:
        """Apply a profile and connect to the server that it names; `none` applies no profile."""
        controller = self._controller
        rows = [(one, one, "") for one in (*config.profile_names(), NO_PROFILE)]
        wanted = name.strip() or await controller.dialogs.choose("Profile", rows, self._profile_name)
        if not wanted:
            return
        controller.turns.require_no_reply()
        profiled = controller.config.load_profile(wanted)
        self._profile_name = wanted
        self._switch_server(profiled)
        model = profiled.ask_options.model or controller.conversation.ask_options.model
        controller.conversation.option_sources = OptionSources(wanted)
        controller.change_ask_options(**profiled.ask_options._replace(model=model)._asdict())
        named = "no profile" if wanted == NO_PROFILE else f"using profile {wanted}"
        controller.note(f"{named}: {model or 'the best model'}, {status.mode_of(controller.conversation)}")

    def _switch_server(self, profiled: ChatProfile) -> None:
        """Connect to the server that a profile names, or to the initial one again."""
        controller, first = self._controller, self._initial_config
        there = profiled if profiled.open_engine else first
        if profiled.open_engine or self._is_on_profile_server:
            engine, library = there.open_engine or first.open_engine, there.open_library or first.open_library
            controller.config = controller.config._replace(host=there.host, open_engine=engine, open_library=library)
            controller.connect()
        self._is_on_profile_server = profiled.open_engine is not None

    @action("Choose a theme", "f5", slash="/theme", argument="NAME")
    async def theme(self, name: str) -> None:
        """Change the theme, with a preview while choosing."""
        controller = self._controller
        before = controller.theme.selected_theme.name
        rows = [(one, one, "") for one in controller.theme.names]
        wanted = name.strip() or await controller.dialogs.choose(
            "Theme", rows, before, preview=lambda one: _preview_theme(controller, one)
        )
        problem = controller.set_theme(wanted or before)
        if wanted and not problem:
            config.remember_choice("theme", wanted)

    @action("Set the system prompt", slash="/system", argument="TEXT")
    async def system(self, text: str) -> None:
        controller = self._controller
        controller.change_ask_options(system=text.strip())
        controller.note("system prompt set" if text.strip() else "system prompt cleared")

    @action("Set a model option", slash="/option", argument="KEY=VALUE")
    async def option(self, text: str) -> None:
        controller = self._controller
        conversation = controller.conversation
        if text.strip():
            new = parse_options((text.strip(),))
            typed = dict(conversation.option_sources.typed) | {key: f"/option {key}" for key, _ in new}
            conversation.option_sources = conversation.option_sources._replace(typed=tuple(typed.items()))
            controller.change_ask_options(options=conversation.ask_options.override(options=new).options)
        options = ", ".join(f"{key}={value}" for key, value in conversation.ask_options.options)
        controller.note(f"options: {options or 'none'}")


def _describe_abilities(model: Model) -> str:
    """The abilities of a model, and its host if that is remote."""
    host = remote_host_of(model)
    return ", ".join((*model.capabilities, *((f"cloud: {host}",) if host else ())))


def _preview_theme(controller: ChatController, name: str) -> None:
    controller.set_theme(name)


def _parse_member(kind: type[T], name: str, noun: str) -> T:
    try:
        return kind(name)
    except ValueError as error:
        raise UsageError(f"unknown {noun} {name!r}", f"choose from {', '.join(kind)}") from error
