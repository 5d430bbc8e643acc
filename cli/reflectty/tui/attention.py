"""What the chat tells outside its screen: the terminal's title, and a bell or a notification when a long reply ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.core.named_tuple import NamedTuple
from reflectty.core.safety import clean_line
from reflectty.core.session import ReplyStatus
from reflectty.core.text import format_duration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reflectty.core.session import StoredReply

SAVE_TITLE, RESTORE_TITLE = "\x1b[22;2t", "\x1b[23;2t"
"""Push the window's title onto the terminal's stack, and pop it (xterm)."""
BELL = "\a"
_MAX_LENGTH = 80
_OSC_9_PROGRAMS = frozenset(("iTerm.app", "WezTerm", "ghostty"))
_OSC_777_TERMS = ("foot", "rxvt")


def title_sequence(title: str) -> str:
    """Set the window's title (OSC 2); `title` may be untrusted."""
    return f"\x1b]2;{clean_line(title, _MAX_LENGTH) or 'reflect'}\x1b\\"


class Notifier(NamedTuple):
    """When and how a long reply is announced."""

    way: str = "auto"
    """`auto`, `bell`, `desktop` or `off`."""
    after: float = 20.0
    """Seconds that a reply takes at least to be announced."""
    protocol: str = ""
    """`9` or `777` if the terminal is known to show notifications by that OSC."""

    def announce(self, reply: StoredReply, title: str, *, has_focus: bool, reports_focus: bool) -> str:
        """The sequence that announces a reply; empty if it is short, was stopped, or the user is looking.

        A terminal that has never reported its focus may not report any: then `auto` is silent.
        """
        seconds = reply.measured.total_ms / 1000
        is_away = not has_focus if reports_focus else self.way != "auto"
        if self.way == "off" or seconds < self.after or reply.ended is ReplyStatus.INTERRUPTED or not is_away:
            return ""
        if self.way == "bell" or (self.way == "auto" and not self.protocol):
            return BELL
        how = "answered" if reply.ended is ReplyStatus.COMPLETE else "ended early"
        return self._notification(f"{how} after {format_duration(int(seconds))}: {clean_line(title, _MAX_LENGTH)}")

    def _notification(self, text: str) -> str:
        """The notification; a semicolon would end its text in OSC 777."""
        if self.protocol == "9":
            return f"\x1b]9;reflect {text}\x1b\\"
        return f"\x1b]777;notify;reflect;{text.replace(';', ',')}\x1b\\"


def notification_protocol_of(environment: Mapping[str, str]) -> str:
    """How the terminal shows notifications, as far as its variables tell; empty inside tmux and screen."""
    term = environment.get("TERM", "")
    if environment.get("TMUX") or environment.get("STY"):
        return ""
    if environment.get("TERM_PROGRAM") in _OSC_9_PROGRAMS or term == "xterm-kitty":
        return "9"
    return "777" if term.startswith(_OSC_777_TERMS) else ""
