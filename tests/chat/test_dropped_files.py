from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from reflectty.tui.composer.completion import missing_mentions
from support.chat_app import REPLY, in_a_chat
from support.composer_app import composing, paste, write

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

    from support.chat_app import Reader
    from support.composer_app import Host


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    for name in ("a.txt", "b c.png", "é.md"):
        (tmp_path / name).write_text("text")
    return tmp_path


@pytest.mark.parametrize(
    ("pasted", "shown", "names"),
    [
        ("{0}/a.txt", "@{0}/a.txt ", ["a.txt"]),
        ("{0}/a.txt \n", "@{0}/a.txt ", ["a.txt"]),
        ("'{0}/b c.png'", '@"{0}/b c.png" ', ["b c.png"]),
        ("{0}/b\\ c.png {0}/a.txt", '@"{0}/b c.png" @{0}/a.txt ', ["b c.png", "a.txt"]),
        ("file://{0}/b%20c.png", '@"{0}/b c.png" ', ["b c.png"]),
        ("file://{0}/%C3%A9.md", "@{0}/é.md ", ["é.md"]),
        ("{0}/missing.txt", "{0}/missing.txt", []),
        ("{0}", "{0}", []),
        ("see {0}/a.txt", "see {0}/a.txt", []),
        ("'{0}/a.txt", "'{0}/a.txt", []),
        ("a.txt", "a.txt", []),
    ],
)
def test_path_of_a_dropped_file_attaches_it(pasted: str, shown: str, names: list[str], folder: Path) -> None:
    async def use(host: Host, pilot: Pilot[None]) -> None:
        await paste(host, pilot, pasted.format(folder))
        assert host.composer.text == shown.format(folder)
        await pilot.press("enter")
        await pilot.pause()
        assert [path.name for path in host.sent[0].mentioned_files] == names

    composing(folder, use, (200, 24))


@pytest.mark.parametrize("before", ["/attach ", "@", "x"])
def test_path_stays_text_in_a_command_and_within_a_word(before: str, folder: Path) -> None:
    async def use(host: Host, pilot: Pilot[None]) -> str:
        await write(pilot, before)
        await paste(host, pilot, f"{folder}/a.txt")
        return host.composer.text

    assert composing(folder, use, (200, 24)) == f"{before}{folder}/a.txt"


def test_undo_turns_the_mention_back_into_the_path(folder: Path) -> None:
    async def use(host: Host, pilot: Pilot[None]) -> str:
        await paste(host, pilot, quote(str(folder / "a.txt")))
        await pilot.press("ctrl+z")
        return host.composer.text

    assert composing(folder, use, (200, 24)) == str(folder / "a.txt")


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("see @nonexist.txt please", ("nonexist.txt",)),
        ("@src/none, then?", ("src/none",)),
        ("@a.txt and @a.txt.", ()),
        ("@./ and @alice and me@example.com", ()),
        ('@"no such.md"', ("no such.md",)),
    ],
)
def test_mentioned_file_that_does_not_exist_is_found(text: str, missing: tuple[str, ...], folder: Path) -> None:
    assert missing_mentions(text, folder) == missing


@in_a_chat(REPLY)
async def test_question_with_a_missing_file_says_so(reader: Reader) -> None:
    await reader.send("what is in @nonexist.txt")
    await reader.shows("no file nonexist.txt: sent as text")
    await reader.at_rest()
