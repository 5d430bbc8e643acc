"""Reads the tables of evidence in the config file, and drops what a later source overrules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from reflectty.core.errors import UsageError, did_you_mean
from reflectty.core.evidence import Evidence
from reflectty.core.messages import Effort

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reflectty.config.load import Source

MODES: Final = ("native", "reflect", "direct")
"""The modes that evidence can be for; the mode `auto` uses it."""
FILE_KEYS: Final = {"set": "set_name"}
"""The keys of the file that differ from their fields."""
NUMBERS: Final = ("gain", "low", "high", "tokens")
COUNTS: Final = ("n", "fixed", "broken")
KEYS: Final = tuple({field: key for key, field in FILE_KEYS.items()}.get(field, field) for field in Evidence._fields)
"""The keys of a table of evidence."""
_WAY_FIELDS: Final = ("effort", "budget")
"""The settings that say how much a model thinks, and so overrule evidence from a lower source."""
_HINT: Final = "`reflect eval apply RUN` writes it anew"


def parse_evidence_tables(
    value: object, name: str, before: Iterable[tuple[str, Evidence]] = ()
) -> tuple[tuple[str, Evidence], ...]:
    """Parse tables of evidence by model; models that they do not name keep theirs.

    Raises:
        UsageError: they are not tables, or one has an unknown key or an invalid value.
    """
    if not isinstance(value, dict):
        raise UsageError(f"{name} must be a table", _HINT)
    return tuple(
        {**dict(before), **{model: _parse(table, f"{name}.{model}") for model, table in value.items()}}.items()
    )


def _parse(table: object, name: str) -> Evidence:
    if not isinstance(table, dict):
        raise UsageError(f"{name} must be a table", _HINT)
    if unknown := next((key for key in table if key not in KEYS), None):
        hint = did_you_mean(unknown, KEYS) or f"choose from {', '.join(KEYS)}"
        raise UsageError(f"{name}: unknown key {unknown!r}", hint)
    if "mode" not in table:
        raise UsageError(f"{name} has no mode", _HINT)
    members = {str(key): _parse_member(key, one, f"{name}.{key}") for key, one in table.items()}
    return Evidence(**{FILE_KEYS.get(key, key): value for key, value in members.items()})


def _parse_member(key: str, value: object, name: str) -> Any:  # noqa: ANN401 - the type depends on the key
    """Parse one member of a table.

    Raises:
        UsageError: it is not a value of its key.
    """
    if key in COUNTS and not _is_number(value, whole=True):
        raise UsageError(f"{name} must be a whole number", _HINT)
    if key in NUMBERS and not _is_number(value):
        raise UsageError(f"{name} must be a number", _HINT)
    if key in COUNTS or key in NUMBERS:
        return value
    if key == "budget" and isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise UsageError(f"{name} must be a quoted string", _HINT)
    _check_word(key, value, name)
    return value


def _is_number(value: object, *, whole: bool = False) -> bool:
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
        return False
    return abs(value) < 1e12 and (value >= 0 or not whole)  # noqa: PLR2004 - neither infinite nor absurd


def _check_word(key: str, word: str, name: str) -> None:
    choices: Mapping[str, tuple[str, ...]] = {"mode": MODES, "effort": ("", *Effort)}
    if key in choices and word not in choices[key]:
        raise UsageError(f"{name} {word!r} is not one", f"choose from {', '.join(filter(None, choices[key]))}")
    if key == "budget" and word:
        from reflectty.core.budget import parse_budget

        parse_budget(word, name)


def drop_overruled(
    evidence: Sequence[tuple[str, Evidence]], sources: Iterable[Source]
) -> tuple[tuple[str, Evidence], ...]:
    """The evidence that no source above its own overrules, by saying how much a model thinks.

    Args:
        evidence: by model, as all sources together give it.
        sources: the sources, the lowest priority first.
    """
    given = [one for one in sources if one.value not in ("", {})]
    return tuple((model, one) for model, one in evidence if not _is_overruled(model, given))


def _is_overruled(model: str, sources: Sequence[Source]) -> bool:
    at = max(at for at, one in enumerate(sources) if one.setting.field == "evidence" and model in _tables_of(one))
    place = (sources[at].origin, sources[at].source_name)
    return any(one.setting.field in _WAY_FIELDS and (one.origin, one.source_name) != place for one in sources[at + 1 :])


def _tables_of(source: Source) -> Mapping[str, object]:
    return source.value if isinstance(source.value, dict) else {}


def evidence_table(evidence: Evidence) -> dict[str, Any]:
    """Evidence as a table of the config file, without what is unknown."""
    keys = dict(zip(Evidence._fields, KEYS, strict=True))
    return {keys[field]: value for field, value in evidence._asdict().items() if value not in {"", None}}
