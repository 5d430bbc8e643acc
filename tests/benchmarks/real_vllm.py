"""Runs the checks of the scripted vLLM on a real one, and prints a line for each; not part of the test suite.

    vllm serve Qwen/Qwen3-0.6B --reasoning-parser qwen3 --max-model-len 4096
    python tests/benchmarks/real_vllm.py 127.0.0.1:8000 [MODEL]

A second run without `--reasoning-parser`, and one with `--served-model-name prod/assistant`, cover the other paths. The
key comes from REFLECTTY_API_KEY or OPENAI_API_KEY. Needs only reflectty; asks about ten short questions.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

from reflectty.chat.request import Question, request_for
from reflectty.chat.resume import make_resume_plan
from reflectty.chat.run import ask
from reflectty.core.errors import PromptTooLongError, ReflecttyError
from reflectty.core.messages import Message, Request
from reflectty.core.schema import read_schema
from reflectty.core.session import StoredReply
from reflectty.engines import open_engine
from reflectty.engines.openai import OpenAIEngine
from reflectty.engines.openai_dialects import VllmPromptClient
from reflectty.reasoning.modes import AskOptions, Mode, plan
from reflectty.reasoning.steering import conclude_thinking, open_thinking

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from reflectty.core.messages import Model
    from reflectty.core.segments import Event
    from reflectty.reasoning.reply import Reply

QUESTION = "Which is larger, 9.11 or 9.9? Answer in one sentence."
SCHEMA = '{"type": "object", "properties": {"larger": {"type": "number"}}, "required": ["larger"]}'
LIMIT = (("num_predict", 1024), ("temperature", 0))


class Silent:
    """A renderer that collects the reply and prints only notes."""

    reply: Reply

    def start(self, reply: Reply) -> None:
        self.reply = reply

    def tick(self, seconds: float) -> None:
        """Draw nothing."""

    def show(self, event: Event) -> None:
        """Draw nothing."""

    def note(self, text: str) -> None:
        print(f"      note: {text}")

    def end(self, reply: Reply) -> None:
        """Draw nothing."""

    def stop(self) -> None:
        """Close nothing."""


async def _asked(engine: OpenAIEngine, question: Question) -> Reply:
    shown = Silent()
    await ask(engine, question, shown, first_time=lambda _: False)
    return shown.reply


async def rendered(engine: OpenAIEngine, model: Model) -> str:
    """The prompt is the same by its tokens and by the chat."""
    request = Request(model.name, (Message("user", "hi"),), think=True)
    rendering = VllmPromptClient(engine._client)  # noqa: SLF001 - each of the two ways is tried
    by_tokens = await rendering._prompt_from_tokens(request)  # noqa: SLF001 - the same
    by_chat = (await rendering._probe(request, 1)).prompt  # noqa: SLF001 - the same
    return "" if by_tokens and by_tokens == by_chat else f"{by_tokens!r} and {by_chat!r}"


async def answered(engine: OpenAIEngine, model: Model) -> str:
    """A question has a thinking and an answer."""
    reply = await _asked(engine, Question(QUESTION, AskOptions(model=model.name, options=LIMIT)))
    return "" if reply.answer and reply.thinking else f"thinking {reply.thinking!r}, answer {reply.answer!r}"


async def direct(engine: OpenAIEngine, model: Model) -> str:
    """Mode direct does not think."""
    reply = await _asked(engine, Question(QUESTION, AskOptions(Mode.DIRECT, model=model.name, options=LIMIT)))
    return "" if reply.answer and not reply.thinking.strip() else f"thinking {reply.thinking!r}"


async def went_on(engine: OpenAIEngine, model: Model) -> str:
    """A steered thought continues in mid-sentence, and a concluded one is answered."""
    first = await _asked(engine, Question(QUESTION, AskOptions(model=model.name, options=LIMIT)))
    said = StoredReply(model.name, mode=first.mode, family=first.family.name, segments=first.segments)
    said = said._replace(raw="".join(first.raw), raw_thinking="".join(first.raw_thinking))
    model = await engine.show(model.name)
    chosen = plan(model, AskOptions())
    family = (
        await make_resume_plan(engine, Question(QUESTION, AskOptions(model=model.name)), said, model, chosen)
    ).family_of(said)
    request = request_for(Question(QUESTION, AskOptions(model=model.name, options=LIMIT)), model, chosen)
    found: list[str] = []
    for so_far in (
        open_thinking(family, "Compare the tenths: 9 against"),
        conclude_thinking(family, "90 is more than 11, so 9.9."),
    ):
        found.append("".join([chunk.content async for chunk in engine.resume(request, so_far)]))
        print(f"      {so_far!r} … {found[-1][:70]!r}")
    return "" if all(found) else "nothing came"


async def held(engine: OpenAIEngine, model: Model) -> str:
    """An answer fits its schema, and its usage is reported."""
    reply = await _asked(
        engine, Question(QUESTION, AskOptions(model=model.name, options=LIMIT), schema=read_schema(SCHEMA))
    )
    return "" if reply.usage.prompt_tokens and reply.usage.reply_tokens else f"figures {reply.usage}"


async def too_long(engine: OpenAIEngine, model: Model) -> str:
    """A prompt that does not fit is refused with its number of tokens."""
    try:
        await _asked(engine, Question("word " * 2 * model.server_context, AskOptions(model=model.name)))
    except PromptTooLongError as error:
        print(f"      {error}")
        return "" if str(model.server_context) in str(error) else str(error)
    return "it was taken"


CHECKS: tuple[Callable[[OpenAIEngine, Model], Awaitable[str]], ...] = (
    rendered,
    answered,
    direct,
    went_on,
    held,
    too_long,
)


async def main(host: str, name: str = "") -> int:
    key = os.environ.get("REFLECTTY_API_KEY") or os.environ.get("OPENAI_API_KEY", "")
    failed = 0
    async with open_engine(host, engine="openai", api_key=key) as engine:
        assert isinstance(engine, OpenAIEngine)
        model = await engine.show(name or (await engine.models())[0].name)
        print(
            f"{model.name}, version {await engine.version()}, {model.server_context} tokens, prompts end in {model.prompt_endings}"
        )
        for check in CHECKS:
            try:
                wrong = await check(engine, model)
            except ReflecttyError as error:
                wrong = f"{type(error).__name__}: {error}"
            failed += bool(wrong)
            print(f"{'✘' if wrong else '✔'} {check.__doc__} {wrong}")
    return failed


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:3])))
