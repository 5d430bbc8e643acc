from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from support import built_in, real_llama, real_ollama, real_ollama_build, tiers
from support.command import Reflect
from support.reference_replies import ReferenceReply, by_llama, by_ollama

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def pytest_addoption(parser: pytest.Parser) -> None:
    tiers.add_option(parser)
    known = real_ollama_build.VERSIONS
    parser.addoption(
        "--ollama",
        choices=known,
        help=f"the version of Ollama that the tests of real servers run on: {' or '.join(known)} (default: {known[0]})",
    )


def pytest_configure(config: pytest.Config) -> None:
    tiers.configure(config)
    if chosen := config.getoption("--ollama"):
        os.environ[real_ollama_build.CHOICE] = chosen


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    return tiers.workers(config)


@pytest.fixture(scope="session", autouse=True)
def _heard() -> None:
    """Restore default signal handlers: `nohup` and `&` start the tests with ignored signals, which commands inherit."""
    for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


@pytest.fixture(name="write")
def _write(tmp_path: Path) -> Callable[[str], Path]:
    """A function that writes settings into a file and returns its path."""

    def write(text: str) -> Path:
        path = tmp_path / "config.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def ollama() -> Iterator[real_ollama.Server]:
    """A real Ollama with the models of the tests; without it, tests that need it fail with the reason."""
    try:
        with real_ollama.serve() as server:
            server.create_all()
            yield server
    except real_ollama.UnavailableError as error:
        pytest.fail(f"a real Ollama is needed: {error}", pytrace=False)


@pytest.fixture(scope="session")
def mini_reply(ollama: real_ollama.Server) -> ReferenceReply:
    """The reply of `mini` on the real Ollama to a question that it first gets wrong."""
    spoken = by_ollama(ollama.host, "mini")
    assert spoken.corrections, f"the adapter has not learnt to correct itself: {spoken.raw}"
    return spoken


@pytest.fixture(scope="session")
def llama() -> Iterator[real_llama.LlamaServer]:
    """A real llama-server with the built-in model; without it, tests that need it fail with the reason."""
    try:
        with real_llama.serve() as server:
            yield server
    except real_ollama.UnavailableError as error:
        pytest.fail(f"a real llama-server is needed: {error}", pytrace=False)


@pytest.fixture(scope="session")
def llama_reply(llama: real_llama.LlamaServer) -> ReferenceReply:
    """The reply of the real llama-server to the same question."""
    spoken = by_llama(llama.host, real_llama.NAME, real_llama.KEY)
    assert spoken.corrections, f"the adapter has not learnt to correct itself: {spoken.raw}"
    return spoken


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder in which the weights of the built-in model are merged once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def mini(weights: Path) -> Iterator[built_in.BuiltIn]:
    """The built-in model; the first test to need its process starts it, and no test stops it."""
    with built_in.built_in(weights) as one:
        yield one


@pytest.fixture
def own_mini(weights: Path) -> Iterator[built_in.BuiltIn]:
    """The built-in model without a process, private to one test."""
    with built_in.built_in(weights) as one:
        yield one


@pytest.fixture
def reflect(request: pytest.FixtureRequest, tmp_path: Path) -> Reflect:
    """The command in an empty home; tests marked `process` run it as a process of its own."""
    home = tmp_path / "home"
    home.mkdir()
    return Reflect(home, apart=request.node.get_closest_marker("process") is not None)
