"""Runs the checks of `reflect doctor` one after another and yields their findings.

A check never raises: a failure or a timeout is a finding as well.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from reflectty.core.errors import ReflecttyError, StalledError, internal_error_from
from reflectty.core.findings import Finding, FindingState
from reflectty.core.named_tuple import NamedTuple
from reflectty.doctor import files, models, questions, server, terminal
from reflectty.doctor.context import DoctorContext, DoctorState, SourcedValue

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

    CheckFunction = Callable[[DoctorContext, DoctorState], Awaitable[Sequence[Finding]]]

__all__ = ["CHECKS", "Check", "DoctorContext", "DoctorState", "Finding", "FindingState", "SourcedValue", "run_checks"]


class Check(NamedTuple):
    """A check of `reflect doctor`."""

    name: str
    activity: str
    """What the progress line shows while it runs."""
    run: CheckFunction
    timeout: float = 10.0
    """Seconds; 0 for the timeout of a reply."""
    is_required: bool = False
    """Whether questions cannot be answered if the check fails."""


CHECKS = (
    Check("terminal", "checking the terminal", terminal.check_terminal),
    Check("clipboard", "checking the clipboard", terminal.check_clipboard),
    Check("keyboard", "checking the keyboard", terminal.check_keyboard),
    Check("config", "reading the settings", files.check_config),
    Check("store", "reading the sessions", files.check_store, 20.0),
    Check("server", "connecting to the server", server.check_server, is_required=True),
    Check("proxy", "checking the proxy", server.check_proxy),
    Check("built in", "checking the built-in model", server.check_built_in),
    Check("models", "listing the models", models.check_models, 30.0, is_required=True),
    Check("model", "checking the model", models.check_model, 30.0, is_required=True),
    Check("question", "waiting for an answer", questions.check_question, 0.0, is_required=True),
    Check("tags", "checking the tags", questions.check_tags, 60.0),
    Check("GPU", "checking where the model runs", models.check_gpu),
    Check("context", "checking the context", models.check_context),
    Check("parallel", "sending several requests at once", questions.check_parallel, 60.0),
)
"""Local checks first, then what a question needs, in the order of use."""


async def run_checks(
    context: DoctorContext, state: DoctorState, checks: Sequence[Check] = CHECKS
) -> AsyncGenerator[Check | Finding, None]:
    """Yield each check when it begins, then its findings; errors that block questions set `state.blocking_error`."""
    try:
        for check in checks:
            yield check
            for finding in await _run_check(check, context, state):
                yield finding
    finally:
        if state.engine is not None:
            with suppress(ReflecttyError, OSError):
                await state.engine.aclose()


async def _run_check(check: Check, context: DoctorContext, state: DoctorState) -> Sequence[Finding]:
    timeout = check.timeout or _reply_timeout(context)
    try:
        async with asyncio.timeout(timeout):
            return await check.run(context, state)
    except TimeoutError:
        timeout_error = StalledError(f"no result within {timeout:g} s", "try again when the machine is less busy")
        return [_failure_finding(check, timeout_error, state)]
    except ReflecttyError as error:
        return [_failure_finding(check, error, state)]
    except Exception as error:  # noqa: BLE001 - a failing check must not stop the others
        return [_failure_finding(check, internal_error_from(error, "please report it"), state)]


def _reply_timeout(context: DoctorContext) -> float:
    """The timeout of a whole reply: the time to load the model, plus the idle timeout."""
    return context.settings.timeouts.first + context.settings.timeouts.idle


def _failure_finding(check: Check, error: ReflecttyError, state: DoctorState) -> Finding:
    if not check.is_required:
        return Finding(check.name, FindingState.UNCHECKED, str(error), error.hint)
    state.note_blocking_error(error)
    return Finding(check.name, FindingState.WRONG, str(error), error.hint)
