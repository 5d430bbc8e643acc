"""Sets the number of examples for properties: few during development, all of them in the full run."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

QUICK = 25
# The duration of an example only shows how busy the machine is.
UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def load_profile(*, quick: bool) -> None:
    """Choose the number of examples for all properties, before their modules are imported."""
    settings.register_profile("full", UNTIMED)
    settings.register_profile("quick", UNTIMED, max_examples=QUICK)
    settings.load_profile("quick" if quick else "full")


def examples(full: int) -> settings:
    """The settings of a property that needs another number of examples than 100."""
    quick = settings.get_current_profile_name() == "quick"
    return settings(max_examples=min(full, QUICK) if quick else full)
