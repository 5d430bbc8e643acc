"""Picks the default model of an OpenAI-compatible server from its model list.

Candidates can chat, judged by their fields and name. Loaded models rank before others; then models made for
reflection, then those that think. Of equals the newest wins if the server's dates are real, else the first listed. A
gateway with many indistinguishable models is not refused: its first is picked, with a note on how to choose another.
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
"""The fields with a model's purpose: the first is LiteLLM's, the second Together's, the third Xinference's."""
NON_CHAT_KINDS: Final = re.compile(
    r"embed|rerank|speech|transcri|tts|audio|image|video|diffusion|moderation|ocr|score|feature-extraction|classif",
    re.IGNORECASE,
)
"""The purposes of models that do not reply with text."""
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
"""Servers that send the time of the request as every model's date."""


def can_chat_by_fields(entry: Body) -> bool:
    """Whether a listed model can chat, by its fields; true if they do not show it."""
    kinds = [kind for field in KIND_FIELDS if isinstance(kind := entry.get(field), str)]
    if any(NON_CHAT_KINDS.search(kind) and not CHAT_KINDS.search(kind) for kind in kinds):
        return False
    return _has_chat_capability(entry.get("capabilities")) and _has_text_output(entry.get("architecture"))


def _has_chat_capability(capabilities: object) -> bool:
    """Whether capabilities include chat: Mistral's are a table, those of llama-server and others a list."""
    if isinstance(capabilities, dict):
        return capabilities.get("completion_chat") is not False
    if not isinstance(capabilities, list):
        return True
    names = [one for one in capabilities if isinstance(one, str)]
    return not any(map(NON_CHAT_KINDS.search, names)) or any(map(CHAT_KINDS.search, names))


def _has_text_output(architecture: object) -> bool:
    """Whether the output modalities, which OpenRouter and Hugging Face's router send, include text."""
    out = architecture.get("output_modalities") if isinstance(architecture, dict) else None
    return not isinstance(out, list) or not out or "text" in out


def can_chat(one: ListedModel) -> bool:
    """Whether a model can chat, by its fields and its name."""
    return one.may_chat and not NON_CHAT_NAMES.search(one.model.name)


def pick_listed_model(listed: Sequence[ListedModel]) -> tuple[ListedModel, str] | None:
    """Pick the default model and give the reason; None if no model can chat."""
    chat_models = [one for one in listed if can_chat(one)]
    if not chat_models:
        return None
    candidates, qualifier = chat_models, ""
    if any(one.loaded for one in chat_models):
        candidates, qualifier = [one for one in chat_models if one.loaded], " loaded"
    best_rank = max(map(_rank, candidates))
    candidates = [one for one in candidates if _rank(one) == best_rank]
    best = max(candidates, key=lambda one: one.created) if _has_real_dates(listed) else candidates[0]
    return best, _reason_for_pick(
        len(listed), len(chat_models), len(candidates), f"{qualifier}{_RANKS[best_rank]}", dated=_has_real_dates(listed)
    )


_RANKS: Final = ("", " known thinking", " known reflection")


def _rank(one: ListedModel) -> int:
    family = family_of_model(one.model.name)
    if family is not None and family.reflection:
        return 2
    return 1 if family or "thinking" in one.model.capabilities else 0


def _has_real_dates(listed: Sequence[ListedModel]) -> bool:
    """Whether the dates show which model is newer: they differ, and are not the time of the request."""
    dates = {one.created for one in listed}
    return len(dates) > 1 and 0 not in dates and not any(one.maker in UNDATED_SERVERS for one in listed)


def _reason_for_pick(listed: int, chat_models: int, count: int, qualifier: str, *, dated: bool) -> str:
    if listed == 1:
        return "the only model served"
    if chat_models == 1:
        return f"the only chat model of {listed} listed, judging by names and fields"
    if count == 1:
        return f"the only{qualifier} model of {listed} listed"
    if dated:
        return (
            f"the most recent of {count}{qualifier} models" if qualifier else f"the most recent of {count} chat models"
        )
    return f"the first of {count}{qualifier} models listed" if qualifier else f"the first of {count} chat models listed"
