"""Plans a run: which arms a model can do, with which options, and in which order the questions are asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reflectty import __version__
from reflectty.core.errors import UsageError
from reflectty.core.messages import Message
from reflectty.core.model_spec import bounds_of
from reflectty.core.named_tuple import NamedTuple
from reflectty.core.options import NUM_CTX
from reflectty.core.safety import clean_line
from reflectty.core.text import format_count
from reflectty.evaluation.arms import Arm, Way, parse_arm
from reflectty.evaluation.records import ArmSetup, RunManifest, time_stamp
from reflectty.evaluation.statistics import smallest_gain
from reflectty.evaluation.steps import VOTE_TEMPERATURE, first_question, instruction_of, next_question
from reflectty.reasoning.modes import REFLECT_PROMPT, AskOptions, own_family_of, plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from reflectty.chat.request import Question
    from reflectty.core.messages import Model, OptionValue
    from reflectty.evaluation.items import Item, ItemSet
    from reflectty.evaluation.run_writer import RunContent
    from reflectty.reasoning.reply import Reply

QUESTIONS_BY_SIZE: Final = {"quick": 50, "standard": 200, "solid": 500, "full": 0}
"""How many questions a run of a size asks; 0 for all of its set."""
DEFAULT_MAX_TOKENS: Final = 4096
BLOCK: Final = 20
"""The number of questions asked of one model before the next model is loaded."""
_CONTEXT_STEP: Final = 1024
_INSTRUCTIONS: Final = " " * 400
"""As long as the longest instructions of an arm."""


class Task(NamedTuple):
    """One item in one arm."""

    item: Item
    arm: Arm
    seed: int

    @property
    def key(self) -> tuple[str, str]:
        return self.item.id, self.arm.name


class RunPlan(NamedTuple):
    """What a run asks."""

    content: RunContent
    arms: tuple[Arm, ...]
    base: Question
    """What all questions share: the system prompt, the model."""

    @property
    def total(self) -> int:
        """The number of results that the whole run has."""
        return len(self.content.items) * len(self.arms)

    def tasks(self) -> Iterator[Task]:
        """Yield what is not done yet: question by question, through all arms of a model.

        Several models take turns in blocks of questions, because loading one may take as long as asking it.
        """
        models = tuple(dict.fromkeys(arm.model for arm in self.arms))
        items = self.content.items
        size = BLOCK if len(models) > 1 else max(1, len(items))
        for start in range(0, len(items), size):
            for model in models:
                for at, item in enumerate(items[start : start + size], start):
                    yield from self._tasks_of(item, at, model)

    def _tasks_of(self, item: Item, number: int, model: str) -> Iterator[Task]:
        for arm in self.arms:
            task = Task(item, arm, self.content.manifest.seed + number)
            if arm.model == model and task.key not in self.content.done:
                yield task

    def question_of(self, task: Task) -> Question:
        """The first question of a task, with the options of its arm and a seed of its own."""
        setup = next(one for one in self.content.manifest.arms if one.name == task.arm.name)
        options = dict(setup.options)
        options.setdefault("seed", task.seed)
        asked = self.base.ask_options._replace(options=tuple(options.items()), mode=task.arm.mode)
        question = self.base._replace(prompt=task.item.text, ask_options=asked)
        return first_question(task.arm, question, task.item.kind, is_bare=self.content.manifest.is_bare)

    def next_question(self, task: Task, first: Question, replies: Sequence[Reply]) -> Question | None:
        """The question that follows the replies of a task so far; None if its arm has asked all."""
        kind = None if self.content.manifest.is_bare else task.item.kind
        return next_question(task.arm, first, replies, kind)


class RunLimits(NamedTuple):
    """The limits of every reply, the same in each arm."""

    max_tokens: int = DEFAULT_MAX_TOKENS
    context: int = 0
    """The context in tokens; 0 leaves it to the server."""


def refuse_impossible_arms(arms: tuple[Arm, ...], models: Mapping[str, Model]) -> None:
    """Refuse an arm that its model cannot do.

    Args:
        arms: the arms.
        models: the models by the names in the arms.

    Raises:
        UsageError: a model has no thinking of its own, or takes no effort.
    """
    for arm in arms:
        model = models[arm.model]
        if arm.way is Way.THINK and own_family_of(model) is None:
            raise UsageError(
                f"the arm {arm.name}: {model.name} does not think by itself",
                "reflect asks it to by a prompt: --arms cot,reflect",
            )
        chosen = plan(model, AskOptions(mode=arm.mode, effort=arm.effort, model=model.name))
        if arm.effort and arm.way is Way.THINK and chosen.notes:
            raise UsageError(f"the arm {arm.name}: {chosen.notes[0]}", "leave the effort out")


def default_arms(model: Model) -> tuple[Arm, ...]:
    """The arms of a run that names none: step by step, and the reflection that the model is best at."""
    return parse_arm("cot"), parse_arm("think" if own_family_of(model) else "reflect")


def context_for(items: tuple[Item, ...], arms: tuple[Arm, ...], max_tokens: int, model: Model) -> int:
    """The context that surely holds the longest question and its longest reply, in tokens, one value for a whole run.

    Another context would make Ollama load the model anew for each arm, and one that may be too small makes each
    question cost a second request, which counts its tokens.
    """
    longest = max((item.text for item in items), key=len, default="")
    replies = 2 if any(arm.way is Way.REVISE for arm in arms) else 1
    bounds = bounds_of(model, (), (Message("user", longest + _INSTRUCTIONS), Message("system", REFLECT_PROMPT)))
    wanted = (bounds.prompt if bounds else 0) + replies * max_tokens + 1
    rounded = -(-wanted // _CONTEXT_STEP) * _CONTEXT_STEP
    return min(rounded, model.context_length) if model.context_length else rounded


def setup_of(
    arm: Arm, model: Model, given: tuple[tuple[str, OptionValue], ...], limits: RunLimits, digest: str
) -> ArmSetup:
    """How an arm is asked: its options are those given, else a temperature of 0, and of the model's own for thinking.

    Vendors publish sampling options for thinking, and a temperature of 0 makes some models repeat themselves.
    """
    options: dict[str, OptionValue] = {"num_predict": limits.max_tokens}
    if limits.context and NUM_CTX not in model.unsupported_options:
        options[NUM_CTX] = limits.context
    if arm.way is Way.VOTE:
        options["temperature"] = VOTE_TEMPERATURE
    elif arm.way is not Way.THINK:
        options["temperature"] = 0
    chosen = {**options, **dict(given)}
    return ArmSetup(
        name=arm.name,
        mode=str(arm.mode),
        effort=str(arm.effort or ""),
        budget=arm.budget.typed if arm.budget else "",
        model=model.name,
        digest=digest,
        options=tuple(chosen.items()),
        instruction=instruction_of(arm),
    )


def manifest_of(items: ItemSet, setups: tuple[ArmSetup, ...], seed: int, model: Model) -> RunManifest:
    """The manifest of a run that begins now."""
    return RunManifest(
        set_name=items.name,
        set_digest=items.digest,
        origin=items.origin,
        planned=len(items.items),
        seed=seed,
        arms=setups,
        created=time_stamp(),
        quantization=model.quantization,
        parameter_size=model.parameter_size,
        reflectty=__version__,
    )


def refuse_changed_models(manifest: RunManifest, digest_of: Callable[[str], str]) -> None:
    """Refuse to continue a run whose models have changed since it began.

    Raises:
        UsageError: one has another digest.
    """
    for setup in manifest.arms:
        now = digest_of(setup.model)
        if setup.digest and now and now != setup.digest:
            raise UsageError(
                f"{setup.model} is another version than when the run began ({setup.digest[:12]}, now {now[:12]})",
                "begin a new run: answers of two versions cannot be compared",
            )


def plan_lines(manifest: RunManifest, left: int) -> tuple[str, ...]:
    """What a run asks, and the smallest gain that it can show, in lines.

    Args:
        manifest: the run.
        left: the number of answers that it has not got yet.
    """
    setups = manifest.arms
    models = ", ".join(dict.fromkeys(setup.model for setup in setups))
    names = ", ".join(setup.name for setup in setups)
    asked = f"{format_count(manifest.planned, 'question')} of {manifest.set_name}"
    limit = dict(setups[0].options).get("num_predict", 0)
    return (
        clean_line(f"{models}: {asked} in {format_count(len(setups), 'way')} ({names})"),
        f"{format_count(left, 'answer')} to ask, each of at most {limit:,} tokens",
        *([_power_line(manifest.planned)] if len(setups) > 1 else []),
    )


def _power_line(questions: int) -> str:
    """The smallest gain that a run can show, in words.

    Between two ways of asking one model, the answers to 10 to 30 % of the questions differ in being right.
    """
    gains = [smallest_gain(questions, share) for share in (0.1, 0.3)]
    shown = [f"{100 * gain:.0f}" for gain in gains if gain is not None]
    if not shown:
        return f"{format_count(questions, 'question')} show no gain below 30 points: take more with -n"
    span = " to ".join(dict.fromkeys(shown))
    return f"shows a gain of about {span} points or more; a smaller one may look like chance"
