"""Reads the inputs of a question: words, stdin, files and images."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from reflectty.commands.ask_options import decode_argument
from reflectty.core.errors import UsageError
from reflectty.core.inputs import compose_prompt, decode_input, encode_image, read_file, read_image, read_stdin
from reflectty.core.named_tuple import NamedTuple
from reflectty.core.safety import clean_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from reflectty.commands.ask_options import AskArguments
    from reflectty.commands.template_option import FilledTemplate
    from reflectty.core.session import Attachment
    from reflectty.system.terminal import Terminal

STDIN = Path("-")
NO_PROMPT = "no question given"
NO_PROMPT_HINT = 'ask one: reflect "why is the sky blue?", or pipe one in'

PARTLY_READ = "the rest of a partly read stdin is part of the question (in a loop over lines, use --no-stdin)"

NamedTexts = tuple[tuple[str, str], ...]
"""Pairs of a name and its content."""


class QuestionInputs(NamedTuple):
    """The parts of a question."""

    words: str = ""
    stdin: str = ""
    files: NamedTexts = ()
    images: NamedTexts = ()
    """Contents are in Base64."""

    @property
    def prompt(self) -> str:
        """The whole question, material first."""
        return compose_prompt(self.words, self.stdin, self.files)

    @property
    def text(self) -> str:
        """The question without its attachments; stdin is the question if there are no words."""
        return self.words if self.words.strip() else self.stdin

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """The files and images, and stdin unless it is the question itself."""
        from reflectty.core.session import Attachment

        is_stdin_attached = self.stdin.strip() and self.words.strip()
        files = (*self.files, ("stdin", self.stdin)) if is_stdin_attached else self.files
        return (
            *(Attachment(name, "file", content) for name, content in files),
            *(Attachment(name, "image", content) for name, content in self.images),
        )


def gather_inputs(
    arguments: AskArguments,
    terminal: Terminal,
    warn: Callable[[str], None],
    filled_template: FilledTemplate | None = None,
) -> QuestionInputs:
    """Gather the inputs of a question from the arguments and stdin, and apply the template if there is one.

    Raises:
        UsageError: the question is empty, or an input is not text.
    """
    words = _words_of(arguments, warn)
    reads_stdin = STDIN in (arguments.file or ()) or len(words) < len(arguments.prompt or ())
    has_image_on_stdin = STDIN in (arguments.image or ())
    skips_stdin = arguments.no_stdin or has_image_on_stdin or (terminal.stdin_tty and not reads_stdin)
    inputs = QuestionInputs(
        words=decode_argument(" ".join(words)),
        stdin="" if skips_stdin else _load_stdin(terminal, warn),
        files=tuple(_load_file(path, warn) for path in arguments.file or () if path != STDIN),
        images=tuple(_load_image(path, terminal, warn) for path in arguments.image or ()),
    )
    if filled_template:
        from reflectty.commands.template_option import apply_template

        inputs = apply_template(filled_template, inputs)
    if not inputs.prompt.strip():
        raise UsageError("the question is empty" if arguments.prompt else NO_PROMPT, NO_PROMPT_HINT)
    return inputs


def _words_of(arguments: AskArguments, warn: Callable[[str], None]) -> list[str]:
    """The words of the question without `-`; a single `@FILE` is the text of the file.

    Raises:
        UsageError: the file cannot be read, or is not a text.
    """
    words = [word for word in arguments.prompt or () if word != str(STDIN)]
    if len(words) == 1 and words[0][1:]:
        return [read_text_argument(words[0], warn)]
    for word in words:
        if word.startswith("@") and word[1:] and Path(word[1:]).is_file():
            warn(f"{clean_line(word)} is asked as it is: -f {clean_line(word[1:])} asks about the file")
    return words


def read_text_argument(argument: str, warn: Callable[[str], None]) -> str:
    """Read an argument that is a text, or the name of a file after `@`.

    Raises:
        UsageError: the file cannot be read, or is not a text.
    """
    if not argument.startswith("@"):
        return decode_argument(argument)
    return _load_file(Path(argument[1:]), warn)[1]


def with_texts(arguments: AskArguments, terminal: Terminal, warn: Callable[[str], None]) -> AskArguments:
    """The arguments with the system prompt of a file, and with that or the schema of stdin.

    A text that `-` reads from stdin leaves none of it to the question.

    Raises:
        UsageError: the file cannot be read, or stdin is a terminal or closed.
    """
    if str(STDIN) not in (arguments.schema, arguments.system):
        return arguments._replace(system=read_text_argument(arguments.system, warn))
    name = "schema" if arguments.schema == str(STDIN) else "system"
    if terminal.stdin_tty or terminal.stdin is None:
        raise UsageError(f"--{name} - reads stdin, which has no text", "pipe it in, or name a file")
    text = _load_stdin(terminal, warn)
    if name == "system":
        return arguments._replace(system=text, no_stdin=True)
    return arguments._replace(schema=text, system=read_text_argument(arguments.system, warn), no_stdin=True)


def _is_partly_read(stdin: BinaryIO) -> bool:
    """Whether stdin is a file that another program has begun to read, as in `while read line; do reflect …; done`."""
    try:
        descriptor = stdin.fileno()
        return stat.S_ISREG(os.fstat(descriptor).st_mode) and os.lseek(descriptor, 0, os.SEEK_CUR) > 0
    except OSError:
        return False


def _load_file(path: Path, warn: Callable[[str], None]) -> tuple[str, str]:
    name = clean_line(str(path))
    return name, decode_input(read_file(path), name, warn)


def _load_image(path: Path, terminal: Terminal, warn: Callable[[str], None]) -> tuple[str, str]:
    if path != STDIN:
        return clean_line(str(path)), read_image(path)
    if terminal.stdin is None or terminal.stdin_tty:
        raise UsageError("--image - needs an image on stdin", "pipe it in, or name its file")
    return "stdin", encode_image(read_stdin(terminal.stdin, warn), "stdin")


def _load_stdin(terminal: Terminal, warn: Callable[[str], None]) -> str:
    if terminal.stdin is None:
        return ""
    if _is_partly_read(terminal.stdin):
        warn(PARTLY_READ)
    return decode_input(read_stdin(terminal.stdin, warn), "stdin", warn)
