"""Actions on settings: model, mode, effort, profile, theme, options, and the models of the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from reflectty import config
from reflectty.config.load import NO_PROFILE
from reflectty.config.schema import parse_samples
from reflectty.core.errors import UsageError
from reflectty.core.messages import Effort
from reflectty.core.model_names import is_same_model, remote_host_of, short_name_of
from reflectty.core.options import OPTIONS, parse_options
from reflectty.core.text import format_bytes
from reflectty.reasoning.modes import Mode, abilities_of, non_chat_kind_of
from reflectty.tui import status
from reflectty.tui.actions.action import ActionGroup, action
from reflectty.view.model import device_of

if TYPE_CHECKING:
    from reflectty.core.messages import Model, OptionValue, RunningModel
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
EMPTY_TEXTS = ('""', "''")
"""How an empty text is typed."""
BUDGETS = ("off", "500", "1000", "2000", "4000", "8000", "30s", "2m", "10m")
"""The budgets to choose from; any other can be typed."""
SAMPLES = ("1", "3", "5", "7", "9", "15")
"""The numbers of samples to choose from; any other can be typed."""
SWITCH = ("on", "off")
T = TypeVar("T", Mode, Effort)


class SettingsActions(ActionGroup):
    """Actions on settings; without an argument each offers the choices."""

    group = "Settings"

    @action("Choose a model", "f2", slash="/model", argument="NAME", aliases=("/load",))
    async def model(self, name: str) -> None:
        controller = self._controller
        wanted = name.strip() or await controller.dialogs.choose(
            "Model", await self._model_rows(), controller.conversation.ask_options.model
        )
        if wanted == MORE_CHOICE:
            controller.action_perform("models")
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
        running = await engine.running_models()
        rows = []
        for model in installed:
            if not non_chat_kind_of(model):
                name = short_name_of(model.name, whole=not engine.manages_models)
                loaded = next((one for one in running if is_same_model(one.name, model.name)), None)
                rows.append((name, name, _describe_model(model, loaded)))
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

    @action("Manage models on the server", "f6", slash="/models", aliases=("/list", "/ls"))
    async def models(self, _: str) -> None:
        await self._controller.models.open()

    @action("Use a profile", "f8", slash="/profile", argument="NAME")
    async def profile(self, name: str) -> None:
        """Apply a profile and connect to the server that it names; `none` applies no profile."""
        controller = self._controller
        wanted = name.strip() or await controller.dialogs.choose(
            "Profile", _profile_rows(), controller.conversation.settings.profile
        )
        if not wanted:
            return
        controller.turns.require_no_reply()
        controller.session_options.use_profile(wanted)
        named = "no profile" if wanted == NO_PROFILE else f"using profile {wanted}"
        model = controller.conversation.ask_options.model or "the best model"
        controller.note(f"{named}: {model}, {status.mode_of(controller.conversation)}")

    @action("Thinking budget", slash="/budget", argument="N|TIME|off")
    async def budget(self, text: str) -> None:
        """Set how much the model may think; without an argument, choose."""
        from reflectty.core.budget import parse_budget

        controller = self._controller
        now = controller.conversation.ask_options.budget
        rows = [(one, str(parse_budget(one)), "") for one in BUDGETS]
        chosen = next((one for one in BUDGETS if parse_budget(one) == now), BUDGETS[0])
        wanted = text.strip() or await controller.dialogs.choose("Thinking budget", rows, chosen)
        if wanted:
            controller.change_ask_options(budget=parse_budget(wanted, "budget"))
            controller.note(f"thinking budget: {parse_budget(wanted)}")

    @action("Samples that vote", slash="/samples", argument="N")
    async def samples(self, text: str) -> None:
        """Set how many replies vote on an answer, which turns off the verification; without an argument, choose."""
        controller = self._controller
        now = str(max(1, controller.conversation.ask_options.samples))
        rows = [(one, one, "ask once" if one == "1" else "") for one in SAMPLES]
        wanted = text.strip() or await controller.dialogs.choose("Samples", rows, now)
        if wanted:
            number = parse_samples(int(wanted) if wanted.isascii() and wanted.isdecimal() else wanted, "samples")
            controller.change_ask_options(samples=number, verify=False)
            controller.note(f"{number} replies vote on each answer" if number > 1 else "each question is asked once")

    @action("Verify replies", slash="/verify", argument="on|off")
    async def verify(self, text: str) -> None:
        """Verify and revise each reply, which turns off the samples, or not; without an argument, the other way."""
        controller = self._controller
        wanted = text.strip() or ("off" if controller.conversation.ask_options.verify else "on")
        if wanted not in SWITCH:
            raise UsageError(f"unknown choice {wanted!r}", f"choose from {', '.join(SWITCH)}")
        controller.change_ask_options(samples=1, verify=wanted == SWITCH[0])
        controller.note("each reply is checked and revised" if wanted == SWITCH[0] else "replies are not verified")

    @action("Edit the system prompt", slash="/system", argument="TEXT")
    async def system(self, text: str) -> None:
        """Set the system prompt; without a text put it into the composer, and with `""` clear it."""
        controller, wanted = self._controller, text.strip()
        if wanted:
            controller.change_ask_options(system="" if wanted in EMPTY_TEXTS else wanted)
            controller.note("system prompt cleared" if wanted in EMPTY_TEXTS else "system prompt set for this session")
            return
        prompt = controller.conversation.ask_options.system
        controller.composer.fill(f"/system {prompt}")
        controller.note('enter sets it for this session, /system "" clears it' if prompt else "no system prompt yet")

    @action("Edit the model options", slash="/option", argument="KEY=VALUE")
    async def option(self, text: str) -> None:
        """Set an option, or with an empty value remove it; without a text list all of them to edit."""
        controller = self._controller
        wanted = text.strip() or await self._ask_option()
        if not wanted:
            return
        conversation = controller.conversation
        key, equals, value = wanted.partition("=")
        options, sources = dict(conversation.ask_options.options), dict(conversation.option_sources.typed)
        if equals and not value.strip() and key.strip() in OPTIONS:
            options.pop(key.strip(), None)
        else:
            new = dict(parse_options((wanted,), "/option"))
            options |= new
            sources |= {key: f"/option {key}" for key in new}
        conversation.option_sources = conversation.option_sources._replace(typed=tuple(sources.items()))
        controller.change_ask_options(options=tuple(options.items()))
        controller.note(f"options: {', '.join(f'{key}={_option_text(one)}' for key, one in options.items()) or 'none'}")

    async def _ask_option(self) -> str:
        """Let the user choose an option and type its value; empty on cancel."""
        dialogs, options = self._controller.dialogs, dict(self._controller.conversation.ask_options.options)
        names = [*options, *(name for name in OPTIONS if name not in options)]
        rows = [(name, name, _option_text(options.get(name, ""))) for name in names]
        name = await dialogs.choose("Model options", rows, next(iter(options), None))
        if not name:
            return ""
        value = await dialogs.ask_line(name, _option_text(options.get(name, "")), "empty for the model's own value")
        return "" if value is None else f"{name}={value}"

    @action("Pull a model", slash="/pull", argument="NAME")
    async def pull(self, name: str) -> None:
        """Pull a model; ask for its name if none is given."""
        manager = self._controller.models
        await (manager.pull(name.strip()) if name.strip() else manager.ask_and_pull(""))


def _option_text(value: OptionValue) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def _profile_rows() -> list[tuple[str, str, str]]:
    """The profiles to choose from.

    Raises:
        UsageError: there are none, or the config file is invalid.
    """
    names = config.profile_names()
    if not names:
        raise UsageError("no profiles yet", "create one in a shell: reflect config set profiles.NAME.model MODEL")
    return [(name, name, "") for name in names] + [(NO_PROFILE, NO_PROFILE, "the settings without a profile")]


def _describe_model(model: Model, running: RunningModel | None) -> str:
    """The size of a model or its host if that is remote, how it thinks, and where it is loaded."""
    host = remote_host_of(model)
    size = f"cloud: {host}" if host else format_bytes(model.size) if model.size else ""
    loaded = f"loaded on {device_of(running)}" if running else ""
    return ", ".join(filter(None, (size, *abilities_of(model), loaded)))


def _preview_theme(controller: ChatController, name: str) -> None:
    controller.set_theme(name)


def _parse_member(kind: type[T], name: str, noun: str) -> T:
    try:
        return kind(name)
    except ValueError as error:
        raise UsageError(f"unknown {noun} {name!r}", f"choose from {', '.join(kind)}") from error
