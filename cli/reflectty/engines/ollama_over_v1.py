"""An Ollama that is asked over its /v1: keeps what its own API would keep, the whole prompt and the model's sampling.

Its /v1 cuts a long prompt in silence, of 9,010 tokens it read 2,051, and sets temperature and top_p to 1 over what the
model's own file says. Seen with 0.32.15 and 0.34.2, whose native API does neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reflectty.errors import PromptTooLongError, ReflecttyError
from reflectty.names import is_same
from reflectty.sampling import given
from reflectty.wire.values import as_number, as_text

if TYPE_CHECKING:
    from reflectty.chat import Request
    from reflectty.engines.exchange import Exchange
    from reflectty.wire import Body

SAMPLING: Final = {"temperature": 0.8, "top_p": 0.9}
"""What Ollama samples with natively where a model's file says nothing."""
USUAL_CONTEXT: Final = 4096
"""What it loads a model with where the machine has less than 23 GiB of GPU memory."""
MOST_BYTES: Final = 6
"""More bytes than a token of prose has: what is too long by this is too long."""
FEWEST_BYTES: Final = 3
"""Fewer than it has in most languages: what fits by this fits."""
DOUBT: Final = (
    "this Ollama may have cut the beginning of the prompt in silence, as its /v1 does: --engine ollama never does"
)
NATIVE: Final = "--engine ollama asks it without that"


class Manners:
    """Asks one Ollama, beside its /v1, for what that leaves out."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._shown: dict[str, Body] = {}
        self._rooms: dict[str, int] = {}
        """How many tokens the models have room for that were seen to be loaded."""

    async def shown(self, model: str) -> Body:
        """Return what /api/show says of a model; nothing where it is not let through."""
        if model not in self._shown:
            self._shown[model] = await self._answer("POST", "/api/show", {"model": model})
        return self._shown[model]

    async def kept(self, body: Body, request: Request) -> Body:
        """Return a request with the sampling that the model has natively.

        Raises:
            PromptTooLongError: the prompt would be cut.
        """
        room, size = await self._room(request.model), _size(request)
        if size > room * MOST_BYTES:
            message = f"the prompt has about {size // 4} tokens, and this Ollama would cut it to {room} without a word"
            raise PromptTooLongError(message, f"its /v1 does so: {NATIVE}", resizable=False)
        shown = await self.shown(request.model)
        return (_sampling(as_text(shown.get("parameters"))) if shown else {}) | body

    async def doubt(self, request: Request) -> str:
        """Return what to say of a prompt that may have been cut; nothing of one that surely fits."""
        return DOUBT if _size(request) > await self._room(request.model) * FEWEST_BYTES else ""

    async def _room(self, model: str) -> int:
        """Return how many tokens the model has room for as it is loaded, or would be."""
        if model in self._rooms:
            return self._rooms[model]
        listed = (await self._answer("GET", "/api/ps", None)).get("models")
        for entry in listed if isinstance(listed, list) else ():
            if isinstance(entry, dict) and is_same(as_text(entry.get("name")), model):
                self._rooms[model] = int(as_number(entry.get("context_length"))) or USUAL_CONTEXT
                return self._rooms[model]
        parameters = as_text((await self.shown(model)).get("parameters"))
        return int(_parameter(parameters, "num_ctx") or 0) or USUAL_CONTEXT

    async def _answer(self, method: str, path: str, body: Body | None) -> Body:
        try:
            return await self._exchange.ask(method, path, body)
        except ReflecttyError:
            return {}


def _size(request: Request) -> int:
    return sum(len(message.content.encode(errors="replace")) for message in request.messages)


def _sampling(parameters: str) -> Body:
    """Return what Ollama would sample with natively."""
    own = {name: _parameter(parameters, name) for name in SAMPLING}
    return {name: usual if (value := own[name]) is None else value for name, usual in SAMPLING.items()}


def doubt_of_usual(request: Request) -> str:
    """Return what to say of a prompt to an Ollama that is known by its replies alone, whose context nobody tells."""
    return DOUBT if _size(request) > USUAL_CONTEXT * FEWEST_BYTES else ""


def _parameter(parameters: str, name: str) -> float | None:
    """Return a number of a model's own parameters."""
    try:
        return float(given(parameters)[name])
    except (KeyError, ValueError):
        return None
