"""`reflect sessions stats`: how models thought in the stored replies."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from support.scripted_servers import MODEL, answering_server

if TYPE_CHECKING:
    from support.command import Reflect

STOOD = (
    "<thinking>\nThe answer is 18. So the answer is 18. The final answer is 18.\nI go on for a while.\n</thinking>\n"
    "<output>\nAnswer: 18\n</output>"
)


def test_statistics_tell_what_an_end_at_the_answer_would_save(reflect: Reflect) -> None:
    with answering_server(STOOD) as server:
        there = reflect.at(server.host)
        assert there(*MODEL, "q").code == 0
        # A fork has a copy of the same reply.
        assert there("sessions", "fork").code == 0
        shown, value = there("sessions", "stats"), json.loads(there("sessions", "stats", "--json").out)
    assert "1 of 1" in shown.out
    assert "--until-settled" in shown.out
    ends = value["all"]["until_settled"]
    assert (value["all"]["replies"], ends["ended"], ends["same"], ends["different"]) == (1, 1, 1, 0)
    assert 0 < ends["saved"] < ends["tokens"]


def test_without_thinking_there_are_no_statistics(reflect: Reflect) -> None:
    found = reflect("sessions", "stats")
    assert (found.code, found.out) == (0, "")
    assert "no stored reply has thinking" in found.err
