from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflectty.batch.prompts import (
    InputFormat,
    InputLine,
    PromptId,
    PromptLine,
    digest_of,
    fields_of,
    format_of,
    read_prompt,
)
from reflectty.core.errors import UsageError
from reflectty.core.messages import Message


def item(data: bytes, form: InputFormat = InputFormat.JSONL, *, too_long: bool = False) -> PromptLine:
    return read_prompt(InputLine(7, data, digest_of(data), too_long), form)


@pytest.mark.parametrize(
    ("name", "first", "form"),
    [
        ("a.jsonl", b"why?", InputFormat.JSONL),
        ("A.NDJSON", b"why?", InputFormat.JSONL),
        ("a.txt", b"why?", InputFormat.LINES),
        ("a.txt", b' {"prompt": "why?"}', InputFormat.JSONL),
        ("stdin", b"{}", InputFormat.JSONL),
        ("stdin", b'"why?"', InputFormat.LINES),
        ("stdin", b"42", InputFormat.LINES),
        ("stdin", b'{"prompt": "why?', InputFormat.LINES),
        ("stdin", b"\xff\xfe", InputFormat.LINES),
        ("stdin", b"[" * 200_000, InputFormat.LINES),
    ],
)
def test_format_is_detected_from_the_file_name_or_the_first_line(name: str, first: bytes, form: InputFormat) -> None:
    assert format_of(name, first) is form


def test_a_plain_line_is_the_prompt_even_if_it_looks_like_json() -> None:
    for text in (' {"prompt": 1} ', "Größe 世界", "\x1b[31mred"):
        assert item(text.encode(), InputFormat.LINES) == PromptLine(7, digest_of(text.encode()), text)


class TestJsonObject:
    def test_sets_prompt_model_system_and_fields(self) -> None:
        found = item(b'{"prompt": "why?", "id": "a", "model": "m", "system": "Be brief.", "language": "French"}')

        assert found[2:] == ("why?", "a", "m", "Be brief.", (), (("language", "French"),), None)

    @pytest.mark.parametrize("identity", ["a", 1, 1.5, True, "", "\ud800"])
    def test_accepts_any_scalar_as_its_id(self, identity: PromptId) -> None:
        assert item(json.dumps({"prompt": "q", "id": identity}).encode()).id == identity

    def test_has_no_id_if_it_is_null(self) -> None:
        assert item(b'{"prompt": "q", "id": null}').id is None

    def test_converts_fields_that_are_not_strings(self) -> None:
        found = item('{"n": 3, "list": [1, "é"], "on": true, "nothing": null}'.encode())

        assert fields_of(found) == {"n": "3", "list": '[1, "é"]', "on": "true", "nothing": "null"}

    def test_messages_are_the_history_and_the_prompt(self) -> None:
        messages = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
        found = item(json.dumps({"messages": [*messages, {"role": "user", "content": "c"}]}).encode())

        assert (found.prompt, found.history) == ("c", (Message("user", "a"), Message("assistant", "b")))

    @pytest.mark.parametrize(
        ("messages", "problem"),
        [
            ("a", "messages must be a list"),
            ([{"role": "tool", "content": "a"}], "messages must be a list"),
            ([{"role": "user"}], "messages must be a list"),
            ([], "the last of the messages must be the user's"),
            ([{"role": "assistant", "content": "a"}], "the last of the messages must be the user's"),
        ],
    )
    def test_other_messages_are_refused(self, messages: object, problem: str) -> None:
        assert str(item(json.dumps({"messages": messages}).encode()).problem).startswith(problem)

    def test_id_survives_an_invalid_prompt(self) -> None:
        found = item(b'{"id": 5, "prompt": ["why?"]}')

        assert found.id == 5
        assert str(found.problem) == "prompt must be a string"


@pytest.mark.parametrize(
    ("data", "form", "problem"),
    [
        (b"why?", InputFormat.JSONL, "not valid JSON: expecting value at character 1"),
        (b'{"prompt": "why?"', InputFormat.JSONL, "not valid JSON"),
        (b'{"prompt": "why?"} more', InputFormat.JSONL, "not valid JSON: extra data"),
        (b'["why?"]', InputFormat.JSONL, "not a JSON object"),
        (b'{"prompt": NaN}', InputFormat.JSONL, "NaN is not allowed"),
        (b'{"a": ' * 100_000, InputFormat.JSONL, "nested too deeply"),
        (b'{"id": 1' + b"0" * 5000 + b"}", InputFormat.JSONL, "not valid JSON"),
        (b'{"id": {}, "prompt": "q"}', InputFormat.JSONL, "id must be a string or a number"),
        (b'{"model": 1}', InputFormat.JSONL, "model must be a string"),
        (b'{"system": false}', InputFormat.JSONL, "system must be a string"),
        (b"\xff\xfe", InputFormat.LINES, "not UTF-8"),
        (b'{"prompt": "\xff"}', InputFormat.JSONL, "not UTF-8"),
        (b"a\0b", InputFormat.LINES, "NUL bytes"),
    ],
)
def test_an_invalid_line_reports_its_problem(data: bytes, form: InputFormat, problem: str) -> None:
    found = item(data, form)

    assert isinstance(found.problem, UsageError)
    assert problem in str(found.problem)
    assert (found.line, found.prompt) == (7, "")


def test_a_line_that_is_too_long_is_reported() -> None:
    assert "longer than 1 MB" in str(item(b"", InputFormat.LINES, too_long=True).problem)


@given(st.binary(max_size=80), st.sampled_from(InputFormat))
def test_any_bytes_give_a_prompt_or_a_usage_error(data: bytes, form: InputFormat) -> None:
    found = item(data, form)

    assert found.problem is None or isinstance(found.problem, UsageError)
    assert format_of("stdin", data) in InputFormat
