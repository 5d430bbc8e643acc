"""Maps model names to reasoning families.

A name is less reliable than a server or a template: publishers give thinking and non-thinking models similar names.
Names are those of Ollama's library and of the publishers' repositories. Every question looks up a family, so
`family_of` uses no regular expressions, whose compilation would take longer than everything else.
"""

from __future__ import annotations

import re
from typing import Final

from reflectty.core.named_tuple import NamedTuple


class NamePattern(NamedTuple):
    """Names of one family: beginnings without hyphens, and words that decide where a beginning is ambiguous."""

    family: str
    beginnings: tuple[str, ...]
    required_word: str = ""
    excluded_words: tuple[str, ...] = ()


NAME_PATTERNS: Final = (
    # The first match wins.
    NamePattern("reflection", ("reflection", "llama3.23breflection")),
    NamePattern("think", ("openthinker3",)),
    NamePattern("openthinker", ("openthinker",)),
    NamePattern("exaone_deep", ("exaonedeep",)),
    NamePattern("marco", ("marcoo1",)),
    NamePattern("reasoning_answer", ("phi4r1",)),
    NamePattern("seed_oss", ("seedoss",)),
    NamePattern("magistral", ("magistral", "mistralsmall4", "mistralmedium3.5")),
    NamePattern("magistral", ("ministral3",), excluded_words=("instruct", "base")),
    NamePattern("kimi_vl", ("kimivl",), excluded_words=("instruct",)),
    NamePattern("kimi_k3", ("kimik3",)),
    NamePattern("minimax_m3", ("minimaxm3",)),
    NamePattern("apertus", ("apertus",)),
    NamePattern("gemma4", ("gemma4",)),
    NamePattern("cohere", ("commandareasoning", "commandrreasoning", "coherenorth")),
    NamePattern("granite32", ("granite3.2",), excluded_words=("vision",)),
    NamePattern("granite33", ("granite3.3",)),
    NamePattern("solar_open2", ("solaropen2",), excluded_words=("solaropen20",)),
    NamePattern("solar_open", ("solaropen",)),
    NamePattern("harmony", ("gptoss",)),
    NamePattern("glimmer", ("museglimmer", "glimmer", "musespark")),
    NamePattern("inkling", ("inkling",)),
    NamePattern("k2_horizon", ("k2horizon", "k2v3")),
    NamePattern("think_answer", ("hunyuana13b", "hunyuan0.5b", "hunyuan1.8b", "hunyuan4b", "hunyuan7b")),
    NamePattern("hy", ("hy3", "hy4", "hunyuan3", "hunyuan4")),
    NamePattern("plamo3", ("plamo3",)),
    NamePattern("apriel", ("apriel",)),
    NamePattern("longcat", ("longcat",), required_word="think"),
    NamePattern("ernie45", ("ernie4.5",), required_word="think"),
    NamePattern("think", ("glm4.1v", "lfm2", "kimik2"), required_word="think"),
    NamePattern("think", ("openpangu",), required_word="v2"),
    NamePattern(
        "think",
        (
            *("deepseekr1", "deepseekv3.1", "deepseekv3.2", "deepseekv4", "deepscaler", "deepcoder", "r11776", "qwen3"),
            *("qwq", "cogito", "intellect3", "phi4reasoning", "phi4minireasoning", "phi4miniflashreasoning"),
            *(
                "smallthinker",
                "smollm3",
                "olmo3",
                "hermes4",
                "deephermes",
                "glm4.5",
                "glm4.6",
                "glm4.7",
                "glm5",
                "glmz1",
            ),
            *("lfm2.5", "granite4.2", "nemotron3", "nemotronnano", "nemotronsuper", "nemotronultra", "nemotroncascade"),
            *("llama3.1nemotronnano", "llama3.1nemotronultra", "llama3.3nemotron", "llama33nemotron"),
            *("openreasoningnemotron", "acereasonnemotron", "kimik2.", "minimaxm1", "minimaxm2", "mimo", "bielik11bv3"),
            *("exaone4", "kexaone", "step3", "step5", "stepfun3", "stepfun5", "holo2", "ring1", "ring2", "ringflash"),
            *("ringmini", "ringlite", "ling3", "kolibri", "gigachat3.5", "minicpm5", "interns1", "laguna", "poolside"),
            *("ornith", "spark2.5", "nanbeige4", "iquest", "rekaedge", "rekaflash3"),
        ),
    ),
)
NON_THINKING_WORDS: Final = (
    *("instruct", "-coder", ":coder", "3coder", "embed", "rerank", "guard", "-base", ":base", "-ocr", ".ocr", "-asr"),
    *("-tts", "reward", "prover"),
)
"""Words in the names of non-thinking variants of `<think>` models, unless the names state otherwise."""
UNDECLARED_THINKERS: Final = ("mimo", "minimaxm1", "deepcoder", "deepscaler")
"""Models that think although their templates do not show it, so that no server reports it."""
OPENED: Final = (
    *("qwq", "deepseekr1", "deepseekv3.1", "deepseekv3.2", "deepseekv4", "r11776", "qwen3.5", "qwen3.6", "glm4.7"),
    *("minimaxm2", "nemotron3nano", "nemotronnano", "stepfun3.5", "step3.5", "minicpm5", "bielik11bv3"),
)
"""`<think>` models whose own templates open the thinking (models/templates of llama.cpp b10970)."""
MAKERS: Final = (
    *("ibm-granite", "nvidia", "openai", "google", "microsoft", "mistralai", "tencent", "upstage", "bytedance"),
    *("deepseek-ai", "qwen", "openbmb", "moonshotai", "servicenow-ai", "huggingfacetb", "coherelabs", "cohereforai"),
    *("zai-org", "thudm", "lgai-exaone", "swiss-ai", "liquidai", "allenai", "xiaomimimo", "minimaxai", "baidu"),
    *("unsloth", "llama-cpp", "speakleash", "stepfun-ai"),
)
"""Publishers that precede the model's name in repositories of quantized copies."""


def family_of(model: str) -> str | None:
    """The family of a model by its name; None if unknown."""
    for name in _spellings(model):
        plain = _without_separators(name)
        for pattern in NAME_PATTERNS:
            if _matches(pattern, plain):
                return None if pattern.family == "think" and _is_non_thinking_version(name) else pattern.family
    return "reflection" if "reflection" in model.lower().rsplit("/", 1)[-1] else None


def is_undeclared_thinker(model: str) -> bool:
    """Whether a model thinks although no metadata shows it."""
    return begins_with(model, UNDECLARED_THINKERS)


def opens_thinking(model: str) -> bool:
    """Whether the template of a model of that name opens the thinking, unless thinking is off."""
    return begins_with(model, OPENED) or (begins_with(model, ("qwen3",)) and "thinking" in model.lower())


def begins_with(model: str, beginnings: tuple[str, ...]) -> bool:
    """Whether a model's name begins with one of these, which are written without hyphens."""
    return any(_without_separators(name).startswith(beginnings) for name in _spellings(model))


def _matches(pattern: NamePattern, plain: str) -> bool:
    return (
        plain.startswith(pattern.beginnings)
        and pattern.required_word in plain
        and not any(word in plain for word in pattern.excluded_words)
    )


def _is_non_thinking_version(name: str) -> bool:
    return any(word in name for word in NON_THINKING_WORDS) and "think" not in name and "reason" not in name


def _spellings(model: str) -> tuple[str, ...]:
    """A model's name, with and without its publisher."""
    bare = model.lower().rsplit("/", 1)[-1]
    publisher, _, rest = bare.partition("_")
    names = (bare, _without_maker(bare), _without_maker(rest) if publisher and rest[:1].isalpha() else "")
    return tuple(dict.fromkeys(filter(None, names)))


def _without_maker(name: str) -> str:
    while prefix := next((maker for maker in MAKERS if name.startswith((f"{maker}-", f"{maker}_"))), None):
        name = name[len(prefix) + 1 :]
    return name


def _without_separators(name: str) -> str:
    return name.replace("-", "").replace("_", "")


_KEEPS_THINKING: Final = (
    r"glm-?(?:4\.[6-9]|[5-9])|(?:c4ai-)?command-a-reasoning|command-r-reasoning|cohere-north|laguna|poolside"
    r"|(?:nvidia-)?nemotron-3-nano|(?:muse-)?glimmer|minimax-m[2-9]|qwen-?3\.[6-9]|qwen-?[4-9]"
)


def keeps_thinking(name: str) -> bool:
    """Whether a model of that name was trained with the thinking of earlier turns in its prompt.

    The renderers of Ollama 0.33 write it for GLM-4.6 and 4.7, Cohere's, Laguna, Nemotron-3-nano and Glimmer, and omit
    it for Gemma 4 and DeepSeek; the model cards of Qwen 3.6 and MiniMax-M2 ask for it.
    """
    return re.match(_KEEPS_THINKING, name.lower().rsplit("/", 1)[-1]) is not None
