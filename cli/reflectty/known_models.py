"""Tells by the name of a model which family it belongs to; data, and the look-ups.

A name says less than a server or a template: makers call models alike that think and that do not. Names are those of
Ollama's library and of the makers' repositories. Every question asks for a family, so that goes without patterns, whose
making takes longer than all the rest.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple


class Names(NamedTuple):
    """Names of one family: beginnings without hyphens, and words that decide where a beginning says too little."""

    family: str
    beginnings: tuple[str, ...]
    needs: str = ""
    unless: tuple[str, ...] = ()


KNOWN: Final = (
    # The first that fits decides.
    Names("reflection", ("reflection", "llama3.23breflection")),
    Names("think", ("openthinker3",)),
    Names("openthinker", ("openthinker",)),
    Names("exaone_deep", ("exaonedeep",)),
    Names("marco", ("marcoo1",)),
    Names("reasoning_answer", ("phi4r1",)),
    Names("seed_oss", ("seedoss",)),
    Names("magistral", ("magistral", "mistralsmall4", "mistralmedium3.5")),
    Names("magistral", ("ministral3",), unless=("instruct", "base")),
    Names("kimi_vl", ("kimivl",), unless=("instruct",)),
    Names("kimi_k3", ("kimik3",)),
    Names("minimax_m3", ("minimaxm3",)),
    Names("apertus", ("apertus",)),
    Names("gemma4", ("gemma4",)),
    Names("cohere", ("commandareasoning", "commandrreasoning", "coherenorth")),
    Names("granite32", ("granite3.2",), unless=("vision",)),
    Names("granite33", ("granite3.3",)),
    Names("solar_open2", ("solaropen2",), unless=("solaropen20",)),
    Names("solar_open", ("solaropen",)),
    Names("harmony", ("gptoss",)),
    Names("glimmer", ("museglimmer", "glimmer", "musespark")),
    Names("inkling", ("inkling",)),
    Names("k2_horizon", ("k2horizon", "k2v3")),
    Names("think_answer", ("hunyuana13b", "hunyuan0.5b", "hunyuan1.8b", "hunyuan4b", "hunyuan7b")),
    Names("hy", ("hy3", "hy4", "hunyuan3", "hunyuan4")),
    Names("plamo3", ("plamo3",)),
    Names("apriel", ("apriel",)),
    Names("longcat", ("longcat",), needs="think"),
    Names("ernie45", ("ernie4.5",), needs="think"),
    Names("think", ("glm4.1v", "lfm2", "kimik2"), needs="think"),
    Names("think", ("openpangu",), needs="v2"),
    Names(
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
NO_THINKERS: Final = (
    *("instruct", "-coder", ":coder", "3coder", "embed", "rerank", "guard", "-base", ":base", "-ocr", ".ocr", "-asr"),
    *("-tts", "reward", "prover"),
)
"""Versions of models that think in `<think>` which do not, unless their names say otherwise."""
UNTOLD: Final = ("mimo", "minimaxm1", "deepcoder", "deepscaler")
"""Models that think, though their templates say nothing of it, so that no server can tell."""
OPENED: Final = (
    *("qwq", "deepseekr1", "deepseekv3.1", "deepseekv3.2", "deepseekv4", "r11776", "qwen3.5", "qwen3.6", "glm4.7"),
    *("minimaxm2", "nemotron3nano", "nemotronnano", "stepfun3.5", "step3.5", "minicpm5", "bielik11bv3"),
)
"""Models of `<think>` whose own templates open the thinking (models/templates of llama.cpp b10970)."""
MAKERS: Final = (
    *("ibm-granite", "nvidia", "openai", "google", "microsoft", "mistralai", "tencent", "upstage", "bytedance"),
    *("deepseek-ai", "qwen", "openbmb", "moonshotai", "servicenow-ai", "huggingfacetb", "coherelabs", "cohereforai"),
    *("zai-org", "thudm", "lgai-exaone", "swiss-ai", "liquidai", "allenai", "xiaomimimo", "minimaxai", "baidu"),
    *("unsloth", "llama-cpp", "speakleash", "stepfun-ai"),
)
"""Publishers that stand before the name itself in repositories of those who quantise for others."""


def family_of(model: str) -> str | None:
    """Return the name of the family that a model's name belongs to, or None for a name nobody knows."""
    for name in _spelled(model):
        plain = _plain(name)
        for known in KNOWN:
            if _fits(known, plain):
                return None if known.family == "think" and _is_no_thinker(name) else known.family
    return "reflection" if "reflection" in model.lower().rsplit("/", 1)[-1] else None


def untold(model: str) -> bool:
    """Whether a model thinks although nothing that a server reads says so."""
    return begins_with(model, UNTOLD)


def opens_thinking(model: str) -> bool:
    """Whether the template of a model of that name opens the thinking, unless it is told not to think."""
    return begins_with(model, OPENED) or (begins_with(model, ("qwen3",)) and "thinking" in model.lower())


def begins_with(model: str, beginnings: tuple[str, ...]) -> bool:
    """Whether a model's name begins with one of these, which are written without hyphens."""
    return any(_plain(name).startswith(beginnings) for name in _spelled(model))


def _fits(known: Names, plain: str) -> bool:
    return (
        plain.startswith(known.beginnings) and known.needs in plain and not any(word in plain for word in known.unless)
    )


def _is_no_thinker(name: str) -> bool:
    return any(word in name for word in NO_THINKERS) and "think" not in name and "reason" not in name


def _spelled(model: str) -> tuple[str, ...]:
    """Return a model's name as it stands, and without a publisher before it."""
    bare = model.lower().rsplit("/", 1)[-1]
    publisher, _, rest = bare.partition("_")
    names = (bare, _without_maker(bare), _without_maker(rest) if publisher and rest[:1].isalpha() else "")
    return tuple(dict.fromkeys(filter(None, names)))


def _without_maker(name: str) -> str:
    while found := next((maker for maker in MAKERS if name.startswith((f"{maker}-", f"{maker}_"))), None):
        name = name[len(found) + 1 :]
    return name


def _plain(name: str) -> str:
    return name.replace("-", "").replace("_", "")


_KEEPS_THINKING: Final = (
    r"glm-?(?:4\.[6-9]|[5-9])|(?:c4ai-)?command-a-reasoning|command-r-reasoning|cohere-north|laguna|poolside"
    r"|(?:nvidia-)?nemotron-3-nano|(?:muse-)?glimmer|minimax-m[2-9]|qwen-?3\.[6-9]|qwen-?[4-9]"
)


def keeps_thinking(name: str) -> bool:
    """Whether a model of that name was trained with the thinking of earlier turns in its prompt.

    The renderers of Ollama 0.33 write it for GLM-4.6 and 4.7, Cohere's, Laguna, Nemotron-3-nano and Glimmer, and leave
    it out for Gemma 4 and DeepSeek; the cards of Qwen 3.6 and MiniMax-M2 ask for it.
    """
    return re.match(_KEEPS_THINKING, name.lower().rsplit("/", 1)[-1]) is not None
