"""An action of the chat, and the decorator that binds a method to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from reflectty.core.named_tuple import NamedTuple
from reflectty.tui.keys import format_key

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from reflectty.tui.controller import ChatController

    Method = TypeVar("Method", bound=Callable[[Any, str], Awaitable[None]])


class Action(NamedTuple):
    """An action: its name in the settings, its keys, and its texts for help and palette."""

    name: str
    keys: tuple[str, ...]
    label: str
    group: str
    slash: str = ""
    """The slash command, such as `/copy code`; empty for what is done by typing."""
    argument: str = ""
    """The argument of the command, for help; `PATH` completes files."""
    yields: bool = False
    """True if a list or the composer may handle its keys first."""
    aliases: tuple[str, ...] = ()
    """Names of the command in other chats."""

    @property
    def key_hint(self) -> str:
        """The first key as hints show it; empty without a key."""
        return format_key(self.keys[0]) if self.keys else ""

    @property
    def hint(self) -> str:
        """The first key as hints show it, or the command if there is no key."""
        return self.key_hint or self.slash


def action(
    label: str, *keys: str, slash: str = "", argument: str = "", yields: bool = False, aliases: tuple[str, ...] = ()
) -> Callable[[Method], Method]:
    """Bind a method to an action, named like the method: `continue_` performs `continue`."""

    def bind(method: Method) -> Method:
        name = method.__name__.removesuffix("_")
        method.__dict__["action"] = Action(name, keys, label, "", slash, argument, yields, aliases)
        return method

    return bind


class ActionGroup:
    """Actions of one group: each method with an action performs it, given the argument typed after the command."""

    group: ClassVar[str]

    def __init__(self, controller: ChatController) -> None:
        self._controller = controller


def actions_of(kind: type[ActionGroup]) -> Iterator[tuple[Action, str]]:
    """The actions of a group in the order of its methods, with the names of these."""
    for name, method in vars(kind).items():
        if isinstance(bound := getattr(method, "action", None), Action):
            yield bound._replace(group=kind.group), name
