"""Requests as the JSON objects that OpenAI-compatible servers take; no I/O."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from reflectty.chat import Effort
from reflectty.errors import UsageError
from reflectty.options import OPTIONS
from reflectty.switches import LEVEL
from reflectty.wire.openai.answers import LLAMA_SERVER, OLLAMA, SGLANG, VLLM

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
USUAL_EFFORTS: Final = frozenset({"none", "minimal", *EFFORTS.values()})
"""The words that every server takes as the effort; a template may have others, which go to it as an argument."""
KEEPS_THINKING: Final = {
    "preserve_thinking": True,
    "clear_thinking": False,
    "truncate_history_thinking": False,
    "drop_thinking": False,
}
"""What templates call it that the thinking of earlier turns stays in the prompt: Qwen 3.6, GLM, Nemotron, DeepSeek."""
FIRST_TOKENS: Final = 8
"""How many tokens a glimpse of a reply has: the marker that opens a thinking may be several."""


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
    return _rendering(request, maker) | _settings(request, maker) | _held_to_schema(request)


def _held_to_schema(request: Request) -> Body:
    if not request.schema:
        return {}
    schema = {"name": "answer", "schema": _schema(request.schema), "strict": True}
    return {"response_format": {"type": "json_schema", "json_schema": schema}}


def encode_continued(request: Request, so_far: str, maker: str = "") -> Body:
    """Return the body with which SGLang goes on in the middle of the last message.

    It renders the messages before and appends the last one as it stands. vLLM renders that one as well, and most
    templates of thinking models rewrite it: it is never asked in this way. The tags stay in the content where SGLang
    is told not to take the reasoning out.

    Raises:
        UsageError: the schema is no JSON.
    """
    body = encode(request, maker)
    body["messages"].append({"role": "assistant", "content": so_far})
    return body | {"continue_final_message": True, "add_generation_prompt": False, "separate_reasoning": False}


def encode_render(request: Request) -> Body:
    """Return the body with which llama-server's /apply-template answers the rendered prompt."""
    return _rendering(request, LLAMA_SERVER)


def encode_tokenize(request: Request) -> Body:
    """Return the body with which vLLM's /tokenize answers the tokens of the rendered prompt.

    It has no field for the effort, which the template gets as an argument of its own.
    """
    body = _rendering(request, VLLM)
    effort = body.pop("reasoning_effort", None)
    if effort:
        body["chat_template_kwargs"] = body.get("chat_template_kwargs", {}) | {"reasoning_effort": effort}
    return body | {"add_generation_prompt": True}


def encode_glimpse(request: Request, tokens: int = 1) -> Body:
    """Return the body with which vLLM streams the rendered prompt and the first tokens of a reply.

    Its first event has `prompt_text` (0.32). A token that a reasoning parser takes out of the text is an event with an
    empty delta, whose log probabilities still name it.
    """
    body = _rendering(request, VLLM)
    return body | {"stream": True, "max_tokens": tokens, "return_prompt_text": True, "logprobs": True}


def encode_first_tokens(request: Request) -> Body:
    """Return the body with which SGLang answers the tokens of the rendered prompt, and the first ones of a reply.

    It tells the former since 0.5.13, where the answer is no stream (by its source; it was not run). The latter come
    with their markers, since the reasoning is left where it stands.
    """
    first = {"stream": False, "max_tokens": FIRST_TOKENS, "return_prompt_token_ids": True}
    return _rendering(request, SGLANG) | first | {"separate_reasoning": False, "skip_special_tokens": False}


def encode_raw(request: Request, prompt: str, maker: str = LLAMA_SERVER, room: int = 0) -> Body:
    """Return the body with which /v1/completions continues `prompt` as it stands.

    vLLM would add the token that begins a text to a prompt that has it already, and ends at 16 tokens unless told;
    more than the context has left is cut to that. Pictures have no place in a prompt there.

    Args:
        request: what is asked.
        prompt: the rendered prompt with the beginning of the reply.
        maker: who wrote the server.
        room: how many tokens the server holds, where that is known.

    Raises:
        UsageError: the schema is no JSON.
    """
    body: Body = {"model": request.model, "prompt": prompt} | _settings(request, maker)
    if maker == VLLM:
        body.setdefault("max_tokens", room or None)
        return body | {"add_special_tokens": False} | _held_to_schema(request)
    images = [image for message in request.messages for image in message.images]
    if images:
        body["prompt"] = {"prompt_string": prompt, "multimodal_data": images}
    if request.schema:
        body["json_schema"] = _schema(request.schema)
    return body


def _rendering(request: Request, maker: str = "") -> Body:
    """Return what a prompt is rendered from."""
    body: Body = {"model": request.model, "messages": [_message(message, maker) for message in request.messages]}
    arguments = _template_arguments(request, maker)
    if arguments:
        body["chat_template_kwargs"] = arguments
    effort = _effort(request, maker)
    return body | {"reasoning_effort": effort} if effort else body


def _template_arguments(request: Request, maker: str) -> Body:
    field = (LEVEL, _effort(request, maker))
    arguments: Body = dict(pair for pair in request.arguments if pair != field)
    if not request.arguments and request.think is not None:
        thinks = request.think is not False
        # Templates differ in what they call it: Qwen's and GLM's the first, DeepSeek's and Granite's the second.
        arguments = {"enable_thinking": thinks, "thinking": thinks}
    if any(message.thinking for message in request.messages):
        return arguments if maker == LLAMA_SERVER else arguments | KEEPS_THINKING
    if maker == LLAMA_SERVER and any(message.role == "assistant" for message in request.messages):
        # Since b10969 it renders an empty thinking before every earlier answer otherwise, which teaches not to think.
        arguments["preserve_reasoning"] = False
    return arguments


def _effort(request: Request, maker: str) -> str:
    """Return the effort in the server's words.

    llama-server hands any word to the template, and there are templates that know `max`; b10970 takes `none` for
    `enable_thinking` false instead. Ollama's /v1 switches the thinking off by `none`. With Mistral's own tokenizer
    vLLM 0.32 takes the effort, and refuses arguments (by its source).
    """
    if request.think is False and maker == OLLAMA:
        return "none"
    if request.arguments and maker != OLLAMA:
        word = dict(request.arguments).get(LEVEL)
        return word if isinstance(word, str) and word in USUAL_EFFORTS else ""
    if not isinstance(request.think, Effort):
        return ""
    return str(request.think) if maker == LLAMA_SERVER else EFFORTS[request.think]


def _message(message: Message, maker: str = "") -> Body:
    # vLLM 0.32 calls it by the second name, everybody else by the first.
    names = ("reasoning_content", "reasoning") if maker == VLLM else ("reasoning_content",)
    thinking = dict.fromkeys(names, message.thinking) if message.thinking else {}
    if not message.images:
        return {"role": message.role, "content": message.content} | thinking
    pictures = [{"type": "image_url", "image_url": {"url": _data_url(image)}} for image in message.images]
    return {"role": message.role, "content": [*pictures, {"type": "text", "text": message.content}]} | thinking


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
