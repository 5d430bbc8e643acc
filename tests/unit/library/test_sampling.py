"""The sampling that a model's file asks for: told where the server follows it and nothing overrules it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from reflectty.library import open_library
from reflectty.library.sampling import defaults
from support.fake_server import FakeServer, show, whole

if TYPE_CHECKING:
    from reflectty.chat import OptionValue

INFO = {
    "general.sampling.temp": 0.6000000238418579,
    "general.sampling.top_k": 20,
    "general.sampling.penalty_repeat": 1.0499999523162842,
    "general.sampling.mirostat": 1,
    "general.architecture": "qwen3",
}
ALL = {"temperature": 0.6, "top_k": 20, "repeat_penalty": 1.05}


@pytest.mark.parametrize(
    ("info", "parameters", "version", "expected"),
    [
        (INFO, "", "0.34.2", ALL),
        (INFO, "", "0.34.0", ALL),
        (INFO, "", "0.33.1", {}),
        (INFO, "", "0.0.0", ALL),
        (INFO, "temperature 0\ntop_k 40", "0.34.2", {"repeat_penalty": 1.05}),
        ({"general.sampling.temp": 0}, "", "0.34.2", {"temperature": 0}),
        ({"general.sampling.temp": "warm"}, "", "0.34.2", {}),
        ({}, "", "0.34.2", {}),
    ],
)
def test_what_the_file_asks_for_is_told_by_the_option_that_overrules_it(
    info: dict[str, Any], parameters: str, version: str, expected: dict[str, OptionValue]
) -> None:
    async def asked() -> dict[str, OptionValue]:
        async with open_library(server.host) as library:
            return await defaults(library.engine, await library.engine.show("m"))

    shown = show(parameters=parameters, model_info=info)
    with FakeServer({"/api/show": shown, "/api/version": whole({"version": version})}) as server:
        assert asyncio.run(asked()) == expected
        assert not any(one.json.get("verbose") for one in server.asked("/api/show"))
