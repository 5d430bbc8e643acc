"""Tells whether a model is asked in another format than its own chat template has; asks no model a question.

A model that was imported without a template may get one that Ollama finds alike: of its own list, the nearest in up to
100 letters (`Named` in template/template.go, in 0.32.15 and 0.34.2), which may be that of another format. What
/api/show tells is the one in use; the model's own stands in its GGUF alone.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from reflectty import gguf
from reflectty.errors import ReflecttyError
from reflectty.wire.recipes import digest_of

if TYPE_CHECKING:
    from reflectty.chat import Model
    from reflectty.engines.ollama import OllamaEngine

MARKS: Final = re.compile(
    r"<\|[^|<>\s]{1,40}\|>|<\uff5c[^\uff5c<>]{1,40}\uff5c>|<[a-z]+_of_[a-z]+>"
    r"|\[/?INST\]|<</?SYS>>|###? [A-Z][a-z]+:|</?s>"
)
"""By what the chat templates of models mark where a turn begins and ends."""
MOST_NAMED: Final = 2


class Formats(NamedTuple):
    """By what a model's own template marks turns, and by what the one in use does."""

    own: tuple[str, ...]
    used: tuple[str, ...]

    @property
    def warning(self) -> str:
        """What it means, in a sentence."""
        own, used = (" ".join(marks[:MOST_NAMED]) for marks in self)
        return (
            f"asked with {used or 'no marks'}, while its own chat template has {own}: it may answer worse than it can"
        )


async def misfit(engine: OllamaEngine, model: Model) -> Formats | None:
    """Return both formats of a model where they have no mark in common; None where they have, or nobody knows.

    It takes half a second of reading for a model that is on this machine, and no time for any other.
    """
    if not engine.local or model.is_jinja:
        return None
    try:
        recipe = await engine.recipe(model.name)
    except ReflecttyError:
        return None
    # A renderer is code of the server's, whatever the template says.
    if recipe.renderer or not recipe.weights or not digest_of(recipe.weights[0]):
        return None
    own = await asyncio.to_thread(_own, Path(recipe.weights[0]))
    return differing(own, model.template)


def differing(own: str, used: str) -> Formats | None:
    """Return by what two templates mark turns, where the first does and they have no mark in common."""
    first, second = (tuple(dict.fromkeys(MARKS.findall(text))) for text in (own, used))
    return Formats(first, second) if first and not set(first) & set(second) else None


def _own(path: Path) -> str:
    """Return the chat template in a GGUF, or nothing: the server's files may be for the server's eyes only."""
    try:
        with path.open("rb") as file:
            return gguf.layout(file).template
    except (OSError, gguf.GgufError):
        return ""
