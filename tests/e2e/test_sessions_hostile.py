from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from reflectty.core.session import Attachment, ReplyStatus
from support.cases import cases
from support.conversations import REFLECTION, THINKING, stored_reply
from support.session_home import CONTROLS, SessionHome, filled, store_in

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Reflect

READING = (
    ("list",),
    ("show", "{id}"),
    ("show", "{id}", "--no-thinking"),
    ("show", "{id}", "--all"),
    ("search", "needle"),
    ("export", "{id}"),
    ("export", "{id}", "--format", "html"),
    ("export", "{id}", "--format", "json"),
    ("list", "--json"),
    ("show", "{id}", "--json"),
    ("search", "needle", "--json"),
)


@pytest.fixture
def kept(reflect: Reflect, tmp_path: Path) -> SessionHome:
    return filled(reflect, tmp_path)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """Every hostile case as a session of its own, in every place that has text."""
    data = tmp_path_factory.mktemp("hostile")
    store = store_in(data)
    ids: dict[str, str] = {}
    for case in cases("hostile.jsonl"):
        text = f"needle {case['text'] * min(case.get('repeat', 1), 2_000)}"
        session = store.create_session(text)
        asked = store.add_question(session.id, None, text, (Attachment(text[:80], "file", text),))
        values: dict[str, Any] = {"model": text[:80], "error": text, "ended": ReplyStatus.FAILED, "warnings": (text,)}
        reply = stored_reply(text, ((THINKING, text), (REFLECTION, text)), **values)
        store.finish(store.add_reply(session.id, asked.id, reply).id, reply)
        ids[case["id"]] = session.id
    store.close()
    return data, ids


def check_output(case: dict[str, Any], out: str) -> None:
    """Check the output for one case."""
    assert not CONTROLS.search(out)
    if case["expect"] == "neutralise" and "needle" in case:
        assert case["needle"] not in out


# A process for each case and subcommand would take minutes: a sample of the cases goes through the real command
# one by one, and every case through the subcommands that take many.
@pytest.mark.parametrize("words", READING, ids=" ".join)
@pytest.mark.parametrize(
    "case",
    [case for case in cases("hostile.jsonl") if case["expect"] == "neutralise"][::12],
    ids=lambda case: case["id"],
)
def test_hostile_text_is_escaped_in_a_pipe(
    reflect: Reflect, hostile: tuple[Path, dict[str, str]], case: dict[str, Any], words: tuple[str, ...]
) -> None:
    data, ids = hostile
    call = partial(reflect, "sessions", XDG_DATA_HOME=str(data))
    result = call(*(word.format(id=ids[case["id"]]) for word in words))
    assert (result.code, result.err) == (0, "")
    check_output(case, result.out)
    if "--json" in words or "json" in words:
        assert result.out.isascii()


@pytest.mark.parametrize("words", [("list", "-n", "500"), ("search", "needle", "-n", "500")], ids=" ".join)
def test_all_hostile_sessions_at_once_are_escaped_in_a_pipe(
    reflect: Reflect, hostile: tuple[Path, dict[str, str]], words: tuple[str, ...]
) -> None:
    data, ids = hostile
    result = reflect("sessions", *words, XDG_DATA_HOME=str(data))
    assert (result.code, result.err) == (0, "")
    assert all(name in result.out for name in ids.values())
    for case in cases("hostile.jsonl"):
        check_output(case, result.out)


def test_hostile_arguments_are_escaped_in_error_messages(kept: SessionHome) -> None:
    for case in cases("hostile.jsonl")[::8]:
        text = case["text"][:200].replace("\0", "").encode("utf-8", "replace").decode()
        for words in (
            ("show", "--", text),
            ("search", "--", text),
            ("export", kept.ids[0], "--output", f"nosuch/{text}"),
        ):
            result = kept(*words)
            assert not CONTROLS.search(result.err)
            assert len(result.err.splitlines()) <= 1
