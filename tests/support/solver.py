"""A server that solves sums, rightly or wrongly, and the set of sums, for the tests of `reflect eval`."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from support.batch_files import Echo, prompt_of
from support.fake_replies import HANG, Answer, Pause, done, line, show, tags
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.fake_replies import Step
    from support.fake_server import ReceivedRequest

MODEL = "solver:8b"
_SUM = re.compile(r"What is (\d+) \+ (\d+)\?")


def sums(folder: Path, count: int, name: str = "sums.jsonl") -> str:
    """Write a set of sums; return its name in the folder."""
    items = ({"id": f"s{at}", "question": f"What is {at} + 1?", "answer": str(at + 1)} for at in range(count))
    (folder / name).write_text("".join(f"{json.dumps(item)}\n" for item in items))
    return name


def has_thought(asked: ReceivedRequest) -> bool:
    """Whether a request wants the model to think by itself."""
    return bool(asked.json.get("think"))


def is_review(asked: ReceivedRequest) -> bool:
    """Whether a request is the second turn of a revision."""
    return len(asked.json["messages"]) > 1 and asked.json["messages"][-2]["role"] == "assistant"


class Solver(Echo):
    """Answers a sum with the number that `solve` gives for the request and the right sum."""

    def __init__(
        self,
        solve: Callable[[ReceivedRequest, int], int] = lambda _, right: right,
        *,
        seconds: float = 0.0,
        port: int = 0,
        digest: str = "a" * 64,
    ) -> None:
        super().__init__(seconds, MODEL, port=port)
        self.solve = solve
        self.routes["/api/tags"] = _tags(digest)
        self.routes["/api/chat"] = self.answer
        self.special: dict[str, Answer] = {}
        """Answers to the questions that begin with a text."""

    @property
    def prompts(self) -> list[str]:
        """The prompts of requests for a reply, in order of arrival."""
        return [prompt_of(asked) for asked in self.chatted()]

    def _show(self, asked: ReceivedRequest) -> Answer:
        del asked
        return show(capabilities=["completion", "thinking"])

    def sum_of(self, asked: ReceivedRequest) -> int:
        """The right sum of the question of a request."""
        match = _SUM.search(asked.json["messages"][0]["content"])
        assert match, asked.json
        return int(match[1]) + int(match[2])

    def answer(self, asked: ReceivedRequest) -> Answer:
        prompt = prompt_of(asked)
        if not _SUM.search(asked.json["messages"][0]["content"]):
            return self.echo(asked)
        special = next((answer for start, answer in self.special.items() if prompt.startswith(start)), None)
        return special or Answer(lambda: self._solution(asked))

    def _solution(self, asked: ReceivedRequest) -> Iterator[Step]:
        if asked in self.chatted() and self._is_full():
            yield HANG
        until(self.held_until)
        if self._seconds:
            yield Pause(self._seconds)
        given = self.solve(asked, self.sum_of(asked))
        if has_thought(asked):
            yield line(thinking=f"I add the two numbers: {given}.")
        yield line(f"The sum is {given}.\nAnswer: {given}", **done())


def _tags(digest: str) -> Answer:
    names = json.loads(b"".join(_bytes_of(tags(MODEL))))
    names["models"] = [model | {"digest": digest} for model in names["models"]]
    data = json.dumps(names).encode()
    return Answer([data], 200, {"Content-Length": str(len(data))})


def _bytes_of(answer: Answer) -> list[bytes]:
    assert isinstance(answer.steps, list | tuple)
    return [step for step in answer.steps if isinstance(step, bytes)]


def results_in(path: Path) -> list[dict[str, Any]]:
    """The results in the file of a run, each line of which is whole."""
    lines = [json.loads(text) for text in path.read_text().splitlines()]
    return [value["result"] for value in lines if "result" in value]
