"""Faults of a server: the error raised, and the text that remains."""

from __future__ import annotations

import gzip
import socket
from typing import TYPE_CHECKING, Any

import pytest

from reflectty.core.errors import (
    BusyError,
    IncompleteError,
    ModelMissingError,
    PromptTooLongError,
    RefusedError,
    StalledError,
    UnreachableError,
)
from support.engine_outcome import FADING, PATIENT, SILENT, ask
from support.event_loops import ClockedLoop
from support.fake_server import CLOSE, HANG, RESET, Answer, FakeServer, Raw, done, error, line, reply, whole
from support.faults import HEARD, NOW, PAGE, Fault, closed_port, cut, page, params, reset_after
from support.waiting import PATIENCE

if TYPE_CHECKING:
    from support.fake_replies import Step
    from support.fake_server import Script

ONE, TWO, END = line("one "), line("two"), line(**done())
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n"
STREAM = OK + b"Transfer-Encoding: chunked\r\n\r\n"
SHORT = OK + b"Content-Length: 9999\r\n\r\n"
NESTED = '{"error":{"code":500,"message":"CUDA error","type":"server_error"}}'
TOO_LONG = '{"error":{"message":"too long","type":"exceed_context_size_error","n_prompt_tokens":3017,"n_ctx":512}}'


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def stream(*steps: Step, **headers: str) -> Answer:
    return Answer(steps, headers={name.replace("_", "-"): value for name, value in headers.items()})


def content(value: Any) -> bytes:
    return line(message={"role": "assistant", "content": value})


BELOW = {
    "before": (
        Fault("silence", Raw([HANG]), StalledError, says=f"sent nothing for {SILENT.first:g} s", timeouts=SILENT),
        Fault("half the headers, then silence", Raw([OK, HANG]), StalledError, timeouts=SILENT),
        Fault("headers, then silence", Raw([STREAM, HANG]), StalledError, timeouts=SILENT),
        Fault("closed at once", Raw([]), UnreachableError),
        Fault("reset at once", Raw([RESET]), UnreachableError),
        Fault("another protocol", Raw([b"SSH-2.0-OpenSSH_9.9\r\n\r\n"]), UnreachableError, says="illegal status line"),
        Fault("half a status line", Raw([b"HTTP/1.1 2"]), UnreachableError),
        Fault("half the headers", Raw([OK]), UnreachableError),
        Fault("endless headers", Raw([OK, *[b"X-Y: " + b"z" * 60_000 + b"\r\n"] * 20]), UnreachableError),
    ),
    "refused": (
        Fault("403 empty", Answer([], 403, {"Content-Length": "0"}), RefusedError, says="HTTP 403, no message"),
        Fault("500 cut", Raw([b"HTTP/1.1 500 No\r\nContent-Length: 99\r\n\r\n{"]), RefusedError),
        Fault(
            "500 and silence",
            Raw([b"HTTP/1.1 500 No\r\nContent-Length: 99\r\n\r\n{", HANG]),
            RefusedError,
            timeouts=FADING,
        ),
        Fault("301", whole({}, 301, Location="http://elsewhere.test/"), RefusedError, says="http://elsewhere.test/"),
        Fault("204", Raw([b"HTTP/1.1 204 No Content\r\n\r\n"]), RefusedError, says="HTTP 204"),
    ),
    "during": (
        Fault("silence", stream(ONE, HANG), StalledError, "one ", f"sent nothing for {FADING.idle:g} s", FADING),
        Fault("silence in a line", stream(ONE + TWO[:20], HANG), StalledError, "one ", timeouts=FADING),
        Fault("reset", reset_after(ONE), IncompleteError, "one "),
        Fault("the stream is not ended", stream(ONE, CLOSE), IncompleteError, "one "),
        Fault("the end is in a chunk", Raw([STREAM, chunk(ONE), chunk(TWO)[:30]]), IncompleteError, "one "),
        Fault("the end is in a chunk's size", Raw([STREAM, chunk(ONE), b"4"]), IncompleteError, "one "),
        Fault("a chunk size that is none", Raw([STREAM, chunk(ONE), b"zz\r\n"]), IncompleteError, "one "),
        Fault("the length is not reached", Raw([SHORT, ONE]), IncompleteError, "one "),
        Fault("nothing at all", stream(), IncompleteError),
        Fault("a line over the limit", stream(ONE, *[b"x" * 1024 * 1024] * 9), IncompleteError, "one "),
        Fault("broken gzip", stream(b"\x1f\x8bnonsense", Content_Encoding="gzip"), IncompleteError),
    ),
    "harmless": (
        Fault("lines cut anywhere", stream(*cut(ONE + TWO + END, 7)), None, "one two"),
        Fault("all at once", stream(ONE + TWO + END), None, "one two"),
        Fault("gzip", stream(gzip.compress(ONE + END), Content_Encoding="gzip"), None, "one "),
        Fault("silence after done", stream(ONE + END, HANG), None, "one ", timeouts=FADING),
        Fault("reset after done", reset_after(ONE + END), None, "one "),
        Fault("HTTP/1.0 up to the end", Raw([b"HTTP/1.0 200 OK\r\n\r\n", ONE, END]), None, "one "),
        Fault("100 Continue before", Raw([b"HTTP/1.1 100 Continue\r\n\r\n", STREAM, chunk(ONE + END)]), None, "one "),
    ),
}
"""Faults in HTTP or below it: both transports have to report them, for all protocols."""
ABOVE = {
    "before": (
        Fault("a page with 200", page(200), UnreachableError, says="a web page"),
        Fault("a list with 200", stream(b"[1,2]\n"), UnreachableError, says="unexpected JSON"),
        Fault("another object with 200", stream(b'{"foo":1}\n'), UnreachableError, says="unexpected JSON"),
        Fault("plain text with 200", stream(b"Ollama is running"), UnreachableError, says="something other than JSON"),
        Fault("deep nesting at once", stream(b"[" * 100_000 + b"\n"), UnreachableError),
        Fault(
            "a line over the limit at once", stream(*[b"x" * 1024 * 1024] * 9), UnreachableError, says="8,388,608 bytes"
        ),
    ),
    "refused": (
        Fault("400", error(400, "invalid think value"), RefusedError, says="invalid think value"),
        Fault("400 nested", error(400, NESTED), RefusedError, says="the server refused: CUDA error"),
        Fault("400 context", error(400, TOO_LONG), PromptTooLongError, says="3017 tokens, the context holds 512"),
        Fault("401", error(401, "unauthorized"), RefusedError, says="unauthorized"),
        Fault("404 model", error(404, "model 'm' not found"), ModelMissingError, says="the model m is not installed"),
        Fault("404 page", page(404), UnreachableError),
        Fault("404 text", Answer([b"404 page not found"], 404, content_type="text/plain"), UnreachableError),
        Fault("404 of llama-server", whole({"error": {"message": "File Not Found"}}, 404), UnreachableError),
        Fault("429", error(429, "slow down", **NOW), BusyError, says="slow down"),
        Fault("429 for a week", error(429, "weekly usage limit reached"), RefusedError, says="weekly usage limit"),
        Fault("500", error(500, "out of memory"), RefusedError, says="out of memory"),
        Fault("500 empty", Answer([], 500, {"Content-Length": "0"}), RefusedError, says="HTTP 500, no message"),
        Fault("500 list", whole(["x"], 500), RefusedError, says='["x"]'),
        Fault("500 error object", whole({"error": {"message": "bad"}}, 500), RefusedError, says="bad"),
        Fault("503", error(503, "server busy", **NOW), BusyError, says="server busy"),
        Fault("503 page", Answer([PAGE], 503, NOW, "text/html"), BusyError, says="the server behind it does not"),
        Fault("504 page", page(504), BusyError, says="the server behind it does not (HTTP 504)"),
        Fault("401 page", page(401), RefusedError, says="requires a login"),
        Fault("302", whole({}, 302, Location="http://elsewhere.test/"), RefusedError, says="never redirected"),
        Fault("307", whole({}, 307, Location="http://elsewhere.test/"), RefusedError, says="never redirected"),
        Fault("308", whole({}, 308, Location="/api/chat/"), RefusedError, says="/api/chat/"),
    ),
    "during": (
        Fault("no done", stream(ONE, TWO), IncompleteError, "one two", "ended before it was complete"),
        Fault("only blank lines", stream(b"\n\r\n\n"), IncompleteError),
        Fault("half a line at the end", stream(ONE, TWO[:30]), IncompleteError, "one "),
        Fault("half the first line at the end", stream(ONE[:70]), IncompleteError),
        Fault("half the last line at the end", stream(ONE, END[:-3]), IncompleteError, "one "),
        Fault("an error", stream(ONE, b'{"error":"unexpected EOF"}\n'), IncompleteError, "one ", "unexpected EOF"),
        Fault("an error object", stream(ONE, b'{"error":{"message":"bad"}}\n'), IncompleteError, "one ", "bad"),
        Fault("an error in an error", stream(ONE, line(error=NESTED)), IncompleteError, "one ", "CUDA error"),
        Fault("an error as the first line", stream(b'{"error":"bad"}\n'), IncompleteError, says="bad"),
        Fault("a page", stream(ONE, PAGE), IncompleteError, "one ", "a web page"),
        Fault("a list", stream(ONE, b"[1,2]\n", END), IncompleteError, "one "),
        Fault("deep nesting", stream(ONE, b"[" * 100_000 + b"\n", END), IncompleteError, "one "),
        Fault("deep nesting in an object", stream(ONE, b'{"a":' * 100_000 + b"\n", END), IncompleteError, "one "),
        Fault("5000 digits", stream(ONE, b'{"eval_count":' + b"9" * 5000 + b"}\n", END), IncompleteError, "one "),
        Fault("two objects on a line", stream(ONE, TWO.strip() + END), IncompleteError, "one "),
    ),
    "harmless": (
        Fault("byte by byte", stream(*cut(line("ä€😀") + END, 1)), None, "ä€😀"),
        Fault("CRLF", stream((ONE + TWO + END).replace(b"\n", b"\r\n")), None, "one two"),
        Fault("no newline at the end", stream(ONE, END.strip()), None, "one "),
        Fault("unknown fields", stream(line("one", surprise=[1], logprobs={}), END), None, "one"),
        Fault("unknown lines", stream(ONE, b'{"status":"loading"}\n', TWO, END), None, "one two"),
        Fault("invalid UTF-8", stream(ONE.replace(b"one", b"\xff\xfe"), END), None, "�� "),
        Fault("half a surrogate pair", stream(ONE.replace(b"one", b"\\ud83d"), END), None, "� "),
        Fault("blank lines", stream(b"\n", ONE, b"\n  \r\n", END), None, "one "),
        Fault("a BOM", stream(b"\xef\xbb\xbf", ONE, END), None, "one "),
        Fault("U+0085 and U+2028 raw", stream(line("a\u0085b\u2028c\u2029d"), END), None, "a\u0085b\u2028c\u2029d"),
        Fault("a number as content", stream(content(42), END), None, "42"),
        Fault("no content", stream(content(None), END), None),
        Fault("text in the last line", stream(ONE, line("two", **done())), None, "one two"),
        Fault("done by its reason only", stream(ONE, line(done_reason="stop")), None, "one "),
        Fault("durations that are none", stream(ONE, line(**done(eval_duration="x", eval_count=-1))), None, "one "),
        Fault("text after done", stream(ONE, END, TWO, PAGE), None, "one "),
    ),
}
"""Errors in the body of a valid HTTP response."""


def test_fault_table_is_not_shortened() -> None:
    assert len(params(BELOW, ABOVE)) >= 53


@pytest.mark.parametrize("fault", params(BELOW, ABOVE))
def test_fault_raises_its_error_and_preserves_partial_text(fault: Fault) -> None:
    check(fault)


@pytest.mark.parametrize("fault", params(BELOW))
def test_fault_raises_the_same_error_through_httpx(fault: Fault) -> None:
    check(fault, through_httpx=True)


def check(fault: Fault, *, through_httpx: bool = False) -> None:
    HEARD.clear()
    with FakeServer({"/api/chat": fault.script}) as server:
        outcome = ask(server.host, timeouts=fault.timeouts, through_httpx=through_httpx, heard=HEARD.set)
    assert type(outcome.error) is (fault.error or type(None)), outcome.error
    assert outcome.text == fault.kept
    assert outcome.complete is (fault.error is None)
    assert fault.says in str(outcome.error)


def test_timeout_applies_to_each_silence_and_not_to_their_sum() -> None:
    loop = ClockedLoop()

    def go_on() -> None:
        loop.ahead += PATIENCE * 0.9

    with FakeServer({"/api/chat": stream(ONE, TWO, END)}) as server:
        outcome = ask(server.host, heard=go_on, loop=loop)
    assert loop.ahead > 2 * PATIENCE
    assert (outcome.text, outcome.complete) == ("one two", True)


@pytest.mark.parametrize("through_httpx", [False, True], ids=["local", "httpx"])
def test_closed_port_is_unreachable_with_a_hint(through_httpx: bool) -> None:
    error = ask(closed_port(), through_httpx=through_httpx).error
    assert type(error) is UnreachableError
    assert "Connection refused" in str(error)
    assert "ollama serve" in error.hint


@pytest.mark.parametrize(
    "host", ["nowhere.invalid", "x" * 64 + ".invalid", "..", "127.0.0.1:0", "x" * 64 + ".localhost"]
)
def test_invalid_host_is_unreachable(host: str) -> None:
    assert type(ask(host).error) is UnreachableError


@pytest.mark.parametrize("through_httpx", [False, True], ids=["local", "httpx"])
def test_a_server_too_busy_to_accept_is_unreachable(through_httpx: bool) -> None:
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for filler in (first, second):
            filler.setblocking(False)  # noqa: FBT003 - the signature of the standard library
            filler.connect_ex(full.getsockname())
        host = f"127.0.0.1:{full.getsockname()[1]}"
        outcome = ask(host, timeouts=PATIENT._replace(connect=0.3), through_httpx=through_httpx)
    assert type(outcome.error) is UnreachableError
    assert "no connection within 0.3 s" in str(outcome.error)


@pytest.mark.parametrize("script", [Raw([HANG]), Raw([b"HTTP/1.1 400 Bad Request\r\n\r\n"]), reply(["one"])])
def test_https_to_a_plain_port_is_unreachable(script: Script) -> None:
    with FakeServer({"": script, "/api/chat": script}) as server:
        # The server waits for the end of a line that the client never sends.
        outcome = ask(f"https://{server.host}", timeouts=PATIENT._replace(connect=0.3))
    assert type(outcome.error) is UnreachableError
    assert outcome.text == ""
