"""Requests as the JSON objects that Ollama takes; no I/O."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from reflectty.errors import UsageError
from reflectty.families import tags_at

if TYPE_CHECKING:
    from reflectty.chat import Message, Request
    from reflectty.families import Tag
    from reflectty.wire.values import Body


def encode(request: Request) -> Body:
    """Return the body for /api/chat, a stream in which the server cuts nothing in silence.

    Raises:
        UsageError: the schema is no JSON.
    """
    body: Body = {"model": request.model, "messages": [_message(message) for message in request.messages]}
    if request.think is not None:
        body["think"] = request.think
    return body | _settings(request)


def encode_render(request: Request) -> Body:
    """Return the body with which /api/chat answers the rendered prompt, `_debug_info.rendered_template`.

    The field is undocumented, in Ollama since 0.11.5. 0.32.15 loads the model before it renders. A server that
    ignores the field generates one token.
    """
    body = encode(request) | {"stream": False, "_debug_render_only": True}
    body["options"] = body.get("options", {}) | {"num_predict": 1}
    body.pop("format", None)
    return body


def encode_raw(request: Request, prompt: str) -> Body:
    """Return the body with which /api/generate continues `prompt` as it stands.

    `think` is false whatever the request says: left out, 0.32.15 sets it to true for a model with the
    capability, and where the prompt ends with the opening tag, the thinking goes on in `thinking` and its
    closing tag is lost. A model without the capability accepts false.

    Raises:
        UsageError: the schema is no JSON.
    """
    body: Body = {"model": request.model, "prompt": prompt, "raw": True, "think": False}
    images = [image for message in request.messages for image in message.images]
    if images:
        body["images"] = images
    return body | _settings(request)


def continued(prompt: str, so_far: str) -> str:
    """Return a rendered prompt with the beginning of its reply; an opener at the end of both stands once.

    Templates differ in whether they open the thinking themselves, and in the white space behind the opener:
    where a template opens it, its white space is what the model knows. One that writes a closed thinking, because it
    was told or takes it that there is to be none, is taken back where the reply begins with a thinking of its own.
    """
    tags = tags_at(so_far)
    prompt = _without_closed_thinking(prompt, tags)
    written = prompt.rstrip()
    for tag in tags:
        if written.endswith(tag.opener):
            rest = so_far[len(tag.opener) :]
            return prompt + (rest.lstrip() if len(written) < len(prompt) else rest)
    return prompt + so_far


def _without_closed_thinking(prompt: str, tags: tuple[Tag, ...]) -> str:
    written = prompt.rstrip()
    for tag in tags:
        if written.endswith(tag.closer):
            before = written.removesuffix(tag.closer)
            return before.rstrip().removesuffix(tag.opener) if before.rstrip().endswith(tag.opener) else before
    return prompt


def _message(message: Message) -> Body:
    images = {"images": list(message.images)} if message.images else {}
    thinking = {"thinking": message.thinking} if message.thinking else {}
    return {"role": message.role, "content": message.content, **images, **thinking}


def encode_load(request: Request) -> Body:
    """Return the body with which /api/generate loads a model as a question with the same settings would.

    A model that is loaded otherwise, be it with another context or another `shift`, is loaded again by the first
    question. A `keep_alive` of 0 unloads it.
    """
    return {"model": request.model} | _settings(request) | {"stream": False}


def _settings(request: Request) -> Body:
    """Return what each request says of how it is to be answered: in pieces, and with nothing cut in silence.

    `shift` is left out where nothing could be cut, as every other client leaves it out: Ollama loads a model again for
    a request that wishes it otherwise (engines/bounds.py). Elsewhere it has to be sent: a reply whose length nothing
    limits may outgrow any context, and where the server shifts, it loses the beginning of the prompt without a word.
    """
    body: Body = {"stream": True, "truncate": False} | ({} if request.fits else {"shift": False})
    if request.options:
        body["options"] = {name: list(value) if isinstance(value, tuple) else value for name, value in request.options}
    if request.keep_alive:
        body["keep_alive"] = keep_alive(request.keep_alive)
    if request.schema:
        body["format"] = _schema(request.schema)
    return body


def keep_alive(text: str) -> int | float | str:
    """Return seconds as a number, because Ollama reads a text as a Go duration, which needs a unit."""
    if re.fullmatch(r"-?\d+", text, re.ASCII):
        return int(text)
    return float(text) if re.fullmatch(r"-?\d+\.\d+", text, re.ASCII) else text


def _schema(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the schema is no JSON: {error}") from error
