"""The low-rank updates that are trained, one beside each matrix of the base, in a single vector of numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from mini.gemma import WORK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from mini.gemma import Base


class Lora:
    """A low-rank update of one fused matrix: views into the adapter's numbers and into their gradients.

    The matrices work on copies in their own precision that `refresh` makes after each step; the parts of a fused matrix
    stand in blocks of one `up`, so that each pass multiplies once.
    """

    def __init__(self, numbers: Tensor, gradients: Tensor, rank: int, sizes: Sequence[int], width: int) -> None:
        self.scale = 2.0
        self.rank, self.sizes, self.width = rank, sizes, width
        self.downs, self.ups = self._views(numbers)
        self.down_gradient, self.up_gradients = self._views(gradients)
        self.down = torch.zeros(len(sizes) * rank, width, dtype=WORK)
        self.up = torch.zeros(sum(sizes), len(sizes) * rank, dtype=WORK)

    def _views(self, numbers: Tensor) -> tuple[Tensor, list[Tensor]]:
        rows = len(self.sizes) * self.rank
        down, rest = numbers[: rows * self.width], numbers[rows * self.width :]
        ups = [part.view(-1, self.rank) for part in rest.split([size * self.rank for size in self.sizes])]
        return down.view(rows, self.width), ups

    def blocks(self, fused: Tensor) -> list[Tensor]:
        """Return the parts of something as big as `up` that belong to the parts of the matrix."""
        rows = fused.split(list(self.sizes))
        return [row[:, place * self.rank : (place + 1) * self.rank] for place, row in enumerate(rows)]

    def refresh(self) -> None:
        """Take the working copies anew from the adapter's numbers."""
        self.down.copy_(self.downs)
        for block, up in zip(self.blocks(self.up), self.ups, strict=True):
            block.copy_(up * self.scale)

    def add_gradients(self, down: Tensor, up: Tensor) -> None:
        """Add what one pass backwards found."""
        self.down_gradient += down
        for gradient, block in zip(self.up_gradients, self.blocks(up), strict=True):
            gradient.add_(block, alpha=self.scale)


class Adapter:
    """All low-rank updates, in one vector of float32 that an optimiser steps."""

    def __init__(self, base: Base, rank: int, seed: int) -> None:
        self.rank = rank
        lengths = {name: rank * self._length(base, name) for name in base.matrices}
        self.numbers = torch.nn.Parameter(torch.zeros(sum(lengths.values())))
        self.numbers.grad = torch.zeros_like(self.numbers)
        self.loras: dict[str, Lora] = {}
        self._cut(base, lengths)
        self._begin(seed)
        self.refresh()

    @staticmethod
    def _length(base: Base, name: str) -> int:
        sizes = base.sizes[name.split(".")[1]]
        return len(sizes) * base.matrices[name].shape[1] + sum(sizes)

    def _cut(self, base: Base, lengths: dict[str, int]) -> None:
        numbers = self.numbers.detach().split(list(lengths.values()))
        gradients = self.numbers.grad.split(list(lengths.values()))
        for name, part, gradient in zip(lengths, numbers, gradients, strict=True):
            sizes, width = base.sizes[name.split(".")[1]], base.matrices[name].shape[1]
            self.loras[name] = Lora(part, gradient, self.rank, sizes, width)

    def _begin(self, seed: int) -> None:
        chance = torch.Generator().manual_seed(seed)
        for lora in self.loras.values():
            edge = (3 / lora.width) ** 0.5
            lora.downs.copy_((torch.rand(lora.downs.shape, generator=chance) * 2 - 1) * edge)

    def refresh(self) -> None:
        """Take the working copies of all updates anew."""
        for lora in self.loras.values():
            lora.refresh()
