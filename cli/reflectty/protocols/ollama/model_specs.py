"""Reads model specifications and vocabularies from /api/show and encodes /api/create.

The formats are those of Ollama 0.32.15 and 0.34.2: `(*Model).String` in server/images.go for the Modelfile,
`GetModelInfo` in server/routes.go for the parameters.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, cast

from reflectty.core.errors import RefusedError
from reflectty.core.messages import Message, Vocabulary
from reflectty.core.model_spec import ModelSpec
from reflectty.protocols.decoding import as_text, decode, shorten
from reflectty.reasoning.token_types import TOKENS_KEY, TYPES_KEY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reflectty.core.messages import MessageRole, OptionValue
    from reflectty.protocols.decoding import Body


NO_TEMPLATE: Final = "{{ .Prompt }}"
"""The template in the Modelfile of a model that has none."""
ROLES: Final = frozenset({"system", "user", "assistant"})
_COMMANDS: Final = re.compile(r"^(FROM|ADAPTER|DRAFT|RENDERER|PARSER) (\S.*)$", re.MULTILINE)
_TEMPLATE: Final = re.compile(
    r"^TEMPLATE (.*?)\n?(?=^(?:SYSTEM|RENDERER|PARSER|PARAMETER|LICENSE|MESSAGE) |\Z)", re.MULTILINE | re.DOTALL
)
_BLOB: Final = re.compile(r"sha256-([0-9a-f]{64})\Z")
_ESCAPE: Final = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|(.))", re.DOTALL)
_ESCAPED: Final = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def model_spec_of(name: str, body: Body) -> ModelSpec:
    """Parse a model's specification from a response of /api/show.

    Raises:
        RefusedError: a parameter has an unknown format.
    """
    spec = ModelSpec(
        name=name,
        kind=_kind(body),
        template=_template(body),
        system=as_text(body.get("system")),
        parameters=parameters_of(as_text(body.get("parameters"))),
        license=as_text(body.get("license")),
        messages=tuple(_messages(body.get("messages"))),
        requires=as_text(body.get("requires")),
        capabilities=tuple(sorted(as_text(item) for item in _list(body.get("capabilities")))),
    )
    values: dict[str, tuple[str, ...]] = {}
    for command, value in _COMMANDS.findall(_commands(body)):
        # Only a blob can be sent back by its digest; and a license may have a line that begins like a command.
        if command in ("RENDERER", "PARSER") or _BLOB.search(value):
            values[command] = (*values.get(command, ()), value)
    return spec._replace(
        weights=values.get("FROM", ()),
        adapters=values.get("ADAPTER", ()),
        draft="".join(values.get("DRAFT", ())[:1]),
        renderer="".join(values.get("RENDERER", ())[:1]),
        parser="".join(values.get("PARSER", ())[:1]),
    )


def encode_create(name: str, spec: ModelSpec, weights: str, parts: Mapping[str, str] | None = None) -> Body:
    """The body with which /api/create copies a model, with other weights.

    Args:
        name: the name of the new model.
        spec: the specification of the model to copy.
        weights: the digest of the file with the new weights.
        parts: the digests of all files by name, for weights split into several files.
    """
    files = {f"part-{number}.gguf": digest_of(path) for number, path in enumerate(spec.weights[1:])}
    body: Body = {
        "model": name,
        "files": {**(parts or {"model.gguf": weights}), **files},
        "adapters": {f"adapter-{number}.gguf": digest_of(path) for number, path in enumerate(spec.adapters)},
        "draft_files": {"draft.gguf": digest_of(spec.draft)} if spec.draft else {},
        "template": spec.template,
        "system": spec.system,
        "parameters": {key: list(value) if isinstance(value, tuple) else value for key, value in spec.parameters},
        "license": spec.license,
        "messages": [{"role": message.role, "content": message.content} for message in spec.messages],
        "renderer": spec.renderer,
        "parser": spec.parser,
        "requires": spec.requires,
    }
    return {key: value for key, value in body.items() if value}


def digest_of(path: str) -> str:
    """The digest in the name of a blob on the server; empty for another file."""
    match = _BLOB.search(path)
    return f"sha256:{match[1]}" if match else ""


def parameters_of(text: str) -> tuple[tuple[str, OptionValue], ...]:
    """Parse the parameters of /api/show: on each line a key, blanks, and a value as Go prints it; `stop` is a list.

    Raises:
        RefusedError: a value has another format.
    """
    parameters: dict[str, OptionValue] = {}
    for line in filter(str.strip, text.split("\n")):
        key, _, raw_value = line.partition(" ")
        value = _value(key, raw_value.strip())
        if key == "stop" or key in parameters:
            before = parameters.get(key, ())
            value = (*(before if isinstance(before, tuple) else (str(before),)), str(value))
        parameters[key] = value
    return tuple(parameters.items())


def _value(key: str, written: str) -> OptionValue:
    if len(written) > 1 and written[0] == written[-1] == '"':
        return _ESCAPE.sub(_unescape, written[1:-1])
    try:
        value = json.loads(written)
    except ValueError:
        value = None
    if not isinstance(value, bool | int | float):
        raise RefusedError(f"the model's parameter {shorten(key)} cannot be read: {shorten(written)}")
    return value


def _unescape(match: re.Match[str]) -> str:
    digits = match[1] or match[2] or match[3]
    if digits is None:
        return _ESCAPED.get(match[4], match[4])
    # Two digits are a byte, and bytes from 0x80 on are not valid text.
    number = int(digits, 16)
    return "\ufffd" if (match[1] and number > 0x7F) or number > 0x10FFFF else chr(number)  # noqa: PLR2004


def _kind(body: Body) -> str:
    details = body.get("details")
    if body.get("remote_host") or body.get("remote_model") or not isinstance(details, dict):
        return ""
    return as_text(details.get("format"))


def _template(body: Body) -> str:
    """The model's own template: /api/show has the one in use, the Modelfile the model's own."""
    template = as_text(body.get("template"))
    modelfile = as_text(body.get("modelfile"))
    if f"TEMPLATE {_quote(template)}" in modelfile:
        return template
    match = _TEMPLATE.search(modelfile)
    own = _unquote(match[1]) if match else ""
    return "" if own == NO_TEMPLATE else own


def _commands(body: Body) -> str:
    """The Modelfile without the texts whose lines may look like commands."""
    text = as_text(body.get("modelfile"))
    for field in ("template", "system"):
        text = text.replace(f"\n{field.upper()} {_quote(as_text(body.get(field)))}", "", 1)
    return re.split(r"^(?:PARAMETER|LICENSE|MESSAGE) ", text, maxsplit=1, flags=re.MULTILINE)[0]


def _quote(text: str) -> str:
    """Quote a text as Modelfiles do: without escapes, and only if needed."""
    if "\n" in text or text.startswith(" ") or text.endswith(" "):
        return f'"""{text}"""' if '"' in text else f'"{text}"'
    return text


def _unquote(text: str) -> str:
    for quote in ('"""', '"'):
        inner = text[len(quote) : -len(quote)]
        if text == f"{quote}{inner}{quote}" and _quote(inner) == text:
            return inner
    return text


def _messages(value: object) -> Iterable[Message]:
    for item in _list(value):
        if isinstance(item, dict) and item.get("role") in ROLES:
            yield Message(cast("MessageRole", item["role"]), as_text(item.get("content")))


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


BLANK_PATTERN: Final = rb"[ \t\r\n]*+"
TEXT_PATTERN: Final = rb'"(?:[^"\\]|\\.)*+"'
NUMBER_PATTERN: Final = rb"-?[0-9]++"


def vocabulary_of(answer: bytes) -> Vocabulary:
    """Extract the tokens and their types without decoding the rest, which is most of the response.

    A match of a key is always a key: inside a string its quotes would be escaped.

    Raises:
        ValueError: the response is not a JSON object; the message describes it.
    """
    tokens, types = _find_array(TOKENS_KEY, TEXT_PATTERN, answer), _find_array(TYPES_KEY, NUMBER_PATTERN, answer)
    if not tokens or not types:
        decode(answer)
        return Vocabulary()
    return Vocabulary(tuple(map(as_text, tokens)), tuple(types))


def _find_array(key: str, element: bytes, answer: bytes) -> list[Any]:
    """The array of a key; empty if absent or unreadable."""
    elements = rb"(?:" + element + BLANK_PATTERN + rb"," + BLANK_PATTERN + rb")*+" + element
    name = f'"{re.escape(key)}"'.encode()
    array = name + BLANK_PATTERN + rb":" + BLANK_PATTERN + rb"(\[" + BLANK_PATTERN + elements + BLANK_PATTERN + rb"\])"
    match = re.search(array, answer, re.DOTALL)
    try:
        return list(json.loads(match[1].decode(errors="replace"))) if match else []
    except ValueError:
        return []
