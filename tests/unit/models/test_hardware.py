from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reflectty.models import hardware
from reflectty.models.fit import Machine, MemoryKind
from support import gpu_outputs

if TYPE_CHECKING:
    from pathlib import Path

MIB, GIB = 1 << 20, 1 << 30
HOST = Machine(total=128 * GIB, available=100 * GIB)


@pytest.mark.parametrize(
    ("text", "gpus"),
    [
        (gpu_outputs.RTX_4090, [("NVIDIA GeForce RTX 4090", 24564, 23010)]),
        (gpu_outputs.TWO_3090, [("NVIDIA GeForce RTX 3090", 24576, 24259), ("NVIDIA GeForce RTX 3090", 24576, 1122)]),
        (gpu_outputs.GTX_1080, [("GeForce GTX 1080", 8119, 7632)]),
        (gpu_outputs.NO_DEVICES, []),
        (gpu_outputs.NO_DRIVER, []),
        (gpu_outputs.MISMATCH, []),
    ],
)
def test_nvidia_smi_output_lists_each_gpu(text: str, gpus: list[tuple[str, int, int]]) -> None:
    found = hardware.add_nvidia_gpus(text, HOST)

    assert [(gpu.name, gpu.total // MIB, gpu.free // MIB) for gpu in found.gpus] == gpus
    assert all(gpu.memory is MemoryKind.OWN and not gpu.estimated for gpu in found.gpus)


@pytest.mark.parametrize(
    ("text", "note"),
    [
        (gpu_outputs.NO_DRIVER, "nvidia-smi reports no GPU: NVIDIA-SMI has failed"),
        (gpu_outputs.MISMATCH, "Driver/library version mismatch"),
        (gpu_outputs.NO_DEVICES, "No devices were found"),
        (gpu_outputs.FALLEN_OFF, "GPU is lost"),
        (gpu_outputs.GTX_1080, "driver 460.91.03 is too old for Ollama, which needs 550 or newer"),
    ],
)
def test_note_explains_why_an_nvidia_gpu_is_unusable(text: str, note: str) -> None:
    assert note in "".join(hardware.add_nvidia_gpus(text, HOST).notes)


@pytest.mark.parametrize("text", [gpu_outputs.GB10, gpu_outputs.OLD_NOT_SUPPORTED])
def test_gpu_without_its_own_memory_shares_that_of_the_machine(text: str) -> None:
    (gpu,) = hardware.add_nvidia_gpus(text, HOST).gpus

    assert (gpu.total, gpu.free, gpu.memory, gpu.estimated) == (128 * GIB, 100 * GIB, MemoryKind.SHARED, True)


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
    found = hardware.add_nvidia_gpus(gpu_outputs.TWO_3090, HOST, visible)

    assert [gpu.free // MIB for gpu in found.gpus] == free
    assert ("CUDA_VISIBLE_DEVICES" in "".join(found.notes)) == (len(free) < 2)


@pytest.mark.parametrize(
    ("text", "gpus"),
    [
        (gpu_outputs.ROCM_5, [("Navi 21 [Radeon RX 6800/6800 XT / 6900 XT]", 17163091968, 16470949888, MemoryKind.OWN)]),
        (
            gpu_outputs.ROCM_6,
            [
                ("Radeon RX 7900 XT", 21458059264, 21430202368, MemoryKind.OWN),
                ("Raphael", 67108864 + 33548587008, 67108864 + 33548587008 - 26079232, MemoryKind.SHARED),
            ],
        ),
        (gpu_outputs.ROCM_7, [("0x7551", 34208743424, 4983361536, MemoryKind.OWN)]),
        (gpu_outputs.STRIX_HALO, [("Strix Halo [Radeon Graphics / Radeon 8050S Graphics / Radeo…", 67108864000, 65868447744, MemoryKind.SHARED)]),
        ("ERROR: no AMD GPUs", []),
    ],
    ids=["5", "6", "7", "processor", "none"],
)  # fmt: skip
def test_rocm_smi_output_of_any_version_lists_each_gpu(text: str, gpus: list[tuple[str, int, int, MemoryKind]]) -> None:
    assert [(gpu.name, gpu.total, gpu.free, gpu.memory) for gpu in hardware.amd_gpus_from(text)] == gpus


def _card(root: Path, name: str, **files: str) -> None:
    folder = root / hardware.AMD_FILES / name / "device"
    folder.mkdir(parents=True)
    for file, text in files.items():
        (folder / file).write_text(text + "\n")


def test_amd_gpus_are_found_from_driver_files(tmp_path: Path) -> None:
    card = {"mem_info_vram_total": str(16 * GIB), "mem_info_vram_used": str(GIB)}
    _card(tmp_path, "card0", vendor="0x8086")
    _card(tmp_path, "card1", vendor="0x1002", product_name="Radeon RX 7800 XT", **card)
    _card(tmp_path, "card1-DP-1", vendor="0x1002", **card)
    _card(tmp_path, "card2", vendor="0x1002", mem_info_vram_total="much")
    found = hardware.amd_gpus_from_files(tmp_path)

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
def test_container_memory_is_limited(tmp_path: Path, files: dict[str, str], total: int, available: int) -> None:
    for name, text in {"proc/meminfo": gpu_outputs.MEMINFO, **files}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    assert hardware.memory_of_linux(tmp_path)[1:3] == (total, available)


@pytest.mark.parametrize(
    ("text", "usable", "estimated"),
    [
        (gpu_outputs.M3_PRO, 24 * GIB, True),
        (gpu_outputs.M2_ULTRA, 96 * GIB, True),
        (gpu_outputs.M1_LIMITED, 14 * GIB, False),
        (gpu_outputs.INTEL_MAC, 0, False),
        ("", 0, False),
    ],
    ids=["36", "128", "limited", "intel", "nothing"],
)
def test_mac_gpu_may_use_part_of_the_memory(text: str, usable: int, estimated: bool) -> None:
    found = hardware.memory_of_mac(text)

    assert sum(gpu.total for gpu in found.gpus) == usable
    assert any(gpu.estimated for gpu in found.gpus) is estimated
    assert found.total == found.available


@pytest.mark.parametrize("text", gpu_outputs.HOSTILE, ids=range(len(gpu_outputs.HOSTILE)))
def test_hostile_program_output_is_harmless(text: str) -> None:
    for found in (
        hardware.add_nvidia_gpus(text, HOST),
        hardware.memory_of_mac(text),
        Machine(gpus=hardware.amd_gpus_from(text)),
    ):
        said = "".join((*found.notes, *(gpu.name + gpu.driver for gpu in found.gpus)))

        assert "\x1b" not in said
        assert all(0 <= gpu.free <= gpu.total for gpu in found.gpus)
        assert all(len(gpu.name) <= 60 for gpu in found.gpus)
