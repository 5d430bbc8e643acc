"""Recipe: what a model is made of, as far as its server tells; no wire format and no I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from reflectty.chat import Message, OptionValue


class Recipe(NamedTuple):
    """What one installed model is made of; what is a file is named by the path of the server's own copy."""

    name: str
    kind: str = ""
    """How its weights are stored: `gguf`, `safetensors`; empty for a model that is not on the server at all."""
    weights: tuple[str, ...] = ()
    """The language model, then what sees pictures for it."""
    adapters: tuple[str, ...] = ()
    draft: str = ""
    template: str = ""
    """The template that was made for Ollama; empty where the one within the weights is used."""
    system: str = ""
    parameters: tuple[tuple[str, OptionValue], ...] = ()
    licence: str = ""
    messages: tuple[Message, ...] = ()
    renderer: str = ""
    parser: str = ""
    requires: str = ""
    capabilities: tuple[str, ...] = ()
