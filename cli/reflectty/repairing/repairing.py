"""The repair from end to end: what is lost, the changed file on the server, the copy, its proof."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reflectty.errors import IncompleteError, ReflecttyError, RefusedError, StoreError, UsageError
from reflectty.library import checked_name, files
from reflectty.names import is_same
from reflectty.repairing import weights
from reflectty.repairing.proof import sends_tags
from reflectty.repairing.values import Repaired, Step
from reflectty.vocabulary import lost_tags
from reflectty.wire.recipes import digest_of, encode_create

if TYPE_CHECKING:
    from reflectty.library.library import Library
    from reflectty.recipe import Recipe
    from reflectty.repairing.values import Observer, Wanted
    from reflectty.repairing.weights import Weights
    from reflectty.vocabulary import LostTag, Vocabulary
    from reflectty.wire import Body

SUFFIX: Final = "-repaired"
LONGEST_PART: Final = 80
"""Characters of a model's name without its place and tag."""
WHAT: Final = "the repair"


_REFUSED: Final = {
    "adapters are no longer supported": "merge the adapter into the model's GGUF, and make a model of that",
    "typical_p is no longer supported": weights.BY_HAND,
    "unsupported tensor": "its GGUF has a type of tensor that this Ollama does not know: try another quantisation",
    "size overflows": "its GGUF has a type of tensor that this Ollama does not know: try another quantisation",
    "invalid split gguf": "`llama-gguf-split --merge` joins the parts: name the whole with --gguf PATH",
}
"""What to do about what a server says in refusing, by words of it."""


async def repair(library: Library, wanted: Wanted, observer: Observer) -> Repaired:
    """Make a copy of a model whose tags are text, and ask it a question; a model that loses nothing is left alone.

    Cancelled, it leaves no copy: what was not sent to its end the server forgets, what it has begun to make is
    removed when it is made.

    Raises:
        ModelMissingError: the model is not installed.
        RefusedError: it cannot be repaired.
        UsageError: its GGUF cannot be read here, or there is a model of the copy's name.
        StoreError: the disk of the server is too full.
    """
    engine = library.engine
    recipe = await engine.recipe(checked_name(wanted.model))
    lost = _lost(await engine.vocabulary(wanted.model), recipe, wanted, observer)
    if not lost:
        return Repaired(wanted.model, wanted.model)
    weights.refuse_what_has_none(recipe)
    name = await _free_name(library, wanted)
    path = weights.source(recipe, wanted.gguf, local=engine.local)
    known = await files.version(engine)
    if strict := files.keeps_as_sent(known):
        weights.refuse_what_is_taken_no_more(recipe)
    folder = Path(recipe.weights[0]).parent if recipe.weights and engine.local else None
    try:
        with weights.opened(path, lost, strict=strict) as found:
            sent = await _on_server(library, found, folder, known, observer)
            parts = await _parts(library, found, sent, folder, known, observer)
        body = encode_create(name, recipe, sent, parts)
        await _made(library, body, recipe.name, sent, observer, replaces=wanted.force)
    except RefusedError as error:
        raise _explained(error) from error
    made = await _vetted(library, name, recipe, lost, observer)
    await _keep_only_what_is_needed(library, made, recipe.name, sent, observer)
    return Repaired(wanted.model, name, lost, await _proven(library, name, observer))


def repaired_name(name: str) -> str:
    """Return what the copy of a model is called; a tag stays behind the name, as in `reflection-repaired:70b`."""
    path, slash, last = name.rpartition("/")
    model, colon, tag = last.partition(":")
    return path + slash + model[: LONGEST_PART - len(SUFFIX)] + SUFFIX + colon + tag


def _lost(vocabulary: Vocabulary, recipe: Recipe, wanted: Wanted, observer: Observer) -> tuple[LostTag, ...]:
    """Return what is to be made text: of a model whose thinking the server's own parser reads, only what was named.

    Raises:
        RefusedError: the server does not tell the types of the model's tokens.
        UsageError: the vocabulary lacks a token that was named.
    """
    if not vocabulary.types:
        weights.refuse_what_has_none(recipe)
        raise RefusedError(f"the server does not tell the tokens of {recipe.name}", "a newer Ollama may")
    missing = set(wanted.tokens) - set(vocabulary.tokens)
    if missing:
        message = f"{recipe.name} has no token {min(missing)!r}"
        raise UsageError(
            message, "a tag that is written in several pieces is given piece by piece, as the model has it"
        )
    lost = lost_tags(*vocabulary, wanted.tokens)
    if "thinking" not in recipe.capabilities:
        return lost
    named = tuple(tag for tag in lost if tag.text in wanted.tokens)
    read = dict.fromkeys(tag.text for tag in lost if tag not in named)
    if read:
        observer.note(
            f"the server reads {', '.join(read)} of {recipe.name} itself (--token makes text of one all the same)"
        )
    return named


async def _free_name(library: Library, wanted: Wanted) -> str:
    name = checked_name(wanted.name or repaired_name(wanted.model))
    installed = await library.engine.models()
    if is_same(name, wanted.model):
        raise UsageError(f"the copy cannot be called {name}, as the model itself is", "--name NAME calls it otherwise")
    if any(is_same(name, model.name) for model in installed) and not wanted.force:
        hint = "--force makes it anew, --name NAME calls the copy otherwise"
        raise UsageError(f"there is a model {name} already", hint)
    return name


async def _on_server(
    library: Library, found: Weights, folder: Path | None, known: files.Version, observer: Observer
) -> str:
    """Bring the changed file to the server, unless it has it; return its digest."""
    files.refuse_full_disk(folder, files.room(known, found.size, sent=True), WHAT)
    digest = await weights.digest(found, partial(observer.progress, Step.READING, found.size))
    if not await library.engine.has_blob(digest):
        files.refuse_full_disk(folder, files.room(known, found.size, sent=False), WHAT)
        tell = partial(observer.progress, Step.SENDING, found.size)
        async with aclosing(weights.changed(found, tell)) as pieces:
            await library.engine.send_blob(digest, found.size, pieces)
    return digest


async def _parts(  # noqa: PLR0913, PLR0917 - all that bringing a file takes
    library: Library, found: Weights, sent: str, folder: Path | None, known: files.Version, observer: Observer
) -> dict[str, str]:
    """Bring the other parts of a split model to the server; return the digests of all by the names that it wants."""
    number = len(found.parts) + 1
    digests = [sent]
    for path in found.parts:
        with weights.part(path) as part:
            digests.append(await _on_server(library, part, folder, known, observer))
    named = {weights.part_name("model", at, number): digest for at, digest in enumerate(digests, 1)}
    return named if found.parts else {}


def _explained(error: RefusedError) -> ReflecttyError:
    """Return what a server said as it refused to take or to make something, with what to do about it."""
    said = str(error).lower()
    if "no space left" in said:
        hint = f"it needs the size of the model there, {files.SENT} times the size up to Ollama 0.34.0: free some space"
        return StoreError("the disk of the server is full", hint)
    advice = next((advice for words, advice in _REFUSED.items() if words in said), "")
    return RefusedError(str(error), advice) if advice else error


async def _made(  # noqa: PLR0913 - and all that making a model does
    library: Library, body: Body, model: str, sent: str, observer: Observer, *, replaces: bool
) -> None:
    """Let the server make the copy, and wait until it has: who leaves in the middle may stop it there, or may not.

    Up to 0.34.0 Ollama goes on whoever leaves, and since 0.34.1 not.

    Args:
        library: where it is made.
        body: what it is made of.
        model: what it is a copy of.
        sent: the digest of the file that only the copy needs.
        observer: who is told.
        replaces: whether it may replace another model, which is gone then: it is not taken away when it is cancelled.
    """
    observer.progress(Step.MAKING)
    making = asyncio.create_task(library.engine.create(body))
    try:
        await asyncio.shield(making)
    except asyncio.CancelledError:
        after = "it stays" if replaces else "it is taken away again"
        observer.note(f"the server finishes the copy that it has begun, then {after}; Ctrl-C again leaves at once")
        with suppress(ReflecttyError):
            await making
            if not replaces:
                await library.remove(body["model"])
                await _forget(library, model, sent)
        raise


async def _forget(library: Library, model: str, digest: str) -> None:
    """Let the server remove a file that no model needs: it does so only together with a model that the file is part of.

    As a draft model it becomes such a part without being copied.
    """
    name = f"reflectty-unneeded-{digest[-12:]}"
    if not await library.engine.has_blob(digest):
        return
    with suppress(RefusedError):
        await library.engine.create({"model": name, "from": model, "draft_files": {"unneeded.gguf": digest}})
        await library.remove(name)


async def _keep_only_what_is_needed(library: Library, made: Recipe, model: str, sent: str, observer: Observer) -> None:
    """Have the file removed that was sent, where the server made another of it, as Ollama does up to 0.34.0."""
    if digest_of("".join(made.weights[:1])) in ("", sent):
        return
    forgetting = asyncio.create_task(_forget(library, model, sent))
    try:
        await asyncio.shield(forgetting)
    except asyncio.CancelledError:
        await forgetting
        raise
    if await library.engine.has_blob(sent):
        observer.note("the server keeps the file that was sent beside the one that it made of it, until it starts anew")


async def _vetted(library: Library, name: str, recipe: Recipe, lost: tuple[LostTag, ...], observer: Observer) -> Recipe:
    """Hold the copy against the model, whose tags must be text and all else as it was; return what it is made of.

    Raises:
        IncompleteError: its tags are not text; it is removed.
    """
    vocabulary = await library.engine.vocabulary(name)
    still = {tag.id for tag in lost_tags(*vocabulary, [tag.text for tag in lost])} & {tag.id for tag in lost}
    if still or not vocabulary.types:
        await library.remove(name)
        raise IncompleteError(f"the server did not take the changed types: {name} was removed again")
    made = await library.engine.recipe(name)
    differing = [label for label, one, other in _compared(recipe, made) if one != other]
    if differing:
        observer.note(f"{name} is not like {recipe.name} in all: its {', '.join(differing)} came out different")
    return made


def _compared(recipe: Recipe, made: Recipe) -> tuple[tuple[str, object, object], ...]:
    def parts(one: Recipe) -> list[str]:
        return [digest_of(path) for path in (*one.weights[1:], *one.adapters, one.draft)]

    return (
        ("template", recipe.template, made.template),
        ("system prompt", recipe.system, made.system),
        ("parameters", dict(recipe.parameters), dict(made.parameters)),
        ("licence", recipe.licence, made.licence),
        ("messages", recipe.messages, made.messages),
        ("renderer", recipe.renderer, made.renderer),
        ("parser", recipe.parser, made.parser),
        ("capabilities", recipe.capabilities, made.capabilities),
        ("adapters", parts(recipe), parts(made)),
    )


async def _proven(library: Library, name: str, observer: Observer) -> bool | None:
    observer.progress(Step.ASKING)
    try:
        return await sends_tags(library.engine, name)
    except ReflecttyError as error:
        observer.note(f"{name} could not be asked: {error}")
        return None
