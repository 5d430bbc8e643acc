"""Asks the questions of a run in every arm, on the machinery of a batch, and records each result."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from reflectty.batch.prompts import PromptLine
from reflectty.batch.records import Outcome
from reflectty.batch.runner import BatchRunner, Callbacks
from reflectty.core.errors import CirclingError
from reflectty.core.segments import SecondThoughtKind
from reflectty.evaluation.grader import Grade, Verdict
from reflectty.evaluation.records import ResultRecord, StepRecord, time_stamp
from reflectty.evaluation.result_grader import grade_result
from reflectty.evaluation.steps import seconds_of
from reflectty.reasoning.governor import EndReason
from reflectty.reasoning.settled import settled_in
from reflectty.reasoning.stated_answers import AnswerKind
from reflectty.reasoning.thought_reader import marks_in

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from reflectty.batch.progress import BatchProgress
    from reflectty.batch.runner import BatchOptions
    from reflectty.batch.scheduler import Scheduler
    from reflectty.batch.server import Server
    from reflectty.chat.request import Question
    from reflectty.evaluation.grader import MathCheck
    from reflectty.evaluation.plan import RunPlan, Task
    from reflectty.evaluation.run_writer import RunWriter
    from reflectty.reasoning.reply import Reply

QUESTIONS_TO_ESTIMATE: Final = 5
"""After so many questions the time of the whole run is estimated."""


class Evaluation:
    """One call of a run: asks what is left of its plan.

    Args:
        plan: what to ask.
        writer: records the results.
        progress: counts them.
        note: shows a note to the user.
        check_math: compares formulas.
    """

    def __init__(
        self,
        plan: RunPlan,
        writer: RunWriter,
        progress: BatchProgress,
        note: Callable[[str], None],
        check_math: MathCheck | None = None,
    ) -> None:
        self._plan = plan
        self._writer = writer
        self._progress = progress
        self._note = note
        self._check_math = check_math
        self._tasks: dict[int, Task] = {}
        """The tasks that are under way, by the numbers of their lines."""
        self._results: dict[int, ResultRecord] = {}
        self._right = {arm.name: 0 for arm in plan.arms}
        self._finished = {arm.name: 0 for arm in plan.arms}
        self.errors = 0
        """How many answers failed."""

    async def run(self, servers: Sequence[Server], scheduler: Scheduler, options: BatchOptions) -> None:
        """Ask until every task has a result.

        Raises:
            UnreachableError: no server has answered within the patience of the options.
            OutputError: a result cannot be written.
        """
        callbacks = Callbacks(self._question_of, lambda _: True, self._deliver, self._note, self._note, self._answer)
        await BatchRunner(servers, scheduler, options, callbacks, self._progress).run(self._lines())

    async def _lines(self) -> AsyncGenerator[PromptLine, None]:
        """Yield a line of a batch for each task."""
        for number, task in enumerate(self._plan.tasks(), 1):
            self._tasks[number] = task
            yield PromptLine(number, "", prompt=task.item.text, id=task.item.id)

    def _question_of(self, line: PromptLine) -> Question:
        return self._plan.question_of(self._tasks[line.line])

    async def _answer(self, server: Server, line: PromptLine, question: Question) -> Outcome:
        """Ask all that an arm asks of one item; a reply that its server ended is an answer, even a cut one."""
        task = self._tasks[line.line]
        replies: list[Reply] = []
        steps: list[StepRecord] = []
        following: Question | None = question
        while following:
            outcome = await server.answer(following)
            is_circling = isinstance(outcome.error, CirclingError)
            if outcome.reply is None or not (outcome.reply.done or is_circling):
                return outcome
            replies.append(outcome.reply)
            steps.append(_circling_step(outcome.reply) if is_circling else step_of(outcome.reply))
            following = self._plan.next_question(task, question, replies)
        self._results[line.line] = await self._grade(task, tuple(steps), server.name)
        return Outcome(replies[-1], None, server.name, tuple(replies[:-1]))

    async def _grade(self, task: Task, steps: tuple[StepRecord, ...], host: str) -> ResultRecord:
        """Grade the replies of a task; formulas in a thread, since comparing them may take seconds."""
        if task.item.kind is AnswerKind.MATH:
            grades = await asyncio.to_thread(grade_result, task.item, task.arm, steps, self._check_math)
        else:
            grades = grade_result(task.item, task.arm, steps)
        return ResultRecord(task.item.id, task.arm.name, grades.final, steps, grades.draft, time_stamp(), host)

    def _deliver(self, number: int, line: PromptLine, outcome: Outcome) -> None:
        del number
        task = self._tasks.pop(line.line)
        result = self._results.pop(line.line, None) or _failed(task, outcome)
        self._writer.put_result(result)
        self._count(result)

    def _count(self, result: ResultRecord) -> None:
        self.errors += result.grade.verdict is Verdict.ERROR
        self._right[result.arm] += result.grade.verdict is Verdict.RIGHT
        self._finished[result.arm] += 1
        counts = (f"{arm} {self._right[arm]}/{self._finished[arm]}" for arm in self._finished)
        self._progress.details = " · ".join(counts)
        if self._progress.finished == QUESTIONS_TO_ESTIMATE * len(self._plan.arms):
            self._note(estimate_of(self._progress))


def estimate_of(progress: BatchProgress) -> str:
    """The time and the tokens that the rest of a run will take, in words; empty if it is over."""
    from reflectty.core.text import format_duration

    if progress.seconds_left is None or not progress.lines_left:
        return ""
    tokens = round(progress.mean_tokens * progress.lines_left, -2)
    return f"about {format_duration(progress.seconds_left)} and {tokens:,.0f} tokens for the rest"


def _failed(task: Task, outcome: Outcome) -> ResultRecord:
    reason = outcome.error.with_hint if outcome.error else ""
    steps = tuple(map(step_of, outcome.replies))
    grade = Grade(Verdict.ERROR)
    return ResultRecord(task.item.id, task.arm.name, grade, steps, None, time_stamp(), outcome.host, reason)


def _circling_step(reply: Reply) -> StepRecord:
    """What a run keeps of a reply that its server ended because the model repeated itself: a runaway, and no error.

    Ollama 0.34.2 does so after a hundred equal tokens, with an error in place of the last chunk.
    """
    end = str(EndReason.LOOP)
    return step_of(reply)._replace(is_complete=False, done_reason=end, ended_by=end, answer="")


def step_of(reply: Reply) -> StepRecord:
    """What a run keeps of a reply."""
    metrics, usage = reply.metrics, reply.usage
    sure = [mark for mark in marks_in(reply.segments) if mark.is_sure]
    settled = settled_in(reply.segments)
    return StepRecord(
        segments=tuple((str(kind), text) for kind, text in reply.segments),
        # A last segment inside the thinking stands in for an answer on a screen; here it would be a thought.
        answer="" if reply.has_fallback_answer else reply.answer,
        is_complete=reply.is_complete,
        done_reason=reply.done_reason,
        ended_by=metrics.ended_by,
        thinking_tokens=metrics.thinking_tokens,
        answer_tokens=metrics.answer_tokens,
        prompt_tokens=usage.prompt_tokens,
        seconds=round(seconds_of(reply), 3),
        corrections=reply.corrections,
        second_thoughts=sum(mark.kind is SecondThoughtKind.CORRECTION for mark in sure),
        marks=tuple((mark.block, mark.at, str(mark.kind)) for mark in sure),
        settled=round(settled.share, 4) if settled else None,
        family=reply.family.name,
        is_thinking_apart=bool(reply.raw_thinking),
    )
