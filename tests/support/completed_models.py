"""Completed model names once the server has answered: the tab key does not wait for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from support.waiting import until

if TYPE_CHECKING:
    from support.command import Reflect


BUILT_IN = "mini\tbuilt in\n"
"""The completion beside the models of a server, wherever the built-in model is installed."""


def listed(reflect: Reflect, **variables: Any) -> list[str]:
    """Complete the models of the server, again and again until there are some."""
    rows: list[str] = []

    def completed() -> bool:
        done = reflect("__complete", "models", "", **variables)
        assert (done.code, done.err) == (0, "")
        assert done.out.endswith(BUILT_IN)
        rows[:] = done.out.removesuffix(BUILT_IN).splitlines()
        return bool(rows)

    assert until(completed)
    return [row.partition("\t")[0] for row in rows]
