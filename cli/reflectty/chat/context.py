"""Chooses the context length (num_ctx) of a question whose options leave it open.

Ollama reloads a model whenever a request's context differs from the loaded one (2 s for a model of 270 million
parameters, a minute for a large one). So the loaded context is kept if it holds the question, and a new one is a power
of two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reflectty.core.errors import PromptTooLongError, ReflecttyError
from reflectty.core.model_names import is_same_model
from reflectty.core.named_tuple import NamedTuple
from reflectty.core.options import NUM_CTX

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reflectty.chat.request import Question
    from reflectty.core.messages import Engine, Model
    from reflectty.models.fit import ServerHardware

BYTES_PER_TOKEN: Final = 3
"""A low estimate: English prose has four or five, Chinese three, code and tables fewer than prose."""
IMAGE_TOKENS: Final = 1024
TEMPLATE_TOKENS: Final = 512
"""Tokens added to a prompt when a context is chosen; generous, since a context that is too small costs a reload."""
REPLY_TOKENS: Final = 4096
"""Tokens for the thinking and the answer."""
MIN_REPLY_TOKENS: Final = 1024
MIN_CONTEXT_TOKENS: Final = 4096
LONG_CONTEXT_TOKENS: Final = 16384
"""Advised if the server does not count the prompt's tokens."""


class ContextChoice(NamedTuple):
    """A larger context, or the reason why there is none."""

    tokens: int = 0
    """The context to request; 0 leaves it unchanged."""
    hint: str = ""
    """Why the context cannot be larger; empty if unknown or if it can."""


async def choose_context(engine: Engine, question: Question, model: Model) -> Question:
    """Replace `num_ctx=auto`, which the question has, by a context, or by the server's default if that holds it.

    Args:
        engine: the server's engine.
        question: the question.
        model: the model that answers.
    """
    question = question._replace(context_growth="anywhere")
    if NUM_CTX in model.unsupported_options:
        return with_context(question, 0)
    prompt = prompt_tokens(question, model)
    needed = prompt + _reply_tokens_of(question)
    loaded = await _loaded_context(engine, model)
    if loaded >= needed or (loaded and loaded == model.context_length):
        return with_context(question, loaded)
    hardware = await _detect_hardware(engine)
    if not loaded and needed <= _default_context(hardware, model):
        return with_context(question, 0)
    choice = await _find_fitting_context(engine, model, prompt, needed, hardware)
    return with_context(question, choice.tokens or loaded)


async def find_larger_context(
    engine: Engine, question: Question, model: Model, error: PromptTooLongError
) -> ContextChoice:
    """Find a context that holds a refused prompt, or the reason why there is none.

    The question must leave the context open, the server must report the token counts, and the model and the memory of
    this machine must allow the size.
    """
    if NUM_CTX in model.unsupported_options or not error.resizable:
        return ContextChoice()
    requested, limit = dict(question.ask_options.options).get(NUM_CTX), model.context_length
    if limit and (error.prompt_tokens + 1 >= limit or (isinstance(requested, int) and requested >= limit)):
        hint = f"the model's maximum context is {limit} tokens: send less, or use a model with a larger one"
        return ContextChoice(hint=hint)
    if not (question.context_growth and error.prompt_tokens):
        return ContextChoice()
    hardware = await _detect_hardware(engine)
    if not hardware.machine.known and question.context_growth != "anywhere":
        return ContextChoice()
    return await _find_fitting_context(
        engine, model, error.prompt_tokens, error.prompt_tokens + _reply_tokens_of(question), hardware
    )


def context_advice(question: Question, model: Model, error: PromptTooLongError) -> str:
    """The advice to set a context that holds a refused prompt: within the model's limit, above the one given.

    Empty if the server's requests cannot set one.
    """
    if NUM_CTX in model.unsupported_options or not error.resizable:
        return ""
    option, prompt = dict(question.ask_options.options).get(NUM_CTX), error.prompt_tokens
    given = option if isinstance(option, int) else 0
    wanted = _round_up(prompt + MIN_REPLY_TOKENS) if prompt else max(LONG_CONTEXT_TOKENS, given * 2)
    wanted = min(wanted, model.context_length or wanted)
    if given >= wanted:
        return f"num_ctx={given} would hold it, but the server did not load the model with that: send less"
    return f"set -o num_ctx={wanted}, which needs more memory, or send less"


def with_context(question: Question, tokens: int) -> Question:
    """Set the context of a question; 0 is the server's default."""
    other_options = tuple(pair for pair in question.ask_options.options if pair[0] != NUM_CTX)
    options = (*other_options, (NUM_CTX, tokens)) if tokens else other_options
    return question._replace(ask_options=question.ask_options._replace(options=options))


def prompt_tokens(question: Question, model: Model | None = None, template_tokens: int = TEMPLATE_TOKENS) -> int:
    """Estimate the tokens of a prompt, rather too many than too few.

    Args:
        question: the question.
        model: the model, whose system prompt counts; None if unknown.
        template_tokens: tokens that the chat template and the reflection prompt add.
    """
    texts = [
        *(message.content for message in question.history),
        question.prompt,
        question.reply_prefix,
        question.ask_options.system,
    ]
    size = sum(len(text.encode(errors="replace")) for text in (*texts, model.system if model else ""))
    images = len(question.images) + sum(len(message.images) for message in question.history)
    return size // BYTES_PER_TOKEN + images * IMAGE_TOKENS + template_tokens


def _reply_tokens_of(question: Question) -> int:
    limit = dict(question.ask_options.options).get("num_predict")
    return limit if isinstance(limit, int) and limit > 0 else REPLY_TOKENS


async def _loaded_context(engine: Engine, model: Model) -> int:
    """The context that the model is loaded with; 0 if it is not loaded or the server does not report it."""
    from reflectty.models.installed import find_running_by_files

    try:
        running = await find_running_by_files(engine, model, await engine.running_models())
    except ReflecttyError:
        return 0
    return running.context_length if running else 0


async def _find_fitting_context(
    engine: Engine, model: Model, prompt: int, needed: int, hardware: ServerHardware
) -> ContextChoice:
    """The first context that model and memory allow: with room for a long reply, or else for a short one."""
    limit = model.context_length or needed * 2
    sizes = (_round_up(needed), -(-needed // MIN_REPLY_TOKENS) * MIN_REPLY_TOKENS, prompt + MIN_REPLY_TOKENS)
    fitting = _MemoryCheck(engine, model, hardware)
    for tokens in dict.fromkeys(min(size, limit) for size in sizes):
        if tokens > prompt and await fitting.can_hold(tokens):
            return ContextChoice(tokens)
    return ContextChoice(
        hint="this machine lacks the memory for a large enough context: send less, or use a smaller model"
    )


def _round_up(tokens: int) -> int:
    return max(MIN_CONTEXT_TOKENS, 1 << (tokens - 1).bit_length())


def _default_context(hardware: ServerHardware, model: Model) -> int:
    """The context that the server loads a model with by default."""
    from reflectty.models.fit import default_load

    return default_load(hardware.machine, parameters=model.parameters, environment=hardware.environment).context


async def _detect_hardware(engine: Engine) -> ServerHardware:
    """The hardware of the server if it is this machine; otherwise unknown."""
    from reflectty.models.hardware import detect_hardware

    return await detect_hardware(local=engine.local)


class _MemoryCheck:
    """Checks whether a machine has the memory for a model at a context; unknown memory counts as enough."""

    def __init__(self, engine: Engine, model: Model, hardware: ServerHardware) -> None:
        self._engine = engine
        self._model = model
        self._hardware = hardware
        self._info: Mapping[str, object] | None = None
        self._size = 0

    async def can_hold(self, context: int) -> bool:
        """True if the model fits with this context, and stays whole on the GPUs if it is by default."""
        if not self._hardware.machine.known or not await self._load_facts():
            return True
        from reflectty.models.fit import Fit

        before, after = self._fit(_default_context(self._hardware, self._model)), self._fit(context)
        return after is not Fit.NOT and (after is Fit.WHOLE or before is not Fit.WHOLE)

    async def _load_facts(self) -> bool:
        if self._info is None:
            try:
                self._info = await self._engine.info(self._model.name)
                running = await self._engine.running_models()
                self._size = self._model.size or await self._find_listed_size()
            except ReflecttyError:
                self._info = {}
                return False
            from reflectty.models.fit import without_loaded

            machine = without_loaded(self._hardware.machine, sum(one.size_vram for one in running))
            self._hardware = self._hardware._replace(machine=machine)
        return bool(self._info)

    async def _find_listed_size(self) -> int:
        listed = await self._engine.models()
        return next((one.size for one in listed if is_same_model(one.name, self._model.name)), 0)

    def _fit(self, context: int) -> str:
        from reflectty.models.estimate import estimate_memory
        from reflectty.models.fit import default_load, place_on

        machine, environment = self._hardware
        load = default_load(machine, context=context, parameters=self._model.parameters, environment=environment)
        return place_on(estimate_memory(self._info or {}, self._size, load, self._model.quantization), machine).fit
