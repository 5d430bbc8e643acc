"""Defines every setting: its key, its variable and how its value is parsed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reflectty.config import values
from reflectty.core.messages import Timeouts

if TYPE_CHECKING:
    from reflectty.config.values import ValueParser
    from reflectty.core.messages import OptionValue
    from reflectty.reasoning.modes import AskOptions

DEFAULT_TIMEOUTS = Timeouts()


class Settings(NamedTuple):
    """Settings of every command; flags override them."""

    model: str = ""
    host: str = ""
    hosts: tuple[str, ...] = ()
    """The servers of a batch; empty if it uses `host`."""
    engine: str = "ollama"
    """The protocol of the server."""
    api_key: str = ""
    """The key for an Ollama server."""
    cluster_key: str = ""
    """The key for an OpenAI-compatible server; never sent to another kind."""
    api_key_file: str = ""
    """The file of that key, used if no variable holds it."""
    api_key_over_http: bool = False
    """Whether the key may be sent unencrypted."""
    mode: str = "auto"
    effort: str = ""
    family: str = ""
    system: str = ""
    options: tuple[tuple[str, OptionValue], ...] = ()
    keep_alive: str = ""
    keep_thinking: str = "auto"
    """Whether the thinking of earlier turns is sent back to the model: a value of `KeepThinkingMode`."""
    timeouts: Timeouts = DEFAULT_TIMEOUTS
    template: str = ""
    """The template for one-shot questions."""
    profile: str = ""
    """The profile that some of the values are from."""
    theme: str = "terminal"
    thinking: str = ""
    """How the chat shows thinking: one of `THINKING_VIEWS`, or empty if not chosen."""
    store: bool = True
    """Whether sessions are stored."""
    animation: bool = True
    keys: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """The user's key bindings: an action and its keys, none to unbind it."""
    is_theme_chosen: bool = False
    """Whether the file or the environment sets the theme."""
    is_model_explicit: bool = False
    """Whether a profile named on the command line sets the model, which overrides that of a session."""
    is_server_explicit: bool = False
    """Whether a profile named on the command line sets the server."""
    user_configured: bool = False
    """True if the user configured a server or a model anywhere."""

    @property
    def ask_options(self) -> AskOptions:
        """How a model is asked where no flag says otherwise."""
        from reflectty.core.messages import Effort
        from reflectty.reasoning.families import FAMILIES
        from reflectty.reasoning.modes import AskOptions, Mode

        return AskOptions(
            Mode(self.mode),
            Effort(self.effort) if self.effort else None,
            FAMILIES[self.family] if self.family else None,
            self.system,
            self.model,
            self.options,
            self.keep_alive,
            self.keep_thinking,
        )


class Setting(NamedTuple):
    """One setting: its key in the file, its field, its parser and its other sources."""

    key: str
    """Empty if the file cannot set it."""
    field: str
    parse: ValueParser
    variable: str = ""
    parse_variable: ValueParser | None = None
    """The parser for the variable, if it differs."""
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
"""All settings, in display order."""
FILE_SETTINGS = {setting.key: setting for setting in SETTINGS if setting.key}
"""The settings of the file, by key."""
PROFILE_SETTINGS = {setting.key: setting for setting in SETTINGS if setting.in_profile}
"""The settings of a profile, by key."""
SERVER_FIELDS = frozenset({"host", "engine", "api_key_file", "api_key_over_http"})
"""The fields that select the server."""
MODEL_OR_SERVER_FIELDS = SERVER_FIELDS | {"model", "hosts", "api_key"}
"""The fields that show that the user configured a model or server."""
