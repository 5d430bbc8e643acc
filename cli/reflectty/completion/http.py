"""Opens a plain HTTP connection to a server, without the engines' HTTP client."""

from __future__ import annotations

import socket
from http.client import HTTPConnection, HTTPSConnection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from reflectty.engines.hosts import Address


def connection_to(address: Address, patience: float) -> tuple[HTTPConnection, str]:
    """A connection, and the prefix of every path; each step has a timeout of `patience` seconds."""
    url = urlsplit(address.url)
    kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
    connection = kind(url.hostname or "", url.port, timeout=patience)
    if address.socket_path:
        local = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        local.settimeout(patience)
        local.connect(address.socket_path)
        connection.sock = local
    return connection, url.path
