"""Reads the terminal's keys for Textual and writes its screen, whatever the terminal does; decides what no key does."""

from __future__ import annotations

import contextlib
import os
import selectors
from codecs import getincrementaldecoder
from functools import partial
from typing import TYPE_CHECKING, cast

from textual import events
from textual._xterm_parser import BRACKETED_PASTE_END, BRACKETED_PASTE_START, XTermParser
from textual.drivers.linux_driver import LinuxDriver

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from io import TextIOWrapper

    from textual.app import App
    from textual.message import Message

_READ = 1 << 16
_POLL_SECONDS = 0.1
_SOON_SECONDS = 0.01
_FOCUS_SECONDS = 1.0
"""How long keys wait at most; the chat takes a third of that to draw its first frame."""
_HUNG_UP = 129
_PLAINLY = str.maketrans("╭╮╰╯─│▌·…▁▂▃▄▅▆▇█", "++++-||-.########")
"""What is drawn in place of Textual's own frames and scrollbars where the terminal's encoding has none."""
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


class Written:
    """The terminal as a file: it takes every character, and everything once nobody is there any more.

    Textual writes from a thread with a short queue: where that thread dies of an error, the chat waits for it forever.
    """

    def __init__(self, file: TextIOWrapper) -> None:
        self._file = file
        self._encoding = file.encoding or "utf-8"

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError, ValueError):
            self._file.buffer.write(self._encoded(text))
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._file.buffer.flush()

    def fileno(self) -> int:
        return self._file.fileno()

    def _encoded(self, text: str) -> bytes:
        try:
            return text.encode(self._encoding)
        except UnicodeEncodeError:
            # One character for one: an escape sequence in its place would tear the screen apart.
            return text.translate(_PLAINLY).encode(self._encoding, "replace")


class Driver(LinuxDriver):
    """Textual's driver for terminals, with this keyboard; bytes that are no UTF-8 are shown as U+FFFD."""

    def __init__(
        self, app: App[object], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        if self._file is not None:
            self._file = cast("TextIOWrapper", Written(self._file))

    def run_input_thread(self) -> None:
        self._await_focus()
        parser = Keyboard()
        with selectors.DefaultSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            for text in self._texts(selector):
                for message in (*parser.feed(text), *parser.tick()) if text else parser.tick():
                    self.process_message(message)
        if not self.exit_event.is_set():
            self._hang_up()

    def _await_focus(self) -> None:
        """Leave what is typed to the terminal until somebody here takes it: earlier, it would be for nobody."""
        patience = _FOCUS_SECONDS
        while patience > 0 and not self._has_focus() and not self.exit_event.wait(_SOON_SECONDS):
            patience -= _SOON_SECONDS

    def _has_focus(self) -> bool:
        screens = self._app.screen_stack
        return bool(screens) and screens[-1].focused is not None

    def _hang_up(self) -> None:
        """Leave as after SIGHUP: the terminal is gone, and not every one says so by a signal."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(partial(self._app.exit, return_code=_HUNG_UP))

    def _texts(self, selector: selectors.BaseSelector) -> Iterator[str]:
        """Give out what is typed, and an empty text when there is nothing for a while."""
        decode = getincrementaldecoder("utf-8")("replace").decode
        while not self.exit_event.is_set():
            if not selector.select(_POLL_SECONDS):
                yield ""
            elif typed := self._typed():
                yield decode(typed)
            else:
                return

    def _typed(self) -> bytes:
        """Return what was typed; nothing once the terminal is gone."""
        try:
            return os.read(self.fileno, _READ)
        except OSError:
            return b""
