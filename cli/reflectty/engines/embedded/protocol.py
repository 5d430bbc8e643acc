"""Translates Ollama's requests for llama.cpp, and llama.cpp's stream back.

Ollama's behavior is that of 0.32.15, llama.cpp's that of b11549.
"""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any, Final

from reflectty.core.errors import IncompleteError, PromptTooLongError
from reflectty.core.model_spec import MINI_NAME, MINI_REPLY_LIMIT, MINI_STOP, MINI_TEMPERATURE
from reflectty.engines.embedded.model import CONTEXT, timestamp_of
from reflectty.protocols.decoding import LineSplitter, as_number, as_text, error_body_of
from reflectty.protocols.ollama import decode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reflectty.core.errors import ReflecttyError
    from reflectty.protocols.ollama import Body

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
"""Options with the same name in both."""
UNIT_SECONDS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
FOR_EVER: Final = 10 * 365 * 86400.0
NANOSECONDS: Final = 1_000_000_000
COMPACT: Final = {"whitespace_flexible": False, "lenient": True}
"""How llama.cpp's guide applies a schema: without whitespace, which a small model would write endlessly, and leniently
where it does not know a keyword of the schema; the reply is validated anyway.
"""


class ApiError(Exception):
    """A refusal as Ollama would send it, with its status."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def completion_body_of(body: Body, prompt: str) -> Body:
    """The body with which llama.cpp continues after a prompt, as a stream.

    Raises:
        ApiError: an option or the format has the wrong type.
    """
    options = body.get("options") or {}
    if not isinstance(options, dict):
        raise ApiError(400, "options must be an object")
    asked: Body = {"prompt": prompt, "stream": True, "cache_prompt": True, "temperature": MINI_TEMPERATURE}
    asked |= {name: _number(name, options[name]) for name in NUMBER_OPTIONS if name in options}
    asked["n_predict"] = _limit(options)
    asked["stop"] = _stop(options)
    return asked | _format(body.get("format"))


def keep_alive_seconds_of(body: Body, otherwise: float) -> float:
    """Seconds for which the model stays loaded.

    Raises:
        ApiError: the value is not a duration.
    """
    value = body.get("keep_alive")
    if value is None or value == "":
        return otherwise
    seconds = value if isinstance(value, int | float) else _duration(as_text(value))
    return FOR_EVER if seconds < 0 else min(float(seconds), FOR_EVER)


def refusal_error_of(status: int, content: bytes) -> ReflecttyError | ApiError:
    """The error for a refusal by llama.cpp; the context is fixed, which no Ollama server would say."""
    try:
        said = error_body_of(decode(content))
    except ValueError:
        return ApiError(status, content.decode(errors="replace"))
    if said.details.get("type") == "exceed_context_size_error":
        tokens = int(as_number(said.details.get("n_prompt_tokens")))
        message = f"the prompt has {tokens} tokens, the context holds {CONTEXT}"
        hint = "send less; the context of the built-in model is fixed"
        return PromptTooLongError(message, hint, resizable=False)
    return ApiError(status, said.text)


class StreamTranslator:
    """Turns the bytes of llama.cpp's stream into Ollama's objects; chunk boundaries do not matter.

    Args:
        line: makes the object of a line from a piece of text.
        began: when the request arrived, by `time.monotonic`.
        loaded: when the process accepted it, by the same clock.
    """

    def __init__(self, line: Callable[[str], Body], began: float, loaded: float) -> None:
        self.done = False
        self._line = line
        self._began = began
        self._load = loaded - began
        self._lines = LineSplitter()

    def feed(self, data: bytes) -> Iterator[Body]:
        """Yield the objects that are complete.

        Raises:
            IncompleteError: the process sent an error or unreadable data.
        """
        for line in self._lines.feed(data):
            kind, _, text = line.partition(b":")
            if kind in (b"data", b"error") and not self.done:
                yield self._object(text.strip())

    def close(self) -> None:
        """Raise IncompleteError if the reply has not ended."""
        if not self.done:
            raise IncompleteError(
                "the built-in model exited in the middle of its reply", "try again; it restarts automatically"
            )

    def _object(self, text: bytes) -> Body:
        try:
            event = decode(text)
        except ValueError as error:
            raise IncompleteError(f"the built-in model sent {error}", "try again") from error
        if "error" in event or "content" not in event:
            raise IncompleteError(f"the built-in model stopped: {error_body_of(event).text}", "try again")
        line = self._line(as_text(event.get("content")))
        if not event.get("stop"):
            return line
        self.done = True
        return line | self._end(event)

    def _end(self, event: Body) -> Body:
        timings = event.get("timings")
        times: Body = timings if isinstance(timings, dict) else {}
        return {
            "done": True,
            "done_reason": "length" if event.get("stop_type") == "limit" else "stop",
            "total_duration": round((time.monotonic() - self._began) * NANOSECONDS),
            "load_duration": round(self._load * NANOSECONDS),
            "prompt_eval_count": int(as_number(event.get("tokens_evaluated"))),
            "prompt_eval_cached_count": int(as_number(times.get("cache_n"))),
            "prompt_eval_duration": round(as_number(times.get("prompt_ms")) * 1e6),
            "eval_count": int(as_number(event.get("tokens_predicted"))),
            "eval_duration": round(as_number(times.get("predicted_ms")) * 1e6),
        }


def chat_line(text: str) -> Body:
    """The object of a line of /api/chat."""
    return _head() | {"message": {"role": "assistant", "content": text}, "done": False}


def generate_line(text: str) -> Body:
    """The object of a line of /api/generate."""
    return _head() | {"response": text, "done": False}


def join_lines(lines: list[Body]) -> Body:
    """Join the lines of a reply into the one object of an answer that is not a stream."""
    last = lines[-1]
    if "message" in last:
        text = "".join(line["message"]["content"] for line in lines)
        return last | {"message": {"role": "assistant", "content": text}}
    return last | {"response": "".join(line["response"] for line in lines)}


def _head() -> Body:
    return {"model": MINI_NAME, "created_at": timestamp_of(time.time())}


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ApiError(400, f'option "{name}" must be of type number')
    return value


def _limit(options: Body) -> int:
    """Maximum tokens of a reply; a negative value means all available room."""
    limit = int(_number("num_predict", options.get("num_predict", MINI_REPLY_LIMIT)))
    return -1 if limit < 0 else limit


def _stop(options: Body) -> list[str]:
    stop = options.get("stop", [MINI_STOP])
    texts = [stop] if isinstance(stop, str) else stop
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ApiError(400, 'option "stop" must be of type array of strings')
    return texts


def _format(value: object) -> Body:
    if value is None or value == "":
        return {}
    if value == "json":
        value = {"type": "object"}
    if not isinstance(value, dict):
        raise ApiError(400, f'invalid format: {json.dumps(value)}; expected "json" or a valid JSON Schema object')
    schema: dict[str, Any] = value | {"x-guidance": COMPACT}
    return {"json_schema": schema}


def _duration(text: str) -> float:
    """Seconds of a duration as Go writes it, such as `1h30m`."""
    if not re.fullmatch(r"-?(?:\d+(?:\.\d+)?(?:h|ms|m|s))+", text, re.ASCII):
        raise ApiError(400, f"invalid keep_alive: {text!r} is not a duration")
    parts = re.findall(r"(\d+(?:\.\d+)?)(h|ms|m|s)", text)
    seconds = sum(float(number) * UNIT_SECONDS[letter] for number, letter in parts)
    return -seconds if text.startswith("-") else seconds
