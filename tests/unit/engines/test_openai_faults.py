"""Faults of an OpenAI-compatible server: the error raised, and the text that remains.

Faults in HTTP and below it are in test_faults.py: the engines share the code for it.
"""

from __future__ import annotations

import pytest

from reflectty.core.errors import (
    BusyError,
    IncompleteError,
    ModelMissingError,
    PromptTooLongError,
    ReflecttyError,
    RefusedError,
    StalledError,
    UnreachableError,
)
from support.engine_outcome import FADING, PATIENT, SILENT
from support.fake_server import HANG, Answer, FakeServer, Pause, Raw, whole
from support.faults import HEARD, NOW, PAGE, Fault, closed_port, cut, page, params, reset_after
from support.openai_outcome import ask
from support.openai_replies import DONE, STREAM, chat_reply, chunk, event, text, usage_event

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from reflectty.core.messages import Timeouts
    from support.fake_replies import Step

ONE, TWO, STOP = text("one "), text("two"), chunk(finish="stop")
END = STOP + usage_event() + DONE
LONG = "This model's maximum context length is 4096 tokens. However, your messages resulted in 5000 tokens."


def stream(*steps: Step, **headers: str) -> Answer:
    return Answer(steps, headers=headers, content_type=STREAM)


def error(status: int, message: str, **headers: str) -> Answer:
    return whole({"error": {"message": message, "code": status}}, status, **headers)


BEFORE = (
    Fault("silence", Raw([HANG]), StalledError, says=f"sent nothing for {SILENT.first:g} s", timeouts=SILENT),
    Fault("comments, then silence", stream(b": hello\n\n", HANG), StalledError, timeouts=FADING),
    Fault("closed at once", Raw([]), UnreachableError, says="does not respond like an OpenAI-compatible server"),
    Fault("a page with 200", page(200), UnreachableError, says="not an OpenAI-compatible server: it sent a web page"),
    Fault("a list with 200", stream(event([1])), UnreachableError, says="unexpected JSON"),
    Fault("Ollama's protocol", stream(b'{"message":{"content":"x"},"done":true}\n'), UnreachableError, says="unexpected JSON"),
    Fault("plain text with 200", stream(b"Ollama is running"), UnreachableError),
    Fault("a line over the limit at once", stream(*[b"x" * 1024 * 1024] * 9), UnreachableError, says="8,388,608 bytes"),
)  # fmt: skip
REFUSED = (
    Fault("400", error(400, "bad top_p"), RefusedError, says="the server refused: bad top_p"),
    Fault("400 context", error(400, LONG), PromptTooLongError, says="5000 tokens, the context holds 4096"),
    Fault("401", whole({"error": "Unauthorized"}, 401), RefusedError, says="Unauthorized"),
    Fault(
        "404 model",
        error(404, "The model `m` does not exist."),
        ModelMissingError,
        says="m is not available on this server",
    ),
    Fault("404 page", page(404), UnreachableError),
    Fault("404 path", whole({"detail": "Not Found"}, 404), UnreachableError),
    Fault("422", whole({"detail": [{"loc": ["body", "n"], "msg": "bad"}]}, 422), RefusedError, says="n: bad"),
    Fault("429", error(429, "slow down", **NOW), BusyError, says="slow down"),
    Fault("500", error(500, "CUDA error"), RefusedError, says="CUDA error"),
    Fault("503", error(503, "Loading model", **NOW), BusyError, says="Loading model"),
    Fault("307", whole({}, 307, Location="http://elsewhere.test/"), RefusedError, says="never redirected"),
)
DURING = (
    Fault("silence", stream(ONE, HANG), StalledError, "one ", f"sent nothing for {FADING.idle:g} s", FADING),
    Fault("no end", stream(ONE, TWO), IncompleteError, "one two", "ended before it was complete"),
    Fault("nothing at all", stream(), IncompleteError),
    Fault("an error", stream(ONE, event({"error": {"message": "bad"}})), IncompleteError, "one ", "the server stopped: bad"),
    Fault("an error as an event", stream(ONE, b"event: error\ndata: bad\n\n"), IncompleteError, "one ", "bad"),
    Fault("aborted", stream(ONE, chunk(finish="abort"), DONE), IncompleteError, "one ", "abort"),
    Fault("a page", stream(ONE, PAGE), IncompleteError, "one ", "a web page"),
    Fault("deep nesting", stream(ONE, b'data: {"a":' * 100_000 + b"\n\n"), IncompleteError, "one "),
    Fault("a line over the limit", stream(ONE, *[b"x" * 1024 * 1024] * 9), IncompleteError, "one "),
)  # fmt: skip
HARMLESS = (
    Fault("cut anywhere", stream(*cut(ONE + TWO + END, 7)), None, "one two"),
    Fault("all at once", stream(ONE + TWO + END), None, "one two"),
    Fault("no figures", stream(ONE, STOP, DONE), None, "one "),
    Fault("no end of the stream", stream(ONE, STOP), None, "one "),
    Fault("silence instead of the figures", stream(ONE + STOP, HANG), None, "one ", timeouts=FADING),
    Fault("reset instead of the figures", reset_after(ONE + STOP, content_type=STREAM), None, "one "),
    Fault("an error instead of the figures", stream(text("one<eos>"), STOP, event({"error": "x"})), None, "one"),
    Fault("a page instead of the figures", stream(text("one<eos>"), STOP, PAGE), None, "one"),
    Fault("silence after the end", stream(ONE + END, HANG), None, "one ", timeouts=FADING),
    Fault("comments between", stream(ONE, b":\n\n", TWO, END), None, "one two"),
    Fault("busy for a moment", chat_reply(["one "]), None, "one "),
)
FAULTS = {"before": BEFORE, "refused": REFUSED, "during": DURING, "harmless": HARMLESS}


@pytest.mark.parametrize("fault", params(FAULTS))
def test_fault_raises_its_error_and_preserves_partial_text(fault: Fault) -> None:
    HEARD.clear()
    with FakeServer({"/v1/chat/completions": fault.script}) as server:
        outcome = ask(server.host, timeouts=fault.timeouts, heard=HEARD.set)
    assert type(outcome.error) is (fault.error or type(None)), outcome.error
    assert outcome.text == fault.kept
    assert outcome.complete is (fault.error is None)
    assert fault.says in str(outcome.error)


def test_closed_port_is_unreachable_with_a_hint() -> None:
    error: ReflecttyError | None = ask(closed_port()).error
    assert type(error) is UnreachableError
    assert "Connection refused" in str(error)
    assert "REFLECTTY_HOST" in error.hint
    assert "ollama" not in error.hint


@pytest.mark.parametrize("status", [429, 503])
def test_briefly_busy_server_is_retried(status: int) -> None:
    busy = error(status, "busy", **NOW)
    with FakeServer({"/v1/chat/completions": [busy, busy, chat_reply(["hi"])]}) as server:
        assert ask(server.host).text == "hi"
        assert len(server.requests) == 3


def comments(*before: bytes) -> Iterator[Step]:
    yield from before
    while True:
        yield b": keep-alive\n\n"
        yield Pause(0.05)


@pytest.mark.parametrize(
    ("before", "timeouts", "kept", "says"),
    [
        ((ONE,), FADING, "one ", f"sent nothing for {FADING.idle:g} s"),
        ((), SILENT, "", f"sent nothing for {4 * SILENT.first:g} s"),
    ],
)
def test_comments_do_not_keep_a_stalled_reply_alive(
    before: tuple[bytes, ...], timeouts: Timeouts, kept: str, says: str
) -> None:
    HEARD.clear()
    with FakeServer({"/v1/chat/completions": Answer(lambda: comments(*before), content_type=STREAM)}) as server:
        outcome = ask(server.host, timeouts=timeouts, heard=HEARD.set)
    assert type(outcome.error) is StalledError
    assert "only keeps the connection open" in outcome.error.hint
    assert outcome.text == kept
    assert says in str(outcome.error)


def test_comments_keep_a_queued_request_alive() -> None:
    waiting = [step for _ in range(10) for step in (b": keep-alive\n\n", Pause(0.05))]
    with FakeServer({"/v1/chat/completions": stream(*waiting, ONE, END)}) as server:
        outcome = ask(server.host, timeouts=PATIENT._replace(first=0.3, idle=0.3))
    assert (outcome.text, outcome.error) == ("one ", None)


def test_comments_after_the_end_are_not_waited_for() -> None:
    with FakeServer({"/v1/chat/completions": Answer(lambda: comments(ONE + STOP), content_type=STREAM)}) as server:
        outcome = ask(server.host, timeouts=FADING)
    assert (outcome.text, outcome.complete) == ("one ", True)
