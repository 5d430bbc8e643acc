"""Interrupted, refused and failed runs of `reflect models repair`; the server is scripted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from support.fake_server import HANG, Answer, Raw
from support.gguf_bytes import TENSORS
from support.pty_screen import Screen
from support.repair_server import KEPT, LOST, MADE, PLAIN, TOKENS, Scripted
from support.small_disks import small_disk

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Reflect
    from support.fake_server import ReceivedRequest

REPAIR = ("models", "repair", "m")


@pytest.fixture
def scripted(tmp_path: Path) -> Scripted:
    return Scripted(tmp_path)


def test_repair_in_a_pipe_prints_only_the_name_of_the_copy(reflect: Reflect, scripted: Scripted) -> None:
    with scripted.serving() as server:
        result = reflect.at(server.host)(*REPAIR)

    assert (result.code, result.out, result.err) == (0, "m-repaired\n", "")


def test_repair_prints_the_model_name_when_no_tags_are_lost(reflect: Reflect, tmp_path: Path) -> None:
    with Scripted(tmp_path, types=KEPT).serving() as server:
        result = reflect.at(server.host)(*REPAIR)
        with Screen(reflect.at(server.host), *REPAIR) as screen:
            code = screen.finish()

    assert (result.code, result.out, result.err) == (0, "m\n", "")
    assert code == 0
    assert screen.text == "reflect: m loses none of its tags: nothing to repair\nm"


def test_repair_as_json_lists_the_lost_tokens(reflect: Reflect, scripted: Scripted) -> None:
    with scripted.serving() as server:
        result = reflect.at(server.host)(*REPAIR, "--json")

    assert result.err == ""
    assert json.loads(result.out) == {
        "name": "m-repaired",
        "from": "m",
        "repaired": True,
        "tokens": [
            {"id": 1, "text": "<thinking>", "whole": True},
            {"id": 2, "text": "</thinking>", "whole": True},
        ],
        "proven": True,
    }


def test_repaired_copy_that_sends_no_tags_is_reported(reflect: Reflect, scripted: Scripted) -> None:
    scripted.chat = PLAIN
    with scripted.serving() as server:
        result = reflect.at(server.host)(*REPAIR)

    assert (result.code, result.out) == (0, "m-repaired\n")
    assert result.err.startswith("reflect: m-repaired sent none of its tags in reply to a test question (")


def test_interrupt_while_sending_says_that_no_copy_was_made(reflect: Reflect, scripted: Scripted) -> None:
    def hang(asked: ReceivedRequest) -> Answer | Raw:
        return scripted.blobs(asked) if asked.method == "HEAD" else Raw([HANG])

    scripted.routes[scripted.blob] = hang
    with scripted.serving() as server, Screen(reflect.at(server.host), *REPAIR) as screen:
        assert screen.shows("sending m")
        screen.press(b"\x03")
        code = screen.finish()

    assert code == 130
    assert "reflect: stopped: no copy was created" in screen.text
    assert "sending" not in screen.text
    assert not screen.cursor_hidden
    assert not server.asked("/api/create")


def test_interrupt_while_asking_says_that_the_copy_was_made(reflect: Reflect, scripted: Scripted) -> None:
    scripted.chat = Answer([HANG])
    with scripted.serving() as server, Screen(reflect.at(server.host), *REPAIR) as screen:
        assert screen.shows("testing the copy of m")
        screen.press(b"\x03")
        code = screen.finish()

    assert code == 130
    assert screen.text == "reflect: stopped: the copy is created, but not tested"


def test_a_disk_that_is_too_small_is_refused_before_anything_is_sent(reflect: Reflect, tmp_path: Path) -> None:
    folder = tmp_path / "disk"
    with small_disk(folder, "-o", "size=8m"):
        content = MADE.file(MADE.vocabulary(TOKENS, LOST), rest=TENSORS * 5200)
        scripted = Scripted(folder, content)
        with scripted.serving() as server:
            result = reflect.at(server.host)(*REPAIR)

    assert (result.code, result.out) == (6, "")
    assert result.err.startswith("reflect: the repair temporarily needs 8 MB, and ")
    assert "free some space there" in result.err
    assert {asked.path for asked in server.requests} == {"/api/show", "/api/tags", "/api/version"}


def test_hostile_token_and_server_text_is_escaped(reflect: Reflect, tmp_path: Path) -> None:
    wild = "<\x1b[31mred\x07\u202e>"
    tokens, lost, kept = (*TOKENS, wild), (*LOST, 3), (*KEPT, 4)
    scripted = Scripted(tmp_path, MADE.file(MADE.vocabulary(tokens, lost)), lost, tokens)
    scripted.types["m-repaired"] = kept
    scripted.sent = MADE.file(MADE.vocabulary(tokens, kept))
    scripted.body["system"] = "\x1b]0;title\x07"
    with scripted.serving() as server:
        with Screen(reflect.at(server.host), *REPAIR, "--token", wild, columns=200) as screen:
            code = screen.finish()
        unknown = reflect.at(server.host)(*REPAIR, "--token", "\x1b[2Jnone")

    assert code == 0
    assert "as text, proven by a test question" in screen.text
    assert "; use it with reflect -m m-repaired" in screen.text
    assert b"\x1b[31mred" not in screen.raw
    assert b"\x07" not in screen.raw
    assert unknown.code == 2
    assert "\x1b" not in unknown.err
