"""Applies evidence to a question: the model is asked as a run has shown to be best, as long as it is the same model."""

from __future__ import annotations

import asyncio
import shlex
import time
from typing import TYPE_CHECKING

from reflectty import config
from reflectty.core.budget import parse_budget
from reflectty.core.errors import ReflecttyError
from reflectty.core.messages import Effort
from reflectty.core.model_names import digest_in, short_name_of
from reflectty.core.named_tuple import NamedTuple
from reflectty.reasoning.modes import Mode

if TYPE_CHECKING:
    from reflectty.chat.request import Question
    from reflectty.core.evidence import Evidence
    from reflectty.core.messages import Engine, Model
    from reflectty.reasoning.modes import AskOptions

DIGEST_SECONDS = 2.0
"""Seconds that a question waits for the digest of its model."""


class EvidenceUse(NamedTuple):
    """What became of the evidence for a model."""

    evidence: Evidence
    model: str
    digest: str = ""
    """The digest of the model now; empty if its server reports none in time."""

    @property
    def is_stale(self) -> bool:
        """Whether the model is no longer the one that was measured."""
        return not self.evidence.is_of(self.digest)

    @property
    def text(self) -> str:
        """What it shows, or that it is stale."""
        return self.note if self.is_stale else str(self.evidence)

    def apply_to(self, ask_options: AskOptions) -> AskOptions:
        """The options with the way of asking that was measured; without a budget of its own, the user's stays."""
        effort, budget = self.evidence.effort, self.evidence.budget
        return ask_options._replace(
            mode=Mode(self.evidence.mode),
            effort=Effort(effort) if effort else None,
            budget=parse_budget(budget, "budget") if budget else ask_options.budget,
        )

    @property
    def note(self) -> str:
        """What the user should know of it."""
        evidence = self.evidence
        if self.is_stale:
            return stale_note(evidence, self.model)
        unchecked = "" if self.digest or not evidence.digest else "; whether the model has changed cannot be checked"
        return f"{evidence.way}: {evidence.reason}; --mode overrules{unchecked}"


def stale_note(evidence: Evidence, model: str) -> str:
    """The note on evidence for a model that has changed since, with how to measure again."""
    name = short_name_of(model)
    words = (evidence.set_name, "--arms", evidence.arms, "-m", name)
    again = f"`reflect eval run {shlex.join(filter(None, words))}`"
    since = f" of {evidence.date}" if evidence.date else ""
    return f"the evidence for {name}{since} is not used, because the model has changed: {again} measures again"


def evidence_use_of(ask_options: AskOptions, model: Model, digest: str = "") -> EvidenceUse | None:
    """What a question makes of the evidence for a model, by the digest of one or the other; None if there is none."""
    evidence = ask_options.evidence_for(model.name)
    return EvidenceUse(evidence, model.name, model.digest or digest) if evidence else None


async def apply_evidence(engine: Engine, question: Question, model: Model) -> tuple[Question, EvidenceUse | None]:
    """Ask as the evidence for a model says; the question stays as it is if there is none, or the model has changed."""
    evidence = question.ask_options.evidence_for(model.name)
    if evidence is None:
        return question, None
    digest = question.digest or model.digest
    if evidence.digest and not digest and engine.manages_models:
        digest = await _find_digest(engine, model)
    use = EvidenceUse(evidence, model.name, digest)
    question = question._replace(digest=digest)
    if use.is_stale:
        return question, use
    return question._replace(ask_options=use.apply_to(question.ask_options)), use


async def _find_digest(engine: Engine, model: Model) -> str:
    """The digest of a model by its server's list; empty if it is not there, or not in time."""
    try:
        async with asyncio.timeout(DIGEST_SECONDS):
            installed = await engine.models()
    except (ReflecttyError, TimeoutError):
        return ""
    return digest_in(installed, model.name)


def is_note_due(use: EvidenceUse) -> bool:
    """Whether the user has not been told within a day; remembers that it is told now."""
    state = f"stale {use.digest}" if use.is_stale else f"{use.evidence.run} {use.evidence.way}"
    words = "-".join(f"evidence {use.model} {state}".split())
    return config.is_notice_due(words, config.DAY_SECONDS, time.time())
