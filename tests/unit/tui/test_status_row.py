from __future__ import annotations

import pytest

from reflectty.core.budget import parse_budget
from reflectty.core.messages import Effort
from reflectty.core.segments import Kind
from reflectty.core.session import ReplyMetrics
from reflectty.reasoning.modes import AskOptions
from reflectty.store import open_store
from reflectty.tui.conversation import Conversation
from reflectty.tui.status import changes_of, host_label_of
from reflectty.tui.widgets.status import StatusFacts, short_model_name, status_row
from reflectty.view.rows import text_of_row
from reflectty.view.thinking import ReplyState, activity_of
from support.drawn_markdown import PLAIN as PALETTE

LONG = "hf.co/bartowski/DeepSeek-R1-Distill-Qwen-14B-GGUF:Q4_K_M"
FACTS = StatusFacts(
    "qwen3:8b",
    mode="native",
    usage=(99, 0),
    context=4096,
    gpu=0.8,
    speed=36,
    host="127.0.0.1:11434",
    is_reachable=True,
)
RUNNING = FACTS._replace(activity=("thinking 12 s", "431 tokens", "36 tok/s"))


@pytest.mark.parametrize(
    ("facts", "width", "shown"),
    [
        (FACTS, 120, "qwen3:8b   native   ctx ▰▱▱▱▱▱▱▱ 99 of 4k   GPU 80%   36 tok/s   ● 127.0.0.1:11434"),
        (FACTS, 70, "qwen3:8b   native   ctx ▰▱▱▱▱▱▱▱ 99 of 4k   GPU 80%   36 tok/s   ●"),
        (FACTS, 50, "qwen3:8b   native   ctx ▰▱▱▱▱▱▱▱ 99 of 4k   ●"),
        (FACTS, 24, "qwen3:8b   ctx 2%   ●"),
        (FACTS._replace(usage=(99, 900)), 60, "qwen3:8b   native   ctx ▰▰▱▱▱▱▱▱ ~999 of 4k"),
        (FACTS._replace(usage=(9_000, 4)), 60, "qwen3:8b   native   ctx ▰▰▰▰▰▰▰▰ 9k of 4k"),
        (FACTS._replace(usage=(0, 600), context=0), 60, "qwen3:8b   native   ctx ~600   GPU 80%"),
        (FACTS._replace(usage=(99, 900)), 24, "qwen3:8b   ctx ~24%   ●"),
        (FACTS, 12, "qwen3:8b   ●"),
        (RUNNING, 78, "qwen3:8b   ◐ thinking 12 s · 431 tokens · 36 tok/s   ctx ▰▱▱▱▱▱▱▱ 99 of 4k   ●"),
        (RUNNING, 70, "qwen3:8b   ◐ thinking 12 s · 36 tok/s   ctx ▰▱▱▱▱▱▱▱ 99 of 4k   ●"),
        (RUNNING, 30, "qwen3:8b   ◐ thinking 12 s   ●"),
        (FACTS._replace(model=LONG), 60, "DeepSeek-R1-Di⋯B-GGUF:Q4_K_M   ctx ▰"),
    ],
)
def test_narrow_status_line_keeps_what_matters(facts: StatusFacts, width: int, shown: str) -> None:
    row = text_of_row(status_row(facts, width, PALETTE))
    assert row.startswith(shown)
    assert len(row) <= width


@pytest.mark.parametrize(
    ("name", "width", "shown"),
    [
        ("qwen3:8b", 28, "qwen3:8b"),
        ("hf.co/someone/qwen3:8b", 12, "qwen3:8b"),
        (LONG, 28, "DeepSeek-R1-D…4B-GGUF:Q4_K_M"),
        ("nowhere/to/cut-this-name", 12, "cut-th…-name"),
    ],
)
def test_long_model_name_loses_its_registry_and_then_its_middle(name: str, width: int, shown: str) -> None:
    short = short_model_name(name, width, "…")
    assert len(short) <= width
    assert (short[:6], short[-5:]) == (shown[:6], shown[-5:])


def test_what_changes_the_answers_is_named_in_short() -> None:
    store = open_store(None, pytest.fail)
    conversation = Conversation(store, AskOptions(model="m"))
    assert changes_of(conversation) == ()
    conversation.change_ask_options(
        effort=Effort.HIGH, budget=parse_budget("2000"), system="Be brief.", options=(("temperature", 0.3),)
    )
    assert changes_of(conversation) == ("effort high", "budget 2,000 tokens", "system prompt", "temperature=0.3")
    conversation.change_ask_options(options=(("temperature", 0.3), ("seed", 1)))
    assert changes_of(conversation)[-1] == "2 options"
    store.close()


def test_address_is_shown_without_its_scheme() -> None:
    assert host_label_of(None, "http://127.0.0.1:11434") == "127.0.0.1:11434"


def test_clock_of_the_thinking_begins_with_its_first_text_and_never_jumps_back() -> None:
    state = ReplyState("m")
    state.seconds = 22.0
    assert activity_of(state) == ("waiting 22 s", "it may still be loading")
    state.kind, state.measured = Kind.THINKING, ReplyMetrics(thinking_tokens=3, thinking_ms=200, first_token_ms=22_000)
    assert activity_of(state) == ("thinking", "3 tokens")
    state.measured = ReplyMetrics(thinking_tokens=300, thinking_ms=12_900, tokens_per_second=24)
    assert activity_of(state) == ("thinking 12 s", "300 tokens", "24 tok/s")
    state.kind = Kind.ANSWER
    state.measured = state.measured._replace(answer_tokens=20, total_ms=36_000, first_token_ms=22_000)
    assert activity_of(state) == ("answering 14 s", "320 tokens", "24 tok/s")
    state.is_over = True
    assert activity_of(state) == ()
