"""Settings: defaults, the user's file, the environment; and where files are kept. Flags come on top elsewhere."""

from __future__ import annotations

from reflectty.config.keys import api_key
from reflectty.config.loading import debugging, load, profile_names, recalled
from reflectty.config.places import config_path, state_folder, store_path, templates_folder, themes_folder
from reflectty.config.remembering import (
    first_time,
    known,
    note_down,
    noted,
    place_of,
    remember,
    remember_place,
    remember_server,
    remembered,
    server_known,
)
from reflectty.config.settings import ENTRIES, NO_HURRY, SETTINGS, Setting, Settings
from reflectty.config.values import VIEWS, parse_timeouts
from reflectty.errors import near

__all__ = [
    "ENTRIES",
    "NO_HURRY",
    "SETTINGS",
    "VIEWS",
    "Setting",
    "Settings",
    "api_key",
    "config_path",
    "debugging",
    "first_time",
    "known",
    "load",
    "near",
    "note_down",
    "noted",
    "parse_timeouts",
    "place_of",
    "profile_names",
    "recalled",
    "remember",
    "remember_place",
    "remember_server",
    "remembered",
    "server_known",
    "state_folder",
    "store_path",
    "templates_folder",
    "themes_folder",
]
