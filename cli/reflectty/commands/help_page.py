"""The help of commands: options in groups, the list of commands, and examples."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from typer._click.core import Command
from typer.core import TyperCommand

from reflectty.commands.ask_options import ASK_OPTIONS, OTHER_GROUP
from reflectty.commands.command_line import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typer._click.core import Context, Parameter
    from typer._click.formatting import HelpFormatter

MAX_WIDTH = 100
"""Maximum columns of a help page; a narrower terminal is filled."""

EXAMPLES = {
    "": (
        ('reflect "Which is larger, 9.11 or 9.9?"', "ask, and watch the thinking"),
        ('git diff | reflect --final "Write a commit message"', "print only the answer"),
        ("reflect", "open the chat"),
    ),
    "ask": (("reflect ask models of the atom", "a question that starts with a command's name"),),
    "batch": (
        ("reflect batch questions.txt --output answers.jsonl", "ask every line"),
        ("reflect batch questions.txt --output answers.jsonl --resume", "continue after a stop"),
    ),
    "compare": (
        ('reflect compare "Which is larger, 9.11 or 9.9?"', "with reflection and without"),
        ('reflect compare --arms cot,think:low,think:high "..."', "name the ways of asking"),
        ('reflect compare --models qwen3:8b,reflection "..."', "two models"),
    ),
    "completions": (("reflect completions install", "for the shell you use"),),
    "completions install": (("reflect completions install --shell zsh", "for another shell"),),
    "completions show": (("reflect completions show bash > reflect.bash", "install it yourself"),),
    "completions path": (("reflect completions path fish", "where it belongs"),),
    "config": (("reflect config set model qwen3:8b", "the model that is asked by default"),),
    "config show": (("reflect config show", "each setting, and where it is set"),),
    "config list": (("reflect config list --json", "for programs"),),
    "config get": (
        ("reflect config get model", "the value alone"),
        ("reflect config get profiles.code.model", "what a profile sets"),
    ),
    "config set": (
        ("reflect config set model qwen3:8b", "the default model"),
        ("reflect config set profiles.code.options.temperature 0.2", "an option of a profile"),
    ),
    "config unset": (("reflect config unset model", "back to the default"),),
    "config edit": (("EDITOR=nano reflect config edit", "in an editor"),),
    "config path": (('cat "$(reflect config path)"', "print the file"),),
    "config schema": (("reflect config schema > reflect.schema.json", "to check the file in your editor"),),
    "doctor": (("reflect doctor -m qwen3:8b", "ask a certain model"), ("reflect doctor --json", "for programs")),
    "last": (
        ("reflect last", "the answer again"),
        ("reflect last --code > main.py", "its last block of code"),
    ),
    "eval": (
        ("reflect eval run", "200 questions in two ways, on your model"),
        ("reflect eval report --output report.html", "the last run as a page"),
    ),
    "eval fetch": (
        ("reflect eval fetch gsm8k", "1,319 word problems, checked by their SHA-256"),
        ("reflect eval fetch mmlu mmlu-redux --force", "two sets, again"),
    ),
    "eval run": (
        ("reflect eval run -m qwen3:8b -n quick", "50 questions, for a first look"),
        ("reflect eval run gsm8k --arms cot,think:low,think,vote-5", "four ways, on school problems"),
        ("reflect eval run mine.jsonl --models qwen3:8b,llama3.1:8b", "your questions, two models"),
        ("reflect eval run --resume last", "continue after a stop"),
    ),
    "eval list": (("reflect eval list --json", "for programs"),),
    "eval report": (
        ("reflect eval report", "the latest run"),
        ("reflect eval report 2026-11-30 -o report.html", "by the start of its name, as one page with every question"),
        ("reflect eval report --format errorbars > scores.csv", "to check it with another program"),
    ),
    "eval regrade": (("reflect eval regrade --dry-run", "see what the present grader would change"),),
    "eval apply": (
        ("reflect eval apply", "ask by the best arm of the latest run, if it has gained"),
        ("reflect eval apply --arm cot --profile extract", "no thinking where it has gained nothing"),
    ),
    "eval path": (("reflect eval path", "one file for each run"),),
    "models": (("reflect models", "list them"), ("reflect models show qwen3:8b", "one in detail")),
    "models list": (("reflect models list --json", "for programs"),),
    "models show": (("reflect models show qwen3:8b", "what it can do, and whether it fits"),),
    "models pull": (("reflect models pull qwen3:8b", "download or update it"),),
    "models create": (
        ("reflect models create my-llama --from llama3.1 --reflect", "a variant that reflects"),
        ("reflect models create mini", "the small model of reflectty, on the server"),
    ),
    "models repair": (("reflect models repair reflection", "a copy that keeps its tags"),),
    "models copy": (("reflect models copy qwen3:8b my-qwen", "a second name"),),
    "models remove": (("reflect models remove my-qwen --yes", "without confirmation"),),
    "models load": (("reflect models load qwen3:8b --keep-alive 1h", "before the first question"),),
    "models unload": (("reflect models unload", "free the memory"),),
    "probe": (
        ("reflect probe", "the correction of the last reply, or a list of them"),
        ("reflect probe --correction 2 --answer 9.9", "one of several, with the right answer"),
        ("reflect probe dmwu --turn 1 --all --json", "all of an earlier reply, for programs"),
    ),
    "sessions": (("reflect sessions", "list them"), ('reflect sessions search "binary search"', "find one")),
    "sessions list": (("reflect sessions list --json", "for programs"),),
    "sessions show": (
        ("reflect sessions show", "the last one"),
        ("reflect sessions show dmwu", "by the start of its id"),
    ),
    "sessions search": (('reflect sessions search "9.11"', "in questions, thinking and answers"),),
    "sessions stats": (("reflect sessions stats", "how long models thought, and when they settled"),),
    "sessions export": (("reflect sessions export dmwu --output talk.html", "a page that needs nothing else"),),
    "sessions import": (("reflect sessions import talk.json", "a session exported as JSON, as a new one"),),
    "sessions rename": (("reflect sessions rename dmwu Decimal numbers", "give it a title"),),
    "sessions fork": (("reflect sessions fork dmwu", "a copy to continue"),),
    "sessions remove": (("reflect sessions remove dmwu", "after confirmation"),),
    "sessions prune": (("reflect sessions prune --older-than 90d", "after confirmation"),),
    "sessions path": (('cp "$(reflect sessions path)" backup.sqlite', "back it up"),),
    "templates": (('reflect -t review "what is wrong here?" < main.py', "use one"),),
    "templates list": (("reflect templates list", "names and first lines"),),
    "templates show": (("reflect templates show review", "its text"),),
    "templates edit": (("reflect templates edit review", "write or change one"),),
    "templates remove": (("reflect templates remove review", "after confirmation"),),
    "templates path": (("reflect templates path", "where they are"),),
}
"""Examples by command, each with what it does."""


def example_lines(examples: tuple[tuple[str, str], ...], columns: int) -> Iterator[str]:
    """Yield the examples with what they do, aligned; without it if the columns do not suffice."""
    width = max(len(command) for command, _ in examples)
    fits = all(width + len(f"  # {purpose}") <= columns for _, purpose in examples)
    for command, purpose in examples:
        yield f"{command.ljust(width)}  # {purpose}" if fits else command


class HelpWithExamples(Command):
    """A command whose help ends with its examples."""

    examples: tuple[tuple[str, str], ...] = ()

    def format_epilog(self, ctx: Context, formatter: HelpFormatter) -> None:  # noqa: ARG002 - Click's signature
        if not self.examples:
            return
        with formatter.section("Examples"):
            for line in example_lines(self.examples, formatter.width - formatter.current_indent):
                formatter.write(f"{' ' * formatter.current_indent}{line}\n")


def add_examples(command: Command, path: str) -> None:
    """Give a command and its subcommands their examples."""
    if isinstance(command, HelpWithExamples):
        command.examples = EXAMPLES[path]
    for name, subcommand in getattr(command, "commands", {}).items():
        add_examples(subcommand, f"{path} {name}")


class SingleCommand(HelpWithExamples, TyperCommand):
    """A command without subcommands."""


class AskCommand(SingleCommand):
    """The command that asks: its help lists the other commands, and has the options in groups."""

    def format_options(self, ctx: Context, formatter: HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.summary) for name, command in COMMANDS.items() if name != "ask"])
        for group, members in groupby(self.get_params(ctx), _group_of):
            records = (parameter.get_help_record(ctx) for parameter in members)
            with formatter.section(group):
                formatter.write_dl([record for record in records if record])


def _group_of(parameter: Parameter) -> str:
    return ASK_OPTIONS[parameter.name].group if parameter.name in ASK_OPTIONS else OTHER_GROUP
