"""Turns a stored conversation into a document for elsewhere, and saves it; each form loads only itself."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from reflectty.session import branch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.session import Session, Turn


class Format(StrEnum):
    """The form of an exported conversation."""

    MARKDOWN = "markdown"
    JSON = "json"
    HTML = "html"


SUFFIXES = {".md": Format.MARKDOWN, ".markdown": Format.MARKDOWN, ".json": Format.JSON, ".html": Format.HTML}
"""What a file's name says about its form."""


def export(session: Session, turns: Sequence[Turn], form: Format) -> str:
    """Return a session as a document; Markdown and HTML have the branch looked at last, JSON everything."""
    path = branch(turns, session.leaf)
    if form is Format.JSON:
        from reflectty.exporting.json import as_json  # noqa: PLC0415 - each form loads only itself

        return as_json(session, turns)
    if form is Format.HTML:
        from reflectty.exporting.html import as_html  # noqa: PLC0415

        return as_html(session, path)
    from reflectty.exporting.markdown import as_markdown  # noqa: PLC0415

    return as_markdown(session, path)
