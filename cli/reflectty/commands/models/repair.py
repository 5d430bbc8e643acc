"""`reflect models repair`: creates a copy of a model in which its control tokens are plain text."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from reflectty.commands import console
from reflectty.commands.ask_options import decode_argument
from reflectty.commands.models import options as args
from reflectty.commands.options import Host
from reflectty.core.errors import StoppedError
from reflectty.core.safety import clean_line
from reflectty.models.installed import ProgressUpdate, TransferProgress
from reflectty.models.repair import RepairRequest, RepairStep
from reflectty.output import write_remark
from reflectty.output.live_region import TransferProgressLine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.models.manager import ModelLibrary
    from reflectty.models.repair import RepairResult
    from reflectty.reasoning.token_types import LostTag
    from reflectty.system.terminal import Terminal
    from reflectty.system.theme import Theme

Gguf = Annotated[
    Path | None,
    typer.Option(
        "--gguf",
        metavar="PATH",
        help="The model's GGUF on this machine, if the server is on another.",
        show_default="the server's",
    ),
]
Tokens = Annotated[
    list[str] | None,
    typer.Option("--token", metavar="TEXT", help="A token to restore besides the known tags.", show_default=False),
]
NewName = Annotated[
    str, typer.Option("--name", metavar="NAME", help="The name of the copy.", show_default="MODEL-repaired")
]
TITLES = {
    RepairStep.READING: "reading",
    RepairStep.SENDING: "sending",
    RepairStep.MAKING: "making the copy of",
    RepairStep.ASKING: "testing the copy of",
}
DETAILS = {
    RepairStep.MAKING: "the server checks it and may copy it",
    RepairStep.ASKING: "one question, up to the first tag",
}
"""What the progress line adds for steps that cannot be measured."""
MAX_NAMED_TOKENS = 8
"""The maximum number of tokens named in a sentence."""
UNPROVEN = (
    "{name} sent none of its tags in reply to a test question (ask it another question,"
    " or name the missing tokens with --token)"
)


def repair(  # noqa: PLR0913, PLR0917 - every option of the command is one
    context: typer.Context,
    name: args.Name,
    gguf: Gguf = None,
    token: Tokens = None,
    new_name: NewName = "",
    force: args.Force = False,
    host: Host = "",
    as_json: console.AsJson = False,
) -> None:
    """Restore the tags that a model loses, in a copy of it.

    Ollama 0.30 and later leave control tokens out of a reply. In the copy they are text. Prints the name of the copy,
    or the model's own name if it loses no tags.
    """
    terminal: Terminal = context.obj
    request = RepairRequest(
        args.model_name_of(name),
        name=args.model_name_of(new_name) if new_name else "",
        gguf=gguf,
        tokens=tuple(decode_argument(text) for text in token or ()),
        force=force,
    )
    progress = _RepairProgress(terminal, console.load_theme(terminal), request.model)

    async def work(library: ModelLibrary) -> RepairResult:
        from reflectty.chat.trial import sends_tags
        from reflectty.models.repair.run import repair as begin

        return await begin(library, request, progress, sends_tags)

    try:
        repaired = args.run_with_library(terminal, host, work)
    except StoppedError:
        progress.report_interruption()
        raise
    finally:
        progress.stop()
    _report(repaired, terminal, as_json=as_json)


class _RepairProgress:
    """Shows the current step of a repair as one line."""

    def __init__(self, terminal: Terminal, theme: Theme, model: str) -> None:
        self._terminal = terminal
        self._theme = theme
        self._model = model
        self._step: RepairStep | None = None
        self._start_line("repairing")

    def _start_line(self, what: str) -> None:
        self._line = TransferProgressLine(self._terminal, self._theme, f"{what} {self._model}")
        self._transfer = TransferProgress()

    def progress(self, step: RepairStep, total: int = 0, completed: int = 0) -> None:
        if step is not self._step:
            self.stop()
            self._step = step
            self._start_line(
                "testing the copy of"
                if step is RepairStep.ASKING
                else f"{step} the copy of"
                if step is RepairStep.MAKING
                else step
            )
        self._transfer.feed(
            ProgressUpdate(step, step, total, completed) if total else ProgressUpdate(DETAILS.get(step, ""))
        )
        self._line.show(self._transfer)

    def note(self, text: str) -> None:
        self.stop()
        write_remark(self._terminal, text)

    def stop(self) -> None:
        """Erase the line; may be called twice."""
        self._line.stop()

    def report_interruption(self) -> None:
        """Report what an interrupted repair leaves, except for an unfinished copy, which the repair reports itself."""
        if self._step is RepairStep.ASKING:
            self.note("stopped: the copy is created, but not tested")
        elif self._step is not RepairStep.MAKING:
            self.note("stopped: no copy was created")


def _report(repaired: RepairResult, terminal: Terminal, *, as_json: bool) -> None:
    if as_json:
        from reflectty.export.json import (
            dump_json,
            repaired_object,
        )

        terminal.out.write(dump_json(repaired_object(repaired)))
    if not repaired.tokens:
        console.info(terminal, f"{repaired.model} loses none of its tags: nothing to repair")
    elif repaired.proven is False:
        write_remark(terminal, UNPROVEN.format(name=repaired.name))
    else:
        proof = ", proven by a test question" if repaired.proven else ""
        usage = f"use it with reflect -m {quote(repaired.name)}"
        console.info(terminal, f"{repaired.name} has {_join_names(repaired.tokens)} as text{proof}; {usage}")
    if not as_json:
        terminal.out.write(f"{clean_line(repaired.name)}\n")


def _join_names(tokens: Sequence[LostTag]) -> str:
    """The texts of the tokens as a list in a sentence."""
    texts = list(dict.fromkeys(tag.text for tag in tokens))
    more = f" and {len(texts) - MAX_NAMED_TOKENS} more" if len(texts) > MAX_NAMED_TOKENS else ""
    return ", ".join(texts[:MAX_NAMED_TOKENS]) + more
