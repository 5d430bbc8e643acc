"""Whether the models that are looked at fit their server, estimated once for each when it is asked; draws nothing."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import TYPE_CHECKING

from reflectty.cloud import elsewhere
from reflectty.errors import ReflecttyError

if TYPE_CHECKING:
    from collections.abc import Callable

    from reflectty.library import Installed
    from reflectty.library.library import Library
    from reflectty.tui.desk import Desk

    Lines = tuple[tuple[str, str], ...]

REST_SECONDS = 0.3
"""How long a model is looked at before the devices are asked: who passes by does not wait for them."""


class Estimates:
    """What is said of fits; `learnt` is called when there is more to say."""

    def __init__(self, desk: Desk, library: Library, learnt: Callable[[], None]) -> None:
        self._desk = desk
        self._library = library
        self._learnt = learnt
        self._lines: dict[tuple[object, ...], Lines] = {}
        self._sought: tuple[object, ...] = ()

    def lines(self, one: Installed) -> Lines:
        """Return what is said of a model's fit; nothing while that is being found out."""
        key = (one.name, one.model.digest, one.running)
        if key not in self._lines and key != self._sought:
            self._sought = key
            self._desk.run(partial(self._estimate, one, key), group="estimates", exclusive=True)
        return self._lines.get(key, ())

    async def _estimate(self, one: Installed, key: tuple[object, ...]) -> None:
        around = self._desk.setup.around
        if around is None or elsewhere(one.model):
            return
        from reflectty.drawing import fit  # noqa: PLC0415 - not before a model is looked at
        from reflectty.library.fit import fitted  # noqa: PLC0415

        await asyncio.sleep(REST_SECONDS)
        self._lines[key] = ()
        with contextlib.suppress(ReflecttyError):
            self._lines[key] = fit.lines(*await fitted(self._library, one, await around(self._library)))
        self._learnt()
