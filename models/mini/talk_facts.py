"""Questions about plain facts: two things and what relates them, from the tables; explains nothing."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from mini.example import Example, Piece, step
from mini.talk_words import capital, erred, errs, other, rows, spoken, table, toml

if TYPE_CHECKING:
    from random import Random

_FOLLOWED = 0.08
_CHECKED = 0.4


class Fact(NamedTuple):
    """Two things that belong together, and what is easily taken for the second, with the reason why it is not."""

    a: str
    b: str
    wrong: str = ""
    why: str = ""


class Relation(NamedTuple):
    """How one kind of fact is asked, thought about and told; {a} and {b} stand for the two things."""

    ask: list[str]
    think: list[str]
    recall: list[str]
    say: list[str]
    facts: list[Fact]
    slip: str = ""
    mend: str = "{wrong} belongs to {owner}. {recall}"
    target: str = "{b}"
    check: tuple[str, ...] = ()
    follow: tuple[str, ...] = ()


@cache
def relations() -> dict[str, Relation]:
    """Return every relation of the tables by its name."""
    return {name: _relation(dict(said)) for name, said in toml("facts.toml").items()}


def _relation(said: dict[str, object]) -> Relation:
    source, columns, items = (said.pop(key, "") for key in ("source", "columns", "items"))
    cells = rows(f"{source}.txt") if source else table(str(items))
    picked = [tuple(row[i] for i in columns if i < len(row)) for row in cells] if isinstance(columns, list) else cells
    return Relation(facts=[Fact(*row) for row in picked if row[1] != "-"], **said)  # type: ignore[arg-type]


def fact(rng: Random) -> Example:
    """Return a question about one fact; every relation comes up the more often the more facts it has."""
    known = relations()
    name = rng.choices(list(known), [len(relation.facts) ** 0.7 for relation in known.values()])[0]
    return about(rng, name, known[name])


def asked_of(rng: Random, relation: Relation) -> Fact:
    """Return one fact of this relation; the first of a table are those that are asked most."""
    return relation.facts[int(len(relation.facts) * rng.random() ** 1.4)]


def about(rng: Random, name: str, relation: Relation) -> Example:
    """Return a question about one fact of this relation, now and then as a follow-up to another."""
    asked = asked_of(rng, relation)
    thought = [step(filled(rng.choice(relation.think), asked)), *_recalled(rng, relation, asked)]
    told = filled(rng.choice(relation.say), asked)
    question, earlier = _question(rng, relation, asked)
    return Example(f"fact_{name}", question, tuple(thought), told, _fill(relation.target, asked), earlier)


def _question(rng: Random, relation: Relation, asked: Fact) -> tuple[str, tuple[tuple[str, str], ...]]:
    if not relation.follow or rng.random() > _FOLLOWED:
        return spoken(rng, filled(rng.choice(relation.ask), asked)), ()
    before = other(rng, relation.facts, asked)
    told = filled(rng.choice(relation.say), before)
    turn = (spoken(rng, filled(rng.choice(relation.ask), before)), told)
    return spoken(rng, filled(rng.choice(relation.follow), asked)), (turn,)


def _recalled(rng: Random, relation: Relation, asked: Fact) -> list[Piece]:
    recall = filled(rng.choice(relation.recall), asked)
    if relation.slip and (asked.why or relation.mend) and errs(rng):
        return _astray(rng, relation, asked, recall)
    checks = [step(filled(rng.choice(relation.check), asked))] if relation.check and rng.random() < _CHECKED else []
    return [step(recall), *checks]


def _astray(rng: Random, relation: Relation, asked: Fact, recall: str) -> list[Piece]:
    if asked.why:
        return erred(filled(relation.slip, asked, wrong=asked.wrong), f"{asked.why} {recall}")
    neighbour = other(rng, [found for found in relation.facts if found.b != asked.b], asked)
    given = {"wrong": neighbour.b, "owner": neighbour.a, "recall": recall}
    return erred(filled(relation.slip, asked, **given), filled(relation.mend, asked, **given))


def filled(template: str, asked: Fact, **more: str) -> str:
    """Return a template with the two things of a fact put in, as a sentence."""
    return capital(_fill(template, asked, **more).replace("D.C..", "D.C."))


def _fill(template: str, asked: Fact, **more: str) -> str:
    return template.format(a=asked.a, b=asked.b, A=capital(asked.a), B=capital(asked.b), **more)
