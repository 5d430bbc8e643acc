"""Parses Ollama's responses: refusals, models, running models, rendered prompts.

The formats are those of Ollama 0.32.15.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from reflectty.core.errors import (
    ModelMissingError,
    OptionError,
    PromptTooLongError,
    ReflecttyError,
    RefusedError,
    UnreachableError,
)
from reflectty.core.messages import Model, RunningModel
from reflectty.core.model_names import LOCAL_SUFFIX, short_name_of
from reflectty.core.model_spec import sampling_from_info
from reflectty.protocols.decoding import (
    HOST_HINT,
    LOG_HINT,
    ErrorBody,
    as_number,
    as_text,
    decode,
    error_body_of,
    repetition_error_of,
    shorten,
)
from reflectty.protocols.refusals import BUSY_STATUSES, busy_error_of, gateway_error_of, is_transient

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reflectty.protocols.decoding import Body

DIGEST_LENGTH: Final = 64
"""Hexadecimal digits of a SHA-256."""
REPLY_ROOM: Final = 1024
"""Tokens for the reply in a suggested context."""
LONG_CONTEXT: Final = 16384
"""The context to suggest, in tokens, if the server gives no numbers."""
MIN_PART: Final = 3
"""Characters from which a name is suggested for being part of another."""
STATUS_HINTS: Final = {
    401: "the server requires a key: set OLLAMA_API_KEY, which is sent only over https or to this machine",
    403: "the server rejects this Host header: use its IP address, or set OLLAMA_HOST on the server",
    500: LOG_HINT,
    502: LOG_HINT,
}
TEXT_HINTS: Final = {
    "cloud is disabled": "OLLAMA_NO_CLOUD or the server's settings disable cloud models: use a local model,"
    " without -cloud",
    "does not support thinking": "this model's thinking cannot be switched: omit the mode or effort",
    "must be of type": "an option has a value of the wrong type",
}


_REMOVED_OPTION: Final = r"(\w+) is no longer supported"
"""How Ollama refuses a removed option: `typical_p`, from 0.34.1 on (server/routes.go)."""


def refusal_error_of(status: int, body: bytes, model: str) -> ReflecttyError:
    """The error for an HTTP status other than 200 and the beginning of its body."""
    if gateway_error := gateway_error_of(status, body, "an Ollama server", HOST_HINT, "OLLAMA_API_KEY"):
        return gateway_error
    text, details = _error_body_from(body)
    if status == 404:  # noqa: PLR2004 - the status of HTTP
        return _not_found_error_of(text, details, model)
    if _is_too_long(text, details):
        return _too_long_error_of(details)
    if status in BUSY_STATUSES:
        return busy_error_of(status, text)
    return repetition_error_of(text) or _refused_error_of(status, text, details)


def _refused_error_of(status: int, text: str, details: Body) -> RefusedError:
    message = f"the server refused: {text}" if text else f"the server refused: HTTP {status}, no message"
    if match := re.match(_REMOVED_OPTION, text):
        return OptionError(message, f"remove the option {match[1]}", option=match[1])
    return RefusedError(message, _sign_in_hint(details) or _hint(status, text), transient=is_transient(status, text))


def _sign_in_hint(details: Body) -> str:
    """The hint to sign in to Ollama's cloud, if the response has an address for it."""
    address = as_text(details.get("signin_url"))
    return f"`ollama signin` where the server runs, or open {address}" if address else ""


def _error_body_from(body: bytes) -> ErrorBody:
    try:
        return error_body_of(decode(body))
    except ValueError:
        return ErrorBody(shorten(body.decode(errors="replace")), {})


def _not_found_error_of(text: str, details: Body, model: str) -> ReflecttyError:
    """Distinguish a missing model from a missing page, for which Ollama sends `404 page not found` as plain text."""
    if details and model and (model in text or "model" in text):
        return ModelMissingError(f"the model {model} is not installed", _pull_hint(model))
    return UnreachableError(f"this is not an Ollama server: HTTP 404, {text or 'no message'}", HOST_HINT)


def _pull_hint(model: str) -> str:
    return f"run `reflect models pull {model.removesuffix(LOCAL_SUFFIX)}`"


def _is_too_long(text: str, details: Body) -> bool:
    return details.get("type") == "exceed_context_size_error" or "longer than the context length" in text


def _too_long_error_of(details: Body) -> PromptTooLongError:
    """The error with both token counts, if llama.cpp sends them, and a context that holds the prompt and a reply."""
    prompt, context = (int(as_number(details.get(name))) for name in ("n_prompt_tokens", "n_ctx"))
    advice = f"set -o num_ctx={_context_for(prompt)}, which needs more memory, or send less"
    if prompt and context:
        message = f"the prompt has {prompt} tokens, the context holds {context}"
        return PromptTooLongError(message, advice, prompt_tokens=prompt)
    return PromptTooLongError("the prompt does not fit into the context", advice)


def _context_for(prompt: int) -> int:
    return 1 << (prompt + REPLY_ROOM - 1).bit_length() if prompt else LONG_CONTEXT


def _hint(status: int, text: str) -> str:
    hints = (hint for part, hint in TEXT_HINTS.items() if part in text)
    return next(hints, STATUS_HINTS.get(status, ""))


def _near_names(model: str, names: Sequence[str]) -> list[str]:
    """The names similar to a model's; tags count only with the same name, as many models share one."""
    import difflib

    wanted = model.partition(":")[0].lower()
    bases = {name: name.partition(":")[0].lower() for name in names}
    similar = difflib.get_close_matches(wanted, set(bases.values()))
    # A letter or two are in any name.
    near = [name for name, base in bases.items() if base in similar or (len(wanted) >= MIN_PART and wanted in base)]
    return sorted(near, key=lambda name: -difflib.SequenceMatcher(None, model, name).ratio())


def missing_hint(model: str, installed: Iterable[str]) -> str:
    """The hint for a model that is not installed."""
    names = [short_name_of(name) for name in installed]
    pull, model = _pull_hint(model), model.removesuffix(LOCAL_SUFFIX)
    near = _near_names(model, names)
    if near:
        return f"did you mean {' or '.join(near[:3])}? Otherwise {pull}"
    return f"{pull}; installed: {', '.join(names[:5])}" if names else f"{pull}; no models are installed"


def rendered_prompt_of(body: Body) -> str:
    """The prompt that the server rendered.

    Raises:
        RefusedError: the server does not support `_debug_render_only` (Ollama before 0.11.5, other servers).
    """
    debug = body.get("_debug_info")
    prompt = debug.get("rendered_template") if isinstance(debug, dict) else None
    if not isinstance(prompt, str):
        raise RefusedError("this server cannot render prompts, so it cannot continue a reply", "update Ollama")
    return prompt


def model_of(name: str, body: Body) -> Model:
    """Parse a response of /api/show, which lacks the digest and the size."""
    model = Model(
        name=name,
        capabilities=_texts(body.get("capabilities")) or _capabilities_of_file(_table(body.get("model_info"))),
        template=as_text(body.get("template")),
        system=as_text(body.get("system")),
        parameters=as_text(body.get("parameters")),
        context_length=_context_length(_table(body.get("model_info"))),
        modified_at=as_text(body.get("modified_at")),
        license=as_text(body.get("license")),
        sampling=sampling_from_info(_table(body.get("model_info"))),
        examples=_examples(body.get("messages")),
        file_digests=_files(as_text(body.get("modelfile"))),
        weights_digest=_weights(as_text(body.get("modelfile"))),
        **_remote(body),
        **_details(body),
    )
    # Seen with 0.32.15 and 0.34.2: for templates that llama.cpp renders, the keys of a schema get sorted.
    return model._replace(sorts_schema_keys=model.is_jinja)


def _examples(messages: object) -> tuple[str, ...]:
    """The texts of a Modelfile's MESSAGE lines."""
    listed = messages if isinstance(messages, list) else ()
    return tuple(as_text(_table(message).get("content")) for message in listed)


def _capabilities_of_file(info: Body) -> tuple[str, ...]:
    """The capabilities by the metadata of the file, for servers that send none (Ollama before 0.6.4).

    Later servers detect an embedding model by its pooling type (server/images.go).
    """
    return ("embedding",) if f"{info.get('general.architecture')}.pooling_type" in info else ()


def _named_files(modelfile: str) -> tuple[tuple[str, str], ...]:
    """The lines of a Modelfile that name a file: the command, and the digest, which is the file's name on the server.

    Ollama writes paths such as `/root/.ollama/models/blobs/sha256-…`.
    """
    return tuple(
        (command, digest)
        for line in modelfile.split("\n")
        if line.startswith(("FROM", "ADAPTER"))
        for command, digest in [(line.split(maxsplit=1)[0], _digest_at_end_of(line.rstrip(' \t\r"')))]
        if command in ("FROM", "ADAPTER") and digest
    )


def _digest_at_end_of(path: str) -> str:
    """The digest that a path ends in; empty if it ends in something else."""
    before, _, digest = path.rpartition("sha256")
    is_word = not (before[-1:].isalnum() or before[-1:] == "_")
    is_digest = len(digest) == 1 + DIGEST_LENGTH and digest[0] in "-:" and set(digest[1:]) <= set("0123456789abcdef")
    return digest[1:] if is_word and is_digest else ""


def _files(modelfile: str) -> tuple[str, ...]:
    """The digests of all files in a Modelfile, sorted."""
    return tuple(sorted(digest for _, digest in _named_files(modelfile)))


def _weights(modelfile: str) -> str:
    """The digest of the first FROM of a Modelfile: the model itself."""
    return next((digest for command, digest in _named_files(modelfile) if command == "FROM"), "")


def info_of(body: Body) -> Body:
    """The metadata of the file in a response of /api/show, by GGUF key."""
    return _table(body.get("model_info"))


def models_of(body: Body) -> tuple[Model, ...]:
    """The models listed by /api/tags, which lacks template, system, parameters and license.

    Raises:
        UnreachableError: the response has no list.
    """
    listed = body.get("models")
    if not isinstance(listed, list):
        raise UnreachableError("this is not an Ollama server: it lists no models", HOST_HINT)
    return tuple(_listed_model(entry) for entry in listed if isinstance(entry, dict))


def _listed_model(entry: Body) -> Model:
    return Model(
        name=as_text(entry.get("name") or entry.get("model")),
        capabilities=_texts(entry.get("capabilities")),
        context_length=int(as_number(_table(entry.get("details")).get("context_length"))),
        digest=as_text(entry.get("digest")),
        modified_at=as_text(entry.get("modified_at")),
        size=int(as_number(entry.get("size"))),
        **_remote(entry),
        **_details(entry),
    )


def _remote(body: Body) -> Body:
    """The host and name of a model that runs elsewhere: in Ollama's cloud, or on another server."""
    return {name: shorten(as_text(body.get(name))) for name in ("remote_host", "remote_model")}


def _details(body: Body) -> Body:
    """The fields of `details`, which /api/show, /api/tags and /api/ps share."""
    details = _table(body.get("details"))
    return {
        "parameter_size": as_text(details.get("parameter_size")),
        "quantization": as_text(details.get("quantization_level")),
    }


def running_of(body: Body) -> tuple[RunningModel, ...]:
    """The running models listed by /api/ps."""
    listed = body.get("models")
    entries = listed if isinstance(listed, list) else ()
    return tuple(_running_model(entry) for entry in entries if isinstance(entry, dict))


def _running_model(entry: Body) -> RunningModel:
    return RunningModel(
        name=as_text(entry.get("name") or entry.get("model")),
        size=int(as_number(entry.get("size"))),
        size_vram=int(as_number(entry.get("size_vram"))),
        context_length=int(as_number(entry.get("context_length"))),
        expires_at=as_text(entry.get("expires_at")),
        **_details(entry),
    )


def version_of(body: Body) -> str:
    """The version in a response of /api/version, or an empty string."""
    return shorten(as_text(body.get("version")))


def _context_length(info: Body) -> int:
    """The value of `<architecture>.context_length`: GGUF prefixes the key with the architecture."""
    return int(as_number(info.get(f"{info.get('general.architecture')}.context_length")))


def _texts(value: object) -> tuple[str, ...]:
    return tuple(as_text(item) for item in value) if isinstance(value, list) else ()


def _table(value: object) -> Body:
    return value if isinstance(value, dict) else {}
