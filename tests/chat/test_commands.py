from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING

from reflectty.core.messages import Model, RunningModel
from reflectty.core.session import Attachment
from reflectty.reasoning.modes import AskOptions
from reflectty.tui.actions import ACTIONS
from support.chat_app import ANSWERED, QUESTION, REPLY, THOUGHT, in_a_chat
from support.osc52 import copied
from support.scripted_engine import cut

if TYPE_CHECKING:
    from support.chat_app import Reader

CODE = "Two:\n\n```python\nprint(1)\n```\n\nand\n\n```sh\necho 2\n```\n"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc0000003010100"
    "c9fe92ef0000000049454e44ae426082"
)


# Commands


@in_a_chat()
async def test_every_slash_command_runs_its_action(reader: Reader) -> None:
    done: list[tuple[str, str]] = []

    def do(name: str, argument: str = "") -> None:
        done.append((name, argument))

    reader.chat.action_perform = do  # type: ignore[method-assign]
    for action in ACTIONS:
        if action.slash:
            word = "words" if action.argument else ""
            await reader.send(f"{action.slash} {word}".strip())
            assert done == [(action.name, word)], action.slash
            done.clear()
    assert reader.engine.requests == []


@in_a_chat()
async def test_invalid_commands_are_explained_and_send_nothing(reader: Reader) -> None:
    for typed, said in (
        ("/modle mini", "unknown command /modle (did you mean /mode or /model?"),
        ("/xyzzy", "unknown command /xyzzy (/help lists them"),
        ("/new now", "/new takes no argument"),
        ("/model nobody", "nobody is not installed (pull it: /pull nobody)"),
        ("/mode often", "unknown mode 'often' (choose from auto, native, reflect, direct)"),
        ("/effort none", "unknown effort 'none' (choose from low, medium, high, max)"),
        ("/thinking loud", "unknown thinking view 'loud' (choose from live, peek, folded, off)"),
        ("/option temprature=1", "(did you mean temperature?)"),
    ):
        reader.chat.show_conversation()
        await reader.send(typed)
        shown = " ".join(reader.text.split())
        assert said in shown, typed
        assert reader.engine.requests == [], typed


@in_a_chat(REPLY)
async def test_leading_space_sends_a_command_as_a_question(reader: Reader) -> None:
    await reader.ask(" /xyzzy is what?")
    assert reader.engine.requests[0].messages[-1].content.strip() == "/xyzzy is what?"


@in_a_chat(REPLY)
async def test_mistyped_command_returns_to_the_composer(reader: Reader) -> None:
    await reader.send("/modle mini")
    assert reader.chat.composer.text == "/modle mini"


@in_a_chat(REPLY, size=(80, 30))
async def test_title_command_renames_the_session(reader: Reader) -> None:
    await reader.ask(QUESTION)
    assert reader.rows()[0] == f" reflect   {QUESTION}"
    await reader.send("/title Nines and elevens")
    assert reader.rows()[0] == " reflect   Nines and elevens"
    assert [session.title for session in reader.store.sessions()] == ["Nines and elevens"]


@in_a_chat()
async def test_help_shows_the_keys(reader: Reader) -> None:
    await reader.send("/help")
    await reader.shows("Send the question")
    await reader.press("escape")
    assert "Send the question" not in reader.text


@in_a_chat(REPLY, manner=AskOptions())
async def test_best_installed_model_answers_when_none_is_named(reader: Reader) -> None:
    await reader.shows("reflection")
    await reader.ask(QUESTION)
    assert reader.engine.requests[0].model == "reflection"


@in_a_chat()
async def test_models_to_choose_from_can_chat_and_show_size_and_place(reader: Reader) -> None:
    reader.engine.installed = (
        Model("deepseek-r1", ("completion", "thinking", "vision"), size=5_200_000_000),
        Model("nomic-embed-text", ("embedding",), size=270_000_000),
    )
    reader.engine.loaded = (RunningModel("deepseek-r1", 10, 10, 4096),)
    await reader.press("f2")
    await reader.shows("5.2 GB, thinking, vision, loaded on GPU")
    assert "nomic" not in reader.text


@in_a_chat(REPLY, manner=AskOptions())
async def test_a_model_can_be_chosen_from_a_list(reader: Reader) -> None:
    await reader.press("f2")
    await reader.shows("deepseek-r1", "mini")
    await reader.press("down", "enter")
    await reader.settle()
    await reader.ask(QUESTION)
    assert reader.engine.requests[0].model == "mini"


# Copying


@in_a_chat(cut(THOUGHT + "</thinking>\n<output>\n" + CODE + "</output>"))
async def test_copied_text_reaches_the_terminal_clipboard(reader: Reader) -> None:
    await reader.ask(QUESTION)
    for command in ("/copy", "/copy thinking", "/copy code 1", "/copy code 2"):
        await reader.send(command)
        await reader.shows("copied, if the terminal allows it (OSC 52)")
    await reader.until(lambda: len(reader.written) == 4)
    answer, thinking, first, last = copied(reader)
    assert answer == CODE.strip()
    assert " ".join(thinking.split()) == (
        "Both start with 9. 11 is more than 9, so 9.11. The same number of digits: 9.90. 90 is more than 11."
    )
    assert (first, last) == ("print(1)\n", "echo 2\n")


@in_a_chat(cut("<output>\n" + CODE + "</output>"))
async def test_invalid_copy_arguments_are_explained(reader: Reader) -> None:
    await reader.ask(QUESTION)
    for command, said in (
        ("/copy code 3", "no code block '3' (choose 1 to 2)"),
        ("/copy code x", "no code block 'x' (choose 1 to 2)"),
        ("/copy everything", "/copy takes no argument"),
    ):
        await reader.send(command)
        assert said in " ".join(reader.text.split()), command
        assert reader.written == [], command


@in_a_chat(cut("Plain.\n"))
async def test_copy_reports_missing_thinking_and_code(reader: Reader) -> None:
    await reader.ask(QUESTION)
    for key, said in (("alt+u", "this reply has no thinking"), ("alt+k", "this answer has no code block")):
        await reader.press(key, key)
        await reader.shows(f"{said} ─╯")
        assert "!" not in reader.text, key


@in_a_chat(cut("An\x1b[31m answer\x07.\n"))
async def test_copied_text_is_safe_to_paste(reader: Reader) -> None:
    await reader.ask(QUESTION)
    await reader.press("alt+y")
    await reader.until(lambda: reader.written)
    assert copied(reader) == ["An^[[31m answer^G."]


# Saving


@in_a_chat(REPLY)
async def test_save_picks_the_format_by_the_file_extension(reader: Reader) -> None:
    await reader.ask(QUESTION)
    for name in ("talk.md", "talk.html", "talk.json", "talk", "with blanks.md"):
        await reader.send(f"/save {name}")
        await reader.until((reader.home / name).exists)
        text = (reader.home / name).read_text("utf-8")
        for part in (QUESTION, "11 is more than 9", "same number of digits", "is larger"):
            assert part in text, name
        if name.endswith(".json"):
            assert json.loads(text)
        assert text.lstrip().startswith("<!doctype html>") is name.endswith(".html"), name


@in_a_chat(REPLY)
async def test_save_asks_before_it_overwrites_a_file(reader: Reader) -> None:
    (reader.home / "talk.md").write_text("mine")
    await reader.ask(QUESTION)
    for key, kept in (("n", True), ("y", False)):
        await reader.send("/save talk.md")
        await reader.shows(f"Overwrite {reader.home}/talk.md?")
        await reader.press(key)
        await reader.settle()
        assert ((reader.home / "talk.md").read_text() == "mine") is kept


@in_a_chat(REPLY)
async def test_save_reports_a_path_that_cannot_be_written(reader: Reader) -> None:
    await reader.ask(QUESTION)
    await reader.send("/save nowhere/talk.md")
    assert f"cannot write {reader.home}/nowhere/talk.md: no such file or directory" in " ".join(reader.text.split())


@in_a_chat(REPLY)
async def test_save_without_a_name_asks_for_one(reader: Reader) -> None:
    await reader.ask(QUESTION)
    await reader.press("ctrl+s")
    await reader.shows("Save as")
    await reader.press("enter")
    await reader.until(lambda: list(reader.home.glob("*.md")))
    assert [path.name for path in reader.home.glob("*.md")] == ["which-is-larger-9-11-or-9-9.md"]


# Attachments


@in_a_chat(REPLY)
async def test_mentioned_file_is_attached_to_the_question(reader: Reader) -> None:
    (reader.home / "notes.txt").write_text("nine is nine")
    await reader.ask("What does @notes.txt say?")
    (message,) = reader.engine.requests[0].messages
    assert "nine is nine" in message.content
    assert message.content.endswith("What does @notes.txt say?")
    assert reader.stored_turns[0].attachments == (Attachment("notes.txt", "file", "nine is nine"),)
    assert reader.row("+ ") == " ▌ + notes.txt"


@in_a_chat(REPLY, manner=AskOptions(model="deepseek-r1"))
async def test_attached_image_is_sent_as_an_image(reader: Reader) -> None:
    (reader.home / "dot.png").write_bytes(PNG)
    await reader.send("/attach dot.png")
    assert reader.chat.composer.text == '@"dot.png" '
    reader.chat.composer.insert("What is it?")
    await reader.press("enter")
    await reader.at_rest()
    (message,) = reader.engine.requests[0].messages
    assert message.images == (b64encode(PNG).decode(),)
    assert reader.stored_turns[0].attachments[0].kind == "image"


@in_a_chat(REPLY)
async def test_image_is_refused_when_the_model_has_no_vision(reader: Reader) -> None:
    (reader.home / "dot.png").write_bytes(PNG)
    await reader.send("What is @dot.png?")
    await reader.shows("! reflection cannot see images")
    assert reader.engine.requests == []


@in_a_chat(REPLY)
async def test_attach_reports_a_path_that_cannot_be_read(reader: Reader) -> None:
    (reader.home / "folder").mkdir()
    for name in ("nothing.txt", "folder"):
        reader.chat.show_conversation()
        await reader.send(f"/attach {name}")
        reader.row(f"cannot read {name}")


def test_reply_fixture_is_complete() -> None:
    assert "".join(str(piece) for piece in REPLY) == THOUGHT + ANSWERED


@in_a_chat()
async def test_commands_of_other_chats_do_what_they_do_there(reader: Reader) -> None:
    done: list[tuple[str, str]] = []

    def do(name: str, argument: str = "") -> None:
        done.append((name, argument))

    reader.chat.action_perform = do  # type: ignore[method-assign]
    for typed, name, argument in (
        ("/bye", "quit", ""),
        ("/exit", "quit", ""),
        ("/Quit", "quit", ""),
        ("/clear", "new", ""),
        ("/resume", "sessions", ""),
        ("/history", "sessions", ""),
        ("/export a.md", "save", "a.md"),
        ("/retry", "regenerate", ""),
        ("?", "keys", ""),
        ("/?", "keys", ""),
        ("/? save", "keys", "save"),
        ("/help", "keys", ""),
        ("/load mini", "model", "mini"),
        ("/show", "models", ""),
        ("/show info", "models", ""),
        ("/show system", "system", ""),
        ("/set", "option", ""),
        ("/set parameter temperature 0.3", "option", "temperature=0.3"),
        ("/set temperature=0.3", "option", "temperature=0.3"),
        ("/set system You are brief.", "system", "You are brief."),
        ("/set think", "mode", "native"),
        ("/set think high", "effort", "high"),
        ("/set nothink", "mode", "direct"),
    ):
        await reader.send(typed)
        assert done == [(name, argument)], typed
        done.clear()
    for typed, said in (
        ("/set verbose", "there is no /set verbose here"),
        ("/regen", "did you mean /regenerate?"),
        ("/versoin", "/help lists them"),
        ("/sesions", "did you mean /sessions?"),
    ):
        await reader.send(typed)
        await reader.shows(said)
    assert reader.engine.requests == []


@in_a_chat(REPLY)
async def test_key_menu_performs_alt_keys_under_any_layout(reader: Reader) -> None:
    await reader.ask(QUESTION)
    for key in ("e", "у"):
        await reader.press("ctrl+l")
        await reader.shows("Press a key", "e   Edit question")
        assert "Insert a new line" not in reader.text
        await reader.press(key)
        assert reader.chat.composer.text == QUESTION, key
        await reader.press("escape")
    await reader.press("ctrl+l", "escape")
    assert "Press a key" not in reader.text


@in_a_chat()
async def test_palette_is_grouped_and_lists_recent_commands_first(reader: Reader) -> None:
    await reader.press("ctrl+p")
    await reader.shows("Reply", "Steer: edit the thinking and continue", "alt+s  /steer")
    await reader.press(*"reflection", "space", *"mode", "enter")
    await reader.shows("native")
    await reader.press("escape", "ctrl+p")
    await reader.shows("Recent")
    assert reader.rows().index(reader.row("Recent")) + 1 == reader.rows().index(reader.row("Reflection mode"))
