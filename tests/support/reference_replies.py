"""The model's own reply to a question, requested without the program under test; temperature 0 makes it repeatable."""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

import httpx

QUESTION: Final = "Which is larger, 9.11 or 9.9?"
"""A question that `mini` first gets wrong and then corrects: it is part of its training."""
EDITED: Final = "I compare 9.9 and 9.11. Nine tenths are 90 hundredths,"
"""A beginning of a thought on it, as a user may edit it."""
PATIENCE: Final = 240.0
"""Seconds for a reply on a busy machine; it takes two on an idle one."""
_PART: Final = re.compile(r"<(reflection|output)>\n?(.*?)\n?</\1>", re.DOTALL)
_THINKING: Final = re.compile(r"<thinking>(.*)</thinking>", re.DOTALL)


class ReferenceReply(NamedTuple):
    """A reply as the model wrote it; its words depend on the adapter, its form does not."""

    raw: str

    @property
    def answer(self) -> str:
        return self._parts("output")[0].strip()

    @property
    def corrections(self) -> tuple[str, ...]:
        return tuple(text.strip() for text in self._parts("reflection"))

    @property
    def segments(self) -> list[tuple[str, str]]:
        """The parts in order, each with its kind as the program names it."""
        thinking = _THINKING.findall(self.raw)[0]
        pieces = re.split(r"</?reflection>", thinking)
        parts = [("reflection" if at % 2 else "thinking", piece.strip()) for at, piece in enumerate(pieces)]
        return [*(part for part in parts if part[1]), ("answer", self.answer)]

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.segments]

    @property
    def thought(self) -> str:
        """The first line of the thinking."""
        return self.segments[0][1].splitlines()[0]

    def without(self, tags: str) -> str:
        """The reply without the matches of a pattern, as it reads where its tags are lost."""
        return re.sub(tags, "", self.raw).strip()

    def _parts(self, name: str) -> list[str]:
        return [text for kind, text in _PART.findall(self.raw) if kind == name]


def by_ollama(host: str, model: str, question: str = QUESTION) -> ReferenceReply:
    """Ask a server that speaks Ollama's protocol."""
    body = {"model": model, "stream": False, "messages": [{"role": "user", "content": question}]}
    return ReferenceReply(_posted(f"http://{host}/api/chat", body)["message"]["content"])


def by_llama(url: str, model: str, key: str, question: str = QUESTION) -> ReferenceReply:
    """Ask a server that speaks OpenAI's protocol, with special tokens in the reply."""
    body = {"model": model, "messages": [{"role": "user", "content": question}]}
    answer = _posted(f"{url}/chat/completions", body, Authorization=f"Bearer {key}")
    return ReferenceReply(answer["choices"][0]["message"]["content"])


def _posted(url: str, body: dict[str, Any], **headers: str) -> dict[str, Any]:
    return dict(httpx.post(url, json=body, headers=headers, timeout=PATIENCE, trust_env=False).json())
