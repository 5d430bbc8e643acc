"""Actions on the models of the server: see and change them, pull one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reflectty.tui.desk import Desk
    from reflectty.tui.stock import Stock

CUT = "the pull of {0} was stopped: what came is kept, and `reflect models pull {0}` goes on from there"


class Managing:
    """Each method is the action of its name."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._made: dict[str, Stock] = {}

    @property
    def _stock(self) -> Stock:
        """The models of the server that is asked now, once somebody wants to see them."""
        from reflectty.tui.stock import Stock  # noqa: PLC0415 - not before the first frame

        host = self._desk.setup.host
        if host not in self._made:
            self._made[host] = Stock(self._desk)
        return self._made[host]

    async def models(self, _: str) -> None:
        await self._stock.open()

    async def pull(self, name: str) -> None:
        """Pull a model; which one is asked for where none is named."""
        await (self._stock.pull(name.strip()) if name.strip() else self._stock.ask(""))

    async def close(self) -> None:
        """Stop the pulls, and see that it is said."""
        for stock in self._made.values():
            for name in await stock.close():
                self._desk.setup.parting(CUT.format(name))
