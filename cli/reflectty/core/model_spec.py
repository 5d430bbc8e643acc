"""Specification of a model: its files and parameters, sampling defaults, and the constants of the built-in model.

Ollama reads `general.sampling.*` of a GGUF from 0.34.0 on, with lower priority than PARAMETERs and options
(server/routes.go and types/model/generation.go of 0.34.2); llama-server does as well. Older versions ignore it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reflectty.core.messages import Bounds
from reflectty.core.model_names import short_name_of
from reflectty.core.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reflectty.core.messages import Message, Model, OptionValue


class ModelSpec(NamedTuple):
    """The parts of one installed model; files are named by the path of the server's own copy."""

    name: str
    kind: str = ""
    """The format of its weights: `gguf`, `safetensors`; empty for a model that is not on the server."""
    weights: tuple[str, ...] = ()
    """The language model, then its vision projector."""
    adapters: tuple[str, ...] = ()
    draft: str = ""
    template: str = ""
    """The template made for Ollama; empty if the one in the weights is used."""
    system: str = ""
    parameters: tuple[tuple[str, OptionValue], ...] = ()
    license: str = ""
    messages: tuple[Message, ...] = ()
    renderer: str = ""
    parser: str = ""
    requires: str = ""
    capabilities: tuple[str, ...] = ()


MINI_NAME: Final = "mini"
MINI_REPLY_LIMIT: Final = 1024
"""Maximum tokens of a reply if the request sets none: so small a model may repeat itself without end."""
MINI_STOP: Final = "<end_of_turn>"
MINI_TEMPERATURE: Final = 0
MINI_PARAMETERS: Final[tuple[tuple[str, OptionValue], ...]] = (
    ("num_predict", MINI_REPLY_LIMIT),
    ("stop", (MINI_STOP,)),
    ("temperature", MINI_TEMPERATURE),
)
"""The defaults for a request."""
MINI_TEMPLATE: Final = """\
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
"""The chat template as in training; its comment shows that the model thinks in tags."""
MINI_WEIGHTS_DIGEST: Final = "sha256:a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"
"""The GGUF of gemma-3-270m that the adapter changes."""
MINI_OLDEST_OLLAMA: Final = (0, 6)
"""The first Ollama that supports the architecture, Gemma 3."""
MINI_NOTICE: Final = "Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms"


def is_mini(name: str) -> bool:
    """Whether a name is that of the built-in model, with or without the tag `latest`."""
    return short_name_of(name.lower()) == MINI_NAME


def mini_spec(name: str, license_text: str) -> ModelSpec:
    """The specification of the merged weights for a server; their digest is known once they are merged.

    Args:
        name: its name on the server.
        license_text: the text of its terms.
    """
    return ModelSpec(name=name, kind="gguf", template=MINI_TEMPLATE, parameters=MINI_PARAMETERS, license=license_text)


SAMPLING_PREFIX: Final = "general.sampling."
SAMPLING_OPTIONS: Final = {
    "temp": "temperature",
    "top_k": "top_k",
    "top_p": "top_p",
    "min_p": "min_p",
    "typ_p": "typical_p",
    "penalty_last_n": "repeat_last_n",
    "penalty_repeat": "repeat_penalty",
    "penalty_present": "presence_penalty",
    "penalty_freq": "frequency_penalty",
}
"""Ollama's options by GGUF key, without the prefix."""


class SamplingDefault(NamedTuple):
    """The value of an option that the request does not set."""

    option: str
    value: str
    by_file: bool
    """Whether the file sets it, and no PARAMETER."""


def sampling_from_info(info: Mapping[str, object]) -> tuple[tuple[str, float], ...]:
    """The options that a model's file sets, from its /api/show."""
    values = ((option, info.get(SAMPLING_PREFIX + key)) for key, option in SAMPLING_OPTIONS.items())
    return tuple((option, value) for option, value in values if isinstance(value, int | float))


def parse_parameters(parameters: str) -> dict[str, str]:
    """Parse a model's PARAMETERs as /api/show writes them, one per line; the last one wins."""
    lines = (line.split(maxsplit=1) for line in parameters.splitlines())
    return {line[0]: line[1].strip() for line in lines if len(line) > 1}


def sampling_defaults_of(model: Model) -> tuple[SamplingDefault, ...]:
    """The effective sampling defaults of a model, in the order of the options."""
    own = parse_parameters(model.parameters)
    file = {option: f"{value:.4g}" for option, value in model.sampling}
    names = [option for option in (*SAMPLING_OPTIONS.values(), "seed") if option in own or option in file]
    return tuple(SamplingDefault(name, own.get(name, file.get(name, "")), name not in own) for name in names)


FRAME_TOKENS: Final = 1024
"""Tokens that a server adds around a conversation: a date, the defaults of a format."""
LEAST_MESSAGE_BYTES: Final = 256
"""Maximum tokens that a template writes around one message."""


def bounds_of(
    model: Model, options: Iterable[tuple[str, OptionValue]], messages: Iterable[Message] = (), so_far: str = ""
) -> Bounds | None:
    """Bound the room for a prompt and its reply; None for a model that its server forwards.

    A token stands for at least one byte, and the template contains what it writes once, such as a system prompt of its
    own. So the prompt has fewer tokens than this bound, mostly a quarter. Images take an unknown number of tokens.

    Args:
        model: the requested model; its own PARAMETERs apply where no option is set.
        options: of the request.
        messages: of the request.
        so_far: the beginning of the reply.
    """
    if model.remote_host:
        return None
    conversation = tuple(messages)
    context, reply = (_number(name, options, model) for name in ("num_ctx", "num_predict"))
    return Bounds(
        prompt=0 if any(message.images for message in conversation) else _most(model, conversation, so_far),
        # A reply of no tokens still has one; below 0 means no limit.
        reply=0 if reply is None or reply < 0 else max(1, reply),
        # A server never exceeds the context that the model was trained for.
        context=min(max(0, context or 0), model.context_length),
    )


def _most(model: Model, messages: tuple[Message, ...], so_far: str) -> int:
    written = [text for message in messages for text in (message.content, message.thinking) if text]
    texts = [*filter(None, (*written, *model.examples, model.system, so_far))]
    return sum(map(_bytes, (*texts, model.template))) + len(texts) * LEAST_MESSAGE_BYTES + FRAME_TOKENS


def _number(option: str, options: Iterable[tuple[str, OptionValue]], model: Model) -> int | None:
    """The number that the request, or else the model, sets for an option; None if neither does."""
    value = dict(options).get(option, parse_parameters(model.parameters).get(option, ""))
    try:
        return int(value) if isinstance(value, int | float | str) else None
    except ValueError:
        return None


def _bytes(text: str) -> int:
    return len(text.encode(errors="replace"))
