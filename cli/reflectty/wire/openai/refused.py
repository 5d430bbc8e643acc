"""Fields that a server does not take: found in its refusal, left out of a request; no I/O.

transformers serve answers HTTP 422 with `Unexpected fields in the request`, FastAPI `Extra inputs are not permitted`,
OpenAI's own API `Unrecognized request argument supplied`, vLLM's tokenizer mode of Mistral `chat_template is not
supported`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from reflectty.chat import Effort
from reflectty.wire.openai.requests import COUNTERPARTS, OF_LLAMA_SERVER

if TYPE_CHECKING:
    from collections.abc import Collection

    from reflectty.chat import Request
    from reflectty.wire.values import Body

DISLIKED: Final = re.compile(
    r"unexpected|unrecogni[sz]ed|unknown|unsupported"
    r"|not (?:yet )?(?:supported|permitted|allowed|recogni[sz]ed|implemented)"
    r"|does(?:n't| not) support|extra (?:inputs?|fields?)|additional propert|invalid (?:parameter|argument|field)",
    re.IGNORECASE,
)
"""How servers say that they do not know a field; a value that they do not like is told in other words."""
OF_MESSAGES: Final = ("reasoning_content", "reasoning")
"""The fields of a message that not every server knows."""
DISPENSABLE: Final = frozenset(
    {
        *(name for names in (COUNTERPARTS | OF_LLAMA_SERVER).values() for name in names),
        "skip_special_tokens",
        "stream_options",
        "chat_template_kwargs",
        "reasoning_effort",
        "separate_reasoning",
        "max_completion_tokens",
        "logprobs",
        "return_prompt_text",
        *OF_MESSAGES,
    }
)
"""What a request can do without; a schema it cannot."""


def refused_fields(text: str, body: Body) -> frozenset[str]:
    """Return the fields of a request that a refusal names as unknown."""
    if not DISLIKED.search(text):
        return frozenset()
    return frozenset(name for name in DISPENSABLE if _has(body, name) and _names(text, name))


def _has(body: Body, name: str) -> bool:
    return any(name in message for message in body.get("messages", ())) if name in OF_MESSAGES else name in body


def _names(text: str, name: str) -> bool:
    pattern = r"chat_template(?:_kwargs)?" if name == "chat_template_kwargs" else re.escape(name)
    return re.search(rf"(?<![\w-]){pattern}(?![\w-])", text) is not None


def without(body: Body, refused: Collection[str]) -> Body:
    """Return a request without those fields; the limit of tokens goes by its newer name where the older is refused."""
    if not refused:
        return body
    left = {name: value for name, value in body.items() if name not in refused}
    if "max_tokens" in refused and "max_tokens" in body and "max_completion_tokens" not in refused:
        left["max_completion_tokens"] = body["max_tokens"]
    gone = [name for name in OF_MESSAGES if name in refused]
    if gone and "messages" in body:
        left["messages"] = [{k: v for k, v in message.items() if k not in gone} for message in body["messages"]]
    return left


def missed(request: Request, refused: Collection[str]) -> str:
    """Return what to say of wishes of the user that are left out; often nothing."""
    names = [option for option, _ in request.options if _is_gone(option, refused)]
    if isinstance(request.think, Effort) and "reasoning_effort" in refused:
        names.append("--effort")
    switches = {"chat_template_kwargs", *(("reasoning_effort",) if request.arguments else ())}
    if request.think is False and not switches.isdisjoint(refused):
        names.append("--mode direct")
    return f"this server does not take {', '.join(names)}: it was asked without" if names else ""


def _is_gone(option: str, refused: Collection[str]) -> bool:
    names = (COUNTERPARTS | OF_LLAMA_SERVER).get(option, ())
    if names == ("max_tokens",):
        return "max_tokens" in refused and "max_completion_tokens" in refused
    # One name of several is enough for the server that knows it.
    return bool(names) and all(name in refused for name in names[:1])
