"""Creates a copy of a model whose tag tokens are text, uploads it and tests it."""

from __future__ import annotations

import asyncio
import hashlib
import re
from contextlib import aclosing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

from reflectty.core.errors import IncompleteError, ReflecttyError, RefusedError, StoreError, UsageError, reason_of
from reflectty.core.model_names import checked_name, is_same_model
from reflectty.models import files, gguf
from reflectty.models.repair import RepairResult, RepairStep
from reflectty.protocols.ollama.model_specs import digest_of, encode_create
from reflectty.reasoning.token_types import TokenType, lost_tags

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence

    from reflectty.core.messages import Engine, Vocabulary
    from reflectty.core.model_spec import ModelSpec
    from reflectty.models.manager import ModelLibrary
    from reflectty.models.repair import RepairObserver, RepairRequest
    from reflectty.protocols.ollama import Body
    from reflectty.reasoning.token_types import LostTag

    TagTest = Callable[[Engine, str], Awaitable[bool]]


ON_SERVER_HINT = "run the repair on the server's machine, or pass a copy of the file with --gguf PATH"
PERMISSION_HINT = "run the repair as the server's user, or pass a copy of the file with --gguf PATH"
NAME_FILE_HINT = "pass the GGUF of the model with --gguf PATH"
MODELFILE_HINT = "create a model without it (`ollama create` with your own Modelfile), and repair that one"
BESIDE = "pass the first part with --gguf PATH, with the others in the same folder"
JOINED = "join them with `llama-gguf-split --merge` and pass the result with --gguf PATH"
_PART = re.compile(r"(.+)-00001-of-(\d{5})\.gguf")
KNOWN_TENSORS = frozenset((*range(4), *range(6, 31), *range(39, 42)))
"""The ggml numbers of the tensor types that Ollama reads since 0.34.1 (its fs/gguf/tensor.go)."""


class RepairedGguf(NamedTuple):
    """An open GGUF, and the replacement bytes by offset that turn its tags into text."""

    file: BinaryIO
    size: int
    changes: Mapping[int, bytes]
    parts: tuple[Path, ...] = ()
    """The other files of a split model."""


@contextmanager
def split_part_of(path: Path) -> Iterator[RepairedGguf]:
    """Open a part of a split model that needs no changes.

    Raises:
        UsageError: the file cannot be read.
        RefusedError: the server does not accept it.
    """
    try:
        with path.open("rb") as file:
            _refuse_unknown_tensors(file, path)
            yield RepairedGguf(file, path.stat().st_size, {})
    except gguf.GgufError as error:
        raise UsageError(f"{path} is not part of a model: {error}", NAME_FILE_HINT) from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {reason_of(error)}", NAME_FILE_HINT) from error


@contextmanager
def open_repaired(path: Path, lost: Sequence[LostTag], *, strict: bool = False) -> Iterator[RepairedGguf]:
    """Open a GGUF for a repair.

    Args:
        path: the GGUF file.
        lost: the tokens to turn into text.
        strict: True if the server stores a file as sent: it accepts split models, and known tensor types only.

    Raises:
        UsageError: the file cannot be read, or belongs to another model.
        RefusedError: other parts of a split model are missing, or the server does not accept it.
    """
    try:
        # Opening a pipe blocks, and a device has no end.
        if path.exists() and not path.is_file():
            raise UsageError(f"{path} is not a regular file", NAME_FILE_HINT)
        with path.open("rb") as file:
            if strict:
                _refuse_unknown_tensors(file, path)
            yield _repaired_gguf_of(file, path, lost, strict=strict)
    except gguf.GgufError as error:
        raise UsageError(f"{path} cannot be repaired: {error}", NAME_FILE_HINT) from error
    except PermissionError as error:
        raise UsageError(f"{path} cannot be read: permission denied", PERMISSION_HINT) from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {reason_of(error)}", ON_SERVER_HINT) from error


def _repaired_gguf_of(file: BinaryIO, path: Path, lost: Sequence[LostTag], *, strict: bool) -> RepairedGguf:
    head = gguf.read_header(file)
    parts = _others(path, head.shards, kept=strict) if head.shards > 1 else ()
    wanted = {tag.id: tag.text for tag in lost}
    found = {token.id: token.text for token in gguf.read_tokens(file, head) if token.id in wanted}
    for number, text in wanted.items():
        if found.get(number) != text:
            there = f"{found[number]!r}" if number in found else "missing"
            message = f"{path} is the GGUF of another model: its token {number} is {there}, not {text!r}"
            raise UsageError(message, NAME_FILE_HINT)
    return RepairedGguf(
        file, head.size, gguf.type_changes_of(head, dict.fromkeys(wanted, TokenType.USER_DEFINED)), parts
    )


def _others(path: Path, number: int, *, kept: bool) -> tuple[Path, ...]:
    """The other parts of a split model whose first part holds the vocabulary.

    `llama-gguf-split` names them `NAME-00001-of-00003.gguf` and so on; Ollama (server/create_split_gguf.go of 0.34.2)
    accepts only such names. It stores each part by its digest, and reports only the first.

    Raises:
        RefusedError: a part is missing, or the server accepts no split models.
    """
    named = _PART.fullmatch(path.name)
    message = f"{path} is the first of {number} files of a split model"
    if not kept:
        raise RefusedError(message, f"use Ollama 0.34.1 or later, or {JOINED}")
    if named is None or named[2] != f"{number:05}":
        raise RefusedError(f"{message}, and the server does not report the others", f"{BESIDE}, or {JOINED}")
    others = tuple(path.with_name(part_name(named[1], at, number)) for at in range(2, number + 1))
    missing = next((other.name for other in others if not other.is_file()), "")
    if missing:
        raise RefusedError(f"{message}, and {missing} is missing", f"{BESIDE}, or {JOINED}")
    return others


def part_name(model: str, at: int, number: int) -> str:
    """The file name of a part of a split model, counted from 1."""
    return f"{model}-{at:05}-of-{number:05}.gguf"


def _refuse_unknown_tensors(file: BinaryIO, path: Path) -> None:
    for tensor in gguf.read_layout(file).tensors:
        if tensor.kind not in KNOWN_TENSORS:
            message = f"this server cannot read tensors of type {tensor.kind}, such as {tensor.name} in {path}"
            raise RefusedError(message, "use Ollama before 0.34.1, or a GGUF with another quantization")


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


def gguf_path_of(spec: ModelSpec, given: Path | None, *, local: bool) -> Path:
    """The file to read; never opens a local path that a remote server names.

    Raises:
        UsageError: the file is not on this machine.
    """
    if given:
        return given
    if not spec.weights:
        raise UsageError(f"the server does not report where the GGUF of {spec.name} is", ON_SERVER_HINT)
    if not local:
        raise UsageError(f"the GGUF of {spec.name} is on another machine", ON_SERVER_HINT)
    return Path(spec.weights[0])


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


async def digest_of_repaired(weights: RepairedGguf, tell: Callable[[int], None]) -> str:
    """The digest of the repaired file as a server computes it; `tell` receives the bytes read so far."""
    hashed = hashlib.sha256()
    async for piece in repaired_pieces_of(weights, tell):
        await asyncio.to_thread(hashed.update, piece)
    return f"sha256:{hashed.hexdigest()}"


async def repaired_pieces_of(weights: RepairedGguf, tell: Callable[[int], None]) -> AsyncGenerator[bytes, None]:
    """Yield the repaired file in pieces, read in a thread so that signals are handled; the file must stay open."""
    pieces = gguf.changed_pieces_of(weights.file, weights.size, weights.changes)
    done = 0
    while piece := await asyncio.to_thread(next, pieces, b""):
        yield piece
        done += len(piece)
        tell(done)


SUFFIX: Final = "-repaired"
LONGEST_PART: Final = 80
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

    Args:
        library: the models of the server.
        request: the model to repair.
        observer: receives progress and notes.
        sends_tags: asks the copy a question; true if its reply has a tag.

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
    known = await files.version_of(engine)
    if strict := files.is_stored_as_sent(known):
        refuse_unsupported(spec)
    folder = Path(spec.weights[0]).parent if spec.weights and engine.local else None
    try:
        with open_repaired(path, lost, strict=strict) as found:
            sent = await _upload_repaired(library, found, folder, known, observer)
            parts = await _parts(library, found, sent, folder, known, observer)
        body = encode_create(name, spec, sent, parts)
        await _create_copy(library, body, spec.name, sent, observer, replaces=request.force)
    except RefusedError as error:
        raise _explain_refusal(error) from error
    made = await _verify_copy(library, name, spec, lost, observer)
    await _remove_uploaded_file(library, made, spec.name, sent, observer)
    return RepairResult(request.model, name, lost, await _try_copy(library, name, observer, sends_tags))


def repaired_name(name: str) -> str:
    """The name of the copy; a tag stays at the end, as in `reflection-repaired:70b`."""
    path, slash, last = name.rpartition("/")
    model, colon, tag = last.partition(":")
    return path + slash + model[: LONGEST_PART - len(SUFFIX)] + SUFFIX + colon + tag


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


async def _upload_repaired(
    library: ModelLibrary, found: RepairedGguf, folder: Path | None, known: files.Version, observer: RepairObserver
) -> str:
    """Upload the repaired file unless the server has it, and return its digest."""
    files.refuse_full_disk(folder, files.bytes_needed_for(known, found.size, is_uploaded=True), REPAIR_LABEL)
    digest = await digest_of_repaired(found, partial(observer.progress, RepairStep.READING, found.size))
    if not await library.engine.has_blob(digest):
        files.refuse_full_disk(folder, files.bytes_needed_for(known, found.size, is_uploaded=False), REPAIR_LABEL)
        tell = partial(observer.progress, RepairStep.SENDING, found.size)
        async with aclosing(repaired_pieces_of(found, tell)) as pieces:
            await library.engine.send_blob(digest, found.size, pieces)
    return digest


async def _parts(  # noqa: PLR0913, PLR0917 - all that an upload needs
    library: ModelLibrary,
    found: RepairedGguf,
    sent: str,
    folder: Path | None,
    known: files.Version,
    observer: RepairObserver,
) -> dict[str, str]:
    """Upload the other parts of a split model, and return all digests by the file names that the server expects."""
    number = len(found.parts) + 1
    digests = [sent]
    for path in found.parts:
        with split_part_of(path) as part:
            digests.append(await _upload_repaired(library, part, folder, known, observer))
    named = {part_name("model", at, number): digest for at, digest in enumerate(digests, 1)}
    return named if found.parts else {}


def _explain_refusal(error: RefusedError) -> ReflecttyError:
    """The error for a refused upload or creation, with a hint."""
    said = str(error).lower()
    if "no space left" in said:
        hint = f"free the size of the model there, or {files.COPIES_WITH_UPLOAD} times that up to Ollama 0.34.0"
        return StoreError("the server's disk is full", hint)
    advice = next((advice for words, advice in _REFUSAL_HINTS.items() if words in said), "")
    return RefusedError(str(error), advice) if advice else error


async def _create_copy(  # noqa: PLR0913 - all that a creation needs
    library: ModelLibrary, body: Body, model: str, sent: str, observer: RepairObserver, *, replaces: bool
) -> None:
    """Let the server create the copy, and wait for its end: a disconnect in between may or may not stop it.

    Up to 0.34.0 Ollama continues after a disconnect, since 0.34.1 it stops.

    Args:
        library: the server's models.
        body: the body of the create request.
        model: the name of the original.
        sent: the digest of the file that only the copy needs.
        observer: receives the progress.
        replaces: True if it may replace a model of its name; that one is lost then, so the copy stays after a cancel.
    """
    observer.progress(RepairStep.MAKING)
    making = asyncio.create_task(library.engine.create(body))
    try:
        await asyncio.shield(making)
    except asyncio.CancelledError:
        after = "kept" if replaces else "removed"
        observer.note(f"the server is finishing the copy, which is then {after}; press Ctrl-C again to leave at once")
        with suppress(ReflecttyError):
            await making
            if not replaces:
                await library.remove(body["model"])
                await _remove_blob(library, model, sent)
        raise


async def _remove_blob(library: ModelLibrary, model: str, digest: str) -> None:
    """Remove an unused file from the server, which deletes files only together with a model that contains them.

    The file is made part of a model without being copied: as its draft model.
    """
    name = f"reflectty-unneeded-{digest[-12:]}"
    if not await library.engine.has_blob(digest):
        return
    with suppress(RefusedError):
        await library.engine.create({"model": name, "from": model, "draft_files": {"unneeded.gguf": digest}})
        await library.remove(name)


async def _remove_uploaded_file(
    library: ModelLibrary, made: ModelSpec, model: str, sent: str, observer: RepairObserver
) -> None:
    """Remove the uploaded file if the server stored a changed copy of it, as Ollama does up to 0.34.0."""
    if digest_of("".join(made.weights[:1])) in ("", sent):
        return
    forgetting = asyncio.create_task(_remove_blob(library, model, sent))
    try:
        await asyncio.shield(forgetting)
    except asyncio.CancelledError:
        await forgetting
        raise
    if await library.engine.has_blob(sent):
        observer.note("the server keeps the uploaded file alongside its own copy until it restarts")


async def _verify_copy(
    library: ModelLibrary, name: str, spec: ModelSpec, lost: tuple[LostTag, ...], observer: RepairObserver
) -> ModelSpec:
    """Check that the copy's tags are text and all else is unchanged, and return its spec.

    Raises:
        IncompleteError: its tags are not text; the copy is removed.
    """
    vocabulary = await library.engine.vocabulary(name)
    still = {tag.id for tag in lost_tags(*vocabulary, [tag.text for tag in lost])} & {tag.id for tag in lost}
    if still or not vocabulary.types:
        await library.remove(name)
        raise IncompleteError(f"the server did not accept the changed token types: {name} was removed")
    made = await library.engine.model_spec(name)
    differing = [label for label, one, other in _pairs_to_compare(spec, made) if one != other]
    if differing:
        observer.note(f"{name} differs from {spec.name} in its {', '.join(differing)}")
    return made


def _pairs_to_compare(spec: ModelSpec, made: ModelSpec) -> tuple[tuple[str, object, object], ...]:
    def parts(one: ModelSpec) -> list[str]:
        return [digest_of(path) for path in (*one.weights[1:], *one.adapters, one.draft)]

    return (
        ("template", spec.template, made.template),
        ("system prompt", spec.system, made.system),
        ("parameters", dict(spec.parameters), dict(made.parameters)),
        ("license", spec.license, made.license),
        ("messages", spec.messages, made.messages),
        ("renderer", spec.renderer, made.renderer),
        ("parser", spec.parser, made.parser),
        ("capabilities", spec.capabilities, made.capabilities),
        ("adapters", parts(spec), parts(made)),
    )


async def _try_copy(library: ModelLibrary, name: str, observer: RepairObserver, sends_tags: TagTest) -> bool | None:
    observer.progress(RepairStep.ASKING)
    try:
        return await sends_tags(library.engine, name)
    except ReflecttyError as error:
        observer.note(f"{name} could not be tested: {error}")
        return None
