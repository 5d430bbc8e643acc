"""Whether the built-in model is there, and whether it would answer; asks it nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.engines.embedded.installing import how_to_install
from reflectty.finding import Finding, State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.checking.around import Around, Known


async def builtin(around: Around, known: Known) -> Sequence[Finding]:
    """Say whether there is a model that needs no server, and when it answers."""
    there, answers = around.built_in(), bool(getattr(known.engine, "away", False))
    facts = (("installed", there), ("answers", answers))
    if not there:
        text = f"none, and none is needed where a server answers: {how_to_install()} brings it"
        return [Finding("built in", State.OK, text)]
    when = "it answers here" if answers else "it answers where it is asked for: -m mini"
    return [Finding("built in", State.OK, f"mini is there; {when}", facts=facts)]
