"""A scripted vLLM 0.32: its events field by field, its refusals, and its extra paths that render prompts.

The events, the status codes and the messages of the refusals are those of vllm 0.32.0 (CPU); the texts are ours.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from support.fake_server import Answer, FakeServer, whole
from support.openai_replies import DONE, STREAM, event, model_list

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from support.fake_server import ReceivedRequest, Route

CHAT, COMPLETIONS, MODELS = "/v1/chat/completions", "/v1/completions", "/v1/models"
TOKENIZE, DETOKENIZE = "/tokenize", "/detokenize"


def _event(delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": more.pop("logprobs", None), "finish_reason": finish}
    choice |= {"stop_reason": None} if finish else {}
    head = {"id": "chatcmpl-5d1", "object": "chat.completion.chunk", "created": 1795946000, "model": "m"}
    return event(head | {"choices": [choice | {"token_ids": None}]} | more)


def _figures(prompt: int, reply: int, thinking: int | None) -> bytes:
    usage: dict[str, Any] = {"prompt_tokens": prompt, "total_tokens": prompt + reply, "completion_tokens": reply}
    if thinking is not None:
        usage["completion_tokens_details"] = {"reasoning_tokens": thinking}
    head = {"id": "chatcmpl-5d1", "object": "chat.completion.chunk", "choices": [], "usage": usage}
    return event(head | {"system_fingerprint": "vllm-0.32.0-ab12cd34"})


FIRST = _event({"role": "assistant", "content": ""}, prompt_token_ids=None, prompt_text=None)


def vllm_reply(
    contents: Iterable[str] = (), thinking: Iterable[str] = (), *, finish: str = "stop", prompt: int = 33
) -> Answer:
    """A whole reply: the role, the reasoning where a parser separates it, the content, the usage."""
    said, thought = list(contents), list(thinking)
    counted = len(thought) if thought else None
    pieces = [
        FIRST,
        *(_event({"reasoning": piece}) for piece in thought),
        *(_event({"content": piece}) for piece in said),
        _event({} if thought else {"content": ""}, finish),
        _figures(prompt, len(said) + len(thought) + (2 if thought else 0), counted),
        DONE,
    ]
    return Answer(pieces, content_type=STREAM)


def vllm_completion(contents: Iterable[str], finish: str = "stop", *, prompt: int = 33) -> Answer:
    """A whole reply of /v1/completions, which no parser touches."""

    def piece(text: str, reason: str | None = None) -> bytes:
        choice = {"index": 0, "text": text, "logprobs": None, "finish_reason": reason, "stop_reason": None}
        return event({"id": "cmpl-7", "object": "text_completion", "model": "m", "choices": [choice]})

    said = list(contents)
    usage = {"prompt_tokens": prompt, "total_tokens": prompt + len(said), "completion_tokens": len(said)}
    figures = event({"id": "cmpl-7", "object": "text_completion", "choices": [], "usage": usage})
    return Answer([*map(piece, said), piece("", finish), figures, DONE], content_type=STREAM)


def preview_reply(prompt: str, tokens: Iterable[str] = ()) -> Answer:
    """The beginning of a reply with the rendered prompt; a token that the parser removes has an empty delta."""

    def token(text: str) -> bytes:
        entry = {"token": text, "logprob": -0.25, "bytes": list(text.encode()), "top_logprobs": []}
        return _event({}, logprobs={"content": [entry]})

    first = _event({"role": "assistant", "content": ""}, prompt_token_ids=None, prompt_text=prompt)
    return Answer([first, *map(token, tokens), _event({}, "length"), DONE], content_type=STREAM)


def refused(message: str, param: str | None = None, status: int = 400) -> Answer:
    return whole({"error": {"message": message, "type": "BadRequestError", "param": param, "code": status}}, status)


@dataclass
class Vllm:
    """A server and its template; `routes` are those of a FakeServer.

    A token is a character here. A prompt with thinking off ends in `off`, every other prompt in `on`.
    """

    name: str = "prod/assistant-v2"
    on: str = "<|im_start|>assistant\n"
    off: str = ""
    room: int = 2048
    beside: bool = True
    """Whether a gateway lets the extra paths through."""
    chat: Answer | Sequence[Answer] = field(default_factory=lambda: vllm_reply(["hi"]))
    """One reply, or replies in turn."""
    completions: Route = field(default_factory=lambda: vllm_completion(["hi"]))
    tells: bool = True
    """Whether it knows the field that asks for the rendered prompt; older versions do not."""
    tokens: tuple[str, ...] = ()
    """The beginning of a reply, as its log probabilities have it."""

    def rendered(self, body: dict[str, Any]) -> str:
        """The prompt for a request, in ChatML."""
        turns = [f"<|im_start|>{one['role']}\n{one['content']}<|im_end|>\n" for one in body["messages"]]
        thinks = body.get("chat_template_kwargs", {}).get("enable_thinking", True)
        return "".join(turns) + (self.on if thinks or not self.off else self.off)

    def serve(self) -> FakeServer:
        routes: dict[str, Route] = {
            MODELS: model_list(self.name, room=self.room),
            CHAT: self._chat,
            COMPLETIONS: self.completions,
            "/version": whole({"version": "0.32.0"}),
        }
        server = FakeServer(routes | ({TOKENIZE: self._tokenize, DETOKENIZE: _detokenize} if self.beside else {}))
        self._server = server
        return server

    def _chat(self, asked: ReceivedRequest) -> Answer:
        body = asked.json
        if body.get("return_prompt_text"):
            return preview_reply(self.rendered(body) if self.tells else "", self.tokens)
        if isinstance(self.chat, Answer):
            return self.chat
        chats = [one for one in self._server.asked(CHAT) if not one.json.get("return_prompt_text")]
        return self.chat[min(len(chats), len(self.chat)) - 1]

    def _tokenize(self, asked: ReceivedRequest) -> Answer:
        tokens = [ord(character) for character in self.rendered(asked.json)]
        return whole({"count": len(tokens), "max_model_len": self.room, "tokens": tokens, "token_strs": None})


def _detokenize(asked: ReceivedRequest) -> Answer:
    return whole({"prompt": "".join(map(chr, asked.json["tokens"]))})
