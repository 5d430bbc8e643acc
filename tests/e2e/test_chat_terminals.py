"""The chat in odd terminals, without one, in one that is resized, and under a large paste."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from reflectty.core.session import ReplyStatus
from support.chat_process import Chat, database, ended_as, serving, stored_sessions
from support.fake_server import reply
from support.scripted_servers import ANSWER, ANSWERED, MODEL

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Reflect

HANGS = 5.0
"""CPU seconds without a response to a paste or a key after which the chat counts as hanging."""
COLOUR = re.compile(rb"\x1b\[[0-9;]*\b(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])[0-9;]*m")


class Streams(NamedTuple):
    """A call without a terminal to draw on."""

    name: str
    script: str


NO_TERMINAL = (
    Streams("no stdin", "reflect </dev/null"),
    Streams("a pipe", "reflect | cat; exit 2"),
    Streams("no session", "reflect -c </dev/null"),
)


@pytest.mark.parametrize("streams", NO_TERMINAL, ids=lambda streams: streams.name)
def test_chat_without_a_terminal_is_refused_in_one_line(reflect: Reflect, streams: Streams) -> None:
    result = reflect.shell(streams.script)

    assert (result.code, result.out) == (2, "")
    assert len(result.err.splitlines()) == 1
    assert "reflect" in result.err
    assert not database(reflect).exists()


@pytest.mark.parametrize("name", ["out", "err"])
def test_chat_with_a_redirected_output_stream_is_refused(reflect: Reflect, tmp_path: Path, name: str) -> None:
    with Chat(
        reflect, out=tmp_path / "out" if name == "out" else None, err=tmp_path / "err" if name == "err" else None
    ) as chat:
        assert chat.finish() == 2
        said = chat.text + "".join(path.read_text() for path in tmp_path.glob("[oe][ur][tr]"))

    assert "the chat needs a terminal" in re.sub(r"\s+", " ", said)
    assert b"\x1b" not in chat.raw
    assert not database(reflect).exists()


class Place(NamedTuple):
    """A terminal as its environment describes it."""

    name: str
    variables: dict[str, Any]
    coloured: bool = True
    gutter: str = "│"


TERMINALS = (
    Place("sixteen colours", {"TERM": "xterm"}),
    Place("many colours", {"TERM": "xterm-256color", "COLORTERM": "truecolor"}),
    Place("no colours", {"NO_COLOR": "1"}, coloured=False),
    Place("the C locale", {"LC_ALL": "C"}),
    Place("ASCII", {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}, gutter="|"),
)


@pytest.mark.parametrize(
    "place",
    [
        pytest.param(place, id=place.name, marks=() if place.name in ("no colours", "ASCII") else pytest.mark.slow)
        for place in TERMINALS
    ],
)
def test_chat_works_on_any_terminal(reflect: Reflect, place: Place) -> None:
    answered = reply([ANSWERED.replace("larger", "größer")])
    with serving(answered) as server, Chat(reflect.at(server.host), *MODEL, **place.variables) as chat:
        assert chat.opened()
        chat.ask("größer?")
        assert chat.shows(f"{place.gutter} So 9.9.")
        assert chat.shows("9.9 is gr")
        rows = chat.drawn
        assert chat.leave() == 0
        assert chat.left_behind == []
    frames = [row for row in rows if row.startswith(("╭", "╰", "+"))]

    assert bool(COLOUR.search(chat.raw)) is place.coloured
    assert [len(row) for row in frames] == [80, 80]
    assert "\\x" not in "".join(rows)
    assert "\\u" not in "".join(rows)
    assert [message["content"] for message in server.asked("/api/chat")[0].json["messages"]] == ["größer?"]


@pytest.mark.slow
def test_resizing_during_a_reply_shows_the_whole_reply(reflect: Reflect) -> None:
    thoughts = [
        f"{number}. a thought that is a good deal longer than the smallest screen is wide\n" for number in range(60)
    ]
    points = [f"- point {number} of the **answer**, with `code` and more words than fit\n" for number in range(60)]
    pieces = ["<thinking>\n", *thoughts, "</thinking>\n<output>\n", *points, "\n\nThe very end.\n</output>"]
    answered = reply(pieces, pause=0.02)
    with serving(answered) as server, Chat(reflect.at(server.host), *MODEL, columns=120, rows=40) as chat:
        assert chat.opened()
        chat.ask("well?")
        for columns, rows in ((120, 40), (40, 10), (300, 50), (20, 5), (1, 1), (3, 2), (80, 24)):
            chat.resize(columns, rows)
            time.sleep(0.35)
        assert chat.shows("The very end.")
        assert chat.rests()
        points_shown = [int(number) for number in re.findall(r"• point (\d+)", "\n".join(chat.drawn))]
        assert chat.leave() == 0
        assert chat.left_behind == []

    assert points_shown == list(range(60))[-len(points_shown) :]
    assert len(points_shown) > 8
    assert ended_as(reflect)[0][0] is ReplyStatus.COMPLETE


@pytest.mark.slow
def test_pasted_megabyte_is_one_placeholder_and_is_sent_in_full(reflect: Reflect) -> None:
    text = "".join(f"{number:07} of a long paste, ä\n" for number in range(40_000))
    with serving(reply([ANSWERED])) as server, Chat(reflect.at(server.host), *MODEL) as chat:
        assert chat.opened()
        data = b"\x1b[200~" + text.replace("\n", "\r").encode() + b"\x1b[201~"
        for at in range(0, len(data), 2048):
            chat.press(data[at : at + 2048])
        pasted = chat.computed_to_show(b"", "[pasted 40,000 lines]")
        typed = chat.computed_to_show(b" well?", "lines] well?")
        marks = chat.text.count("[paste")
        chat.hit("enter")
        assert chat.shows(ANSWER)
        answered = chat.computed_to_show(b"next", "│ next")
        assert chat.leave() == 0
    sent = server.asked("/api/chat")[0].json["messages"][-1]["content"]

    assert len(data) > 1_000_000
    assert marks == 1
    assert max(pasted, typed, answered) < HANGS
    assert sent == f"{text} well?"
    assert stored_sessions(reflect)[0][1][0].text == f"{text} well?"
