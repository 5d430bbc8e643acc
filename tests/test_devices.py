from __future__ import annotations

import asyncio
import os
import shutil
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

import told_of_devices as told
from reflectty.devices import Place, amd, machine, memory, nvidia
from reflectty.devices.asking import MOST_BYTES
from reflectty.devices.asking import told as asked
from reflectty.fitting import ELSEWHERE, Machine, Memory

if TYPE_CHECKING:
    from pathlib import Path

MIB, GIB = 1 << 20, 1 << 30
HOST = Machine(total=128 * GIB, available=100 * GIB)


@pytest.mark.parametrize(
    ("text", "gpus"),
    [
        (told.RTX_4090, [("NVIDIA GeForce RTX 4090", 24564, 23010)]),
        (told.TWO_3090, [("NVIDIA GeForce RTX 3090", 24576, 24259), ("NVIDIA GeForce RTX 3090", 24576, 1122)]),
        (told.GTX_1080, [("GeForce GTX 1080", 8119, 7632)]),
        (told.NO_DEVICES, []),
        (told.NO_DRIVER, []),
        (told.MISMATCH, []),
    ],
)
def test_nvidia_smi_tells_of_each_gpu(text: str, gpus: list[tuple[str, int, int]]) -> None:
    found = nvidia.read(text, HOST)

    assert [(gpu.name, gpu.total // MIB, gpu.free // MIB) for gpu in found.gpus] == gpus
    assert all(gpu.memory is Memory.OWN and not gpu.estimated for gpu in found.gpus)


@pytest.mark.parametrize(
    ("text", "note"),
    [
        (told.NO_DRIVER, "nvidia-smi shows no GPU: NVIDIA-SMI has failed"),
        (told.MISMATCH, "Driver/library version mismatch"),
        (told.NO_DEVICES, "No devices were found"),
        (told.GTX_1080, "driver 460.91.03 is too old for Ollama: it wants 550 or newer"),
    ],
)
def test_why_an_nvidia_gpu_cannot_be_used_is_said(text: str, note: str) -> None:
    assert note in "".join(nvidia.read(text, HOST).notes)


@pytest.mark.parametrize("text", [told.GB10, told.OLD_NOT_SUPPORTED])
def test_a_gpu_without_memory_of_its_own_shares_that_of_the_machine(text: str) -> None:
    (gpu,) = nvidia.read(text, HOST).gpus

    assert (gpu.total, gpu.free, gpu.memory, gpu.estimated) == (128 * GIB, 100 * GIB, Memory.SHARED, True)


@pytest.mark.parametrize(
    ("visible", "free"),
    [
        (None, [24259, 1122]),
        ("0,1", [24259, 1122]),
        ("1", [1122]),
        ("GPU-77b0de21", [1122]),
        ("-1", []),
        ("", []),
        ("0,-1,1", [24259]),
        ("none", []),
    ],
)
def test_only_gpus_that_the_server_may_use_count(visible: str | None, free: list[int]) -> None:
    found = nvidia.read(told.TWO_3090, HOST, visible)

    assert [gpu.free // MIB for gpu in found.gpus] == free
    assert ("CUDA_VISIBLE_DEVICES" in "".join(found.notes)) == (len(free) < 2)


@pytest.mark.parametrize(
    ("text", "gpus"),
    [
        (told.ROCM_5, [("Navi 21 [Radeon RX 6800/6800 XT / 6900 XT]", 17163091968, 16470949888, Memory.OWN)]),
        (
            told.ROCM_6,
            [
                ("Radeon RX 7900 XT", 21458059264, 21430202368, Memory.OWN),
                ("Raphael", 67108864 + 33548587008, 67108864 + 33548587008 - 26079232, Memory.SHARED),
            ],
        ),
        (told.ROCM_7, [("0x7551", 34208743424, 4983361536, Memory.OWN)]),
        (told.STRIX_HALO, [("Strix Halo [Radeon Graphics / Radeon 8050S Graphics / Radeo…", 67108864000, 65868447744, Memory.SHARED)]),
        ("ERROR: no AMD GPUs", []),
    ],
    ids=["5", "6", "7", "processor", "none"],
)  # fmt: skip
def test_rocm_smi_tells_of_each_gpu_whatever_its_version(text: str, gpus: list[tuple[str, int, int, Memory]]) -> None:
    assert [(gpu.name, gpu.total, gpu.free, gpu.memory) for gpu in amd.read(text)] == gpus


def _card(root: Path, name: str, **files: str) -> None:
    folder = root / amd.FILES / name / "device"
    folder.mkdir(parents=True)
    for file, text in files.items():
        (folder / file).write_text(text + "\n")


def test_without_rocm_smi_the_files_of_the_driver_tell(tmp_path: Path) -> None:
    card = {"mem_info_vram_total": str(16 * GIB), "mem_info_vram_used": str(GIB)}
    _card(tmp_path, "card0", vendor="0x8086")
    _card(tmp_path, "card1", vendor="0x1002", product_name="Radeon RX 7800 XT", **card)
    _card(tmp_path, "card1-DP-1", vendor="0x1002", **card)
    _card(tmp_path, "card2", vendor="0x1002", mem_info_vram_total="much")
    found = amd.from_files(tmp_path)

    assert [(gpu.name, gpu.total, gpu.free, gpu.source) for gpu in found] == [
        ("Radeon RX 7800 XT", 16 * GIB, 15 * GIB, "amdgpu")
    ]


@pytest.mark.parametrize(
    ("files", "total", "available"),
    [
        ({}, 65756380 << 10, 52400232 << 10),
        ({"sys/fs/cgroup/memory.max": "max"}, 65756380 << 10, 52400232 << 10),
        (
            {
                "sys/fs/cgroup/memory.max": str(8 * GIB),
                "sys/fs/cgroup/memory.current": str(3 * GIB),
                "sys/fs/cgroup/memory.stat": f"anon 5\ninactive_file {GIB}\n",
            },
            8 * GIB,
            6 * GIB,
        ),
        (
            {
                "sys/fs/cgroup/memory/memory.limit_in_bytes": str(4 * GIB),
                "sys/fs/cgroup/memory/memory.usage_in_bytes": str(GIB),
            },
            4 * GIB,
            3 * GIB,
        ),
        ({"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712"}, 65756380 << 10, 52400232 << 10),
    ],
    ids=["none", "unlimited", "v2", "v1", "v1 unlimited"],
)
def test_a_container_has_no_more_memory_than_its_limit(
    tmp_path: Path, files: dict[str, str], total: int, available: int
) -> None:
    for name, text in {"proc/meminfo": told.MEMINFO, **files}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    assert memory.of_linux(tmp_path)[1:3] == (total, available)


@pytest.mark.parametrize(
    ("text", "usable", "estimated"),
    [
        (told.M3_PRO, 24 * GIB, True),
        (told.M2_ULTRA, 96 * GIB, True),
        (told.M1_LIMITED, 14 * GIB, False),
        (told.INTEL_MAC, 0, False),
        ("", 0, False),
    ],
    ids=["36", "128", "limited", "intel", "nothing"],
)
def test_the_gpu_of_a_mac_may_use_a_part_of_its_memory(text: str, usable: int, estimated: bool) -> None:
    found = memory.of_mac(text)

    assert sum(gpu.total for gpu in found.gpus) == usable
    assert any(gpu.estimated for gpu in found.gpus) is estimated
    assert found.total == found.available


@pytest.mark.parametrize("text", told.HOSTILE, ids=range(len(told.HOSTILE)))
def test_nothing_that_a_program_says_is_obeyed_or_fails(text: str) -> None:
    for found in (nvidia.read(text, HOST), memory.of_mac(text), Machine(gpus=amd.read(text))):
        said = "".join((*found.notes, *(gpu.name + gpu.driver for gpu in found.gpus)))

        assert "\x1b" not in said
        assert all(0 <= gpu.free <= gpu.total for gpu in found.gpus)
        assert all(len(gpu.name) <= 60 for gpu in found.gpus)


@pytest.fixture(name="place")
def _place(tmp_path: Path) -> Place:
    """A machine without any program, with 64 GB of memory."""
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text(told.MEMINFO)
    (tmp_path / "bin").mkdir()
    return Place(str(tmp_path / "bin"), tmp_path, "linux", 10.0)


def install(place: Place, name: str, body: str) -> None:
    path = place.root / "bin" / name
    path.write_text(f"#!{shutil.which('sh')}\nPATH={os.environ['PATH']}\n{body}\n")
    path.chmod(0o755)


def says(place: Place, name: str, text: str, code: int = 0) -> None:
    (place.root / f"{name}.txt").write_text(text)
    install(place, name, f'echo "$@" > {place.root}/{name}.asked; cat {place.root}/{name}.txt; exit {code}')


def test_a_machine_without_gpus_and_without_their_programs_has_its_memory(place: Place) -> None:
    found = asyncio.run(machine(place=place))

    assert found == Machine(total=65756380 << 10, available=52400232 << 10)


def test_the_programs_are_asked_for_what_is_needed(place: Place) -> None:
    says(place, "nvidia-smi", told.TWO_3090)
    says(place, "rocm-smi", told.ROCM_6)
    found = asyncio.run(machine(place=place, visible="0"))

    assert [gpu.name for gpu in found.gpus] == ["NVIDIA GeForce RTX 3090", "Radeon RX 7900 XT"]
    assert (place.root / "nvidia-smi.asked").read_text().split() == list(nvidia.QUERY)
    assert (place.root / "rocm-smi.asked").read_text().split() == list(amd.QUERY)


def test_the_gpu_of_a_processor_counts_where_it_is_the_only_one(place: Place) -> None:
    says(place, "rocm-smi", told.STRIX_HALO)

    assert [gpu.memory for gpu in asyncio.run(machine(place=place)).gpus] == [Memory.SHARED]


def test_a_mac_is_asked_by_sysctl(place: Place) -> None:
    says(place, "sysctl", told.INTEL_MAC, code=1)
    says(place, "nvidia-smi", told.RTX_4090)
    found = asyncio.run(machine(place=place._replace(system="darwin")))

    assert (found.total, found.gpus) == (16 * GIB, ())
    assert not (place.root / "nvidia-smi.asked").exists()


def test_of_the_machine_of_a_remote_server_nothing_is_known_and_nobody_is_asked(place: Place) -> None:
    says(place, "nvidia-smi", told.RTX_4090)

    assert asyncio.run(machine(local=False, place=place)) is ELSEWHERE
    assert not (place.root / "nvidia-smi.asked").exists()


@pytest.mark.parametrize(
    "body",
    ["exit 9", "kill -9 $$", "exec 1>&-; sleep 0.1", "printf '\\377\\376\\033[2J'", "cat /dev/zero | head -c 5000000"],
)
def test_a_program_that_fails_leaves_the_rest_of_the_machine(place: Place, body: str) -> None:
    install(place, "nvidia-smi", body)
    says(place, "rocm-smi", told.ROCM_5)
    found = asyncio.run(machine(place=place))

    assert [gpu.source for gpu in found.gpus] == ["rocm-smi"]


def test_a_file_that_is_no_program_leaves_the_rest_of_the_machine(place: Place) -> None:
    (place.root / "bin/nvidia-smi").write_bytes(b"\x7fELF nothing")
    (place.root / "bin/nvidia-smi").chmod(0o755)

    assert asyncio.run(machine(place=place)).total == 65756380 << 10


@pytest.mark.parametrize("body", ["sleep 60", "yes", "sleep 60 & exit 0", "trap '' TERM; sleep 60 & wait"])
def test_a_program_that_hangs_is_ended_with_what_it_started_and_said_so(place: Place, body: str) -> None:
    install(place, "nvidia-smi", f"echo $$ > {place.root}/pid; {body}")
    began = time.monotonic()
    found = asyncio.run(machine(place=place._replace(patience=0.5)))

    assert time.monotonic() - began < 20
    assert found.notes == ("nvidia-smi did not answer in time: what it knows is missing",)
    assert gone(int((place.root / "pid").read_text()))


def gone(group: int) -> bool:
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


def test_leaving_does_not_leave_a_program_behind(place: Place) -> None:
    install(place, "nvidia-smi", f"echo $$ > {place.root}/pid; sleep 60")

    async def leave() -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(machine(place=place._replace(patience=60)), 1)

    asyncio.run(leave())

    assert gone(int((place.root / "pid").read_text()))


def test_of_an_endless_answer_only_the_beginning_is_kept(place: Place) -> None:
    install(place, "talks", "head -c 9000000 /dev/zero")

    assert len(asyncio.run(asked((str(place.root / "bin/talks"),))).text) == MOST_BYTES


@pytest.mark.skipif(sys.platform != "linux", reason="reads what only Linux has")
def test_this_machine_has_memory() -> None:
    found = asyncio.run(machine())

    assert 0 < found.available <= found.total
