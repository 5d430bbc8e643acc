"""Textual's terminal driver with safe pasting, an output that cannot fail and an exit when the terminal is gone."""

from __future__ import annotations

import contextlib
import os
import re
import selectors
from codecs import getincrementaldecoder
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, cast

from textual import constants, events
from textual._xterm_parser import BRACKETED_PASTE_END, BRACKETED_PASTE_START, XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.keys import Keys
from textual.message import Message

from reflectty.system.background import COLOR_REPLY, is_dark_color
from reflectty.tui.attention import RESTORE_TITLE, SAVE_TITLE, title_sequence
from reflectty.tui.layouts import place_of, plain_report_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from io import TextIOWrapper

    from textual.app import App

_READ_BYTES = 1 << 16
_POLL_SECONDS = 0.1
_FOCUS_POLL_SECONDS = 0.01
_FOCUS_TIMEOUT_SECONDS = 1.0
"""Maximum time that keys wait; the chat takes a third of that to draw its first frame."""
_SIGHUP_EXIT_CODE = 129
_ASCII_FALLBACK = str.maketrans("╭╮╰╯─│▌▐·…", "++++-||#-.")
"""Replacements for Textual's frames and scrollbars if the terminal's encoding lacks them."""
# ESC alone, and ESC with a bracket, are keys that must not wait for what follows.
_MIN_PASTE_START = 3
_KEYBOARD_FLAGS = 1 | 4 | 8 | 16
"""Flags of kitty's protocol: no ambiguous escapes, alternate keys, all keys as escapes, the typed text with them."""
_CONTROL_SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*(?!(?<=\$)y)[@-LN-Z\\-ln-~]")
"""A whole control sequence; those of the mouse, of modes (`$y`) and the Linux console's (`[[`) mean something else."""


_REPLY_START = "\x1b]"
_REPLY_BEGINNING = re.compile(r"\x1b\](?:1(?:[01](?:;[^\x07\x1b]{0,64}\x1b?)?)?)?\Z")
"""The beginning of `COLOR_REPLY` at the end of what has come."""


class BackgroundReported(Message):
    """The terminal has said what its background is, after the chat was drawn."""

    bubble = False

    def __init__(self, *, is_dark: bool) -> None:
        super().__init__()
        self.is_dark = is_dark


class InputParser(XTermParser):
    """A parser that looks only for the end inside a bracketed paste, and that no sequence can break.

    Textual's own reads escape sequences in pasted text as keys: a pasted line with ESC in it is typed, and sent. It
    raises for reports with event types or alternate keys, and types a sequence that it does not know.
    """

    def __init__(self) -> None:
        super().__init__()
        self._paste_pieces: list[str] | None = None
        self._held_back = ""

    def feed(self, data: str) -> Iterable[Message]:
        if not data:
            yield from super().feed(data)
        data, self._held_back = self._held_back + data, ""
        while data:
            if self._paste_pieces is None:
                before, start, data = data.partition(BRACKETED_PASTE_START)
                keys = before if start else self._hold_back(before, BRACKETED_PASTE_START, _MIN_PASTE_START)
                for reply in COLOR_REPLY.finditer(keys):
                    is_dark = is_dark_color(reply[1])
                    if is_dark is not None:
                        yield BackgroundReported(is_dark=is_dark)
                if keys := self._hold_back_reply(COLOR_REPLY.sub("", keys)):
                    yield from super().feed(keys)
                self._paste_pieces = [] if start else None
            else:
                text, end, data = data.partition(BRACKETED_PASTE_END)
                self._paste_pieces.append(text if end else self._hold_back(text, BRACKETED_PASTE_END, 1))
                if end:
                    pasted, self._paste_pieces = "".join(self._paste_pieces), None
                    yield events.Paste(pasted.replace("\0", ""))

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[events.Key]:
        if alt and len(sequence) == 1:
            sequence = place_of(sequence) if sequence.islower() else place_of(sequence.lower()).upper()
        report = plain_report_of(sequence)
        known = [] if report == "" else list(super()._sequence_to_key_events(report or sequence, alt))
        if not known and _CONTROL_SEQUENCE.fullmatch(sequence):
            return [events.Key(Keys.Ignore, sequence)]
        return known

    def tick(self) -> Iterable[Message]:
        if self._held_back.startswith(_REPLY_START):
            # Nothing more has come: it is the key alt+] and what was typed after it.
            keys, self._held_back = self._held_back, ""
            yield from super().feed(keys)
        yield from super().tick()

    def _hold_back_reply(self, keys: str) -> str:
        """Hold back the end that may begin a reply on the background; return the rest."""
        found = _REPLY_BEGINNING.search(keys)
        if found is None:
            return keys
        self._held_back = found[0]
        return keys[: found.start()]

    def _hold_back(self, text: str, mark: str, shortest: int) -> str:
        """Hold back the end of a text that may begin a mark; return the rest."""
        for length in range(len(mark) - 1, shortest - 1, -1):
            if text.endswith(mark[:length]):
                self._held_back = mark[:length]
                return text[:-length]
        return text


class TerminalFile:
    """The terminal as a file that accepts every character, and everything once the terminal is gone.

    Textual writes from a thread with a short queue: if that thread dies of an error, the chat waits for it forever.
    """

    def __init__(self, file: TextIOWrapper) -> None:
        self._file = file
        self._encoding = file.encoding or "utf-8"

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError, ValueError):
            self._file.buffer.write(self._encode(text))
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._file.buffer.flush()

    def fileno(self) -> int:
        return self._file.fileno()

    def _encode(self, text: str) -> bytes:
        try:
            return text.encode(self._encoding)
        except UnicodeEncodeError:
            # One character for one: an escape sequence in its place would break the layout.
            return text.translate(_ASCII_FALLBACK).encode(self._encoding, "replace")


class TerminalDriver(LinuxDriver):
    """Textual's terminal driver with `InputParser`; invalid UTF-8 is shown as U+FFFD."""

    def __init__(
        self, app: App[object], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._title = ""
        if self._file is not None:
            self._file = cast("TextIOWrapper", TerminalFile(self._file))

    def start_application_mode(self) -> None:
        super().start_application_mode()  # type: ignore[no-untyped-call] # Textual gives it no types
        if not constants.DISABLE_KITTY_KEY:
            # Textual asks for the same without alternate keys, and pops one entry at the end.
            self.write(f"\x1b[={_KEYBOARD_FLAGS}u")
        self.write(SAVE_TITLE + (title_sequence(self._title) if self._title else ""))

    def _run_input_thread(self) -> None:
        """Read the input; an error ends the chat as any other, where Textual prints a traceback and exits with 0."""
        try:
            self.run_input_thread()
        except Exception as error:  # noqa: BLE001 - whatever it is, the thread that reads keys is gone
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._app._handle_exception, error)  # noqa: SLF001 - Textual's own way

    def set_title(self, title: str) -> None:
        """Set the terminal's title, which the end of the chat restores."""
        self._title = title
        self.write(title_sequence(title))
        self.flush()

    def stop_application_mode(self) -> None:
        self.write(RESTORE_TITLE)
        super().stop_application_mode()

    def run_input_thread(self) -> None:
        self._await_focus()
        parser = InputParser()
        with selectors.DefaultSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            for text in chain((getattr(self._app, "typed_ahead", ""),), self._read_texts(selector)):
                for message in (*parser.feed(text), *parser.tick()) if text else parser.tick():
                    self.process_message(message)
        if not self.exit_event.is_set():
            self._hang_up()

    def _await_focus(self) -> None:
        """Leave input in the terminal until a widget has the focus; before that it would be lost."""
        patience = _FOCUS_TIMEOUT_SECONDS
        while patience > 0 and not self._has_focus() and not self.exit_event.wait(_FOCUS_POLL_SECONDS):
            patience -= _FOCUS_POLL_SECONDS

    def _has_focus(self) -> bool:
        screens = self._app.screen_stack
        return bool(screens) and screens[-1].focused is not None

    def _hang_up(self) -> None:
        """Exit as after SIGHUP: the terminal is gone, and not every terminal sends the signal."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(partial(self._app.exit, return_code=_SIGHUP_EXIT_CODE))

    def _read_texts(self, selector: selectors.BaseSelector) -> Iterator[str]:
        """Yield the input, and an empty text when there is none for a while."""
        decode = getincrementaldecoder("utf-8")("replace").decode
        while not self.exit_event.is_set():
            if not selector.select(_POLL_SECONDS):
                yield ""
            elif typed := self._read_bytes():
                yield decode(typed)
            else:
                return

    def _read_bytes(self) -> bytes:
        """The input; empty once the terminal is gone."""
        try:
            return os.read(self.fileno, _READ_BYTES)
        except OSError:
            return b""
