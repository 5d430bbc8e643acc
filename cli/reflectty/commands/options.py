"""The options of `reflect "question"` with their help, and their values as one record."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from reflectty.core.errors import UsageError
from reflectty.core.messages import Effort, KeepThinkingMode
from reflectty.engines import EngineName
from reflectty.reasoning.modes import Mode

Prompt = Annotated[
    list[str] | None,
    typer.Argument(metavar="[PROMPT]...", help="The question; several words are joined.", show_default=False),
]
ModelName = Annotated[
    str,
    typer.Option("--model", "-m", metavar="NAME", help="The model to ask.", show_default="the best installed model"),
]
Profile = Annotated[
    str,
    typer.Option(
        "--profile",
        metavar="NAME",
        help="Use a profile from the config file (overrides environment variables; `none` disables).",
        show_default=False,
    ),
]
TemplateName = Annotated[
    str,
    typer.Option(
        "--template",
        "-t",
        metavar="NAME",
        help="Put the question into a template (`none` disables).",
        show_default=False,
    ),
]
Fields = Annotated[
    list[str] | None,
    typer.Option("--field", metavar="NAME=VALUE", help="A value for a field of the template.", show_default=False),
]
Host = Annotated[
    str,
    typer.Option(
        "--host",
        metavar="HOST",
        help="The server, as in OLLAMA_HOST or REFLECTTY_HOST.",
        show_default="127.0.0.1:11434",
    ),
]
EngineOption = Annotated[
    EngineName | None,
    typer.Option(
        "--engine",
        help="The engine: a server with the Ollama or the OpenAI API, or the built-in model.",
        show_default="ollama",
    ),
]
ModeOption = Annotated[
    Mode | None,
    typer.Option(
        "--mode",
        help="How the model reflects: natively or with its own tags, by a prompt, or not at all.",
        show_default="auto",
    ),
]
EffortOption = Annotated[Effort | None, typer.Option("--effort", help="How much the model thinks.", show_default=False)]
FamilyName = Annotated[
    str,
    typer.Option(
        "--family",
        metavar="NAME",
        help="How the reply marks its thinking, such as reflection, think, harmony, any or none.",
        show_default="from the model",
    ),
]
System = Annotated[
    str,
    typer.Option(
        "--system", "-s", metavar="TEXT", help="A system prompt, added to the model's own.", show_default=False
    ),
]
Options = Annotated[
    list[str] | None,
    typer.Option(
        "--option",
        "-o",
        metavar="KEY=VALUE",
        help="A model option, such as num_ctx, temperature or seed.",
        show_default=False,
    ),
]
KeepAlive = Annotated[
    str,
    typer.Option(
        "--keep-alive", metavar="TIME", help="How long the model stays loaded: 10m, 0, -1.", show_default=False
    ),
]
KeepThinking = Annotated[
    KeepThinkingMode | None,
    typer.Option(
        "--keep-thinking",
        help="Send the thinking of earlier turns back to the model; auto: if its family was trained with it.",
        show_default="auto",
    ),
]
Files = Annotated[
    list[Path] | None,
    typer.Option("--file", "-f", metavar="PATH", help="A text file to ask about; - reads stdin.", show_default=False),
]
Images = Annotated[
    list[Path] | None, typer.Option("--image", metavar="PATH", help="An image to ask about.", show_default=False)
]
SchemaText = Annotated[
    str,
    typer.Option("--schema", metavar="FILE|JSON", help="A JSON Schema that the answer must match.", show_default=False),
]
Final = Annotated[bool, typer.Option("--final", help="Print the final answer and nothing else.")]
Show = Annotated[
    str, typer.Option("--show", metavar="PARTS", help="What to show: thinking,reflection,answer.", show_default="all")
]
NoThinking = Annotated[bool, typer.Option("--no-thinking", help="Hide the thinking; --mode direct turns it off.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the whole reply as one JSON object.")]
AsJsonl = Annotated[bool, typer.Option("--jsonl", help="Print each piece as JSON as it arrives, then the object.")]
Raw = Annotated[
    bool, typer.Option("--raw", help="Print the reply as the model wrote it, with its tags; not to a terminal.")
]
Timeout = Annotated[
    str,
    typer.Option(
        "--timeout",
        metavar="SECONDS",
        help="How long to wait for output, or connect=5,first=300,idle=120.",
        show_default=False,
    ),
]
NoStdin = Annotated[bool, typer.Option("--no-stdin", help="Do not read stdin.")]
ContinueSession = Annotated[bool, typer.Option("--continue", "-c", help="Continue the last session.")]
SessionName = Annotated[
    str,
    typer.Option(
        "--session",
        metavar="ID",
        help="Continue a session, named by its title or the start of its id.",
        show_default=False,
    ),
]
NoStore = Annotated[
    bool, typer.Option("--no-store", help="Do not save this question; a continued session is still read.")
]
Stats = Annotated[bool, typer.Option("--stats", help="Print statistics of the reply to stderr.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print only errors to stderr.")]
Version = Annotated[bool, typer.Option("--version", help="Print the version and exit.")]


class AskArguments(NamedTuple):
    """The values of one call; the fields bear the names of the command's parameters."""

    prompt: list[str] | None = None
    model: str = ""
    profile: str = ""
    template: str = ""
    field: list[str] | None = None
    host: str = ""
    engine: EngineName | None = None
    mode: Mode | None = None
    effort: Effort | None = None
    family: str = ""
    system: str = ""
    option: list[str] | None = None
    keep_alive: str = ""
    keep_thinking: KeepThinkingMode | None = None
    file: list[Path] | None = None
    image: list[Path] | None = None
    schema: str = ""
    final: bool = False
    show: str = ""
    no_thinking: bool = False
    as_json: bool = False
    jsonl: bool = False
    raw: bool = False
    timeout: str = ""
    no_stdin: bool = False
    go_on: bool = False
    session: str = ""
    no_store: bool = False
    stats: bool = False
    quiet: bool = False


def decode_argument(argument: str) -> str:
    """Return an argument as the UTF-8 text it is, even where the locale made Python read it as ASCII."""
    return os.fsencode(argument).decode("utf-8", "replace")


def has_no_question(arguments: AskArguments) -> bool:
    """Whether neither a question nor anything about the form of an answer was given."""
    about = (
        arguments.prompt,
        arguments.template,
        arguments.field,
        arguments.file,
        arguments.image,
        arguments.schema,
        arguments.show,
        arguments.no_thinking,
        arguments.stats,
        arguments.quiet,
    )
    return not any((*about, arguments.final, arguments.as_json, arguments.jsonl, arguments.raw, arguments.no_stdin))


def refuse_contradictions(arguments: AskArguments) -> None:
    """Refuse options that cannot hold together.

    Raises:
        UsageError: the first such pair.
    """
    forms = {
        "--final": arguments.final,
        "--json": arguments.as_json,
        "--jsonl": arguments.jsonl,
        "--raw": arguments.raw,
    }
    chosen = [flag for flag, on in forms.items() if on]
    shown = "--show" if arguments.show else "--no-thinking" if arguments.no_thinking else ""
    pairs = [
        (chosen[:2] if len(chosen) > 1 else [], "choose one output format"),
        ([chosen[0], shown] if chosen and shown else [], f"{chosen[0] if chosen else ''} determines what is printed"),
        (["--show", "--no-thinking"] if arguments.show and arguments.no_thinking else [], "use one of them"),
        (["--stats", "--quiet"] if arguments.stats and arguments.quiet else [], "use one of them"),
        (
            ["--stats", "--final"] if arguments.stats and arguments.final else [],
            "--json includes the statistics and the answer",
        ),
        (["--continue", "--session"] if arguments.go_on and arguments.session else [], "use one of them"),
        (
            ["--schema", "--raw"] if arguments.schema and arguments.raw else [],
            "--raw does not parse the reply, so it cannot be checked",
        ),
        (
            ["--no-stdin", "--file -"] if arguments.no_stdin and Path("-") in (arguments.file or []) else [],
            "use one of them",
        ),
    ]
    for flags, hint in pairs:
        if flags:
            raise UsageError(f"{flags[0]} and {flags[1]} cannot be combined", hint)
