"""The question that a line makes: its prompt in the template, its own model and system prompt; asks nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.commands.gathering import Gathered
from reflectty.commands.templating import put_in
from reflectty.errors import UsageError

if TYPE_CHECKING:
    from reflectty.asking import Question
    from reflectty.batch.items import Item
    from reflectty.commands.templating import Filling


def question_for(item: Item, common: Question, wanted: Filling | None) -> Question:
    """Return the question of one line.

    Args:
        item: what the line says; its fields go before those of the call.
        common: what all lines have in common.
        wanted: the template, where there is one.

    Raises:
        UsageError: nothing is asked, or a field of the template is missing.
    """
    gathered = Gathered(words=item.prompt)
    if wanted:
        gathered = put_in(wanted._replace(fields=wanted.fields | dict(item.fields)), gathered)
    if not gathered.prompt.strip():
        raise UsageError("the line has no prompt", 'write it as {"prompt": "why is the sky blue?"}')
    wish = common.wish._replace(system=item.system or common.wish.system)
    return common._replace(prompt=gathered.prompt, model=item.model or common.model, wish=wish)
