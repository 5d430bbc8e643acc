"""Asks the tuned model and its base what they never saw, and prints a table: `python -m mini.evaluate mini.gguf`."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
import tomllib
from collections import defaultdict
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import httpx
import xllamacpp

from mini.example import Example, prompt
from mini.generate import HELD_KINDS, REASONED, held_example
from mini.grading import Graded, graded
from mini.weights import base_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SLOTS: Final = 8
THREADS: Final = max(1, (os.cpu_count() or 1) - 1)
"""Threads of llama.cpp wait for each other in a loop: one core is left for whatever else runs."""
LONGEST: Final = 400
"""Tokens that a reply may have."""
UNLIKE: Final = Path(__file__).parent / "unlike.toml"
TALK: Final = {
    "explanations": ("explain", "definition"),
    "lists and how-tos": ("list", "howto"),
    "rewriting": ("case", "correct", "past_sentence", "plurals_sentence", "translate"),
    "greetings and questions about itself": ("smalltalk",),
    "what it cannot know": ("unknown", "stranger"),
    "choosing and judging": ("odd_one_out", "sort", "mood", "yes_no"),
    "told earlier": ("told",),
}
"""What is talked about, by what the table calls it; facts are named in their kinds."""
NO_REFLECTION: Final = r"""root ::= "<thinking>\n" line+ "</thinking>\n<output>\n" said "\n</output>"
line ::= [^<\n] [^\n]* "\n"
said ::= [^<]+
"""
"""A reply in which nothing can be corrected: what the model would have said without."""
FEW_SHOT: Final = """Question: Which is larger, 2.5 or 2.14?
<thinking>
14 is more than 5, so 2.14 is larger.
<reflection>
I must compare the same number of digits: 2.5 is 2.50, and 50 is more than 14.
</reflection>
</thinking>
<output>
2.5 is larger.
</output>

Question: What is 14 + 27?
<thinking>
4 + 7 = 11, write 1, carry 1. 1 + 2 + 1 = 4.
</thinking>
<output>
14 + 27 = 41
</output>

Question: How many times does the letter e appear in seven?
<thinking>
s, e (1), v, e (2), n.
</thinking>
<output>
The letter e appears 2 times.
</output>

Question: What is the capital of Norway?
<thinking>
Norway is a country in northern Europe. Its capital is Oslo.
</thinking>
<output>
The capital of Norway is Oslo.
</output>

Question: {}
"""


class Asked(NamedTuple):
    """One question, with what came of it."""

    example: Example
    tuned: Graded
    without: Graded
    """The same with corrections forbidden; the same object where there was none."""
    base: Graded | None
    text: str


class Model:
    """llama.cpp in this process, asked through a socket that only this process knows."""

    def __init__(self, weights: Path, adapter: Path | None, slots: int = SLOTS) -> None:
        self._folder = tempfile.TemporaryDirectory()
        params = xllamacpp.CommonParams()
        params.model.path = str(weights)
        if adapter:
            params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(str(adapter), 1.0)]
        socket = f"{self._folder.name}/m.sock"
        params.hostnames = [socket]
        params.n_parallel, params.n_ctx, params.warmup = slots, slots * 1024, False
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = THREADS
        params.verbosity = -1
        self._server = xllamacpp.Server(params)
        self._client = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=socket), base_url="http://mini", timeout=600
        )
        self._turn = asyncio.Semaphore(slots)

    async def reply(self, text: str, **more: object) -> str:
        """Return what the model says after a text, taking always the likeliest token."""
        stop = ["<end_of_turn>", "\nQuestion:"]
        body: dict[str, Any] = {
            "prompt": text,
            "n_predict": LONGEST,
            "temperature": 0,
            "stop": stop,
            "cache_prompt": False,
        }
        async with self._turn:
            answer = await self._client.post("/completion", json=body | more)
        return str(answer.raise_for_status().json()["content"])


def held_questions(count: int, seed: int) -> list[Example]:
    """Return so many questions for each row of the table that the training never saw."""
    return [example for row, kinds in _rows().items() for example in _drawn(row, kinds, count, seed)]


def _rows() -> dict[str, list[str]]:
    """Return the generators of each row."""
    rows: dict[str, list[str]] = defaultdict(list)
    for kind in HELD_KINDS:
        name = held_example(kind, Random(kind)).kind
        talk = [row for row, kinds in TALK.items() if name in kinds]
        if name.startswith("fact_"):
            talk = ["plain facts"]
        if kind in REASONED or talk:
            rows[talk[0] if talk else name].append(kind)
    return rows


def _drawn(row: str, kinds: Sequence[str], count: int, seed: int) -> list[Example]:
    rng = Random(f"{seed} {row}")
    found: dict[tuple[object, ...], Example] = {}
    for _ in range(count * 50):
        example = held_example(rng.choice(kinds), rng)
        found.setdefault((example.question, example.earlier), example._replace(kind=row))
        if len(found) == count:
            break
    return list(found.values())


def written_by_hand() -> list[Example]:
    """Return the questions that no generator could make."""
    table = tomllib.loads(UNLIKE.read_text("utf-8"))["question"]
    return [Example("written by hand", each["ask"], (), each["target"], each["target"]) for each in table]


async def asked(questions: Sequence[Example], tuned: Model, base: Model | None) -> list[Asked]:
    """Return what came of each question."""

    async def one(example: Example) -> Asked:
        text = await tuned.reply(prompt(example))
        got = graded(text, example.question, example.target)
        without = got
        if got.corrections:
            bare = await tuned.reply(prompt(example), grammar=NO_REFLECTION)
            without = graded(bare, example.question, example.target)
        shot = None
        if base:
            said = await base.reply(FEW_SHOT.format(example.question))
            shot = graded(said.strip(), example.question, example.target)
        return Asked(example, got, without, shot, text)

    return list(await asyncio.gather(*(one(example) for example in questions)))


def table(results: Iterable[Asked]) -> str:
    """Return the results kind by kind as Markdown, the weakest first."""
    kinds: dict[str, list[Asked]] = defaultdict(list)
    for result in results:
        kinds[result.example.kind].append(result)
    rows = [_row(name, of) for name, of in sorted(kinds.items(), key=lambda kind: _share(kind[1]))]
    rows.append(_row("all", [one for of in kinds.values() for one in of]))
    head = (
        "| kind | questions | tags complete | right | base, few-shot | with a correction | which mends | which spoils |"
    )
    return "\n".join([head, "|---" * 8 + "|", *rows])


def _share(of: Sequence[Asked]) -> float:
    return sum(one.tuned.right for one in of) / len(of)


def _row(name: str, of: Sequence[Asked]) -> str:
    complete = sum(one.tuned.complete for one in of)
    right = sum(one.tuned.right for one in of)
    base = [one.base for one in of if one.base]
    shot = f"{sum(one.right for one in base)} of {len(base)}" if base else "-"
    corrected = sum(one.tuned.corrections > 0 for one in of)
    mends = sum(one.tuned.right and not one.without.right for one in of)
    spoils = sum(one.without.right and not one.tuned.right for one in of)
    return f"| {name} | {len(of)} | {complete} | {right} | {shot} | {corrected} | {mends} | {spoils} |"


def _line(one: Asked) -> str:
    told = {
        "kind": one.example.kind,
        "question": one.example.question,
        "target": one.example.target,
        "reply": one.text,
        "right": one.tuned.right,
        "complete": one.tuned.complete,
        "without": one.without.answer,
    }
    return json.dumps(told, ensure_ascii=False) + "\n"


async def _run(args: argparse.Namespace, weights: Path) -> list[Asked]:
    tuned = Model(weights, args.adapter)
    base = Model(weights, None) if args.few_shot else None
    return await asked([*held_questions(args.count, args.seed), *written_by_hand()], tuned, base)


def main() -> None:
    """Print the table and keep the replies."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("adapter", type=Path)
    parser.add_argument("--count", type=int, default=30, help="questions of each kind")
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--few-shot", action="store_true", help="ask the base model as well, with four examples before")
    parser.add_argument("--replies", type=Path, help="a file for all replies, as JSON lines")
    args = parser.parse_args()
    began = time.monotonic()
    results = asyncio.run(_run(args, base_path()))
    print(table(results))
    print(f"\n{len(results)} questions in {time.monotonic() - began:.0f} s")
    if args.replies:
        args.replies.write_text("".join(map(_line, results)), "utf-8")


if __name__ == "__main__":
    main()
