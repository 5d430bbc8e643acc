"""Servers and files for the tests of `reflect batch`: a server that echoes the question, input lines, and records."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

from support.fake_replies import HANG, Answer, Pause, done, line, show, tags
from support.fake_server import FakeServer, ReceivedRequest
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from support.command import Result
    from support.fake_replies import Step

MODEL = ("-m", "reflection")


def prompt_of(asked: ReceivedRequest) -> str:
    """The prompt of a request."""
    return str(asked.json["messages"][-1]["content"])


class Echo(FakeServer):
    """Answers every question with itself after some seconds, or with the answer set for it."""

    def __init__(self, seconds: float = 0.0, *installed: str, port: int = 0, **answers: Answer) -> None:
        models = installed or ("reflection",)
        super().__init__({"/api/tags": tags(*models), "/api/show": self._show, "/api/chat": self.echo}, port=port)
        self.routes["/api/version"] = Answer([b'{"version": "0.32.15"}'], 200, {"Content-Length": "22"})
        self.room: int | None = None
        """The number of questions that still get an answer; all others wait until their client has gone."""
        self.held_until: Callable[[], object] = lambda: True
        """The condition that an answer waits for after its beginning."""
        self.most = 0
        """The highest number of requests at the same time."""
        self._models = models
        self.answers = answers
        self._seconds = seconds
        self._running = 0
        self._counting = threading.Lock()

    @property
    def prompts(self) -> list[str]:
        """The prompts, in order of arrival."""
        return [prompt_of(asked) for asked in self.asked("/api/chat")]

    def _show(self, asked: ReceivedRequest) -> Answer:
        if asked.json["model"] in self._models:
            return show()
        return Answer([b'{"error":"model not found"}'], 404, {"Content-Length": "27"})

    def echo(self, asked: ReceivedRequest) -> Answer:
        """Answer a question with itself, or with the answer set for it."""
        prompt = prompt_of(asked)
        return self.answers.get(prompt) or Answer(lambda: self._steps(prompt))

    def _steps(self, prompt: str) -> Iterator[Step]:
        with self._counting:
            self._running += 1
            self.most = max(self.most, self._running)
        try:
            yield line("<output>")
            if self._is_full():
                yield HANG
            until(self.held_until)
            if self._seconds:
                yield Pause(self._seconds)
            yield line(prompt)
        finally:
            with self._counting:
                self._running -= 1
        yield line("</output>", **done())

    def _is_full(self) -> bool:
        with self._counting:
            if self.room:
                self.room -= 1
                return False
            return self.room == 0


def input_file(folder: Path, *lines: str, name: str = "in.txt") -> str:
    """Write lines to a file; return its name in the folder."""
    (folder / name).write_text("".join(f"{text}\n" for text in lines))
    return name


def objects(folder: Path, *values: dict[str, Any], name: str = "in.jsonl") -> str:
    return input_file(folder, *map(json.dumps, values), name=name)


def records(result: Result) -> list[dict[str, Any]]:
    return parsed(result.out)


def parsed(text: str) -> list[dict[str, Any]]:
    """Records from text, each of them whole."""
    assert text.isascii()
    assert text.endswith("\n") or not text
    return [dict(json.loads(line)) for line in text.splitlines()]


def file_records(path: Path) -> list[dict[str, Any]]:
    return parsed(path.read_text())


def answers(values: Iterable[dict[str, Any]]) -> list[tuple[int, str]]:
    return [(value["line"], value["answer"]) for value in values]
