"""Settings from defaults, the config file, profiles and the environment, and the user's folders."""

from __future__ import annotations

from reflectty.config.load import is_debugging, load_api_key, load_settings, profile_names, with_remembered_choices
from reflectty.config.schema import (
    DEFAULT_TIMEOUTS,
    FILE_SETTINGS,
    SETTINGS,
    THINKING_VIEWS,
    Setting,
    Settings,
    parse_timeouts,
)
from reflectty.config.state import (
    DAY_SECONDS,
    has_server_answered,
    is_notice_due,
    is_remembered,
    recall_choice,
    recall_note,
    remember_choice,
    remember_note,
    remember_once,
    remember_server_answered,
    remember_session_of_terminal,
    remember_session_server,
    server_of_session,
    sessions_of_terminals,
)
from reflectty.system.paths import config_path, state_folder, store_path, templates_folder

__all__ = [
    "DAY_SECONDS",
    "DEFAULT_TIMEOUTS",
    "FILE_SETTINGS",
    "SETTINGS",
    "THINKING_VIEWS",
    "Setting",
    "Settings",
    "config_path",
    "has_server_answered",
    "is_debugging",
    "is_notice_due",
    "is_remembered",
    "load_api_key",
    "load_settings",
    "parse_timeouts",
    "profile_names",
    "recall_choice",
    "recall_note",
    "remember_choice",
    "remember_note",
    "remember_once",
    "remember_server_answered",
    "remember_session_of_terminal",
    "remember_session_server",
    "server_of_session",
    "sessions_of_terminals",
    "state_folder",
    "store_path",
    "templates_folder",
    "with_remembered_choices",
]
