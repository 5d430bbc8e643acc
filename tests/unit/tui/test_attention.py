"""The terminal's title, and how the end of a long reply is announced."""

from __future__ import annotations

import re

import pytest

from reflectty.core.session import ReplyMetrics, ReplyStatus, StoredReply
from reflectty.tui.attention import BELL, Notifier, notification_protocol_of, title_sequence

HOSTILE = "a\x1b]0;evil\x07\x9c\x1b\\b;c\u202e\nd"


def reply(seconds: float = 60, ended: ReplyStatus = ReplyStatus.COMPLETE) -> StoredReply:
    return StoredReply("mini", ended=ended, measured=ReplyMetrics(total_ms=seconds * 1000))


def announced(notifier: Notifier, said: StoredReply, *, has_focus: bool = False, reports_focus: bool = True) -> str:
    return notifier.announce(said, "Why?", has_focus=has_focus, reports_focus=reports_focus)


@pytest.mark.parametrize(
    ("notifier", "sent"),
    [
        (Notifier("auto"), BELL),
        (Notifier("auto", protocol="9"), "\x1b]9;reflect answered after 1 min: Why?\x1b\\"),
        (Notifier("auto", protocol="777"), "\x1b]777;notify;reflect;answered after 1 min: Why?\x1b\\"),
        (Notifier("bell", protocol="9"), BELL),
        (Notifier("desktop"), "\x1b]777;notify;reflect;answered after 1 min: Why?\x1b\\"),
        (Notifier("off", protocol="9"), ""),
    ],
)
def test_a_long_reply_is_announced_to_a_user_who_looks_elsewhere(notifier: Notifier, sent: str) -> None:
    assert re.sub(r"60 s|1 min( 0 s)?|1:00", "1 min", announced(notifier, reply())) == sent


@pytest.mark.parametrize("way", ["auto", "bell", "desktop"])
def test_nothing_is_announced_to_a_user_who_looks(way: str) -> None:
    assert announced(Notifier(way), reply(), has_focus=True) == ""


def test_a_terminal_that_never_reported_its_focus_gets_only_what_was_asked_for() -> None:
    shown = {way: announced(Notifier(way), reply(), has_focus=True, reports_focus=False) for way in ("auto", "bell")}
    assert shown == {"auto": "", "bell": BELL}


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        (reply(19.9), ""),
        (reply(20), BELL),
        (reply(ended=ReplyStatus.INTERRUPTED), ""),
        (reply(ended=ReplyStatus.FAILED), BELL),
    ],
)
def test_short_and_stopped_replies_are_not_announced(said: StoredReply, sent: str) -> None:
    assert announced(Notifier("bell"), said) == sent


@pytest.mark.parametrize("protocol", ["9", "777"])
def test_no_title_of_a_session_ends_a_sequence_or_begins_one(protocol: str) -> None:
    notifier = Notifier("desktop", protocol=protocol)
    for sent in (
        title_sequence(HOSTILE),
        notifier.announce(reply(), HOSTILE, has_focus=False, reports_focus=True),
    ):
        assert sent.count("\x1b") == 2
        assert sent.endswith("\x1b\\")
        assert not re.search(r"[\x00-\x1a\x7f-\x9f\u202e]", sent)
    assert notifier.announce(reply(), HOSTILE, has_focus=False, reports_focus=True).count(";") <= 3


@pytest.mark.parametrize(
    ("environment", "protocol"),
    [
        ({}, ""),
        ({"TERM_PROGRAM": "iTerm.app"}, "9"),
        ({"TERM": "xterm-kitty"}, "9"),
        ({"TERM": "foot-extra"}, "777"),
        ({"TERM": "rxvt-unicode-256color"}, "777"),
        ({"TERM_PROGRAM": "iTerm.app", "TMUX": "socket,1,0"}, ""),
        ({"TERM_PROGRAM": "Apple_Terminal"}, ""),
    ],
)
def test_the_protocol_follows_the_terminal(environment: dict[str, str], protocol: str) -> None:
    assert notification_protocol_of(environment) == protocol
