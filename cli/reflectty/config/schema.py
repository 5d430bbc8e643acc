"""Defines every setting in one row: its key, variable, parser, choices, and what holds if it is unset."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from reflectty.core.errors import UsageError, did_you_mean
from reflectty.core.messages import Effort, KeepThinkingMode, Timeouts
from reflectty.core.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from reflectty.core.budget import Budget
    from reflectty.core.evidence import Evidence
    from reflectty.core.messages import OptionValue
    from reflectty.reasoning.modes import AskOptions

    Choices = Callable[[], tuple[str, ...]]
    ValueParser = Callable[[object, str, object], object]
    """Turns a value, which stands under a name, into that of a setting; last comes what the setting holds so far."""

DEFAULT_TIMEOUTS = Timeouts()
TIMEOUT_PARTS = ("connect", "first", "idle")
"""The phases of a request that have a timeout."""
THINKING_VIEWS = ("live", "peek", "folded", "off")
"""The ways to show thinking."""
NOTIFY_WAYS = ("auto", "bell", "desktop", "off")
_MAX_LISTED = 8
"""An error lists so many choices, and otherwise suggests similar ones."""
_NAME_PATTERN = r"[^\W_][\w-]{0,63}"
_SWITCH_VALUES = {"0": False, "1": True}


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
    budget: str = ""
    """How much a model may think: tokens, a time, or `off`."""
    budgets: tuple[tuple[str, str], ...] = ()
    """The same by the name of a model or an effort."""
    budget_sentence: str = ""
    """The last sentence of a thinking that reached its budget."""
    loops: str = ""
    """What happens to a thinking that repeats itself: a value of `LoopAction`."""
    until_settled: bool = False
    """Whether a thinking ends once the answer that it states has stood."""
    evidence: tuple[tuple[str, Evidence], ...] = ()
    """By model, how it is best asked by a run of the user's; the mode `auto` uses it."""
    samples: int = 0
    """How many replies vote on the answer; 0 and 1 ask once."""
    verify: bool = False
    """Whether the reply is a draft that is verified and revised."""
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
    second_thoughts: bool = True
    """Whether second thoughts are read in the thinking, marked and counted."""
    animation: bool = True
    notify: str = "auto"
    """How the end of a long reply is announced: one of `NOTIFY_WAYS`."""
    notify_after: float = 20.0
    """Seconds that a reply takes at least to be announced."""
    keys: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """The user's key bindings: an action and its keys, none to unbind it."""
    is_theme_chosen: bool = False
    """Whether the file, the environment or the chat's remembered choice sets the theme."""
    is_model_explicit: bool = False
    """Whether a profile named on the command line sets the model, which overrides that of a session."""
    is_server_explicit: bool = False
    """Whether a profile named on the command line sets the server."""
    user_configured: bool = False
    """True if the user configured a server or a model anywhere."""

    @property
    def ask_options(self) -> AskOptions:
        """How a model is asked where no flag says otherwise."""
        from reflectty.reasoning.families import FAMILIES
        from reflectty.reasoning.governor import LoopAction
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
            budgets=self._budgets,
            budget_sentence=self.budget_sentence,
            loops=LoopAction(self.loops) if self.loops else None,
            until_settled=self.until_settled,
            evidence=self.evidence,
            samples=self.samples,
            verify=self.verify,
        )

    @property
    def _budgets(self) -> tuple[tuple[str, Budget], ...]:
        """The budgets by model or effort, and under an empty name that of all others."""
        texts = (*((("", self.budget),) if self.budget else ()), *self.budgets)
        if not texts:
            return ()
        from reflectty.core.budget import parse_budget

        return tuple((name, parse_budget(text, "budget")) for name, text in texts if text)


def parse_text(value: object, name: str, _: object = None) -> str:
    if not isinstance(value, str):
        raise UsageError(f"{name} must be a quoted string")
    return value


def parse_texts(value: object, name: str, _: object = None) -> tuple[str, ...]:
    """Parse a list of texts, or one text."""
    listed = value if isinstance(value, list) else [value]
    if not all(isinstance(one, str) for one in listed):
        raise UsageError(f"{name} must be a list of quoted strings", f'write it as {name} = ["one", "two"]')
    return tuple(str(one) for one in listed if one)


def parse_name(value: object, where: str, _: object = None) -> str:
    """Parse the name of a profile or a template, which becomes part of a path or a key."""
    word = parse_text(value, where)
    if not is_name(word):
        raise UsageError(f"{where}: {word!r} is not a valid name", "use letters, digits, - and _")
    return word


def is_name(word: str) -> bool:
    """Whether a text can be the name of a profile or a template."""
    return re.fullmatch(_NAME_PATTERN, word) is not None


def parse_boolean(value: object, name: str, _: object = None) -> bool:
    if not isinstance(value, bool):
        raise UsageError(f"{name} must be true or false")
    return value


def parse_switch(value: object, name: str, _: object = None) -> bool:
    """Parse a variable that is on or off."""
    if value not in _SWITCH_VALUES:
        raise UsageError(f"{name} must be 0 or 1, not {value!r}")
    return _SWITCH_VALUES[str(value)]


def parse_choice(noun: str, choices: Choices, value: object, name: str, _: object = None) -> str:
    word, known = parse_text(value, name), choices()
    if word not in known:
        similar = did_you_mean(word, known) if len(known) > _MAX_LISTED else ""
        raise UsageError(f"{name} {word!r} is not {noun}", similar or f"choose from {', '.join(known)}")
    return word


def parse_duration(value: object, name: str, _: object = None) -> str:
    """Parse how long a model stays loaded: seconds, or a duration in Ollama's form."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise UsageError(f"{name} must be a duration such as '10m', or seconds")
    return str(value)


def parse_budget_setting(value: object, name: str, _: object = None) -> str:
    """Parse a budget of thinking: a number of tokens, or a text such as `2k`, `30s` or `off`."""
    from reflectty.core.budget import parse_budget

    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise UsageError(f"{name} must be a number of tokens, or a string such as '30s'")
    if value != "":
        parse_budget(str(value), name)
    return str(value)


def parse_budgets(value: object, name: str, before: object = None) -> tuple[tuple[str, str], ...]:
    """Parse a table of budgets by model or effort; those that it does not set stay unchanged."""
    if not isinstance(value, dict):
        raise UsageError(f"{name} must be a table", 'write [budgets], then lines such as "qwen3:8b" = 4000')
    earlier = dict(before) if isinstance(before, tuple) else {}
    return tuple({**earlier, **{key: parse_budget_setting(one, f"{name}.{key}") for key, one in value.items()}}.items())


def parse_evidence(value: object, name: str, before: object = None) -> tuple[tuple[str, Evidence], ...]:
    """Parse tables of evidence by model; models that they do not name keep theirs."""
    from reflectty.config.evidence import parse_evidence_tables

    return parse_evidence_tables(value, name, before if isinstance(before, tuple) else ())


def parse_seconds(value: object, name: str, _: object = None) -> float:
    """Parse a number of seconds, 0 or more."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
        raise UsageError(f"{name} must be a number of seconds")
    return float(value)


def parse_samples(value: object, name: str, _: object = None) -> int:
    """Parse how many replies vote on an answer."""
    from reflectty.reasoning.vote import MAX_SAMPLES, MIN_SAMPLES, is_number_of_samples

    if isinstance(value, bool) or not isinstance(value, int) or not is_number_of_samples(value):
        raise UsageError(f"{name} must be a whole number from {MIN_SAMPLES} to {MAX_SAMPLES}, or 1 to ask once")
    return value


def parse_options(value: object, name: str, before: object = None) -> tuple[tuple[str, OptionValue], ...]:
    """Parse a table of options; those that it does not set stay unchanged."""
    from reflectty.core.options import read_options

    if not isinstance(value, dict):
        raise UsageError(f"{name} must be a table", "write it as options = { num_ctx = 8192, temperature = 0.2 }")
    earlier = before if isinstance(before, tuple) else ()
    return tuple({**dict(earlier), **dict(read_options(value, name))}.items())


def parse_timeout_setting(value: object, name: str, before: object = None) -> Timeouts:
    """Parse seconds, or a text with the parts to change; the others stay unchanged."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise UsageError(f"{name} must be seconds, or a string such as 'first=300,idle=120'")
    return parse_timeouts(str(value), before if isinstance(before, Timeouts) else Timeouts(), name)


def parse_timeouts(text: str, timeouts: Timeouts, name: str = "--timeout") -> Timeouts:
    """Change `timeouts` by a text: `60` sets `first` and `idle`, `first=600,idle=30` single ones.

    Raises:
        UsageError: not a number above 0, or an unknown part.
    """
    for part in filter(None, (part.strip() for part in text.split(","))):
        key, equals, value = part.partition("=")
        try:
            seconds = float(value if equals else key)
        except ValueError:
            seconds = 0.0
        if not 0 < seconds < float("inf"):
            raise UsageError(f"{name} {text!r} is not a duration", "give seconds, or connect=5,first=300,idle=120")
        if not equals:
            timeouts = timeouts._replace(first=seconds, idle=seconds)
        elif key in TIMEOUT_PARTS:
            timeouts = timeouts._replace(**{key: seconds})
        else:
            raise UsageError(f"{name} has no part {key!r}", f"its parts are {', '.join(TIMEOUT_PARTS)}")
    return timeouts


def parse_keys(value: object, name: str, _: object = None) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if not isinstance(value, dict):
        raise UsageError(f"{name} must be a table", 'write [keys], then lines such as save = "ctrl+s"')
    return tuple((action, _parse_action_keys(keys, f"{name}.{action}")) for action, keys in value.items())


def _parse_action_keys(value: object, name: str) -> tuple[str, ...]:
    keys = value if isinstance(value, list) else [value]
    if not all(isinstance(key, str) for key in keys):
        raise UsageError(f"{name} must be a quoted key, or a list of them")
    return tuple(str(key) for key in keys if key)


class Setting(NamedTuple):
    """One setting: its key in the file, its field, its parser and its other sources."""

    key: str
    """Empty if the file cannot set it."""
    field: str
    parse: ValueParser = parse_text
    variable: str = ""
    parse_variable: ValueParser | None = None
    """The parser for the variable, if it differs."""
    in_profile: bool = False
    """Whether a profile can set it."""
    choices: Choices = tuple
    """Lists the values, if they are few and fixed."""
    candidates: str = ""
    """The kind of completion candidates that are values, such as models."""
    unset: str = "none"
    """What holds if nothing sets it, in words."""
    is_secret: bool = False
    """Whether it is never shown, only whether it is set."""
    about: str = ""
    """What it sets, in a few words."""

    @property
    def is_table(self) -> bool:
        """Whether its entries have keys of their own."""
        return self.parse in (parse_options, parse_keys, parse_budgets, parse_evidence)


def _modes() -> tuple[str, ...]:
    from reflectty.reasoning.modes import Mode

    return tuple(Mode)


def _engines() -> tuple[str, ...]:
    from reflectty.engines import EngineName

    return tuple(EngineName)


def _loop_actions() -> tuple[str, ...]:
    from reflectty.reasoning.governor import LoopAction

    return tuple(LoopAction)


def _families() -> tuple[str, ...]:
    from reflectty.reasoning.families import FAMILIES

    return tuple(FAMILIES)


def _choice(key: str, noun: str, choices: Choices, variable: str = "", unset: str = "none", about: str = "") -> Setting:  # noqa: PLR0913, PLR0917 - the columns of one row
    """A setting that takes one of a few words."""
    parse = partial(parse_choice, noun, choices)
    return Setting(key, key, parse, variable, in_profile=True, choices=choices, unset=unset, about=about)


def _switch(key: str, variable: str = "", *, about: str, in_profile: bool = False) -> Setting:
    """A setting that is on or off."""
    words = ("true", "false")
    return Setting(key, key, parse_boolean, variable, parse_switch, in_profile, choices=lambda: words, about=about)


SETTINGS = (
    Setting(
        "model",
        "model",
        variable="REFLECTTY_MODEL",
        in_profile=True,
        candidates="models",
        unset="the best installed model",
        about="the model that is asked",
    ),
    Setting("host", "host", variable="OLLAMA_HOST", in_profile=True, candidates="hosts", about="the server's address"),
    Setting("", "host", variable="REFLECTTY_HOST"),
    Setting("hosts", "hosts", parse_texts, in_profile=True, about="the servers that share a batch"),
    _choice("engine", "an engine", _engines, "REFLECTTY_ENGINE", about="the server's protocol"),
    Setting("", "api_key", variable="OLLAMA_API_KEY", is_secret=True, about="the key of an Ollama server"),
    Setting(
        "", "cluster_key", variable="OPENAI_API_KEY", is_secret=True, about="the key of an OpenAI-compatible server"
    ),
    Setting("", "cluster_key", variable="REFLECTTY_API_KEY", is_secret=True),
    Setting("api_key_file", "api_key_file", in_profile=True, about="the file with cluster_key"),
    _switch("api_key_over_http", in_profile=True, about="send cluster_key over plain http"),
    _choice("mode", "a mode", _modes, "REFLECTTY_MODE", about="how the model is made to reflect"),
    _choice(
        "effort", "an effort", lambda: tuple(Effort), unset="the model's default", about="how much the model thinks"
    ),
    _choice("family", "a family", _families, unset="from the model", about="how the model marks its thinking"),
    Setting("system", "system", in_profile=True, about="the system prompt"),
    Setting("options", "options", parse_options, in_profile=True, about="model options, such as num_ctx"),
    Setting(
        "keep_alive",
        "keep_alive",
        parse_duration,
        in_profile=True,
        unset="the server's default",
        about="how long the model stays loaded",
    ),
    _choice(
        "keep_thinking",
        "a way to keep thinking",
        lambda: tuple(KeepThinkingMode),
        "REFLECTTY_KEEP_THINKING",
        about="send earlier thinking back",
    ),
    Setting(
        "budget",
        "budget",
        parse_budget_setting,
        "REFLECTTY_BUDGET",
        in_profile=True,
        about="how much the model may think: tokens or a time",
    ),
    Setting("budgets", "budgets", parse_budgets, in_profile=True, about="budgets by model or effort"),
    Setting(
        "budget_sentence",
        "budget_sentence",
        in_profile=True,
        unset="our own",
        about="the last sentence of a thinking that is ended",
    ),
    _choice(
        "loops",
        "a way to treat loops",
        _loop_actions,
        unset="end, and note in the chat",
        about="what happens to a thinking that repeats itself",
    ),
    _switch("until_settled", in_profile=True, about="end a thinking once its stated answer has stood"),
    Setting(
        "evidence",
        "evidence",
        parse_evidence,
        in_profile=True,
        about="how a model is best asked, by a run of yours",
    ),
    Setting(
        "samples",
        "samples",
        parse_samples,
        in_profile=True,
        unset="1",
        about="how many replies vote on the answer",
    ),
    _switch("verify", in_profile=True, about="verify and revise each reply"),
    Setting(
        "timeout",
        "timeouts",
        parse_timeout_setting,
        "REFLECTTY_TIMEOUT",
        in_profile=True,
        about="seconds to wait for the server",
    ),
    Setting(
        "template",
        "template",
        parse_name,
        in_profile=True,
        candidates="templates",
        about="the template of one-shot questions",
    ),
    Setting(
        "profile", "profile", parse_name, "REFLECTTY_PROFILE", candidates="profiles", about="the profile that is used"
    ),
    Setting("theme", "theme", variable="REFLECTTY_THEME", candidates="themes", about="the colors"),
    _choice(
        "thinking",
        "a way to show thinking",
        lambda: THINKING_VIEWS,
        "REFLECTTY_THINKING",
        "as chosen in the chat",
        "how the chat shows thinking",
    )._replace(in_profile=False),
    _switch("store", "REFLECTTY_STORE", about="save sessions"),
    _switch("second_thoughts", about="mark second thoughts in the thinking"),
    _switch("animation", "REFLECTTY_ANIMATION", about="animate the chat"),
    _choice(
        "notify",
        "a way to notify",
        lambda: NOTIFY_WAYS,
        "REFLECTTY_NOTIFY",
        about="announce the end of a long reply",
    )._replace(in_profile=False),
    Setting(
        "notify_after",
        "notify_after",
        parse_seconds,
        about="seconds after which a reply is long",
    ),
    Setting("keys", "keys", parse_keys, unset="the default keys", about="the keys of the chat"),
)
"""All settings, in display order."""
TABLE_ABOUTS = {
    "profiles": "sets of settings for --profile",
    "templates": "prompts for -t",
}
"""The tables of the file that are not settings, and what they hold."""
FILE_SETTINGS = {setting.key: setting for setting in SETTINGS if setting.key}
"""The settings of the file, by key."""
PROFILE_SETTINGS = {setting.key: setting for setting in SETTINGS if setting.in_profile}
"""The settings of a profile, by key."""
SERVER_FIELDS = frozenset({"host", "engine", "api_key_file", "api_key_over_http"})
"""The fields that select the server."""
MODEL_OR_SERVER_FIELDS = SERVER_FIELDS | {"model", "hosts", "api_key"}
"""The fields that show that the user configured a model or server."""
