"""The errors a user can meet, each with its exit code and a hint at what to do next.

ReflecttyError               1  never raised itself
├── UsageError               2  the command line or its input is wrong
├── UnreachableError         3  no server of the kind answers there
├── RefusedError             4  the server said no before the reply began
│   ├── ModelMissingError       the model is not installed
│   ├── PromptTooLongError      the prompt does not fit the context
│   ├── OptionError             the server takes no option of that name
│   └── BusyError               the queue is full, after retries
├── IncompleteError          5  the reply began, or should have, and has no complete answer
│   ├── StalledError            silence for longer than the timeout
│   ├── CirclingError            the model repeated itself until the server ended it
│   ├── CrowdedError            several replies filled a context that they share
│   └── NoAnswerError           the reply ended without an answer
├── OutputError              6  the answer could not be written
├── StoreError               6  what was to be kept could not be written or read
├── SchemaError              7  the answer does not fit the schema asked for
└── StoppedError         129..  a signal or a closed pipe ended the command
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class ReflecttyError(Exception):
    """One line for the user: what went wrong, and in `hint` what to do next."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(ReflecttyError):
    """The command line, a file or stdin cannot be used as given."""

    exit_code = 2


class UnreachableError(ReflecttyError):
    """Nothing listens at the host, its name does not resolve, or it is no server of the kind.

    `unknown_path` where a server answers, and has nothing at the path that was asked; `elsewhere` says how to ask
    another one that answers on this machine, where one was found.
    """

    exit_code = 3

    def __init__(
        self, message: str, hint: str = "", *, unknown_path: bool = False, other_server_hint: str = ""
    ) -> None:
        super().__init__(message, "; ".join(filter(None, (hint, other_server_hint))))
        self.unknown_path = unknown_path
        self.other_server_hint = other_server_hint


class RefusedError(ReflecttyError):
    """The server answered with an error before the reply began; `transient` where the next time it may not."""

    exit_code = 4

    def __init__(self, message: str, hint: str = "", *, transient: bool = False) -> None:
        super().__init__(message, hint)
        self.transient = transient


class ModelMissingError(RefusedError):
    """The model is not installed on the server."""


class PromptTooLongError(RefusedError):
    """The prompt has more tokens than the context holds; `resizable` where a request can ask for a larger one."""

    def __init__(self, message: str, hint: str = "", *, resizable: bool = True, prompt_tokens: int = 0) -> None:
        super().__init__(message, hint)
        self.resizable = resizable
        self.prompt_tokens = prompt_tokens
        """How many tokens it has by the server's count; 0 where that is not told."""


class OptionError(RefusedError):
    """The server takes no option of that name."""

    def __init__(self, message: str, hint: str = "", *, option: str = "") -> None:
        super().__init__(message, hint)
        self.option = option


class BusyError(RefusedError):
    """The server's queue was still full after the retries; `limited` where it counts how often it is asked.

    `retry_after` is how many seconds it wants to be left alone, or 0 where it does not say.
    """

    def __init__(self, message: str, hint: str = "", *, rate_limited: bool = False, retry_after: float = 0.0) -> None:
        super().__init__(message, hint, transient=True)
        self.rate_limited = rate_limited
        self.retry_after = retry_after


class IncompleteError(ReflecttyError):
    """The reply was cut: the connection ended, or the server failed in the middle."""

    exit_code = 5


class StalledError(IncompleteError):
    """The server sent nothing for longer than the timeout."""


class CirclingError(IncompleteError):
    """The model said the same over and over until the server ended the reply."""


class CrowdedError(IncompleteError):
    """Replies that came at the same time filled the context that they share, and the server ended all of them."""


class NoAnswerError(IncompleteError):
    """The reply ended and holds no complete answer."""


class OutputError(ReflecttyError):
    """stdout is closed or full."""

    exit_code = 6


class StoreError(ReflecttyError):
    """What was to be kept could not be written, or what was kept could not be read."""

    exit_code = 6


class SchemaError(ReflecttyError):
    """The answer is no JSON, or JSON that the schema does not allow."""

    exit_code = 7


class StoppedError(ReflecttyError):
    """A signal (128 + its number) ended the command; says nothing."""

    def __init__(self, exit_code: int) -> None:
        super().__init__("")
        self.exit_code = exit_code


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a hint at the words that look like this one, or nothing."""
    from difflib import get_close_matches

    found = get_close_matches(word, list(known), n=3)
    return f"did you mean {' or '.join(found)}?" if found else ""
