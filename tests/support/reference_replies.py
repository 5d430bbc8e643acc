"""What a model says by itself to a question, asked past the program under test; at temperature 0 it says so again."""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

import httpx

QUESTION: Final = "Which is larger, 9.11 or 9.9?"
"""What `mini` errs at, and corrects itself: it is a part of what it was trained for."""
EDITED: Final = "I compare 9.9 and 9.11. Nine tenths are 90 hundredths,"
"""A beginning of a thought on it, as a reader may put in place of the model's own."""
PATIENCE: Final = 240.0
"""Seconds for a reply on a busy machine; it takes two on an idle one."""
_PART: Final = re.compile(r"<(reflection|output)>\n?(.*?)\n?</\1>", re.DOTALL)
_THINKING: Final = re.compile(r"<thinking>(.*)</thinking>", re.DOTALL)


class Spoken(NamedTuple):
    """A reply as the model wrote it; its words are those of whichever adapter there is, its form is not."""

    raw: str

    @property
    def answer(self) -> str:
        return self._parts("output")[0].strip()

    @property
    def corrections(self) -> tuple[str, ...]:
        return tuple(text.strip() for text in self._parts("reflection"))

    @property
    def segments(self) -> list[tuple[str, str]]:
        """The parts in their order, each with its kind as the program calls it."""
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
        """Return the reply without what a pattern finds, as it is read where it has no tags."""
        return re.sub(tags, "", self.raw).strip()

    def _parts(self, name: str) -> list[str]:
        return [text for kind, text in _PART.findall(self.raw) if kind == name]


def by_ollama(host: str, model: str, question: str = QUESTION) -> Spoken:
    """Ask a server that speaks Ollama's protocol."""
    body = {"model": model, "stream": False, "messages": [{"role": "user", "content": question}]}
    return Spoken(_posted(f"http://{host}/api/chat", body)["message"]["content"])


def by_llama(url: str, model: str, key: str, question: str = QUESTION) -> Spoken:
    """Ask a server that speaks OpenAI's protocol, and sends special tokens as well."""
    body = {"model": model, "messages": [{"role": "user", "content": question}]}
    answer = _posted(f"{url}/chat/completions", body, Authorization=f"Bearer {key}")
    return Spoken(answer["choices"][0]["message"]["content"])


def _posted(url: str, body: dict[str, Any], **headers: str) -> dict[str, Any]:
    return dict(httpx.post(url, json=body, headers=headers, timeout=PATIENCE, trust_env=False).json())
