"""The real process of the built-in model: how it starts, how it is found, and how it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reflectty.core.errors import IncompleteError, UnreachableError
from reflectty.engines.embedded import runtime_files
from reflectty.engines.embedded.engine import EmbeddedEngine
from reflectty.engines.embedded.install import WEIGHTS_SIZE, join_weight_parts
from reflectty.engines.embedded.server_process import ServerProcess
from support.built_in import ENDLESS, endless_request, eventually, request_with, until
from support.command import PATIENCE
from support.engine_outcome import collect

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from reflectty.core.messages import Chunk, Request
    from support.built_in import BuiltIn, Child
    from support.engine_outcome import Outcome

SHORT = request_with(num_predict=4)
STOPPED = 30.0
"""CPU seconds after which an unread reply has been abandoned; filling the context takes minutes."""


async def answered(mini: BuiltIn, keep: float = 300.0) -> Outcome:
    async with mini.engine(keep) as engine:
        return await collect(engine.chat(SHORT))


def left(mini: BuiltIn) -> list[str]:
    return [str(path.relative_to(mini.runtime)) for path in mini.runtime.rglob("*")]


async def endless(engine: EmbeddedEngine) -> None:
    """Ask for a reply that is nearly endless, and read it."""
    async with aclosing(engine.chat(endless_request())) as chunks:
        await _to_the_end(chunks)


async def answered_by(mini: BuiltIn, keep: float, request: Request = SHORT) -> Child:
    """Ask once, and return the process that answered, which may have ended since."""
    async with mini.engine(keep) as engine, aclosing(engine.chat(request)) as chunks:
        await anext(chunks)
        child = mini.child()
        await _to_the_end(chunks)
    return child


async def _to_the_end(chunks: AsyncGenerator[Chunk, None]) -> None:
    async for _ in chunks:
        pass


def test_first_question_starts_a_process_that_later_ones_reuse(own_mini: BuiltIn) -> None:
    assert asyncio.run(answered(own_mini)).complete
    first = own_mini.child()
    assert asyncio.run(answered(own_mini)).complete
    assert own_mini.child() == first


@pytest.mark.slow
def test_concurrent_questions_of_several_programs_start_one_process(own_mini: BuiltIn) -> None:
    program = (
        "import asyncio; from reflectty.engines import open_engine; from reflectty.core.messages import Message, Request\n"
        "async def main():\n"
        "    async with open_engine(engine='embedded') as engine:\n"
        "        request = Request('mini', (Message('user', 'Hi'),), (('num_predict', 3),))\n"
        "        print(len([chunk async for chunk in engine.chat(request)]))\n"
        "asyncio.run(main())\n"
    )
    environment = {**os.environ, **own_mini.environment}
    asked = [
        subprocess.Popen([sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE) for _ in range(4)
    ]
    assert all(int(one.communicate(timeout=PATIENCE)[0]) > 0 for one in asked)
    assert own_mini.child().lives


def test_process_folder_is_private_and_no_port_is_opened(mini: BuiltIn) -> None:
    asyncio.run(answered(mini))
    folder = mini.places.folder
    assert [stat.S_IMODE(place.stat().st_mode) for place in (folder.parent, folder)] == [0o700, 0o700]
    assert stat.S_IMODE(mini.places.socket.stat().st_mode) & 0o077 == 0
    inodes = mini.child().sockets()
    assert inodes
    for table in ("tcp", "tcp6", "udp", "udp6", "raw", "raw6"):
        rows = Path("/proc/net", table).read_text(encoding="ascii").splitlines()[1:]
        assert not inodes & {row.split()[9] for row in rows}


@pytest.mark.slow
def test_idle_process_exits_and_removes_its_files(own_mini: BuiltIn) -> None:
    child = asyncio.run(answered_by(own_mini, keep=0.3))
    assert until(lambda: not child.lives)
    assert left(own_mini) == []


@pytest.mark.slow
def test_process_does_not_exit_during_a_reply_despite_a_short_keep_alive(own_mini: BuiltIn) -> None:
    child = asyncio.run(
        answered_by(own_mini, 0.1, request_with("Count from 1 to 200.", num_predict=150, temperature=1.5))
    )
    assert until(lambda: not child.lives)


@pytest.mark.slow
def test_idle_process_uses_no_cpu(mini: BuiltIn) -> None:
    asyncio.run(answered(mini))
    child = mini.child()
    before = child.seconds
    time.sleep(2)
    assert child.seconds - before < 0.2


@pytest.mark.slow
def test_cancelled_request_stops_the_model(mini: BuiltIn) -> None:
    async def main() -> None:
        async with mini.engine() as engine:
            task = asyncio.create_task(endless(engine))
            child = await _busy(mini)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await _still(child)

    asyncio.run(main())


async def _busy(mini: BuiltIn) -> Child:
    """The process, once it computes."""
    assert await eventually(mini.places.socket.exists)
    child = mini.child()
    before = child.seconds
    assert await eventually(lambda: child.seconds - before > 2)
    return child


async def _still(child: Child) -> None:
    """Wait until it stops computing, long before the context is full: it may finish its current step."""
    began = before = child.seconds
    await asyncio.sleep(1)
    # It gets little of a busy machine, but never nothing.
    while child.seconds - before > 0.02:
        before = child.seconds
        assert before - began < STOPPED
        await asyncio.sleep(1)


@pytest.mark.slow
def test_killed_client_stops_the_model(own_mini: BuiltIn) -> None:
    program = (
        "import asyncio; from reflectty.engines import open_engine; from reflectty.core.messages import Message, Request\n"
        "async def main():\n"
        "    async with open_engine(engine='embedded') as engine:\n"
        f"        request = Request('mini', (Message('user', 'Count'),), (('num_predict', -1),), schema={ENDLESS!r})\n"
        "        async for chunk in engine.chat(request): pass\n"
        "asyncio.run(main())\n"
    )
    client = subprocess.Popen([sys.executable, "-c", program], env={**os.environ, **own_mini.environment})
    try:
        child = asyncio.run(_busy(own_mini))
    finally:
        client.kill()
        client.wait()
    asyncio.run(_still(child))
    assert asyncio.run(answered(own_mini, keep=0)).complete
    assert until(lambda: not child.lives)


@pytest.mark.slow
def test_killed_process_cuts_the_reply_and_the_next_question_restarts_it(own_mini: BuiltIn) -> None:
    async def main() -> None:
        async with own_mini.engine() as engine:
            async with aclosing(engine.chat(endless_request())) as chunks:
                await anext(chunks)
                child = own_mini.child()
                os.kill(child.pid, signal.SIGKILL)
                with pytest.raises(IncompleteError, match="built-in model exited in the middle"):
                    await _to_the_end(chunks)
            assert (await collect(engine.chat(SHORT))).complete
            assert own_mini.child() != child

    asyncio.run(main())


@pytest.mark.slow
def test_process_killed_before_the_first_token_cuts_the_reply(own_mini: BuiltIn) -> None:
    async def main() -> None:
        async with own_mini.engine() as engine:
            task = asyncio.create_task(endless(engine))
            child = await _busy(own_mini)
            os.kill(child.pid, signal.SIGKILL)
            with pytest.raises(IncompleteError, match="built-in model exited"):
                await task

    asyncio.run(main())


@pytest.mark.slow
def test_leftover_socket_of_a_killed_process_does_not_block_a_new_one(own_mini: BuiltIn) -> None:
    asyncio.run(answered(own_mini))
    own_mini.child().kill()
    assert own_mini.places.socket.is_socket()
    assert asyncio.run(answered(own_mini)).complete


def test_terminated_process_removes_its_files(own_mini: BuiltIn) -> None:
    asyncio.run(answered(own_mini))
    own_mini.child().kill(signal.SIGTERM)
    assert left(own_mini) == []


@pytest.mark.slow
def test_process_exits_when_its_socket_is_removed(own_mini: BuiltIn) -> None:
    asyncio.run(answered(own_mini))
    child = own_mini.child()
    own_mini.places.socket.unlink()
    assert until(lambda: not child.lives)


def test_a_process_that_cannot_load_says_why(own_mini: BuiltIn, tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"this is no model")

    async def joined(_: Path) -> None:
        """Join nothing."""

    places = own_mini.places._replace(weights=broken)
    engine = EmbeddedEngine(process=ServerProcess(places, joined))
    outcome = asyncio.run(_once(engine))
    assert isinstance(outcome.error, UnreachableError)
    assert "expected 'GGUF'" in str(outcome.error)
    assert str(broken) in outcome.error.hint
    assert until(lambda: own_mini.children() == [])


async def _once(engine: EmbeddedEngine) -> Outcome:
    async with engine:
        return await collect(engine.chat(SHORT))


@pytest.mark.slow
def test_process_killed_while_loading_is_reported_and_then_restarted(
    own_mini: BuiltIn,
) -> None:
    async def main() -> None:
        async with own_mini.engine() as engine:
            task = asyncio.create_task(collect(engine.chat(SHORT)))
            assert await eventually(own_mini.places.socket.exists)
            own_mini.child().kill()
            outcome = await task
            assert isinstance(outcome.error, UnreachableError | IncompleteError)
            assert "built-in model" in str(outcome.error)
            assert (await collect(engine.chat(SHORT))).complete

    asyncio.run(main())


def test_process_that_is_never_ready_times_out(own_mini: BuiltIn) -> None:
    places = own_mini.places
    places.folder.mkdir(mode=0o700, parents=True)
    places.folder.parent.chmod(0o700)
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(places.socket))
        outcome = asyncio.run(_held(ServerProcess(places, loading=0.3)))
    assert isinstance(outcome.error, UnreachableError)
    assert "not ready after 0.3 s" in str(outcome.error)


async def _held(process: ServerProcess) -> Outcome:
    """Ask while another process holds the life lock, as one does that starts the server and hangs."""
    life = runtime_files.open_locked(process.paths.life_lock)
    assert life is not None
    try:
        return await _once(EmbeddedEngine(process=process))
    finally:
        os.close(life)


@pytest.mark.parametrize("spoiled", ["open to others", "a link", "a file"])
def test_process_folder_that_is_not_private_is_refused(own_mini: BuiltIn, tmp_path: Path, spoiled: str) -> None:
    folder = own_mini.places.folder.parent
    if spoiled == "open to others":
        folder.mkdir()
        folder.chmod(0o755)
    elif spoiled == "a link":
        folder.symlink_to(tmp_path)
    else:
        folder.touch(mode=0o600)
    outcome = asyncio.run(answered(own_mini))
    assert isinstance(outcome.error, UnreachableError)
    assert "private to you" in str(outcome.error)
    assert list(tmp_path.iterdir()) == []


def test_process_folder_of_another_user_is_refused(own_mini: BuiltIn) -> None:
    foreign = own_mini.places
    if os.getuid():
        foreign = foreign._replace(folder=Path("/root"))
    else:
        foreign.folder.parent.mkdir(mode=0o700)
        os.chown(foreign.folder.parent, 65534, 65534)
    outcome = asyncio.run(_once(EmbeddedEngine(process=ServerProcess(foreign))))
    assert isinstance(outcome.error, UnreachableError)


def test_installed_weight_parts_are_joined_to_the_full_size(mini: BuiltIn) -> None:
    asyncio.run(join_weight_parts(mini.places.weights))
    assert mini.places.weights.stat().st_size == WEIGHTS_SIZE
