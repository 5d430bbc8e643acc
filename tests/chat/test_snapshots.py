"""Pictures of the chat; tests/snapshots/update.py redraws them after an intended change."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from reflectty.core.session import ReplyOrigin
from reflectty.reasoning.modes import AskOptions
from support.chat_app import IN_THOUGHT, chatting, store_exchanges
from support.conversations import QUESTION, TURNS, plain_reply, stored_reply
from support.model_server import GB
from support.scripted_engine import HOLD

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from reflectty.core.session import Session
    from reflectty.store import Store
    from support.chat_app import Reader
    from support.scripted_engine import Script

FOLDER = Path(__file__).parents[1] / "snapshots" / "chat"
UPDATE = "PYTHONPATH=tests python tests/snapshots/update.py"
MOVING = (
    (r"[◐◓◑◒]", "◐"),
    (r"\d+(?:\.\d+)?(?:&#160;| )s(?:(?:&#160;)+(?=<)|(?=[&<\s]))", "0&#160;s"),
    (r"\d+&#160;tok/s", "0&#160;tok/s"),
)
"""Patterns that depend on the clock, including the blanks up to the end of the row, and their replacements."""


ABILITIES = ("reflection:70b .*thinking", "deepseek-r1:14b .*tools", "mini .*reflection, thinking")
"""Rows of models after their capabilities have arrived."""


def stored(store: Store) -> Session:
    second = TURNS[2]
    return store_exchanges(
        store,
        (QUESTION, stored_reply()),
        (second.text, stored_reply("There are none for fractions.", origin=ReplyOrigin.STEERED)),
    )


def plain(store: Store) -> Session:
    return store_exchanges(store, ("The capital of France?", plain_reply("Paris.")))


ROOTS = r"""So 3*4*5 = 60 and 2**3 + 4**2 = 24, in `__init__.py` or __init__.py; **bold** stays.

The roots are \( x_{1,2} = \frac{-b \pm \sqrt{b^2-4ac}}{2a} \), where \(a \neq 0\):

\[
x = \frac{-b \pm \sqrt{b^2-4ac}}{2a}
\]

| Task | Command | Note |
|---|---|---|
| Count | `ls | wc -l` | counts lines, for $5 |
| Or | a || b | logical |

```markdown
```python
x = 1
```
```

The answer is $\boxed{x \le \frac{1}{2}}$.
"""


def formulas(store: Store) -> Session:
    return store_exchanges(store, ("The roots of a square?", plain_reply(ROOTS)))


async def nothing(_: Reader) -> None:
    """Leave it as it is."""


async def held(reader: Reader) -> None:
    await reader.ask_held(QUESTION, "90 is more")
    await reader.shows("thinking", "33 tokens", "1 correction")


async def steering(reader: Reader) -> None:
    await held(reader)
    await reader.press("alt+s")
    await reader.until(lambda: reader.chat.composer.text)
    reader.chat.turns.speed = 41.2
    reader.chat.refresh_status()


async def queued(reader: Reader) -> None:
    await held(reader)
    await reader.send("And 9.12?")


async def folded(reader: Reader) -> None:
    await reader.send("/thinking folded")
    await reader.until(lambda: "▸" in reader.text)


async def scrolled(reader: Reader) -> None:
    await reader.press("ctrl+home")


async def corrected(reader: Reader) -> None:
    await reader.press("alt+n")


async def wrong(reader: Reader) -> None:
    await reader.send("/modle mini")


async def models(reader: Reader) -> None:
    reader.server.loaded = {"reflection:70b": (44 * GB, 28 * GB), "mini:latest": (321_000_000, 321_000_000)}
    await reader.press("f6")
    await reader.shows("mini", "reflection", "GPU")
    # Where there is room, the capabilities of each model are requested after the list is shown.
    if reader.app.size.width >= 80:
        await reader.until(lambda: all(re.search(can, reader.text) for can in ABILITIES))


async def pulling(reader: Reader) -> None:
    served = {name: reader.server.pulling(name) for name in ("qwen3:8b", "gpt-oss:20b", "reflecton")}
    for name in served:
        await reader.send(f"/pull {name}")
    await reader.until(lambda: len(reader.server.calls("pull")) == len(served))
    served["qwen3:8b"].fetch(2_400_000_000)
    served["gpt-oss:20b"].say("pulling manifest")
    served["reflecton"].fail("pull model manifest: file does not exist")
    await models(reader)
    await reader.shows("46 %", "pulling manifest", "has no model reflecton")


class Picture(NamedTuple):
    """The contents of a picture."""

    use: Callable[[Reader], Awaitable[None]] = nothing
    before: Callable[[Store], Session | None] = lambda _: None
    scripts: tuple[Script, ...] = ()
    size: tuple[int, int] = (80, 30)
    theme: str = "ink"
    colours: int = 1 << 24
    unicode: bool = True
    model: str = "reflection"


PICTURES = {
    "empty": Picture(),
    "stored-ink": Picture(before=stored, size=(100, 44)),
    "stored-paper": Picture(before=stored, size=(100, 44), theme="paper"),
    "stored-16": Picture(before=stored, size=(80, 44), colours=16),
    "stored-ascii": Picture(before=stored, size=(80, 44), colours=0, unicode=False),
    "plain": Picture(before=plain),
    "formulas": Picture(before=formulas),
    "waiting": Picture(use=lambda reader: reader.ask_held(QUESTION, "waiting"), scripts=((HOLD,),)),
    "thinking": Picture(held, scripts=(IN_THOUGHT,), size=(100, 30)),
    "steering": Picture(steering, scripts=(IN_THOUGHT,)),
    "queued": Picture(queued, scripts=(IN_THOUGHT,)),
    "folded": Picture(folded, before=stored),
    "scrolled": Picture(scrolled, before=stored, size=(80, 24)),
    "correction": Picture(corrected, before=stored, size=(80, 24)),
    "wrong": Picture(wrong),
    "models": Picture(models, size=(130, 30), model="mini"),
    "models-paper": Picture(models, size=(80, 24), theme="paper", model="mini"),
    "models-16": Picture(pulling, size=(80, 24), colours=16, model="mini"),
    "models-narrow": Picture(models, size=(40, 10), model="mini"),
    "models-pulling": Picture(pulling, size=(100, 30), model="mini"),
    "narrow": Picture(before=stored, size=(38, 24)),
    "wide": Picture(before=stored, size=(200, 44)),
}


def drawn(picture: Picture) -> str:
    """A picture as SVG, without parts that differ from one run to the next."""

    async def use(reader: Reader) -> str:
        # The speed of a running reply differs from one run to the next, and with it the places of what follows.
        reader.chat.show_progress = lambda state: None  # type: ignore[method-assign]  # noqa: ARG005 - named by its caller
        await picture.use(reader)
        reader.chat.notes.clear()
        await reader.until(lambda: "127.0.0.1" in reader.text or reader.app.size.width < 60)
        await reader.settle()
        return reader.app.export_screenshot(title="reflect", simplify=True)

    svg = chatting(
        use,
        *picture.scripts,
        before=picture.before,
        size=picture.size,
        theme=picture.theme,
        colours=picture.colours,
        unicode=picture.unicode,
        manner=AskOptions(model=picture.model),
        notifications=False,
    )
    return steady(svg)


def steady(svg: str) -> str:
    """A picture without external fonts, its own ids and clock-dependent text."""
    svg = re.sub(r"\s*@font-face \{[^}]*\}", "", re.sub(r"terminal-\d+", "chat", svg))
    for pattern, instead in MOVING:
        svg = re.sub(pattern, instead, svg)
    return re.sub(r"[ \t]+$", "", svg, flags=re.MULTILINE).rstrip() + "\n"


@pytest.mark.parametrize("name", PICTURES)
def test_chat_matches_its_snapshot(name: str) -> None:
    path = FOLDER / f"{name}.svg"
    new = drawn(PICTURES[name])
    if path.exists() and path.read_text("utf-8") == new:
        return
    other = path.with_suffix(".new.svg")
    other.write_text(new, "utf-8")
    pytest.fail(f"{other} is not {path.name}: look at both; `{UPDATE} {name}` accepts the new one", pytrace=False)


def test_every_snapshot_file_has_a_definition() -> None:
    kept = {path.stem for path in FOLDER.glob("*.svg") if ".new" not in path.name}
    assert kept == set(PICTURES)
