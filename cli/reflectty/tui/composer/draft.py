"""The composer's draft: pasted texts, the history of questions and file attachments."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from reflectty.core.errors import UsageError
from reflectty.core.inputs import decode_input, read_file, read_image
from reflectty.core.safety import clean
from reflectty.core.session import Attachment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path


class PasteLimit(NamedTuple):
    """How much text is shown itself; a mark stands for more."""

    lines: int
    characters: int


PASTE_LIMIT = PasteLimit(lines=20, characters=4_000)
FILL_LIMIT = PasteLimit(lines=200, characters=20_000)
"""For what the user means to edit: an earlier question, or the text of an editor."""


class PasteBuffer:
    """The texts that are sent for what is shown: `put` them in, `expanded` gives them back."""

    def __init__(self) -> None:
        self._number = 0
        self._texts_by_mark: dict[str, str] = {}
        self._originals_by_text: dict[str, list[str]] = {}

    def insert(self, text: str, limit: PasteLimit = PASTE_LIMIT) -> str:
        """Return what to show for a text: itself made safe, or the mark `[paste 1: 12,345 lines]`."""
        text = normalize_newlines(text)
        if len(text) > limit.characters or text.count("\n") > limit.lines:
            return self._add_mark(text)
        shown = clean(text)
        if shown != text:
            self._originals_by_text.setdefault(shown, []).append(text)
        return shown

    def expand(self, text: str) -> str:
        """Return what is sent for what is shown: each mark that is still whole is the text it stands for."""
        meant = {**self._find_originals(text), **self._texts_by_mark}
        if not meant:
            return text
        longest_first = sorted(meant, key=len, reverse=True)
        return re.sub("|".join(map(re.escape, longest_first)), lambda mark: meant[mark[0]], text)

    def widen_to_marks(self, line: str, start: int, end: int, cursor: int) -> tuple[int, int]:
        """Return the part of a line to delete so that no mark is cut, unless the cursor stands inside it."""
        for mark in self._find_marks(line):
            if mark.start() < end and start < mark.end() and not mark.start() < cursor < mark.end():
                start, end = min(start, mark.start()), max(end, mark.end())
        return start, end

    def forget(self) -> None:
        """Drop all texts; their numbers are not given again."""
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
        """Return what was pasted where it is shown otherwise, if it is certain that no such text was typed."""
        return {
            shown: pasted[0]
            for shown, pasted in self._originals_by_text.items()
            if len(set(pasted)) == 1 and text.count(shown) == len(pasted)
        }


def normalize_newlines(text: str) -> str:
    r"""Return a text with its line breaks as `\n`; terminals paste them as `\r`."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


class QuestionHistory:
    """Where in the earlier questions one stands, and what was written over each of them on the way."""

    def __init__(self) -> None:
        self._position = 0
        self._drafts: dict[int, str] = {}

    def step(self, by: int, text: str, questions: Sequence[str], prepare: Callable[[str], str]) -> str | None:
        """Return what to show `by` questions further back, or None where there is none.

        Args:
            by: 1 for the one before, -1 for the one after, which in the end is the draft.
            text: what is shown now; it is there again on the way back.
            questions: the questions, the latest first.
            prepare: makes a question that was not shown yet ready to be shown.
        """
        to = self._position + by
        if not 0 <= to <= len(questions):
            return None
        self._drafts[self._position] = text
        self._position = to
        return self._drafts[to] if to in self._drafts else prepare(questions[to - 1])


MAX_ATTACHMENT_BYTES = 20_000_000
"""Bytes of a file that can come along."""


def load_attachment(path: Path, warn: Callable[[str], None]) -> Attachment:
    """Return a file as what comes along with a question: an image if it is one, else its text.

    Raises:
        UsageError: it cannot be read, is too large, or is neither.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise UsageError(f"cannot read {path}: {(error.strerror or str(error)).lower()}") from error
    if size > MAX_ATTACHMENT_BYTES:
        raise UsageError(f"{path} is too large to come along", f"at most {MAX_ATTACHMENT_BYTES // 1_000_000} MB do")
    try:
        return Attachment(path.name, "image", read_image(path))
    except UsageError:
        return Attachment(str(path), "file", decode_input(read_file(path), str(path), warn))
