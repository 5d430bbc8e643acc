"""What the user set for a session: read from the store, applied to the options of a question."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any

from reflectty.core.budget import parse_budget
from reflectty.core.errors import UsageError
from reflectty.core.messages import Effort
from reflectty.reasoning.modes import Mode
from reflectty.reasoning.vote import is_number_of_samples

if TYPE_CHECKING:
    from reflectty.core.session import SessionSettings
    from reflectty.core.templates import TemplateSettings
    from reflectty.reasoning.modes import AskOptions


def apply_settings(ask_options: AskOptions, settings: SessionSettings) -> AskOptions:
    """The options with what the user set for a session; unknown modes and efforts change nothing."""
    changes: dict[str, Any] = {"system": settings.system, "options": settings.options}
    changes["mode"] = Mode(settings.mode) if settings.mode in set(Mode) else None
    changes = {name: value for name, value in changes.items() if value is not None}
    if settings.budget is not None:
        with contextlib.suppress(UsageError):
            changes["budget"] = parse_budget(settings.budget)
    if settings.effort is not None and settings.effort in {"", *Effort}:
        changes["effort"] = Effort(settings.effort) if settings.effort else None
    changes |= _repetition_of(settings)
    has_typed_way = ask_options.has_typed_way or bool(changes.get("effort") or changes.get("budget"))
    return ask_options._replace(**changes, has_typed_way=has_typed_way)


def _repetition_of(settings: SessionSettings) -> dict[str, Any]:
    """How many samples a session wants, or that it wants a verification; one turns off the other."""
    changes: dict[str, Any] = {}
    if settings.verify in {"on", "off"}:
        changes["verify"] = settings.verify == "on"
    number = int(settings.samples) if settings.samples and re.fullmatch("[0-9]{1,3}", settings.samples) else 0
    if is_number_of_samples(number):
        changes["samples"] = number
    return changes


def without_template(settings: SessionSettings, template: TemplateSettings) -> SessionSettings:
    """What the user set for a session, except what a template sets."""
    unset: dict[str, Any] = {name: None for name in ("system", "mode", "effort") if getattr(template, name)}
    if template.samples or template.verify is not None:
        unset |= {"samples": None, "verify": None}
    if settings.options is not None:
        unset["options"] = tuple((dict(settings.options) | dict(template.options)).items())
    return settings._replace(**unset)
