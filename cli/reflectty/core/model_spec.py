"""Specification of a model: its files and parameters, sampling defaults, and the constants of the built-in model.

Ollama reads `general.sampling.*` of a GGUF from 0.34.0 on, below PARAMETERs and options (server/routes.go and
types/model/generation.go of 0.34.2); llama-server does as well. Older ones pass it over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from reflectty.core.messages import Bounds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reflectty.core.messages import Message, Model, OptionValue


class ModelSpec(NamedTuple):
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
    license: str = ""
    messages: tuple[Message, ...] = ()
    renderer: str = ""
    parser: str = ""
    requires: str = ""
    capabilities: tuple[str, ...] = ()


MINI_NAME: Final = "mini"
MINI_REPLY_LIMIT: Final = 1024
"""Tokens of a reply where the request names no limit: so small a model may repeat itself for ever."""
MINI_STOP: Final = "<end_of_turn>"
MINI_TEMPERATURE: Final = 0
MINI_PARAMETERS: Final[tuple[tuple[str, OptionValue], ...]] = (
    ("num_predict", MINI_REPLY_LIMIT),
    ("stop", (MINI_STOP,)),
    ("temperature", MINI_TEMPERATURE),
)
"""What it is asked with unless a request says otherwise."""
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
"""How a server renders what was said, as the training saw it; the comment tells that it thinks in tags."""
MINI_WEIGHTS_DIGEST: Final = "sha256:a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"
"""Of the GGUF of gemma-3-270m that the adapter changes."""
MINI_OLDEST_OLLAMA: Final = (0, 6)
"""The first Ollama that knows the architecture, Gemma 3."""
MINI_NOTICE: Final = "Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms"


def is_mini(name: str) -> bool:
    """Whether a model's name is that of the built-in one; the tag that goes without saying may stand behind it."""
    return name.lower().removesuffix(":latest") == MINI_NAME


def mini_spec(name: str, license_text: str) -> ModelSpec:
    """Return what a server is to make of the merged weights, whose digest is known once they are merged.

    Args:
        name: what it is called there.
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
"""The options of Ollama by the keys of GGUF, without what these begin with."""


class SamplingDefault(NamedTuple):
    """What an option is where a request does not name it."""

    option: str
    value: str
    by_file: bool
    """Whether the file says so, and no PARAMETER."""


def sampling_from_info(info: Mapping[str, object]) -> tuple[tuple[str, float], ...]:
    """Return the options that a model's file sets, by what /api/show says of it."""
    found = ((option, info.get(SAMPLING_PREFIX + key)) for key, option in SAMPLING_OPTIONS.items())
    return tuple((option, value) for option, value in found if isinstance(value, int | float))


def parse_parameters(parameters: str) -> dict[str, str]:
    """Return a model's PARAMETERs as /api/show writes them, one a line; of one that is set twice, the last."""
    lines = (line.split(maxsplit=1) for line in parameters.splitlines())
    return {line[0]: line[1].strip() for line in lines if len(line) > 1}


def sampling_defaults_of(model: Model) -> tuple[SamplingDefault, ...]:
    """Return what decides how a model is sampled, in the order of the options; of what is set twice, what holds."""
    own = parse_parameters(model.parameters)
    file = {option: f"{value:.4g}" for option, value in model.sampling}
    names = [option for option in (*SAMPLING_OPTIONS.values(), "seed") if option in own or option in file]
    return tuple(SamplingDefault(name, own.get(name, file.get(name, "")), name not in own) for name in names)


FRAME_TOKENS: Final = 1024
"""Tokens for what a server writes around a conversation by itself: a date, the defaults of a format."""
LEAST_MESSAGE_BYTES: Final = 256
"""Tokens at most of what a template writes around one message."""


def bounds_of(
    model: Model, options: Iterable[tuple[str, OptionValue]], messages: Iterable[Message] = (), so_far: str = ""
) -> Bounds | None:
    """Return what is known of the room for a prompt and its reply; None for a model that its server passes on.

    A token stands for one byte at least, and what a template writes once, a system prompt of its own say, it holds
    itself. So the prompt has fewer tokens than is said here, mostly a quarter. Pictures take an unknown number of them.

    Args:
        model: who is asked; its own PARAMETERs hold where no option says otherwise.
        options: of the request.
        messages: what is said.
        so_far: what the reply begins with.
    """
    if model.remote_host:
        return None
    said = tuple(messages)
    context, reply = (_number(name, options, model) for name in ("num_ctx", "num_predict"))
    return Bounds(
        prompt=0 if any(message.images for message in said) else _most(model, said, so_far),
        # A reply of no token has one all the same; below 0 is no limit.
        reply=0 if reply is None or reply < 0 else max(1, reply),
        # A server gives no more than the model was made for, whatever is asked of it.
        context=min(max(0, context or 0), model.context_length),
    )


def _most(model: Model, said: tuple[Message, ...], so_far: str) -> int:
    written = [text for message in said for text in (message.content, message.thinking) if text]
    texts = [*filter(None, (*written, *model.examples, model.system, so_far))]
    return sum(map(_bytes, (*texts, model.template))) + len(texts) * LEAST_MESSAGE_BYTES + FRAME_TOKENS


def _number(option: str, options: Iterable[tuple[str, OptionValue]], model: Model) -> int | None:
    """Return what an option is set to, by the request or else by the model; None where neither says a number."""
    value = dict(options).get(option, parse_parameters(model.parameters).get(option, ""))
    try:
        return int(value) if isinstance(value, int | float | str) else None
    except ValueError:
        return None


def _bytes(text: str) -> int:
    return len(text.encode(errors="replace"))
