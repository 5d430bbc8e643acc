"""Probes a correction from the chat, in the background, and keeps the continuations as branches."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from reflectty.core.errors import UsageError
from reflectty.core.named_tuple import NamedTuple
from reflectty.core.safety import clean_line
from reflectty.core.session import ProbedCorrection, ReplyOrigin, ReplyStatus, StoredReply
from reflectty.core.text import format_count
from reflectty.view.reply_part import ReplyPart
from reflectty.view.summary import probed_label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.core.session import Turn
    from reflectty.evaluation.probe import ProbeJob
    from reflectty.evaluation.probe_points import ProbePoint
    from reflectty.evaluation.probe_result import ProbeOptions, ProbeResult
    from reflectty.reasoning.reply import Reply
    from reflectty.tui.controller import ChatController

    Choice = tuple[str, str, str]

_SHOWN: Final = 200
"""Characters of a correction that a list shows at most."""


class ProbedReply(NamedTuple):
    """The reply that is probed, with its turn, its question and the part that shows it."""

    part: ReplyPart
    turn: Turn
    question: Turn
    reply: StoredReply


class CorrectionProber:
    """Probes one correction at a time; a second is refused while one runs."""

    def __init__(self, controller: ChatController) -> None:
        self._controller = controller
        self._task: asyncio.Task[object] | None = None
        self._ended = asyncio.Event()
        self._done = self._total = 0
        self._replies: list[StoredReply] = []

    @property
    def is_running(self) -> bool:
        return self._task is not None

    @property
    def activity(self) -> tuple[str, ...]:
        """What it does, for the status line; empty if it does nothing."""
        return (f"probing {self._done} of {self._total}",) if self.is_running else ()

    def stop(self) -> None:
        """Stop the continuations; those that have ended are kept."""
        if self._task:
            self._task.cancel()

    async def close(self) -> None:
        """Stop the continuations, and wait until those that have ended are stored."""
        if self._task:
            self.stop()
            await self._ended.wait()

    async def probe(self, part: ReplyPart | None, row: int) -> None:
        """Ask which correction of a reply to probe, tell what it costs, and probe it.

        Args:
            part: the reply; None for the last one.
            row: the row of the reply that the user has gone to, which names a correction; -1 for none.

        Raises:
            ReflecttyError: there is no such reply, it has no correction, or it cannot be continued.
        """
        from reflectty.evaluation.probe_points import points_of
        from reflectty.evaluation.probe_result import ProbeOptions

        if self.is_running:
            raise UsageError("a correction is being probed: stop it first")
        self._controller.turns.require_idle()
        probed = self._find(part)
        points = points_of(probed.reply.segments)
        if not points:
            raise UsageError("the reply has no correction to probe")
        options = ProbeOptions()
        point = await self._choose(probed, points, options, probed.part.correction_near(row))
        if point:
            self._controller.turns.require_idle()
            await self._run(probed, point, options)

    def _find(self, part: ReplyPart | None) -> ProbedReply:
        conversation = self._controller.conversation
        turn = conversation.find_turn(part.turn) if part else conversation.last_reply
        question = conversation.find_turn(turn.parent) if turn else None
        shown = part or self._controller.turns.parts.find(turn.id if turn else None)
        if turn is None or turn.said is None or question is None or not isinstance(shown, ReplyPart):
            raise UsageError("no reply to probe yet")
        return ProbedReply(shown, turn, question, turn.said)

    async def _choose(
        self, probed: ProbedReply, points: Sequence[ProbePoint], options: ProbeOptions, number: int
    ) -> ProbePoint | None:
        """The correction that the user has gone to, the only one, or the one chosen from a list; None on cancel."""
        from reflectty.evaluation.probe_result import cost_of

        wanted = points[number - 1 : number] or (points if len(points) == 1 else ())
        dialogs = self._controller.dialogs
        if wanted:
            cost = cost_of(probed.reply, wanted, options.samples)
            question = f"Probe “{clean_line(' '.join(wanted[0].text.split()), _SHOWN)}”? {cost}"
            return wanted[0] if await dialogs.confirm(question, "Probe", "Cancel") else None
        cost = cost_of(probed.reply, points[:1], options.samples)
        rows = [_choice_of(point, probed.reply) for point in points]
        chosen = await dialogs.choose(f"Probe a correction: {cost} at most", rows, None)
        return points[int(chosen) - 1] if chosen else None

    async def _run(self, probed: ProbedReply, point: ProbePoint, options: ProbeOptions) -> None:
        controller = self._controller
        self._done, self._total, self._replies = 0, 2 * options.samples, []
        self._task = asyncio.current_task()
        self._ended.clear()
        controller.refresh_status()
        try:
            self._keep(probed, await self._ask_until_stopped(probed, point, options))
        finally:
            self._task = None
            self._ended.set()
            controller.refresh_status()

    async def _ask_until_stopped(
        self, probed: ProbedReply, point: ProbePoint, options: ProbeOptions
    ) -> ProbeResult | None:
        """Ask for the continuations; None if the user has stopped them."""
        try:
            return await self._ask(probed, point, options)
        except asyncio.CancelledError:
            self._controller.note(f"probing stopped: {format_count(len(self._replies), 'continuation')} kept")
            while self._task and self._task.cancelling():
                self._task.uncancel()
            return None

    async def _ask(self, probed: ProbedReply, point: ProbePoint, options: ProbeOptions) -> ProbeResult:
        from reflectty.batch.server import Server
        from reflectty.evaluation.probe import Probe, as_asked, find_target, run_probe, temperature_note
        from reflectty.evaluation.probe_judge import judge_for

        controller = self._controller
        question = as_asked(controller.conversation.build_question(probed.question), probed.reply)
        # It stays open: the engine is that of the chat.
        server = Server(
            controller.config.host, controller.turns.connected_engine, note=_ignore, first_time=lambda _: False
        )
        target = await find_target(server, question, probed.reply)
        if note := temperature_note(target):
            controller.note(note)
        probe = Probe(target, point, options, judge_for(probed.reply.answer))
        return await run_probe(server, probe, lambda job, reply: self._add(probed, job, reply))

    def _add(self, probed: ProbedReply, job: ProbeJob, reply: Reply | None) -> None:
        """Count a continuation, and keep it if it has any text."""
        from reflectty.chat.recorder import stored_reply_of

        self._done += 1
        if reply and reply.segments:
            asked = probed.reply
            initial = StoredReply(
                asked.model,
                digest=asked.digest,
                mode=asked.mode,
                prefilled=asked.prefilled,
                effort=asked.effort,
                options=job.question.ask_options.options,
                origin=ReplyOrigin.PROBED,
            )
            ended = ReplyStatus.COMPLETE if reply.is_complete else ReplyStatus.INCOMPLETE
            self._replies.append(stored_reply_of(initial, reply)._replace(ended=ended))
        self._controller.refresh_status()

    def _keep(self, probed: ProbedReply, result: ProbeResult | None) -> None:
        """Store the continuations beside the reply, and what was found with it.

        Raises:
            StoreError: they could not be stored.
        """
        from reflectty.evaluation.probe_report import sentence_of

        controller, reply = self._controller, probed.reply
        if result:
            found = ProbedCorrection(result.point.number, result.changed, result.compared)
            reply = reply._replace(measured=reply.measured.with_probed(found))
            controller.note(sentence_of(result))
        if controller.conversation.keep_probe(probed.question, probed.turn._replace(said=reply), self._replies):
            self._show(probed.turn.id, reply)

    def _show(self, turn: int, reply: StoredReply) -> None:
        """Show what was found below the correction, if the branch of the reply is on the screen."""
        part = self._controller.turns.parts.find(turn)
        if isinstance(part, ReplyPart):
            part.state.measured = reply.measured
            self._controller.turns.parts.mark_branch(part)
            self._controller.transcript.lay_out_part(part)


def _choice_of(point: ProbePoint, reply: StoredReply) -> Choice:
    found = next((one for one in reply.measured.probed if one.correction == point.number), None)
    label = str(point.kind) if point.is_tagged else f"~{point.kind}"
    return str(point.number), clean_line(" ".join(point.text.split()), _SHOWN), probed_label(found) if found else label


def _ignore(_: str) -> None:
    """Ignore a note: the chat has shown what there is to note of the model."""
