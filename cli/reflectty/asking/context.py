"""Chooses the context that a question is asked with where that is left to us; generates nothing.

Ollama loads a model anew whenever the context that a request asks for is another one than it was loaded with (2 s for
a model of 270 million parameters, a minute for a large one). So what is loaded stays where it holds the question, and
what is asked for is a power of two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from reflectty.errors import PromptTooLongError, ReflecttyError
from reflectty.names import is_same
from reflectty.options import AUTO, CONTEXT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reflectty.asking.question import Question
    from reflectty.chat import Engine, Model
    from reflectty.library.fit import Around

BYTES_PER_TOKEN: Final = 3
"""English prose has four or five, Chinese three, code and tables fewer than prose."""
IMAGE_TOKENS: Final = 1024
AROUND: Final = 512
"""Tokens around a prompt where a context is chosen for it: too small a one would have to be loaded again."""
REPLY_ROOM: Final = 4096
"""Tokens for a thinking and its answer."""
LEAST_ROOM: Final = 1024
SMALLEST: Final = 4096


class Room(NamedTuple):
    """What was found out about a larger context."""

    tokens: int = 0
    """The context to ask with; 0 leaves it as it is."""
    hint: str = ""
    """Why it cannot be larger; empty where nothing stands in the way."""


async def sized(engine: Engine, question: Question, model: Model) -> Question:
    """Return the question with the context that `num_ctx=auto` stands for; the server's own where that holds it.

    Args:
        engine: the server.
        question: what will be asked.
        model: who will be asked.
    """
    if dict(question.options).get(CONTEXT) != AUTO:
        return question
    question = question._replace(widens="anywhere")
    if CONTEXT in model.ignores:
        return with_context(question, 0)
    prompt = prompt_tokens(question, model)
    needed = prompt + _reply_room(question)
    loaded = await _loaded(engine, model)
    if loaded >= needed or (loaded and loaded == model.context_length):
        return with_context(question, loaded)
    around = await _around(engine)
    if not loaded and needed <= _usual(around, model):
        return with_context(question, 0)
    found = await _largest(engine, model, prompt, needed, around)
    return with_context(question, found.tokens or loaded)


async def widened(engine: Engine, question: Question, model: Model, error: PromptTooLongError) -> Room:
    """Return the context that holds a prompt which was refused, or why there is none.

    Only where the question leaves the context open and nothing else is known to be in the way: the server's numbers are
    there, the model was made for so much, and this machine has the memory.
    """
    if CONTEXT in model.ignores or not error.resizable:
        return Room()
    given, limit = dict(question.options).get(CONTEXT), model.context_length
    if limit and (error.prompt + 1 >= limit or (isinstance(given, int) and given >= limit)):
        hint = f"the model holds no more than {limit} tokens: send less, or ask a model that holds more"
        return Room(hint=hint)
    if not (question.widens and error.prompt):
        return Room()
    around = await _around(engine)
    if not around.machine.known and question.widens != "anywhere":
        return Room()
    return await _largest(engine, model, error.prompt, error.prompt + _reply_room(question), around)


def with_context(question: Question, tokens: int) -> Question:
    """Return the question with that context; 0 is the server's own."""
    kept = tuple(pair for pair in question.options if pair[0] != CONTEXT)
    return question._replace(options=(*kept, (CONTEXT, tokens)) if tokens else kept)


def prompt_tokens(question: Question, model: Model | None = None, around: int = AROUND) -> int:
    """Return about how many tokens a prompt has, rather too many than too few.

    Args:
        question: what is asked.
        model: who is asked, whose system prompt is a part of it; None where that is not known.
        around: tokens of what is written around it, by the chat template and by the prompt that asks for reflection.
    """
    said = [*(message.content for message in question.history), question.prompt, question.so_far, question.wish.system]
    size = sum(len(text.encode(errors="replace")) for text in (*said, model.system if model else ""))
    images = len(question.images) + sum(len(message.images) for message in question.history)
    return size // BYTES_PER_TOKEN + images * IMAGE_TOKENS + around


def _reply_room(question: Question) -> int:
    limit = dict(question.options).get("num_predict")
    return limit if isinstance(limit, int) and limit > 0 else REPLY_ROOM


async def _loaded(engine: Engine, model: Model) -> int:
    """Return the context that the model is loaded with; 0 where it is not, or the server does not say."""
    from reflectty.library.sharing import loaded_with  # noqa: PLC0415 - only a context that is chosen needs it

    try:
        found = await loaded_with(engine, model, await engine.running())
    except ReflecttyError:
        return 0
    return found.context_length if found else 0


async def _largest(engine: Engine, model: Model, prompt: int, needed: int, around: Around) -> Room:
    """Return the first of several contexts that model and memory allow: with room for a long reply, or for a short."""
    limit = model.context_length or needed * 2
    tries = (_rounded(needed), -(-needed // LEAST_ROOM) * LEAST_ROOM, prompt + LEAST_ROOM)
    fitting = _Memory(engine, model, around)
    for tokens in dict.fromkeys(min(size, limit) for size in tries):
        if tokens > prompt and await fitting.holds(tokens):
            return Room(tokens)
    return Room(hint="this machine has no memory for a context that holds it: send less, or ask a smaller model")


def _rounded(tokens: int) -> int:
    return max(SMALLEST, 1 << (tokens - 1).bit_length())


def _usual(around: Around, model: Model) -> int:
    """Return the context that the server loads a model with by itself."""
    from reflectty.fitting import usual_load  # noqa: PLC0415 - only a context that is chosen needs it

    return usual_load(around.machine, parameters=model.parameters, environment=around.environment).context


async def _around(engine: Engine) -> Around:
    """Return what is known of where the server runs; of another machine than this, nothing."""
    from reflectty.library.first import around_here  # noqa: PLC0415 - the same

    return await around_here(local=bool(getattr(engine, "local", False)))


class _Memory:
    """Whether a machine has the memory for a model at a context; what is not known is no obstacle."""

    def __init__(self, engine: Engine, model: Model, around: Around) -> None:
        self._engine = engine
        self._model = model
        self._around = around
        self._info: Mapping[str, object] | None = None
        self._size = 0

    async def holds(self, context: int) -> bool:
        """Whether the model fits with it, and as many layers on the GPUs as without it."""
        if not self._around.machine.known or not await self._known():
            return True
        from reflectty.fitting import Fit  # noqa: PLC0415 - only a context that is chosen needs it

        before, after = self._fit(_usual(self._around, self._model)), self._fit(context)
        return after is not Fit.NOT and (after is Fit.WHOLE or before is not Fit.WHOLE)

    async def _known(self) -> bool:
        if self._info is None:
            tell = getattr(self._engine, "info", None)
            try:
                self._info = await tell(self._model.name) if tell else {}
                running = await self._engine.running()
                self._size = self._model.size or await self._listed()
            except ReflecttyError:
                self._info = {}
                return False
            from reflectty.fitting import freed  # noqa: PLC0415 - the same

            machine = freed(self._around.machine, sum(one.size_vram for one in running))
            self._around = self._around._replace(machine=machine)
        return bool(self._info)

    async def _listed(self) -> int:
        listed = await self._engine.models()
        return next((one.size for one in listed if is_same(one.name, self._model.name)), 0)

    def _fit(self, context: int) -> str:
        from reflectty.fitting import estimate, placed, usual_load  # noqa: PLC0415 - the same

        machine, environment = self._around
        load = usual_load(machine, context=context, parameters=self._model.parameters, environment=environment)
        return placed(estimate(self._info or {}, self._size, load, self._model.quantization), machine).fit
