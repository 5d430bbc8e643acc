"""Train the adapter on worked examples; knows nothing of how they were made and of how llama.cpp loads the result."""

from __future__ import annotations

import argparse
import math
import random
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from mini import gemma, network, tokens
from mini.adapter import Adapter
from mini.export import read
from mini.weights import base_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

    from mini.tokens import Document, Pack


class _Loss(torch.autograd.Function):
    """Mean cross entropy over the vocabulary of the run, whose gradient is found on the way forwards."""

    @staticmethod
    def forward(ctx, hidden: Tensor, words: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ANN001
        logits = hidden.float() @ words.float().t()
        likely = logits.log_softmax(-1)
        rows = torch.arange(len(labels))
        each = -likely[rows, labels]
        slopes = likely.exp_()
        slopes[rows, labels] -= 1
        ctx.save_for_backward((slopes / len(labels)).to(words.dtype) @ words)
        ctx.mark_non_differentiable(each)
        return each.mean(), each

    @staticmethod
    def backward(ctx, above: Tensor, _each: Tensor) -> tuple[Tensor, None, None]:  # noqa: ANN001
        return (ctx.saved_tensors[0] * above).to(gemma.WORK), None, None


class Plan(NamedTuple):
    """How long to train, by steps or by the clock, and how fast to learn."""

    steps: int
    seconds: float
    rate: float
    warm: int

    def progress(self, step: int, elapsed: float) -> float:
        """Return how much of the run is over, from 0 to 1."""
        return min(1.0, step / self.steps if self.steps else elapsed / self.seconds)

    def rate_at(self, step: int, progress: float) -> float:
        """Return the learning rate: a short way up, then half a cosine down to a hundredth."""
        up = min(1.0, (step + 1) / self.warm)
        return self.rate * up * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))


class Trainer:
    """One run: the network, its optimiser, the rows it learns from and where it stands."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.out: Path = options.out
        self.out.mkdir(parents=True, exist_ok=True)
        weights = options.base or base_path()
        found = tokens.documents(options.data, weights)
        base = gemma.load(weights)
        self.words = tokens.vocabulary(found, base.embedding)
        self.rest = np.setdiff1d(np.arange(len(base.embedding)), self.words)
        self.embedding = base.embedding
        self.learnt, self.held = divided(found, options, base.shape.window)
        self.table = base.embedding[torch.from_numpy(self.words)].contiguous()
        self.adapter = Adapter(base, options.rank, options.seed)
        if options.start:
            read(self.adapter, options.start)
        self.network = network.Network(base, self.adapter, fuse=options.fuse)
        self.optimiser = torch.optim.AdamW(
            [self.adapter.numbers], lr=options.rate, betas=(0.9, 0.99), weight_decay=options.decay, fused=True
        )
        self.chance = np.random.default_rng(options.seed)
        self.step, self.elapsed, self.seen = 0, 0.0, 0

    def rows(self) -> Iterator[Pack]:
        """Yield rows for ever; each time round in another order, the same for the same seed."""
        turn = 0
        while True:
            chance = random.Random(f"{self.options.seed} {turn}")
            yield from tokens.packs(self.learnt, self.words, self.options.length, chance)
            turn += 1

    def losses(self, pack: Pack) -> tuple[Tensor, Tensor]:
        """Return the mean loss of a row and the loss of each token learnt."""
        where = network.places(self.network.base.shape, pack.bounds, len(pack.ids))
        hidden = self.network.hidden(pack.ids, where)
        return _Loss.apply(hidden[pack.before], torch.cat((self.table, self._others())), pack.labels)

    def _others(self) -> Tensor:
        """Return the embeddings of some tokens of all, other ones each time, that the model must learn not to write."""
        chosen = self.chance.choice(self.rest, min(self.options.others, len(self.rest)), replace=False)
        return self.embedding[torch.from_numpy(chosen)]

    def learn(self, rows: Sequence[Pack], rate: float) -> float:
        """Take one step and return the loss before it."""
        self.adapter.numbers.grad.zero_()
        total = sum(len(pack.labels) for pack in rows)
        loss = 0.0
        for pack in rows:
            share = len(pack.labels) / total
            mean, _ = self.losses(pack)
            (mean * share).backward()
            loss += float(mean.detach()) * share
        torch.nn.utils.clip_grad_norm_([self.adapter.numbers], 1.0)
        self.optimiser.param_groups[0]["lr"] = rate
        self.optimiser.step()
        self.adapter.refresh()
        self.seen += sum(pack.tokens for pack in rows)
        return loss

    def judged(self) -> dict[str, float]:
        """Return the mean loss of each kind, and of all, on what was held back."""
        sums: dict[str, list[float]] = defaultdict(list)
        with torch.no_grad():
            for pack in tokens.packs(self.held, self.words, self.options.length, None):
                for kind, loss in zip(pack.kinds, self.losses(pack)[1].tolist(), strict=True):
                    sums[kind].append(loss)
                    sums["all"].append(loss)
        return {kind: sum(losses) / len(losses) for kind, losses in sorted(sums.items())}

    def save(self, name: str) -> None:
        """Write where the run stands; a run that is cut off while writing keeps the file of before."""
        state = {
            "rank": self.adapter.rank,
            "numbers": self.adapter.numbers.detach(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "elapsed": self.elapsed,
            "seen": self.seen,
        }
        fresh = self.out / f"{name}.new"
        torch.save(state, fresh)
        fresh.replace(self.out / name)

    def resume(self, path: Path) -> None:
        """Go on where a saved run stood."""
        state = torch.load(path)
        with torch.no_grad():
            self.adapter.numbers.copy_(state["numbers"])
        self.adapter.refresh()
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.elapsed, self.seen = state["step"], state["elapsed"], state["seen"]


def divided(found: Sequence[Document], options: argparse.Namespace, window: int) -> tuple[list, list]:
    """Return what to learn from and what to hold back, without what is too long."""
    fitting = [document for document in found if len(document.ids) <= min(window, options.length)]
    random.Random(options.seed).shuffle(fitting)
    print(f"{len(fitting)} documents, {len(found) - len(fitting)} too long and left out")
    held = min(options.held, len(fitting) // 10)
    return fitting[held:], fitting[:held]


def run(trainer: Trainer, plan: Plan) -> None:
    """Train until the plan is fulfilled; tell, judge and save on the way."""
    rows = trainer.rows()
    for _ in range(trainer.step * trainer.options.rows):
        next(rows)
    clock = _Clock(trainer)
    while (progress := plan.progress(trainer.step, trainer.elapsed)) < 1:
        rate = plan.rate_at(trainer.step, progress)
        loss = trainer.learn([next(rows) for _ in range(trainer.options.rows)], rate)
        trainer.step += 1
        clock.tick(loss, rate)
    trainer.save("last.pt")
    _tell(trainer)


class _Clock:
    """Tells every twenty steps, judges and saves every few minutes."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.begun = time.monotonic() - trainer.elapsed
        self.saved = self.judged = self.last = time.monotonic()
        self.busy, self.losses = 0.0, []
        self.seen = trainer.seen

    def tick(self, loss: float, rate: float) -> None:
        trainer, now = self.trainer, time.monotonic()
        trainer.elapsed = now - self.begun
        self.busy += now - self.last
        self.losses.append(loss)
        if trainer.step % 20 == 0:
            self._tell(rate)
        if now - self.saved > trainer.options.save * 60:
            trainer.save("last.pt")
            self.saved = time.monotonic()
        if now - self.judged > trainer.options.judge * 60:
            _tell(trainer)
            self.judged = time.monotonic()
        self.last = time.monotonic()
        trainer.elapsed = self.last - self.begun

    def _tell(self, rate: float) -> None:
        trainer = self.trainer
        speed = (trainer.seen - self.seen) / self.busy
        mean = sum(self.losses) / len(self.losses)
        print(
            f"step {trainer.step}  {trainer.elapsed / 60:.1f} min  {trainer.seen} tokens  {speed:.0f} tokens/s"
            f"  loss {mean:.4f}  rate {rate:.2e}",
            flush=True,
        )
        self.busy, self.seen, self.losses = 0.0, trainer.seen, []


def _tell(trainer: Trainer) -> None:
    print("held back: " + "  ".join(f"{kind} {loss:.3f}" for kind, loss in trainer.judged().items()), flush=True)


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(prog="python -m mini.train", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the examples, as JSON lines")
    parser.add_argument("--base", type=Path, help="the GGUF file of the base model, if not the installed one")
    parser.add_argument("--out", type=Path, required=True, help="the folder for last.pt")
    parser.add_argument("--minutes", type=float, default=65, help="how long to train, unless steps are given")
    parser.add_argument("--steps", type=int, default=0, help="how many steps to train; exact for a seed")
    parser.add_argument("--start", type=Path, help="an exported adapter to begin with")
    parser.add_argument("--resume", type=Path, help="a saved run to go on with")
    parser.add_argument("--rank", type=int, default=32)
    parser.add_argument("--rate", type=float, default=1e-3, help="the highest learning rate")
    parser.add_argument("--warm", type=int, default=20, help="steps until the highest rate")
    parser.add_argument("--decay", type=float, default=0.0)
    parser.add_argument("--length", type=int, default=2048, help="tokens of a row")
    parser.add_argument("--rows", type=int, default=1, help="rows of a step")
    parser.add_argument("--others", type=int, default=2000, help="tokens by chance beside those of the data")
    parser.add_argument("--held", type=int, default=200, help="documents held back, a tenth of all at most")
    parser.add_argument("--judge", type=float, default=6, help="minutes between two judgements")
    parser.add_argument("--save", type=float, default=5, help="minutes between two saves")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-fuse", dest="fuse", action="store_false", help="do without a C++ compiler, slower")
    options = parser.parse_args()
    network.hurry(options.threads)
    trainer = Trainer(options)
    if options.resume:
        trainer.resume(options.resume)
    run(trainer, Plan(options.steps, options.minutes * 60, options.rate, options.warm))


if __name__ == "__main__":
    main()
