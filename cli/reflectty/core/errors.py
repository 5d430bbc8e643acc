"""The errors shown to the user, each with its exit code and a hint at the next step.

ReflecttyError               1  never raised itself
├── UsageError               2  the command line or its input is wrong
├── UnreachableError         3  no server of the expected kind answers at the host
├── RefusedError             4  the server refused before the reply began
│   ├── ModelMissingError       the model is not installed
│   ├── PromptTooLongError      the prompt does not fit the context
│   ├── OptionError             the server has no option of that name
│   └── BusyError               the queue is full, after retries
├── IncompleteError          5  the reply began, or should have, and has no complete answer
│   ├── StalledError            silence for longer than the timeout
│   ├── CirclingError           the model repeated itself until the server ended it
│   ├── CrowdedError            several replies filled the context that they share
│   ├── NoAnswerError           the reply ended without an answer
│   └── DeadlineError       8   the time allowed for the run is over
├── OutputError              6  the answer could not be written
├── StoreError               6  stored data could not be written or read
├── SchemaError              7  the answer does not fit the requested schema
└── StoppedError         129..  a signal or a closed pipe ended the command; 1 if it found or did nothing
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class ReflecttyError(Exception):
    """One line for the user about what went wrong; `hint` is the next step."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    @property
    def with_hint(self) -> str:
        """The message, and the hint in parentheses."""
        return f"{self} ({self.hint})" if self.hint else str(self)


class UsageError(ReflecttyError):
    """The command line, a file or stdin cannot be used as given."""

    exit_code = 2


class NoSessionError(UsageError):
    """No session matches a name."""


class UnreachableError(ReflecttyError):
    """Nothing listens at the host, its name does not resolve, or it is not a server of the expected kind.

    `unknown_path` if a server answers but does not have the requested path; `other_server_hint` says how to use another
    server found on this machine.
    """

    exit_code = 3

    def __init__(
        self, message: str, hint: str = "", *, unknown_path: bool = False, other_server_hint: str = ""
    ) -> None:
        super().__init__(message, "; ".join(filter(None, (hint, other_server_hint))))
        self.unknown_path = unknown_path
        self.other_server_hint = other_server_hint


class RefusedError(ReflecttyError):
    """The server answered with an error before the reply began; `transient` if a retry may succeed."""

    exit_code = 4

    def __init__(self, message: str, hint: str = "", *, transient: bool = False) -> None:
        super().__init__(message, hint)
        self.transient = transient


class ModelMissingError(RefusedError):
    """The model is not installed on the server."""


class PromptTooLongError(RefusedError):
    """The prompt has more tokens than the context holds; `resizable` if a request can ask for a larger one."""

    def __init__(self, message: str, hint: str = "", *, resizable: bool = True, prompt_tokens: int = 0) -> None:
        super().__init__(message, hint)
        self.resizable = resizable
        self.prompt_tokens = prompt_tokens
        """Tokens of the prompt as counted by the server; 0 when unknown."""


class OptionError(RefusedError):
    """The server has no option of that name."""

    def __init__(self, message: str, hint: str = "", *, option: str = "") -> None:
        super().__init__(message, hint)
        self.option = option


class BusyError(RefusedError):
    """The server's queue was still full after the retries; `rate_limited` if the server limits the request rate.

    `retry_after` is the wait that the server requests, in seconds; 0 if it names none.
    """

    def __init__(self, message: str, hint: str = "", *, rate_limited: bool = False, retry_after: float = 0.0) -> None:
        super().__init__(message, hint, transient=True)
        self.rate_limited = rate_limited
        self.retry_after = retry_after


class IncompleteError(ReflecttyError):
    """The reply was cut off: the connection ended, or the server failed in the middle."""

    exit_code = 5


class StalledError(IncompleteError):
    """The server sent nothing for longer than the timeout."""


class CirclingError(IncompleteError):
    """The model repeated itself until the server ended the reply."""


class CrowdedError(IncompleteError):
    """Concurrent replies filled the context that they share, and the server ended all of them."""


class NoAnswerError(IncompleteError):
    """The reply ended without a complete answer."""


class DeadlineError(IncompleteError):
    """The time that the user allowed for the run is over; the exit code is that of `timeout`."""

    exit_code = 8


class OutputError(ReflecttyError):
    """stdout is closed or full."""

    exit_code = 6


class StoreError(ReflecttyError):
    """Stored data could not be written or read."""

    exit_code = 6


class SchemaError(ReflecttyError):
    """The answer is not JSON, or JSON that does not fit the schema."""

    exit_code = 7


class StoppedError(ReflecttyError):
    """The command ends with a code and no message: a signal (128 + its number), or 1 if nothing was found or done."""

    def __init__(self, exit_code: int) -> None:
        super().__init__("")
        self.exit_code = exit_code


def reason_of(error: Exception) -> str:
    """The reason in an error of the operating system, else the error's own text, in lowercase."""
    return ((error.strerror if isinstance(error, OSError) else None) or str(error)).lower()


def internal_error_from(
    error: Exception, hint: str = "REFLECTTY_DEBUG=1 shows where; please report it"
) -> ReflecttyError:
    """The error that is shown for one that nobody foresaw; one of the operating system is no fault of the program."""
    if isinstance(error, OSError) and error.strerror:
        unforeseen = ReflecttyError(f"{error.filename}: {reason_of(error)}" if error.filename else reason_of(error))
    else:
        unforeseen = ReflecttyError(f"internal error: {type(error).__name__}: {error}", hint)
    unforeseen.__cause__ = error
    return unforeseen


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """A hint at similar words, or ""."""
    from difflib import get_close_matches

    similar = get_close_matches(word, list(choices), n=3)
    return f"did you mean {' or '.join(similar)}?" if similar else ""
