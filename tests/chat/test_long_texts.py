from __future__ import annotations

from typing import TYPE_CHECKING

from support.chat_app import REPLY, in_a_chat
from support.composer_app import paste
from support.scripted_engine import cut

if TYPE_CHECKING:
    from reflectty.core.session import Session
    from reflectty.store import Store
    from support.chat_app import Reader

LINES = "".join(f"row {number}\n" for number in range(500))
STEPS = "".join(f"Step {number} of the proof.\n\n" for number in range(400))


async def ask_with_paste(reader: Reader) -> None:
    await paste(reader.chat, reader.pilot, LINES)  # type: ignore[arg-type]
    await reader.pilot.press(*"what?", "enter")
    await reader.until(lambda: reader.engine.requests)
    await reader.at_rest()


@in_a_chat(REPLY, REPLY)
async def test_pasted_text_is_one_row_that_opens_before_and_after_sending(reader: Reader) -> None:
    await ask_with_paste(reader)
    assert reader.engine.requests[0].messages[-1].content == f"{LINES}what?"
    assert reader.row("▸ pasted 500 lines") == " ▌ ▸ pasted 500 lineswhat?"
    assert reader.chat.conversation.title == "what?"
    await reader.press("alt+i")
    await reader.shows("row 0", "row 5")
    await reader.press("alt+i")
    assert "row 0" not in reader.text
    await reader.press("alt+e")
    assert reader.chat.composer.text == "[pasted 500 lines]what?"
    await reader.press("!", "enter")
    await reader.until(lambda: len(reader.engine.requests) == 2)
    await reader.at_rest()
    assert reader.engine.requests[1].messages[-1].content == f"{LINES}what?!"
    assert "pasted 500 lineswhat?!" in reader.text


@in_a_chat(cut(f"<thinking>\n{STEPS}</thinking>\n<output>\nDone.\n</output>"), REPLY)
async def test_end_of_a_long_thought_is_edited_and_the_rest_belongs_to_it(reader: Reader) -> None:
    await reader.ask("Prove it.")
    await reader.press("alt+s")
    await reader.until(lambda: reader.chat.turns.is_steering)
    written = reader.chat.composer.text
    assert written.startswith("[")
    assert written.count("\n") < 45
    assert "Step 399 of the proof." in written
    assert "ctrl+g edit in full" in reader.text
    await reader.press("enter")
    await reader.until(lambda: len(reader.engine.requests) == 2)
    await reader.at_rest()
    assert STEPS.rstrip() in reader.engine.so_far[1]


@in_a_chat()
async def test_pasted_text_of_a_command_is_its_argument(reader: Reader) -> None:
    await reader.pilot.press(*["slash" if char == "/" else "space" if char == " " else char for char in "/system "])
    await paste(reader.chat, reader.pilot, LINES)  # type: ignore[arg-type]
    await reader.press("enter")
    assert reader.chat.conversation.ask_options.system == LINES.strip()


def with_paste(store: Store) -> Session:
    session = store.create_session("what?")
    store.add_question(session.id, None, f"see {LINES} please", pastes=((4, 4 + len(LINES)),))
    return store.find(session.id)


@in_a_chat(before=with_paste)
async def test_pasted_text_of_a_stored_question_is_one_row_that_a_click_opens(reader: Reader) -> None:
    assert reader.row("please") == " ▌ see ▸ pasted 500 lines please"
    await reader.pilot.click(offset=(10, reader.rows().index(reader.row("please"))))
    await reader.shows("row 0", "row 5")
