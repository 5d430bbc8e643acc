"""The weights of the built-in model are merged once, and never used incomplete or wrong."""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
import time
from typing import TYPE_CHECKING

import pytest

from reflectty.core.errors import StoreError, UnreachableError
from reflectty.engines.embedded.install import FORGOTTEN_SECONDS, join_weight_parts

if TYPE_CHECKING:
    from pathlib import Path


TEXTS = (b"one" * 500_000, b"", b"two" * 700_000)
WHOLE = b"".join(TEXTS)
DIGEST = hashlib.sha256(WHOLE).hexdigest()


@pytest.fixture
def parts(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"part{number}" for number in range(len(TEXTS))]
    for path, text in zip(paths, TEXTS, strict=True):
        path.write_bytes(text)
    return paths


async def joined(target: Path, parts: list[Path]) -> None:
    await join_weight_parts(target, parts, len(WHOLE), DIGEST)


def test_parts_are_joined_in_order_and_leave_nothing_else(tmp_path: Path, parts: list[Path]) -> None:
    target = tmp_path / "cache" / "reflectty" / "whole"
    asyncio.run(joined(target, parts))
    assert target.read_bytes() == WHOLE
    assert list(target.parent.iterdir()) == [target]
    assert stat.S_IMODE(target.parent.stat().st_mode) == 0o700


def test_complete_file_is_left_alone_and_a_cut_one_is_rebuilt(tmp_path: Path, parts: list[Path]) -> None:
    target = tmp_path / "whole"
    asyncio.run(joined(target, parts))
    before = target.stat()
    asyncio.run(joined(target, parts))
    assert target.stat() == before
    os.truncate(target, 7)
    asyncio.run(joined(target, parts))
    assert target.read_bytes() == WHOLE


def test_concurrent_joins_do_not_interfere(tmp_path: Path, parts: list[Path]) -> None:
    target = tmp_path / "cache" / "whole"

    async def main() -> None:
        await asyncio.gather(joined(target, parts), joined(target, parts))

    asyncio.run(main())
    assert target.read_bytes() == WHOLE
    assert list(target.parent.iterdir()) == [target]


def test_parts_with_another_digest_are_refused_and_leave_nothing(tmp_path: Path, parts: list[Path]) -> None:
    target = tmp_path / "cache" / "whole"
    parts[2].write_bytes(TEXTS[2][:-1] + b"x")
    with pytest.raises(UnreachableError, match="corrupt") as caught:
        asyncio.run(joined(target, parts))
    assert "--force-reinstall" in caught.value.hint
    assert list(target.parent.iterdir()) == []


def test_unwritable_target_raises_a_store_error(parts: list[Path]) -> None:
    with pytest.raises(StoreError, match="cannot write the built-in model's weights to /proc") as caught:
        asyncio.run(joined(parts[0].__class__("/proc/nowhere/whole"), parts))
    assert "XDG_CACHE_HOME" in caught.value.hint


def test_missing_part_raises_a_store_error(tmp_path: Path, parts: list[Path]) -> None:
    parts[0].unlink()
    with pytest.raises(StoreError, match="no such file"):
        asyncio.run(joined(tmp_path / "cache" / "whole", parts))
    assert list((tmp_path / "cache").iterdir()) == []


def test_canceled_join_leaves_nothing(tmp_path: Path, parts: list[Path]) -> None:
    target = tmp_path / "cache" / "whole"

    async def main() -> None:
        task = asyncio.create_task(joined(target, parts))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert len(list(target.parent.iterdir())) == 1
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())
    assert list(target.parent.iterdir()) == []


def test_leftovers_of_a_killed_program_are_removed_once_old(tmp_path: Path, parts: list[Path]) -> None:
    old, new = tmp_path / "whole.abc", tmp_path / "whole.def"
    for left in (old, new):
        left.write_bytes(b"half")
    long_ago = time.time() - FORGOTTEN_SECONDS - 1
    os.utime(old, (long_ago, long_ago))
    asyncio.run(joined(tmp_path / "whole", parts))
    assert not old.exists()
    assert new.exists()
