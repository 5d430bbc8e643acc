"""Defines the options of `reflect "question"` and the record of their values, and parses plain command lines."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reflectty.core.errors import UsageError
from reflectty.core.messages import Effort, KeepThinkingMode
from reflectty.core.named_tuple import NamedTuple
from reflectty.core.text import parse_duration
from reflectty.engines import EngineName
from reflectty.reasoning.governor import LoopAction
from reflectty.reasoning.modes import Mode

if TYPE_CHECKING:
    from reflectty.config import Settings


class OptionSpec(NamedTuple):
    """One option, or the question, which has no flags."""

    group: str
    """The heading of its part of the help."""
    flags: tuple[str, ...]
    help: str
    metavar: str = ""
    kind: type = str
    """The type of a value; `bool` is a flag without one, an enumeration accepts only its members."""
    many: bool = False
    """Whether the option can be repeated."""
    shown_default: str = ""
    """The default as the help describes it."""


_WHAT, _MODEL, _THINKING, _OUTPUT, _SESSION = (
    "What to ask",
    "Model and server",
    "How it thinks",
    "Output",
    "Session",
)
OTHER_GROUP = "Other"

ASK_OPTIONS = {
    "prompt": OptionSpec(
        _WHAT,
        (),
        "The question; words are joined, - reads stdin, a single @FILE reads a file.",
        metavar="[PROMPT]...",
        many=True,
    ),
    "file": OptionSpec(
        _WHAT, ("--file", "-f"), "A text file to ask about; - reads stdin.", metavar="PATH", kind=Path, many=True
    ),
    "image": OptionSpec(
        _WHAT, ("--image",), "An image to ask about; - reads stdin.", metavar="PATH", kind=Path, many=True
    ),
    "template": OptionSpec(
        _WHAT, ("--template", "-t"), "Put the question into a template (`none` disables).", metavar="NAME"
    ),
    "field": OptionSpec(_WHAT, ("--field",), "A value for a field of the template.", metavar="NAME=VALUE", many=True),
    "system": OptionSpec(
        _WHAT, ("--system", "-s"), "A system prompt, added to the model's own; - reads stdin.", metavar="TEXT|@FILE"
    ),
    "schema": OptionSpec(
        _WHAT,
        ("--schema",),
        'What the answer must match: a JSON Schema, or fields such as "name, age int"; - reads stdin.',
        metavar="FILE|JSON",
    ),
    "edit": OptionSpec(_WHAT, ("--edit", "-e"), "Write the question in your editor, from the words given.", kind=bool),
    "no_stdin": OptionSpec(_WHAT, ("--no-stdin",), "Do not read stdin.", kind=bool),
    "model": OptionSpec(
        _MODEL, ("--model", "-m"), "The model to ask.", metavar="NAME", shown_default="the best installed model"
    ),
    "host": OptionSpec(
        _MODEL,
        ("--host",),
        "The server, as in OLLAMA_HOST or REFLECTTY_HOST.",
        metavar="HOST",
        shown_default="127.0.0.1:11434",
    ),
    "engine": OptionSpec(
        _MODEL,
        ("--engine",),
        "The engine: a server with the Ollama or the OpenAI API, or the built-in model.",
        kind=EngineName,
        shown_default="ollama",
    ),
    "profile": OptionSpec(
        _MODEL,
        ("--profile",),
        "Use a profile from the config file (overrides environment variables; `none` disables).",
        metavar="NAME",
    ),
    "option": OptionSpec(
        _MODEL,
        ("--option", "-o"),
        "A model option, such as num_ctx, temperature or seed.",
        metavar="KEY=VALUE",
        many=True,
    ),
    "keep_alive": OptionSpec(_MODEL, ("--keep-alive",), "How long the model stays loaded: 10m, 0, -1.", metavar="TIME"),
    "timeout": OptionSpec(
        _MODEL, ("--timeout",), "How long to wait for output, or connect=5,first=300,idle=120.", metavar="SECONDS"
    ),
    "deadline": OptionSpec(
        _MODEL,
        ("--deadline",),
        "End the run after this time with what has come, and exit with 8: 90, 2m, 1h.",
        metavar="SECONDS",
    ),
    "mode": OptionSpec(
        _THINKING,
        ("--mode",),
        "How the model reflects: natively or with its own tags, by a prompt, or not at all.",
        kind=Mode,
        shown_default="auto",
    ),
    "effort": OptionSpec(_THINKING, ("--effort",), "How much the model thinks.", kind=Effort),
    "budget": OptionSpec(
        _THINKING,
        ("--budget",),
        "End the thinking at so many tokens or this time, and ask for the answer: 2000, 30s, off.",
        metavar="N|TIME",
    ),
    "loops": OptionSpec(
        _THINKING,
        ("--loops",),
        "What to do with a thinking that repeats itself.",
        kind=LoopAction,
        shown_default="end",
    ),
    "until_settled": OptionSpec(
        _THINKING,
        ("--until-settled",),
        "End the thinking once its stated answer has stood; this changes some answers: see `reflect sessions stats`.",
        kind=bool,
    ),
    "samples": OptionSpec(
        _THINKING,
        ("--samples",),
        "Ask so many times and show the answer that most replies agree on; 1 asks once.",
        metavar="N",
        kind=int,
        shown_default="1",
    ),
    "verify": OptionSpec(
        _THINKING,
        ("--verify",),
        "Take the reply as a draft: the model checks it by questions of its own and answers anew.",
        kind=bool,
    ),
    "family": OptionSpec(
        _THINKING,
        ("--family",),
        "How the reply marks its thinking, such as reflection, think, harmony, any or none.",
        metavar="NAME",
        shown_default="from the model",
    ),
    "keep_thinking": OptionSpec(
        _THINKING,
        ("--keep-thinking",),
        "Send the thinking of earlier turns back to the model; auto: if its family was trained with it.",
        kind=KeepThinkingMode,
        shown_default="auto",
    ),
    "final": OptionSpec(_OUTPUT, ("--final",), "Print the final answer and nothing else.", kind=bool),
    "code": OptionSpec(
        _OUTPUT, ("--code", "-x"), "Print only the last block of code of the answer, as --final does.", kind=bool
    ),
    "show": OptionSpec(
        _OUTPUT, ("--show",), "What to show: thinking,reflection,answer.", metavar="PARTS", shown_default="all"
    ),
    "no_thinking": OptionSpec(_OUTPUT, ("--no-thinking",), "Hide the thinking; --mode direct turns it off.", kind=bool),
    "as_json": OptionSpec(_OUTPUT, ("--json",), "Print the whole reply as one JSON object.", kind=bool),
    "jsonl": OptionSpec(_OUTPUT, ("--jsonl",), "Print each piece as JSON as it arrives, then the object.", kind=bool),
    "raw": OptionSpec(
        _OUTPUT, ("--raw",), "Print the reply as the model wrote it, with its tags; not to a terminal.", kind=bool
    ),
    "stats": OptionSpec(_OUTPUT, ("--stats",), "Print statistics of the reply to stderr.", kind=bool),
    "quiet": OptionSpec(_OUTPUT, ("--quiet", "-q"), "Print only errors to stderr.", kind=bool),
    "inline": OptionSpec(_SESSION, ("--inline",), "Chat line by line, in the terminal's own scrollback.", kind=bool),
    "go_on": OptionSpec(_SESSION, ("--continue", "-c"), "Continue the last session.", kind=bool),
    "session": OptionSpec(
        _SESSION, ("--session",), "Continue a session, named by its title or the start of its id.", metavar="ID"
    ),
    "no_store": OptionSpec(
        _SESSION, ("--no-store",), "Do not save this question; a continued session is still read.", kind=bool
    ),
    "version": OptionSpec(OTHER_GROUP, ("--version",), "Print the version and exit.", kind=bool),
}
"""The options by the name of their field in `AskArguments`."""


class AskArguments(NamedTuple):
    """The arguments of one call."""

    prompt: list[str] | None = None
    model: str = ""
    profile: str = ""
    template: str = ""
    field: list[str] | None = None
    host: str = ""
    engine: EngineName | None = None
    mode: Mode | None = None
    effort: Effort | None = None
    budget: str = ""
    loops: LoopAction | None = None
    until_settled: bool = False
    samples: int | None = None
    verify: bool = False
    family: str = ""
    system: str = ""
    option: list[str] | None = None
    keep_alive: str = ""
    keep_thinking: KeepThinkingMode | None = None
    file: list[Path] | None = None
    image: list[Path] | None = None
    schema: str = ""
    edit: bool = False
    final: bool = False
    code: bool = False
    show: str = ""
    no_thinking: bool = False
    as_json: bool = False
    jsonl: bool = False
    raw: bool = False
    timeout: str = ""
    deadline: str = ""
    no_stdin: bool = False
    inline: bool = False
    go_on: bool = False
    session: str = ""
    no_store: bool = False
    stats: bool = False
    quiet: bool = False


def decode_argument(argument: str) -> str:
    """Decode an argument as UTF-8, even if the locale made Python read it as ASCII; decoded text stays as it is."""
    try:
        data = os.fsencode(argument)
    except UnicodeEncodeError:
        # No argument that Python has read: those have only characters of the locale.
        return argument
    return data.decode("utf-8", "replace")


def has_no_question(arguments: AskArguments) -> bool:
    """Whether the arguments contain neither a question nor an option about the form of an answer."""
    about = (
        arguments.prompt,
        arguments.template,
        arguments.field,
        arguments.file,
        arguments.image,
        arguments.schema,
        arguments.edit,
        arguments.deadline,
        arguments.code,
        arguments.show,
        arguments.no_thinking,
        arguments.stats,
        arguments.quiet,
    )
    return not any((*about, arguments.final, arguments.as_json, arguments.jsonl, arguments.raw, arguments.no_stdin))


_RAW_ASKS_ONCE = "--raw prints one reply as it comes"


def refuse_contradictions(arguments: AskArguments) -> None:
    """Refuse options that cannot be combined.

    Raises:
        UsageError: the first conflict.
    """
    forms = {
        "--code" if arguments.code else "--final": arguments.code or arguments.final,
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
        (["--samples", "--verify"] if arguments.samples is not None and arguments.verify else [], "use one of them"),
        (["--raw", "--samples"] if arguments.raw and arguments.samples is not None else [], _RAW_ASKS_ONCE),
        (["--raw", "--verify"] if arguments.raw and arguments.verify else [], _RAW_ASKS_ONCE),
        (["--stats", "--quiet"] if arguments.stats and arguments.quiet else [], "use one of them"),
        (["--inline", chosen[0]] if arguments.inline and chosen else [], "a chat shows whole replies"),
        (["--inline", "--no-store"] if arguments.inline and arguments.no_store else [], "a chat needs its session"),
        (["--continue", "--session"] if arguments.go_on and arguments.session else [], "use one of them"),
        (
            ["--schema", "--raw"] if arguments.schema and arguments.raw else [],
            "--raw does not parse the reply, so it cannot be checked",
        ),
        (
            ["--schema", "--code"] if arguments.schema and arguments.code else [],
            "an answer with a schema is JSON and has no block of code",
        ),
        (_rivals_on_stdin(arguments), "stdin is read once"),
        (
            ["--no-stdin", "--file -"] if arguments.no_stdin and Path("-") in (arguments.file or []) else [],
            "use one of them",
        ),
    ]
    for flags, hint in pairs:
        if flags:
            raise UsageError(f"{flags[0]} and {flags[1]} cannot be combined", hint)


def repetition_of(arguments: AskArguments, settings: Settings) -> tuple[int, bool]:
    """How many samples are taken, and whether the reply is verified; each flag turns off both settings.

    Raises:
        UsageError: the number is out of range, or the settings want both.
    """
    if arguments.samples is not None:
        from reflectty.reasoning.vote import MAX_SAMPLES, MIN_SAMPLES, is_number_of_samples

        if not is_number_of_samples(arguments.samples):
            range_of_samples = f"{MIN_SAMPLES} to {MAX_SAMPLES}"
            raise UsageError(f"--samples takes {range_of_samples}, or 1", "--samples 5 asks five times, 1 asks once")
        return arguments.samples, False
    if arguments.verify:
        return 0, True
    if settings.samples > 1 and settings.verify:
        raise UsageError("the settings samples and verify cannot be combined", "set one of them, or give --samples 1")
    return settings.samples, settings.verify


def _rivals_on_stdin(arguments: AskArguments) -> list[str]:
    """An option that takes all of stdin, and another option or word that reads stdin or forbids it; or nothing."""
    stdin = Path("-")
    takers = [
        *("--image -" for path in arguments.image or () if path == stdin),
        *(["--schema -"] if arguments.schema == "-" else []),
        *(["--system -"] if arguments.system == "-" else []),
    ]
    readers = [
        *takers,
        *(["--no-stdin"] if arguments.no_stdin else []),
        *(["--file -"] if stdin in (arguments.file or ()) else []),
        *(["the word -"] if "-" in (arguments.prompt or ()) else []),
    ]
    return readers[:2] if takers and readers[1:] else []


def parse_deadline(text: str) -> float:
    """The seconds of a deadline such as `90`, `90s`, `2m` or `1h`; 0 if it is empty.

    Raises:
        UsageError: it is not a time above 0.
    """
    seconds = parse_duration(text, " smh") if text else 0.0
    if seconds is None or (text and not seconds):
        raise UsageError(f"--deadline {text!r} is not a time", "give seconds, or 90s, 2m, 1h")
    return seconds


_VERSION = "version"
_BY_FLAG = {flag: name for name, spec in ASK_OPTIONS.items() for flag in spec.flags if name != _VERSION}


def parse_plain(words: list[str]) -> AskArguments | None:
    """Parse a command line of whole flags and values, without Typer, which takes 15 of 122 ms of a one-shot's start.

    Returns:
        The same values as Typer's; None for anything that Typer must handle, such as a mistake, `--help` or `-qc`.
    """
    values: dict[str, Any] = {}
    prompt: list[str] = []
    rest = iter(words)
    for word in rest:
        if word == "-" or not word.startswith("-"):
            prompt.append(word)
            continue
        flag, equals, value = word.partition("=") if word.startswith("--") else (word, "", "")
        name = _BY_FLAG.get(flag)
        if name is None:
            return None
        spec = ASK_OPTIONS[name]
        if spec.kind is bool:
            if equals:
                return None
            values[name] = True
            continue
        value = value if equals else next(rest, "--")
        if (not equals and value.startswith("-") and value != "-") or not _is_plain(spec, value):
            return None
        typed = spec.kind(value)
        values[name] = [*values.get(name, ()), typed] if spec.many else typed
    return AskArguments(prompt=prompt or None, **values)


def _is_plain(spec: OptionSpec, value: str) -> bool:
    """Whether a value is valid: any text or path, a number, or a member of an enumeration."""
    if spec.kind is int:
        return value.isascii() and value.isdecimal()
    return not issubclass(spec.kind, StrEnum) or value in {str(member) for member in spec.kind}
