"""The composer's draft: the history of questions and file attachments."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from reflectty.core.errors import UsageError, reason_of
from reflectty.core.inputs import decode_input, read_file, read_image
from reflectty.core.named_tuple import NamedTuple
from reflectty.core.session import Attachment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from reflectty.tui.composer.pastes import Draft


class QuestionHistory:
    """The position in the earlier questions, and the edits made to each of them."""

    def __init__(self) -> None:
        self._position = 0
        self._drafts: dict[int, str] = {}

    def step(self, by: int, text: str, questions: Sequence[Draft], prepare: Callable[[Draft], str]) -> str | None:
        """The text to show after a step of `by` questions back, or None past either end.

        Args:
            by: 1 for the previous question, -1 for the next one, which in the end is the draft.
            text: the text shown now, restored on the way back.
            questions: the earlier questions, latest first.
            prepare: prepares a question for its first display.
        """
        to = self._position + by
        if not 0 <= to <= len(questions):
            return None
        self._drafts[self._position] = text
        self._position = to
        return self._drafts[to] if to in self._drafts else prepare(questions[to - 1])


class DraftSize(NamedTuple):
    """How much a draft sends, with its attachments."""

    characters: int = 0
    images: int = 0


_IMAGE_SUFFIXES = frozenset((".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"))


def size_of_files(paths: Iterable[Path]) -> DraftSize:
    """The size of files to attach, by their names and lengths alone."""
    characters = images = 0
    for path in paths:
        if path.suffix.lower() in _IMAGE_SUFFIXES:
            images += 1
        else:
            with suppress(OSError):
                characters += path.stat().st_size
    return DraftSize(characters, images)


MAX_ATTACHMENT_BYTES = 20_000_000
"""Maximum size of an attachment in bytes."""


def load_attachment(path: Path, warn: Callable[[str], None]) -> Attachment:
    """Read a file as an attachment: an image if it is one, else text.

    Raises:
        UsageError: it is unreadable, too large, or neither image nor text.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise UsageError(f"cannot read {path}: {reason_of(error)}") from error
    if size > MAX_ATTACHMENT_BYTES:
        raise UsageError(f"{path} is too large to attach", f"limit {MAX_ATTACHMENT_BYTES // 1_000_000} MB")
    try:
        return Attachment(path.name, "image", read_image(path))
    except UsageError:
        return Attachment(str(path), "file", decode_input(read_file(path), str(path), warn))
