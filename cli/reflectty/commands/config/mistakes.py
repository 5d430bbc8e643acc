"""Finds every mistake in the settings: malformed values, values without use, and keys the chat does not take."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from reflectty.config.explain import find_mistakes_in
from reflectty.config.load import merge, sources_in_file
from reflectty.config.usability import find_unusable_in
from reflectty.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from reflectty.config.load import Document


def find_every_mistake(document: Document, path: Path, environment: Mapping[str, str]) -> tuple[UsageError, ...]:
    """Find what makes a later command fail or warn, in a document for the file at `path` and in the environment."""
    found = (
        *find_mistakes_in(document, path, environment),
        *find_unusable_in(document, path, environment),
        *_key_mistakes(document, path),
    )
    return tuple({str(error): error for error in found}.values())


def _key_mistakes(document: Document, path: Path) -> Iterator[UsageError]:
    """Yield the mistakes of single key bindings, then that of all together."""
    with suppress(UsageError):
        keys = merge(sources_in_file({"keys": document.get("keys", {})}, path)).keys
        if not keys:
            return
        from reflectty.tui.actions import bind_actions

        for bindings in (*((one,) for one in keys), keys):
            try:
                bind_actions(bindings)
            except UsageError as error:
                yield error
