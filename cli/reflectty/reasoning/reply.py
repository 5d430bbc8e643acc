"""Folds the chunks of one reply into segments, the final answer and its metrics."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from reflectty.core.messages import Chunk, Usage
from reflectty.core.segments import Event, Kind, Reclassification, Segment
from reflectty.core.session import NO_METRICS, ReplyMetrics
from reflectty.reasoning.families import FAMILIES
from reflectty.reasoning.parser import StreamParser
from reflectty.reasoning.steering import conclude_thinking, draft_of, thinking_end

if TYPE_CHECKING:
    from collections.abc import Callable

    from reflectty.core.session import Readings
    from reflectty.reasoning.families import Family
    from reflectty.reasoning.governor import ThinkingEnd
    from reflectty.reasoning.thought_reader import ThoughtMark, ThoughtReader
    from reflectty.reasoning.verification import Verification
    from reflectty.reasoning.vote import Sampling


MAX_TAG_LENGTH = 32
"""The maximum of characters in the beginning of a tag that ends a reply."""
_COMPARED_CHARACTERS = 40
"""The end of a block by which it is found in the raw text."""
BYTES_PER_TOKEN = 4
"""A rough mean over languages and models, to estimate tokens that were not counted."""


class Block:
    """One segment of the reply, as far as received."""

    def __init__(self, kind: Kind, *, tagged: bool) -> None:
        self.kind = kind
        self.tagged = tagged
        # A list, because appending to a long string would copy it with every token.
        self.pieces: list[str] = []

    @property
    def text(self) -> str:
        return "".join(self.pieces)


class Reply:
    """Folds the chunks of one reply into events for a renderer, and has its segments, answer and metrics at any time.

    The final answer is, in this order: the answer blocks, joined; untagged text outside the thinking; an answer block
    inside the thinking; the last segment, if a model that thinks in tags stopped by itself; none. Thinking in its own
    field is never an answer.
    """

    def __init__(
        self,
        model: str,
        family: Family,
        *,
        mode: str = "",
        prefilled: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.model = model
        self.mode = mode
        self.family = self._requested_family = family
        self.warnings: list[str] = []
        self.resumable = True
        """Whether the reply can be steered or continued, as far as known."""
        self.is_withheld = False
        """Whether the answer must not be output alone, because it is not what was requested."""
        self.done, self.done_reason, self.usage = False, "", Usage()
        self.prefilled = prefilled
        """Whether the prompt has the opener already."""
        self.has_separate_thinking = False
        """Whether the server separates thinking and answer; then thinking never serves as the answer."""
        self.raw: list[str] = []
        """The pieces of the raw content."""
        self.raw_thinking: list[str] = []
        """The pieces of the raw `thinking` field."""
        self.tool_calls: list[str] = []
        """The names of the tools that the model called; none is run."""
        self.refusal = ""
        """The text of the field for refusals."""
        self.repeats_itself = False
        """Whether the thinking is in a loop."""
        self.thinking_end: ThinkingEnd | None = None
        """How the thinking was ended from outside; None if the model ended it."""
        self.sampling: Sampling | None = None
        """The samples of which this reply was picked by a vote; None if it was asked for once."""
        self.verification: Verification | None = None
        """How its draft was verified; None if it is not a revised reply."""
        self._parser = StreamParser(family, prefilled=prefilled)
        self._plain_block: int | None = None
        self._blocks: dict[int, Block] = {}
        self._chunk_counts, self._carried_tokens = dict.fromkeys(Kind, 0), dict.fromkeys(Kind, 0)
        self._earlier_request_tokens = 0
        """The number of tokens from an earlier request of this reply."""
        self._earlier_metrics = NO_METRICS
        self.readings: Readings | None = None
        """How many second thoughts are sure; None while they are not read."""
        self._thoughts: ThoughtReader | None = None
        """Reads the second thoughts, once they have been asked for."""
        self._clock, self._started_at = clock, clock()
        self._first_text_at = self._thinking_ended_at = self._last_chunk_at = self._started_at
        self._has_begun = False

    # Feeding

    def begin_from(self, so_far: str, earlier: ReplyMetrics = NO_METRICS) -> tuple[Event, ...]:
        """Begin with the raw text of a reply that is continued; it does not count as output of this request.

        Args:
            so_far: the content from its beginning, tags included.
            earlier: the metrics of that text; without them its tokens are estimated.
        """
        self._earlier_metrics = earlier
        events = self._apply_events(self._read_content(so_far))
        self._carried_tokens = self._tokens_of_text()
        return events

    def feed(self, chunk: Chunk) -> tuple[Event, ...]:
        """Add a chunk; return the events that are now certain enough to show."""
        self._last_chunk_at = self._clock()
        if not self._has_begun and (chunk.content or chunk.thinking):
            self._has_begun, self._first_text_at = True, self._last_chunk_at
        if chunk.tool_calls or chunk.refusal or chunk.notes:
            self._add_notices(chunk)
        events: tuple[Event, ...] = ()
        if chunk.thinking:
            self.has_separate_thinking = True
            self.raw_thinking.append(chunk.thinking)
            events += self._parser.feed_thinking(chunk.thinking)
        if chunk.content:
            events += self._read_content(chunk.content)
        if chunk.content or chunk.thinking:
            self._count_chunk(events)
        if chunk.done:
            self.done, self.done_reason = True, chunk.done_reason
            self.usage = self._usage_of_whole_reply(chunk.usage) if chunk.usage else self.usage
        return self._apply_events(events)

    def _add_notices(self, chunk: Chunk) -> None:
        """Add what few chunks have: calls of tools, a refusal, remarks about the request."""
        self.tool_calls += chunk.tool_calls
        self.refusal += chunk.refusal
        self.warnings += chunk.notes

    def _usage_of_whole_reply(self, usage: Usage) -> Usage:
        """The usage of the whole reply: counts the thinking of an earlier request, which this one has in its prompt."""
        earlier_thinking = min(self._earlier_request_tokens, usage.prompt_tokens)
        if not earlier_thinking:
            return usage
        return usage._replace(
            prompt_tokens=usage.prompt_tokens - earlier_thinking,
            reply_tokens=usage.reply_tokens + self._earlier_request_tokens,
        )

    def _read_content(self, content: str) -> tuple[Event, ...]:
        self.raw.append(content)
        events = self._parser.feed(content)
        self._adopt_parser_family()
        return events

    def _adopt_parser_family(self) -> None:
        """Adopt the parser's family, which a marker may reveal and a later revision revert."""
        if self._requested_family.name == "any":
            self.family = self._parser.family

    def close(self) -> tuple[Event, ...]:
        """End the reply, complete or cut; return the events of the held text."""
        events = self._apply_events(self._parser.close(complete=self.is_finished))
        self._adopt_parser_family()
        return events

    def end_thinking(
        self, end: ThinkingEnd, sentence: str, family: Family, reading: Family
    ) -> tuple[str, tuple[Event, ...]]:
        """End the thinking with a sentence, as if the model had; the answer follows with the next chunks.

        Text that the parser holds, at most a part of a tag, is dropped.

        Args:
            end: why and where it ends.
            sentence: the last sentence of the thinking.
            family: the family in whose tags the reply is written.
            reading: the family to parse the rest by.

        Returns:
            The raw beginning of the reply up to its answer, to continue from, and the events of the sentence.
        """
        draft = draft_of(self.segments, family)
        prefix = conclude_thinking(family, draft, sentence)
        if self.raw_thinking:
            self.raw_thinking.append(f"\n\n{sentence}")
        else:
            self._drop_raw_behind_text()
            self.raw.append(thinking_end(family, draft, sentence))
        last = max(self._blocks, default=-1)
        is_open = last >= 0 and self._blocks[last].kind is Kind.THINKING
        block = last if is_open else last + 1
        events = self._apply_events((Segment(Kind.THINKING, f"\n\n{sentence}" if is_open else sentence, block),))
        self._parser = StreamParser(reading, first_block=block + 1)
        self._parser.feed(prefix)
        self._earlier_request_tokens = sum(self._chunk_counts.values())
        self._thinking_ended_at = self._last_chunk_at
        self.thinking_end = end
        return prefix, events

    def _drop_raw_behind_text(self) -> None:
        """Drop what follows the text of the last block: a part of a tag, or a closer that is written again.

        The number of pieces stays the same, because a recorder counts those that it has written.
        """
        last = next(reversed(self._blocks.values()), None)
        raw = "".join(self.raw)
        end = last.text[-_COMPARED_CHARACTERS:].rstrip() if last else ""
        surplus = len(raw) - raw.rfind(end) - len(end) if end and end in raw else 0
        for at in reversed(range(len(self.raw))):
            dropped = min(surplus, len(self.raw[at]))
            self.raw[at] = self.raw[at][: len(self.raw[at]) - dropped]
            surplus -= dropped
            if not surplus:
                return

    def keep_thinking_only(self, sentence: str = "") -> str:
        """Keep the thinking, and treat all further text as the answer, without parsing tags in it.

        Args:
            sentence: a last sentence of the thinking for the model to read.

        Returns:
            The raw beginning of the reply up to the answer, in the family's own tags, to continue from.
        """
        self._apply_events(self._parser.close(complete=False))
        self._blocks = {at: block for at, block in self._blocks.items() if block.kind is not Kind.ANSWER}
        self._chunk_counts[Kind.ANSWER] = self._carried_tokens[Kind.ANSWER] = 0
        self._earlier_request_tokens = sum(self._chunk_counts.values())
        self._plain_block = max(self._blocks, default=-1) + 1
        self._parser = StreamParser(FAMILIES["none"])
        family = self.family if self.family.thinking else FAMILIES["reflection"]
        return conclude_thinking(family, draft_of(self.segments, family), sentence)

    def _count_chunk(self, events: tuple[Event, ...]) -> None:
        for event in events:
            if isinstance(event, Segment):
                kind = event.kind
                break
        else:
            kind = self._parser.kind
        self._chunk_counts[kind] += 1
        if kind is not Kind.ANSWER:
            self._thinking_ended_at = self._last_chunk_at

    def reread_thinking(self) -> tuple[Event, ...]:
        """Parse the `thinking` field as content if there is no other content and it has an answer in tags.

        A reasoning parser that does not know the tags of a prompt treats the whole reply as reasoning: vLLM's
        deepseek_r1 does if there is no `<think>`.

        Returns:
            The answer, as events to append to all earlier ones.
        """
        if not self.is_finished or "".join(self.raw).strip() or not self.raw_thinking:
            return ()
        reparsed = Reply(self.model, self.family if self.family.answer else FAMILIES["native"])
        reparsed.feed(Chunk("".join(self.raw_thinking)))
        reparsed.close()
        if not any(block.tagged for block in reparsed._blocks.values() if block.kind is Kind.ANSWER):
            return ()
        first = max(self._blocks, default=-1) + 1
        self._blocks, self._thoughts = {first + at: block for at, block in enumerate(reparsed._blocks.values())}, None
        answers = ((at, block) for at, block in self._blocks.items() if block.kind is Kind.ANSWER)
        return tuple(Segment(Kind.ANSWER, block.text, at, tagged=True) for at, block in answers)

    def _apply_events(self, events: tuple[Event, ...]) -> tuple[Event, ...]:
        if self._plain_block is not None:
            tagged = (event for event in events if isinstance(event, Segment))
            events = tuple(Segment(Kind.ANSWER, event.text, self._plain_block, tagged=True) for event in tagged)
        for event in events:
            if isinstance(event, Reclassification):
                self._reclassify(event)
                continue
            block = self._blocks.get(event.block)
            if block is None:
                block = self._blocks[event.block] = Block(event.kind, tagged=event.tagged)
            block.pieces.append(event.text)
        return events

    def _reclassify(self, event: Reclassification) -> None:
        self._thoughts = None
        if event.kind is None:
            self._remove_blocks(event)
            return
        for number in event.blocks:
            self._blocks[number].kind = Kind.THINKING
        for counts in (self._chunk_counts, self._carried_tokens):
            counts[Kind.THINKING] += counts[Kind.ANSWER]
            counts[Kind.ANSWER] = 0
        self._thinking_ended_at = self._last_chunk_at

    def _remove_blocks(self, event: Reclassification) -> None:
        """Remove blocks that are not thinking after all; their chunks count for the answer that follows."""
        inside = {kind: len("".join(self.texts_of(kind))) for kind in (Kind.THINKING, Kind.REFLECTION)}
        for number in event.blocks:
            block = self._blocks.pop(number)
            if share := len(block.text) / (inside[block.kind] or 1):
                moved = round(self._chunk_counts[block.kind] * min(share, 1.0))
                self._chunk_counts[block.kind] -= moved
                self._chunk_counts[Kind.ANSWER] += moved

    # Results

    @property
    def second_thoughts(self) -> tuple[ThoughtMark, ...]:
        """The second thoughts in the thinking so far; only what is new since the last call is read.

        A block number is that of the events; text that is reclassified is read again.
        """
        if self._thoughts is None:
            from reflectty.reasoning.thought_reader import ThoughtReader

            self._thoughts = ThoughtReader()
        thinking = ((number, block.pieces) for number, block in self._blocks.items() if block.kind is Kind.THINKING)
        self._thoughts.catch_up(thinking, is_over=self.done)
        return tuple(self._thoughts.marks)

    @property
    def segments(self) -> tuple[tuple[Kind, str], ...]:
        """The blocks in order, each with its kind."""
        return tuple((block.kind, block.text) for block in self._blocks.values())

    def texts_of(self, kind: Kind) -> tuple[str, ...]:
        return tuple(block.text for block in self._blocks.values() if block.kind is kind)

    @property
    def thinking(self) -> str:
        """The thinking without its reflections, its pieces joined by line breaks."""
        return "\n".join(self.texts_of(Kind.THINKING))

    @property
    def reflections(self) -> tuple[str, ...]:
        return self.texts_of(Kind.REFLECTION)

    @property
    def corrections(self) -> int:
        """The number of the model's corrections."""
        return sum(block.kind is Kind.REFLECTION for block in self._blocks.values())

    @property
    def has_markers(self) -> bool:
        """Whether the reply separates thinking and answer at all."""
        return self._parser.has_markers or self._plain_block is not None

    @property
    def has_finished_thinking(self) -> bool:
        """Whether thinking has begun and ended, so that further text is the answer."""
        began = any(block.kind is Kind.THINKING or block.tagged for block in self._blocks.values())
        return began and self._parser.kind is Kind.ANSWER

    @property
    def is_thinking(self) -> bool:
        """Whether the next text, as far as known, is thinking."""
        return self._parser.kind is not Kind.ANSWER

    @property
    def is_finished(self) -> bool:
        """Whether the model ended the reply by itself."""
        return self.done and self.done_reason in ("stop", "")

    @property
    def is_complete(self) -> bool:
        """Whether the model ended the reply by itself and it has an answer."""
        return self.is_finished and bool(self.answer)

    @property
    def answer(self) -> str:
        """The final answer, or an empty string."""
        return self._find_answer()[0]

    @property
    def has_fallback_answer(self) -> bool:
        """True if `answer` is a fallback: the last segment, because there is no answer block."""
        return self._find_answer()[1]

    def _find_answer(self) -> tuple[str, bool]:
        answers = [block for block in self._blocks.values() if block.kind is Kind.ANSWER]
        if self._is_cut_in_first_tag():
            return "", False
        tagged = [block.text for block in answers if block.tagged]
        answer = "\n".join(tagged or [block.text for block in answers]) or self._answer_inside_thinking()
        has_other_content = self.has_separate_thinking or bool(self.tool_calls or self.refusal)
        if answer or has_other_content or not self.is_finished or not self._blocks:
            return answer, False
        return list(self._blocks.values())[-1].text, True

    def _is_cut_in_first_tag(self) -> bool:
        """Whether the server ended the reply within its first tag."""
        raw = "".join(self.raw[:4]).strip()
        if not self.done or self.is_finished or not raw or len(raw) > MAX_TAG_LENGTH or "".join(self.raw[4:]).strip():
            return False
        families = FAMILIES.values() if self.family.name == "any" else (self.family,)
        tags = (tag for family in families for tag in (*family.thinking, *family.reflection, *family.answer))
        return any(tag.opener.startswith(raw) and not raw[0].isalnum() for tag in tags)

    def _answer_inside_thinking(self) -> str:
        """The last answer block inside the thinking; empty if there is none."""
        thinking = "\n".join(text for _, text in self.segments)
        for tag in self.family.answer:
            if tag.opener and tag.closer:
                pattern = f"{re.escape(tag.opener)}(.*?){re.escape(tag.closer)}"
                matches = re.findall(pattern, thinking, re.DOTALL | re.IGNORECASE)
                if matches:
                    return str(matches[-1]).strip()
        return ""

    # Metrics

    @property
    def tokens(self) -> dict[Kind, int]:
        """Tokens by kind: the chunks of each, scaled to the server's total once known, plus those of the prefix."""
        chunks = sum(self._chunk_counts.values())
        total = self.usage.reply_tokens or chunks
        new = {kind: round(count * total / chunks) if chunks else 0 for kind, count in self._chunk_counts.items()}
        new = self._tokens_by_server_count(new, total) if self.usage.thinking_tokens else new
        return {kind: self._carried_tokens[kind] + count for kind, count in new.items()}

    def _tokens_by_server_count(self, estimated: dict[Kind, int], total: int) -> dict[Kind, int]:
        """The tokens by kind if the server counts the thinking; corrections are still estimated."""
        thinking = min(self.usage.thinking_tokens, total)
        corrections = min(estimated[Kind.REFLECTION], thinking)
        return {Kind.THINKING: thinking - corrections, Kind.REFLECTION: corrections, Kind.ANSWER: total - thinking}

    def _tokens_of_text(self) -> dict[Kind, int]:
        """The tokens by kind of all text so far: as counted earlier, else estimated from its length."""
        tokens = {kind: len("".join(self.texts_of(kind)).encode(errors="replace")) // BYTES_PER_TOKEN for kind in Kind}
        earlier = self._earlier_metrics
        if earlier.thinking_tokens or earlier.answer_tokens:
            corrections = min(tokens[Kind.REFLECTION], earlier.thinking_tokens)
            counted = (earlier.thinking_tokens - corrections, corrections, earlier.answer_tokens)
            tokens = dict(zip((Kind.THINKING, Kind.REFLECTION, Kind.ANSWER), counted, strict=True))
        return tokens

    @property
    def new_thinking_tokens(self) -> int:
        """The chunks of thinking that arrived, without those of a prefix."""
        return self._chunk_counts[Kind.THINKING] + self._chunk_counts[Kind.REFLECTION]

    @property
    def new_thinking_ms(self) -> float:
        """Milliseconds from the first text of the request to the latest."""
        return (self._last_chunk_at - self._first_text_at) * 1000

    @property
    def first_token_ms(self) -> float:
        """Milliseconds from the request to the first text; 0 before it."""
        return self._earlier_metrics.first_token_ms or (self._first_text_at - self._started_at) * 1000

    @property
    def thinking_ms(self) -> float:
        """Milliseconds from the first text to the end of the thinking."""
        return self._earlier_metrics.thinking_ms + max(0.0, (self._thinking_ended_at - self._first_text_at) * 1000)

    @property
    def total_ms(self) -> float:
        """Milliseconds from the request to the last chunk."""
        return self._earlier_metrics.total_ms + (self._last_chunk_at - self._started_at) * 1000

    @property
    def tokens_per_second(self) -> float:
        """The speed of generation by the server's clock, else by the local one; 0 while unknown."""
        if self.usage.reply_ms:
            return (self.usage.reply_tokens - self._earlier_request_tokens) * 1000 / self.usage.reply_ms
        seconds = self._last_chunk_at - self._first_text_at
        return sum(self._chunk_counts.values()) / seconds if seconds > 0 else 0.0

    @property
    def metrics(self) -> ReplyMetrics:
        """All metrics as one value."""
        tokens = self.tokens
        return ReplyMetrics(
            thinking_tokens=tokens[Kind.THINKING] + tokens[Kind.REFLECTION],
            answer_tokens=tokens[Kind.ANSWER],
            corrections=self.corrections,
            thinking_ms=self.thinking_ms,
            first_token_ms=self.first_token_ms,
            total_ms=self.total_ms,
            tokens_per_second=self.tokens_per_second,
            usage=self.usage,
            ended_by=str(self.thinking_end.by) if self.thinking_end else "",
            ended_at=self.thinking_end.at if self.thinking_end else 0,
            budget=self.thinking_end.budget if self.thinking_end else "",
            readings=self._thoughts.readings if self._thoughts else self.readings,
        )
