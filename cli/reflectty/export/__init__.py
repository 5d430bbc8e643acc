"""Exports a stored conversation as Markdown, HTML or JSON."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from reflectty.core.session import branch_to

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.core.session import Session, Turn


class ExportFormat(StrEnum):
    """The form of an exported conversation."""

    MARKDOWN = "markdown"
    JSON = "json"
    HTML = "html"


FORMAT_BY_SUFFIX = {
    ".md": ExportFormat.MARKDOWN,
    ".markdown": ExportFormat.MARKDOWN,
    ".json": ExportFormat.JSON,
    ".html": ExportFormat.HTML,
    ".htm": ExportFormat.HTML,
}
"""Export formats by file suffix."""


def export_session(session: Session, turns: Sequence[Turn], form: ExportFormat) -> str:
    """A session as a document; Markdown and HTML contain the branch viewed last, JSON everything."""
    path = branch_to(turns, session.leaf)
    if form is ExportFormat.JSON:
        from reflectty.export.json import as_json

        return as_json(session, turns)
    if form is ExportFormat.HTML:
        from reflectty.export.html import as_html

        return as_html(session, path)
    from reflectty.export.markdown import as_markdown

    return as_markdown(session, path)
