"""Tells whether a closing marker stands in a sentence that is about it; knows no markers."""

from __future__ import annotations

_SENTENCE_ENDS = ".!?…。！？"  # noqa: RUF001 - full stops of other scripts
_OPENING = "\"'“‘«([{*_"  # noqa: RUF001 - quotation marks as they are typed
_CLOSING = ".,;:!?)]}”’»"  # noqa: RUF001


class Preceding:
    """What stands directly before a place in a text: the last character that is no blank, and whether blanks follow."""

    __slots__ = ("gap", "last")

    def __init__(self) -> None:
        self.last = ""
        """Ends in that character."""
        self.gap = False

    def feed(self, text: str) -> None:
        body = text.rstrip()
        if body:
            self.last = body[-1]
        self.gap = len(body) < len(text) or (self.gap and not body)

    def names(self, after: str) -> bool:
        """Whether a marker here is named in a sentence, given the text `after` it on its line, which is not empty."""
        if self.gap:
            return self.last[-1:] not in _SENTENCE_ENDS
        return self.last[-1:] in _OPENING or after[0] in _CLOSING
