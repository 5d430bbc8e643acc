"""What OpenAI-compatible servers answer besides a stream: refusals, models, a rendered prompt; no I/O."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from reflectty.chat import Model, Running
from reflectty.errors import (
    BusyError,
    ModelMissingError,
    PromptTooLongError,
    ReflecttyError,
    RefusedError,
    UnreachableError,
    near,
)
from reflectty.families import FAMILIES, by_model
from reflectty.wire.openai.wording import HOST_HINT, KEY_HINT, LOG_HINT, SERVER
from reflectty.wire.values import as_number, as_text, decode, failure, is_page, shorten

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reflectty.wire.values import Body

LLAMA_SERVER: Final = "llamacpp"
VLLM: Final = "vllm"
SGLANG: Final = "sglang"
OLLAMA: Final = "library"
"""What they call themselves as owner of a model; the last is what Ollama's /v1 says."""
GOING_ON: Final = (LLAMA_SERVER, VLLM, SGLANG)
"""Who can go on in the middle of a reply."""
TOO_LONG: Final = re.compile(
    r"exceeds the available context size|larger than the max context size|maximum context length"
    r"|longer than the model's context length|longer than the maximum model length"
    r"|decoder prompt \(length \d+\) is longer|max_tokens must be at least 1, got (?:0|-)",
    re.IGNORECASE,
)
"""How llama-server, vLLM and SGLang say that a prompt does not fit, in their versions."""
ROOM: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"context (?:length|size)(?: is| of)? \(?(\d+)",
        r"maximum model length(?: of)? (\d+)",
    )
)
PROMPT: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(\d+) tokens from the input messages",
        r"\((\d+) in the messages",
        r"resulted in (\d+) tokens",
        r"(?:contains|has) (\d+) input tokens",
        r"(?:input|request|prompt) \((?:length )?(\d+)",
    )
)
AT_LEAST: Final = re.compile(r"at least (\d+) input tokens", re.IGNORECASE)
"""How vLLM names a bound: its tokenizer stops at one more than fits."""
CHARACTERS: Final = re.compile(r"contains (\d+) characters", re.IGNORECASE)
"""How vLLM speaks of a prompt that is so long that it does not count its tokens."""
OVER_ROOM: Final = re.compile(r"max_tokens=(\d+) cannot be greater than max_model_len=(\d+)", re.IGNORECASE)
LESS: Final = "send less, or start the server with a larger context"
SMALLER: Final = "lower -o num_predict, send less, or start the server with a larger context"
SWITCHED: Final = ("think", "harmony")
"""The families whose thinking a server takes apart and a request can switch."""


class Listed(NamedTuple):
    """A model that a server lists."""

    model: Model
    names: tuple[str, ...]
    """What it answers to."""
    maker: str
    """Who wrote the server; nothing where nobody knows."""
    context: int = 0
    """How many tokens it holds here; 0 when unknown."""


# Refusals


def refusal(status: int, body: bytes, model: str) -> ReflecttyError:
    """Return the error for an HTTP status other than 200 and the beginning of its body."""
    if is_page(body):
        return UnreachableError(f"this is not {SERVER}: a web page with HTTP {status}", HOST_HINT)
    value, text = _said(body)
    refused = too_long(text, value) or over_room(text)
    if refused:
        return refused
    if model and _is_missing(status, text, value, model):
        return missing(model)
    if status in (404, 405):
        return UnreachableError(f"this is not {SERVER}: HTTP {status}, {text or 'no message'}", HOST_HINT)
    if status in (429, 503):
        return BusyError(f"the server is busy: {text or f'HTTP {status}'}", "ask again in a moment")
    message = f"the server refused: {text}" if text else f"the server refused: HTTP {status}, no message"
    return RefusedError(message, KEY_HINT if status in (401, 403) else LOG_HINT if status in (500, 502) else "")


def _said(body: bytes) -> tuple[Body, str]:
    try:
        value = decode(body)
    except ValueError:
        return {}, shorten(body.decode(errors="replace"))
    return value, fault(value) or failure(value).text


def fault(value: Body) -> str:
    """Return what a server says went wrong, in whichever of its forms; nothing where it says nothing of the kind.

    The forms: `{"error": {"message": …}}`, `{"error": "…"}`, `{"object": "error", "message": …}` of older vLLM and
    SGLang, `{"detail": …}` of FastAPI below both, where a list has the fields that it did not like.
    """
    detail = value.get("detail")
    if isinstance(detail, list):
        return shorten("; ".join(filter(None, map(_disliked, detail))) or as_text(detail))
    if value.get("error"):
        return failure(value).text
    if value.get("object") == "error":
        return shorten(as_text(value.get("message"))) or "no message"
    return failure(detail).text if detail and "choices" not in value else ""


def _disliked(entry: object) -> str:
    """Return what FastAPI says of one field: where it stands, and what is wrong with it."""
    if not isinstance(entry, dict):
        return as_text(entry)
    place = entry.get("loc")
    path = ".".join(as_text(part) for part in place if part != "body") if isinstance(place, list) else ""
    return f"{path}: {as_text(entry.get('msg'))}" if path else as_text(entry.get("msg"))


def too_long(text: str, value: Body) -> PromptTooLongError | None:
    """Return the error of a prompt that does not fit, with both numbers where the server gives them."""
    details = failure(value).details
    kinds = (details.get("type"), details.get("code"))
    if not (TOO_LONG.search(text) or "exceed_context_size_error" in kinds or "context_length_exceeded" in kinds):
        return None
    prompt = int(as_number(details.get("n_prompt_tokens"))) or _first(PROMPT, text)
    room = int(as_number(details.get("n_ctx"))) or _first(ROOM, text)
    bound, characters = _first((AT_LEAST,), text), _first((CHARACTERS,), text)
    if bound and room and not prompt:
        return _too_long(f"the prompt has at least {bound} tokens, the context holds {room}")
    if characters and room and not prompt:
        return _too_long(f"the prompt has {characters} characters, more than {room} tokens of context can hold")
    return counted_too_long(prompt, room)


def counted_too_long(prompt: int, room: int) -> PromptTooLongError:
    """Return the error of a prompt of so many tokens; a number that is 0 is not known."""
    if not (prompt and room):
        return _too_long("the prompt does not fit into the context")
    if prompt > room:
        return _too_long(f"the prompt has {prompt} tokens, the context holds {room}")
    if prompt == room:
        return _too_long(f"the prompt has {prompt} tokens, the context holds {room}: none is left for the reply")
    left = f"the prompt has {prompt} tokens, which leaves too few of the context's {room} for the reply"
    return PromptTooLongError(left, SMALLER, resizable=False)


def _too_long(message: str) -> PromptTooLongError:
    return PromptTooLongError(message, LESS, resizable=False)


def over_room(text: str) -> RefusedError | None:
    """Return the error of a limit of tokens beyond the whole context, as vLLM refuses it."""
    found = OVER_ROOM.search(text)
    if not found:
        return None
    return RefusedError(
        f"num_predict={found[1]} is more than the whole context of {found[2]} tokens", "lower -o num_predict"
    )


def _first(patterns: Iterable[re.Pattern[str]], text: str) -> int:
    found = next((match for pattern in patterns if (match := pattern.search(text))), None)
    return int(found[1][:12]) if found else 0


def _is_missing(status: int, text: str, value: Body, model: str) -> bool:
    """Whether a refusal is about the model: vLLM says 404, a llama-server with several models 400."""
    gone = re.search(r"not found|does not exist|not available|unknown model", text, re.IGNORECASE)
    about = failure(value).details.get("param") == "model" or model in text
    return status in (400, 404) and about and gone is not None


def missing(model: str, served: Iterable[str] = ()) -> ModelMissingError:
    """Return the error of a model that the server does not serve."""
    return ModelMissingError(f"the model {model} is not served there", missing_hint(model, served))


def missing_hint(model: str, served: Iterable[str]) -> str:
    """Return what to do about a model that is not among those served."""
    names = list(served)
    if not names:
        return "which ones are, the server does not say"
    bare = {name.rsplit("/", 1)[-1]: name for name in names}
    if model in bare:
        return f"did you mean {bare[model]}?"
    return near(model, names) or f"served: {', '.join(names[:5])}"


# Models


def models_of(body: Body) -> tuple[Listed, ...]:
    """Return what /v1/models lists.

    Raises:
        UnreachableError: there is no list.
    """
    listed = body.get("data")
    if not isinstance(listed, list):
        raise UnreachableError(f"this is not {SERVER}: it lists no models", HOST_HINT)
    return tuple(_listed(entry) for entry in listed if isinstance(entry, dict))


def _listed(entry: Body) -> Listed:
    name, meta = as_text(entry.get("id")), _table(entry.get("meta"))
    context = int(as_number(entry.get("max_model_len") or meta.get("n_ctx")))
    made_for = int(as_number(meta.get("n_ctx_train"))) or context
    aliases = entry.get("aliases")
    names = (name, *(as_text(alias) for alias in aliases)) if isinstance(aliases, list) else (name,)
    maker = as_text(entry.get("owned_by"))
    # A server may be told to call a model anything; vLLM and SGLang say beside it what they loaded.
    capabilities = _by_name(name) or _by_name(as_text(entry.get("root")))
    return Listed(Model(name, capabilities, context_length=made_for), names, maker, context)


def _by_name(name: str) -> tuple[str, ...]:
    """Return the capabilities that a model's name tells of, which are never all that it has."""
    family = by_model(name)
    return ("thinking",) if family and family.name in SWITCHED else ()


def standing(model: Model, listed: Listed) -> Model:
    """Return a model with what it has of its server: room, and whether it can go on in the middle of a reply."""
    maker = listed.maker
    return model._replace(room=listed.context, resumes=maker in GOING_ON, shows_tokens=maker == VLLM)


def model_of(listed: Listed, name: str, props: Body, ignores: tuple[str, ...]) -> Model:
    """Return a model with what llama-server's /props says of it, which is nothing elsewhere."""
    template = as_text(props.get("chat_template"))
    known = listed.model._replace(name=name, ignores=ignores)
    if not props:
        return known
    thinks = "thinking" in known.capabilities or ("<think>" in template and "</think>" in template)
    sees = _table(props.get("modalities")).get("vision") is True
    found = ("completion", *(("thinking",) if thinks else ()), *(("vision",) if sees else ()))
    return known._replace(capabilities=found, template=template)


def rendered_model(model: Model, ends: tuple[str, str]) -> Model:
    """Return a model of a vLLM with how its prompts end, which tells whether it thinks.

    The template of one that thinks opens the thinking, or writes a closed one where there is to be none.
    """
    return model._replace(capabilities=("thinking",) if any(map(_thought_in, ends)) else (), ends=ends)


def _thought_in(end: str) -> bool:
    written = end.rstrip()
    tags = [tag for family in FAMILIES.values() for tag in family.thinking if not family.anywhere]
    return any(tag.opener and written.endswith((tag.opener.rstrip(), tag.closer)) for tag in tags)


def ollama_model(model: Model, shown: Body) -> Model:
    """Return a model of an Ollama's /v1 with what its /api/show says of it, which may be nothing."""
    names = shown.get("capabilities")
    if not isinstance(names, list):
        return model
    return model._replace(
        capabilities=tuple(as_text(name) for name in names),
        template=as_text(shown.get("template")),
        system=as_text(shown.get("system")),
        parameters=as_text(shown.get("parameters")),
    )


def running_of(listed: Iterable[Listed]) -> tuple[Running, ...]:
    """Return the models that a server holds, which are those that it serves."""
    return tuple(Running(one.model.name, context_length=one.context) for one in listed)


def rendered(body: Body) -> str:
    """Return the prompt that llama-server rendered.

    Raises:
        RefusedError: there is none.
    """
    prompt = body.get("prompt")
    if not isinstance(prompt, str):
        raise RefusedError(
            "this server cannot render a prompt, so no reply can be continued there", "ask again instead"
        )
    return prompt


def version_of(body: Body) -> str:
    """Return what a server says of its version: vLLM and SGLang in `version`, llama-server in `build_info`."""
    return shorten(as_text(body.get("version") or body.get("build_info")))


def _table(value: object) -> Body:
    return value if isinstance(value, dict) else {}
