"""Encodes requests for llama.cpp's /completion and decodes its stream; seen with b11549."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Final

from reflectty.core.errors import IncompleteError, PromptTooLongError, RefusedError, UsageError
from reflectty.core.messages import Chunk, Usage
from reflectty.core.model_spec import MINI_PARAMETERS
from reflectty.engines.embedded.model import CONTEXT
from reflectty.protocols.decoding import LineSplitter, as_number, as_text, decode, error_body_of
from reflectty.protocols.refusals import is_transient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reflectty.core.errors import ReflecttyError
    from reflectty.core.messages import Request
    from reflectty.protocols.decoding import Body

NUMBER_OPTIONS: Final = (
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "typical_p",
    "repeat_penalty",
    "repeat_last_n",
    "presence_penalty",
    "frequency_penalty",
    "seed",
)
"""Options that llama.cpp calls as Ollama does."""
UNIT_SECONDS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
FOR_EVER: Final = 10 * 365 * 86400.0
COMPACT: Final = {"whitespace_flexible": False, "lenient": True}
"""How llama.cpp's guide applies a schema: without whitespace, which a small model would write endlessly, and leniently
where it does not know a keyword of the schema; the reply is validated anyway.
"""
CUT_MESSAGE: Final = "the built-in model exited in the middle of its reply"
AGAIN_HINT: Final = "try again; it restarts automatically"


def encode(request: Request, prompt: str) -> Body:
    """The body with which llama.cpp continues after a prompt, as a stream.

    Raises:
        UsageError: the schema is not a JSON object.
    """
    options = dict(MINI_PARAMETERS) | dict(request.options)
    limit, stop = options["num_predict"], options["stop"]
    body: Body = {"prompt": prompt, "stream": True, "cache_prompt": True}
    body |= {name: options[name] for name in NUMBER_OPTIONS if name in options}
    # A negative limit means the rest of the context.
    body["n_predict"] = limit if isinstance(limit, int) and limit >= 0 else -1
    body["stop"] = [stop] if isinstance(stop, str) else stop
    if request.schema:
        body["json_schema"] = _schema(request.schema) | {"x-guidance": COMPACT}
    return body


def _schema(text: str) -> Body:
    try:
        return decode(text.encode(errors="replace"))
    except ValueError as error:
        raise UsageError(f"the schema contains {error}") from error


def seconds_of(keep_alive: str, otherwise: float) -> float:
    """The seconds for which the model stays loaded; a number without a unit is seconds.

    Raises:
        RefusedError: the text is neither a number nor a duration as Go writes it, such as `1h30m`.
    """
    if not keep_alive:
        return otherwise
    if re.fullmatch(r"-?\d+(?:\.\d+)?", keep_alive, re.ASCII):
        keep_alive += "s"
    if not re.fullmatch(r"-?(?:\d+(?:\.\d+)?(?:h|ms|m|s))+", keep_alive, re.ASCII):
        raise RefusedError(f"invalid keep_alive: {keep_alive!r} is not a duration")
    parts = re.findall(r"(\d+(?:\.\d+)?)(h|ms|m|s)", keep_alive)
    seconds = sum(float(number) * UNIT_SECONDS[letter] for number, letter in parts)
    return FOR_EVER if keep_alive.startswith("-") and seconds else min(seconds, FOR_EVER)


def refusal_error_of(status: int, content: bytes, _model: str = "") -> ReflecttyError:
    """The error for a refusal by llama.cpp; the context is fixed."""
    try:
        text, details = error_body_of(decode(content))
    except ValueError:
        text, details = content.decode(errors="replace"), {}
    if details.get("type") == "exceed_context_size_error":
        tokens = int(as_number(details.get("n_prompt_tokens")))
        message = f"the prompt has {tokens} tokens, the context holds {CONTEXT}"
        hint = "send less; the context of the built-in model is fixed"
        return PromptTooLongError(message, hint, resizable=False)
    return RefusedError(f"the server refused: {text}", transient=is_transient(status, text))


class CompletionDecoder:
    """Decodes the stream of /completion into chunks; chunk boundaries do not matter."""

    def __init__(self) -> None:
        self.done = False
        self.part_count = 0
        self._began = time.monotonic()
        self._lines = LineSplitter()

    @property
    def over(self) -> bool:
        """Whether the reply has ended."""
        return self.done

    def feed(self, data: bytes) -> Iterator[Chunk]:
        """Yield the chunks that are complete.

        Raises:
            IncompleteError: the process sent an error or unreadable data.
        """
        for line in self._lines.feed(data):
            kind, _, text = line.partition(b":")
            if kind in (b"data", b"error") and not self.done:
                self.part_count += 1
                yield self._chunk(text.strip())

    def close(self) -> Iterator[Chunk]:
        """Yield nothing.

        Raises:
            IncompleteError: the reply has not ended.
        """
        if not self.done:
            raise IncompleteError(CUT_MESSAGE, AGAIN_HINT)
        return iter(())

    def _chunk(self, text: bytes) -> Chunk:
        try:
            event = decode(text)
        except ValueError as error:
            raise IncompleteError(f"the built-in model sent {error}", "try again") from error
        if "error" in event or "content" not in event:
            raise IncompleteError(f"the built-in model stopped: {error_body_of(event).text}", "try again")
        content = as_text(event["content"])
        if not event.get("stop"):
            return Chunk(content)
        self.done = True
        reason = "length" if event.get("stop_type") == "limit" else "stop"
        return Chunk(content, done=True, done_reason=reason, usage=self._usage(event))

    def _usage(self, event: Body) -> Usage:
        timings = event.get("timings")
        times: Body = timings if isinstance(timings, dict) else {}
        total, prompt, reply = (
            (time.monotonic() - self._began) * 1000,
            as_number(times.get("prompt_ms")),
            as_number(times.get("predicted_ms")),
        )
        return Usage(
            prompt_tokens=int(as_number(event.get("tokens_evaluated"))),
            reply_tokens=int(as_number(event.get("tokens_predicted"))),
            total_ms=total,
            # Starting the process, or waiting for an earlier reply.
            load_ms=max(0.0, total - prompt - reply),
            prompt_ms=prompt,
            reply_ms=reply,
            cached_tokens=int(as_number(times.get("cache_n"))),
        )
