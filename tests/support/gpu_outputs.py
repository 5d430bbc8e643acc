"""Reports about GPUs and memory by programs and drivers of several versions."""

from __future__ import annotations

# nvidia-smi --query-gpu=name,memory.total,memory.free,driver_version,uuid --format=csv,noheader,nounits
RTX_4090 = "NVIDIA GeForce RTX 4090, 24564, 23010, 550.54.14, GPU-8f1c1f4e-1b1c-4a43-9d6e-2e9b5f6d7a10\n"
TWO_3090 = """\
NVIDIA GeForce RTX 3090, 24576, 24259, 570.133.07, GPU-3e9a2b51-62d0-8b7c-0c54-6a1d6a1c0b01
NVIDIA GeForce RTX 3090, 24576, 1122, 570.133.07, GPU-77b0de21-5c11-41e8-a3c9-0f0e7a2d4b02
"""
# Names had no vendor before 470, and today's Ollama needs a newer driver.
GTX_1080 = "GeForce GTX 1080, 8119, 7632, 460.91.03, GPU-2d4f0a3c-90c1-1f6a-5a0f-7d9c1e0b2a03\n"
# GB10 shares the machine's memory.
GB10 = "NVIDIA GB10, [N/A], [N/A], 580.95.05, GPU-b1d2c3e4-0000-1111-2222-333344445555\n"
OLD_NOT_SUPPORTED = "Tesla K20m, [Not Supported], [Not Supported], 418.87, GPU-aaaa\n"
NO_DRIVER = (
    "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest NVIDIA"
    " driver is installed and running.\n\n"
)
MISMATCH = "Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 535.161\n"
FALLEN_OFF = (
    "Unable to determine the device handle for GPU0000:01:00.0: GPU is lost.  Reboot the system to recover this GPU\n"
)
NO_DEVICES = "No devices were found\n"

# rocm-smi --showproductname --showmeminfo vram gtt --json
ROCM_5 = """\
{"card0": {"VRAM Total Memory (B)": "17163091968", "VRAM Total Used Memory (B)": "692142080",
 "GTT Total Memory (B)": "16698331136", "GTT Total Used Memory (B)": "26079232",
 "Card series": "Navi 21 [Radeon RX 6800/6800 XT / 6900 XT]", "Card model": "0x2406",
 "Card vendor": "Advanced Micro Devices, Inc. [AMD/ATI]", "Card SKU": "001"},
 "system": {"Driver version": "5.18.13"}}
"""
ROCM_6 = """\
WARNING: AMD GPU device(s) is/are in a low-power state. Check power control/runtime_status

{"card0": {"VRAM Total Memory (B)": "21458059264", "VRAM Total Used Memory (B)": "27856896",
 "GTT Total Memory (B)": "33548587008", "GTT Total Used Memory (B)": "14745600",
 "Card Series": "Radeon RX 7900 XT", "Card Model": "0x744c",
 "Card Vendor": "Advanced Micro Devices, Inc. [AMD/ATI]", "Card SKU": "D70401XT", "GFX Version": "gfx1100"},
 "card1": {"VRAM Total Memory (B)": "67108864", "VRAM Total Used Memory (B)": "26079232",
 "GTT Total Memory (B)": "33548587008", "GTT Total Used Memory (B)": "0",
 "Card Series": "Raphael", "Card Model": "0x164e", "GFX Version": "gfx1036"}}
"""
ROCM_7 = """\
{"card0": {"VRAM Total Memory (B)": "34208743424", "VRAM Total Used Memory (B)": "29225381888",
 "Device Name": "N/A", "Card Series": "N/A", "Card Model": "0x7551", "Card SKU": "APM107573", "GFX Version": "gfx1201"}}
"""
STRIX_HALO = """\
{"card0": {"VRAM Total Memory (B)": "536870912", "VRAM Total Used Memory (B)": "166674432",
 "GTT Total Memory (B)": "66571993088", "GTT Total Used Memory (B)": "1073741824",
 "Card Series": "Strix Halo [Radeon Graphics / Radeon 8050S Graphics / Radeon 8060S Graphics]"}}
"""

MEMINFO = """\
MemTotal:       65756380 kB
MemFree:         3024308 kB
MemAvailable:   52400232 kB
Buffers:          876724 kB
"""

# sysctl hw.memsize iogpu.wired_limit_mb machdep.cpu.brand_string hw.optional.arm64
M3_PRO = """\
hw.memsize: 38654705664
iogpu.wired_limit_mb: 0
machdep.cpu.brand_string: Apple M3 Pro
hw.optional.arm64: 1
"""
M2_ULTRA = """\
hw.memsize: 137438953472
iogpu.wired_limit_mb: 0
machdep.cpu.brand_string: Apple M2 Ultra
hw.optional.arm64: 1
"""
M1_LIMITED = """\
hw.memsize: 17179869184
iogpu.wired_limit_mb: 14336
machdep.cpu.brand_string: Apple M1
hw.optional.arm64: 1
"""
INTEL_MAC = """\
hw.memsize: 17179869184
machdep.cpu.brand_string: Intel(R) Core(TM) i7-9750H CPU @ 2.60GHz
"""

HOSTILE = (
    "",
    "\x00" * 1000,
    "\x1b]0;owned\x07\x1b[2J\n" * 50,
    "," * 100_000,
    "a,b,c,d,e\n" * 1000,
    "[" * 100_000,
    "{" * 100_000,
    '{"card0": [], "card1": {"VRAM Total Memory (B)": 1e400}, "card2": null}',
    '{"card0": {"VRAM Total Memory (B)": "-1"}}',
    '{"card0": {"VRAM Total Memory (B)": "١٢٣"}}',
    '{"card0": {"VRAM Total Memory (B)": "999999999999999999999999"}}',
    "MemTotal: -5 kB\nMemAvailable: 99999999999999999999999999999 kB",
    "hw.memsize: -1\nhw.optional.arm64: 1",
    "x, 99999999999999999999, -3, 1, GPU-\n",
)
