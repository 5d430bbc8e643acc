"""The table of families: how each family of models marks its thinking. Data, no logic but the look-up.

Sources: the model cards and chat templates of the models named; for what a template opens by itself, the
built-in parsers of Ollama 0.32. A `models` entry is the beginning of a model's name on Ollama, path left off.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from reflectty.errors import UsageError


class Tag(NamedTuple):
    """A pair of markers; `opener` is empty where only a closer exists."""

    opener: str
    closer: str


class Family(NamedTuple):
    """How one family of models marks its thinking."""

    name: str
    thinking: tuple[Tag, ...] = ()
    reflection: tuple[Tag, ...] = ()
    answer: tuple[Tag, ...] = ()
    strict: bool = False
    """A thinking opens only at the start or right after a closed block; a surplus closer elsewhere is text."""
    anywhere: bool = False
    """The markers are tokens of their own that never occur in prose: they count wherever they stand."""
    orphans: bool = True
    """Whether a closer without its opener turns what came before into thinking."""
    prefilled: bool = False
    """Whether the models' own templates usually open the thinking, so that a reply starts inside it."""
    channels: bool = False
    """Whether messages have headers that name a channel, as in OpenAI's harmony format."""
    models: tuple[str, ...] = ()


def _same(*names: str) -> tuple[Tag, ...]:
    return tuple(Tag(f"<{name}>", f"</{name}>") for name in names)


_REFLECTION = Family(
    "reflection",
    # Reflection models fall back to the tags of other families now and then.
    thinking=_same("thinking", "think"),
    reflection=_same("reflection"),
    answer=_same("output"),
    models=("reflection", "llama-3.2-3b-reflection"),
)

_THINK_MODELS = (
    "deepseek",
    "qwen3",
    "qwq",
    "cogito",
    "openthinker3",
    "phi4-reasoning",
    "phi4-mini-reasoning",
    "smallthinker",
    "smollm3",
    "deepscaler",
    "glm-4",
    "lfm2",
    "olmo-3",
    "olmo3",
    "nemotron",
    "kimi-k2",
    "minimax-m2",
    "exaone-4",
    "exaone4",
    "r1-1776",
)

FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        _REFLECTION,
        Family("think", thinking=_same("think"), strict=True, models=_THINK_MODELS),
        Family(
            "native",
            thinking=_same("thinking", "think"),
            reflection=_same("reflection"),
            answer=_same("output"),
        ),
        Family("think_answer", thinking=_same("think"), answer=_same("answer"), strict=True, models=("hunyuan",)),
        Family(
            "reasoning_answer",
            thinking=_same("reasoning", "reason"),
            answer=_same("answer"),
            strict=True,
            models=("phi4-r1",),
        ),
        Family(
            "exaone_deep", thinking=_same("thought"), strict=True, prefilled=True, models=("exaone-deep", "exaonedeep")
        ),
        Family(
            "marco",
            thinking=(Tag("<Thought>", "</Thought>"),),
            answer=(Tag("<Output>", "</Output>"),),
            models=("marco-o1",),
        ),
        Family("seed_oss", thinking=_same("seed:think"), strict=True, models=("seed-oss",)),
        Family("magistral", thinking=(Tag("[THINK]", "[/THINK]"),), strict=True, models=("magistral", "ministral-3")),
        Family(
            "openthinker",
            thinking=(Tag("<|begin_of_thought|>", "<|end_of_thought|>"),),
            answer=(Tag("<|begin_of_solution|>", "<|end_of_solution|>"),),
            anywhere=True,
            models=("openthinker",),
        ),
        Family("kimi_vl", thinking=(Tag("◁think▷", "◁/think▷"),), strict=True, models=("kimi-vl",)),
        Family(
            "kimi_k3",
            thinking=(Tag("<|open|>think<|sep|>", "<|close|>think<|sep|>"),),
            anywhere=True,
            models=("kimi-k3",),
        ),
        Family("minimax_m3", thinking=_same("mm:think"), strict=True, models=("minimax-m3",)),
        Family("apertus", thinking=(Tag("<|inner_prefix|>", "<|inner_suffix|>"),), anywhere=True, models=("apertus",)),
        Family(
            "gemma4",
            # The label behind the opener belongs to the marker; a channel may come without one.
            thinking=(Tag("<|channel>thought\n", "<channel|>"), Tag("<|channel>", "<channel|>")),
            anywhere=True,
            models=("gemma4", "gemma-4"),
        ),
        Family(
            "cohere",
            thinking=(Tag("<|START_THINKING|>", "<|END_THINKING|>"),),
            answer=(
                Tag("<|START_TEXT|>", "<|END_TEXT|>"),
                Tag("<|START_RESPONSE|>", "<|END_RESPONSE|>"),
                Tag("", "<|END_OF_TURN_TOKEN|>"),
            ),
            anywhere=True,
            prefilled=True,
            models=("command-a-reasoning", "command-r-reasoning"),
        ),
        Family(
            "granite32",
            thinking=(
                Tag("Here is my thought process:", "Here is my response:"),
                Tag("Here's my thought process:", "Here's my response:"),
            ),
            strict=True,
            orphans=False,
            models=("granite3.2",),
        ),
        Family("granite33", thinking=_same("think"), answer=_same("response"), strict=True, models=("granite3.3",)),
        Family(
            "solar_open",
            thinking=(Tag("<|think|>", "<|end|>"),),
            answer=(Tag("<|begin|>assistant<|content|>", "<|end|>"),),
            anywhere=True,
            models=("solar-open",),
        ),
        Family("harmony", channels=True, anywhere=True, models=("gpt-oss",)),
        Family("any"),
        Family("none"),
    )
}

FIELD = Family("field", thinking=_same("thinking", "think"), reflection=_same("reflection"), orphans=False)
"""How the text of Ollama's own `thinking` field is read: only corrections are looked for."""


_KEEPS_THINKING = re.compile(
    r"glm-?(?:4\.[6-9]|[5-9])|(?:c4ai-)?command-a-reasoning|command-r-reasoning|cohere-north|laguna|poolside"
    r"|(?:nvidia-)?nemotron-3-nano|(?:muse-)?glimmer|minimax-m[2-9]|qwen-?3\.[6-9]|qwen-?[4-9]"
)


def keeps_thinking(name: str) -> bool:
    """Whether a model of that name was trained with the thinking of earlier turns in its prompt.

    The renderers of Ollama 0.33 write it for GLM-4.6 and 4.7, Cohere's, Laguna, Nemotron-3-nano and Glimmer, and leave
    it out for Gemma 4 and DeepSeek; the cards of Qwen 3.6 and MiniMax-M2 ask for it.
    """
    return _KEEPS_THINKING.match(name.lower().rsplit("/", 1)[-1]) is not None


def named(name: str) -> Family:
    """Return the family of that name.

    Raises:
        UsageError: there is none; the hint lists those there are.
    """
    if name not in FAMILIES:
        raise UsageError(f"there is no family {name!r}", f"the families are {', '.join(FAMILIES)}")
    return FAMILIES[name]


def by_model(name: str) -> Family | None:
    """Return the family that a model's name belongs to, or None for a name nobody knows."""
    bare = name.lower().rsplit("/", 1)[-1]
    found = [(len(start), family) for family in FAMILIES.values() for start in family.models if bare.startswith(start)]
    if found:
        return max(found, key=lambda pair: pair[0])[1]
    return FAMILIES["reflection"] if "reflection" in bare else None
