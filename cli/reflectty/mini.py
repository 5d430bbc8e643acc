"""The built-in model as values: its name, its template, its parameters, its terms; reads no file and asks nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from reflectty.chat import OptionValue
    from reflectty.recipe import Recipe

NAME: Final = "mini"
LIMIT: Final = 1024
"""Tokens of a reply where the request names no limit: so small a model may repeat itself for ever."""
STOP: Final = "<end_of_turn>"
TEMPERATURE: Final = 0
PARAMETERS: Final[tuple[tuple[str, OptionValue], ...]] = (
    ("num_predict", LIMIT),
    ("stop", (STOP,)),
    ("temperature", TEMPERATURE),
)
"""What it is asked with unless a request says otherwise."""
TEMPLATE: Final = """\
{{- /* It replies with <thinking>, <reflection> and <output>. */ -}}
{{- $system := .System }}
{{- range .Messages }}
{{- if eq .Role "user" }}<start_of_turn>user
{{ if $system }}{{ $system }}

{{ $system = "" }}{{ end }}{{ .Content }}<end_of_turn>
<start_of_turn>model
{{ else if eq .Role "assistant" }}{{ .Content }}<end_of_turn>
{{ end }}
{{- end }}"""
"""How a server renders what was said, as the training saw it; the comment tells that it thinks in tags."""
WEIGHTS_DIGEST: Final = "sha256:a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"
"""Of the GGUF of gemma-3-270m that the adapter changes."""
OLDEST: Final = (0, 6)
"""The first Ollama that knows the architecture, Gemma 3."""
NOTICE: Final = "Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms"


def is_mini(name: str) -> bool:
    """Whether a model's name is that of the built-in one; the tag that goes without saying may stand behind it."""
    return name.lower().removesuffix(":latest") == NAME


def recipe(name: str, licence: str) -> Recipe:
    """Return what a server is to make of the merged weights, whose digest is known once they are merged.

    Args:
        name: what it is called there.
        licence: the text of its terms.
    """
    from reflectty.recipe import Recipe  # noqa: PLC0415 - a question needs the name alone

    return Recipe(name=name, kind="gguf", template=TEMPLATE, parameters=PARAMETERS, licence=licence)
