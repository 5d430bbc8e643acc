"""Checks the settings and the session database."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reflectty.config.explain import find_mistakes
from reflectty.config.load import (
    SettingOrigin,
    Source,
    collect_sources,
    merge,
    read_toml,
    sources_in_environment,
    sources_in_file,
)
from reflectty.config.schema import SETTINGS
from reflectty.core.errors import StoreError, UsageError
from reflectty.core.findings import Finding, FindingState
from reflectty.core.named_tuple import NamedTuple
from reflectty.core.text import format_count
from reflectty.doctor.context import run_in_thread

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reflectty.config import Settings
    from reflectty.core.findings import FactValue
    from reflectty.doctor.context import DoctorContext, DoctorState
    from reflectty.store.health import Health


class UsableSettings(NamedTuple):
    """The valid settings with their sources, and the mistakes in the rest."""

    settings: Settings
    sources: tuple[Source, ...] = ()
    mistakes: tuple[UsageError, ...] = ()

    def source_of(self, field: str) -> str:
        """The source of a setting: a variable, a profile or the config file; empty for the default."""
        last = next((one for one in reversed(self.sources) if one.setting.field == field), None)
        if last is None:
            return ""
        return {
            SettingOrigin.ENVIRONMENT: last.source_name,
            SettingOrigin.PROFILE: f"profile {last.source_name}",
        }.get(last.origin, _CONFIG_FILE)


_CONFIG_FILE = "config.toml"


def load_usable_settings(
    environment: Mapping[str, str], path: Path, profile: str = "", engine: str = ""
) -> UsableSettings:
    """Load the valid settings; `profile` and `engine` are those of this command.

    Raises:
        UsageError: the profile does not exist.
    """
    wrong = find_mistakes(environment, path)
    every = tuple(_usable_sources(environment, path)) if wrong else collect_sources(environment, path, profile, engine)
    return UsableSettings(merge(every), every, wrong)


def _usable_sources(environment: Mapping[str, str], path: Path) -> Iterator[Source]:
    """Yield the valid values, without those of profiles."""
    try:
        document = read_toml(path)
    except UsageError:
        document = {}
    variables = [{name: environment[name]} for name in (one.variable for one in SETTINGS) if name in environment]
    parts = [
        *(sources_in_file({key: value}, path) for key, value in document.items()),
        *map(sources_in_environment, variables),
    ]
    for part in parts:
        try:
            found = tuple(part)
            merge(found)
        except UsageError:
            continue
        yield from found


async def check_config(context: DoctorContext, state: DoctorState) -> Sequence[Finding]:
    """Report every mistake in the settings; one that prevents questions becomes the blocking error."""
    for mistake in context.setting_errors:
        state.note_blocking_error(mistake)
    exists = await run_in_thread(lambda: os.path.exists(context.config_path))  # noqa: PTH110 - never raises
    facts = (("path", str(context.config_path)), ("exists", exists), ("mistakes", len(context.setting_errors)))
    findings = [Finding("config", FindingState.WRONG, str(error), error.hint) for error in context.setting_errors]
    findings += [Finding("config", FindingState.WARNING, str(error), error.hint) for error in context.setting_warnings]
    if findings:
        return [findings[0]._replace(facts=facts), *findings[1:]]
    profile = f", using profile {context.settings.profile}" if context.settings.profile else ""
    shown = context.display_path(context.config_path)
    text = f"{shown} is valid{profile}" if exists else f"{shown} does not exist: using the defaults"
    return [Finding("config", FindingState.OK, text, facts=facts)]


MIN_FREE_BYTES: Final = 100_000_000
"""Free bytes below which a disk is nearly full."""
_MB: Final = 1e6


class _StoreFile(NamedTuple):
    """The session database, and its path as displayed."""

    path: Path
    display_path: str

    @property
    def folder(self) -> Path:
        """The nearest existing parent folder."""
        return next(parent for parent in self.path.parents if os.path.exists(parent))  # noqa: PTH110 - never raises

    def create_finding(
        self, state: FindingState, text: str, advice: str = "", *facts: tuple[str, FactValue]
    ) -> Finding:
        return Finding("store", state, text, advice, (("path", str(self.path)), *facts))


async def check_store(context: DoctorContext, _: DoctorState) -> Sequence[Finding]:
    """Report whether and where sessions are stored, and the state of the file."""
    real = await run_in_thread(lambda: Path(os.path.realpath(context.store_path)))
    file = _StoreFile(real, context.display_path(context.store_path))
    is_storing = context.settings.store
    text = "new questions are not saved (store = false or REFLECTTY_STORE=0)"
    findings = [] if is_storing else [file.create_finding(FindingState.NOTE, text, "", ("kept", False))]
    return [*findings, *await run_in_thread(lambda: _examine_file(file, is_storing=is_storing))]


def _examine_file(file: _StoreFile, *, is_storing: bool) -> list[Finding]:
    if not os.path.lexists(file.path):
        return _missing_file_findings(file) if is_storing else []
    if not file.path.is_file():
        return [
            file.create_finding(
                FindingState.WRONG, f"{file.display_path} is not a file", "move it away: until then nothing is saved"
            )
        ]
    from reflectty.store.health import examine_file

    try:
        health = examine_file(file.path)
    except StoreError as error:
        advice = error.hint or "back it up: the next question moves it aside and creates a new one"
        return [file.create_finding(FindingState.WRONG, str(error), advice), *_access_findings(file)]
    return [_health_finding(file, health), *_access_findings(file), *_disk_findings(file), *_quarantine_findings(file)]


def _missing_file_findings(file: _StoreFile) -> list[Finding]:
    if not (file.folder.is_dir() and os.access(file.folder, os.W_OK | os.X_OK)):
        text = f"{file.display_path} cannot be created: {file.folder} is not writable, so sessions are not saved"
        return [file.create_finding(FindingState.WARNING, text, "make it writable, or set XDG_DATA_HOME")]
    text = f"no sessions yet: the first question creates {file.display_path}"
    return [file.create_finding(FindingState.OK, text, "", ("kept", True), ("sessions", 0)), *_disk_findings(file)]


def _health_finding(file: _StoreFile, health: Health) -> Finding:
    sound = not health.damage if health.is_complete else None
    facts = (("sessions", health.sessions), ("bytes", health.size), ("sound", sound))
    if health.damage:
        advice = "back it up: once reflect runs into the damage, it moves the file aside and creates a new one"
        return file.create_finding(
            FindingState.WRONG, f"{file.display_path} is damaged: {health.damage}", advice, *facts
        )
    if health.is_newer:
        text = f"{file.display_path} was written by a newer reflectty: it can be read, but nothing new is saved"
        return file.create_finding(FindingState.WARNING, text, "update reflectty", *facts)
    number = format_count(health.sessions, "session")
    how = "intact" if health.is_complete else "too large to check completely"
    text = f"{number} in {file.display_path}, {health.size / _MB:.1f} MB, {how}"
    if health.is_suspect:
        return file.create_finding(
            FindingState.NOTE, text, "damage was found before: the next start checks the whole file", *facts
        )
    return file.create_finding(FindingState.OK, text, "", *facts)


def _access_findings(file: _StoreFile) -> list[Finding]:
    findings = []
    mode = stat.S_IMODE(file.path.stat().st_mode)
    if mode & 0o077:
        text = f"other users on this machine can read {file.display_path} (mode {mode:o})"
        findings.append(
            file.create_finding(
                FindingState.WARNING, text, f"chmod 600 {file.display_path} (the next question does this too)"
            )
        )
    if not (os.access(file.path, os.R_OK | os.W_OK) and os.access(file.path.parent, os.W_OK | os.X_OK)):
        text = f"{file.display_path} or its folder is not writable: nothing new is saved"
        findings.append(file.create_finding(FindingState.WARNING, text, "make both writable"))
    return findings


def _disk_findings(file: _StoreFile) -> list[Finding]:
    """Findings about the disk of the file."""
    from reflectty.store.health import is_on_remote_disk

    findings = []
    free = shutil.disk_usage(file.folder).free
    if free < MIN_FREE_BYTES:
        text = f"only {free / _MB:.0f} MB free on the disk that stores the sessions"
        findings.append(
            file.create_finding(FindingState.WARNING, text, "free some space: on a full disk nothing new is saved")
        )
    if is_on_remote_disk(file.path):
        text = "sessions are on a network disk, where writing is slower"
        findings.append(file.create_finding(FindingState.NOTE, text, "set XDG_DATA_HOME to a folder on a local disk"))
    return findings


def _quarantine_findings(file: _StoreFile) -> list[Finding]:
    """A finding for a quarantined file, whose sessions may be recoverable."""
    moved = sorted(file.path.parent.glob(f"{file.path.name}.corrupt-*"))
    if not moved:
        return []
    text = f"a damaged file was moved aside: {moved[-1].name}"
    return [
        file.create_finding(
            FindingState.NOTE, text, "try `sqlite3 FILE .recover` to recover its sessions, or remove it"
        )
    ]
