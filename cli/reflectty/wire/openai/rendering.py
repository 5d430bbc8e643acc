"""What vLLM and SGLang tell of a prompt that they rendered, and of the first tokens after it; no I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.wire.lines import Lines
from reflectty.wire.values import as_number, as_text, decode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reflectty.chat import Chunk
    from reflectty.wire.values import Body


class Glimpse:
    """Fed the stream of a request for a glimpse, keeps the rendered prompt and the first tokens; yields no chunks."""

    def __init__(self) -> None:
        self.done = False
        self.over = False
        self.parts = 0
        self.prompt = ""
        """The rendered prompt; nothing where the server does not tell it."""
        self.said = ""
        """The tokens of the reply so far, markers included."""
        self._lines = Lines()

    def feed(self, data: bytes) -> Iterator[Chunk]:
        """Take the next bytes."""
        for line in self._lines.feed(data):
            self._line(line.strip())
        return iter(())

    def close(self) -> Iterator[Chunk]:
        """Take what a last line without an end holds."""
        self._line(self._lines.rest().strip())
        return iter(())

    def _line(self, line: bytes) -> None:
        if not line.startswith(b"data:"):
            return
        value = line[5:].strip()
        if value == b"[DONE]":
            self.done = True
            return
        try:
            self._event(decode(value))
        except ValueError:
            self.done = True

    def _event(self, event: Body) -> None:
        self.prompt = self.prompt or as_text(event.get("prompt_text"))
        choices = event.get("choices")
        self.parts += isinstance(choices, list)
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, dict):
                self._choice(choice)

    def _choice(self, choice: Body) -> None:
        told = choice.get("logprobs")
        entries = told.get("content") if isinstance(told, dict) else None
        if isinstance(entries, list):
            self.said += "".join(as_text(entry.get("token")) for entry in entries if isinstance(entry, dict))
        self.over = self.over or bool(choice.get("finish_reason"))


def tokens_of(body: Body) -> tuple[list[object], int, int]:
    """Return what /tokenize answers: the tokens, how many there are, how many the server holds; 0 where it does not."""
    tokens = body.get("tokens")
    listed = tokens if isinstance(tokens, list) else []
    return listed, int(as_number(body.get("count"))) or len(listed), int(as_number(body.get("max_model_len")))


def prompt_of(body: Body) -> str:
    """Return what /detokenize answers: vLLM in `prompt`, SGLang in `text`."""
    return as_text(body.get("prompt") or body.get("text"))


def first_tokens_of(body: Body) -> tuple[list[object], str]:
    """Return the tokens of a rendered prompt, where SGLang tells them, and what the reply begins with."""
    choices = body.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    tokens, message = choice.get("prompt_token_ids"), choice.get("message")
    said = as_text(message.get("content")) if isinstance(message, dict) else ""
    return tokens if isinstance(tokens, list) else [], said
