"""`reflect models repair`: arguments become values, and values a copy of a model whose tags are whole."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from reflectty.commands import output
from reflectty.commands.arguments import Host, decoded
from reflectty.commands.models import arguments as args
from reflectty.errors import StoppedError
from reflectty.library import Progress, Transfer
from reflectty.render.progress import ProgressLine
from reflectty.render.remark import remark
from reflectty.repairing import Step, Wanted
from reflectty.safety import clean_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.library.library import Library
    from reflectty.repairing import Repaired
    from reflectty.terminal import Terminal
    from reflectty.theme import Theme
    from reflectty.vocabulary import LostTag

Gguf = Annotated[
    Path | None,
    typer.Option(
        "--gguf",
        metavar="PATH",
        help="The model's GGUF on this machine, where the server is on another.",
        show_default="the server's own",
    ),
]
Tokens = Annotated[
    list[str] | None,
    typer.Option(
        "--token", metavar="TEXT", help="A token to bring back besides the tags that are known.", show_default=False
    ),
]
NewName = Annotated[
    str, typer.Option("--name", metavar="NAME", help="What the copy is called.", show_default="MODEL-repaired")
]
TITLES = {
    Step.READING: "reading",
    Step.SENDING: "sending",
    Step.MAKING: "making the copy of",
    Step.ASKING: "asking the copy of",
}
DETAILS = {Step.MAKING: "the server checks it, and may copy it", Step.ASKING: "one question, as far as its first tag"}
"""What is said of the steps that nobody can measure."""
MOST_NAMED = 8
"""How many tokens are named in a sentence."""
UNPROVEN = (
    "{name} sent none of its tags in answer to a question (they are text now, and would be seen: ask it something else,"
    " or name the tokens that are missing with --token)"
)


def repair(  # noqa: PLR0913, PLR0917 - every option of the command is one
    context: typer.Context,
    name: args.Name,
    gguf: Gguf = None,
    token: Tokens = None,
    new_name: NewName = "",
    force: args.Force = False,
    host: Host = "",
    as_json: output.AsJson = False,
) -> None:
    """Bring back the tags that a model loses, in a copy of it.

    Ollama 0.30 and later leave control tokens out of a reply. In the copy they are text; its name is printed. A model
    that loses no tag is left alone, and its own name is printed.
    """
    terminal: Terminal = context.obj
    wanted = Wanted(
        args.named(name),
        name=args.named(new_name) if new_name else "",
        gguf=gguf,
        tokens=tuple(decoded(text) for text in token or ()),
        force=force,
    )
    watch = _Watch(terminal, output.themed(terminal), wanted.model)

    async def work(library: Library) -> Repaired:
        from reflectty.repairing.repairing import repair as begin  # noqa: PLC0415 - errors in the arguments need none

        return await begin(library, wanted, watch)

    try:
        repaired = args.using(terminal, host, work)
    except StoppedError:
        watch.interrupted()
        raise
    finally:
        watch.stop()
    _report(repaired, terminal, as_json=as_json)


class _Watch:
    """Shows how a repair goes on, one line for the step that it is at."""

    def __init__(self, terminal: Terminal, theme: Theme, model: str) -> None:
        self._terminal = terminal
        self._theme = theme
        self._model = model
        self._step: Step | None = None
        self._begin("repairing")

    def _begin(self, what: str) -> None:
        self._line = ProgressLine(self._terminal, self._theme, f"{what} {self._model}")
        self._transfer = Transfer()

    def progress(self, step: Step, total: int = 0, completed: int = 0) -> None:
        if step is not self._step:
            self.stop()
            self._step = step
            self._begin(
                "asking the copy of" if step is Step.ASKING else f"{step} the copy of" if step is Step.MAKING else step
            )
        self._transfer.feed(Progress(step, step, total, completed) if total else Progress(DETAILS.get(step, "")))
        self._line.show(self._transfer)

    def note(self, text: str) -> None:
        self.stop()
        remark(self._terminal, text)

    def stop(self) -> None:
        """Take the line away; harmless when called twice."""
        self._line.stop()

    def interrupted(self) -> None:
        """Say what a repair leaves that is stopped now; what becomes of a copy that is being made was said already."""
        if self._step is Step.ASKING:
            self.note("stopped: the copy is made, and was not asked")
        elif self._step is not Step.MAKING:
            self.note("stopped: no copy was made")


def _report(repaired: Repaired, terminal: Terminal, *, as_json: bool) -> None:
    if as_json:
        from reflectty.exporting.json import written  # noqa: PLC0415 - only --json needs it
        from reflectty.exporting.models import repaired_object  # noqa: PLC0415

        terminal.out.write(written(repaired_object(repaired)))
    if not repaired.tokens:
        output.told(terminal, f"{repaired.model} loses none of its tags: there is nothing to repair")
    elif repaired.proven is False:
        remark(terminal, UNPROVEN.format(name=repaired.name))
    else:
        asked = ": its tags came back in answer to a question" if repaired.proven else ""
        ask = f"ask it with reflect -m {quote(repaired.name)}"
        output.told(terminal, f"{repaired.name} has {_named(repaired.tokens)} as text{asked}; {ask}")
    if not as_json:
        terminal.out.write(f"{clean_line(repaired.name)}\n")


def _named(tokens: Sequence[LostTag]) -> str:
    """Return tokens in a sentence."""
    texts = list(dict.fromkeys(tag.text for tag in tokens))
    more = f" and {len(texts) - MOST_NAMED} more" if len(texts) > MOST_NAMED else ""
    return ", ".join(texts[:MOST_NAMED]) + more
