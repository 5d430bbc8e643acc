"""The real command, speaking OpenAI's protocol with one server."""

from __future__ import annotations

from support.command import Reflect

NO_SERVER = "127.0.0.1:1"
"""The value of OLLAMA_HOST: no server answers there."""


class OpenAICommand(Reflect):
    """Runs `reflect` for a server at a host; the keywords are variables of its environment."""

    def __init__(self, reflect: Reflect, host: str, **variables: str) -> None:
        super().__init__(reflect.home, NO_SERVER, apart=reflect.apart)
        self._variables = {"REFLECTTY_HOST": host, "REFLECTTY_ENGINE": "openai", **variables}

    def environment(self, **variables: str) -> dict[str, str]:
        return super().environment(**(self._variables | variables))
