"""Tells by the name of a model which family it belongs to; data, and one look-up.

A name says less than a server or a template: makers call models alike that think and that do not. Names are those of
Ollama's library and of the makers' repositories, with the size and the publisher left off.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

NAMES: Final[tuple[tuple[str, str], ...]] = (
    # The first that fits decides; each fits the beginning of a name.
    ("reflection", r"reflection|llama-?3\.2-3b-reflection"),
    ("think", r"openthinker-?3"),
    ("openthinker", r"openthinker"),
    ("exaone_deep", r"exaone-?deep"),
    ("marco", r"marco-?o1"),
    ("reasoning_answer", r"phi-?4-r1"),
    ("seed_oss", r"seed-?oss"),
    ("magistral", r"magistral|mistral-small-?4|mistral-medium-?3\.5|ministral-?3(?!.*(instruct|base))"),
    ("kimi_vl", r"kimi-?vl(?!.*instruct)"),
    ("kimi_k3", r"kimi-?k3"),
    ("minimax_m3", r"minimax-?m3"),
    ("apertus", r"apertus"),
    ("gemma4", r"gemma-?4(?![\db])"),
    ("cohere", r"(cohere-)?command-(a|r)-reasoning|(cohere-)?north"),
    ("granite32", r"granite-?3\.2(?!-vision)"),
    ("granite33", r"granite-?3\.3"),
    ("solar_open2", r"solar-?open-?2(?!\d)"),
    ("solar_open", r"solar-?open"),
    ("harmony", r"gpt-?oss"),
    ("glimmer", r"(muse-)?glimmer|muse-?spark|muse$"),
    ("inkling", r"inkling"),
    ("k2_horizon", r"k2-?(horizon|v3)"),
    ("hy", r"(hunyuan|hy)-?[34](?![\d.]*b)"),
    ("think_answer", r"hunyuan-(a13b|[\d.]+b)"),
    ("plamo3", r"plamo-?3"),
    ("apriel", r"apriel"),
    ("longcat", r"longcat.*think"),
    ("ernie45", r"ernie-?4\.5.*think"),
    (
        "think",
        r"deepseek-?(r1|v3\.[1-9]|v[4-9])|deepscaler|deepcoder|(mai-ds-)?r1-1776|qwen-?3|qwq|cogito|intellect-?3",
    ),
    ("think", r"phi-?4-(mini-|flash-|mini-flash-)?reasoning|smallthinker|smollm-?3|olmo-?3|hermes-?4|deephermes"),
    ("think", r"glm-?(4\.[5-9]|4\.1v.*think|[5-9]|z1)|lfm-?2\.[5-9]|lfm-?2.*think|granite-?4\.2"),
    ("think", r"nemotron-?(3|nano|super|ultra|cascade)|llama-?3[._\d]*-nemotron-(nano|super|ultra)"),
    ("think", r"(openreasoning|acereason)-nemotron|kimi-?k2(\.\d|.*think)|minimax-?m[12]|mimo|bielik-11b-v3"),
    ("think", r"(k-)?exaone-?4|k-exaone|step-?(3|5)|stepfun-?(3|5)|holo-?2|ring-|ling-?3|kolibri|gigachat-?3\.5"),
    ("think", r"minicpm-?5|intern-?s1|laguna|poolside|ornith|spark-?2\.5|nanbeige-?4|iquest|openpangu.*v2"),
    ("think", r"reka-?(edge|flash-?3)"),
)
UNTOLD: Final = re.compile(r"mimo|minimax-?m1|deepcoder|deepscaler")
"""Models that think, though their templates say nothing of it, so that no server can tell."""

_MAKERS: Final = re.compile(
    r"((ibm-granite|nvidia|openai|google|microsoft|mistralai|tencent|upstage|poolside|bytedance|deepseek-ai|qwen|openbmb"
    r"|moonshotai|servicenow-ai|huggingfacetb|coherelabs|cohereforai|zai-org|thudm|lgai-exaone|swiss-ai|liquidai|allenai"
    r"|xiaomimimo|minimaxai|baidu|unsloth|llama-cpp|speakleash)[-_])+"
)
"""Publishers that stand before the name itself in repositories of those who quantise for others."""
_PUBLISHER: Final = re.compile(r"[a-z][\w.-]*?_(?=[a-z])")
_NO_THINKER: Final = re.compile(
    r"instruct|[-:.\d]coder|embed|rerank|guard|[-:]base|[-:.]ocr|[-:.]asr|[-:.]tts|reward|prover"
)
"""Versions of thinking models that do not think."""
_THINKER: Final = re.compile(r"think|reason")


@cache
def _pattern(names: str) -> re.Pattern[str]:
    return re.compile(names)


def _without_publisher(model: str) -> tuple[str, ...]:
    """Return a model's name as it stands, and without a publisher before it."""
    bare = model.lower().rsplit("/", 1)[-1]
    return tuple(dict.fromkeys((bare, _MAKERS.sub("", bare, count=1), _PUBLISHER.sub("", bare, count=1))))


def family_of(model: str) -> str | None:
    """Return the name of the family that a model's name belongs to, or None for a name nobody knows."""
    for name in _without_publisher(model):
        for family, names in NAMES:
            if _pattern(names).match(name):
                unlike = family == "think" and _NO_THINKER.search(name) and not _THINKER.search(name)
                return None if unlike else family
    return "reflection" if "reflection" in model.lower().rsplit("/", 1)[-1] else None


def untold(model: str) -> bool:
    """Whether a model thinks although nothing that a server reads says so."""
    return any(UNTOLD.match(name) for name in _without_publisher(model))
