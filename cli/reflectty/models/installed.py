"""Installed models, where they are loaded, and the progress of pulling one.

Ollama (seen with 0.32.15 and 0.34.2) keeps a model loaded by its file: /api/ps lists those of one file, as all variants
of a model are, under the name that was asked first, which may be removed by then; and an unloading of any of them
unloads that.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

from reflectty.core.errors import ModelMissingError, ReflecttyError
from reflectty.core.model_names import is_same_model, short_name_of
from reflectty.reasoning.modes import REFLECT_PROMPT, AskOptions, Mode, abilities_of, plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from reflectty.core.messages import Engine, Model, OptionValue, RunningModel


TAGS_LOST: Final = "tags lost"


class InstalledModel(NamedTuple):
    """A model on the server, and where it is loaded, if it is."""

    model: Model
    running: RunningModel | None = None

    @property
    def name(self) -> str:
        return self.model.name

    @property
    def short_name(self) -> str:
        """The name without the tag that goes without saying."""
        return short_name_of(self.name)

    @property
    def shared_with(self) -> str:
        """The model under whose name its files are loaded, where that is another one."""
        other = self.running.name if self.running else ""
        return "" if not other or is_same_model(other, self.name) else short_name_of(other)

    @property
    def abilities(self) -> tuple[str, ...]:
        """What it can do besides answering, `reflection` and `thinking` first."""
        return abilities_of(self.model)

    @property
    def lost_tags(self) -> tuple[str, ...]:
        """The tokens of its tags that the server leaves out of what it says, as far as anybody has looked."""
        return plan(self.model, AskOptions()).lost_tokens

    @property
    def labels(self) -> tuple[str, ...]:
        """What is said of it in a list: what it can do, and whether its tags are lost."""
        return (*self.abilities, *((TAGS_LOST,) if self.lost_tags else ()))


class ProgressUpdate(NamedTuple):
    """One thing that the server says while it pulls or creates; sizes in bytes."""

    status: str
    digest: str = ""
    """The layer that it is about; empty for everything else."""
    total: int = 0
    completed: int = 0


class ModelVariant(NamedTuple):
    """A model to be made of an installed one; what is left empty is inherited."""

    name: str
    source: str
    system: str = ""
    template: str = ""
    parameters: tuple[tuple[str, OptionValue], ...] = ()
    """They replace those of the same name; the others are inherited."""


def find_running(name: str, running: Iterable[RunningModel]) -> RunningModel | None:
    """Return where a model is loaded; None where it is not."""
    return next((one for one in running if is_same_model(one.name, name)), None)


def installed_model_of(model: Model, running: Iterable[RunningModel], known: Iterable[Model] = ()) -> InstalledModel:
    """Return a model with where it is loaded: under its own name, or that of another one that has the same files.

    Args:
        model: the model.
        running: what is loaded.
        known: all models of the server; none where only the model's own name is looked for.
    """
    loaded, installed = tuple(running), tuple(known)
    twins = [one.name for one in installed if model.file_digests and one.file_digests == model.file_digests]
    shared = next((found for twin in twins if (found := find_running(twin, loaded))), None)
    gone = [one for one in loaded if installed and not any(is_same_model(one.name, other.name) for other in installed)]
    return InstalledModel(model, find_running(model.name, loaded) or shared or perhaps(model, gone))


def perhaps(model: Model, gone: Iterable[RunningModel]) -> RunningModel | None:
    """Return where a model may be loaded: as one that was removed, whose files nobody tells any more.

    Ollama (0.32.15 and 0.34.2) lists what is loaded under the name that was asked first, also when that is removed,
    with the size and the quantisation of its weights, which are the same where the files are.
    """
    wanted = model.parameter_size, model.quantization
    alike = (one for one in gone if all(wanted) and (one.parameter_size, one.quantization) == wanted)
    found = next(alike, None)
    return found and found._replace(removed=True)


def add_reflection_prompt(source: Model, wished: ModelVariant) -> ModelVariant:
    """Return the variant whose system prompt teaches the tags as well, beside the source's own and the one wished."""
    # A source that was taught already is not taught twice.
    own = source._replace(system=source.system.replace(REFLECT_PROMPT, ""))
    return wished._replace(system=plan(own, AskOptions(Mode.REFLECT, system=wished.system)).system)


async def find_running_by_files(engine: Engine, model: Model, running: Sequence[RunningModel]) -> RunningModel | None:
    """Return where a model is loaded: under its own name, that of another of the same files, or perhaps of one gone."""
    known = find_running(model.name, running)
    if known or not model.file_digests:
        return known
    gone: list[RunningModel] = []
    for one in running:
        try:
            other = await engine.show(one.name)
        except ModelMissingError:
            gone.append(one)
        except ReflecttyError:
            continue
        else:
            if other.file_digests == model.file_digests:
                return one
    return perhaps(model, gone)


SPEED_SPAN_SECONDS: Final = 10.0
"""Seconds over which the speed is measured."""
SPEED_DELAY_SECONDS: Final = 0.5
"""Seconds before which a speed is a guess."""


class LayerProgress(NamedTuple):
    """One layer of a model, in bytes."""

    digest: str
    total: int
    completed: int
    initially_completed: int
    """What of it was there already when it was first heard of."""


class TransferProgress:
    """Fed the progress of one pull; tells at any time what it amounts to. The layers to come are not known before."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.status = ""
        """What the server is doing, in its own words."""
        self._clock = clock
        self._start = clock()
        self._layers: dict[str, LayerProgress] = {}
        self._marks: deque[tuple[float, int]] = deque([(self._start, 0)])

    def feed(self, progress: ProgressUpdate) -> None:
        """Take what the server says."""
        self.status = progress.status
        if not progress.digest:
            return
        known = self._layers.get(progress.digest)
        before = known.initially_completed if known else progress.completed
        self._layers[progress.digest] = LayerProgress(progress.digest, progress.total, progress.completed, before)
        now = self._clock()
        self._marks.append((now, self.fetched_bytes))
        while len(self._marks) > 2 and now - self._marks[0][0] > SPEED_SPAN_SECONDS:  # noqa: PLR2004 - a speed takes two points
            self._marks.popleft()

    @property
    def layers(self) -> tuple[LayerProgress, ...]:
        """The layers heard of so far."""
        return tuple(self._layers.values())

    @property
    def layer(self) -> LayerProgress | None:
        """The layer that is being fetched, or was fetched last."""
        return next(reversed(self._layers.values()), None)

    @property
    def fetched_bytes(self) -> int:
        """How many bytes came since this pull first told of their layers."""
        return sum(max(0, layer.completed - layer.initially_completed) for layer in self._layers.values())

    @property
    def new_bytes(self) -> int:
        """The bytes of the layers that were not all there when this pull began."""
        return sum(layer.total for layer in self._layers.values() if layer.initially_completed < layer.total)

    @property
    def seconds(self) -> float:
        return self._clock() - self._start

    @property
    def speed(self) -> float:
        """Bytes a second of late; 0 while unknown."""
        (then, before), (now, after) = self._marks[0], self._marks[-1]
        return (after - before) / (now - then) if now - then >= SPEED_DELAY_SECONDS else 0.0

    @property
    def seconds_left(self) -> float | None:
        """The seconds that the layer under way will take; None while unknown."""
        layer, speed = self.layer, self.speed
        if layer is None or speed <= 0 or layer.total <= layer.completed:
            return None
        return (layer.total - layer.completed) / speed
