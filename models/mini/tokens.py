"""Tokens of worked examples, as llama.cpp cuts them, and documents packed into rows; knows nothing of the network."""

from __future__ import annotations

import hashlib
import http.client
import json
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
import xllamacpp

from mini.example import parts

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from torch import Tensor

BEGIN = 2
END = "<end_of_turn>"
END_ID = 106
ALIKE = 0.9


class Document(NamedTuple):
    """An example in tokens; `learnt` says of each token whether the model learns to write it."""

    kind: str
    ids: np.ndarray
    learnt: np.ndarray


class Pack(NamedTuple):
    """Documents in one row of a fixed length, and where in it something is learnt."""

    ids: Tensor
    bounds: list[tuple[int, int]]
    before: Tensor
    """Places whose next token is learnt."""
    labels: Tensor
    """The tokens learnt, as places in the vocabulary of the run."""
    kinds: list[str]
    """The kind of each token learnt."""
    tokens: int


class Cutter:
    """Cuts texts as inference does, through llama.cpp's own server; what was cut once is remembered."""

    def __init__(self, model: Path) -> None:
        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(model)
        parameters.n_ctx, parameters.warmup, parameters.verbosity = 512, False, 0
        parameters.port = 0
        self._server = xllamacpp.Server(parameters)
        self._connection = http.client.HTTPConnection(self._server.listening_address.removeprefix("http://"))
        self._known: dict[str, list[int]] = {}

    def __call__(self, text: str) -> list[int]:
        if text not in self._known:
            self._known[text] = self._ask(text)
        return self._known[text]

    def _ask(self, text: str) -> list[int]:
        body = json.dumps({"content": text, "parse_special": True, "add_special": False})
        self._connection.request("POST", "/tokenize", body, {"Content-Type": "application/json"})
        return json.loads(self._connection.getresponse().read())["tokens"]


def documents(data: Path, model: Path) -> list[Document]:
    """Return a file's examples in tokens; they are kept beside it until its content changes."""
    lines = data.read_text().splitlines()
    kept = data.with_suffix(".tokens.npz")
    mark = hashlib.sha256(data.read_bytes()).hexdigest()
    if kept.exists():
        with np.load(kept) as stored:
            if stored["mark"] == mark:
                return list(_stored(stored["kinds"], stored["ids"], stored["learnt"], stored["lengths"]))
    cut = Cutter(model)
    found = [_document(json.loads(line), cut) for line in lines]
    _keep(kept, mark, found)
    return found


def _document(example: dict, cut: Cutter) -> Document:
    ids = [BEGIN, *cut(example["prompt"])]
    learnt = [False] * len(ids)
    for text, wanted in [*example["pieces"], (END, True)]:
        piece = [token for part in parts(text, example.get("apart", ())) for token in cut(part)]
        ids += piece
        learnt += [wanted] * len(piece)
    return Document(example["kind"], np.array(ids, np.int32), np.array(learnt))


def _keep(kept: Path, mark: str, found: Sequence[Document]) -> None:
    np.savez(
        kept,
        mark=np.array(mark),
        kinds=np.array([document.kind for document in found]),
        ids=np.concatenate([document.ids for document in found]),
        learnt=np.concatenate([document.learnt for document in found]),
        lengths=np.array([len(document.ids) for document in found]),
    )


def _stored(kinds: np.ndarray, ids: np.ndarray, learnt: np.ndarray, lengths: np.ndarray) -> Iterator[Document]:
    begin = 0
    for kind, length in zip(kinds, lengths, strict=True):
        yield Document(str(kind), ids[begin : begin + length], learnt[begin : begin + length])
        begin += length


def vocabulary(found: Sequence[Document], embedding: Tensor) -> np.ndarray:
    """Return the tokens that stand in the documents, and all that the end of a turn must be told from.

    The base was never shown the end of a turn: its embedding lies among those of thousands of other tokens that were
    never shown either.
    """
    used = np.unique(np.concatenate([document.ids for document in found]))
    return np.union1d(used, np.flatnonzero(_likeness(embedding, END_ID) > ALIKE))


def _likeness(embedding: Tensor, token: int) -> np.ndarray:
    return torch.cosine_similarity(embedding.float(), embedding[token].float()[None]).numpy()


def packs(found: Sequence[Document], words: np.ndarray, length: int, chance: random.Random | None) -> Iterator[Pack]:
    """Yield all documents once, in an order by chance, in rows that hold as many as fit."""
    order = list(found)
    if chance:
        chance.shuffle(order)
    waiting: list[Document] = []
    for document in order:
        waiting.append(document)
        if sum(len(other.ids) for other in waiting) >= 2 * length:
            row = _fill(waiting, length)
            yield _pack(row, words, length)
    while waiting:
        yield _pack(_fill(waiting, length), words, length)


def _fill(waiting: list[Document], length: int) -> list[Document]:
    """Take from what waits, the oldest first, whatever still fits into a row."""
    row, left, rest = [], length, []
    for document in waiting:
        if len(document.ids) <= left:
            row.append(document)
            left -= len(document.ids)
        else:
            rest.append(document)
    waiting[:] = rest
    return row


def _pack(row: Sequence[Document], words: np.ndarray, length: int) -> Pack:
    ids = np.zeros(length, np.int64)
    learnt = np.zeros(length, bool)
    bounds, kinds, end = [], [], 0
    for document in row:
        begin, end = end, end + len(document.ids)
        ids[begin:end], learnt[begin:end] = document.ids, document.learnt
        bounds.append((begin, end))
        kinds += [document.kind] * int(document.learnt.sum())
    labels = torch.from_numpy(np.searchsorted(words, ids[learnt]))
    before = torch.from_numpy(np.flatnonzero(learnt) - 1)
    return Pack(torch.from_numpy(ids), bounds, before, labels, kinds, end)
