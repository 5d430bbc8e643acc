from __future__ import annotations

import copy
import pickle
import typing
from typing import Any

import pytest

from reflectty.core.named_tuple import FREQUENT, NamedTuple

if typing.TYPE_CHECKING:
    from collections.abc import Callable


class Ours(NamedTuple):
    name: str
    size: int = 0
    tags: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        return f"{self.name}:{self.size}"


class Original(typing.NamedTuple):
    name: str
    size: int = 0
    tags: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        return f"{self.name}:{self.size}"


class Derived(Ours):
    def doubled(self) -> Derived:
        return self._replace(size=self.size * 2)


class Empty(NamedTuple):
    pass


USES: dict[str, Callable[[Any], object]] = {
    "by position": lambda made: made("a", 1, ("x",)),
    "by name": lambda made: made(size=1, name="a"),
    "with defaults": lambda made: made("a"),
    "mixed": lambda made: made("a", tags=("x",)),
    "compared with a tuple": lambda made: made("a", 1) == ("a", 1, ()),
    "hashed": lambda made: hash(made("a", 1)),
    "read": lambda made: (made("a").name, made("a", 3).size, made("a").tags, made("a", 2).label),
    "unpacked": lambda made: [*made("a", 1)],
    "changed": lambda made: tuple(made("a", 1)._replace(size=2, name="b")),
    "as a dict": lambda made: made("a", 1)._asdict(),
    "from a list": lambda made: tuple(made._make(["a", 1, ()])),
    "facts of the class": lambda made: (made._fields, made._field_defaults, made.__match_args__, made.__slots__),
    "shown": lambda made: repr(made("a", 1)).removeprefix(made.__name__),
    "copied": lambda made: copy.deepcopy(made("a", 1)) == made("a", 1),
    "pickled": lambda made: type(pickle.loads(pickle.dumps(made("a", 1)))) is made,  # noqa: S301 - our own bytes
    "without attributes of its own": lambda made: hasattr(made("a"), "__dict__"),
}
MISTAKES: dict[str, tuple[type[Exception], Callable[[Any], object]]] = {
    "a value is missing": (TypeError, lambda made: made()),
    "too many": (TypeError, lambda made: made("a", 1, (), 4)),
    "an unknown name": (TypeError, lambda made: made("a", color=1)),
    "twice": (TypeError, lambda made: made("a", name="b")),
    "an unknown change": (ValueError, lambda made: made("a")._replace(color=1)),
    "too few in a list": (TypeError, lambda made: made._make([])),
    "assigned": (AttributeError, lambda made: setattr(made("a"), "size", 2)),
}


@pytest.fixture(params=["at first", "after frequent use"], autouse=True)
def use(request: pytest.FixtureRequest) -> None:
    if request.param == "after frequent use":
        for count in range(FREQUENT + 1):
            assert Ours(str(count), size=count).size == count


@pytest.mark.parametrize("name", USES)
def test_a_named_tuple_behaves_like_the_original(name: str) -> None:
    assert USES[name](Ours) == USES[name](Original)


@pytest.mark.parametrize("name", MISTAKES)
def test_a_named_tuple_refuses_what_the_original_refuses(name: str) -> None:
    error, use = MISTAKES[name]
    with pytest.raises(error):
        use(Original)
    with pytest.raises(error):
        use(Ours)


def test_a_derived_class_keeps_its_type_before_and_after_its_constructor_is_compiled() -> None:
    for _ in range(FREQUENT + 1):
        assert type(Derived("a", 1).doubled()) is Derived
        assert type(Ours("a", 1)) is Ours
    assert Derived("a", 1).doubled() == Ours("a", 2)


def test_a_constructor_is_compiled_only_for_a_class_with_many_values() -> None:
    class Rare(NamedTuple):
        name: str
        size: int = 0

    assert [Rare(str(count)).name for count in range(FREQUENT - 1)] == [str(count) for count in range(FREQUENT - 1)]
    assert "__new__" not in vars(Rare)

    assert [Rare("a"), Rare("b", 2)] == [("a", 0), ("b", 2)]
    assert "__new__" in vars(Rare)


def test_a_class_can_have_no_fields() -> None:
    assert [Empty() for _ in range(FREQUENT + 1)] == [()] * (FREQUENT + 1)


def test_a_pattern_matches_by_position() -> None:
    match Ours("a", 1):
        case Ours(name, size):
            assert (name, size) == ("a", 1)
