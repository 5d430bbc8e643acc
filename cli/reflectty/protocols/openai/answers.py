"""Parses responses of OpenAI-compatible servers: refusals, listed models, rendered prompts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from reflectty.core.errors import (
    CrowdedError,
    ModelMissingError,
    PromptTooLongError,
    ReflecttyError,
    RefusedError,
    UnreachableError,
    did_you_mean,
)
from reflectty.core.messages import Model, RunningModel
from reflectty.core.named_tuple import NamedTuple
from reflectty.protocols.decoding import as_number, as_text, decode, error_body_of, shorten
from reflectty.protocols.openai.models import can_chat_by_fields
from reflectty.protocols.refusals import BUSY_STATUSES, busy_error_of, gateway_error_of, is_transient
from reflectty.reasoning.families import FAMILIES, family_of_model, has_plain_text_markers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reflectty.protocols.decoding import Body


SERVER_LABEL: Final = "an OpenAI-compatible server"
HOST_HINT: Final = "check --host or REFLECTTY_HOST; use --engine ollama for an Ollama server"
LOG_HINT: Final = "try again, or check the server's log"
KEY_NAMES: Final = "REFLECTTY_API_KEY or OPENAI_API_KEY"
KEY_HINT: Final = (
    f"the server requires a key, or rejects this one: set {KEY_NAMES}, or the setting api_key_file; it is sent only"
    " over https or to this machine"
)

LLAMA_SERVER: Final = "llamacpp"
VLLM: Final = "vllm"
SGLANG: Final = "sglang"
OLLAMA: Final = "library"
"""`owned_by` of a model on each server; Ollama's /v1 has `library` for models of its own registry, and for others the
name of their user."""
RESUMING_SERVERS: Final = (LLAMA_SERVER, VLLM, SGLANG)
"""The servers that can continue a partial reply."""
NO_DATABASE: Final = "no_db_connection"
"""The error type of LiteLLM 1.105 without a database for an unknown key."""
TOO_LONG: Final = re.compile(
    r"exceeds the available context size|larger than the max context size|maximum context length"
    r"|longer than the model's context length|longer than the maximum model length"
    r"|decoder prompt \(length \d+\) is longer|max_tokens must be at least 1, got (?:0|-)",
    re.IGNORECASE,
)
"""How the versions of llama-server, vLLM and SGLang report a prompt that does not fit."""
CONTEXT_PATTERNS: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"context (?:length|size)(?: is| of)? \(?(\d+)",
        r"maximum model length(?: of)? (\d+)",
    )
)
PROMPT_PATTERNS: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(\d+) tokens from the input messages",
        r"\((\d+) in the messages",
        r"resulted in (\d+) tokens",
        r"(?:contains|has) (\d+) input tokens",
        r"(?:input|request|prompt) \((?:length )?(\d+)",
    )
)
MOST_NAMES: Final = 5
"""Names shown of a longer list."""
CROWDED: Final = re.compile(r"context size has been exceeded", re.IGNORECASE)
"""With which llama-server b10970 ends all replies that share a context, once it is full."""
FEWER_REQUESTS_HINT: Final = "send fewer requests at once, or start the server with a larger context (-c)"
AT_LEAST: Final = re.compile(r"at least (\d+) input tokens", re.IGNORECASE)
"""vLLM's lower bound on the tokens of a prompt: its tokenizer stops at one more than fits."""
CHARACTERS: Final = re.compile(r"contains (\d+) characters", re.IGNORECASE)
"""vLLM's wording for a prompt too long to be tokenized at all."""
LIMIT_OVER_CONTEXT: Final = re.compile(r"max_tokens=(\d+) cannot be greater than max_model_len=(\d+)", re.IGNORECASE)
SEND_LESS_HINT: Final = "send less, or start the server with a larger context"
LOWER_LIMIT_HINT: Final = "lower -o num_predict, send less, or start the server with a larger context"
SWITCHABLE_FAMILIES: Final = ("think", "harmony")
"""The families whose thinking servers put in a field and a request can switch."""


class ListedModel(NamedTuple):
    """A model in a server's list."""

    model: Model
    names: tuple[str, ...]
    """The names it can be requested by."""
    maker: str
    """`owned_by` of the model, often the server software; empty if not sent."""
    context: int = 0
    """Its context on this server in tokens; 0 if unknown."""
    created: int = 0
    """Its date in seconds since 1970, as sent; many servers send the time of the request, or a constant."""
    may_chat: bool = True
    """False if its fields show that it embeds, ranks, speaks or draws."""
    loaded: bool | None = None
    """Whether it is in memory; None if not sent."""
    root: str = ""
    """The model loaded under this name, if its name differs."""


# Refusals


def refusal_error_of(status: int, body: bytes, model: str) -> ReflecttyError:
    """The error for an HTTP status other than 200 and the beginning of its body."""
    if gateway_error := gateway_error_of(status, body, SERVER_LABEL, HOST_HINT, KEY_NAMES):
        return gateway_error
    value, text = _error_from(body)
    refused = too_long_error_of(text, value) or context_full_error_of(text) or limit_error_of(text)
    if refused:
        return refused
    if model and _is_missing(status, text, value, model):
        return missing_model_error_of(model)
    if status in (404, 405):
        message = f"this is not {SERVER_LABEL}: HTTP {status}, {text or 'no message'}"
        return UnreachableError(message, HOST_HINT, unknown_path=True)
    if status in BUSY_STATUSES:
        return busy_error_of(status, text)
    message = f"the server refused: {text}" if text else f"the server refused: HTTP {status}, no message"
    needs_key = status in (401, 403) or error_body_of(value).details.get("type") == NO_DATABASE
    hint = KEY_HINT if needs_key else LOG_HINT if status in (500, 502, 504) else ""
    return RefusedError(message, hint, transient=is_transient(status, text))


def _error_from(body: bytes) -> tuple[Body, str]:
    try:
        value = decode(body)
    except ValueError:
        return {}, shorten(body.decode(errors="replace"))
    return value, error_text_of(value) or error_body_of(value).text


def error_text_of(value: Body) -> str:
    """The error message in a response, whatever its form; empty if it has none.

    The forms: `{"error": {"message": …}}`, `{"error": "…"}`, `{"object": "error", "message": …}` of older vLLM and
    SGLang, `{"detail": …}` of FastAPI below both, where a list has the invalid fields.
    """
    detail = value.get("detail")
    if isinstance(detail, list):
        return shorten("; ".join(filter(None, map(_field_error_of, detail))) or as_text(detail))
    if value.get("error"):
        return error_body_of(value).text
    if value.get("object") == "error":
        return shorten(as_text(value.get("message"))) or "no message"
    return error_body_of(detail).text if detail and "choices" not in value else ""


def _field_error_of(entry: object) -> str:
    """FastAPI's message on one field, with the field's path."""
    if not isinstance(entry, dict):
        return as_text(entry)
    location = entry.get("loc")
    path = ".".join(as_text(part) for part in location if part != "body") if isinstance(location, list) else ""
    return f"{path}: {as_text(entry.get('msg'))}" if path else as_text(entry.get("msg"))


def too_long_error_of(text: str, value: Body) -> PromptTooLongError | None:
    """The error of a prompt that does not fit, with both token counts if the server sends them."""
    details = error_body_of(value).details
    kinds = (details.get("type"), details.get("code"))
    if not (TOO_LONG.search(text) or "exceed_context_size_error" in kinds or "context_length_exceeded" in kinds):
        return None
    prompt = int(as_number(details.get("n_prompt_tokens"))) or _first(PROMPT_PATTERNS, text)
    room = int(as_number(details.get("n_ctx"))) or _first(CONTEXT_PATTERNS, text)
    bound, characters = _first((AT_LEAST,), text), _first((CHARACTERS,), text)
    if bound and room and not prompt:
        return _too_long_error(f"the prompt has at least {bound} tokens, the context holds {room}")
    if characters and room and not prompt:
        return _too_long_error(f"the prompt has {characters} characters, more than {room} tokens of context can hold")
    return too_long_error_from_counts(prompt, room)


def too_long_error_from_counts(prompt: int, room: int) -> PromptTooLongError:
    """The error of a prompt of `prompt` tokens in a context of `room`; 0 means unknown."""
    if not (prompt and room):
        return _too_long_error("the prompt does not fit into the context")
    if prompt > room:
        return _too_long_error(f"the prompt has {prompt} tokens, the context holds {room}")
    if prompt == room:
        return _too_long_error(
            f"the prompt has {prompt} tokens, the context holds {room}: no room is left for the reply"
        )
    message = f"the prompt has {prompt} tokens, which leaves too little of the {room}-token context for the reply"
    return PromptTooLongError(message, LOWER_LIMIT_HINT, resizable=False)


def _too_long_error(message: str) -> PromptTooLongError:
    return PromptTooLongError(message, SEND_LESS_HINT, resizable=False)


def limit_error_of(text: str) -> RefusedError | None:
    """The error of a token limit larger than the whole context, which vLLM refuses."""
    match = LIMIT_OVER_CONTEXT.search(text)
    if not match:
        return None
    return RefusedError(f"num_predict={match[1]} exceeds the context of {match[2]} tokens", "lower -o num_predict")


def context_full_error_of(text: str) -> CrowdedError | None:
    """The error of a reply that ended because it and others filled the context they share."""
    if not CROWDED.search(text):
        return None
    return CrowdedError("concurrent replies filled the server's context", FEWER_REQUESTS_HINT)


def _first(patterns: Iterable[re.Pattern[str]], text: str) -> int:
    match = next((candidate for pattern in patterns if (candidate := pattern.search(text))), None)
    return int(match[1][:12]) if match else 0


def _is_missing(status: int, text: str, value: Body, model: str) -> bool:
    """Whether a refusal means an unknown model: 404 from vLLM, 400 from a llama-server with several models."""
    match = re.search(r"not found|does not exist|not available|unknown model|invalid model", text, re.IGNORECASE)
    is_about_model = error_body_of(value).details.get("param") == "model" or model in text
    return status in (400, 404) and is_about_model and match is not None


def missing_model_error_of(model: str, served: Iterable[str] = ()) -> ModelMissingError:
    """The error of a model that the server does not serve."""
    return ModelMissingError(f"the model {model} is not available on this server", missing_hint(model, served))


def missing_hint(model: str, served: Iterable[str]) -> str:
    """The hint for a model that is not among those served."""
    names = list(served)
    if not names:
        return "the server does not list its models"
    bare = {name.rsplit("/", 1)[-1]: name for name in names}
    if model in bare:
        return f"did you mean {bare[model]}?"
    return did_you_mean(model, names) or f"available: {', '.join(names[:MOST_NAMES])}"


# Models


def models_of(body: Body) -> tuple[ListedModel, ...]:
    """The models listed by /v1/models.

    Raises:
        UnreachableError: the response has no list.
    """
    listed = body.get("data")
    if not isinstance(listed, list):
        raise UnreachableError(f"this is not {SERVER_LABEL}: it lists no models", HOST_HINT)
    return tuple(_listed_model(entry) for entry in listed if isinstance(entry, dict) and entry.get("id"))


def _listed_model(entry: Body) -> ListedModel:
    name, meta = as_text(entry.get("id")), _table(entry.get("meta"))
    # The last is LiteLLM's, which sends it for models it knows.
    context = int(as_number(entry.get("max_model_len") or meta.get("n_ctx") or entry.get("max_input_tokens")))
    trained_context = int(as_number(meta.get("n_ctx_train"))) or context
    aliases = entry.get("aliases")
    names = (name, *(as_text(alias) for alias in aliases)) if isinstance(aliases, list) else (name,)
    maker = as_text(entry.get("owned_by"))
    # A server may be configured with any name for its model; vLLM and SGLang also send the name of what they loaded.
    root = as_text(entry.get("root"))
    capabilities = capabilities_of_name(name) or capabilities_of_name(root)
    return ListedModel(
        Model(name, capabilities, context_length=trained_context, size=int(as_number(meta.get("size")))),
        names,
        maker,
        context,
        created=int(as_number(entry.get("created"))),
        may_chat=can_chat_by_fields(entry),
        loaded=_is_loaded(entry),
        root="" if root == name else root,
    )


def _is_loaded(entry: Body) -> bool | None:
    """Whether a llama-server with several models has this one in memory; None if not sent."""
    status = as_text(_table(entry.get("status")).get("value"))
    return status == "loaded" if status else None


def capabilities_of_name(name: str) -> tuple[str, ...]:
    """The capabilities that a model's name implies; it may have more."""
    family = family_of_model(name)
    return ("thinking",) if family and family.name in SWITCHABLE_FAMILIES else ()


def add_server_limits(model: Model, listed: ListedModel) -> Model:
    """Add what depends on the server: its context, and whether it can continue a partial reply."""
    maker = listed.maker
    extended = model._replace(
        server_context=listed.context, can_resume=maker in RESUMING_SERVERS, shows_tokens=maker == VLLM
    )
    # Both separate the thinking only if started with a reasoning parser.
    return extended._replace(guessed=maker in (VLLM, SGLANG))


def model_of(listed: ListedModel, name: str, props: Body, ignores: tuple[str, ...]) -> Model:
    """The model with what llama-server's /props adds; `props` is empty for other servers."""
    template = as_text(props.get("chat_template"))
    grammar = "llama.cpp" if listed.maker == LLAMA_SERVER else ""
    model = listed.model._replace(name=name, unsupported_options=ignores, grammar=grammar)
    if not props:
        return model
    thinks = _has_parsed_thinking(template) if template else "thinking" in model.capabilities
    sees = _table(props.get("modalities")).get("vision") is True
    capabilities = ("completion", *(("thinking",) if thinks else ()), *(("vision",) if sees else ()))
    return model._replace(capabilities=capabilities, template=template)


def _has_parsed_thinking(template: str) -> bool:
    """Whether llama-server separates the thinking of a model with this template, and a request can switch it."""
    return ("<think>" in template and "</think>" in template) or "<|channel|>analysis" in template


def add_prompt_ends(model: Model, ends: tuple[str, str], *, named: bool = False) -> Model:
    """Add how a vLLM model's prompts end, which shows whether it thinks if its name does not.

    The template of a model that thinks opens the thinking, or writes a closed one if thinking is off.
    """
    extended = model._replace(prompt_endings=ends)
    if named or model.capabilities:
        return extended
    return extended._replace(capabilities=("thinking",) if any(map(_has_thinking_tag_at_end, ends)) else ())


def _has_thinking_tag_at_end(end: str) -> bool:
    written = end.rstrip()
    tags = [tag for family in FAMILIES.values() if has_plain_text_markers(family) for tag in family.thinking]
    return any(tag.opener and written.endswith((tag.opener.rstrip(), tag.closer)) for tag in tags)


def add_ollama_info(model: Model, info: Body) -> Model:
    """Add what Ollama's /api/show reports of a model of its /v1; `info` may be empty."""
    names = info.get("capabilities")
    if not isinstance(names, list):
        return model
    return model._replace(
        capabilities=tuple(as_text(name) for name in names),
        template=as_text(info.get("template")),
        system=as_text(info.get("system")),
        parameters=as_text(info.get("parameters")),
    )


def running_of(listed: Iterable[ListedModel]) -> tuple[RunningModel, ...]:
    """The models in a server's memory: all that it serves."""
    return tuple(RunningModel(one.model.name, context_length=one.context) for one in listed)


def rendered_prompt_of(body: Body) -> str:
    """The prompt that llama-server rendered.

    Raises:
        RefusedError: the response has none.
    """
    prompt = body.get("prompt")
    if not isinstance(prompt, str):
        raise RefusedError("this server cannot render prompts, so it cannot continue a reply", "ask again instead")
    return prompt


def version_of(body: Body) -> str:
    """The version of a server: vLLM's and SGLang's in `version`, llama-server's in `build_info`.

    Empty for `b0-unknown`, the version of a llama-server built outside its repository.
    """
    version = shorten(as_text(body.get("version") or body.get("build_info")))
    return "" if version.startswith("b0-") else version


def _table(value: object) -> Body:
    return value if isinstance(value, dict) else {}
