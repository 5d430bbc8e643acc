"""Picks the default model of an OpenAI-compatible server from its model list.

The one that is picked can chat, as far as its fields and its name tell; among those, one that is loaded goes before
one that is not, one made for reflection before one that thinks, and one that thinks before others. Of what is equal
by that, the newest is taken where the server's dates are real, else the first that is listed. A gateway with many
models and nothing to tell them apart is not refused: its first is taken, and the note that says so names how to
choose another.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from reflectty.reasoning.families import family_of_model

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.protocols.decoding import Body
    from reflectty.protocols.openai.answers import ListedModel

KIND_FIELDS: Final = ("mode", "type", "model_type", "task", "pipeline_tag")
"""Where gateways say what a model is for: LiteLLM in the first, Together in the second, Xinference in the third."""
NON_CHAT_KINDS: Final = re.compile(
    r"embed|rerank|speech|transcri|tts|audio|image|video|diffusion|moderation|ocr|score|feature-extraction|classif",
    re.IGNORECASE,
)
"""What is said there of a model that does something else than answer in words."""
CHAT_KINDS: Final = re.compile(
    r"chat|llm|language|completion|responses|text-generation|image-text-to-text|multimodal", re.IGNORECASE
)
NON_CHAT_NAMES: Final = re.compile(
    r"(?:^|[^a-z0-9])(?:"
    r"[a-z0-9.]*embed(?:ding|dings|der|ded)?|[a-z0-9.]*embedqa|bge|e5|gte|minilm|sentence|colbert|splade|reranker?|rerank"
    r"|whisper|wav2vec2?|tts|speech|voice|realtime|transcribe|transcription|stt|asr|voxtral-mini-transcribe|kokoro|bark"
    r"|dall|gpt-image|imagen|imagine|stable-diffusion|sdxl|flux|sora|veo|moderation|omni-moderation|guard|clip|siglip"
    r"|davinci|babbage"
    r")(?:$|[^a-z])",
    re.IGNORECASE,
)
"""Names of models that embed, rank, hear, speak, draw or judge."""
UNDATED_SERVERS: Final = frozenset({"vllm", "sglang", "llamacpp"})
"""Servers that give the moment when they are asked as the date of every model."""


def can_chat_by_fields(entry: Body) -> bool:
    """Whether a listed model can be asked, by its fields; what they do not tell is believed to be so."""
    kinds = [kind for field in KIND_FIELDS if isinstance(kind := entry.get(field), str)]
    if any(NON_CHAT_KINDS.search(kind) and not CHAT_KINDS.search(kind) for kind in kinds):
        return False
    return _has_chat_capability(entry.get("capabilities")) and _has_text_output(entry.get("architecture"))


def _has_chat_capability(capabilities: object) -> bool:
    """Whether capabilities include chatting: Mistral's are a table, those of llama-server and others a list."""
    if isinstance(capabilities, dict):
        return capabilities.get("completion_chat") is not False
    if not isinstance(capabilities, list):
        return True
    said = [one for one in capabilities if isinstance(one, str)]
    return not any(map(NON_CHAT_KINDS.search, said)) or any(map(CHAT_KINDS.search, said))


def _has_text_output(architecture: object) -> bool:
    """Whether OpenRouter and the router of Hugging Face tell of a model that it puts out text."""
    out = architecture.get("output_modalities") if isinstance(architecture, dict) else None
    return not isinstance(out, list) or not out or "text" in out


def can_chat(one: ListedModel) -> bool:
    """Whether a model can be asked, by its fields and by its name."""
    return one.may_chat and not NON_CHAT_NAMES.search(one.model.name)


def pick_listed_model(listed: Sequence[ListedModel]) -> tuple[ListedModel, str] | None:
    """Return the model to ask where none is named, and why it is that one; None where none can chat."""
    able = [one for one in listed if can_chat(one)]
    if not able:
        return None
    rest, said = able, ""
    if any(one.loaded for one in able):
        rest, said = [one for one in able if one.loaded], " that is loaded"
    most = max(map(_rank, rest))
    rest = [one for one in rest if _rank(one) == most]
    found = max(rest, key=lambda one: one.created) if _has_real_dates(listed) else rest[0]
    return found, _reason_for_pick(
        len(listed), len(able), len(rest), f"{said}{_RANKS[most]}", dated=_has_real_dates(listed)
    )


_RANKS: Final = ("", " that thinks by its name", " that is made for reflection by its name")


def _rank(one: ListedModel) -> int:
    family = family_of_model(one.model.name)
    if family is not None and family.reflection:
        return 2
    return 1 if family or "thinking" in one.model.capabilities else 0


def _has_real_dates(listed: Sequence[ListedModel]) -> bool:
    """Whether the dates of models tell which is newer: they differ, and are not the time of asking."""
    dates = {one.created for one in listed}
    return len(dates) > 1 and 0 not in dates and not any(one.maker in UNDATED_SERVERS for one in listed)


def _reason_for_pick(listed: int, able: int, left: int, said: str, *, dated: bool) -> str:
    if listed == 1:
        return "the only model that is served"
    if able == 1:
        return f"the only one of {listed} listed that can chat, by their names and fields"
    if left == 1:
        return f"the only one of {listed} listed{said}"
    if dated:
        return f"the newest of {left} listed{said}" if said else f"the newest of {left} that can chat"
    return f"the first of {left} listed{said}" if said else f"the first listed of {left} that can chat"
