from __future__ import annotations

import pytest

from reflectty.core.messages import Chunk, Usage
from reflectty.output.plain import format_stats
from reflectty.reasoning.families import FAMILIES
from reflectty.reasoning.reply import Reply


@pytest.mark.parametrize(
    ("usage", "says", "leaves_out"),
    [
        (
            Usage(1000, 6, prompt_ms=500, cached_tokens=900),
            ("1000 prompt (900 cached)", "prompt 200.0 tok/s"),
            (),
        ),
        (Usage(1000, 6, prompt_ms=500), ("1000 prompt ·", "prompt 2000.0 tok/s"), ("cached",)),
        (Usage(1000, 6, cached_tokens=1000), ("1000 prompt (1000 cached)",), ("prompt 0",)),
        (Usage(1000, 6), ("1000 prompt ·",), ("cached", "prompt 0", "inf")),
    ],
)
def test_cached_tokens_are_shown_and_not_counted_as_read(
    usage: Usage, says: tuple[str, ...], leaves_out: tuple[str, ...]
) -> None:
    reply = Reply("m", FAMILIES["none"])
    reply.feed(Chunk("4", done=True, done_reason="stop", usage=usage))
    text = format_stats(reply)

    assert all(part in text for part in says)
    assert not any(part in text for part in leaves_out)
