"""What this shell's environment says of an Ollama server's own settings; a server started elsewhere may have others."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from reflectty.fitting import VARIABLES

if TYPE_CHECKING:
    from collections.abc import Mapping

VISIBLE: Final = "CUDA_VISIBLE_DEVICES"
"""Which of NVIDIA's GPUs programs may use."""


def server_settings(environment: Mapping[str, str] | None = None) -> Mapping[str, str]:
    """Return the variables that decide how a server loads a model, as far as they are set here."""
    given = os.environ if environment is None else environment
    return {name: given[name] for name in (*VARIABLES, VISIBLE) if name in given}
