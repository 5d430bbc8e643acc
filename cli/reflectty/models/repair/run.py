"""Creates a copy of a model whose tag tokens are text, uploads it and tests it."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reflectty.core.errors import IncompleteError, ReflecttyError, RefusedError, StoreError, UsageError
from reflectty.core.model_names import checked_name, is_same_model
from reflectty.core.named_tuple import NamedTuple
from reflectty.models import files
from reflectty.models.repair import RepairResult, RepairStep
from reflectty.models.repair.source import (
    digest_of_repaired,
    gguf_path_of,
    open_repaired,
    part_name,
    repaired_pieces_of,
    split_part_of,
)
from reflectty.protocols.ollama.model_specs import digest_of, encode_create
from reflectty.reasoning.token_types import lost_tags

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from reflectty.core.messages import Engine, Vocabulary
    from reflectty.core.model_spec import ModelSpec
    from reflectty.models.manager import ModelLibrary
    from reflectty.models.repair import RepairObserver, RepairRequest
    from reflectty.models.repair.source import RepairedGguf
    from reflectty.protocols.ollama import Body
    from reflectty.reasoning.token_types import LostTag

    TagTest = Callable[[Engine, str], Awaitable[bool]]


MODELFILE_HINT = "create a model without it (`ollama create` with your own Modelfile), and repair that one"


def refuse_unsupported(spec: ModelSpec) -> None:
    """Refuse a model that a server which stores a GGUF as sent cannot copy.

    Raises:
        RefusedError: the model has an adapter or the parameter typical_p.
    """
    if spec.adapters:
        message = f"{spec.name} has an adapter, which Ollama 0.34.1 and later do not support"
        raise RefusedError(message, "merge the adapter into its GGUF, and create a model from that")
    if "typical_p" in dict(spec.parameters):
        message = f"{spec.name} has the parameter typical_p, which Ollama 0.34.1 and later do not support"
        raise RefusedError(message, MODELFILE_HINT)


def refuse_without_gguf(spec: ModelSpec) -> None:
    """Refuse a model without a GGUF, or with parts that cannot be copied.

    Raises:
        RefusedError: it is such a model.
    """
    if not spec.kind:
        raise RefusedError(
            f"{spec.name} is not on this server: it runs elsewhere", "only models on the server can be repaired"
        )
    if spec.kind != "gguf":
        message = f"{spec.name} is stored as {spec.kind}, and only a GGUF can be repaired"
        raise RefusedError(message, "convert or download a GGUF, and create a model from it with `ollama create`")
    parts = (*spec.weights[1:], *spec.adapters, *filter(None, (spec.draft,)))
    if len(spec.adapters) > 1 or not all(map(digest_of, parts)):
        raise RefusedError(f"{spec.name} has parts that the server cannot copy")


SUFFIX: Final = "-repaired"
MAX_NAME_LENGTH: Final = 80
"""Characters of a model's name without namespace and tag."""
REPAIR_LABEL: Final = "the repair"


_REFUSAL_HINTS: Final = {
    "adapters are no longer supported": "merge the adapter into the model's GGUF, and create a model from that",
    "typical_p is no longer supported": MODELFILE_HINT,
    "unsupported tensor": "its GGUF has a tensor type that this Ollama does not support: try another quantization",
    "size overflows": "its GGUF has a tensor type that this Ollama does not support: try another quantization",
    "invalid split gguf": "join the parts with `llama-gguf-split --merge` and pass the result with --gguf PATH",
}
"""Hints by words of the server's refusal."""


async def repair(
    library: ModelLibrary, request: RepairRequest, observer: RepairObserver, sends_tags: TagTest
) -> RepairResult:
    """Create a copy of a model whose tags are text, and test it; a model without lost tags is left alone.

    A canceled repair leaves no copy: the server discards an incomplete upload, and a copy in creation is removed once
    created.

    Raises:
        ModelMissingError: the model is not installed.
        RefusedError: it cannot be repaired.
        UsageError: its GGUF cannot be read here, or the copy's name is taken.
        StoreError: the server's disk is too full.
    """
    engine = library.engine
    spec = await engine.model_spec(checked_name(request.model))
    lost = _lost_tags_of(await engine.vocabulary(request.model), spec, request, observer)
    if not lost:
        return RepairResult(request.model, request.model)
    refuse_without_gguf(spec)
    name = await _free_name(library, request)
    path = gguf_path_of(spec, request.gguf, local=engine.local)
    version = await files.version_of(engine)
    if strict := files.is_stored_as_sent(version):
        refuse_unsupported(spec)
    folder = Path(spec.weights[0]).parent if spec.weights and engine.local else None
    job = _RepairJob(library, spec, version, folder, observer)
    try:
        with open_repaired(path, lost, strict=strict) as source:
            digest = await _upload(job, source)
            parts = await _upload_parts(job, source, digest)
        await _create_copy(job, encode_create(name, spec, digest, parts), digest, replaces=request.force)
    except RefusedError as error:
        raise _explain_refusal(error) from error
    copy = await _verify_copy(job, name, lost)
    await _remove_uploaded_file(job, copy, digest)
    return RepairResult(request.model, name, lost, await _try_copy(job, name, sends_tags))


class _RepairJob(NamedTuple):
    """The model to repair, and the server that gets the copy."""

    library: ModelLibrary
    spec: ModelSpec
    version: files.Version
    folder: Path | None
    """The folder of a local server's files."""
    observer: RepairObserver


def repaired_name(name: str) -> str:
    """The name of the copy; a tag stays at the end, as in `reflection-repaired:70b`."""
    path, slash, last = name.rpartition("/")
    model, colon, tag = last.partition(":")
    return path + slash + model[: MAX_NAME_LENGTH - len(SUFFIX)] + SUFFIX + colon + tag


def _lost_tags_of(
    vocabulary: Vocabulary, spec: ModelSpec, request: RepairRequest, observer: RepairObserver
) -> tuple[LostTag, ...]:
    """The tokens to turn into text; only the requested ones if the server's own parser reads the model's thinking.

    Raises:
        RefusedError: the server does not report the types of the model's tokens.
        UsageError: the vocabulary lacks a requested token.
    """
    if not vocabulary.types:
        refuse_without_gguf(spec)
        raise RefusedError(f"the server does not report the tokens of {spec.name}", "try a newer Ollama")
    missing = set(request.tokens) - set(vocabulary.tokens)
    if missing:
        message = f"{spec.name} has no token {min(missing)!r}"
        raise UsageError(message, "if the model splits the tag into several tokens, pass each of them with --token")
    lost = lost_tags(*vocabulary, request.tokens)
    if "thinking" not in spec.capabilities:
        return lost
    named = tuple(tag for tag in lost if tag.text in request.tokens)
    read = dict.fromkeys(tag.text for tag in lost if tag not in named)
    if read:
        observer.note(f"the server parses {', '.join(read)} of {spec.name} itself (--token turns one into text anyway)")
    return named


async def _free_name(library: ModelLibrary, request: RepairRequest) -> str:
    name = checked_name(request.name or repaired_name(request.model))
    installed = await library.engine.models()
    if is_same_model(name, request.model):
        raise UsageError(
            f"the copy cannot have the name of the model itself, {name}", "choose another with --name NAME"
        )
    if any(is_same_model(name, model.name) for model in installed) and not request.force:
        hint = "--force to overwrite, --name NAME for another name"
        raise UsageError(f"{name} already exists", hint)
    return name


async def _upload(job: _RepairJob, source: RepairedGguf) -> str:
    """Upload a file unless the server has it, and return its digest."""
    engine, size = job.library.engine, source.size
    files.refuse_full_disk(job.folder, files.bytes_needed_for(job.version, size, is_uploaded=True), REPAIR_LABEL)
    digest = await digest_of_repaired(source, partial(job.observer.progress, RepairStep.READING, size))
    if not await engine.has_blob(digest):
        files.refuse_full_disk(job.folder, files.bytes_needed_for(job.version, size, is_uploaded=False), REPAIR_LABEL)
        on_progress = partial(job.observer.progress, RepairStep.SENDING, size)
        async with aclosing(repaired_pieces_of(source, on_progress)) as pieces:
            await engine.send_blob(digest, size, pieces)
    return digest


async def _upload_parts(job: _RepairJob, source: RepairedGguf, digest: str) -> dict[str, str]:
    """Upload the other parts of a split model, and return all digests by the file names that the server expects."""
    digests = [digest]
    for path in source.parts:
        with split_part_of(path) as part:
            digests.append(await _upload(job, part))
    names = (part_name("model", at, len(digests)) for at in range(1, len(digests) + 1))
    return dict(zip(names, digests, strict=True)) if source.parts else {}


def _explain_refusal(error: RefusedError) -> ReflecttyError:
    """The error for a refused upload or creation, with a hint."""
    text = str(error).lower()
    if "no space left" in text:
        hint = f"free the size of the model there, or {files.COPIES_WITH_UPLOAD} times that up to Ollama 0.34.0"
        return StoreError("the server's disk is full", hint)
    hint = next((hint for words, hint in _REFUSAL_HINTS.items() if words in text), "")
    return RefusedError(str(error), hint) if hint else error


async def _create_copy(job: _RepairJob, body: Body, digest: str, *, replaces: bool) -> None:
    """Let the server create the copy, and wait for its end: a disconnect in between may or may not stop it.

    Up to 0.34.0 Ollama continues after a disconnect, since 0.34.1 it stops.

    Args:
        job: the repair.
        body: the body of the create request.
        digest: the digest of the file that only the copy needs.
        replaces: True if it may replace a model of its name; that one is lost then, so the copy stays after a cancel.
    """
    job.observer.progress(RepairStep.MAKING)
    creation = asyncio.create_task(job.library.engine.create(body))
    try:
        await asyncio.shield(creation)
    except asyncio.CancelledError:
        then = "kept" if replaces else "removed"
        job.observer.note(
            f"the server is finishing the copy, which is then {then}; press Ctrl-C again to leave at once"
        )
        with suppress(ReflecttyError):
            await creation
            if not replaces:
                await job.library.remove(body["model"])
                await _remove_blob(job, digest)
        raise


async def _remove_blob(job: _RepairJob, digest: str) -> None:
    """Remove an unused file from the server, which deletes files only together with a model that contains them.

    The file is made part of a model without being copied: as its draft model.
    """
    engine, name = job.library.engine, f"reflectty-unneeded-{digest[-12:]}"
    if not await engine.has_blob(digest):
        return
    with suppress(RefusedError):
        await engine.create({"model": name, "from": job.spec.name, "draft_files": {"unneeded.gguf": digest}})
        await job.library.remove(name)


async def _remove_uploaded_file(job: _RepairJob, copy: ModelSpec, digest: str) -> None:
    """Remove the uploaded file if the server stored a changed copy of it, as Ollama does up to 0.34.0."""
    if digest_of("".join(copy.weights[:1])) in ("", digest):
        return
    removal = asyncio.create_task(_remove_blob(job, digest))
    try:
        await asyncio.shield(removal)
    except asyncio.CancelledError:
        await removal
        raise
    if await job.library.engine.has_blob(digest):
        job.observer.note("the server keeps the uploaded file alongside its own copy until it restarts")


async def _verify_copy(job: _RepairJob, name: str, lost: tuple[LostTag, ...]) -> ModelSpec:
    """Check that the copy's tags are text and all else is unchanged, and return its spec.

    Raises:
        IncompleteError: its tags are not text; the copy is removed.
    """
    engine = job.library.engine
    vocabulary = await engine.vocabulary(name)
    still = {tag.id for tag in lost_tags(*vocabulary, [tag.text for tag in lost])} & {tag.id for tag in lost}
    if still or not vocabulary.types:
        await job.library.remove(name)
        raise IncompleteError(f"the server did not accept the changed token types: {name} was removed")
    copy = await engine.model_spec(name)
    differing = [label for label, value in _compared_fields(job.spec).items() if _compared_fields(copy)[label] != value]
    if differing:
        job.observer.note(f"{name} differs from {job.spec.name} in its {', '.join(differing)}")
    return copy


def _compared_fields(spec: ModelSpec) -> dict[str, object]:
    return {
        "template": spec.template,
        "system prompt": spec.system,
        "parameters": dict(spec.parameters),
        "license": spec.license,
        "messages": spec.messages,
        "renderer": spec.renderer,
        "parser": spec.parser,
        "capabilities": spec.capabilities,
        "adapters": [digest_of(path) for path in (*spec.weights[1:], *spec.adapters, spec.draft)],
    }


async def _try_copy(job: _RepairJob, name: str, sends_tags: TagTest) -> bool | None:
    job.observer.progress(RepairStep.ASKING)
    try:
        return await sends_tags(job.library.engine, name)
    except ReflecttyError as error:
        job.observer.note(f"{name} could not be tested: {error}")
        return None
