"""Says in the chat's own words what a message says in those of the command line; changes nothing else of it."""

from __future__ import annotations

import re

_FLAGS = {"-o": "/option", "--option": "/option", "--mode": "/mode", "-m": "/model"}
_FLAG = re.compile(rf"(?<!\S)({'|'.join(sorted(map(re.escape, _FLAGS), key=len, reverse=True))})(?= \w)")
_PULL = re.compile(r"`?\b(?:ollama|reflect models) pull (\S*[^\s`])`?")
_PHRASES = {
    "the same command goes on from there": "pulling it again goes on from there",
    "--insecure allows it": "http:// before its name allows it",
    "--insecure lets the server do so as well": "write http:// before its name",
}


def in_chat(text: str) -> str:
    """Return a text in which flags and commands are the slash commands that do the same."""
    for phrase, other in _PHRASES.items():
        text = text.replace(phrase, other)
    return _PULL.sub(r"/pull \1", _FLAG.sub(lambda found: _FLAGS[found[0]], text))
