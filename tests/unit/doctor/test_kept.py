from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from reflectty.config import Settings
from reflectty.core.errors import UsageError
from reflectty.core.findings import Finding, FindingState
from reflectty.doctor import DoctorState
from reflectty.doctor.files import check_config, check_store, load_usable_settings
from support.doctor_harness import doctor_context, facts, findings_of
from support.stored_sessions import filled


def sessions_at(path: Path, **given: Any) -> list[Finding]:
    return findings_of(check_store, doctor_context(store_path=path, **given))


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    path = tmp_path / "reflectty" / "sessions.db"
    path.parent.mkdir(mode=0o700)
    filled(path)
    return path


def test_sound_store_is_reported_and_left_unchanged(kept: Path) -> None:
    before = {path.name: path.read_bytes() for path in kept.parent.iterdir()}
    (finding,) = sessions_at(kept)
    assert finding.state is FindingState.OK
    assert (facts(finding)["sessions"], facts(finding)["sound"]) == (1, True)
    assert {path.name: path.read_bytes() for path in kept.parent.iterdir()} == before


def test_no_file_is_created(tmp_path: Path) -> None:
    (finding,) = sessions_at(tmp_path / "deep" / "sessions.db")
    assert (finding.state, "no sessions yet" in finding.text) == (FindingState.OK, True)
    assert not list(tmp_path.iterdir())


def test_path_in_the_home_directory_is_shortened(tmp_path: Path) -> None:
    (finding,) = sessions_at(tmp_path / "sessions.db", environment={"HOME": str(tmp_path)})
    assert finding.text.endswith(" ~/sessions.db")
    assert facts(finding)["path"] == str(tmp_path / "sessions.db")


@pytest.mark.parametrize(
    ("content", "text"),
    [(b"no database at all" * 100, "file is not a database"), (b"", "0 sessions")],
)
def test_file_without_sessions_is_reported_and_not_moved(tmp_path: Path, content: bytes, text: str) -> None:
    path = tmp_path / "sessions.db"
    path.write_bytes(content)
    path.chmod(0o600)
    (finding,) = sessions_at(path)
    assert text in finding.text
    assert [one.name for one in tmp_path.iterdir()] == ["sessions.db"]
    assert path.read_bytes() == content


def test_internal_damage_is_detected(kept: Path) -> None:
    with kept.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xa5" * 4096 * 4)
    finding = sessions_at(kept)[0]
    assert finding.state is FindingState.WRONG
    assert facts(finding).get("sound", False) is False


def test_file_of_another_program_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs (a)")
    connection.close()
    path.chmod(0o600)
    (finding,) = sessions_at(path)
    assert (finding.state, "another program" in finding.text) == (FindingState.WRONG, True)


def test_a_newer_file_is_a_warning(kept: Path) -> None:
    with sqlite3.connect(kept) as connection:
        connection.execute("PRAGMA user_version = 999")
    connection.close()
    assert [one.state for one in sessions_at(kept)] == [FindingState.WARNING]


def test_a_file_that_others_can_read_is_a_warning(kept: Path) -> None:
    kept.chmod(0o644)
    (_, finding) = sessions_at(kept)
    assert (finding.state, "mode 644" in finding.text) == (FindingState.WARNING, True)


def test_a_folder_in_the_place_of_the_file_is_wrong(tmp_path: Path) -> None:
    (finding,) = sessions_at(tmp_path)
    assert (finding.state, "not a file" in finding.text) == (FindingState.WRONG, True)


def test_symlink_to_a_missing_file_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    path.symlink_to(tmp_path / "disk" / "sessions.db")
    (finding,) = sessions_at(path)
    assert (finding.state, "no sessions yet" in finding.text) == (FindingState.OK, True)


def test_unwritable_location_is_a_warning() -> None:
    (finding,) = sessions_at(Path("/proc/version/reflectty/sessions.db"))
    assert finding.state is FindingState.WARNING


def test_file_moved_aside_is_reported(kept: Path) -> None:
    kept.with_name("sessions.db.corrupt-2026-01-01-000000").write_bytes(b"x")
    assert "corrupt-2026" in sessions_at(kept)[-1].text


def test_disabled_store_is_noted(tmp_path: Path) -> None:
    findings = sessions_at(tmp_path / "sessions.db", settings=Settings(store=False))
    assert [one.state for one in findings] == [FindingState.NOTE]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def test_no_file_means_the_defaults(file: Path) -> None:
    assert load_usable_settings({}, file) == (Settings(), (), ())
    (finding,) = findings_of(check_config, doctor_context(config_path=file))
    assert (finding.state, "defaults" in finding.text) == (FindingState.OK, True)


def test_all_mistakes_are_reported_and_valid_settings_apply(file: Path) -> None:
    file.write_text('model = "mini"\nmode = "loud"\nnosuch = 1\nhost = "box"\n')
    got = load_usable_settings({"REFLECTTY_THINKING": "loud", "REFLECTTY_MODEL": "other"}, file)
    assert len(got.mistakes) == 3
    assert (got.settings.model, got.settings.host, got.settings.mode) == ("other", "box", "auto")
    assert (got.source_of("model"), got.source_of("host"), got.source_of("mode")) == (
        "REFLECTTY_MODEL",
        "config.toml",
        "",
    )
    learnt = DoctorState()
    findings = findings_of(check_config, doctor_context(config_path=file, setting_errors=got.mistakes), learnt)
    assert [one.state for one in findings] == [FindingState.WRONG] * 3
    assert learnt.blocking_error is got.mistakes[0]


@pytest.mark.parametrize("content", [b"\xff\xfe", b"model = ", b"[[[["])
def test_unreadable_file_still_applies_the_environment(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    got = load_usable_settings({"OLLAMA_HOST": "box"}, file)
    assert (len(got.mistakes), got.settings.host) == (1, "box")


def test_profile_is_named_as_the_source(file: Path) -> None:
    file.write_text('profile = "fast"\n[profiles.fast]\nmodel = "mini"\n')
    got = load_usable_settings({}, file)
    assert (got.settings.model, got.source_of("model")) == ("mini", "profile fast")


def test_chat_only_mistake_is_a_warning_and_does_not_block(file: Path) -> None:
    learnt = DoctorState()
    (finding,) = findings_of(
        check_config, doctor_context(config_path=file, setting_warnings=(UsageError("no theme"),)), learnt
    )
    assert (finding.state, learnt.blocking_error) == (FindingState.WARNING, None)
