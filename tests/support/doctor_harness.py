"""Helpers for the tests of a checkup: a machine and a server of their own, and the findings of a check."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reflectty.config import Settings
from reflectty.core.findings import Finding
from reflectty.doctor import DoctorContext, DoctorState, SourcedValue, run_checks
from reflectty.engines.hosts import parse_host
from reflectty.models.hardware import ProbeEnvironment
from reflectty.reasoning.modes import AskOptions, plan
from reflectty.system.terminal import Sink, Terminal
from support.scripted_engine import ScriptedEngine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.core.messages import Model
    from reflectty.doctor import Check

NOWHERE = Path("/nonexistent/reflectty")
NO_DEVICES = ProbeEnvironment(path="", root=NOWHERE, system="linux")


def terminal(*, tty: bool = True, colours: int = 256, unicode: bool = True, width: int = 80) -> Terminal:
    """A terminal apart from the system's."""
    sink = Sink(io.StringIO(), tty, colours, unicode)
    return Terminal(None, stdin_tty=tty, out=sink, err=sink, width=width, can_redraw=tty)


def doctor_context(engine: ScriptedEngine | None = None, **given: Any) -> DoctorContext:
    """A machine without any settings but these."""
    asked = engine or ScriptedEngine()
    usual = DoctorContext(
        settings=Settings(),
        host=SourcedValue("", ""),
        model=SourcedValue("", ""),
        connect=lambda: asked,
        terminal=terminal(),
        environment={},
        config_path=NOWHERE / "config.toml",
        store_path=NOWHERE / "sessions.db",
        probe_environment=NO_DEVICES,
    )
    return usual._replace(**given)


def doctor_state(engine: ScriptedEngine | None = None, model: Model | None = None, host: str = "") -> DoctorState:
    """The state after a server has answered and a model has been chosen."""
    asked = engine or ScriptedEngine()
    chosen = plan(model, AskOptions()) if model else None
    return DoctorState(engine=asked, address=parse_host(host), is_reached=True, model=model, plan=chosen)


def findings_of(check: Any, here: DoctorContext, learnt: DoctorState | None = None) -> list[Finding]:
    """The findings of one check."""

    async def look() -> Sequence[Finding]:
        findings: Sequence[Finding] = await check(here, learnt or DoctorState())
        return findings

    return list(asyncio.run(look()))


def all_findings(here: DoctorContext, learnt: DoctorState, checks: Sequence[Check]) -> list[Finding]:
    """The findings of a checkup with these checks."""

    async def look() -> list[Finding]:
        return [event async for event in run_checks(here, learnt, checks) if isinstance(event, Finding)]

    return asyncio.run(look())


def facts(finding: Finding) -> dict[str, Any]:
    return dict(finding.facts)
