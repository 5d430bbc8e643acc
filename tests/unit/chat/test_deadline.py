"""The deadline of a question ends what runs under it, and nothing else."""

from __future__ import annotations

import asyncio

import pytest

from reflectty.chat.waits import Deadline
from reflectty.core.errors import DeadlineError

INSTANT = 0.001


def test_body_is_canceled_and_its_cleanup_runs() -> None:
    cleaned: list[bool] = []

    async def main() -> None:
        async with Deadline(INSTANT).enforce():
            try:
                await asyncio.Event().wait()
            finally:
                cleaned.append(True)

    with pytest.raises(DeadlineError, match=r"the deadline of 0\.001 s ended the reply"):
        asyncio.run(main())
    assert cleaned == [True]


def test_later_parts_have_only_the_time_that_is_left() -> None:
    async def main() -> None:
        deadline = Deadline(INSTANT)
        async with deadline.enforce():
            pass
        await asyncio.sleep(10 * INSTANT)
        async with deadline.enforce():
            await asyncio.Event().wait()

    with pytest.raises(DeadlineError):
        asyncio.run(main())


def test_other_timeouts_and_cancellations_pass_through() -> None:
    async def late() -> None:
        async with Deadline(3600).enforce(), asyncio.timeout(INSTANT):
            await asyncio.Event().wait()

    async def canceled() -> None:
        async def wait() -> None:
            async with Deadline(3600).enforce():
                await asyncio.Event().wait()

        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(TimeoutError):
        asyncio.run(late())
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(canceled())


def test_without_a_time_there_is_no_limit() -> None:
    async def main() -> bool:
        async with Deadline(0).enforce():
            await asyncio.sleep(10 * INSTANT)
        return True

    assert asyncio.run(main())
