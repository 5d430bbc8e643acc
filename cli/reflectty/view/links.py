"""Makes addresses in answers links that a terminal can open (OSC 8), and finds them in plain text.

A link is opened by the terminal, which shows its address nowhere: only http, https and mailto are linked, the address
is ASCII without controls, and where it differs from the text it stands beside it.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from rich.style import Style

from reflectty.core.safety import is_safe_link
from reflectty.view.rows import PLAIN

_MAX_TARGET_LENGTH = 2083
"""VTE drops longer addresses."""
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))
_BARE_ADDRESS = re.compile(r"(?<![\w/])https?://[^\s<>\"'`\\^{}|]+")
_TRAILING = ".,;:!?*_~"
_BRACKETS = {")": "(", "]": "["}


def link_target_of(url: str) -> str:
    """The address to open, percent-encoded to printable ASCII; empty if it must not be linked."""
    target = quote(url, safe=_PRINTABLE) if is_safe_link(url) else ""
    return target if len(target) <= _MAX_TARGET_LENGTH else ""


def link_style(url: str) -> Style:
    """The style of a link to an address; no style if it must not be linked."""
    target = link_target_of(url)
    return Style(link=target) if target else PLAIN


def split_at_addresses(text: str) -> list[tuple[str, str]]:
    """The pieces of a plain text, each with the address that it is, or ""."""
    pieces: list[tuple[str, str]] = []
    last = 0
    for found in _BARE_ADDRESS.finditer(text):
        url = _without_trailing(found[0])
        pieces += [(text[last : found.start()], ""), (url, url)]
        last = found.start() + len(url)
    return [piece for piece in (*pieces, (text[last:], "")) if piece[0]]


def _without_trailing(url: str) -> str:
    """The address without punctuation that belongs to the sentence around it."""
    while url[-1] in _TRAILING or (url[-1] in _BRACKETS and url.count(url[-1]) > url.count(_BRACKETS[url[-1]])):
        url = url[:-1]
    return url
