"""Replies to be kept: one with everything a reply can have, and a plain one."""

from __future__ import annotations

from reflectty.chat import Usage
from reflectty.session import Ended, Measured, Origin, Said
from reflectty.stream import Kind

SAID = Said(
    model="reflection",
    digest="sha256:1",
    mode="native",
    family="reflection",
    prefilled=True,
    effort="high",
    options=(("temperature", 0.5), ("seed", 7), ("stop", ("a", "b")), ("penalize", True), ("name", "x")),
    segments=(
        (Kind.THINKING, "two and two"),
        (Kind.REFLECTION, "no, three"),
        (Kind.THINKING, ""),
        (Kind.ANSWER, "four\n"),
    ),
    answer="four",
    raw="two and two<reflection>no, three</reflection></thinking>four\n",
    raw_thinking="field",
    ended=Ended.INCOMPLETE,
    done_reason="length",
    origin=Origin.STEERED,
    error="the token limit was reached",
    warnings=("one", "two"),
    measured=Measured(3, 1, 1, 12.5, 3.25, 40.0, 55.5, Usage(9, 4, 1.0, 2.0, 3.0, 4.0)),
)
COMPLETE = Said("mini", segments=((Kind.ANSWER, "yes"),), answer="yes", raw="yes", ended=Ended.COMPLETE)
