"""What the terminal tells of its keys, asked for a second at most; reads nothing that is typed later."""

from __future__ import annotations

import os
import re
import select
import shutil
import time
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from reflectty.devices.asking import told
from reflectty.finding import Finding, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from reflectty.checking.around import Around, Known
    from reflectty.terminal import Terminal

PATIENCE_SECONDS: Final = 1.0
"""What comes later would be typed into the shell: over a slow line an answer takes its time."""
_TMUX_SECONDS: Final = 2.0
SLOW_ESCAPE_MS: Final = 100
"""From here on, the key Esc is felt to wait in tmux."""
ASK_FLAGS: Final = b"\x1b[?u"
"""Asks for the state of the kitty keyboard protocol; terminals without it say nothing."""
ASK_KIND: Final = b"\x1b[c"
"""Asks what kind of terminal it is, which all of them answer: whatever they say to the first question came before."""
KIND: Final = re.compile(rb"\x1b\[\?[\d;]*c")
_FLAGS: Final = re.compile(rb"\x1b\[\?\d+u")


def answering(terminal: Terminal) -> Callable[[bytes, re.Pattern[bytes]], bytes] | None:
    """Return how to ask the terminal something; None where it is not ours to ask: in a pipe or in the background."""
    if not (terminal.stdin_tty and terminal.out.tty and terminal.motion and terminal.stdin and terminal.out.file):
        return None
    try:
        reads, writes = terminal.stdin.fileno(), terminal.out.file.fileno()
        if os.tcgetpgrp(reads) != os.getpgrp():
            return None
    except (OSError, ValueError):
        return None
    return partial(ask, reads, writes)


def ask(reads: int, writes: int, question: bytes, last: re.Pattern[bytes], patience: float = PATIENCE_SECONDS) -> bytes:
    """Send a question to the terminal and return what it says up to its last answer, or within the time.

    Shows none of it, and asks nothing where something was typed already, which is for whoever reads next.
    """
    said = b""
    with suppress(OSError), _unseen(reads):
        if select.select([reads], [], [], 0)[0]:
            return b""
        os.write(writes, question)
        deadline = time.monotonic() + patience
        while not last.search(said) and (left := deadline - time.monotonic()) > 0:
            ready, _, _ = select.select([reads], [], [], left)
            piece = os.read(reads, 1024) if ready else b""
            if not piece:
                break
            said += piece
    return said


@contextmanager
def _unseen(reads: int) -> Iterator[None]:
    """Let a terminal hand over what comes at once and show none of it, then be as it was.

    Raises:
        OSError: it is no terminal.
    """
    import termios  # noqa: PLC0415 - only where there is a terminal
    import tty  # noqa: PLC0415

    try:
        before = termios.tcgetattr(reads)
        tty.setcbreak(reads, termios.TCSANOW)
    except termios.error as error:
        raise OSError(*error.args) from error
    try:
        yield
    finally:
        # A terminal that is gone by now has nothing to be put in order.
        with suppress(termios.error):
            termios.tcsetattr(reads, termios.TCSANOW, before)


async def keyboard(around: Around, _: Known) -> Sequence[Finding]:
    """Say whether shift+enter can be told from enter, and how long tmux holds Esc and alt back."""
    if around.answered is None:
        return [Finding("keyboard", State.UNCHECKED, "there is no terminal to ask")]
    said = around.answered(ASK_FLAGS + ASK_KIND, KIND)
    kitty = bool(_FLAGS.search(said))
    facts = (("kitty_protocol", kitty if said else None),)
    text = (
        "every key is told apart (kitty keyboard protocol)"
        if kitty
        else "shift+enter is the same as enter here: ctrl+j or alt+enter begins a new line"
        if said
        else "the terminal does not say; where shift+enter sends, ctrl+j or alt+enter begins a new line"
    )
    first = Finding("keyboard", State.OK if kitty else State.NOTE, text, facts=facts)
    return [first, *await _held_back(around)]


async def _held_back(around: Around) -> list[Finding]:
    """Return what tmux does to Esc, where it runs and says so."""
    tmux = shutil.which("tmux", path=around.place.path) if around.environment.get("TMUX") else None
    said = (await told((tmux, "show-options", "-sv", "escape-time"), _TMUX_SECONDS)).text.strip() if tmux else ""
    if not (said.isascii() and said.isdecimal()) or int(said) < SLOW_ESCAPE_MS:
        return []
    text = f"tmux waits {said} ms after Esc for what may follow, so that Esc is slow"
    return [Finding("keyboard", State.WARNING, text, "set -sg escape-time 10 in ~/.tmux.conf")]
