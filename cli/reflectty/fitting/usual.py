"""How a server loads a model when it is not told otherwise: context, cache, conversations at once; no I/O.

The rules are those of Ollama 0.32.15 and 0.34.2: server/routes.go and envconfig/config.go.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from reflectty.fitting.estimate import DEFAULT_CONTEXT, Load
from reflectty.fitting.quantisation import CACHE_TYPES, DEFAULT_CACHE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reflectty.fitting.device import Machine

VARIABLES: Final = ("OLLAMA_CONTEXT_LENGTH", "OLLAMA_KV_CACHE_TYPE", "OLLAMA_NUM_PARALLEL")
"""What of a server's environment decides how it loads a model."""
_TIERS: Final = ((47 << 30, 262_144), (23 << 30, 32_768))
_MOST: Final = 1 << 30


def usual_context(machine: Machine) -> int:
    """Return the context that Ollama chooses by the memory of all GPUs."""
    memory = sum(gpu.total for gpu in machine.gpus)
    return next((context for least, context in _TIERS if memory >= least), DEFAULT_CONTEXT)


def usual_load(
    machine: Machine, *, context: int = 0, parameters: str = "", environment: Mapping[str, str] | None = None
) -> Load:
    """Return how a model will be loaded.

    Args:
        machine: where the server runs.
        context: the num_ctx of the request; 0 when it has none.
        parameters: those of the model, as /api/show writes them: a name and a value a line.
        environment: that of the server, as far as it is known.
    """
    given = environment or {}
    own = _of_model(parameters, "num_ctx") or _number(given.get("OLLAMA_CONTEXT_LENGTH", ""))
    kind = given.get("OLLAMA_KV_CACHE_TYPE", "").strip().lower()
    return Load(
        context=context or own or usual_context(machine),
        cache_type=kind if kind in CACHE_TYPES else DEFAULT_CACHE,
        parallel=_number(given.get("OLLAMA_NUM_PARALLEL", "")) or 1,
        batch=_of_model(parameters, "num_batch"),
    )


def assumed(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return what is taken to hold for a server though only this shell says so, a sentence each."""
    used = (name for name in VARIABLES if environment.get(name, "").strip())
    return tuple(f"{name}={environment[name]} of this shell is taken to hold for the server as well" for name in used)


def _of_model(parameters: str, name: str) -> int:
    found = re.search(rf"^{name}[ \t]+([0-9]{{1,9}})[ \t]*$", parameters, re.MULTILINE)
    return min(int(found[1]), _MOST) if found else 0


def _number(text: str) -> int:
    text = text.strip().strip("\"'")
    return min(int(text), _MOST) if re.fullmatch(r"[0-9]{1,9}", text) else 0
