"""Cuts what ends a turn from the end of a reply: servers that are asked to keep special tokens send that one as well.

llama-server started with `--special` does so, and SGLang; the tags of a reflection model may be special tokens too,
and without asking for those no tag would come.
"""

from __future__ import annotations

from typing import Final

OF_HTML: Final = "</s>"
ENDINGS: Final = (
    "<|im_end|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|end_of_text|>",
    "<|endoftext|>",
    "<|end_of_turn|>",
    "<end_of_turn>",
    "<turn|>",
    "<eos>",
    OF_HTML,
    "<｜end▁of▁sentence｜>",  # noqa: RUF001 - the bars are those of the token
)
"""The tokens; each begins with the only `<` that it has. Those that are a family's own markers are not among them."""
LONGEST: Final = max(map(len, ENDINGS))
MOST_HELD: Final = 1000
"""Characters that are held back at most."""


class Ending:
    """Fed the content of a reply, passes on what is not its end; holds back what may be.

    Args:
        html: whether `</s>` is HTML, as it is from vLLM, which never sends the token that ends a turn.
    """

    def __init__(self, *, html: bool = False) -> None:
        self._endings = tuple(token for token in ENDINGS if token != OF_HTML) if html else ENDINGS
        self._held = ""
        self._before = ""
        """The character before what is held back."""

    def feed(self, text: str) -> str:
        """Return what is certain to belong to the reply."""
        text = self._held + text
        at = _start(text, self._endings)
        if len(text) - at > MOST_HELD:
            at = len(text)
        self._held = text[at:]
        self._before = text[at - 1 : at] or self._before
        return text[:at]

    def flush(self) -> str:
        """Return what was held back: something else came after it, or the reply was cut."""
        held, self._held = self._held, ""
        self._before = held[-1:] or self._before
        return held

    def close(self) -> str:
        """Return what was held back, without the tokens: the reply has ended."""
        text = self._before + self._held
        while (at := _token_at_the_end(text, self._endings)) >= 0:
            text = text[:at]
        return text.removeprefix(self._before)


def _start(text: str, endings: tuple[str, ...]) -> int:
    """Return where that begins which may turn out to be the end: tokens, and at last the beginning of one."""
    body = text.rstrip()
    at = body.rfind("<", max(0, len(body) - LONGEST))
    if at < 0:
        return len(text)
    tail = body[at:]
    if not any(token.startswith(tail) for token in endings):
        return len(text)
    while (earlier := _token_at_the_end(text[:at], endings)) >= 0:
        at = earlier
    return at


def _token_at_the_end(text: str, endings: tuple[str, ...]) -> int:
    """Return where the token begins that the text ends in, white space aside; -1 where it ends in none.

    `</s>` after a blank is what somebody writes about HTML: the token follows the last word at once.
    """
    body = text.rstrip()
    ending = next(filter(body.endswith, endings), "")
    at = len(body) - len(ending)
    in_prose = ending == OF_HTML and body[:at].rstrip() != body[:at]
    return at if ending and not in_prose else -1
