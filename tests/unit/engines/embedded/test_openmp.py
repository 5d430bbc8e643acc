"""The OpenMP library that the built-in model brings for systems without one."""

from __future__ import annotations

import ctypes
import platform
import re
import sys
from pathlib import Path

import pytest
import xllamacpp

from reflectty.engines.embedded import openmp

OURS = openmp.FOLDER / f"libgomp.{platform.machine()}.so.1"
PREFIXES = (b"GOMP_", b"OMP_", b"omp_")
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only there llama.cpp needs it")


def names(library: bytes) -> set[bytes]:
    """The strings in a library that have the form of an OpenMP function name."""
    found = set()
    for prefix in PREFIXES:
        at = -1
        while (at := library.find(b"\0" + prefix, at + 1)) >= 0:
            found.add(library[at + 1 : library.index(b"\0", at + 1)])
    return {name for name in found if re.fullmatch(rb"[\w.]+", name)}


@LINUX
@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_all_symbols_llama_cpp_needs_are_provided(machine: str) -> None:
    (program,) = Path(xllamacpp.__file__).parent.glob("xllamacpp*.so")
    needed = names(program.read_bytes())
    assert b"GOMP_parallel" in needed
    assert needed <= names((openmp.FOLDER / f"libgomp.{machine}.so.1").read_bytes())


@LINUX
def test_single_thread_does_all_the_work_once() -> None:
    library = ctypes.CDLL(str(OURS))
    done: list[int] = []
    work = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(done.append)
    library.GOMP_parallel(work, ctypes.c_void_p(7), 4, 0)
    assert done == [7]
    assert library.omp_get_num_threads() == 1
    assert library.omp_get_thread_num() == 0
    assert library.GOMP_single_start() & 0xFF == 1
    first, behind = ctypes.c_long(), ctypes.c_long()
    ends = (ctypes.byref(first), ctypes.byref(behind))
    start = library.GOMP_loop_nonmonotonic_dynamic_start
    assert start(*map(ctypes.c_long, (3, 9, 1, 2)), *ends) & 0xFF == 1
    assert (first.value, behind.value) == (3, 9)
    assert library.GOMP_loop_nonmonotonic_dynamic_next(*ends) & 0xFF == 0
    assert start(*map(ctypes.c_long, (9, 9, 1, 2)), *ends) & 0xFF == 0
    library.GOMP_atomic_start()
    library.GOMP_atomic_end()
    library.GOMP_atomic_start()
    library.GOMP_atomic_end()
