"""Asks a question several times and lets the answers vote: self-consistency (Wang et al., arXiv 2203.11171).

Sampling stops as soon as the winner cannot be overtaken any more, so the result is that of all samples.
"""

from __future__ import annotations

import json
import operator
from typing import TYPE_CHECKING, Final

from reflectty.chat.waits import MAX_WAIT_SECONDS
from reflectty.chat.ways import Requester, SeveralRenderer, present
from reflectty.core.errors import (
    CrowdedError,
    DeadlineError,
    IncompleteError,
    NoAnswerError,
    OutputError,
    ReflecttyError,
    SchemaError,
    StalledError,
    StoppedError,
)
from reflectty.core.model_spec import sampling_defaults_of
from reflectty.core.named_tuple import NamedTuple
from reflectty.core.safety import clean_line
from reflectty.reasoning.short_answers import is_same_answer, short_answer
from reflectty.reasoning.vote import Sample, Sampling, Vote, tally

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reflectty.chat.request import Question
    from reflectty.core.messages import Model, OptionValue
    from reflectty.reasoning.reply import Reply

TEMPERATURE: Final = 0.7
"""Replaces a temperature of 0, at which all samples would be the same; the value of the paper's experiments."""
PROSE: Final = "the answers are prose: no vote; the first is shown"
_FEWEST_FOR_PROSE: Final = 2
"""After so many samples without a short answer, no more are taken."""
_SHOWN_ANSWER: Final = 24
"""Characters of an answer in the line of the progress."""


class _Taken(NamedTuple):
    """A sample that was taken."""

    reply: Reply | None
    """None if no request was sent."""
    stated: str = ""
    error: ReflecttyError | None = None

    @property
    def sample(self) -> Sample:
        reply = self.reply
        if reply is None:
            return Sample(error=str(self.error))
        tokens, prompt = sum(reply.tokens.values()), reply.usage.prompt_tokens
        return Sample(reply.answer, self.stated, tokens, prompt, str(self.error or ""))


async def ask_samples(requester: Requester, question: Question, model: Model | None, patience: float) -> Reply:
    """Ask a question `samples` times; show, choose and return the first reply with the winning answer.

    Raises:
        ReflecttyError: no sample is complete, with the error of the first; or the deadline is over, after the winner
            so far was shown.
    """
    defaults = {one.option: one.value for one in sampling_defaults_of(await requester.find_model(model))}
    questions = vary(question, defaults)
    if note := temperature_note(question, defaults):
        requester.stage.renderer.note(note)
    sampler = _Sampler(requester, questions)
    try:
        while not sampler.is_over:
            await sampler.take(patience)
    except BaseException:
        sampler.choose()
        raise
    return _show_winner(sampler, question)


def vary(question: Question, defaults: dict[str, str]) -> tuple[Question, ...]:
    """The questions of all samples: at a temperature above 0, each with a seed of its own if there is a seed.

    Args:
        question: the question; it says how many samples there are.
        defaults: the model's own values of sampling options.
    """
    options: dict[str, object] = {**defaults, **dict(question.ask_options.options)}
    warmed: dict[str, OptionValue] = {"temperature": TEMPERATURE} if _number_of(options, "temperature") == 0 else {}
    seed = _number_of(options, "seed")
    return tuple(
        _with_options(question, warmed | ({"seed": int(seed) + number} if seed >= 0 else {}))
        for number in range(question.ask_options.samples)
    )


def _with_options(question: Question, options: Mapping[str, OptionValue]) -> Question:
    return question._replace(ask_options=question.ask_options.override(options=tuple(options.items())))


def temperature_note(question: Question, defaults: dict[str, str]) -> str:
    """The note that a temperature of 0 is replaced; one of the model's own is not worth one to a program."""
    own = dict(question.ask_options.options)
    is_zero = _number_of({**defaults, **own}, "temperature") == 0
    if not is_zero or not (question.announce or "temperature" in own):
        return ""
    return f"a temperature of 0 gives the same answer each time: samples use {TEMPERATURE}"


def _number_of(options: Mapping[str, object], name: str) -> float:
    """The number that an option is set to; -1 if none."""
    try:
        return float(str(options.get(name)))
    except ValueError:
        return -1.0


class _Sampler:
    """Takes the samples of one question, one after the other."""

    def __init__(self, requester: Requester, questions: Sequence[Question]) -> None:
        self.taken: list[_Taken] = []
        self.stop: ReflecttyError | None = None
        """The error after which no further sample is taken."""
        self.stage = requester.stage
        self._requester = requester
        self._questions = questions

    @property
    def vote(self) -> Vote:
        is_json = self._questions[0].schema is not None
        return tally((one.stated for one in self.taken), operator.eq if is_json else is_same_answer)

    @property
    def complete(self) -> tuple[int, ...]:
        """The positions of the complete samples."""
        return tuple(at for at, one in enumerate(self.taken) if one.error is None)

    @property
    def winner(self) -> int | None:
        """The position of the first sample with the winning answer, else of the first that is complete."""
        winner = self.vote.winner
        return next(iter(self.complete), None) if winner is None else winner

    @property
    def is_prose(self) -> bool:
        return len(self.complete) >= _FEWEST_FOR_PROSE and not self.vote.groups

    @property
    def is_over(self) -> bool:
        remaining = len(self._questions) - len(self.taken)
        request = self._questions[0].answer_request
        is_asked_for = bool(request and request.is_set and self.complete)
        return bool(self.stop or self.is_prose or is_asked_for) or self.vote.is_settled(remaining)

    async def take(self, patience: float) -> None:
        """Take one sample; its failure is kept.

        Raises:
            ReflecttyError: the first sample failed so that no other can succeed, or the output is gone.
        """
        number, stage = len(self.taken), self.stage
        question = self._questions[number]
        renderer = SeveralRenderer(
            self._requester, self._progress, stage.renderer if stage.streams and not number else None
        )
        try:
            reply = await self._requester.ask(question, renderer, patience=MAX_WAIT_SECONDS if number else patience)
        except (OutputError, StoppedError):
            raise
        except ReflecttyError as error:
            if not (number or isinstance(error, (IncompleteError, SchemaError))):
                raise
            self.taken.append(_Taken(renderer.reply, error=error))
            self.stop = None if _concerns_one_reply(error) else error
        else:
            self.taken.append(_Taken(reply, stated_answer_of(reply.answer, is_json=question.schema is not None)))

    @property
    def _progress(self) -> str:
        head = f"sample {len(self.taken) + 1} of {len(self._questions)}"
        so_far = ", ".join(clean_line(one.stated, _SHOWN_ANSWER) or "no answer" for one in self.taken)
        return f"{head}: {so_far}" if so_far else head

    def choose(self, remarks: tuple[str, ...] = ()) -> None:
        """Let the session go on from the winner, with remarks on the vote."""
        if self._requester.recorder and self.winner is not None:
            self._requester.recorder.choose(self.winner + 1, remarks)


def _concerns_one_reply(error: ReflecttyError) -> bool:
    """Whether another sample may succeed."""
    if isinstance(error, (DeadlineError, StalledError, CrowdedError)):
        return False
    return isinstance(error, (IncompleteError, SchemaError))


def _show_winner(sampler: _Sampler, question: Question) -> Reply:
    """Show the winner and how the vote went, and return its reply.

    Raises:
        ReflecttyError: no sample is complete, or the deadline is over.
    """
    stage, winner = sampler.stage, sampler.winner
    reply = sampler.taken[winner or 0].reply
    if winner is None or reply is None:
        if reply and not stage.streams:
            present(reply, stage.renderer)
        raise sampler.taken[0].error or NoAnswerError("no sample is complete")
    samples = tuple(one.sample for one in sampler.taken)
    reply.sampling = Sampling(question.ask_options.samples, samples, sampler.vote, winner)
    remarks = tuple(_remarks_on(sampler, reply.sampling))
    sampler.choose(remarks)
    if winner and stage.streams:
        stage.renderer.note("the vote is for another answer:")
    if winner or not stage.streams:
        present(reply, stage.renderer)
    for text in remarks if question.announce else remarks[:-1]:
        stage.renderer.note(text)
    if isinstance(sampler.stop, DeadlineError):
        raise sampler.stop
    return reply


def _remarks_on(sampler: _Sampler, sampling: Sampling) -> Iterable[str]:
    """What did not go as it should, and last how the vote went."""
    for number, one in enumerate(sampler.taken, 1):
        if one.error and one.error is not sampler.stop:
            yield f"sample {number} does not count: {one.error}"
    if sampler.stop and not isinstance(sampler.stop, DeadlineError):
        yield f"sampling ended after {len(sampler.taken)} of {sampling.asked}: {sampler.stop}"
    if sampler.is_prose:
        yield PROSE
    yield sampling.summary


def stated_answer_of(answer: str, *, is_json: bool) -> str:
    """The short answer that is counted; empty if the answer is prose that states none.

    Args:
        answer: the final answer of a reply.
        is_json: whether it is a JSON value, which is counted whole, with its keys in order.
    """
    return json.dumps(json.loads(answer), sort_keys=True, ensure_ascii=False) if is_json else short_answer(answer)
