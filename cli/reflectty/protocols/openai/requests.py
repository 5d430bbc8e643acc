"""Encodes requests for OpenAI-compatible servers and drops fields that a server refuses.

Wordings of such refusals: transformers serve HTTP 422 with `Unexpected fields in the request`, FastAPI `Extra inputs
are not permitted`, OpenAI's own API `Unrecognized request argument supplied`, vLLM with Mistral's tokenizer mode
`chat_template is not supported`.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from reflectty.core.errors import UsageError
from reflectty.core.messages import Effort
from reflectty.core.options import OPTIONS
from reflectty.protocols.decoding import LineSplitter, OverlongError, as_number, as_text, decode
from reflectty.protocols.openai.answers import LLAMA_SERVER, OLLAMA, SGLANG, VLLM
from reflectty.reasoning.switches import EFFORT_ARGUMENT

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from reflectty.core.messages import Chunk, Message, Request
    from reflectty.protocols.decoding import Body


OPTION_FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "num_predict": ("max_tokens",),
    "temperature": ("temperature",),
    "top_p": ("top_p",),
    "top_k": ("top_k",),
    "min_p": ("min_p",),
    "seed": ("seed",),
    "stop": ("stop",),
    "presence_penalty": ("presence_penalty",),
    "frequency_penalty": ("frequency_penalty",),
    # vLLM and SGLang read the first, llama-server the second; each ignores the other.
    "repeat_penalty": ("repetition_penalty", "repeat_penalty"),
}
"""The request fields for each of Ollama's options."""
LLAMA_SERVER_FIELDS: Final = {"typical_p": ("typical_p",), "repeat_last_n": ("repeat_last_n",), "num_keep": ("n_keep",)}
"""Further options that only llama-server has."""
PICTURES: Final = {
    "iVBOR": "png",
    "/9j/": "jpeg",
    "R0lGOD": "gif",
    "UklGR": "webp",
    "SUkq": "tiff",
    "TU0AK": "tiff",
    "Qk": "bmp",
}
"""The image type by the first characters of its base64 data."""
EFFORTS: Final = {Effort.LOW: "low", Effort.MEDIUM: "medium", Effort.HIGH: "high", Effort.MAX: "high"}
USUAL_EFFORTS: Final = frozenset({"none", "minimal", *EFFORTS.values()})
"""The efforts that every server accepts; other values go to the template as an argument."""
KEEP_THINKING_ARGUMENTS: Final = {
    "preserve_thinking": True,
    "clear_thinking": False,
    "truncate_history_thinking": False,
    "drop_thinking": False,
}
"""Template arguments that keep the thinking of earlier turns: of Qwen 3.6, GLM, Nemotron and DeepSeek, in order."""
FIRST_TOKENS: Final = 8
"""Tokens to request of the beginning of a reply: an opener of thinking may be several tokens."""


def ignored_options_of(maker: str) -> tuple[str, ...]:
    """Ollama's options, `keep_alive` included, that this server software has no field for."""
    return (*(name for name in OPTIONS if name not in _option_fields_of(maker)), "keep_alive")


def _option_fields_of(maker: str) -> dict[str, tuple[str, ...]]:
    return OPTION_FIELDS | LLAMA_SERVER_FIELDS if maker == LLAMA_SERVER else OPTION_FIELDS


def encode(request: Request, maker: str = "") -> Body:
    """The body for /v1/chat/completions: streamed, with special tokens kept and usage in the last event.

    Raises:
        UsageError: the schema is not valid JSON.
    """
    fields = _prompt_fields_of(request, maker) | _settings(request, maker) | _response_format_of(request)
    return fields | _budget_fields_of(request, maker)


def ends_thinking(maker: str) -> bool:
    """Whether this server software ends a thinking at a budget of tokens."""
    return maker in {LLAMA_SERVER, VLLM}


def _budget_fields_of(request: Request, maker: str) -> Body:
    """The budget of the thinking; llama-server ends it with a message, vLLM without (seen with b10970 and 0.32.0)."""
    if not request.thinking_budget or not ends_thinking(maker):
        return {}
    if maker == VLLM:
        return {"thinking_token_budget": request.thinking_budget}
    return {
        "reasoning_budget_tokens": request.thinking_budget,
        "reasoning_budget_message": f"\n\n{request.closing_sentence}\n",
    }


def _response_format_of(request: Request) -> Body:
    if not request.schema:
        return {}
    schema = {"name": "answer", "schema": _schema(request.schema), "strict": True}
    return {"response_format": {"type": "json_schema", "json_schema": schema}}


def encode_continued(request: Request, so_far: str, maker: str = "") -> Body:
    """The body with which SGLang continues the last message.

    SGLang renders the messages before it and appends the last one verbatim. Not for vLLM, which renders that one as
    well, and most templates of thinking models rewrite it. `separate_reasoning: false` keeps the tags in the content.

    Raises:
        UsageError: the schema is not valid JSON.
    """
    body = encode(request, maker)
    body["messages"].append({"role": "assistant", "content": so_far})
    return body | {"continue_final_message": True, "add_generation_prompt": False, "separate_reasoning": False}


def encode_render(request: Request) -> Body:
    """The body for llama-server's /apply-template, which returns the rendered prompt."""
    return _prompt_fields_of(request, LLAMA_SERVER)


def encode_tokenize(request: Request) -> Body:
    """The body for vLLM's /tokenize, which returns the tokens of the rendered prompt.

    It has no field for the effort, which goes to the template as an argument.
    """
    body = _prompt_fields_of(request, VLLM)
    effort = body.pop("reasoning_effort", None)
    if effort:
        body["chat_template_kwargs"] = body.get("chat_template_kwargs", {}) | {"reasoning_effort": effort}
    return body | {"add_generation_prompt": True}


def encode_prompt_probe(request: Request, tokens: int = 1) -> Body:
    """The body with which vLLM streams the rendered prompt and the first tokens of a reply.

    Its first event has `prompt_text` (0.32). A token that a reasoning parser removes from the text is an event with
    an empty delta, whose log probabilities still name it.
    """
    body = _prompt_fields_of(request, VLLM)
    return body | {"stream": True, "max_tokens": tokens, "return_prompt_text": True, "logprobs": True}


def encode_first_tokens(request: Request) -> Body:
    """The body with which SGLang returns the tokens of the rendered prompt and the first tokens of a reply.

    It returns the prompt's since 0.5.13, in responses that are not streamed (by its source; not run). The reply's
    include markers, because the reasoning stays in the content.
    """
    first = {"stream": False, "max_tokens": FIRST_TOKENS, "return_prompt_token_ids": True}
    return _prompt_fields_of(request, SGLANG) | first | {"separate_reasoning": False, "skip_special_tokens": False}


def encode_raw(request: Request, prompt: str, maker: str = LLAMA_SERVER, room: int = 0) -> Body:
    """The body with which /v1/completions continues `prompt` verbatim.

    vLLM by default adds a second begin-of-text token to such a prompt, and stops after 16 tokens; it cuts a larger
    limit to the rest of the context. It takes no images in a prompt.

    Args:
        request: the request to continue.
        prompt: the rendered prompt with the beginning of the reply.
        maker: the server software.
        room: the server's context in tokens; 0 if unknown.

    Raises:
        UsageError: the schema is not valid JSON.
    """
    body: Body = {"model": request.model, "prompt": prompt} | _settings(request, maker)
    if maker == VLLM:
        body.setdefault("max_tokens", room or None)
        return body | {"add_special_tokens": False} | _response_format_of(request)
    images = [image for message in request.messages for image in message.images]
    if images:
        body["prompt"] = {"prompt_string": prompt, "multimodal_data": images}
    if request.schema:
        body["json_schema"] = _schema(request.schema)
    return body


def _prompt_fields_of(request: Request, maker: str = "") -> Body:
    """The fields that a prompt is rendered from."""
    body: Body = {"model": request.model, "messages": [_message(message, maker) for message in request.messages]}
    arguments = _template_arguments(request, maker)
    if arguments:
        body["chat_template_kwargs"] = arguments
    effort = _effort(request, maker)
    return body | {"reasoning_effort": effort} if effort else body


def _template_arguments(request: Request, maker: str) -> Body:
    field = (EFFORT_ARGUMENT, _effort(request, maker))
    arguments: Body = dict(pair for pair in request.arguments if pair != field)
    if not request.arguments and request.think is not None:
        thinks = request.think is not False
        # Qwen's and GLM's templates read the first, DeepSeek's and Granite's the second.
        arguments = {"enable_thinking": thinks, "thinking": thinks}
    if any(message.thinking for message in request.messages):
        return arguments if maker == LLAMA_SERVER else arguments | KEEP_THINKING_ARGUMENTS
    if maker == LLAMA_SERVER and any(message.role == "assistant" for message in request.messages):
        # Otherwise b10969 and later render an empty thinking before each earlier answer, which teaches not to think.
        arguments["preserve_reasoning"] = False
    return arguments


def _effort(request: Request, maker: str) -> str:
    """The effort as the server spells it.

    llama-server passes any value on to the template, and some templates know `max`; b10970 instead reads `none` as
    `enable_thinking` false. Ollama's /v1 turns the thinking off at `none`. With Mistral's own tokenizer vLLM 0.32
    accepts the effort, and refuses arguments (by its source).
    """
    if request.think is False and maker == OLLAMA:
        return "none"
    if request.arguments and maker != OLLAMA:
        word = dict(request.arguments).get(EFFORT_ARGUMENT)
        return word if isinstance(word, str) and word in USUAL_EFFORTS else ""
    if not isinstance(request.think, Effort):
        return ""
    return str(request.think) if maker == LLAMA_SERVER else EFFORTS[request.think]


def _message(message: Message, maker: str = "") -> Body:
    # vLLM 0.32 uses the second name, all others the first.
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
        # To Ollama a negative number means no limit but the context, which is the default here.
        if option == "num_predict" and isinstance(value, int) and value < 0:
            continue
        for name in _option_fields_of(maker).get(option, ()):
            body[name] = list(value) if isinstance(value, tuple) else value
    return body


def _schema(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the schema is not valid JSON: {error}") from error


UNKNOWN_FIELD: Final = re.compile(
    r"unexpected|unrecogni[sz]ed|unknown|unsupported"
    r"|not (?:yet )?(?:supported|permitted|allowed|recogni[sz]ed|implemented)"
    r"|does(?:n't| not) support|extra (?:inputs?|fields?)|additional propert|invalid (?:parameter|argument|field)",
    re.IGNORECASE,
)
"""How servers refuse an unknown field; refusals of a value are worded differently."""
MESSAGE_FIELDS: Final = ("reasoning_content", "reasoning")
"""The fields of a message that not every server knows."""
OPTIONAL_FIELDS: Final = frozenset(
    {
        *(name for names in (OPTION_FIELDS | LLAMA_SERVER_FIELDS).values() for name in names),
        "skip_special_tokens",
        "stream_options",
        "chat_template_kwargs",
        "reasoning_effort",
        "separate_reasoning",
        "thinking_token_budget",
        "reasoning_budget_tokens",
        "reasoning_budget_message",
        "max_completion_tokens",
        "logprobs",
        "return_prompt_text",
        *MESSAGE_FIELDS,
    }
)
"""The fields that may be dropped from a request; a schema may not."""


def refused_fields(text: str, body: Body) -> frozenset[str]:
    """The fields of a request that a refusal names as unknown."""
    if not UNKNOWN_FIELD.search(text):
        return frozenset()
    return frozenset(name for name in OPTIONAL_FIELDS if _has_field(body, name) and _is_field_named(text, name))


def _has_field(body: Body, name: str) -> bool:
    return any(name in message for message in body.get("messages", ())) if name in MESSAGE_FIELDS else name in body


def _is_field_named(text: str, name: str) -> bool:
    pattern = r"chat_template(?:_kwargs)?" if name == "chat_template_kwargs" else re.escape(name)
    return re.search(rf"(?<![\w-]){pattern}(?![\w-])", text) is not None


def drop_fields(body: Body, refused: Collection[str]) -> Body:
    """Copy a request without the refused fields; a refused `max_tokens` becomes `max_completion_tokens`."""
    if not refused:
        return body
    remaining = {name: value for name, value in body.items() if name not in refused}
    if "max_tokens" in refused and "max_tokens" in body and "max_completion_tokens" not in refused:
        remaining["max_completion_tokens"] = body["max_tokens"]
    dropped = [name for name in MESSAGE_FIELDS if name in refused]
    if dropped and "messages" in body:
        remaining["messages"] = [{k: v for k, v in message.items() if k not in dropped} for message in body["messages"]]
    return remaining


def dropped_options_note(request: Request, refused: Collection[str]) -> str:
    """The note on the user's options that are dropped; empty if there are none."""
    names = [option for option, _ in request.options if _is_option_refused(option, refused)]
    if isinstance(request.think, Effort) and "reasoning_effort" in refused:
        names.append("--effort")
    switches = {"chat_template_kwargs", *(("reasoning_effort",) if request.arguments else ())}
    if request.think is False and not switches.isdisjoint(refused):
        names.append("--mode direct")
    return f"this server does not support {', '.join(names)}: dropped from the request" if names else ""


def _is_option_refused(option: str, refused: Collection[str]) -> bool:
    names = (OPTION_FIELDS | LLAMA_SERVER_FIELDS).get(option, ())
    if names == ("max_tokens",):
        return "max_tokens" in refused and "max_completion_tokens" in refused
    # Each name goes to the server: one that it takes is enough.
    return bool(names) and all(name in refused for name in names)


class PromptProbe:
    """Decodes the stream of a prompt probe: keeps the rendered prompt and the first tokens, and yields no chunks."""

    def __init__(self) -> None:
        self.done = False
        self.over = False
        self.part_count = 0
        self.prompt = ""
        """The rendered prompt; empty if the server does not send it."""
        self.first_tokens = ""
        """The text of the reply's tokens so far, markers included."""
        self._lines = LineSplitter()

    def feed(self, data: bytes) -> Iterator[Chunk]:
        """Decode the next bytes; a line beyond the limit ends the probe."""
        try:
            for line in self._lines.feed(data):
                self._line(line.strip())
        except OverlongError:
            self.done = True
        return iter(())

    def close(self) -> Iterator[Chunk]:
        """Decode a last line without a line break."""
        self._line(self._lines.rest().strip())
        return iter(())

    def _line(self, line: bytes) -> None:
        if not line.startswith(b"data:"):
            return
        value = line[5:].strip()
        if value == b"[DONE]":
            self.done = True
            return
        try:
            self._event(decode(value))
        except ValueError:
            self.done = True

    def _event(self, event: Body) -> None:
        self.prompt = self.prompt or as_text(event.get("prompt_text"))
        choices = event.get("choices")
        self.part_count += isinstance(choices, list)
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, dict):
                self._choice(choice)

    def _choice(self, choice: Body) -> None:
        logprobs = choice.get("logprobs")
        entries = logprobs.get("content") if isinstance(logprobs, dict) else None
        if isinstance(entries, list):
            self.first_tokens += "".join(as_text(entry.get("token")) for entry in entries if isinstance(entry, dict))
        self.over = self.over or bool(choice.get("finish_reason"))


def tokens_of(body: Body) -> tuple[list[object], int, int]:
    """The tokens in a response of /tokenize, their number and the server's context, which is 0 if not sent."""
    tokens = body.get("tokens")
    listed = tokens if isinstance(tokens, list) else []
    return listed, int(as_number(body.get("count"))) or len(listed), int(as_number(body.get("max_model_len")))


def prompt_of(body: Body) -> str:
    """The text in a response of /detokenize: vLLM's in `prompt`, SGLang's in `text`."""
    return as_text(body.get("prompt") or body.get("text"))


def first_tokens_of(body: Body) -> tuple[list[object], str]:
    """The tokens of a rendered prompt, if SGLang sends them, and the beginning of the reply."""
    choices = body.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    tokens, message = choice.get("prompt_token_ids"), choice.get("message")
    text = as_text(message.get("content")) if isinstance(message, dict) else ""
    return tokens if isinstance(tokens, list) else [], text
