from __future__ import annotations

import asyncio
import os
import shutil
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from reflectty.models import hardware
from reflectty.models.fit import REMOTE_MACHINE, Machine, MemoryKind
from reflectty.models.hardware import ProbeEnvironment, detect_machine
from reflectty.system.programs import MOST_BYTES
from reflectty.system.programs import run_program as asked
from support import gpu_outputs
from support.event_loops import ClockedLoop
from support.waiting import PATIENCE, until

if TYPE_CHECKING:
    from pathlib import Path

GIB = 1 << 30


@pytest.fixture(name="place")
def _place(tmp_path: Path) -> ProbeEnvironment:
    """A machine without any program, with 64 GB of memory."""
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text(gpu_outputs.MEMINFO)
    (tmp_path / "bin").mkdir()
    return ProbeEnvironment(str(tmp_path / "bin"), tmp_path, "linux", PATIENCE)


def install(place: ProbeEnvironment, name: str, body: str) -> None:
    path = place.root / "bin" / name
    path.write_text(f"#!{shutil.which('sh')}\nPATH={os.environ['PATH']}\n{body}\n")
    path.chmod(0o755)


def says(place: ProbeEnvironment, name: str, text: str, code: int = 0) -> None:
    (place.root / f"{name}.txt").write_text(text)
    install(place, name, f'echo "$@" > {place.root}/{name}.asked; cat {place.root}/{name}.txt; exit {code}')


def test_machine_without_gpus_reports_its_memory(place: ProbeEnvironment) -> None:
    found = asyncio.run(detect_machine(probe=place))

    assert found == Machine(total=65756380 << 10, available=52400232 << 10)


def test_programs_are_called_with_the_right_query(place: ProbeEnvironment) -> None:
    says(place, "nvidia-smi", gpu_outputs.TWO_3090)
    says(place, "rocm-smi", gpu_outputs.ROCM_6)
    found = asyncio.run(detect_machine(probe=place, visible="0"))

    assert [gpu.name for gpu in found.gpus] == ["NVIDIA GeForce RTX 3090", "Radeon RX 7900 XT"]
    assert (place.root / "nvidia-smi.asked").read_text().split() == list(hardware.NVIDIA_QUERY)
    assert (place.root / "rocm-smi.asked").read_text().split() == list(hardware.AMD_QUERY)


@pytest.mark.parametrize("folder", ["opt/rocm/bin", "usr/lib/wsl/lib"])
def test_programs_outside_the_path_are_found(place: ProbeEnvironment, folder: str) -> None:
    says(place, "rocm-smi", gpu_outputs.ROCM_5)
    (place.root / folder).mkdir(parents=True)
    (place.root / "bin/rocm-smi").rename(place.root / folder / "rocm-smi")

    assert [gpu.source for gpu in asyncio.run(detect_machine(probe=place)).gpus] == ["rocm-smi"]


def test_integrated_gpu_counts_if_it_is_the_only_one(place: ProbeEnvironment) -> None:
    says(place, "rocm-smi", gpu_outputs.STRIX_HALO)

    assert [gpu.memory for gpu in asyncio.run(detect_machine(probe=place)).gpus] == [MemoryKind.SHARED]


def test_mac_uses_sysctl(place: ProbeEnvironment) -> None:
    says(place, "sysctl", gpu_outputs.INTEL_MAC, code=1)
    says(place, "nvidia-smi", gpu_outputs.RTX_4090)
    found = asyncio.run(detect_machine(probe=place._replace(system="darwin")))

    assert (found.total, found.gpus) == (16 * GIB, ())
    assert not (place.root / "nvidia-smi.asked").exists()


def test_remote_machine_is_unknown_and_no_program_runs(place: ProbeEnvironment) -> None:
    says(place, "nvidia-smi", gpu_outputs.RTX_4090)

    assert asyncio.run(detect_machine(local=False, probe=place)) is REMOTE_MACHINE
    assert not (place.root / "nvidia-smi.asked").exists()


@pytest.mark.parametrize(
    "body",
    ["exit 9", "kill -9 $$", "exec 1>&-; sleep 0.1", "printf '\\377\\376\\033[2J'", "cat /dev/zero | head -c 5000000"],
)
def test_failing_program_does_not_hide_other_gpus(place: ProbeEnvironment, body: str) -> None:
    install(place, "nvidia-smi", body)
    says(place, "rocm-smi", gpu_outputs.ROCM_5)
    found = asyncio.run(detect_machine(probe=place))

    assert [gpu.source for gpu in found.gpus] == ["rocm-smi"]


def test_invalid_executable_does_not_hide_the_memory(place: ProbeEnvironment) -> None:
    (place.root / "bin/nvidia-smi").write_bytes(b"\x7fELF nothing")
    (place.root / "bin/nvidia-smi").chmod(0o755)

    assert asyncio.run(detect_machine(probe=place)).total == 65756380 << 10


@pytest.mark.parametrize("body", ["sleep 9999", "yes", "sleep 9999 & exit 0", "trap '' TERM; sleep 9999 & wait"])
def test_hanging_program_is_killed_with_its_children_and_noted(place: ProbeEnvironment, body: str) -> None:
    install(place, "nvidia-smi", f"echo $$ > {place.root}/new; mv {place.root}/new {place.root}/pid; {body}")
    loop = ClockedLoop()

    async def hanging() -> Machine:
        asked = asyncio.create_task(detect_machine(probe=place._replace(patience=PATIENCE)))
        await asyncio.to_thread(until, (place.root / "pid").exists)
        # Its output is read during this pause.
        await asyncio.to_thread(time.sleep, 0.05)
        loop.ahead += PATIENCE
        return await asked

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        found = runner.run(hanging())

    assert found.notes == ("nvidia-smi timed out: its information is missing",)
    assert until(lambda: gone(int((place.root / "pid").read_text())))


def gone(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


def test_canceling_kills_the_program(place: ProbeEnvironment) -> None:
    install(place, "nvidia-smi", f"echo $$ > {place.root}/new; mv {place.root}/new {place.root}/pid; sleep 9999")

    async def leave() -> None:
        asked = asyncio.create_task(detect_machine(probe=place._replace(patience=PATIENCE)))
        await asyncio.to_thread(until, (place.root / "pid").exists)
        asked.cancel()
        with suppress(asyncio.CancelledError):
            await asked

    asyncio.run(leave())

    assert until(lambda: gone(int((place.root / "pid").read_text())))


def test_canceling_during_start_kills_the_program(place: ProbeEnvironment) -> None:
    install(place, "nvidia-smi", f"echo $$ > {place.root}/new; mv {place.root}/new {place.root}/pid; sleep 9999")

    async def leave() -> None:
        asked = asyncio.create_task(detect_machine(probe=place._replace(patience=PATIENCE)))
        while not (place.root / "pid").exists():
            await asyncio.sleep(0)
            # The program runs while the loop is blocked, so that the loop has not seen its start when it has a child.
            time.sleep(0.2)  # noqa: ASYNC251 - see above
        asked.cancel()
        with suppress(asyncio.CancelledError):
            await asked

    asyncio.run(leave())

    assert until(lambda: gone(int((place.root / "pid").read_text())))


def test_endless_output_is_truncated(place: ProbeEnvironment) -> None:
    install(place, "talks", "head -c 9000000 /dev/zero")

    assert len(asyncio.run(asked((str(place.root / "bin/talks"),))).text) == MOST_BYTES


@pytest.mark.skipif(sys.platform != "linux", reason="reads what only Linux has")
def test_this_machine_has_memory() -> None:
    found = asyncio.run(detect_machine())

    assert 0 < found.available <= found.total
