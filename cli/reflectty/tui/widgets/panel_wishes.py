"""What the panel of sessions asks of the chat, as messages; whoever hosts the panel sees to it."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message


@dataclass
class More(Message, namespace="sessions_panel"):
    """The list is seen to its end: `add` what there is from that offset on, or nothing."""

    offset: int


@dataclass
class Searched(Message, namespace="sessions_panel"):
    """Words were typed: `show_found` where they are."""

    words: str


@dataclass
class Opened(Message, namespace="sessions_panel"):
    """A session was chosen, and the turn where the search matched."""

    session_id: str
    turn: int | None


@dataclass
class Removed(Message, namespace="sessions_panel"):
    """A session is to be removed; it is no longer listed."""

    session_id: str


@dataclass
class Renamed(Message, namespace="sessions_panel"):
    """A session is to have another title; it is listed with it."""

    session_id: str
    title: str


class Closed(Message, namespace="sessions_panel"):
    """The panel was left."""
