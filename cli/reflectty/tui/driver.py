"""Reads the terminal's keys for Textual, whatever bytes are pasted; decides what none of them does."""

from __future__ import annotations

import os
import selectors
from codecs import getincrementaldecoder
from typing import TYPE_CHECKING

from textual import events
from textual._xterm_parser import BRACKETED_PASTE_END, BRACKETED_PASTE_START, XTermParser
from textual.drivers.linux_driver import LinuxDriver

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from textual.message import Message

_READ = 1 << 16
_POLL_SECONDS = 0.1
# ESC alone, and ESC with a bracket, are keys that must not wait for what follows.
_SHORTEST_START = 3


class Keyboard(XTermParser):
    """A parser that looks for nothing but its end inside a bracketed paste.

    Textual's own takes escape sequences in pasted text for keys: a pasted line with ESC in it is typed, and sent.
    """

    def __init__(self) -> None:
        super().__init__()
        self._pasted: list[str] | None = None
        self._held = ""

    def feed(self, data: str) -> Iterable[Message]:
        if not data:
            yield from super().feed(data)
        data, self._held = self._held + data, ""
        while data:
            if self._pasted is None:
                before, start, data = data.partition(BRACKETED_PASTE_START)
                keys = before if start else self._hold(before, BRACKETED_PASTE_START, _SHORTEST_START)
                if keys:
                    yield from super().feed(keys)
                self._pasted = [] if start else None
            else:
                text, end, data = data.partition(BRACKETED_PASTE_END)
                self._pasted.append(text if end else self._hold(text, BRACKETED_PASTE_END, 1))
                if end:
                    pasted, self._pasted = "".join(self._pasted), None
                    yield events.Paste(pasted.replace("\0", ""))

    def _hold(self, text: str, mark: str, shortest: int) -> str:
        """Return a text without what may be the beginning of a mark, which waits for the rest."""
        for length in range(len(mark) - 1, shortest - 1, -1):
            if text.endswith(mark[:length]):
                self._held = mark[:length]
                return text[:-length]
        return text


class Driver(LinuxDriver):
    """Textual's driver for terminals, with this keyboard; bytes that are no UTF-8 are shown as U+FFFD."""

    def run_input_thread(self) -> None:
        parser = Keyboard()
        with selectors.DefaultSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            for text in self._texts(selector):
                for message in (*parser.feed(text), *parser.tick()) if text else parser.tick():
                    self.process_message(message)

    def _texts(self, selector: selectors.BaseSelector) -> Iterator[str]:
        """Give out what is typed, and an empty text when there is nothing for a while."""
        decode = getincrementaldecoder("utf-8")("replace").decode
        while not self.exit_event.is_set():
            if not selector.select(_POLL_SECONDS):
                yield ""
            elif typed := os.read(self.fileno, _READ):
                yield decode(typed)
            else:
                return
