"""How a model is sampled where a request says nothing: what its file says, and what its PARAMETERs; no I/O.

Ollama reads `general.sampling.*` of a GGUF from 0.34.0 on, below PARAMETERs and options (server/routes.go and
types/model/generation.go of 0.34.2); llama-server does as well. Older ones pass it over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reflectty.chat import Model

PREFIX: Final = "general.sampling."
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
"""The options of Ollama by the keys of GGUF, without what these begin with."""


class Default(NamedTuple):
    """What an option is where a request does not name it."""

    option: str
    value: str
    by_file: bool
    """Whether the file says so, and no PARAMETER."""


def of_file(info: Mapping[str, object]) -> tuple[tuple[str, float], ...]:
    """Return the options that a model's file sets, by what /api/show says of it."""
    found = ((option, info.get(PREFIX + key)) for key, option in OPTIONS.items())
    return tuple((option, value) for option, value in found if isinstance(value, int | float))


def given(parameters: str) -> dict[str, str]:
    """Return a model's PARAMETERs as /api/show writes them, one a line; of one that is set twice, the last."""
    lines = (line.split(maxsplit=1) for line in parameters.splitlines())
    return {line[0]: line[1].strip() for line in lines if len(line) > 1}


def defaults(model: Model) -> tuple[Default, ...]:
    """Return what decides how a model is sampled, in the order of the options; of what is set twice, what holds."""
    own = given(model.parameters)
    file = {option: f"{value:.4g}" for option, value in model.sampling}
    names = [option for option in (*OPTIONS.values(), "seed") if option in own or option in file]
    return tuple(Default(name, own.get(name, file.get(name, "")), name not in own) for name in names)
