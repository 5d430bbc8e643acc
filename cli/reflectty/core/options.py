"""Parses and checks Ollama's model options, from `KEY=VALUE` texts or a table.

Names and types are those of Ollama 0.32; its server silently ignores unknown keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reflectty.core.messages import OptionValue

OPTIONS: dict[str, type] = {
    "num_ctx": int,
    "num_predict": int,
    "num_keep": int,
    "seed": int,
    "temperature": float,
    "top_k": int,
    "top_p": float,
    "min_p": float,
    "typical_p": float,
    "repeat_last_n": int,
    "repeat_penalty": float,
    "presence_penalty": float,
    "frequency_penalty": float,
    "stop": str,
    "num_batch": int,
    "num_gpu": int,
    "main_gpu": int,
    "use_mmap": bool,
    "num_thread": int,
    "draft_num_predict": int,
}

NUM_CTX = "num_ctx"
AUTO = "auto"
"""A context as large as the question needs, within the limits of the model and this machine's memory."""

_BOOLS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def parse_options(pairs: tuple[str, ...], flag: str = "--option") -> tuple[tuple[str, OptionValue], ...]:
    """Parse options from `KEY=VALUE` texts; a repeated `stop` adds, any other repeated key replaces.

    Raises:
        UsageError: no `=`, an option that Ollama does not have, or a value of the wrong type.
    """
    options: dict[str, OptionValue] = {}
    stops: list[str] = []
    for pair in pairs:
        key, equals, text = pair.partition("=")
        key = key.strip()
        if not equals:
            raise UsageError(f"{flag} {pair!r} has no value", f"write it as KEY=VALUE, such as {flag} temperature=0.2")
        if key == "stop":
            stops.append(text)
        else:
            options[key] = _parse_value(key, text.strip(), f"{flag} {key}")
    if stops:
        options["stop"] = tuple(stops)
    return tuple(options.items())


def read_options(table: Mapping[str, object], name: str) -> tuple[tuple[str, OptionValue], ...]:
    """Read options from a table called `name` in a file.

    Raises:
        UsageError: an option that Ollama does not have, or a value of the wrong type.
    """
    return tuple((key, _read_option(key, value, f"{name}.{key}")) for key, value in table.items())


def _read_option(key: str, value: object, name: str) -> OptionValue:
    if key == "stop":
        stops = value if isinstance(value, list) else [value]
        if not all(isinstance(stop, str) for stop in stops):
            raise UsageError(f"{name} takes a string or a list of strings")
        return tuple(map(str, stops))
    return _parse_value(key, str(value), name)


def _parse_value(key: str, text: str, name: str) -> OptionValue:
    value_type = OPTIONS.get(key)
    if value_type is None:
        raise UsageError(f"{name}: Ollama has no option {key!r}", _suggest_option(key))
    if key == NUM_CTX and text == AUTO:
        return AUTO
    if value_type is bool:
        if text.lower() not in _BOOLS:
            raise UsageError(f"{name} takes true or false, not {text!r}")
        return _BOOLS[text.lower()]
    try:
        number = value_type(text)
    except ValueError as error:
        noun = "a whole number" if value_type is int else "a number"
        noun = f"{noun}, or auto" if key == NUM_CTX else noun
        raise UsageError(f"{name} takes {noun}, not {text!r}") from error
    if number != number or number in (float("inf"), float("-inf")):  # noqa: PLR0124 - JSON has no such numbers
        raise UsageError(f"{name} takes a finite number, not {text!r}")
    return int(number) if value_type is int else float(number)


def _suggest_option(key: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(key.lower().replace("-", "_"), OPTIONS, n=1)
    return f"did you mean {near[0]}?" if near else f"available: {', '.join(OPTIONS)}"
