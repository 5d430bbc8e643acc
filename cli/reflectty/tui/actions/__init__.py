"""What the actions of the chat do, a file for each group of them; their keys and words stand in `keys`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.tui.actions.choosing import Choosing
from reflectty.tui.actions.copying import Copying
from reflectty.tui.actions.general import General
from reflectty.tui.actions.keeping import Keeping
from reflectty.tui.actions.managing import Managing
from reflectty.tui.actions.prepared import Prepared
from reflectty.tui.actions.reading import Reading
from reflectty.tui.actions.replying import Replying

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from reflectty.tui.desk import Desk
    from reflectty.tui.screens.panelled import Panelled


class Actions:
    """Does an action by its name."""

    def __init__(self, desk: Desk, shelf: Panelled) -> None:
        choosing, general, keeping = Choosing(desk), General(desk), Keeping(desk, shelf)
        self._managing = Managing(desk)
        self._groups = (
            *(Replying(desk), Reading(desk), Copying(desk), keeping),
            *(choosing, Prepared(desk), self._managing, general),
        )

    def find(self, name: str) -> Callable[[str], Awaitable[None]]:
        """Return what does an action; it is given what was typed behind the command."""
        method = f"{name}_" if name == "continue" else name
        found: Callable[[str], Awaitable[None]] = next(
            getattr(group, method) for group in self._groups if hasattr(group, method)
        )
        return found

    async def close(self) -> None:
        """Bring to rest what actions have begun that goes on by itself."""
        await self._managing.close()
