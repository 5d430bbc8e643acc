"""Says in the chat's own words what a message says in those of the command line; changes nothing else of it."""

from __future__ import annotations

import re

_FLAGS = {"-o": "/option", "--option": "/option", "--mode": "/mode", "-m": "/model"}
_FLAG = re.compile(rf"(?<!\S)({'|'.join(sorted(map(re.escape, _FLAGS), key=len, reverse=True))})(?= \w)")


def in_chat(text: str) -> str:
    """Return a text in which flags are the slash commands that do the same."""
    return _FLAG.sub(lambda found: _FLAGS[found[0]], text)
