"""How many examples a property is tried with: few while one works, all of them before it counts."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

QUICK = 25
# How long an example takes says how busy the machine is, and no more.
UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def load_profile(*, quick: bool) -> None:
    """Choose the number of examples for all properties; they read it when their module is imported."""
    settings.register_profile("full", UNTIMED)
    settings.register_profile("quick", UNTIMED, max_examples=QUICK)
    settings.load_profile("quick" if quick else "full")


def examples(full: int) -> settings:
    """Return the settings of a property that wants another number of examples than 100."""
    quick = settings.get_current_profile_name() == "quick"
    return settings(max_examples=min(full, QUICK) if quick else full)
