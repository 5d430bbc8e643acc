"""Short verses and stories about any thing of a list: a few forms into which the thing is put."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mini.example import Example, step
from mini.talk_lists import kinds
from mini.talk_words import a, spoken, toml

if TYPE_CHECKING:
    from random import Random

_THEMES = ("birds", "insects", "musical instruments", "vehicles", "pieces of furniture", "tools", "trees", "flowers")
_ASKS = (
    "Write a {form} about {a}.",
    "A {form} about {a}, please.",
    "Can you write a {form} about {a}?",
    "Please write me a {form} about {a}.",
    "Give me a {form} about {a}.",
    "I would like a {form} about {a}.",
    "Make up a {form} about {a}.",
    "Compose a {form} about {a}.",
    "{form} about {a}",
)


def themed(rng: Random) -> Example:
    """Return a request for a verse or a story about a thing."""
    thing = rng.choice(kinds()[rng.choice(_THEMES)][1])
    forms = toml("themes.toml")
    form = rng.choice(list(forms))
    written = rng.choice(forms[form]["written"]).format(a=a(thing), x=thing)
    question = spoken(rng, rng.choice(_ASKS).format(form=form, a=a(thing)))
    thought = (step(f"The theme is {a(thing)}, the form a {form}."), step(forms[form]["needs"]))
    return Example("themed", question, thought, written, thing)
