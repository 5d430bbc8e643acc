"""Requests as the JSON objects that OpenAI-compatible servers take; no I/O."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from reflectty.chat import Effort
from reflectty.errors import UsageError
from reflectty.options import OPTIONS
from reflectty.wire.openai.answers import LLAMA_SERVER

if TYPE_CHECKING:
    from reflectty.chat import Message, Request
    from reflectty.wire.values import Body

COUNTERPARTS: Final[dict[str, tuple[str, ...]]] = {
    "num_predict": ("max_tokens",),
    "temperature": ("temperature",),
    "top_p": ("top_p",),
    "top_k": ("top_k",),
    "min_p": ("min_p",),
    "seed": ("seed",),
    "stop": ("stop",),
    "presence_penalty": ("presence_penalty",),
    "frequency_penalty": ("frequency_penalty",),
    # vLLM and SGLang know the first, llama-server the second; each lets the other pass.
    "repeat_penalty": ("repetition_penalty", "repeat_penalty"),
}
"""What the options of Ollama are called there."""
OF_LLAMA_SERVER: Final = {"typical_p": ("typical_p",), "repeat_last_n": ("repeat_last_n",), "num_keep": ("n_keep",)}
"""What only llama-server has."""
PICTURES: Final = {
    "iVBOR": "png",
    "/9j/": "jpeg",
    "R0lGOD": "gif",
    "UklGR": "webp",
    "SUkq": "tiff",
    "TU0AK": "tiff",
    "Qk": "bmp",
}
"""How the kinds of pictures begin, in base64."""
EFFORTS: Final = {Effort.LOW: "low", Effort.MEDIUM: "medium", Effort.HIGH: "high", Effort.MAX: "high"}


def ignored(maker: str) -> tuple[str, ...]:
    """Return what of Ollama's options, `keep_alive` included, has no counterpart on a server of this maker."""
    return (*(name for name in OPTIONS if name not in _names(maker)), "keep_alive")


def _names(maker: str) -> dict[str, tuple[str, ...]]:
    return COUNTERPARTS | OF_LLAMA_SERVER if maker == LLAMA_SERVER else COUNTERPARTS


def encode(request: Request, maker: str = "") -> Body:
    """Return the body for /v1/chat/completions: a stream that keeps special tokens and ends in its figures.

    Raises:
        UsageError: the schema is no JSON.
    """
    body = _rendering(request) | _settings(request, maker)
    if request.schema:
        schema = {"name": "answer", "schema": _schema(request.schema), "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    return body


def encode_continued(request: Request, so_far: str, maker: str = "") -> Body:
    """Return the body with which vLLM and SGLang go on in the middle of the last message.

    SGLang leaves the tags in the content where it is told not to take the reasoning out; vLLM cannot be told.

    Raises:
        UsageError: the schema is no JSON.
    """
    body = encode(request, maker)
    body["messages"].append({"role": "assistant", "content": so_far})
    return body | {"continue_final_message": True, "add_generation_prompt": False, "separate_reasoning": False}


def encode_render(request: Request) -> Body:
    """Return the body with which llama-server's /apply-template answers the rendered prompt."""
    return _rendering(request)


def encode_raw(request: Request, prompt: str, maker: str = LLAMA_SERVER) -> Body:
    """Return the body with which llama-server's /v1/completions continues `prompt` as it stands.

    Raises:
        UsageError: the schema is no JSON.
    """
    body: Body = {"model": request.model, "prompt": prompt} | _settings(request, maker)
    images = [image for message in request.messages for image in message.images]
    if images:
        body["prompt"] = {"prompt_string": prompt, "multimodal_data": images}
    if request.schema:
        body["json_schema"] = _schema(request.schema)
    return body


def _rendering(request: Request) -> Body:
    """Return what a prompt is rendered from."""
    body: Body = {"model": request.model, "messages": [_message(message) for message in request.messages]}
    if request.think is not None:
        thinks = request.think is not False
        # Templates differ in what they call it: Qwen's and GLM's the first, DeepSeek's and Granite's the second.
        body["chat_template_kwargs"] = {"enable_thinking": thinks, "thinking": thinks}
    if isinstance(request.think, Effort):
        body["reasoning_effort"] = EFFORTS[request.think]
    return body


def _message(message: Message) -> Body:
    if not message.images:
        return {"role": message.role, "content": message.content}
    pictures = [{"type": "image_url", "image_url": {"url": _data_url(image)}} for image in message.images]
    return {"role": message.role, "content": [*pictures, {"type": "text", "text": message.content}]}


def _data_url(image: str) -> str:
    kind = next((kind for start, kind in PICTURES.items() if image.startswith(start)), "png")
    return f"data:image/{kind};base64,{image}"


def _settings(request: Request, maker: str) -> Body:
    body: Body = {"stream": True, "stream_options": {"include_usage": True}, "skip_special_tokens": False}
    for option, value in request.options:
        # Ollama means by a negative number: as many as there is room for, which is what these do unasked.
        if option == "num_predict" and isinstance(value, int) and value < 0:
            continue
        for name in _names(maker).get(option, ()):
            body[name] = list(value) if isinstance(value, tuple) else value
    return body


def _schema(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the schema is no JSON: {error}") from error
