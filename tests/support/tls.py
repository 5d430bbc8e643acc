"""A TLS server whose certificate is signed by an authority of its own, made by the `openssl` command."""

from __future__ import annotations

import ssl
import subprocess
import threading
from contextlib import contextmanager
from socket import socket
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BODY = b'{"message":{"content":"hi"},"done":true,"done_reason":"stop"}\n'
EVENTS = b'data: {"choices":[{"delta":{"content":"hi"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'


class Authority(NamedTuple):
    """PEM files of an authority and of a server for 127.0.0.1 and localhost with its key; the folder is hashed."""

    signer: Path
    folder: Path
    server: Path
    key: Path


def authority(place: Path) -> Authority:
    """Make the files in an empty folder."""

    def openssl(*args: str) -> str:
        done = subprocess.run(["openssl", *args], cwd=place, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    (place / "names").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    elliptic = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *elliptic, "-keyout", "ca.key", "-out", "ca.pem", "-days", "30", "-subj", "/CN=ours")
    openssl("req", *elliptic, "-keyout", "s.key", "-out", "s.csr", "-subj", "/CN=s")
    signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30", "-extfile", "names")
    openssl("x509", "-req", "-in", "s.csr", *signed, "-out", "s.pem")
    folder = place / "hashed"
    folder.mkdir()
    name = openssl("x509", "-hash", "-noout", "-in", "ca.pem")
    (folder / f"{name}.0").write_bytes((place / "ca.pem").read_bytes())
    return Authority(place / "ca.pem", folder, place / "s.pem", place / "s.key")


@contextmanager
def serving(files: Authority, body: bytes = BODY) -> Iterator[int]:
    """Answer every request with a body, and yield the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.server, files.key)
    listener = socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    def answer(connection: socket) -> None:
        try:
            with context.wrap_socket(connection, server_side=True) as secured, secured.makefile("rb") as stream:
                length = 0
                while line := stream.readline().strip():
                    name, _, value = line.partition(b":")
                    length = int(value) if name.lower() == b"content-length" else length
                stream.read(length)
                head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body)
                secured.sendall(head + body)
        except OSError:
            connection.close()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()
