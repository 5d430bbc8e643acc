"""Models as JSON objects: what a server says of them, what they can do, how `auto` asks them; times as it writes them.

Sizes are in bytes, contexts in tokens; `loaded` is null where the model is not, and `gpu_share` is between 0 and 1;
`cloud` is the host that answers for a model which its server does not run, else null.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reflectty.cloud import elsewhere
from reflectty.modes import Wish, abilities, plan, reason
from reflectty.sampling import defaults
from reflectty.wire.openai import can_chat

if TYPE_CHECKING:
    from reflectty.chat import Model, Running
    from reflectty.library import Installed, Transfer
    from reflectty.repairing import Repaired
    from reflectty.wire.openai import Listed

TEXTS = ("template", "system", "parameters", "license")


def model_object(one: Installed, *, whole: bool = False) -> dict[str, Any]:
    """Return a model; `whole` has its texts as well."""
    model, chosen = one.model, plan(one.model, Wish())
    texts: dict[str, Any] = {name: getattr(model, name) for name in TEXTS} if whole else {}
    if whole:
        texts["sampling"] = {one.option: {"value": one.value, "by_file": one.by_file} for one in defaults(model)}
    return {
        "name": model.name,
        "size": model.size,
        "parameter_size": model.parameter_size,
        "quantization": model.quantization,
        "context_length": model.context_length,
        "abilities": one.abilities,
        "capabilities": model.capabilities,
        "auto": {"mode": str(chosen.mode), "family": chosen.family.name, "reason": reason(model)},
        "lost_tags": one.lost,
        "digest": model.digest,
        "modified_at": model.modified_at,
        "loaded": running_object(one.running) if one.running else None,
        "cloud": elsewhere(model) or None,
        **texts,
    }


def served_object(model: Model, one: Listed | None, server: str, version: str) -> dict[str, Any]:
    """Return a model of an OpenAI-compatible server; `context` is what it holds there, `loaded` null where untold."""
    chosen = plan(model, Wish())
    return {
        "name": model.name,
        "server": server,
        "version": version,
        "listed": one is not None,
        "owner": one.maker if one else "",
        "root": one.root if one else "",
        "created": one.created if one else 0,
        "size": model.size,
        "context": one.context if one else 0,
        "context_length": model.context_length,
        "chats": can_chat(one) if one else True,
        "abilities": abilities(model),
        "auto": {"mode": str(chosen.mode), "family": chosen.family.name, "reason": reason(model)},
        "loaded": one.loaded if one else None,
    }


def running_object(running: Running) -> dict[str, Any]:
    """Return where a model is loaded; `removed` where that is under a name that is gone, and not sure to be it."""
    share = min(1.0, running.size_vram / running.size) if running.size else 0.0
    told = {name: value for name, value in running._asdict().items() if name not in ("parameter_size", "quantization")}
    return {**told, "gpu_share": round(share, 4)}


def transfer_object(name: str, transfer: Transfer, *, changed: bool) -> dict[str, Any]:
    """Return what a pull came to; of a small layer the server may not tell."""
    return {
        "name": name,
        "status": transfer.status,
        "layers": [{"digest": layer.digest, "size": layer.total} for layer in transfer.layers],
        "fetched": transfer.fetched,
        "changed": changed,
        "seconds": round(transfer.seconds, 3),
    }


def repaired_object(repaired: Repaired) -> dict[str, Any]:
    """Return what a repair came to; `name` is `from` where there was nothing to repair, `proven` null where unasked."""
    return {
        "name": repaired.name,
        "from": repaired.model,
        "repaired": bool(repaired.tokens),
        "tokens": [tag._asdict() for tag in repaired.tokens],
        "proven": repaired.proven,
    }
