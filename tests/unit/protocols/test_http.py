from __future__ import annotations

import time
from itertools import pairwise

import h11
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reflectty.protocols.http import CLOSED, HEAD_LIMIT, TLS, ResponseDecoder, encode_head

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
RESPONSES = {
    "a length": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "no body": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "until the end": b"HTTP/1.0 200 OK\r\nServer: x\r\n\r\nhello",
    "chunks": CHUNKED + b"5\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\n\r\n",
    "chunks with extensions": CHUNKED + b'5;a="b\r"\r\nhello\r\n0A\t \r\n0123456789\r\n000\r\n\r\n',
    "trailers": CHUNKED + b"5\r\nhello\r\n0\r\nA: b\r\nC: d\r\n\r\n",
    "line feeds alone": b"HTTP/1.1 200 OK\nContent-Length: 5\nA: b\n\nhello",
    "mixed line ends": b"HTTP/1.1 200 OK\r\nContent-Length: 5\n\r\nhello",
    "no reason": b"HTTP/1.1 404\r\nContent-Length: 2\r\n\r\nno",
    "a reason that is no ASCII": b"HTTP/1.1 404 pas trouv\xe9\r\nContent-Length: 2\r\n\r\nno",
    "no headers": b"HTTP/1.1 200 OK\r\n\r\nhello",
    "a folded header": b"HTTP/1.1 200 OK\r\nA: b\r\n  c\r\n\td \r\nContent-Length: 2\r\n\r\nhi",
    "spaces around a value": b"HTTP/1.1 200 OK\r\nA:b  c \t\r\nB:\r\ncontent-length:  2\r\n\r\nhi",
    "control characters": b"HTTP/1.1 200 OK\r\nCookie: a\x01b\xff\r\nContent-Length: 2\r\n\r\nhi",
    "informational": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    "no content": b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
    "not modified": b"HTTP/1.1 304 Not Modified\r\n\r\n",
    "the same length twice": b"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\nContent-Length: 2\r\n\r\nhi",
    "chunks and a length": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: Chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
    "more than its length": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi there",
    "different lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi",
    "no number as a length": b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nhi",
    "an endless length": b"HTTP/1.1 200 OK\r\nContent-Length: 123456789012345678901\r\n\r\nhi",
    "another coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    "two codings": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
    "a header without a colon": b"HTTP/1.1 200 OK\r\nA\r\n\r\n",
    "a header without a name": b"HTTP/1.1 200 OK\r\n: a\r\n\r\n",
    "a space before a colon": b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
    "a fold without a header": b"HTTP/1.1 200 OK\r\n a\r\n\r\n",
    "a NUL in a header": b"HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n",
    "a return in a header": b"HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n",
    "a NUL in the reason": b"HTTP/1.1 200 O\0K\r\n\r\n",
    "a status of letters": b"HTTP/1.1 abc OK\r\n\r\n",
    "a long status": b"HTTP/1.1 2000 OK\r\n\r\n",
    "an odd version": b"HTTP/11 200 OK\r\n\r\n",
    "a size of letters": CHUNKED + b"xyz\r\nhello\r\n",
    "an empty size": CHUNKED + b"\r\nhello\r\n",
    "a negative size": CHUNKED + b"-5\r\nhello\r\n",
    "a size of underscores": CHUNKED + b"1_0\r\nhello\r\n",
    "a long size": CHUNKED + b"0" * 21 + b"\r\n",
    "a line feed after a size": CHUNKED + b"5\nhello\r\n",
    "a chunk longer than its size": CHUNKED + b"4\r\nhello\r\n",
    "trailers that are none": CHUNKED + b"5\r\nhello\r\n0\r\nA\r\n\r\n",
    "cut in the trailers": CHUNKED + b"5\r\nhello\r\n0\r\nA: b\r\n",
    "cut in the status line": b"HTTP/1.1 20",
    "cut in a header": b"HTTP/1.1 200 OK\r\nContent-Le",
    "cut in the body": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
    "cut in a chunk": CHUNKED + b"5\r\nhel",
    "cut after a chunk": CHUNKED + b"5\r\nhello\r\n",
    "cut in the line of a chunk": CHUNKED + b"5\r\nhello\r\n0",
    "cut before the trailers": CHUNKED + b"5\r\nhello\r\n0\r\n",
    "cut after an informational": b"HTTP/1.1 100 Continue\r\n\r\n",
}
Outcome = tuple[int, list[tuple[bytes, bytes]], bytes, bool] | None
"""Status, headers, body and whether it is complete; None for a failure before the headers end."""


def pieces_of(data: bytes, cuts: list[int]) -> list[bytes]:
    bounds = [0, *sorted({cut % (len(data) + 1) for cut in cuts}), len(data)]
    return [piece for start, end in pairwise(bounds) if (piece := data[start:end])]


def outcome(pieces: list[bytes], method: str = "POST") -> Outcome:
    decoder, body = ResponseDecoder(method), b""
    try:
        for piece in pieces:
            body += decoder.feed(piece)
        decoder.close()
    except ValueError:
        pass
    if decoder.head is None:
        return None
    headers = [(name.lower(), value) for name, value in decoder.head.headers]
    return decoder.head.status, headers, body, decoder.done


def outcome_of_h11(data: bytes, method: str = "POST") -> Outcome:
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_LIMIT)
    sent = [("Host", "x"), *([] if method == "HEAD" else [("Content-Length", "0")])]
    connection.send(h11.Request(method=method, target="/", headers=sent))
    connection.send(h11.EndOfMessage())
    head, body, done = None, b"", False
    connection.receive_data(data)
    is_closed = False
    try:
        while not done:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                if is_closed:
                    break
                is_closed = True
                connection.receive_data(b"")
            elif isinstance(event, h11.Response):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
            done = isinstance(event, h11.EndOfMessage)
    except h11.RemoteProtocolError:
        pass
    return None if head is None else (head.status_code, list(head.headers), body, done)


def comparable(found: Outcome) -> Outcome:
    """Without the headers that h11 rewrites."""
    if found is None:
        return None
    framing = (b"content-length", b"transfer-encoding")
    return found[0], [header for header in found[1] if header[0] not in framing], *found[2:]


@pytest.mark.parametrize("name", RESPONSES)
@pytest.mark.parametrize("method", ["POST", "HEAD"])
def test_response_is_read_as_h11_reads_it_in_one_piece_or_byte_by_byte(name: str, method: str) -> None:
    data = RESPONSES[name]
    expected = comparable(outcome_of_h11(data, method))

    assert comparable(outcome([data], method)) == expected
    assert comparable(outcome([bytes([byte]) for byte in data], method)) == expected


LINES = st.sampled_from(
    [b"\r\n", b"\r\n", b"\r\n\r\n", b"\n", b"A: b", b"Content-Length: 3", b"Transfer-Encoding: chunked"]
)
PARTS = st.sampled_from(
    [b"3", b"abc", b"0", b"HTTP/1.1 200 OK", b"HTTP/1.1 100 Go on", b" ", b":", b"\0", b"\xff", b";x"]
)
MADE = st.builds(
    lambda head, parts: head + b"".join(parts),
    st.sampled_from([b"HTTP/1.1 200 OK\r\n", CHUNKED]),
    st.lists(LINES | PARTS, max_size=12),
)


@given(st.sampled_from(sorted(RESPONSES.values())) | MADE, st.lists(st.integers(0, 400), max_size=8))
@example(RESPONSES["chunks with extensions"], [50, 51, 52])
def test_any_cut_of_any_response_is_read_as_h11_reads_it(data: bytes, cuts: list[int]) -> None:
    assert comparable(outcome(pieces_of(data, cuts))) == comparable(outcome_of_h11(data))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\x15\x03\x01\x00\x02\x02\x46", TLS),
        (b"\x16\x03\x01\x00\x02\x02\x46", TLS),
        (b"SSH-2.0-OpenSSH_9.9\r\n", "illegal status line: 'SSH-2.0-OpenSSH_9.9"),
        (b"<!DOCTYPE html>", "illegal status line: '<!DOCTYPE html>'"),
    ],
)
def test_another_protocol_is_noticed_at_once(data: bytes, said: str) -> None:
    with pytest.raises(ValueError, match="^" + said):
        ResponseDecoder("GET").feed(data)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", CLOSED),
        (b"HTTP/1.1 200 OK\r\n", "within the headers"),
        (RESPONSES["cut in the body"], "before the end of the body"),
        (RESPONSES["cut in a chunk"], "before the end of the body"),
    ],
)
def test_a_lost_connection_says_how_far_the_response_came(data: bytes, said: str) -> None:
    decoder = ResponseDecoder("GET")
    decoder.feed(data)

    with pytest.raises(ValueError, match=said):
        decoder.close()


@pytest.mark.parametrize(
    ("start", "more"),
    [
        (b"HTTP/1.1 200 OK\r\nA: ", b"b" * 4096),
        (b"HTTP/1.1 200 OK\r\n", b"A: b\r\n" * 512),
        (CHUNKED + b"1;", b"b" * 4096),
        (CHUNKED + b"1\r\na\r\n0\r\nA: ", b"b" * 4096),
    ],
)
def test_no_line_and_no_head_grows_without_end(start: bytes, more: bytes) -> None:
    decoder = ResponseDecoder("GET")
    decoder.feed(start)

    def feed_and_close() -> None:
        for _ in range(2 * HEAD_LIMIT // len(more)):
            decoder.feed(more)
        decoder.close()

    with pytest.raises(ValueError, match="too long"):
        feed_and_close()


def test_reading_many_small_chunks_takes_linear_time() -> None:
    def seconds(count: int) -> float:
        data = CHUNKED + b"1\r\na\r\n" * count
        start = time.process_time()
        assert len(ResponseDecoder("GET").feed(data)) == count
        return time.process_time() - start

    assert min(seconds(80_000) for _ in range(3)) < 10 * min(seconds(20_000) for _ in range(3))


def test_head_is_a_line_for_the_request_and_one_for_each_header() -> None:
    assert encode_head("POST", b"/api/chat?x", [(b"Host", b"a"), (b"B", b"c")]) == (
        b"POST /api/chat?x HTTP/1.1\r\nHost: a\r\nB: c\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("target", "header"),
    [(b"/\r\nA: b", (b"C", b"d")), (b"/", (b"C", b"d\nE: f")), (b"/", (b"C\r", b"")), (b"/\0", (b"C", b"d"))],
)
def test_nothing_is_injected_into_a_request(target: bytes, header: tuple[bytes, bytes]) -> None:
    with pytest.raises(ValueError, match="line break"):
        encode_head("GET", target, [header])
