"""Exports sessions, turns and models as JSON objects.

The document is `{"format": "reflectty session", "version": 1, "session": {…}, "turns": […]}`. Its keys are the fields
of `Session`, `Turn`, `Attachment`, `StoredReply`, `ReplyMetrics` and `Usage`, which describe them; in `turns`

- `parent` is the id of the previous turn, so that turns with the same parent are branches, and `leaf` of the session
  is the last turn of the branch viewed last;
- `said` is null for a question;
- `segments` is a list of `{"kind", "text"}`, kinds are `thinking`, `reflection` and `answer`;
- `pastes` are the places of long pasted texts in a question, each its start and end in characters;
- `label` is the name that the user gave a turn, and `settings` has the fields that the user set for the session;
- `options` is an object; times are seconds since 1970, durations milliseconds.

Sizes are in bytes, contexts in tokens; `loaded` is null if the model is not loaded, and `gpu_share` is between 0 and 1;
`cloud` is the host that answers for a model which its server does not run, else null.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from reflectty.core.model_names import remote_host_of
from reflectty.core.model_spec import sampling_defaults_of
from reflectty.core.session import NO_SETTINGS
from reflectty.protocols.openai import can_chat
from reflectty.reasoning.modes import AskOptions, abilities_of, mode_reason_of, plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reflectty.core.messages import Model, RunningModel
    from reflectty.core.session import SearchHit, Session, SessionSettings, StoredReply, Turn
    from reflectty.models.installed import InstalledModel, TransferProgress
    from reflectty.models.repair import RepairResult
    from reflectty.protocols.openai import ListedModel


DOCUMENT_VERSION = 1
DOCUMENT_FORMAT = "reflectty session"


def as_json(session: Session, turns: Sequence[Turn]) -> str:
    """A session as a JSON document in ASCII."""
    return dump_json(session_document(session, turns), indent=2)


def dump_json(value: object, indent: int | None = None) -> str:
    """A value as JSON in ASCII with a line break at its end."""
    return json.dumps(value, ensure_ascii=True, indent=indent) + "\n"


def session_document(session: Session, turns: Iterable[Turn]) -> dict[str, Any]:
    """A session with the given turns as a JSON object."""
    return {
        "format": DOCUMENT_FORMAT,
        "version": DOCUMENT_VERSION,
        "session": {**session_object(session), "settings": _settings_object(session.settings)},
        "turns": [_turn_object(turn) for turn in turns],
    }


def session_object(session: Session) -> dict[str, Any]:
    """A session as a JSON object, without its settings, which only a document has."""
    return {name: value for name, value in session._asdict().items() if name != "settings"}


def _settings_object(settings: SessionSettings) -> dict[str, Any]:
    """The fields that are set; `options` as an object."""
    options = {} if settings.options is None else {"options": dict(settings.options)}
    texts = {name: value for name, value in settings._asdict().items() if name != "options"}
    return {name: value for name, value in texts.items() if value != getattr(NO_SETTINGS, name)} | options


def search_hit_object(hit: SearchHit) -> dict[str, Any]:
    """A search hit as a JSON object."""
    passage = [{"text": text, "matched": matched} for text, matched in hit.passage]
    return {**hit._asdict(), "session": session_object(hit.session), "passage": passage}


def _turn_object(turn: Turn) -> dict[str, Any]:
    attachments = [item._asdict() for item in turn.attachments]
    return {**turn._asdict(), "attachments": attachments, "said": stored_reply_object(turn.said) if turn.said else None}


def stored_reply_object(reply: StoredReply) -> dict[str, Any]:
    """A stored reply as a JSON object."""
    return {
        **reply._asdict(),
        "options": dict(reply.options),
        "segments": [{"kind": str(kind), "text": text} for kind, text in reply.segments],
        "measured": reply.measured.as_object,
    }


MODEL_TEXTS = ("template", "system", "parameters", "license")


def model_object(one: InstalledModel, *, with_texts: bool = False) -> dict[str, Any]:
    """A model as a JSON object; `with_texts` adds its texts and sampling defaults."""
    model, chosen = one.model, plan(one.model, AskOptions())
    texts: dict[str, Any] = {name: getattr(model, name) for name in MODEL_TEXTS} if with_texts else {}
    if with_texts:
        texts["sampling"] = {
            one.option: {"value": one.value, "by_file": one.by_file} for one in sampling_defaults_of(model)
        }
    return {
        "name": model.name,
        "size": model.size,
        "parameter_size": model.parameter_size,
        "quantization": model.quantization,
        "context_length": model.context_length,
        "abilities": one.abilities,
        "capabilities": model.capabilities,
        "auto": {"mode": str(chosen.mode), "family": chosen.family.name, "reason": mode_reason_of(model)},
        "lost_tags": one.lost_tags,
        "digest": model.digest,
        "modified_at": model.modified_at,
        "loaded": running_object(one.running) if one.running else None,
        "cloud": remote_host_of(model) or None,
        "built_in": one.built_in,
        **texts,
    }


def served_object(model: Model, one: ListedModel | None, server: str, version: str) -> dict[str, Any]:
    """A model of an OpenAI-compatible server; `context` is its length there and `loaded` null if not reported."""
    chosen = plan(model, AskOptions())
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
        "abilities": abilities_of(model),
        "auto": {"mode": str(chosen.mode), "family": chosen.family.name, "reason": mode_reason_of(model)},
        "loaded": one.loaded if one else None,
        "built_in": False,
    }


def running_object(running: RunningModel) -> dict[str, Any]:
    """A loaded model; `removed` if its name is gone, so that the match is uncertain."""
    share = min(1.0, running.size_vram / running.size) if running.size else 0.0
    members = {
        name: value for name, value in running._asdict().items() if name not in ("parameter_size", "quantization")
    }
    return {**members, "gpu_share": round(share, 4)}


def transfer_object(name: str, transfer: TransferProgress, *, changed: bool) -> dict[str, Any]:
    """The result of a pull; the server may not report a small layer."""
    return {
        "name": name,
        "status": transfer.status,
        "layers": [{"digest": layer.digest, "size": layer.total} for layer in transfer.layers],
        "fetched": transfer.fetched_bytes,
        "changed": changed,
        "seconds": round(transfer.seconds, 3),
    }


def repaired_object(repaired: RepairResult) -> dict[str, Any]:
    """The result of a repair; `name` equals `from` if nothing needed repair, `proven` is null if not asked for."""
    return {
        "name": repaired.name,
        "from": repaired.model,
        "repaired": bool(repaired.tokens),
        "tokens": [tag._asdict() for tag in repaired.tokens],
        "proven": repaired.proven,
    }
