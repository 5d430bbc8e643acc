from __future__ import annotations

import pytest

from reflectty.chat.session_settings import apply_settings
from reflectty.core.budget import Budget
from reflectty.core.evidence import Evidence
from reflectty.core.messages import Effort
from reflectty.core.session import SessionSettings
from reflectty.reasoning.modes import AskOptions, Mode
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


def test_what_a_session_says_of_thinking_precedes_evidence() -> None:
    evidence = Evidence("native", "low")
    store = open_store(None, pytest.fail)
    conversation = Conversation(store, AskOptions(model="m", evidence=(("m", evidence),)))
    found = [conversation.ask_options.evidence_for("m")]
    for changes in (
        {"effort": Effort.HIGH},
        {"mode": Mode.AUTO},
        {"effort": None},
        {"mode": Mode.DIRECT},
        {"mode": Mode.AUTO},
        {"budget": Budget(9)},
    ):
        conversation.change_ask_options(**changes)
        found.append(conversation.ask_options.evidence_for("m"))
    store.close()

    assert found == [evidence, None, None, evidence, None, evidence, None]


@pytest.mark.parametrize(
    ("settings", "holds"),
    [
        (SessionSettings(), True),
        (SessionSettings(mode="auto", effort=""), True),
        (SessionSettings(effort="high"), False),
        (SessionSettings(budget="2000"), False),
    ],
)
def test_a_session_that_is_opened_again_asks_by_evidence_unless_it_has_a_way_of_its_own(
    settings: SessionSettings, holds: bool
) -> None:
    options = AskOptions(model="m", evidence=(("m", Evidence("direct")),))

    assert bool(apply_settings(options, settings).evidence_for("m")) is holds
