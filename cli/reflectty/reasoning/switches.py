"""Chat-template arguments that turn a family's thinking on or off, or set its effort.

Other families are switched by `enable_thinking` or `thinking`, and get their effort as `reasoning_effort`.

Sources: the templates in models/templates of llama.cpp b10970 for hy, cohere, kimi_k3, minimax_m3, seed_oss, apertus,
gemma4, granite33, solar_open, glimmer and DeepSeek V4; the template of Command A Reasoning 08-2025, whose `reasoning`
is true by default; that of Hy4, which knows `high` and `no_think` alone; that of Qwen 3.8 in the tests of
Ollama 0.34.2, which raises an exception at `high`; the renderer there for glimmer's `none`; the documentation of vLLM
0.26, by which Granite 3.2 and Gemma 4 think only on request, and vLLM's recipe for Mistral Small 4; the
makers on the efforts of K2 Horizon and GLM 5.3, and on `low_effort` of Nemotron 3 Super. None of these models was run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reflectty.core.known_models import begins_with
from reflectty.core.messages import Effort
from reflectty.core.named_tuple import NamedTuple

if TYPE_CHECKING:
    from reflectty.core.messages import Arguments

EFFORT_ARGUMENT: Final = "reasoning_effort"
"""The argument for the effort in most templates."""


def _set_all(*names: str, to: bool) -> Arguments:
    return tuple((name, to) for name in names)


def _levels(low: str, medium: str, high: str, most: str) -> tuple[tuple[Effort, bool | str], ...]:
    return tuple(zip(Effort, (low, medium, high, most), strict=True))


class Switch(NamedTuple):
    """The template arguments that switch one family."""

    family: str
    on: Arguments = ()
    """To turn thinking on; empty if it is the default."""
    off: Arguments = ()
    """To turn thinking off; empty if impossible."""
    levels: tuple[tuple[Effort, bool | str], ...] = ()
    """The values of the argument `level` by effort; other efforts add no argument."""
    level: str = EFFORT_ARGUMENT
    names: tuple[str, ...] = ()
    """Beginnings of model names, without hyphens, if this applies only to some models of the family."""

    def arguments(self, *, thinks: bool, effort: Effort | None = None) -> Arguments:
        """The arguments with which the model thinks, with that effort, or does not."""
        if not thinks:
            return self.off
        value = dict(self.levels).get(effort) if effort else None
        return self.on if value is None else (*(pair for pair in self.on if pair[0] != self.level), (self.level, value))


def _switch_for(family: str, *names: str) -> Switch:
    return Switch(family, on=_set_all(*names, to=True), off=_set_all(*names, to=False))


_USUAL = _switch_for("think", "enable_thinking", "thinking")
_NO_MEDIUM = _levels("low", "high", "high", "max")
_NO_MAX = _levels("low", "medium", "high", "high")

SWITCHES: Final = (
    # The first match applies.
    _USUAL._replace(names=("qwen3.8",), levels=_levels("low", "medium", "xhigh", "xhigh")),
    _USUAL._replace(names=("deepseekv4",), levels=((Effort.HIGH, "high"), (Effort.MAX, "max"))),
    _USUAL._replace(names=("nemotron3super",), levels=((Effort.LOW, True),), level="low_effort"),
    Switch("think", names=("glm5.3",), levels=_NO_MEDIUM),
    Switch("hy", names=("hy4", "hunyuan4"), on=((EFFORT_ARGUMENT, "high"),), off=((EFFORT_ARGUMENT, "no_think"),)),
    Switch(
        "hy",
        on=((EFFORT_ARGUMENT, "high"),),
        off=((EFFORT_ARGUMENT, "no_think"),),
        levels=_levels("low", "high", "high", "high"),
    ),
    Switch(
        "magistral",
        names=("mistralsmall4", "mistralmedium3.5"),
        on=((EFFORT_ARGUMENT, "high"),),
        off=((EFFORT_ARGUMENT, "none"),),
    ),
    # Command R7B uses the second.
    _switch_for("cohere", "reasoning", "enable_thinking"),
    _switch_for("kimi_k3", "thinking")._replace(levels=_NO_MEDIUM, level="thinking_effort"),
    # By default it decides itself whether to think.
    Switch("minimax_m3", off=(("thinking_mode", "disabled"),)),
    Switch("seed_oss", off=(("thinking_budget", 0),)),
    _switch_for("apertus", "enable_thinking"),
    _switch_for("gemma4", "enable_thinking"),
    _switch_for("think_answer", "enable_thinking"),
    _switch_for("granite32", "thinking"),
    _switch_for("granite33", "thinking"),
    # Its efforts `low` and `minimal` turn thinking off.
    Switch("solar_open", on=((EFFORT_ARGUMENT, "high"),), off=((EFFORT_ARGUMENT, "minimal"),)),
    Switch("k2_horizon", levels=_NO_MAX),
    Switch("glimmer", off=(("reasoning_strength", "none"),), levels=_NO_MAX, level="reasoning_strength"),
    _USUAL._replace(family="harmony", levels=_NO_MAX),
)


def switch_of(model: str, family: str) -> Switch | None:
    """The switch for a model's template; None for the usual one.

    Args:
        model: the name of the model.
        family: the name of its family, or an empty string.
    """
    return next((switch for switch in SWITCHES if _matches(switch, model, family)), None)


def _matches(switch: Switch, model: str, family: str) -> bool:
    return begins_with(model, switch.names) if switch.names else switch.family == family
