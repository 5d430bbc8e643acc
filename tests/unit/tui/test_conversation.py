from __future__ import annotations

import pytest

from reflectty.reasoning.modes import AskOptions
from reflectty.store import open_store
from reflectty.tui.conversation import Conversation


def test_branches_of_a_long_session_are_found() -> None:
    store = open_store(None, pytest.fail)
    conversation = Conversation(store, AskOptions(model="m"))
    first = conversation.add_question("first")
    second = conversation.add_question("second")
    for number in range(1_200):
        conversation.add_question(f"question {number}")
    newest = conversation.leaf
    again = conversation.rephrase(second, "second again")
    assert [conversation.branch_position(turn) for turn in (first, second, again)] == [(1, 1), (1, 2), (2, 2)]
    assert conversation.adjacent_leaf(-1) == newest
    assert conversation.adjacent_leaf(1) is None
    store.close()
