"""Servers that give another reply to each request of one question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.fake_server import reply
from support.scripted_servers import chat_server

if TYPE_CHECKING:
    from typing import Any

    from support.fake_replies import Answer
    from support.fake_server import FakeServer, Script

CUT = reply(["<thinking>\nand so"], reason="length")
"""A reply that the token limit cut within its thinking."""


def tagged(answer: str, thought: str = "so") -> Answer:
    """A reply in tags."""
    return reply([f"<thinking>\n{thought}\n</thinking>\n", "<output>\n", answer, "\n</output>"])


def server_of(*replies: str | Script, **shown: Any) -> FakeServer:
    """A server that gives these replies in turn; a text is the answer of one in tags."""
    return chat_server([tagged(one) if isinstance(one, str) else one for one in replies], **shown)
