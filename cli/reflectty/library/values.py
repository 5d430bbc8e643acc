"""What the library tells and takes, as values; asks nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from reflectty.modes import REFLECT_PROMPT, Mode, Wish, abilities, plan
from reflectty.names import is_same, short

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reflectty.chat import Model, OptionValue, Running


TAGS_LOST: Final = "tags lost"


class Installed(NamedTuple):
    """A model on the server, and where it is loaded, if it is."""

    model: Model
    running: Running | None = None

    @property
    def name(self) -> str:
        return self.model.name

    @property
    def short_name(self) -> str:
        """The name without the tag that goes without saying."""
        return short(self.name)

    @property
    def shared_with(self) -> str:
        """The model under whose name its files are loaded, where that is another one."""
        other = self.running.name if self.running else ""
        return "" if not other or is_same(other, self.name) else short(other)

    @property
    def abilities(self) -> tuple[str, ...]:
        """What it can do besides answering, `reflection` and `thinking` first."""
        return abilities(self.model)

    @property
    def lost(self) -> tuple[str, ...]:
        """The tokens of its tags that the server leaves out of what it says, as far as anybody has looked."""
        return plan(self.model, Wish()).lost

    @property
    def told(self) -> tuple[str, ...]:
        """What is said of it in a list: what it can do, and whether its tags are lost."""
        return (*self.abilities, *((TAGS_LOST,) if self.lost else ()))


class Progress(NamedTuple):
    """One thing that the server says while it pulls or creates; sizes in bytes."""

    status: str
    digest: str = ""
    """The layer that it is about; empty for everything else."""
    total: int = 0
    completed: int = 0


class Variant(NamedTuple):
    """A model to be made of an installed one; what is left empty is inherited."""

    name: str
    source: str
    system: str = ""
    template: str = ""
    parameters: tuple[tuple[str, OptionValue], ...] = ()
    """They replace those of the same name; the others are inherited."""


def loaded_as(name: str, running: Iterable[Running]) -> Running | None:
    """Return where a model is loaded; None where it is not."""
    return next((one for one in running if is_same(one.name, name)), None)


def placed(model: Model, running: Iterable[Running], known: Iterable[Model] = ()) -> Installed:
    """Return a model with where it is loaded: under its own name, or that of another one that has the same files.

    Args:
        model: the model.
        running: what is loaded.
        known: all models of the server; none where only the model's own name is looked for.
    """
    loaded, installed = tuple(running), tuple(known)
    twins = [one.name for one in installed if model.files and one.files == model.files]
    shared = next((found for twin in twins if (found := loaded_as(twin, loaded))), None)
    gone = [one for one in loaded if installed and not any(is_same(one.name, other.name) for other in installed)]
    return Installed(model, loaded_as(model.name, loaded) or shared or perhaps(model, gone))


def perhaps(model: Model, gone: Iterable[Running]) -> Running | None:
    """Return where a model may be loaded: as one that was removed, whose files nobody tells any more.

    Ollama (0.32.15 and 0.34.2) lists what is loaded under the name that was asked first, also when that is removed,
    with the size and the quantisation of its weights, which are the same where the files are.
    """
    wanted = model.parameter_size, model.quantization
    alike = (one for one in gone if all(wanted) and (one.parameter_size, one.quantization) == wanted)
    found = next(alike, None)
    return found and found._replace(removed=True)


def reflecting(source: Model, wished: Variant) -> Variant:
    """Return the variant whose system prompt teaches the tags as well, beside the source's own and the one wished."""
    # A source that was taught already is not taught twice.
    own = source._replace(system=source.system.replace(REFLECT_PROMPT, ""))
    return wished._replace(system=plan(own, Wish(Mode.REFLECT, system=wished.system)).system)
