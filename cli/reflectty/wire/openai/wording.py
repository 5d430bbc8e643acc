"""How OpenAI-compatible servers and what they want are spoken of."""

from __future__ import annotations

from typing import Final

SERVER: Final = "an OpenAI-compatible server"
HOST_HINT: Final = "check --host or REFLECTTY_HOST; an Ollama server is asked with --engine ollama"
LOG_HINT: Final = "ask again; the server's log may say why"
KEY_NAMES: Final = "REFLECTTY_API_KEY or OPENAI_API_KEY"
KEY_HINT: Final = (
    f"the server wants a key, or another one: set {KEY_NAMES}, or the setting api_key_file; it is sent over https and"
    " to this machine only"
)
