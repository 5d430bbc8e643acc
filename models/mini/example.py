"""One question with its worked reply, as every generator makes it; knows nothing of models and of training."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


class Piece(NamedTuple):
    """A part of a reply, whole lines, and whether the model is to learn it."""

    text: str
    learnt: bool = True


class Example(NamedTuple):
    """A question and the reply that the model learns to give."""

    kind: str
    question: str
    thinking: tuple[Piece, ...]
    """Lines, each ended by a newline; what stands in a reflection is enclosed in its tags already."""
    answer: str
    """What the user is told."""
    target: str
    """What a right answer must contain or equal, as the grader of the kind takes it; often a number."""
    earlier: tuple[tuple[str, str], ...] = ()
    """Questions and answers before this one, for what is asked in a conversation."""
    system: str = ""
    apart: tuple[str, ...] = ()
    """What the reply writes letter by letter, each a token of its own, as whole words: a word turned round is cut into
    tokens that no reader could tell from its letters, and no small model can compose."""


def step(text: str) -> Piece:
    """Return a line of thinking that is right."""
    return Piece(f"{text}\n")


def slip(text: str) -> Piece:
    """Return a line that errs on purpose: the model sees it and does not learn to write it."""
    return Piece(f"{text}\n", learnt=False)


def reflection(*lines: str) -> Piece:
    """Return a passage that corrects what stands before it, or finds by computing that it was right."""
    return Piece("<reflection>\n" + "\n".join(lines) + "\n</reflection>\n")


def reply(example: Example) -> tuple[Piece, ...]:
    """Return the whole reply in pieces; neighbours that are both learnt, or both not, are one piece."""
    pieces = [Piece("<thinking>\n"), *example.thinking]
    pieces.append(Piece(f"</thinking>\n<output>\n{example.answer}\n</output>"))
    return _joined(pieces)


def _joined(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    joined: list[Piece] = []
    for piece in pieces:
        if joined and joined[-1].learnt == piece.learnt:
            joined[-1] = Piece(joined[-1].text + piece.text, piece.learnt)
        else:
            joined.append(piece)
    return tuple(joined)


def prompt(example: Example) -> str:
    """Return what stands before the reply, with the openers and closers of gemma's turns."""
    first = f"{example.system}\n\n" if example.system else ""
    turns = [(q, a) for q, a in example.earlier] + [(example.question, None)]
    text = ""
    for question, answer in turns:
        text += f"<start_of_turn>user\n{first}{question}<end_of_turn>\n<start_of_turn>model\n"
        first = ""
        if answer is not None:
            text += f"{answer}<end_of_turn>\n"
    return text


def parts(text: str, apart: Sequence[str]) -> list[str]:
    """Return a text in parts that are cut into tokens on their own.

    Of each word that is kept apart these are its letters, the first with the blank before it; what stands between two
    of them is one part.
    """
    if not apart:
        return [text]
    words = "|".join(re.escape(word) for word in sorted(apart, key=len, reverse=True))
    found = re.split(rf"( ?(?<!\w)(?:{words})(?!\w))", text)
    return [part for index, each in enumerate(found) for part in (_letters(each) if index % 2 else [each]) if part]


def _letters(word: str) -> list[str]:
    return re.findall(r" ?\S", word)
