"""Gemma 3 over packed documents with a low-rank adapter beside each matrix; knows nothing of data and of steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch.nn import functional

from mini.gemma import WORK

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from mini.adapter import Adapter, Lora
    from mini.gemma import Base, Shape

# Every sixth layer looks at the whole text with slow rotations, the others at a window with fast ones.
GLOBAL_EVERY = 6
LOCAL_BASE = 10_000.0


class _Linear(torch.autograd.Function):
    """A frozen matrix with its update; the gradients of the update go straight to where they are summed."""

    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor, lora: Lora) -> Tensor:  # noqa: ANN001
        low = functional.linear(x, lora.down)
        ctx.save_for_backward(x, low)
        ctx.weight, ctx.lora = weight, lora
        return functional.linear(x, weight).addmm_(low, lora.up.t())

    @staticmethod
    def backward(ctx, above: Tensor) -> tuple[Tensor, None, None]:  # noqa: ANN001
        x, low = ctx.saved_tensors
        lora = ctx.lora
        above = above.contiguous()
        below = above @ lora.up
        lora.add_gradients(below.t() @ x, above.t() @ low)
        return (above @ ctx.weight).addmm_(below, lora.down), None, None


class Spans(NamedTuple):
    """The documents of a pack, and the two functions of attention that may be compiled."""

    bounds: Sequence[tuple[int, int]]
    weights: Callable[[Tensor, int], Tensor]
    slopes: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


class Rotation(NamedTuple):
    """Cosines and sines of a pack's places."""

    cosine: Tensor
    sine: Tensor


class Places(NamedTuple):
    """Where the documents of a pack lie and how their places turn queries and keys."""

    bounds: tuple[tuple[int, int], ...]
    near: Rotation
    far: Rotation


def places(shape: Shape, bounds: Sequence[tuple[int, int]], length: int) -> Places:
    """Return the places of a pack; each document counts from nought."""
    position = torch.zeros(length)
    for begin, end in bounds:
        if end - begin > shape.window:
            raise ValueError(f"a document of {end - begin} tokens is longer than the window of {shape.window}")
        position[begin:end] = torch.arange(end - begin)
    rotations = (_rotation(shape, position, base) for base in (LOCAL_BASE, shape.base))
    return Places(tuple(bounds), *rotations)


def _rotation(shape: Shape, position: Tensor, base: float) -> Rotation:
    half = shape.head // 2
    angle = position[:, None].double() * base ** -(torch.arange(half).double() / half)
    return Rotation(angle.cos().float(), angle.sin().float())


def _normed(x: Tensor, weight: Tensor, epsilon: float) -> Tensor:
    x = x.float()
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + epsilon) * weight


def _enter(x: Tensor, weight: Tensor, epsilon: float) -> Tensor:
    return _normed(x, weight, epsilon).to(WORK)


def _join(x: Tensor, branch: Tensor, post: Tensor, following: Tensor, epsilon: float) -> tuple[Tensor, Tensor]:
    """Add a branch's normed result to the stream, and norm the stream for the next branch."""
    x = x + _normed(branch, post, epsilon)
    return x, _normed(x, following, epsilon).to(WORK)


def _turn(x: Tensor, weight: Tensor, rotation: Rotation, epsilon: float, scale: float) -> Tensor:
    """Norm heads and turn them by their place; x is places by heads by head."""
    x = _normed(x, weight * scale, epsilon)
    first, second = x.chunk(2, dim=-1)
    cosine, sine = rotation.cosine[:, None], rotation.sine[:, None]
    return torch.cat((first * cosine - second * sine, second * cosine + first * sine), dim=-1).to(WORK)


def _gated(x: Tensor) -> Tensor:
    gate, up = x.chunk(2, dim=-1)
    return (functional.gelu(gate.float(), approximate="tanh") * up.float()).to(WORK)


def _weights(scores: Tensor, heads: int) -> Tensor:
    """Weigh what stands at or before each place; rows are places by heads."""
    rows, length = scores.shape
    later = torch.arange(length)[None] > torch.arange(rows)[:, None] // heads
    return scores.masked_fill(later, float("-inf")).softmax(-1).to(WORK)


def _slopes(weights: Tensor, above: Tensor, result: Tensor, value: Tensor) -> Tensor:
    """Return the gradient of the scores."""
    mean = (above.float() * result.float()).sum(-1, keepdim=True)
    return (weights.float() * (value.float() - mean)).to(WORK)


class _Attend(torch.autograd.Function):
    """Attention within each document by plain products; all heads of queries share the keys, so they are its rows."""

    @staticmethod
    def forward(ctx, query: Tensor, key: Tensor, value: Tensor, spans: Spans) -> Tensor:  # noqa: ANN001
        result, kept = torch.zeros_like(query), []
        for begin, end in spans.bounds:
            q = query[begin:end].flatten(0, 1)
            kept.append(spans.weights(q.float() @ key[begin:end].float().t(), query.shape[1]))
            torch.mm(kept[-1], value[begin:end], out=result[begin:end].view_as(q))
        ctx.save_for_backward(query, key, value, result, *kept)
        ctx.spans = spans
        return result.flatten(1)

    @staticmethod
    def backward(ctx, above: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN001
        query, key, value, result, *kept = ctx.saved_tensors
        above = above.contiguous().view_as(query)
        to_query, to_key, to_value = (torch.zeros_like(x) for x in (query, key, value))
        for (begin, end), weights in zip(ctx.spans.bounds, kept, strict=True):
            q, up, out = (x[begin:end].flatten(0, 1) for x in (query, above, result))
            slopes = ctx.spans.slopes(weights, up, out, up @ value[begin:end].t())
            torch.mm(weights.t(), up, out=to_value[begin:end])
            torch.mm(slopes, key[begin:end], out=to_query[begin:end].view_as(q))
            torch.mm(slopes.t(), q, out=to_key[begin:end])
        return to_query, to_key, to_value, None


def hurry(threads: int) -> None:
    """Use so many threads; where matrices are in bfloat16, multiply float32 as bfloat16 too, with sums in float32."""
    torch.set_num_threads(threads)
    if torch.bfloat16 == WORK:
        torch.backends.mkldnn.matmul.fp32_precision = "bf16"


class Network:
    """The base with the adapter; gives the last norm's outcome for each token of a pack."""

    def __init__(self, base: Base, adapter: Adapter, *, fuse: bool = True) -> None:
        self.base, self.adapter = base, adapter
        wrap = torch.compile if fuse else (lambda function, **_: function)
        self._enter, self._join, self._turn, self._gated = (
            wrap(function, dynamic=False) for function in (_enter, _join, _turn, _gated)
        )
        self._weights, self._slopes = (wrap(function, dynamic=True) for function in (_weights, _slopes))

    def _linear(self, name: str, x: Tensor) -> Tensor:
        return _Linear.apply(x, self.base.matrices[name], self.adapter.loras[name])

    def hidden(self, ids: Tensor, where: Places) -> Tensor:
        """Run a pack; the places' bounds must cover it."""
        shape, norms = self.base.shape, self.base.norms
        x = (functional.embedding(ids, self.base.embedding).float() * shape.width**0.5).requires_grad_()
        normed = self._enter(x, norms["0.attn_norm"], shape.epsilon)
        for layer in range(shape.layers):
            attended = self._attention(layer, normed, where)
            after, before = norms[f"{layer}.post_attention_norm"], norms[f"{layer}.ffn_norm"]
            x, normed = self._join(x, attended, after, before, shape.epsilon)
            fed = self._linear(f"{layer}.ffn_gate_up", normed)
            fed = self._linear(f"{layer}.ffn_down", self._gated(fed))
            last = layer + 1 == shape.layers
            before = self.base.norm if last else norms[f"{layer + 1}.attn_norm"]
            x, normed = self._join(x, fed, norms[f"{layer}.post_ffw_norm"], before, shape.epsilon)
        return normed

    def _attention(self, layer: int, x: Tensor, where: Places) -> Tensor:
        shape, norms = self.base.shape, self.base.norms
        mixed = self._linear(f"{layer}.attn_qkv", x).view(len(x), -1, shape.head)
        rotation = where.near if (layer + 1) % GLOBAL_EVERY else where.far
        query = self._turn(
            mixed[:, : shape.heads], norms[f"{layer}.attn_q_norm"], rotation, shape.epsilon, shape.head**-0.5
        )
        key = self._turn(mixed[:, shape.heads : -1], norms[f"{layer}.attn_k_norm"], rotation, shape.epsilon, 1.0)
        result = _Attend.apply(query, key[:, 0], mixed[:, -1], Spans(where.bounds, self._weights, self._slopes))
        return self._linear(f"{layer}.attn_output", result)
