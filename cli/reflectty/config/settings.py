"""Defines every setting: its key, its variable and how its value is parsed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reflectty.config import values
from reflectty.core.messages import Timeouts

if TYPE_CHECKING:
    from reflectty.config.values import ValueParser
    from reflectty.core.messages import OptionValue

DEFAULT_TIMEOUTS = Timeouts()


class Settings(NamedTuple):
    """What holds for every command unless a flag says otherwise."""

    model: str = ""
    host: str = ""
    hosts: tuple[str, ...] = ()
    """The servers that a batch is spread over; none where it has the one of every question."""
    engine: str = "ollama"
    """What is spoken with the server."""
    api_key: str = ""
    """The key for an Ollama server."""
    cluster_key: str = ""
    """The key for an OpenAI-compatible server: no other one gets it."""
    api_key_file: str = ""
    """Where that key stands, where no variable holds it."""
    api_key_over_http: bool = False
    """Whether it may be sent where it can be read on the way."""
    mode: str = "auto"
    effort: str = ""
    family: str = ""
    system: str = ""
    options: tuple[tuple[str, OptionValue], ...] = ()
    keep_alive: str = ""
    keep_thinking: str = "auto"
    """Whether the thinking of earlier turns is handed back to the model: one of `Keep`."""
    timeouts: Timeouts = DEFAULT_TIMEOUTS
    template: str = ""
    """The template that a question of one shot is put into."""
    profile: str = ""
    """The profile that some of the values come from."""
    theme: str = "terminal"
    thinking: str = ""
    """How the chat shows thinking: one of `VIEWS`, or empty where nobody chose."""
    store: bool = True
    """Whether sessions are kept."""
    animation: bool = True
    keys: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """The user's own keys: the name of an action and its keys, none to unbind it."""
    is_theme_chosen: bool = False
    """Whether the file or the environment names the theme."""
    is_model_explicit: bool = False
    """Whether a profile named with this call has the model, which goes before that of a session."""
    is_server_explicit: bool = False
    """Whether a profile named with this call says which server is asked."""
    user_configured: bool = False
    """Whether anything says which server or which model is asked."""


class Setting(NamedTuple):
    """One setting: its key in the file, its field, how its value is read, and who else can set it."""

    key: str
    """Empty where the file cannot set it."""
    field: str
    parse: ValueParser
    variable: str = ""
    parse_variable: ValueParser | None = None
    """How the variable is read where that differs."""
    in_profile: bool = False
    """Whether a profile can set it."""


SETTINGS = (
    Setting("model", "model", values.parse_text, "REFLECTTY_MODEL", in_profile=True),
    Setting("host", "host", values.parse_text, "OLLAMA_HOST", in_profile=True),
    Setting("", "host", values.parse_text, "REFLECTTY_HOST"),
    Setting("hosts", "hosts", values.parse_texts, in_profile=True),
    Setting("engine", "engine", values.parse_engine, "REFLECTTY_ENGINE", in_profile=True),
    Setting("", "api_key", values.parse_text, "OLLAMA_API_KEY"),
    Setting("", "cluster_key", values.parse_text, "OPENAI_API_KEY"),
    Setting("", "cluster_key", values.parse_text, "REFLECTTY_API_KEY"),
    Setting("api_key_file", "api_key_file", values.parse_text, in_profile=True),
    Setting("api_key_over_http", "api_key_over_http", values.parse_boolean, in_profile=True),
    Setting("mode", "mode", values.parse_mode, "REFLECTTY_MODE", in_profile=True),
    Setting("effort", "effort", values.parse_effort, in_profile=True),
    Setting("family", "family", values.parse_family, in_profile=True),
    Setting("system", "system", values.parse_text, in_profile=True),
    Setting("options", "options", values.parse_options, in_profile=True),
    Setting("keep_alive", "keep_alive", values.parse_duration, in_profile=True),
    Setting("keep_thinking", "keep_thinking", values.parse_keep_thinking, "REFLECTTY_KEEP_THINKING", in_profile=True),
    Setting("timeout", "timeouts", values.parse_timeout_setting, "REFLECTTY_TIMEOUT", in_profile=True),
    Setting("template", "template", values.parse_name, in_profile=True),
    Setting("profile", "profile", values.parse_name, "REFLECTTY_PROFILE"),
    Setting("theme", "theme", values.parse_text, "REFLECTTY_THEME"),
    Setting("thinking", "thinking", values.parse_view, "REFLECTTY_THINKING"),
    Setting("store", "store", values.parse_boolean, "REFLECTTY_STORE", values.parse_switch),
    Setting("animation", "animation", values.parse_boolean, "REFLECTTY_ANIMATION", values.parse_switch),
    Setting("keys", "keys", values.parse_keys),
)
"""All of them, in the order in which they are shown."""
FILE_SETTINGS = {setting.key: setting for setting in SETTINGS if setting.key}
"""What the file can set, by its key."""
PROFILE_SETTINGS = {setting.key: setting for setting in SETTINGS if setting.in_profile}
"""What a profile can set, by its key."""
SERVER_FIELDS = frozenset({"host", "engine", "api_key_file", "api_key_over_http"})
"""The fields that say which server is asked."""
MODEL_OR_SERVER_FIELDS = SERVER_FIELDS | {"model", "hosts", "api_key"}
"""The fields that show that somebody has thought about who answers."""
