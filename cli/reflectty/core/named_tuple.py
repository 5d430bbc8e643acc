"""A `NamedTuple` whose classes are made in a twentieth of the time: nothing is compiled before a class is used often.

The standard library compiles each annotation and a constructor when it makes a class. For the sixty classes of a
question that took 9 of its 140 ms. Type checkers see the original, and the values behave like its values.
"""

from __future__ import annotations

from collections import _tuplegetter  # type: ignore[attr-defined]
from itertools import count, repeat
from typing import TYPE_CHECKING, Any, Final, Self, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["NamedTuple"]

FREQUENT: Final = 30
"""After so many values of a class, its constructor is compiled, which takes as long as 50 values."""


_value_counts: dict[type, int] = {}
"""How many values of each class were made, until its constructor is compiled."""


class _Value(tuple[Any, ...]):
    """What the classes share: all but the fields and the compiled constructor."""

    __slots__ = ()
    _fields: tuple[str, ...] = ()
    _field_defaults: dict[str, object] = {}  # noqa: RUF012 - each class has its own
    _owner: type[_Value]
    """The class that has the fields, also of a class derived from it."""

    def __init_subclass__(cls) -> None:
        if "_fields" in cls.__dict__:
            cls._owner = cls

    def __new__(cls, /, *values: object, **named: object) -> Self:
        owner = cls._owner
        _value_counts[owner] = count = _value_counts.get(owner, 0) + 1
        if count == FREQUENT:
            owner.__new__ = staticmethod(_compile_constructor(owner))  # type: ignore[method-assign]
        if named or len(values) != len(cls._fields):
            values = _complete_values(owner, values, named)
        return tuple.__new__(cls, values)

    @classmethod
    def _make(cls, values: Iterable[object]) -> Self:
        return cls(*values)

    def _replace(self, /, **changes: object) -> Self:
        replaced = type(self)(*map(changes.pop, self._fields, self))
        if changes:
            raise ValueError(f"got unexpected field names: {list(changes)!r}")
        return replaced

    def _asdict(self) -> dict[str, object]:
        return dict(zip(self._fields, self, strict=True))

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in self._asdict().items())
        return f"{type(self).__name__}({fields})"

    def __getnewargs__(self) -> tuple[Any, ...]:
        return tuple(self)


def _complete_values(owner: type[_Value], values: tuple[object, ...], named: dict[str, object]) -> tuple[object, ...]:
    """Add named values and defaults to those given by position.

    Raises:
        TypeError: there are too many, unknown, or missing values.
    """
    fields = owner._fields
    given = owner._field_defaults | dict(zip(fields, values, strict=False)) | named
    are_new = len(values) <= len(fields) and named.keys().isdisjoint(fields[: len(values)])
    if not are_new or len(given) != len(fields) or not named.keys() <= set(fields):
        raise TypeError(f"{owner.__name__} takes {', '.join(owner._fields)}; got {values!r} and {named!r}")
    return tuple(map(given.__getitem__, fields))


def _compile_constructor(owner: type[_Value]) -> Callable[..., Any]:
    """Compile the constructor that the standard library would."""
    names = "".join(f"{name}, " for name in owner._fields)
    constructor = eval(f"lambda cls, {names}: make(cls, ({names}))", {"make": tuple.__new__})  # noqa: S307 - of fields
    constructor.__defaults__ = tuple(owner._field_defaults.values())
    return cast("Callable[..., Any]", constructor)


class _Maker(type):
    """Makes a class of values from its annotations."""

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> type:
        fields = tuple(namespace.get("__annotations__", ()))
        defaults = {field: namespace[field] for field in fields if field in namespace}
        namespace.update(zip(fields, map(_tuplegetter, count(), repeat("")), strict=False))
        namespace.update(__slots__=(), __match_args__=fields, _fields=fields, _field_defaults=defaults)
        return type.__new__(type, name, (_Value, *bases[1:]), namespace)


if TYPE_CHECKING:
    from typing import NamedTuple  # noqa: TID251 - the original
else:
    NamedTuple = type.__new__(_Maker, "NamedTuple", (), {})
