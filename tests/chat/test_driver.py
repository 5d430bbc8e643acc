from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events

from reflectty.tui.driver import InputParser
from support.command import PATIENCE

START, END = "\x1b[200~", "\x1b[201~"
# A program that prints its input: pasted texts and keys.
PROGRAM = """
from textual import events
from textual.app import App
from reflectty.tui.driver import TerminalDriver

class Told(App):
    told = []
    async def on_event(self, event):
        if isinstance(event, events.Paste):
            self.told.append(event.text)
        if isinstance(event, events.Key):
            self.told.append(event.key)
            if event.key == "q":
                self.exit(self.told)
        await super().on_event(event)

# What is handed on to the screen comes back to the application, now and then before it ends.
print("TOLD", ascii(list(dict.fromkeys(Told(driver_class=TerminalDriver).run()))))
"""


def parsed(*pieces: str) -> list[tuple[str, str]]:
    """The parser's output for pieces of input: pasted texts and keys."""
    keyboard = InputParser()
    messages = [message for piece in pieces if piece for message in keyboard.feed(piece)]
    pasted = [("paste", message.text) if isinstance(message, events.Paste) else message for message in messages]
    return [("key", message.key) if isinstance(message, events.Key) else message for message in pasted]  # type: ignore[misc]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "word",
        "two\rlines",
        "a\x1b[31mred\rline two\x1b",
        "\x1b[20",
        "\x1b[200~",
        "\x1b[I\x1b[O",
        "\x1b[A\x1b[<0;1;1M",
    ],
)
def test_pasted_escape_sequences_are_not_parsed_as_keys(text: str) -> None:
    assert parsed(f"a{START}{text}{END}b") == [("key", "a"), ("paste", text), ("key", "b")]


@given(st.text(alphabet="a\x1b[20~1\r", max_size=20).filter(lambda text: END not in f"{text}{END}"[:-1]), st.data())
def test_paste_is_the_same_however_it_is_split(text: str, data: st.DataObject) -> None:
    sent = f"{START}{text}{END}b"
    cuts = sorted(data.draw(st.lists(st.integers(len(START), len(sent)), max_size=6)))
    pieces = [sent[start:end] for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True)]

    assert parsed(*pieces) == [("paste", text), ("key", "b")]


@pytest.mark.parametrize("cut", range(3, len(START)))
def test_paste_with_a_split_start_marker_is_recognised(cut: int) -> None:
    assert parsed(START[:cut], f"{START[cut:]}\x1b[A{END}") == [("paste", "\x1b[A")]


def test_keys_outside_a_paste_are_parsed_as_before() -> None:
    assert parsed("\x1b[A", "\x1b[21~", "x") == [("key", "up"), ("key", "f10"), ("key", "x")]


def test_large_paste_is_not_parsed_character_by_character() -> None:
    start = time.process_time()
    assert parsed(START, *["x" * 4_096] * 256, END) == [("paste", "x" * (1 << 20))]
    fast = time.process_time() - start
    start = time.process_time()
    parsed("x" * (1 << 13))

    assert fast < time.process_time() - start


def test_paste_with_invalid_utf_8_and_escapes_reaches_a_real_application() -> None:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}
    command = [sys.executable, "-c", PROGRAM]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        _read_until(ours, b"\x1b[?2004h")
        os.write(ours, START.encode() + b"caf\xe9 \x1b[31mred\rmore" + END.encode() + b"q")
        shown = _read_until(ours, b"']")
        os.close(ours)
        process.wait(PATIENCE)

    assert "TOLD ['caf\\ufffd \\x1b[31mred\\rmore', 'q']" in shown


FAULTY_PROGRAM = """
from textual.app import App
from reflectty.tui.driver import TerminalDriver

class Faulty(TerminalDriver):
    def process_message(self, message):
        raise LookupError("a fault in the thread that reads keys")

class Quiet(App):
    def _fatal_error(self):
        self._close_messages_no_wait()

app = Quiet(driver_class=Faulty)
app.run()
print("ENDED", app.return_code, repr(app._exception))
"""


def test_error_in_the_thread_that_reads_keys_is_an_error_of_the_application() -> None:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}
    command = [sys.executable, "-c", FAULTY_PROGRAM]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        _read_until(ours, b"\x1b[?2004h")
        os.write(ours, b"a")
        shown = _read_until(ours, b"keys')")
        os.close(ours)
        process.wait(PATIENCE)

    assert "ENDED 1 LookupError('a fault in the thread that reads keys')" in shown
    assert "Traceback" not in shown


def test_terminal_is_asked_for_the_keys_at_the_same_place() -> None:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    ) as process:
        os.close(theirs)
        shown = _read_until(ours, b"\x1b[=29u")
        os.write(ours, b"q")
        shown += _read_until(ours, b"']")
        os.close(ours)
        process.wait(PATIENCE)

    assert "\x1b[=29u" in shown


def _read_until(terminal: int, mark: bytes) -> str:
    shown, end = b"", time.monotonic() + PATIENCE
    while mark not in shown and time.monotonic() < end:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                shown += os.read(terminal, 1 << 16)
            except OSError:
                break
    return shown.decode(errors="replace")
