"""Finding words in the open conversation: what is marked, counted, opened and gone to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.core.segments import Kind
from reflectty.view.parts import ThinkingView
from support.chat_app import IN_THOUGHT, QUESTION, in_a_chat, plain_stored_reply, store_exchanges

if TYPE_CHECKING:
    from reflectty.core.session import Session
    from reflectty.store import Store
    from support.chat_app import Reader

LONG = " ".join(f"word{at}" for at in range(60))
FOLDED = (Kind.THINKING, "The needle is in here.")


def some(store: Store) -> Session:
    fill = plain_stored_reply("\n\n".join(f"line {at}" for at in range(30)))
    return store_exchanges(
        store,
        ("Where is the Needle?", plain_stored_reply("In the haystack.", FOLDED)),
        ("And now?", fill),
        ("What next?", plain_stored_reply(f"A **needle** again. {LONG}")),
    )


def found(reader: Reader) -> str:
    """The match that was gone to, as it is drawn, with a bar where a wrap divides it."""
    transcript = reader.chat.transcript
    assert transcript.found is not None
    part, match = transcript.found
    return "|".join("".join(text for text, _ in part.rows[row])[start:end] for row, start, end in match.spans)


def marked(reader: Reader) -> list[str]:
    """The texts that are drawn in reverse."""
    transcript = reader.chat.transcript
    strips = [transcript.render_line(y) for y in range(transcript.size.height)]
    return [text for strip in strips for text, style, _ in strip if style and style.reverse]


@in_a_chat(before=some, size=(80, 24))
async def test_matches_are_counted_and_gone_to_from_the_last_one_up(reader: Reader) -> None:
    transcript = reader.chat.transcript
    transcript.set_scene(transcript.scene._replace(view=ThinkingView.FOLDED))
    await reader.send("/find needle")
    assert found(reader) == "needle"
    assert reader.sees("3 of 3", "alt+n next", "esc end") == ["3 of 3", "alt+n next", "esc end"]
    assert marked(reader) == ["needle"]
    await reader.press("alt+p")
    assert reader.sees("2 of 3", "The needle is in here.") == ["2 of 3", "The needle is in here."]
    assert marked(reader) == ["needle"]
    await reader.press("alt+p")
    assert (found(reader), reader.sees("1 of 3")) == ("Needle", ["1 of 3"])
    await reader.press("alt+p")
    assert reader.sees("3 of 3", "A needle again.") == ["3 of 3", "A needle again."]
    await reader.press("alt+n")
    assert reader.sees("1 of 3") == ["1 of 3"]
    await reader.press("escape")
    assert (marked(reader), reader.sees("of 3")) == ([], [])


@in_a_chat(before=some, size=(60, 24))
async def test_words_that_a_wrap_divides_are_found(reader: Reader) -> None:
    rows = [row for row in reader.rows() if "word" in row]
    last, first = rows[0].split()[-1], rows[1].split()[0]
    await reader.send(f"/find {last} {first}")
    assert found(reader) == f"{last}|{first}"


@in_a_chat(before=some)
async def test_words_that_occur_nowhere_are_told(reader: Reader) -> None:
    await reader.send("/find no such words")
    assert reader.sees("'no such words' is not in this conversation") == ["'no such words' is not in this conversation"]
    assert not reader.chat.finder.is_active


@in_a_chat(before=some)
async def test_f7_asks_for_the_words(reader: Reader) -> None:
    await reader.press("f7")
    await reader.shows("Find in this conversation")
    await reader.press(*"haystack", "enter")
    await reader.until(lambda: reader.chat.finder.is_active)
    await reader.shows("1 of 1")
    assert found(reader) == "haystack"


@in_a_chat(IN_THOUGHT, before=some)
async def test_esc_ends_the_search_before_it_stops_a_reply(reader: Reader) -> None:
    await reader.ask_held(QUESTION, "90 is more")
    await reader.send("/find same number")
    assert (found(reader), reader.sees("1 of 1")) == ("same number", ["1 of 1"])
    await reader.press("escape")
    assert not reader.chat.finder.is_active
    assert reader.chat.turns.current is not None
    reader.engine.release()
    await reader.at_rest()
