"""Actions that change how questions are asked and how the screen looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from reflectty import config
from reflectty.chat import Effort
from reflectty.cloud import elsewhere
from reflectty.errors import UsageError
from reflectty.modes import Mode
from reflectty.names import short
from reflectty.options import parse_options

if TYPE_CHECKING:
    from reflectty.chat import Model
    from reflectty.tui.desk import Desk

MODES = {
    Mode.AUTO: "natively where the model can, else by a prompt",
    Mode.NATIVE: "its own thinking or its own tags",
    Mode.REFLECT: "asked to by a prompt",
    Mode.DIRECT: "not at all",
}
NO_EFFORT = "default"
MORE = "/models"
"""What stands for all that can be done with models; none can have that name."""
T = TypeVar("T", Mode, Effort)


class Choosing:
    """Each method is the action of its name; without a word to it, it offers what there is."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def model(self, name: str) -> None:
        desk = self._desk
        wanted = name.strip() or await desk.dialogs.choose(
            "Model", await self._models(), desk.conversation.manner.model
        )
        if wanted == MORE:
            await desk.do("models", "")
        elif wanted:
            await desk.engine.show(wanted)
            desk.manner(model=wanted)
            desk.note(f"{wanted} answers from here on")

    async def _models(self) -> list[tuple[str, str, str]]:
        installed = await self._desk.engine.models()
        pulls = getattr(self._desk.engine, "pulls", True)
        if not installed and not pulls:
            raise UsageError("the server lists no model", "/model NAME asks for one all the same")
        if not installed:
            from reflectty.library.first import to_pull  # noqa: PLC0415 - only who has no model needs advice

            raise UsageError("no model is installed on the server", await to_pull(self._desk.engine))
        names = (short(model.name, whole=not pulls) for model in installed)
        rows = [(name, name, _able(model)) for name, model in zip(names, installed, strict=True)]
        return [*rows, (MORE, "more", "pull, load, copy or remove a model")] if pulls else rows

    async def mode(self, name: str) -> None:
        desk = self._desk
        rows = [(str(mode), str(mode), what) for mode, what in MODES.items()]
        wanted = name.strip() or await desk.dialogs.choose("Mode", rows, str(desk.conversation.manner.mode))
        if wanted:
            desk.manner(mode=_one_of(Mode, wanted, "mode"))

    async def effort(self, name: str) -> None:
        desk = self._desk
        rows = [(NO_EFFORT, NO_EFFORT, "what the model does by itself"), *((str(one), str(one), "") for one in Effort)]
        now = str(desk.conversation.manner.effort or NO_EFFORT)
        wanted = name.strip() or await desk.dialogs.choose("Effort", rows, now)
        if wanted:
            desk.manner(effort=None if wanted == NO_EFFORT else _one_of(Effort, wanted, "effort"))
            desk.note(f"effort: {wanted}")

    async def theme(self, name: str) -> None:
        """Change the colours; while choosing, the screen shows each."""
        desk = self._desk
        before = desk.looks.theme.name
        rows = [(one, one, "") for one in desk.looks.names]
        wanted = name.strip() or await desk.dialogs.choose("Theme", rows, before, preview=lambda one: _worn(desk, one))
        problem = desk.wear(wanted or before)
        if wanted and not problem:
            config.remember("theme", wanted)

    async def system(self, text: str) -> None:
        desk = self._desk
        desk.manner(system=text.strip())
        desk.note("the system prompt is set" if text.strip() else "no system prompt of your own any more")

    async def option(self, text: str) -> None:
        desk = self._desk
        manner = desk.conversation.manner
        if not text.strip():
            said = ", ".join(f"{key}={value}" for key, value in manner.options) or "none"
            desk.note(f"options: {said}")
            return
        new = parse_options((text.strip(),))
        kept = tuple(pair for pair in manner.options if pair[0] not in dict(new))
        typed = dict(manner.typed) | {key: f"/option {key}" for key, _ in new}
        desk.manner(options=(*kept, *new), typed=tuple(typed.items()))
        desk.note(f"options: {', '.join(f'{key}={value}' for key, value in (*kept, *new))}")


def _able(model: Model) -> str:
    """Return what a model can do, and where it runs if that is not on the server."""
    host = elsewhere(model)
    return ", ".join((*model.capabilities, *((f"cloud: {host}",) if host else ())))


def _worn(desk: Desk, name: str) -> None:
    desk.wear(name)


def _one_of(kind: type[T], name: str, noun: str) -> T:
    try:
        return kind(name)
    except ValueError as error:
        raise UsageError(f"there is no {noun} {name!r}", f"there are {', '.join(kind)}") from error
