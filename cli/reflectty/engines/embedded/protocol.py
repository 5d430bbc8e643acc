"""Translates Ollama's requests for llama.cpp, and llama.cpp's stream back.

What Ollama says is what 0.32.15 was seen to say, what llama.cpp says what b11549 was.
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
"""Options that both call by the same name."""
UNIT_SECONDS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
FOR_EVER: Final = 10 * 365 * 86400.0
NANOSECONDS: Final = 1_000_000_000
COMPACT: Final = {"whitespace_flexible": False, "lenient": True}
"""How llama.cpp's guide holds to a schema: without blanks, which a small model would write for ever, and as far as it
can where it does not know a word of the schema; what comes is looked at all the same."""


class ApiError(Exception):
    """What Ollama would refuse, with the status that it does so by."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def completion_body_of(body: Body, prompt: str) -> Body:
    """Return the body with which llama.cpp goes on after a prompt, as a stream.

    Raises:
        RefusalError: an option or the format is of the wrong kind.
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
    """Return the seconds for which the model is to stay loaded.

    Raises:
        RefusalError: it is no duration.
    """
    value = body.get("keep_alive")
    if value is None or value == "":
        return otherwise
    seconds = value if isinstance(value, int | float) else _duration(as_text(value))
    return FOR_EVER if seconds < 0 else min(float(seconds), FOR_EVER)


def refusal_error_of(status: int, content: bytes) -> ReflecttyError | ApiError:
    """Return the error for what llama.cpp refused: that its context is fixed, no server of Ollama's would say."""
    try:
        said = error_body_of(decode(content))
    except ValueError:
        return ApiError(status, content.decode(errors="replace"))
    if said.details.get("type") == "exceed_context_size_error":
        tokens = int(as_number(said.details.get("n_prompt_tokens")))
        message = f"the prompt has {tokens} tokens, the context holds {CONTEXT}"
        hint = "send less: the context of the built-in model cannot be made larger"
        return PromptTooLongError(message, hint, resizable=False)
    return ApiError(status, said.text)


class StreamTranslator:
    """Turns the bytes of llama.cpp's stream into Ollama's objects, the same however they are cut.

    Args:
        line: makes the object of a line out of a piece of text.
        began: when the request came, by `time.monotonic`.
        loaded: when the process took it, by the same.
    """

    def __init__(self, line: Callable[[str], Body], began: float, loaded: float) -> None:
        self.done = False
        self._line = line
        self._began = began
        self._load = loaded - began
        self._lines = LineSplitter()

    def feed(self, data: bytes) -> Iterator[Body]:
        """Yield the objects that are complete now.

        Raises:
            IncompleteError: the process sent an error, or what cannot be read.
        """
        for line in self._lines.feed(data):
            kind, _, text = line.partition(b":")
            if kind in (b"data", b"error") and not self.done:
                yield self._object(text.strip())

    def close(self) -> None:
        """Raise IncompleteError where the reply has no end."""
        if not self.done:
            raise IncompleteError(
                "the built-in model ended in the middle of its reply", "ask again: it is started anew"
            )

    def _object(self, text: bytes) -> Body:
        try:
            event = decode(text)
        except ValueError as error:
            raise IncompleteError(f"the built-in model sent {error}", "ask again") from error
        if "error" in event or "content" not in event:
            raise IncompleteError(f"the built-in model stopped: {error_body_of(event).text}", "ask again")
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
    """Return the object of a line of /api/chat."""
    return _head() | {"message": {"role": "assistant", "content": text}, "done": False}


def generate_line(text: str) -> Body:
    """Return the object of a line of /api/generate."""
    return _head() | {"response": text, "done": False}


def join_lines(lines: list[Body]) -> Body:
    """Return all lines of a reply as the one object of an answer that is no stream."""
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
    """Return how many tokens a reply may have; what is asked for below zero is as many as there is room for."""
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
    """Return the seconds of a duration as Go writes it, such as `1h30m`."""
    if not re.fullmatch(r"-?(?:\d+(?:\.\d+)?(?:h|ms|m|s))+", text, re.ASCII):
        raise ApiError(400, f"invalid keep_alive: {text!r} is no duration")
    parts = re.findall(r"(\d+(?:\.\d+)?)(h|ms|m|s)", text)
    seconds = sum(float(number) * UNIT_SECONDS[letter] for number, letter in parts)
    return -seconds if text.startswith("-") else seconds
