"""`reflect eval run`: defines the options and starts or continues a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from reflectty.commands import options as args
from reflectty.commands.ask_options import AskArguments, decode_argument
from reflectty.commands.batch import Hosts, Patience, Retry
from reflectty.core.errors import UsageError
from reflectty.core.named_tuple import NamedTuple
from reflectty.evaluation.plan import DEFAULT_MAX_TOKENS, QUESTIONS_BY_SIZE
from reflectty.system.paths import runs_folder

BUILT_IN = "builtin"

SetName = Annotated[
    str,
    typer.Argument(
        metavar="[SET]",
        help="What to ask: builtin, builtin:traps,dates, gsm8k, mmlu, mmlu-redux, math500, or a file of questions with"
        " answers (JSONL, JSON, CSV).",
    ),
]
Arms = Annotated[
    list[str] | None,
    typer.Option(
        "--arms",
        metavar="ARMS",
        help="Ways of asking, the first is the baseline: direct, cot, reflect, revise, think, think:low, think:2000,"
        " vote-5, WAY@MODEL.",
        show_default="cot and what the model is best at",
    ),
]
Models = Annotated[
    list[str] | None,
    typer.Option("--models", metavar="NAMES", help="Ask each of these models in every arm.", show_default=False),
]
Questions = Annotated[
    str,
    typer.Option(
        "--questions",
        "-n",
        metavar="N|SIZE",
        help="How many: a number, or quick (50), standard (200), solid (500), full.",
    ),
]
Seed = Annotated[int, typer.Option("--seed", metavar="N", help="The seed of the questions and of the sampling.")]
MaxTokens = Annotated[
    int,
    typer.Option(
        "--max-tokens", metavar="N", min=1, help="The most tokens of a reply, thinking included, in every arm."
    ),
]
RunFile = Annotated[
    Path | None,
    typer.Option(
        "--output", metavar="FILE", help="Write the run to a file of your own.", show_default="a new one among the runs"
    ),
]
Resume = Annotated[
    str, typer.Option("--resume", metavar="RUN", help="Continue a run: its name or file, or last.", show_default=False)
]
FromSessions = Annotated[
    bool, typer.Option("--from-sessions", help="Ask questions of your saved sessions; you say which answers are right.")
]
TakeGraded = Annotated[
    bool,
    typer.Option("--yes", "-y", help="With --from-sessions, ask nothing: take the questions that you graded before."),
]
Bare = Annotated[
    bool,
    typer.Option(
        "--bare",
        help="Ask each question alone, without our instructions: for models that follow none, and for questions that"
        " have their own.",
    ),
]
Probe = Annotated[
    int,
    typer.Option(
        "--probe",
        metavar="K",
        min=0,
        help="Then probe K corrections: go on with and without each, to see what it was worth.",
        show_default=False,
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        "-j",
        metavar="N",
        min=1,
        max=512,
        help="How many questions to ask each server at once.",
        show_default="as many as it answers in parallel, detected",
    ),
]
PlanOnly = Annotated[bool, typer.Option("--plan", help="Show what would be asked, and ask nothing.")]


class EvalArguments(NamedTuple):
    """The arguments of one call; the fields have the names of the command's parameters."""

    ask_arguments: AskArguments
    """The arguments shared with a single question."""
    set_name: str
    arms: list[str] | None
    models: list[str] | None
    questions: str
    seed: int
    max_tokens: int
    output: Path | None
    resume: str
    from_sessions: bool
    yes: bool
    bare: bool
    probe: int
    plan_only: bool
    host: list[str] | None
    jobs: int | None
    retry: int
    patience: float

    @property
    def hosts(self) -> tuple[str, ...]:
        """The servers named on the command line."""
        return tuple(map(decode_argument, self.host or ()))

    @property
    def question_count(self) -> int:
        """The number of questions; 0 for all of a set."""
        return parse_questions(self.questions)


def parse_questions(text: str) -> int:
    """Parse a number of questions, or the name of a size; 0 for all.

    Raises:
        UsageError: it is neither.
    """
    if text in QUESTIONS_BY_SIZE:
        return QUESTIONS_BY_SIZE[text]
    if text.isascii() and text.isdigit() and int(text):
        return int(text)
    sizes = ", ".join(f"{name} ({count or 'all'})" for name, count in QUESTIONS_BY_SIZE.items())
    raise UsageError(f"--questions {text!r} is not a number of questions", f"give a number above 0, or {sizes}")


def refuse_contradictions(arguments: EvalArguments, *, names_set: bool) -> None:
    """Refuse options that cannot be combined.

    Raises:
        UsageError: the first conflict.
    """
    if arguments.resume:
        given = {
            "a set": names_set,
            "--arms": bool(arguments.arms),
            "--models": bool(arguments.models),
            "--output": bool(arguments.output),
            "--from-sessions": arguments.from_sessions,
            "--bare": arguments.bare,
            "--model": bool(arguments.ask_arguments.model),
            "--option": bool(arguments.ask_arguments.option),
        }
        if flag := next((flag for flag, is_given in given.items() if is_given), ""):
            raise UsageError(f"--resume and {flag} cannot be combined", "a run goes on as it was begun")
    if arguments.from_sessions and names_set:
        raise UsageError("--from-sessions and a set cannot be combined", "use one of them")
    if arguments.yes and not arguments.from_sessions:
        raise UsageError("--yes needs --from-sessions", "it takes the questions that were graded before")
    parse_questions(arguments.questions)


def run(  # noqa: PLR0913, PLR0917 - every option of the command is one
    context: typer.Context,
    set_name: SetName = BUILT_IN,
    arms: Arms = None,
    models: Models = None,
    questions: Questions = "standard",
    seed: Seed = 1,
    max_tokens: MaxTokens = DEFAULT_MAX_TOKENS,
    output: RunFile = None,
    resume: Resume = "",
    from_sessions: FromSessions = False,
    yes: TakeGraded = False,
    bare: Bare = False,
    probe: Probe = 0,
    plan_only: PlanOnly = False,
    jobs: Jobs = None,
    retry: Retry = 3,
    patience: Patience = 3600.0,
    model: args.ModelName = "",
    profile: args.Profile = "",
    host: Hosts = None,
    engine: args.EngineOption = None,
    system: args.System = "",
    option: args.Options = None,
    keep_alive: args.KeepAlive = "",
    timeout: args.Timeout = "",
    deadline: args.DeadlineText = "",
    quiet: args.Quiet = False,
) -> None:
    """Ask questions with known answers in several ways.

    The baseline is an answer step by step; what another way gains is told with its interval. Question by question
    through all ways, so that a run that is stopped is still fair. Every answer is on the disk as soon as it is there;
    --resume continues. The verdict comes with the last question, not before.

    Exit codes: 0 every question has a result; 2 an argument or a set is invalid; 3 no server responds; 4 the model is
    not installed; 5 some requests failed; 6 the run cannot be written; 8 --deadline ended it.
    """
    values = {name: value for name, value in locals().items() if name != "context"}
    arguments = _arguments_of(values)
    refuse_contradictions(arguments, names_set=set_name != BUILT_IN)
    from reflectty.commands.evaluate.start import run_evaluation

    run_evaluation(arguments, context.obj)


def _arguments_of(values: dict[str, Any]) -> EvalArguments:
    own = {name: values[name] for name in EvalArguments._fields if name in values}
    shared = {name: value for name, value in values.items() if name not in own}
    return EvalArguments(AskArguments(**shared), **own)


def path(context: typer.Context) -> None:
    """Print the folder of the runs."""
    context.obj.out.write(f"{runs_folder()}\n")
