"""Makes a client of the `ollama` package that speaks through an engine, whatever the environment holds."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING, Final

from reflectty.engines.relay import Relay

if TYPE_CHECKING:
    from ollama import AsyncClient

    from reflectty.engines.ollama import OllamaEngine

ANYWHERE: Final = "http://127.0.0.1"
"""An address for a client whose requests the engine sends where they belong."""


def open_client(engine: OllamaEngine) -> AsyncClient:
    """Return a client whose requests go through the engine; it needs no closing."""
    _keep_it_from_starting()
    from ollama._client import AsyncClient  # noqa: PLC0415 - takes longer to import than all else

    # Where no authorization is given, the client takes one from the environment, fit for a header or not.
    unused = {"Authorization": "-"}
    return AsyncClient(ANYWHERE, headers=unused, transport=Relay(engine), trust_env=False, follow_redirects=False)


def _keep_it_from_starting() -> None:
    """Let the package's modules be imported without its `__init__`.

    That makes a client of its own from the environment: an OLLAMA_HOST, a proxy or a certificate file that it cannot
    use would make the import fail, and the certificates that it loads are for nothing.
    """
    spec = importlib.util.find_spec("ollama")
    if spec is not None:
        sys.modules.setdefault("ollama", importlib.util.module_from_spec(spec))
