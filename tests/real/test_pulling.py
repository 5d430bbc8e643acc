"""A real Ollama that pulls from a registry on loopback: to its end, cut off, resumed, twice at once, damaged."""

from __future__ import annotations

import json
import random
import signal
from typing import TYPE_CHECKING, Any

import pytest

from support.pty_screen import Screen
from support.registry import Registry
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.command import Reflect
    from support.real_ollama import Server

pytestmark = pytest.mark.server

SIZE = 24_000_000
INSECURE = "--insecure"


@pytest.fixture
def registry() -> Iterator[Registry]:
    """A registry with one model, whose bytes no other test uses: a server skips blobs that it has."""
    with Registry() as served:
        served.add("drawn", ("model", b"GGUF" + random.randbytes(SIZE)), ("license", b"free " * 1000))  # noqa: S311
        yield served


@pytest.fixture
def command(reflect: Reflect, ollama: Server, registry: Registry) -> Iterator[Reflect]:
    run = reflect.at(ollama.host)
    yield run
    registry.gate = None
    run("models", "remove", *names(run, registry), "--yes")


def names(command: Reflect, registry: Registry) -> list[str]:
    """The models that were pulled from the registry."""
    return [one["name"] for one in json.loads(command("models", "--json").out) if f":{registry.port}/" in one["name"]]


def completed(said: bytes) -> int:
    """The bytes of the first layer in the last whole line of --jsonl."""
    parts = [json.loads(line) for line in said.decode().split("\n")[:-1]]
    return max((part.get("completed", 0) for part in parts), default=0)


def report(command: Reflect, *words: str) -> dict[str, Any]:
    result = command("models", "pull", *words, INSECURE, "--json")
    assert (result.code, result.err) == (0, "")
    return dict(json.loads(result.out))


def test_pull_shows_progress_and_leaves_one_line(command: Reflect, registry: Registry) -> None:
    registry.gate = SIZE // 2
    with Screen(command, "models", "pull", registry.name("drawn"), INSECURE, columns=120) as screen:
        # The server reports the bytes it has written, a little fewer than it was sent.
        assert screen.until(lambda text: " % · " in text and " MB of 24 MB" in text)
        live = screen.text
        registry.gate = None
        code = screen.finish()
        left = screen.text

    assert code == 0
    assert live.startswith(f"pulling {registry.name('drawn')[:20]}")
    assert "\n" not in live
    assert left.startswith(f"reflect: pulled {registry.name('drawn')}, 24 MB, in ")
    assert "\n" not in left
    assert len(names(command, registry)) == 1


def test_pull_in_a_pipe_is_silent_and_a_second_one_changes_nothing(command: Reflect, registry: Registry) -> None:
    first = command("models", "pull", registry.name("drawn"), INSECURE)
    again = report(command, registry.name("drawn"))

    assert (first.code, first.out, first.err) == (0, "", "")
    assert again["changed"] is False
    assert again["fetched"] == 0
    assert again["layers"][0]["size"] == SIZE + 4


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_pull_resumes_where_it_ended(command: Reflect, registry: Registry, number: signal.Signals) -> None:
    registry.gate = SIZE // 2
    with command.start("models", "pull", registry.name("drawn"), INSECURE, "--jsonl") as run:
        assert run.until(lambda run: completed(run.stdout) > 0)
        result = run.signalled(number)
    stopped = until(lambda: not registry.fetching)
    registry.gate = None
    report(command, registry.name("drawn"))
    starts = [start for _, start, end in registry.ranges if end == SIZE + 4]

    assert result.code == 128 + number
    assert result.err == "reflect: stopped: progress is kept, run the same command to continue\n"
    assert stopped
    assert starts[0] == 0
    assert starts[-1] > 0


def test_concurrent_pulls_share_a_download_and_stopping_one_keeps_the_other(
    command: Reflect, registry: Registry
) -> None:
    registry.gate = SIZE // 2
    words = ("models", "pull", registry.name("drawn"), INSECURE, "--jsonl")
    with command.start(*words) as one, command.start(*words) as two:
        assert one.until(lambda run: completed(run.stdout) > 0)
        assert two.until(lambda run: completed(run.stdout) > 0)
        left = one.signalled(signal.SIGINT)
        registry.gate = None
        stayed = two.finish()

    assert left.code == 130
    assert (stayed.code, stayed.err) == (0, "")
    assert sum(end == SIZE + 4 for _, _, end in registry.ranges) == 1


def test_unusable_model_is_listed_and_removed(command: Reflect, registry: Registry) -> None:
    report(command, registry.name("drawn"))
    (name,) = names(command, registry)
    removed = command("models", "remove", name, "--yes", "--json")

    assert (removed.code, removed.err) == (0, "")
    assert json.loads(removed.out)[0]["name"] == name
    assert names(command, registry) == []


def test_model_missing_from_the_registry_exits_with_4(command: Reflect, registry: Registry) -> None:
    result = command("models", "pull", registry.name("nosuch"), INSECURE)

    assert (result.code, result.out) == (4, "")
    assert "the registry has no model" in result.err
    assert names(command, registry) == []


def test_plain_http_registry_requires_the_insecure_flag(command: Reflect, registry: Registry) -> None:
    result = command("models", "pull", registry.name("drawn"))

    assert (result.code, result.out) == (4, "")
    assert INSECURE in result.err
    assert registry.ranges == []


def test_digest_mismatch_installs_no_model(command: Reflect, registry: Registry) -> None:
    registry.damaged = True
    result = command("models", "pull", registry.name("drawn"), INSECURE)

    assert (result.code, result.out) == (5, "")
    assert "digest mismatch" in result.err
    assert names(command, registry) == []


def test_pulled_model_answers(command: Reflect, ollama: Server, registry: Registry) -> None:
    registry.add_installed("mini", ollama.home / "models")
    report(command, registry.name("mini"))
    (name,) = names(command, registry)
    result = command("-m", name, "--mode", "native", "--final", "Which is larger, 9.11 or 9.9?")

    assert (result.code, result.out) == (0, "9.9 is larger.\n")


def test_memory_estimate_of_a_large_pull_is_shown_during_the_download(command: Reflect, registry: Registry) -> None:
    registry.add("large", ("model", b"GGUF" + random.randbytes(101_000_000)))  # noqa: S311
    registry.gate = SIZE
    with Screen(
        command, "models", "pull", registry.name("large"), INSECURE, "--context", "8192", columns=200
    ) as screen:
        told = screen.until(lambda text: "101 MB, rough estimate: " in text)
        coming = screen.shows(" MB of 101 MB")
        screen.press(b"\x03")
        code = screen.finish()

    assert told
    assert coming
    assert code == 130
