"""Installed models, where they are loaded, and the progress of a transfer.

Ollama (seen with 0.32.15 and 0.34.2) keeps models loaded by file: /api/ps lists models of the same file, such as all
variants of a model, under the name that was requested first, which may be removed by then; unloading any of them
unloads that one.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Final

from reflectty.core.errors import ModelMissingError, ReflecttyError
from reflectty.core.model_names import is_same_model, short_name_of
from reflectty.core.named_tuple import NamedTuple
from reflectty.reasoning.modes import REFLECT_PROMPT, AskOptions, Mode, abilities_of, plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from reflectty.core.messages import Engine, Model, OptionValue, RunningModel


TAGS_LOST: Final = "tags lost"


class InstalledModel(NamedTuple):
    """An installed model, and where it is loaded."""

    model: Model
    running: RunningModel | None = None
    built_in: bool = False
    """Whether it is the built-in model, which no server has."""

    @property
    def name(self) -> str:
        return self.model.name

    @property
    def short_name(self) -> str:
        """The name without a default tag."""
        return short_name_of(self.name)

    @property
    def shared_with(self) -> str:
        """The model under whose name the shared files are loaded; empty if that is its own."""
        other = self.running.name if self.running else ""
        return "" if not other or is_same_model(other, self.name) else short_name_of(other)

    @property
    def abilities(self) -> tuple[str, ...]:
        """Its abilities besides answering, `reflection` and `thinking` first."""
        return abilities_of(self.model)

    @property
    def lost_tags(self) -> tuple[str, ...]:
        """The tag tokens that the server leaves out of its output, as far as they were checked."""
        return plan(self.model, AskOptions()).lost_tokens

    @property
    def labels(self) -> tuple[str, ...]:
        """Its labels in a list: abilities, and whether its tags are lost."""
        return (*self.abilities, *((TAGS_LOST,) if self.lost_tags else ()))


class ProgressUpdate(NamedTuple):
    """One progress report of a pull or a create; sizes in bytes."""

    status: str
    digest: str = ""
    """The layer in transfer; empty for any other step."""
    total: int = 0
    completed: int = 0


class ModelVariant(NamedTuple):
    """A variant to create from an installed model; empty fields are inherited."""

    name: str
    source: str
    system: str = ""
    template: str = ""
    parameters: tuple[tuple[str, OptionValue], ...] = ()
    """Override the source's parameters of the same name; the others are inherited."""


def find_running(name: str, running: Iterable[RunningModel]) -> RunningModel | None:
    """The loaded model of that name, if any."""
    return next((one for one in running if is_same_model(one.name, name)), None)


def installed_model_of(model: Model, running: Iterable[RunningModel], known: Iterable[Model] = ()) -> InstalledModel:
    """A model with where it is loaded: under its own name, or under that of another with the same files.

    Args:
        model: the model.
        running: the loaded models.
        known: all models of the server; empty to match only the model's own name.
    """
    loaded, installed = tuple(running), tuple(known)
    twins = [one.name for one in installed if model.file_digests and one.file_digests == model.file_digests]
    shared = next((found for twin in twins if (found := find_running(twin, loaded))), None)
    gone = [one for one in loaded if installed and not any(is_same_model(one.name, other.name) for other in installed)]
    return InstalledModel(model, find_running(model.name, loaded) or shared or probable_match(model, gone))


def probable_match(model: Model, gone: Iterable[RunningModel]) -> RunningModel | None:
    """The loaded model that may be this one: a removed model whose files the server no longer reports.

    Ollama (0.32.15 and 0.34.2) lists a loaded model under the name that was requested first, even if that is removed,
    with the size and the quantization of its weights, which are the same for the same files.
    """
    wanted = model.parameter_size, model.quantization
    alike = (one for one in gone if all(wanted) and (one.parameter_size, one.quantization) == wanted)
    found = next(alike, None)
    return found and found._replace(removed=True)


def add_reflection_prompt(source: Model, wished: ModelVariant) -> ModelVariant:
    """The variant with a system prompt that also teaches the tags, added to the source's and the variant's own."""
    # Do not teach a source twice.
    own = source._replace(system=source.system.replace(REFLECT_PROMPT, ""))
    return wished._replace(system=plan(own, AskOptions(Mode.REFLECT, system=wished.system)).system)


async def find_running_by_files(engine: Engine, model: Model, running: Sequence[RunningModel]) -> RunningModel | None:
    """Where a model is loaded: under its own name, that of another with the same files, or a removed one."""
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
    return probable_match(model, gone)


SPEED_SPAN_SECONDS: Final = 10.0
"""The span over which the speed is measured."""
SPEED_DELAY_SECONDS: Final = 0.5
"""The time before a measured speed is reliable."""


class LayerProgress(NamedTuple):
    """The progress of one layer of a model, in bytes."""

    digest: str
    total: int
    completed: int
    initially_completed: int
    """The part that was already there at the first report."""


class TransferProgress:
    """Collects the progress of one transfer; layers not yet reported are unknown."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.status = ""
        """The server's own words for the current step."""
        self._clock = clock
        self._start = clock()
        self._layers: dict[str, LayerProgress] = {}
        self._marks: deque[tuple[float, int]] = deque([(self._start, 0)])

    def feed(self, progress: ProgressUpdate) -> None:
        """Add a progress report of the server."""
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
        """The layers reported so far."""
        return tuple(self._layers.values())

    @property
    def layer(self) -> LayerProgress | None:
        """The current layer, or the last one."""
        return next(reversed(self._layers.values()), None)

    @property
    def fetched_bytes(self) -> int:
        """The bytes transferred since the first report of each layer."""
        return sum(max(0, layer.completed - layer.initially_completed) for layer in self._layers.values())

    @property
    def new_bytes(self) -> int:
        """The total bytes of the layers that were incomplete when this transfer began."""
        return sum(layer.total for layer in self._layers.values() if layer.initially_completed < layer.total)

    @property
    def seconds(self) -> float:
        return self._clock() - self._start

    @property
    def speed(self) -> float:
        """Recent bytes per second; 0 while unknown."""
        (then, before), (now, after) = self._marks[0], self._marks[-1]
        return (after - before) / (now - then) if now - then >= SPEED_DELAY_SECONDS else 0.0

    @property
    def seconds_left(self) -> float | None:
        """The seconds left for the current layer; None while unknown."""
        layer, speed = self.layer, self.speed
        if layer is None or speed <= 0 or layer.total <= layer.completed:
            return None
        return (layer.total - layer.completed) / speed
