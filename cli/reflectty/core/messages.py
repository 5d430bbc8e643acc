"""Requests, reply chunks and models, and the `Engine` protocol that every server client fulfills."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Literal, Protocol, Self

from reflectty.core.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

MessageRole = Literal["system", "user", "assistant"]
OptionValue = int | float | bool | str | tuple[str, ...]
Arguments = tuple[tuple[str, bool | int | str], ...]
"""Arguments of a chat template, by name."""


class Effort(StrEnum):
    """How much a model should think."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    MAX = "max"


class KeepThinkingMode(StrEnum):
    """Whether the thinking of earlier turns is sent back to the model."""

    AUTO = "auto"
    ON = "on"
    OFF = "off"


class Message(NamedTuple):
    """One message as the model sees it; `images` are base64 texts."""

    role: MessageRole
    content: str
    images: tuple[str, ...] = ()
    thinking: str = ""
    """The thinking before the content; sent in a field of its own, never as tags in the content."""


class Bounds(NamedTuple):
    """The room that a request needs and has, in tokens; 0 when unknown."""

    prompt: int = 0
    """The maximum number of tokens in the prompt."""
    reply: int = 0
    """The maximum number of tokens in the reply, from the request or the model's own PARAMETER."""
    context: int = 0
    """The context length, where the request or the model's own PARAMETER names it."""

    @property
    def are_safe(self) -> bool:
        """Whether prompt and reply surely fit together, including the token being processed."""
        return self.prompt > 0 and self.reply > 0 and self.prompt + self.reply < self.context


class Request(NamedTuple):
    """One request for a reply."""

    model: str
    messages: tuple[Message, ...]
    options: tuple[tuple[str, OptionValue], ...] = ()
    think: bool | Effort | None = None
    """None omits the field, which is all that a model without the capability accepts."""
    arguments: Arguments = ()
    """What the model's chat template calls `think`, if it uses an unusual name; for servers that take arguments."""
    schema: str = ""
    """A JSON Schema as JSON text that the answer must fit, or ""."""
    keep_alive: str = ""
    """A number of seconds or a duration such as `5m`; empty means the server's default."""
    bounds: Bounds | None = None
    """The limits of the reply; None if not computed, or if the model runs on another host."""
    thinking_budget: int = 0
    """How many tokens the model may think, for servers that end the thinking themselves; 0 for no limit."""
    closing_sentence: str = ""
    """The last sentence of a thinking that such a server ends."""
    fits_context: bool = False
    """Whether prompt and reply surely fit the context, so that no server can cut either."""


class Usage(NamedTuple):
    """The server's counts for one reply; durations are in milliseconds, 0 if the server omits them."""

    prompt_tokens: int = 0
    reply_tokens: int = 0
    total_ms: float = 0.0
    load_ms: float = 0.0
    prompt_ms: float = 0.0
    reply_ms: float = 0.0
    cached_tokens: int = 0
    """Tokens of the prompt that were cached from an earlier request; `prompt_ms` covers the others."""
    thinking_tokens: int = 0
    """Tokens of the reply that were thinking, if the server counts them; else 0."""

    @property
    def prompt_per_second(self) -> float:
        """Prompt tokens read per second, without cached ones; 0 when unknown."""
        read = self.prompt_tokens - self.cached_tokens
        return read * 1000 / self.prompt_ms if self.prompt_ms > 0 and read > 0 else 0.0


class Chunk(NamedTuple):
    """One chunk of the stream; the last one has `done` and may carry text as well."""

    content: str = ""
    thinking: str = ""
    done: bool = False
    done_reason: str = ""
    usage: Usage | None = None
    tool_calls: tuple[str, ...] = ()
    """The names of tools that the model called; they are never run."""
    refusal: str = ""
    """The refusal that replaces an answer, from the field for refusals."""
    notes: tuple[str, ...] = ()
    """Remarks for the user about how the request was sent, one line each; often empty."""


class VocabularyTags(NamedTuple):
    """The tags in a model's vocabulary; empty if none are tokens of their own."""

    own_tokens: tuple[str, ...] = ()
    """Tokens that are tags, or a word of a tag with several words."""
    lost_tokens: tuple[str, ...] = ()
    """Tokens that are a tag, or a piece of one, and are missing from the model's output."""


class Model(NamedTuple):
    """One installed model as its server describes it."""

    name: str
    capabilities: tuple[str, ...] = ()
    template: str = ""
    system: str = ""
    parameters: str = ""
    context_length: int = 0
    """The longest context that the model was trained for, in tokens; 0 when unknown."""
    digest: str = ""
    modified_at: str = ""
    size: int = 0
    """Bytes on the server's disk; 0 when unknown."""
    parameter_size: str = ""
    """The number of parameters as the server writes it: `8.0B`."""
    quantization: str = ""
    license: str = ""
    unsupported_options: tuple[str, ...] = ()
    """Options that its server does not support."""
    notices: tuple[str, ...] = ()
    """Remarks for the user before it answers, one line each; often empty."""
    selection_reason: str = ""
    """Why it is the default model, in words; only for the one that its server's engine picked.

    The names of such an engine's models are ids, which are requested as listed.
    """
    remote_host: str = ""
    """The address to which its server forwards requests; empty if the server runs the model."""
    remote_model: str = ""
    """The model's name on that host."""
    sampling: tuple[tuple[str, float], ...] = ()
    """The options that its file sets, with their values."""
    examples: tuple[str, ...] = ()
    """Messages that its server puts before every conversation."""
    file_digests: tuple[str, ...] = ()
    """The digests of the files loaded for it; empty if the server does not report them."""
    grammar: str = ""
    """What enforces a schema on its server, a value of `core.schema.rewrite.Grammar`; empty when unknown."""
    sorts_schema_keys: bool = False
    """Whether the members of a schema reach the grammar in alphabetical order."""
    weights_digest: str = ""
    """The digest of the file with its vocabulary; empty if the server does not name it."""
    tags: VocabularyTags | None = None
    """The tags in its vocabulary; None if not inspected, or if the server does not report it."""
    server_context: int = 0
    """How many tokens, prompt and reply together, its server holds; 0 when unknown."""
    can_resume: bool = True
    """Whether its server can continue in the middle of a reply."""
    shows_tokens: bool = False
    """Whether its server reports the tokens of a reply, including those it removes from the text."""
    guessed: bool = False
    """Whether its server may leave the thinking in the content, so that only the first reply shows it."""
    prompt_endings: tuple[str, str] | None = None
    """The ends of a rendered prompt with thinking on and off, if the server renders one."""

    @property
    def is_jinja(self) -> bool:
        """Whether its template is the GGUF's own, which llama.cpp renders; Ollama's own templates are Go's.

        llama.cpp separates the thinking that such a template opens: the content of a reply never starts inside it.
        """
        return "{%" in self.template


class RunningModel(NamedTuple):
    """A model loaded in a server's memory; sizes in bytes."""

    name: str
    size: int = 0
    size_vram: int = 0
    """How much of it is in GPU memory."""
    context_length: int = 0
    """The context that it was loaded with, in tokens; 0 when unknown."""
    expires_at: str = ""
    """When the server will unload it."""
    parameter_size: str = ""
    quantization: str = ""
    removed: bool = False
    """Whether the server lists it under a name that is no longer installed."""


class Capacity(NamedTuple):
    """How many requests a server answers concurrently, by its own report."""

    slots: int = 0
    """0 when unknown."""
    shared_context: int = 0
    """The context in tokens that concurrent requests may have to share; 0 if each has its own."""


class Workload(NamedTuple):
    """A server's current load, from all clients."""

    running: int = 0
    """Requests being answered."""
    waiting: int = 0
    """Requests in the queue."""


class Timeouts(NamedTuple):
    """How long to wait for a server, in seconds."""

    connect: float = 5.0
    first: float = 300.0
    """For the status and the first bytes of a reply: loading the model and queued requests take time."""
    idle: float = 120.0
    """Between the bytes of a reply."""


class Vocabulary(NamedTuple):
    """The tokens of a model and their types, by id; both empty if the server does not send them."""

    tokens: tuple[str, ...] = ()
    types: tuple[int, ...] = ()


class Engine(Protocol):
    """Answers requests with the models of one server; subclasses inherit the answers of a server that reports less."""

    warning: str = ""
    """A user setting that could not be applied, for the user to read; often empty."""
    using_fallback: bool = False
    """Whether the built-in model answers because no server does."""
    manages_models: bool = True
    """Whether the server installs and removes models; False if it serves those that it was started with, by their ids.
    """
    reports_memory: bool = True
    """Whether the server reports where its models run."""
    local: bool = False
    """Whether the server is on this machine, judging by its address."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections to the server."""
        ...

    def chat(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Yield the reply's chunks; the last has `done`. Closing the generator stops the model."""
        ...

    def resume(self, request: Request, so_far: str) -> AsyncGenerator[Chunk, None]:
        """Yield what follows `so_far`, the raw beginning of the reply, tags included.

        `so_far` may include or omit an opener that the model's template writes itself.
        """
        ...

    async def show(self, model: str) -> Model:
        """The server's description of a model.

        Raises:
            ModelMissingError: it is not installed.
        """
        ...

    async def models(self) -> tuple[Model, ...]:
        """The installed models."""
        ...

    async def running_models(self) -> tuple[RunningModel, ...]:
        """The loaded models."""
        ...

    async def version(self) -> str:
        """The server's version; `0.0.0` is a local build."""
        ...

    @property
    def software(self) -> str:
        """The name of the server software, if the engine serves several kinds and has identified it; else empty."""
        return ""

    @property
    def ends_thinking(self) -> bool:
        """Whether the server ends a thinking at the budget of a request."""
        return False

    async def info(self, model: str) -> Mapping[str, object]:  # noqa: ARG002 - for engines that report it
        """The metadata of a model's file, by key; empty if not reported."""
        return {}

    async def vocabulary(self, model: str) -> Vocabulary:  # noqa: ARG002 - the same
        """The tokens of a model; empty if not reported."""
        return Vocabulary()

    async def prompt(self, request: Request) -> str:  # noqa: ARG002 - the same
        """The rendered prompt that `resume` continues after; empty if it renders its own."""
        return ""

    async def opener(self, request: Request) -> str:  # noqa: ARG002 - the same
        """The tag that opens the model's thinking, even if the server's parser removes it; often empty."""
        return ""

    async def capacity(self, model: str) -> Capacity | None:  # noqa: ARG002 - the same
        """How many requests the server answers at once; None if it never reports that."""
        return None

    async def workload(self) -> Workload | None:
        """The running and waiting requests; None if not reported."""
        return None
