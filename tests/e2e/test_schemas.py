"""Schemas on their way to a server and back: the request, the notes, and the check of the answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from support.scripted_servers import answering_server

if TYPE_CHECKING:
    from support.command import Reflect, Result

JINJA = "{% for message in messages %}{{ message.content }}{% endfor %}"
REASONED = {
    "type": "object",
    "properties": {"reasoning": {"type": "string"}, "answer": {"type": "number"}},
    "required": ["reasoning", "answer"],
}
HELD = '{"reasoning": "9.90", "answer": 9.9}'


def asked(reflect: Reflect, schema: dict[str, Any], answer: str, *words: str, **shown: Any) -> tuple[Result, Any]:
    """Ask in mode direct; return the result and the `format` of the request."""
    with answering_server(answer, **shown) as server:
        more = ("-m", "m", "--mode", "direct", "--schema", json.dumps(schema), *words)
        result = reflect.at(server.host)(*more, "q")
        sent = [request.json["format"] for request in server.asked("/api/chat")]
    return result, sent[0] if sent else None


def test_schema_keys_keep_their_order_for_llama_cpp_templates(reflect: Reflect) -> None:
    result, by_jinja = asked(reflect, REASONED, HELD, "--final", template=JINJA)
    _, by_go = asked(reflect, REASONED, HELD, "--final")

    assert (result.code, result.out, result.err) == (0, f"{HELD}\n", "")
    assert [list(part["properties"]) for part in by_jinja["allOf"]] == [["reasoning"], ["answer"]]
    assert by_go == REASONED


def test_unenforced_keyword_is_reported_and_checked_at_the_end(reflect: Reflect) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "number", "minimum": 5}}, "required": ["n"]}
    result, sent = asked(reflect, schema, '{"n": 3}', "--final")

    assert sent["properties"]["n"] == {"type": "number"}
    assert (result.code, result.out) == (7, "")
    assert result.err.splitlines() == [
        "reflect: this server does not enforce minimum: only the final check does",
        "reflect: the answer does not fit the schema at n: 3 is less than the minimum of 5",
    ]


def test_misread_keywords_are_rewritten_silently(reflect: Reflect) -> None:
    schema = {"type": "object", "properties": {"a": {"allOf": [{"type": "string"}]}, "b": {"pattern": r"^\d{3}$"}}}
    result, sent = asked(reflect, schema, '{"a": "x", "b": "123"}', "--final")

    assert sent["properties"] == {"a": {"type": "string"}, "b": {"type": "string", "pattern": "^([0-9]{3})$"}}
    assert (result.code, result.err) == (0, "")


@pytest.mark.parametrize("schema", [{"enum": []}, {"allOf": [{"type": "string"}, {"type": "null"}]}], ids=str)
def test_unsatisfiable_schema_is_refused_before_sending(reflect: Reflect, schema: dict[str, Any]) -> None:
    result, sent = asked(reflect, schema, "x")

    assert (result.code, result.out, sent) == (2, "", None)
    assert "no answer can fit the schema" in result.err


@pytest.mark.parametrize("form", [(), ("--final",)], ids=["plain", "final"])
def test_grammar_padding_is_removed_from_the_answer(reflect: Reflect, form: tuple[str, ...]) -> None:
    result, _ = asked(reflect, REASONED, '{\n \t \t"reasoning"\n:"9.90"  ,\n"answer"  :   9.90}', *form)

    assert result.out == '{"reasoning": "9.90", "answer": 9.90}\n'


def test_schema_is_read_from_stdin(reflect: Reflect) -> None:
    with answering_server(HELD) as server:
        command = reflect.at(server.host)
        words = ("-m", "m", "--mode", "direct", "--final", "q")
        piped = command(*words, "--schema", "-", stdin=json.dumps(REASONED).encode())
        short = command(*words, "--schema", "reasoning, answer float")
        (first, second) = server.asked("/api/chat")

    assert (piped.code, piped.out, short.code) == (0, f"{HELD}\n", 0)
    assert first.json["format"] == REASONED
    assert first.json["messages"][-1]["content"] == "q"
    assert second.json["format"]["additionalProperties"] is False
