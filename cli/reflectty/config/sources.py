"""Where an option of the model is set, in words; changes nothing."""

from __future__ import annotations

from reflectty.config.explaining import explained
from reflectty.config.loading import Origin, own_file
from reflectty.errors import UsageError


def option_source(name: str, profile: str = "") -> str:
    """Return who sets an option: a profile or the file; nothing where neither does.

    Args:
        name: the option.
        profile: the one that was named with this call.
    """
    try:
        found = next((row for row in explained(profile=profile) if row.key == f"options.{name}"), None)
    except UsageError:
        return ""
    if found is None:
        return ""
    return f"the profile {found.whose}" if found.origin is Origin.PROFILE else f"options.{name} in {own_file()}"
