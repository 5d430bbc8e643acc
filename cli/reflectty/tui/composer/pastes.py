"""Marks that stand for something in the composer: pasted texts and images, the earlier lines of a long draft."""

from __future__ import annotations

import re
from itertools import count
from typing import TYPE_CHECKING

from reflectty.core.named_tuple import NamedTuple
from reflectty.core.safety import clean
from reflectty.core.session import Attachment
from reflectty.core.text import extent_of, format_paste
from reflectty.tui.composer.draft import DraftSize

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reflectty.core.session import Span


class TextLimit(NamedTuple):
    """The maximum size of text shown in full; a mark replaces longer text."""

    lines: int
    characters: int

    def admits(self, text: str) -> bool:
        return len(text) <= self.characters and text.count("\n") <= self.lines


PASTE_LIMIT = TextLimit(lines=20, characters=4_000)
DRAFT_LIMIT = TextLimit(lines=200, characters=20_000)
"""For text that the user is to edit: an earlier question, a thought, or text from an editor."""
TAIL_LIMIT = TextLimit(lines=40, characters=4_000)
"""How much of the end of a longer draft is shown."""


class Draft(NamedTuple):
    """A text to send, where pasted texts stand in it, and the images that its marks stand for."""

    text: str
    pastes: tuple[Span, ...] = ()
    images: tuple[Attachment, ...] = ()


class _Hidden(NamedTuple):
    """The text that a mark stands for."""

    text: str
    is_paste: bool


class PasteBuffer:
    """Maps shown text to the text that is sent: `paste` and `show` hide long texts, `expand` restores them."""

    def __init__(self) -> None:
        self._hidden_by_mark: dict[str, _Hidden] = {}
        self._images_by_mark: dict[str, Attachment] = {}
        self._originals_by_text: dict[str, list[str]] = {}

    def paste(self, text: str) -> str:
        """Add a pasted text and return what to show: itself made safe, or the mark `[pasted 12,345 lines]`."""
        text = normalize_newlines(text)
        return self._show_safe(text) if PASTE_LIMIT.admits(text) else self._hide(text, is_paste=True)

    def paste_image(self, content: str) -> str:
        """Add an image in base64 and return what to show: the mark `[image 1]`, which is sent with the text."""
        known = (mark for mark, image in self._images_by_mark.items() if image.content == content)
        if mark := next(known, ""):
            return mark
        names = (f"image {number}" for number in count(1))
        name = next(name for name in names if _mark_of(name) not in self._images_by_mark)
        self._images_by_mark[_mark_of(name)] = Attachment(name, "image", content)
        return _mark_of(name)

    def show(self, draft: Draft) -> str:
        """Add a text to edit and return what to show: marks for what was pasted, and of a long text its end."""
        marked = self._mark_images(self._mark_pastes(draft), draft.images)
        if not DRAFT_LIMIT.admits(marked):
            head = marked[: self._start_of_tail(marked)].removesuffix("\n")
            marked = self._hide(self._expand(head, self._texts_by_mark()).text, is_paste=False) + marked[len(head) :]
        shown, end = "", 0
        for mark in self._find_marks(marked):
            shown, end = shown + self._show_safe(marked[end : mark.start()]) + mark[0], mark.end()
        return shown + self._show_safe(marked[end:])

    def expand(self, shown: str) -> Draft:
        """The text to send: each intact mark is replaced by its text."""
        draft = self._expand(shown, {**self._find_originals(shown), **self._texts_by_mark()})
        return draft._replace(images=tuple(item for mark, item in self._images_by_mark.items() if mark in draft.text))

    def size_of(self, shown: str) -> DraftSize:
        """The size of the text to send, without putting it together, and its images."""
        marks = [mark[0] for mark in self._find_marks(shown)]
        hidden = [(mark, self._hidden_by_mark[mark].text) for mark in marks if mark in self._hidden_by_mark]
        more = sum(len(text) - len(mark) for mark, text in hidden)
        return DraftSize(len(shown) + more, len(marks) - len(hidden))

    def find_mark(self, shown: str, cursor: int) -> re.Match[str] | None:
        """The mark at the cursor, else the one before it, else the first one."""
        marks = [mark for mark in self._find_marks(shown) if mark[0] in self._hidden_by_mark]
        return next((mark for mark in reversed(marks) if mark.start() <= cursor), marks[0] if marks else None)

    def open(self, mark: str) -> str:
        """What to show in place of a mark: its text, or the end of it below a mark for the rest."""
        return self.show(Draft(self._hidden_by_mark[mark].text))

    def widen_to_marks(self, line: str, start: int, end: int, cursor: int) -> tuple[int, int]:
        """Widen a range to delete so that it cuts no mark, unless the cursor is inside the mark."""
        for mark in self._find_marks(line):
            if mark.start() < end and start < mark.end() and not mark.start() < cursor < mark.end():
                start, end = min(start, mark.start()), max(end, mark.end())
        return start, end

    def forget(self) -> None:
        """Drop all texts."""
        self._hidden_by_mark.clear()
        self._images_by_mark.clear()
        self._originals_by_text.clear()

    def _show_safe(self, text: str) -> str:
        shown = clean(text)
        if shown != text:
            self._originals_by_text.setdefault(shown, []).append(text)
        return shown

    def _mark_pastes(self, draft: Draft) -> str:
        text, marked, end = draft.text, "", 0
        for start, stop in draft.pastes:
            marked += normalize_newlines(text[end:start]) + self._hide(text[start:stop], is_paste=True)
            end = stop
        return marked + normalize_newlines(text[end:])

    def _mark_images(self, text: str, images: Iterable[Attachment]) -> str:
        """The text with marks of this buffer for its images."""
        marks = {_mark_of(item.name): item for item in images if _mark_of(item.name) in text}
        if not marks:
            return text
        return _pattern_of(marks).sub(lambda found: self.paste_image(marks[found[0]].content), text)

    def _texts_by_mark(self) -> dict[str, str]:
        return {mark: hidden.text for mark, hidden in self._hidden_by_mark.items()}

    def _expand(self, shown: str, meant: dict[str, str]) -> Draft:
        """Replace each text by what is meant by it."""
        if not meant:
            return Draft(shown)
        text, pastes, end = "", [], 0
        for found in _pattern_of(meant).finditer(shown):
            text += shown[end : found.start()]
            hidden = self._hidden_by_mark.get(found[0])
            if hidden and hidden.is_paste:
                pastes.append((len(text), len(text) + len(hidden.text)))
            text, end = text + meant[found[0]], found.end()
        return Draft(text + shown[end:], tuple(pastes))

    def _start_of_tail(self, shown: str) -> int:
        """The start of the first paragraph, line or word of the tail; never inside a mark."""
        body = shown.rstrip() or shown[:-1]
        lines = body.rsplit("\n", TAIL_LIMIT.lines)
        earliest = max(len(body) - TAIL_LIMIT.characters, len(lines[0]) if len(lines) > TAIL_LIMIT.lines else 0)
        found = ((mark, body.find(mark, earliest)) for mark in ("\n\n", "\n", " "))
        at = next((at + len(mark) for mark, at in found if at >= 0), earliest)
        return next((mark.start() for mark in self._find_marks(shown) if mark.start() < at < mark.end()), at)

    def _hide(self, text: str, *, is_paste: bool) -> str:
        hidden = _Hidden(text, is_paste)
        number, unit = extent_of(text)
        label = format_paste(text) if is_paste else f"{number:,} earlier {unit}"
        mark, number = f"[{label}]", 1
        while self._hidden_by_mark.get(mark, hidden) != hidden:
            number += 1
            mark = f"[{label} #{number}]"
        self._hidden_by_mark[mark] = hidden
        return mark

    def _find_marks(self, shown: str) -> list[re.Match[str]]:
        marks = (*self._hidden_by_mark, *self._images_by_mark)
        return list(_pattern_of(marks).finditer(shown)) if marks else []

    def _find_originals(self, text: str) -> dict[str, str]:
        """Pasted texts by what is shown for them, unless the user may have typed the same."""
        return {
            shown: pasted[0]
            for shown, pasted in self._originals_by_text.items()
            if len(set(pasted)) == 1 and text.count(shown) == len(pasted)
        }


def _mark_of(name: str) -> str:
    return f"[{name}]"


def _pattern_of(texts: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, sorted(texts, key=len, reverse=True))))


def normalize_newlines(text: str) -> str:
    r"""The text with `\n` as line breaks; terminals paste `\r`."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
