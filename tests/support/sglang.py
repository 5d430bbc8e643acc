"""A scripted SGLang: how it continues a last message, and the prompt tokens that it reports.

The fields are those of its sources after 0.5.13, read and not run. The texts are ours.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from support.fake_server import Answer, FakeServer, whole
from support.openai_replies import chat_reply, model_list

if TYPE_CHECKING:
    from support.fake_server import ReceivedRequest, Route

CHAT, DETOKENIZE, MODELS = "/v1/chat/completions", "/v1/detokenize", "/v1/models"


@dataclass
class Sglang:
    """A server and its template; a token is a character here."""

    name: str = "m"
    end: str = "<|im_start|>assistant\n"
    """The text that the template writes before every reply."""
    tells: bool = True
    """Whether it reports the tokens of a prompt, as it does since 0.5.13."""
    detokenizes: bool = True
    """Whether a gateway lets /v1/detokenize through."""
    first: str = "Both"
    """The beginning of a reply."""
    reply: Answer = field(default_factory=lambda: chat_reply([" right", "</think>", "9.9"]))
    prompts: list[str] = field(default_factory=list)
    """The prompts of the model."""

    def rendered(self, body: dict[str, Any]) -> str:
        """The prompt of a request: an open last message stands after the end of the template."""
        *before, last = body["messages"]
        goes_on = last["role"] == "assistant" and body.get("continue_final_message", False)
        turns = before if goes_on else body["messages"]
        text = "".join(f"<|im_start|>{one['role']}\n{one['content']}<|im_end|>\n" for one in turns) + self.end
        return text + (last["content"] if goes_on else "")

    def serve(self) -> FakeServer:
        routes: dict[str, Route] = {MODELS: model_list(self.name, maker="sglang"), CHAT: self._chat}
        return FakeServer(routes | ({DETOKENIZE: self._detokenize} if self.detokenizes else {}))

    def _chat(self, asked: ReceivedRequest) -> Answer:
        body = asked.json
        prompt = self.rendered(body)
        self.prompts.append(prompt)
        if body["stream"]:
            return self.reply
        message = {"role": "assistant", "content": self.first, "reasoning_content": None, "tool_calls": None}
        tokens = (
            [ord(character) for character in prompt] if self.tells and body.get("return_prompt_token_ids") else None
        )
        choice = {"index": 0, "message": message, "finish_reason": "length", "prompt_token_ids": tokens}
        return whole({"id": "b", "object": "chat.completion", "model": self.name, "choices": [choice]})

    @staticmethod
    def _detokenize(asked: ReceivedRequest) -> Answer:
        assert asked.json["skip_special_tokens"] is False
        return whole({"text": "".join(map(chr, asked.json["tokens"]))})
