"""Requests, reply chunks and models, and the `Engine` protocol that every server client fulfills."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

MessageRole = Literal["system", "user", "assistant"]
OptionValue = int | float | bool | str | tuple[str, ...]
Arguments = tuple[tuple[str, bool | int | str], ...]
"""What a chat template is given, by name."""


class Effort(StrEnum):
    """How much a model is to think."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    MAX = "max"


class KeepThinkingMode(StrEnum):
    """Whether the thinking of earlier turns is handed back to a model."""

    AUTO = "auto"
    ON = "on"
    OFF = "off"


class Message(NamedTuple):
    """One turn as the model sees it; `images` are base64 texts."""

    role: MessageRole
    content: str
    images: tuple[str, ...] = ()
    thinking: str = ""
    """What the model thought before a content of its own; sent in a field, never as tags in the content."""


class Bounds(NamedTuple):
    """What is known of the room that a request needs and has, in tokens; 0 where it is not known."""

    prompt: int = 0
    """How many its prompt has at most."""
    reply: int = 0
    """How many its reply may have, as the request says or the model's own PARAMETER."""
    context: int = 0
    """The context that it is answered in, where the request names it or the model's own PARAMETER."""

    @property
    def are_safe(self) -> bool:
        """Whether prompt and reply surely fit together, with the token that is being read."""
        return self.prompt > 0 and self.reply > 0 and self.prompt + self.reply < self.context


class Request(NamedTuple):
    """One request for a reply."""

    model: str
    messages: tuple[Message, ...]
    options: tuple[tuple[str, OptionValue], ...] = ()
    think: bool | Effort | None = None
    """None leaves it out, which is all that a model without the capability accepts."""
    arguments: Arguments = ()
    """What the model's chat template calls that, where it is not called as usual; for servers that take arguments."""
    schema: str = ""
    """A JSON Schema as JSON text that the answer is held to, or nothing."""
    keep_alive: str = ""
    """A number of seconds or a duration such as `5m`; empty is the server's default."""
    bounds: Bounds | None = None
    """What its reply may be kept within; None where nobody has looked, or another server than ours answers."""
    fits_context: bool = False
    """Whether prompt and reply surely fit the context, so that no server could cut either."""


class Usage(NamedTuple):
    """What the server counted for one reply; a duration is in milliseconds, 0 where the server left it out."""

    prompt_tokens: int = 0
    reply_tokens: int = 0
    total_ms: float = 0.0
    load_ms: float = 0.0
    prompt_ms: float = 0.0
    reply_ms: float = 0.0
    cached_tokens: int = 0
    """Those of the prompt that were known from an earlier request; `prompt_ms` was spent on the others."""
    thinking_tokens: int = 0
    """Those of the reply that were thinking, where the server counted them; else 0."""

    @property
    def prompt_per_second(self) -> float:
        """How many tokens of the prompt were read a second, those not counted that were known; 0 while unknown."""
        read = self.prompt_tokens - self.cached_tokens
        return read * 1000 / self.prompt_ms if self.prompt_ms > 0 and read > 0 else 0.0


class Chunk(NamedTuple):
    """One piece off the wire; the last one has `done` and may carry text as well."""

    content: str = ""
    thinking: str = ""
    done: bool = False
    done_reason: str = ""
    usage: Usage | None = None
    tool_calls: tuple[str, ...] = ()
    """The names of tools that the model called; nobody runs them."""
    refusal: str = ""
    """What it said in place of an answer, in a field that is for refusals alone."""
    notes: tuple[str, ...] = ()
    """What the user is told about how the request was sent, each in a line; often nothing."""


class VocabularyTags(NamedTuple):
    """What a model's vocabulary says of tags; nothing where it has none that are tokens of their own."""

    own_tokens: tuple[str, ...] = ()
    """Tokens that are tags, or a word of one that is more than a word."""
    lost_tokens: tuple[str, ...] = ()
    """Tokens that are a tag, or a piece of one, and are left out of what the model says."""


class Model(NamedTuple):
    """What a server says of one installed model."""

    name: str
    capabilities: tuple[str, ...] = ()
    template: str = ""
    system: str = ""
    parameters: str = ""
    context_length: int = 0
    """The longest context that the model was made for, in tokens; 0 when unknown."""
    digest: str = ""
    modified_at: str = ""
    size: int = 0
    """Bytes on the server's disk; 0 when unknown."""
    parameter_size: str = ""
    """How many parameters it has, as the server writes it: `8.0B`."""
    quantization: str = ""
    license: str = ""
    unsupported_options: tuple[str, ...] = ()
    """Options that its server has no counterpart for."""
    notices: tuple[str, ...] = ()
    """What the user is told before it answers, each in a line; often nothing."""
    selection_reason: str = ""
    """Why it is the one to ask where none is named, in words; only of the one that its server's engine picked.

    Such an engine's names are ids, which are asked for as they are listed.
    """
    remote_host: str = ""
    """The address that its server passes questions on to; empty where the server runs it."""
    remote_model: str = ""
    """What it is called there."""
    sampling: tuple[tuple[str, float], ...] = ()
    """The options that its file sets, each with its value."""
    examples: tuple[str, ...] = ()
    """What its server puts before every conversation, a text for each message."""
    file_digests: tuple[str, ...] = ()
    """The digests of the files that are loaded for it; nothing where the server does not tell."""
    grammar: str = ""
    """What holds an answer to a schema on its server, a value of `schema.grammars.Grammar`; empty where unknown."""
    sorts_schema_keys: bool = False
    """Whether the members of a schema reach that grammar in alphabetical order."""
    weights_digest: str = ""
    """The digest of the file that its vocabulary is in; empty where the server does not name it."""
    tags: VocabularyTags | None = None
    """What its vocabulary says of tags; None where nobody has looked, or the server does not tell."""
    server_context: int = 0
    """How many tokens, prompt and reply together, its server holds; 0 when unknown."""
    can_resume: bool = True
    """Whether its server can go on in the middle of a reply."""
    shows_tokens: bool = False
    """Whether its server tells the tokens of a reply, also those that it takes out of the text."""
    guessed: bool = False
    """Whether its server may leave its thinking within the content, so that only the first reply tells."""
    prompt_endings: tuple[str, str] | None = None
    """How a rendered prompt ends with thinking on and with thinking off, where the server renders one."""

    @property
    def is_jinja(self) -> bool:
        """Whether its template is the GGUF's own, which llama.cpp renders; Ollama's own templates are Go's.

        What such a template opens is taken apart: the content of a reply never starts inside the thinking.
        """
        return "{%" in self.template


class RunningModel(NamedTuple):
    """A model that a server holds in memory; sizes in bytes."""

    name: str
    size: int = 0
    size_vram: int = 0
    """How much of it is in the memory of a GPU."""
    context_length: int = 0
    """The context that it was loaded with, in tokens; 0 when unknown."""
    expires_at: str = ""
    """When the server will unload it."""
    parameter_size: str = ""
    quantization: str = ""
    removed: bool = False
    """Whether the server lists it under a name that it has no model of any more."""


class Capacity(NamedTuple):
    """How many requests a server answers at the same time, as it tells itself."""

    slots: int = 0
    """0 where it does not tell."""
    shared_context: int = 0
    """Tokens of context that all requests answered at once may have to share; 0 where each has its own."""


class Workload(NamedTuple):
    """What a server is doing, for whomever."""

    running: int = 0
    """Requests that are being answered."""
    waiting: int = 0
    """Requests that wait for that."""


class Timeouts(NamedTuple):
    """How long to wait for a server, in seconds."""

    connect: float = 5.0
    first: float = 300.0
    """For the status and the first bytes of a reply: the model may have to be loaded, other requests come first."""
    idle: float = 120.0
    """Between the bytes of a reply."""


class Engine(Protocol):
    """Whatever can answer a request."""

    warning: str
    """What could not be used as the user gave it, for him to read; often nothing."""

    def chat(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Yield the reply's chunks; the last has `done`. Closing the generator stops the model."""
        ...

    def resume(self, request: Request, so_far: str) -> AsyncGenerator[Chunk, None]:
        """Yield what follows `so_far`, the raw beginning of the reply, tags included.

        An opener that the model's template writes by itself may be there or left out.
        """
        ...

    async def show(self, model: str) -> Model:
        """Return what the server knows of a model.

        Raises:
            ModelMissingError: it is not installed.
        """
        ...

    async def models(self) -> tuple[Model, ...]:
        """Return the installed models."""
        ...

    async def running_models(self) -> tuple[RunningModel, ...]:
        """Return the models that are loaded."""
        ...

    async def version(self) -> str:
        """Return the server's version; `0.0.0` is one that was built by hand."""
        ...

    async def aclose(self) -> None:
        """Close what is open towards the server."""
        ...
