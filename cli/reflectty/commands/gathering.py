"""Gathers what a question is made of: its words, stdin, files and pictures; asks nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from reflectty.commands.arguments import decoded
from reflectty.errors import UsageError
from reflectty.material import as_text, compose, read_file, read_image, read_stdin
from reflectty.safety import clean_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from reflectty.commands.arguments import Arguments
    from reflectty.commands.templating import Filling
    from reflectty.session import Attachment
    from reflectty.terminal import Terminal

STDIN = Path("-")
NO_PROMPT = "there is no question"
NO_PROMPT_HINT = 'ask one: reflect "why is the sky blue?", or pipe one in'

Named = tuple[tuple[str, str], ...]
"""Pairs of a name and what bears it."""


class Gathered(NamedTuple):
    """What a question is made of."""

    words: str = ""
    stdin: str = ""
    files: Named = ()
    images: Named = ()
    """Base64 texts."""

    @property
    def prompt(self) -> str:
        """The whole question, material first."""
        return compose(self.words, self.stdin, self.files)

    @property
    def text(self) -> str:
        """The question without what came along with it; stdin is the question where there are no words."""
        return self.words if self.words.strip() else self.stdin

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """What came along with the question."""
        from reflectty.session import Attachment  # noqa: PLC0415 - only what is kept needs them

        along = self.stdin.strip() and self.words.strip()
        files = (*self.files, ("stdin", self.stdin)) if along else self.files
        return (
            *(Attachment(name, "file", content) for name, content in files),
            *(Attachment(name, "image", content) for name, content in self.images),
        )


def gather(
    given: Arguments, terminal: Terminal, warn: Callable[[str], None], filling: Filling | None = None
) -> Gathered:
    """Return what the arguments and stdin make of a question, put into a template where there is one.

    Raises:
        UsageError: nothing is asked, or the material is no text.
    """
    wanted = STDIN in (given.file or ())
    silent = given.no_stdin or (terminal.stdin_tty and not wanted)
    found = Gathered(
        words=decoded(" ".join(given.prompt or ())),
        stdin="" if silent else _stdin(terminal, warn),
        files=tuple(_file(path, warn) for path in given.file or () if path != STDIN),
        images=tuple((clean_line(str(path)), read_image(path)) for path in given.image or ()),
    )
    if filling:
        from reflectty.commands.templating import put_in  # noqa: PLC0415 - most questions have no template

        found = put_in(filling, found)
    if not found.prompt.strip():
        raise UsageError("the question is empty" if given.prompt else NO_PROMPT, NO_PROMPT_HINT)
    return found


def _file(path: Path, warn: Callable[[str], None]) -> tuple[str, str]:
    name = clean_line(str(path))
    return name, as_text(read_file(path), name, warn)


def _stdin(terminal: Terminal, warn: Callable[[str], None]) -> str:
    if terminal.stdin is None:
        return ""
    return as_text(read_stdin(terminal.stdin, warn), "stdin", warn)
