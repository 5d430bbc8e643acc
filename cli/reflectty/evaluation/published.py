"""Published figures of models on public sets, to stand beside a user's own; none of them is comparable line by line."""

from __future__ import annotations

import re
from math import isclose
from typing import TYPE_CHECKING, Final

from reflectty.core.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reflectty.evaluation.records import RunManifest

PRIORS: Final = (
    "published: over 90 % of reflections only confirm the first answer (eight reasoning models, arXiv 2510.08308)",
    "published: asked to reflect, Llama 3 8B broke 36 % of its right answers on GSM8K: 79.7 to 55.3 % (ECGR)",
    "published: weaker models fix more of their errors, 26.8 against 16.7 % (arXiv 2601.00828)",
)
"""What others found about corrections, printed beside the ledger."""

_NOT_NAMED: Final = "not named"
_GEMMA: Final = "Google's model card"
_QWEN: Final = "Qwen3 technical report"
_R1: Final = "DeepSeek-R1's README"
_LLAMA: Final = "Meta's model card"
_PHI: Final = "Microsoft's model card"
_GLAIVE: Final = "Glaive's post-mortem, 2024-10-02"
_EMBEDL: Final = "Embedl, third party"
_SETS: Final = {"gsm8k": "GSM8K", "math500": "MATH-500", "math": "MATH", "mmluredux": "MMLU-Redux", "mmlu": "MMLU"}


class PublishedFigure(NamedTuple):
    """One published accuracy, in percent."""

    family: str
    billions: float
    """Parameters."""
    set_key: str
    percent: float
    setting: str
    """How it was asked: shots, with or without thinking."""
    source: str
    quantization: str = _NOT_NAMED
    variant: str = ""
    """A word that the model's name must have, too."""

    @property
    def model(self) -> str:
        return " ".join(filter(None, (self.family, self.variant, f"{self.billions:g}B")))

    @property
    def set_name(self) -> str:
        return _SETS[self.set_key]

    @property
    def how(self) -> str:
        """Its setting and its quantization."""
        return f"{self.setting or 'shots not named'}; quantization {self.quantization}"


def _small_models() -> Iterator[PublishedFigure]:
    yield PublishedFigure("gemma3", 1, "gsm8k", 62.8, "0-shot", _GEMMA)
    yield PublishedFigure("gemma3", 1, "gsm8k", 42.0, "", _EMBEDL)
    yield PublishedFigure("gemma3", 1, "math", 48.0, "", _GEMMA)
    yield PublishedFigure("gemma3", 1, "math500", 46.4, "", _QWEN)
    yield PublishedFigure("gemma3", 1, "mmluredux", 33.3, "", _QWEN)
    yield PublishedFigure("gemma3", 4, "gsm8k", 89.2, "", _GEMMA)
    yield PublishedFigure("gemma3", 4, "math", 75.6, "", _GEMMA)
    yield PublishedFigure("deepseek-r1", 1.5, "math500", 83.9, "thinking", _R1)
    yield PublishedFigure("deepseek-r1", 1.5, "mmluredux", 45.4, "thinking", _QWEN)
    yield PublishedFigure("deepseek-r1", 7, "math500", 92.8, "thinking", _R1)
    yield PublishedFigure("deepseek-r1", 8, "math500", 89.1, "thinking", _R1, variant="llama")
    yield PublishedFigure("qwen2.5", 1.5, "math500", 55.0, "", _QWEN)
    yield PublishedFigure("qwen2.5", 1.5, "mmluredux", 50.7, "", _QWEN)
    yield PublishedFigure("qwen2.5", 3, "math500", 67.2, "", _QWEN)
    yield PublishedFigure("qwen2.5", 3, "mmluredux", 64.4, "", _QWEN)
    yield PublishedFigure("phi4-mini", 3.8, "gsm8k", 88.6, "8-shot", _PHI)
    yield PublishedFigure("phi4-mini", 3.8, "math", 64.0, "", _PHI)
    yield PublishedFigure("phi4-mini", 3.8, "mmlu", 67.3, "", _PHI)
    yield PublishedFigure("phi4-mini", 3.8, "math500", 67.6, "", _QWEN)


_QWEN3: Final = (
    (0.6, (55.2, 77.6), (44.6, 55.6)),
    (1.7, (73.0, 93.4), (64.4, 73.9)),
    (4, (84.8, 97.0), (77.3, 83.7)),
    (8, (87.4, 97.4), (79.5, 87.5)),
)
"""Billions of parameters, then MATH-500 and MMLU-Redux, each without and with thinking (tables 17 to 20)."""


def _qwen3_models() -> Iterator[PublishedFigure]:
    for billions, *figures in _QWEN3:
        for key, both in zip(("math500", "mmluredux"), figures, strict=True):
            for percent, setting in zip(both, ("without thinking", "thinking"), strict=True):
                yield PublishedFigure("qwen3", billions, key, percent, setting, _QWEN)


def _llama_models() -> Iterator[PublishedFigure]:
    yield PublishedFigure("llama3.2", 1, "gsm8k", 44.4, "8-shot, step by step", _LLAMA, "none")
    yield PublishedFigure("llama3.2", 1, "gsm8k", 46.5, "8-shot, step by step", _LLAMA, "QLoRA")
    yield PublishedFigure("llama3.2", 1, "gsm8k", 33.1, "8-shot, step by step", _LLAMA, "after training")
    yield PublishedFigure("llama3.2", 1, "math", 30.6, "0-shot, step by step", _LLAMA)
    yield PublishedFigure("llama3.2", 1, "mmlu", 49.3, "5-shot", _LLAMA)
    yield PublishedFigure("llama3.2", 3, "gsm8k", 77.7, "", _LLAMA, "none")
    yield PublishedFigure("llama3.2", 3, "gsm8k", 72.9, "", _LLAMA, "after training")
    yield PublishedFigure("llama3.2", 3, "math", 48.0, "", _LLAMA)
    yield PublishedFigure("llama3.2", 3, "mmlu", 63.4, "", _LLAMA)
    yield PublishedFigure("llama3.1", 8, "gsm8k", 84.5, "", _LLAMA)
    yield PublishedFigure("llama3.1", 8, "math", 51.9, "", _LLAMA)
    yield PublishedFigure("llama3.1", 8, "mmlu", 69.4, "5-shot", _LLAMA)
    yield PublishedFigure("llama3.1", 8, "mmlu", 73.0, "0-shot, step by step", _LLAMA)
    yield PublishedFigure("llama3.1", 8, "math500", 54.8, "", _QWEN)
    yield PublishedFigure("llama3.1", 8, "mmluredux", 61.7, "", _QWEN)


_REFLECTION: Final = (
    ("mmlu", 89.9, 90.94, 84.46, 84.70),
    ("math", 79.7, 70.8, 64.82, 55.70),
    ("gsm8k", 99.2, 95.22, 94.01, 94.57),
)
"""Of each set: Reflection 70B as claimed and as run again; Llama 3.1 70B asked to reflect, and plain."""


def _reflection_models() -> Iterator[PublishedFigure]:
    for key, claimed, again, prompted, plain in _REFLECTION:
        yield PublishedFigure("reflection", 70, key, claimed, "as claimed, not reproduced", _GLAIVE)
        yield PublishedFigure("reflection", 70, key, again, "run again by its trainer", _GLAIVE)
        yield PublishedFigure("llama3.1", 70, key, prompted, "asked to reflect", _GLAIVE)
        yield PublishedFigure("llama3.1", 70, key, plain, "the same harness, plain", _GLAIVE)
    yield PublishedFigure("llama3.1", 70, "mmlu", 86.0, "0-shot, step by step", _LLAMA)
    yield PublishedFigure("llama3.1", 70, "mmlu", 83.6, "5-shot", _LLAMA)
    yield PublishedFigure("llama3.1", 70, "math", 68.0, "0-shot, step by step", _LLAMA)
    yield PublishedFigure("llama3.1", 70, "gsm8k", 95.1, "8-shot", _LLAMA)


FIGURES: Final = (*_small_models(), *_qwen3_models(), *_llama_models(), *_reflection_models())
_ROUNDED_UP: Final = 1.03
"""A size may be rounded up that much."""
_TOLERANCE: Final = 0.21
"""A server counts a model's embeddings among its parameters: one sold as 1.7B has 2.0B, one as 0.6B 0.75B."""
_SIZE = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)([bm])(?![a-z0-9])", re.IGNORECASE)
_MILLIONS: Final = 1000


def published_for(manifest: RunManifest) -> tuple[PublishedFigure, ...]:
    """The published figures of the models of a run on its set."""
    key = _set_key(manifest.set_name)
    models = tuple(dict.fromkeys(arm.model for arm in manifest.arms))
    known = manifest.parameter_size if len(models) == 1 else ""
    return tuple(one for model in models for one in FIGURES if one.set_key == key and _is_of(one, model.lower(), known))


def _set_key(name: str) -> str:
    """The key of a set by its name, which may go on: `gsm8k-test`."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    return next((key for key in _SETS if plain.startswith(key)), "")


def _is_of(figure: PublishedFigure, model: str, parameter_size: str) -> bool:
    """Whether a figure is one of a model, by its name and the size that its server reports."""
    family = re.split(r"[:/]", model.rpartition("/")[2])[0]
    if family != figure.family or figure.variant not in model:
        return False
    if tagged := _billions_in(model.partition(":")[2]):
        return tagged == figure.billions
    reported = _billions_in(parameter_size)
    return reported is not None and _sold_size(family, reported) == figure.billions


def _sold_size(family: str, billions: float) -> float | None:
    """The size under which a model of so many parameters is sold; None if there is none of about that size."""
    sizes = [one.billions for one in FIGURES if one.family == family and one.billions <= billions * _ROUNDED_UP]
    sold = max(sizes, default=0.0)
    return sold if isclose(sold, billions, rel_tol=_TOLERANCE) else None


def _billions_in(text: str) -> float | None:
    """The billions of parameters in a tag or a size: `1.7b-q4_K_M`, `751.63M`."""
    found = _SIZE.search(text)
    if found is None:
        return None
    return float(found[1]) / (_MILLIONS if found[2].lower() == "m" else 1)
