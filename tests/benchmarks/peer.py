"""The smallest script for the same call, with argparse and http.client: the yardstick of a one-shot."""

from __future__ import annotations

import argparse
import http.client
import json
import sys


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("prompt")
    given = parser.parse_args()
    body = {"model": given.model, "messages": [{"role": "user", "content": given.prompt}], "stream": True}
    connection = http.client.HTTPConnection(given.host)
    connection.request("POST", "/api/chat", json.dumps(body), {"Content-Type": "application/json"})
    for line in connection.getresponse():
        sys.stdout.write(json.loads(line)["message"]["content"])
        sys.stdout.flush()


if __name__ == "__main__":
    main()
