from __future__ import annotations

import io
import json
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from reflectty.commands.evaluate.fetch import fetch_one
from reflectty.core.errors import IncompleteError
from reflectty.evaluation.known_sets import KNOWN_SETS, KnownSet
from reflectty.system.terminal import Sink, Terminal
from support.fake_server import CLOSE, Answer, FakeServer, Pause
from support.live_harness import Screen

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Reflect
    from support.fake_replies import Step

DATA = b'{"question": "?", "answer": 7}\n' * 40


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))


def terminal() -> tuple[Terminal, Screen]:
    screen = Screen(200)
    sink = Sink(screen, tty=True, color_count=0, unicode=True)
    out = Sink(io.StringIO(), tty=False)
    return Terminal(None, stdin_tty=False, out=out, err=sink, width=200, can_redraw=True), screen


def test_a_download_is_told_with_its_size_and_licence(tmp_path: Path) -> None:
    with FakeServer({"/set.jsonl": Answer([DATA])}) as server:
        known = KnownSet(
            "some", "some.jsonl", (f"http://{server.host}/set.jsonl",), "40 questions", "MIT", warning="Mind this."
        )
        line, screen = terminal()
        fetch_one(known, line, force=False)
        told = "".join(screen.rows)
        assert "reflect: some: Mind this." in told
        assert "reflect: fetched some: 40 questions, 1.2 kB, MIT; no SHA-256 of it is published" in told
        line, screen = terminal()
        fetch_one(known, line, force=False)
        assert "some is already here (1.2 kB, unchanged; --force downloads it again)" in "".join(screen.rows)
        assert "Mind this" not in "".join(screen.rows)
    assert (tmp_path / "cache" / "reflectty" / "evaluation-sets" / "some.jsonl").read_bytes() == DATA


def test_progress_is_removed_when_a_download_fails() -> None:
    steps: list[Step] = [DATA[:100], Pause(0.05), CLOSE]
    with FakeServer({"/set.jsonl": Answer(steps, headers={"Content-Length": str(len(DATA))})}) as server:
        known = KnownSet("some", "some.jsonl", (f"http://{server.host}/set.jsonl",), "", "", "0" * 64, len(DATA))
        line, screen = terminal()
        with pytest.raises(IncompleteError):
            fetch_one(known, line, force=False)
    assert screen.rows == [""]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("gsm",), 2, "no set 'gsm' can be fetched (did you mean gsm8k?)"),
        (("zzz",), 2, "(sets are gsm8k, mmlu, mmlu-redux, math500)"),
        ((), 2, "NAME"),
        (("gsm8k",), 3, "cannot reach the proxy http://127.0.0.1:9"),
        (("math500",), 3, "whether you may download them is for you to judge"),
    ],
)
def test_what_cannot_be_fetched_ends_with_its_code(
    reflect: Reflect, words: tuple[str, ...], code: int, message: str
) -> None:
    result = reflect("eval", "fetch", *words, HTTPS_PROXY="http://127.0.0.1:9")
    assert (result.code, message in result.err, result.out) == (code, True, "")


def test_a_fetched_set_is_described_as_json(reflect: Reflect, tmp_path: Path) -> None:
    known = KNOWN_SETS["mmlu"]
    cache = tmp_path / "other" / "reflectty"
    known.path_in(cache).parent.mkdir(parents=True)
    known.path_in(cache).write_bytes(DATA)
    digest = "d" * 64
    known.digest_path_in(cache).write_text(digest)
    result = reflect("eval", "fetch", "mmlu", "--json", XDG_CACHE_HOME=str(tmp_path / "other"))
    assert (result.code, "has changed since it was fetched (reflect eval fetch --force mmlu)" in result.err) == (
        2,
        True,
    )
    digest = sha256(DATA).hexdigest()
    known.digest_path_in(cache).write_text(digest)
    (one,) = json.loads(reflect("eval", "fetch", "mmlu", "--json", XDG_CACHE_HOME=str(tmp_path / "other")).out)["sets"]
    assert one == {
        "name": "mmlu",
        "path": str(known.path_in(cache)),
        "bytes": len(DATA),
        "sha256": digest,
        "published": False,
        "new": False,
    }
