"""Finds out whether and how a reply can go on in its middle, before it is stopped; changes nothing, shows nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reflectty.errors import RefusedError
from reflectty.families import opener_at
from reflectty.steering import refuse_where_it_cannot, tag_family
from reflectty.stream import Kind

if TYPE_CHECKING:
    from reflectty.asking import Question
    from reflectty.chat import Engine, Model
    from reflectty.families import Family
    from reflectty.modes import Plan
    from reflectty.session import Said


class Way(NamedTuple):
    """How a reply goes on."""

    model: Model
    chosen: Plan
    opener: str = ""
    """The marker with which the model was seen to open its thinking; nothing where its tags are known otherwise."""
    opened: bool = False
    """Whether the prompt had opened the thinking, though what came was taken for an answer."""

    def family(self, said: Said) -> Family:
        """Return the family in whose tags the reply is written.

        Raises:
            RefusedError: its tags are not known.
        """
        field = bool(said.raw_thinking)
        return tag_family(self.model, self.chosen, said.family, said.raw, field=field, opener=self.opener)

    def read(self, said: Said) -> Said:
        """Return a reply with what the prompt tells of it: all of it may be thinking."""
        return said._replace(segments=((Kind.THINKING, said.raw.strip("\n")),)) if self.opened else said


async def way_of(engine: Engine, question: Question, said: Said, model: Model, chosen: Plan) -> Way:
    """Return how a reply goes on.

    Args:
        engine: who would go on.
        question: what the reply is to.
        said: the reply so far.
        model: who gave it.
        chosen: how it is asked.

    Raises:
        RefusedError: the server cannot go on, or nobody tells how the model marks its thinking.
    """
    from reflectty.asking import request_for  # noqa: PLC0415 - not before the first frame

    refuse_where_it_cannot(model)
    request = request_for(question, model, chosen)
    render = getattr(engine, "prompt", None)
    opener = opener_at(await render(request)) if render else ""
    if opener and said.raw.strip() and all(kind is Kind.ANSWER for kind, _ in said.segments) and not said.raw_thinking:
        return Way(model, chosen, opener, opened=_is_untagged(said))
    tell = getattr(engine, "opener", None)
    if said.raw_thinking and tell and not _knows(model, chosen, said):
        opener = await tell(request)
        return Way(model, chosen, opener)
    return Way(model, chosen)


def _is_untagged(said: Said) -> bool:
    return not said.answer or said.raw.strip() == said.answer.strip()


def _knows(model: Model, chosen: Plan, said: Said) -> bool:
    try:
        tag_family(model, chosen, said.family, said.raw, field=True)
    except RefusedError:
        return False
    return True
