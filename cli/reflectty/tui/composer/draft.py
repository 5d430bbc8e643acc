"""The composer's draft: pasted texts, the history of questions and file attachments."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reflectty.core.errors import UsageError, reason_of
from reflectty.core.inputs import decode_input, read_file, read_image
from reflectty.core.named_tuple import NamedTuple
from reflectty.core.safety import clean
from reflectty.core.session import Attachment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path


class PasteLimit(NamedTuple):
    """The maximum size of text shown in full; a mark replaces longer text."""

    lines: int
    characters: int


PASTE_LIMIT = PasteLimit(lines=20, characters=4_000)
FILL_LIMIT = PasteLimit(lines=200, characters=20_000)
"""For text that the user is to edit: an earlier question, or text from an editor."""


class PasteBuffer:
    """Maps shown text to the text that is sent: `insert` adds a text, `expand` restores it."""

    def __init__(self) -> None:
        self._number = 0
        self._texts_by_mark: dict[str, str] = {}
        self._originals_by_text: dict[str, list[str]] = {}

    def insert(self, text: str, limit: PasteLimit = PASTE_LIMIT) -> str:
        """Add a text and return what to show: itself made safe, or the mark `[paste 1: 12,345 lines]`."""
        text = normalize_newlines(text)
        if len(text) > limit.characters or text.count("\n") > limit.lines:
            return self._add_mark(text)
        shown = clean(text)
        if shown != text:
            self._originals_by_text.setdefault(shown, []).append(text)
        return shown

    def expand(self, text: str) -> str:
        """The text to send: each intact mark is replaced by its text."""
        meant = {**self._find_originals(text), **self._texts_by_mark}
        if not meant:
            return text
        longest_first = sorted(meant, key=len, reverse=True)
        return re.sub("|".join(map(re.escape, longest_first)), lambda mark: meant[mark[0]], text)

    def widen_to_marks(self, line: str, start: int, end: int, cursor: int) -> tuple[int, int]:
        """Widen a range to delete so that it cuts no mark, unless the cursor is inside the mark."""
        for mark in self._find_marks(line):
            if mark.start() < end and start < mark.end() and not mark.start() < cursor < mark.end():
                start, end = min(start, mark.start()), max(end, mark.end())
        return start, end

    def forget(self) -> None:
        """Drop all texts; their numbers are not reused."""
        self._texts_by_mark.clear()
        self._originals_by_text.clear()

    def _add_mark(self, text: str) -> str:
        self._number += 1
        lines = text.count("\n") + (not text.endswith("\n"))
        size = f"{lines:,} lines" if lines > 1 else f"{len(text):,} characters"
        mark = f"[paste {self._number}: {size}]"
        self._texts_by_mark[mark] = text
        return mark

    def _find_marks(self, line: str) -> Iterator[re.Match[str]]:
        return (mark for mark in re.finditer(r"\[paste [^\]]+\]", line) if mark[0] in self._texts_by_mark)

    def _find_originals(self, text: str) -> dict[str, str]:
        """Pasted texts by what is shown for them, unless the user may have typed the same."""
        return {
            shown: pasted[0]
            for shown, pasted in self._originals_by_text.items()
            if len(set(pasted)) == 1 and text.count(shown) == len(pasted)
        }


def normalize_newlines(text: str) -> str:
    r"""The text with `\n` as line breaks; terminals paste `\r`."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


class QuestionHistory:
    """The position in the earlier questions, and the edits made to each of them."""

    def __init__(self) -> None:
        self._position = 0
        self._drafts: dict[int, str] = {}

    def step(self, by: int, text: str, questions: Sequence[str], prepare: Callable[[str], str]) -> str | None:
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
