"""The public sets that can be fetched: where they are, by whose licence, and what is known of their bytes."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final

from reflectty.core.errors import UsageError
from reflectty.core.named_tuple import NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

FOLDER: Final = "evaluation-sets"
"""The folder of fetched sets in the cache."""


class KnownSet(NamedTuple):
    """A public set of questions."""

    name: str
    file: str
    """The name of its file in the cache."""
    addresses: tuple[str, ...]
    """Where it is downloaded from; several are joined into one file."""
    about: str
    licence: str
    sha256: str = ""
    """The digest of the file; empty if no digest is published: then that of the first download counts."""
    size: int = 0
    """In bytes; 0 if unknown."""
    warning: str = ""
    """What to know before it is fetched."""

    @property
    def is_joined(self) -> bool:
        """Whether it comes in several parts, which are pages of rows as JSON."""
        return len(self.addresses) > 1

    def path_in(self, cache: Path) -> Path:
        return cache / FOLDER / self.file

    def digest_path_in(self, cache: Path) -> Path:
        """The file that keeps the digest of the first download."""
        return self.path_in(cache).with_suffix(".sha256")

    def expected_digest(self, cache: Path) -> str:
        """The published digest, or else that of the first download; empty if there was none."""
        return self.sha256 or _kept_digest(self.digest_path_in(cache))


def check_digest(known: KnownSet, data: bytes, cache: Path) -> None:
    """Compare the content of a file of the cache with its digest.

    Raises:
        UsageError: they differ, or there is none.
    """
    if sha256(data).hexdigest() != known.expected_digest(cache):
        hint = f"reflect eval fetch --force {known.name}"
        raise UsageError(f"{known.path_in(cache)} has changed since it was fetched", hint)


def _kept_digest(path: Path) -> str:
    try:
        return path.read_text("utf-8").split()[0]
    except (OSError, ValueError, IndexError):
        return ""


_REDUX_SUBJECTS: Final = (
    "abstract_algebra", "anatomy", "astronomy", "business_ethics", "clinical_knowledge", "college_biology",
    "college_chemistry", "college_computer_science", "college_mathematics", "college_medicine", "college_physics",
    "computer_security", "conceptual_physics", "econometrics", "electrical_engineering", "elementary_mathematics",
    "formal_logic", "global_facts", "high_school_biology", "high_school_chemistry", "high_school_computer_science",
    "high_school_european_history", "high_school_geography", "high_school_government_and_politics",
    "high_school_macroeconomics", "high_school_mathematics", "high_school_microeconomics", "high_school_physics",
    "high_school_psychology", "high_school_statistics", "high_school_us_history", "high_school_world_history",
    "human_aging", "human_sexuality", "international_law", "jurisprudence", "logical_fallacies", "machine_learning",
    "management", "marketing", "medical_genetics", "miscellaneous", "moral_disputes", "moral_scenarios", "nutrition",
    "philosophy", "prehistory", "professional_accounting", "professional_law", "professional_medicine",
    "professional_psychology", "public_relations", "security_studies", "sociology", "us_foreign_policy", "virology",
    "world_religions",
)  # fmt: skip
_GSM8K: Final = "https://raw.githubusercontent.com/openai/grade-school-math/3101c7d5072418e28b9008a6636bde82a006892c"
_PRM800K: Final = "https://media.githubusercontent.com/media/openai/prm800k/00811d6de065642a6967b9017d4cee59550c0ef4"
_REDUX: Final = (
    "https://datasets-server.huggingface.co/rows"
    "?dataset=edinburgh-dawg%2Fmmlu-redux-2.0&config={}&split=test&offset=0&length=100"
)
KNOWN_SETS: Final = {
    known.name: known
    for known in (
        KnownSet(
            "gsm8k",
            "gsm8k.jsonl",
            (f"{_GSM8K}/grade_school_math/data/test.jsonl",),
            "1,319 word problems of grade school (Cobbe et al., 2021)",
            "MIT",
            "3730d312f6e3440559ace48831e51066acaca737f6eabec99bccb9e4b3c39d14",
            749_738,
        ),
        KnownSet(
            "mmlu",
            "mmlu.csv",
            ("https://openaipublic.blob.core.windows.net/simple-evals/mmlu.csv",),
            "14,042 questions with four choices in 57 subjects (Hendrycks et al., 2021)",
            "MIT",
        ),
        KnownSet(
            "mmlu-redux",
            "mmlu-redux.jsonl",
            tuple(_REDUX.format(subject) for subject in _REDUX_SUBJECTS),
            "100 questions of each subject of MMLU, checked by hand (Gema et al., 2024)",
            "CC-BY-4.0",
        ),
        # The digest and the size are those of the Git LFS pointer in the repository at this commit.
        KnownSet(
            "math500",
            "math500.jsonl",
            (f"{_PRM800K}/prm800k/math_splits/test.jsonl",),
            "500 problems of mathematics competitions (Lightman et al., 2023)",
            "MIT; the rights in the problems are disputed",
            "35dc41080a3680858b27fa7e0533d2d547825316fc5dafe5d316f4ccc5a06132",
            446_564,
            "The questions of MATH were once taken down at the request of their publisher; "
            "whether you may download them is for you to judge.",
        ),
    )
}
