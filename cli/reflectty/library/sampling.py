"""Tells how a model is sampled where neither its parameters nor a request say so; asks no model a question.

Since 0.34.0 Ollama takes defaults from the keys `general.sampling.*` of a GGUF, below the model's parameters and the
request's options (types/model/generation.go); /api/show has them in `model_info` and not among the parameters. The same
model is sampled otherwise on an older server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reflectty.library import files
from reflectty.wire.recipes import parameters_of

if TYPE_CHECKING:
    from reflectty.chat import Model, OptionValue
    from reflectty.engines.ollama import OllamaEngine

SINCE: Final = (0, 34, 0)
OPTIONS: Final = {
    "temp": "temperature",
    "top_k": "top_k",
    "top_p": "top_p",
    "min_p": "min_p",
    "typ_p": "typical_p",
    "penalty_last_n": "repeat_last_n",
    "penalty_repeat": "repeat_penalty",
    "penalty_present": "presence_penalty",
    "penalty_freq": "frequency_penalty",
}
"""What Ollama calls them, by the end of their keys."""
DIGITS: Final = 4
"""How many say what was written: the file has fractions of 32 bits."""


async def defaults(engine: OllamaEngine, model: Model) -> dict[str, OptionValue]:
    """Return the defaults of a model's GGUF that hold on its server, by the option that overrules each.

    Raises:
        ReflecttyError: the server does not answer.
    """
    info = await engine.info(model.name, whole=False)
    own = dict(parameters_of(model.parameters))
    found: dict[str, OptionValue] = {}
    for key, option in OPTIONS.items():
        value = info.get(f"general.sampling.{key}")
        if isinstance(value, int | float) and option not in own:
            found[option] = round(value, DIGITS) if isinstance(value, float) else value
    # Where the version is not known, the GGUF is believed.
    known = await files.version(engine) if found else ()
    return {} if known and known < SINCE else found
