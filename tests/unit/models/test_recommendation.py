from __future__ import annotations

import pytest

from reflectty.core.model_names import checked_name
from reflectty.models.fit import REMOTE_MACHINE, Fit, Gpu, Machine, ServerHardware
from reflectty.models.recommendation import RECOMMENDED_MODELS, find_comfortable_model

GIB = 1 << 30


def with_gpus(*sizes: int, memory: int = 64) -> Machine:
    """A machine with GPUs of so many GiB, all of it free, and main memory."""
    gpus = tuple(Gpu("a GPU", size * GIB, size * GIB) for size in sizes)
    return Machine(gpus, memory * GIB, memory * GIB)


@pytest.mark.parametrize(
    ("machine", "name"),
    [
        (with_gpus(80), "reflection:70b"),
        (with_gpus(48), "qwen3:32b"),
        (with_gpus(24), "gpt-oss:20b"),
        (with_gpus(12), "qwen3:14b"),
        (with_gpus(8), "qwen3:8b"),
        (with_gpus(memory=32), "qwen3:8b"),
        (with_gpus(memory=8), "qwen3:0.6b"),
        (with_gpus(memory=1), None),
        (REMOTE_MACHINE, None),
    ],
)
def test_largest_model_that_fits_is_offered(machine: Machine, name: str | None) -> None:
    found = find_comfortable_model(ServerHardware(machine))
    assert (found.model.name if found else None) == name
    assert found is None or found.placement.fit in (Fit.WHOLE, Fit.CPU)


def test_offers_are_sorted_from_largest_to_smallest() -> None:
    assert [offer.size for offer in RECOMMENDED_MODELS] == sorted(
        (offer.size for offer in RECOMMENDED_MODELS), reverse=True
    )
    assert all(checked_name(offer.name) and offer.kind in ("reflects", "thinks") for offer in RECOMMENDED_MODELS)
