from __future__ import annotations

import asyncio
import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from reflectty.core.errors import IncompleteError, ReflecttyError, RefusedError, UnreachableError, UsageError
from reflectty.evaluation.fetch import fetch_set
from reflectty.evaluation.item_file import read_rows
from reflectty.evaluation.item_row import read_item
from reflectty.evaluation.known_sets import KNOWN_SETS, KnownSet
from support.fake_server import CLOSE, Answer, FakeServer, Route, whole

if TYPE_CHECKING:
    from pathlib import Path

    from reflectty.evaluation.fetch import FetchedSet

DATA = b'{"question": "How many?", "answer": "so\\n#### 7"}\n'
DIGEST = sha256(DATA).hexdigest()
FILE = Answer([DATA[:20], DATA[20:]], headers={"Content-Length": str(len(DATA))})


def a_set(server: FakeServer, digest: str = DIGEST, size: int = len(DATA)) -> KnownSet:
    return KnownSet("some", "some.jsonl", (f"http://{server.host}/a/test.jsonl",), "", "MIT", digest, size)


def fetch(known: KnownSet, cache: Path, *, force: bool = False) -> tuple[FetchedSet, list[tuple[int, int]]]:
    seen: list[tuple[int, int]] = []
    return asyncio.run(fetch_set(known, cache, lambda *done: seen.append(done), force=force)), seen


def files_in(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.rglob("*") if path.is_file())


def test_a_set_is_downloaded_once_and_checked_again(tmp_path: Path) -> None:
    with FakeServer({"/a/test.jsonl": FILE}) as server:
        fetched, seen = fetch(a_set(server), tmp_path)
        again, _ = fetch(a_set(server), tmp_path)
        forced, _ = fetch(a_set(server), tmp_path, force=True)
    assert seen[-1] == (len(DATA), len(DATA))
    assert fetched.path.read_bytes() == DATA
    assert (fetched.sha256, fetched.size) == (DIGEST, len(DATA))
    assert [fetched.is_new, again.is_new, forced.is_new] == [True, False, True]
    assert (len(server.requests), files_in(tmp_path)) == (2, ["some.jsonl"])


def test_a_file_that_changed_in_the_cache_is_not_taken(tmp_path: Path) -> None:
    with FakeServer({"/a/test.jsonl": FILE}) as server:
        fetched, _ = fetch(a_set(server), tmp_path)
        fetched.path.write_bytes(DATA + b" ")
        with pytest.raises(UsageError, match="has changed since it was fetched"):
            fetch(a_set(server), tmp_path)
        assert fetch(a_set(server), tmp_path, force=True)[0].path.read_bytes() == DATA


@pytest.mark.parametrize(
    ("route", "error", "code", "message"),
    [
        (Answer([b"other"], headers={"Content-Length": "5"}), RefusedError, 4, "another SHA-256 than published"),
        (Answer([DATA, b"more"]), RefusedError, 4, "sent more than 50 bytes"),
        (Answer([b"no"], 404), RefusedError, 4, "answered 404 for /a/test.jsonl"),
        (Answer([], 302, {"Location": "http://elsewhere/x"}), RefusedError, 4, "downloads are never redirected"),
        (Answer([DATA[:20], CLOSE], headers={"Content-Length": "50"}), IncompleteError, 5, "the download was cut off"),
    ],
)
def test_nothing_is_kept_of_a_download_that_fails(
    tmp_path: Path, route: Route, error: type[ReflecttyError], code: int, message: str
) -> None:
    assert len(DATA) == 50
    with FakeServer({"/a/test.jsonl": route}) as server, pytest.raises(error, match=message) as caught:
        fetch(a_set(server), tmp_path)
    assert (caught.value.exit_code, files_in(tmp_path)) == (code, [])


def test_without_a_network_the_error_says_so(tmp_path: Path) -> None:
    with FakeServer({}) as server:
        known = a_set(server)
    with pytest.raises(UnreachableError) as caught:
        fetch(known, tmp_path)
    assert caught.value.exit_code == 3
    assert caught.value.hint.startswith("check the network connection")


def test_without_a_published_digest_that_of_the_first_download_counts(tmp_path: Path) -> None:
    answers = [FILE, FILE, Answer([b"{}"])]
    with FakeServer({"/a/test.jsonl": answers}) as server:
        known = a_set(server, digest="", size=0)
        fetched, seen = fetch(known, tmp_path)
        assert known.digest_path_in(tmp_path).read_text().split() == [DIGEST, "some.jsonl"]
        assert fetch(known, tmp_path, force=True)[0].sha256 == DIGEST
        with pytest.raises(RefusedError, match="differs from the first one") as caught:
            fetch(known, tmp_path, force=True)
        assert str(known.digest_path_in(tmp_path)) in caught.value.hint
    assert seen[-1] == (len(DATA), 0)
    assert fetched.path.read_bytes() == DATA


def page(rows: list[dict[str, Any]], *, cut: bool = False) -> Answer:
    return whole(
        {
            "rows": [
                {"row_idx": n, "row": row, "truncated_cells": ["question"] if cut else []} for n, row in enumerate(rows)
            ]
        }
    )


ROW = {
    "question": "?",
    "choices": ["2", "3", "4", "5"],
    "answer": 2,
    "error_type": "ok",
    "correct_answer": None,
    "source": "x",
}


def test_the_parts_of_a_set_are_joined_into_lines(tmp_path: Path) -> None:
    routes: dict[str, Route] = {f"/rows?config={name}&offset=0": page([ROW, ROW]) for name in ("law", "logic")}
    with FakeServer(routes) as server:
        addresses = tuple(f"http://{server.host}{path}" for path in routes)
        fetched, seen = fetch(KnownSet("joined", "joined.jsonl", addresses, "", ""), tmp_path)
    assert seen == [(0, 2), (1, 2)]
    items = [read_item(row, "joined").item for row in read_rows(fetched.path)]
    assert [(item.id, item.group, item.answer) for item in items] == [
        ("law-0", "law", "C"),
        ("law-1", "law", "C"),
        ("logic-0", "logic", "C"),
        ("logic-1", "logic", "C"),
    ]


@pytest.mark.parametrize(
    "answer",
    [
        whole({"error": "busy"}),
        whole({"rows": [{"row": 3}]}),
        page([{**ROW, "answer": "C"}]),
        page([{**ROW, "answer": 20}]),
        page([ROW], cut=True),
        Answer([b"<html>"]),
        Answer([json.dumps([[]] * 3).encode()]),
    ],
)
def test_a_page_that_is_not_one_is_refused(tmp_path: Path, answer: Answer) -> None:
    with FakeServer({"/rows?config=law": answer}) as server:
        address = f"http://{server.host}/rows?config=law"
        with pytest.raises(RefusedError, match="sent something unexpected"):
            fetch(KnownSet("joined", "joined.jsonl", (address, address), "", ""), tmp_path)
    assert files_in(tmp_path) == []


def test_known_sets_are_fetched_by_https_from_a_commit_or_with_a_noted_digest() -> None:
    for known in KNOWN_SETS.values():
        assert all(address.startswith("https://") for address in known.addresses)
        assert len(known.sha256) in {0, 64}
        assert known.licence
