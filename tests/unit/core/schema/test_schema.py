from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflectty.core.errors import SchemaError, UsageError
from reflectty.core.schema import JsonEndDetector, read_schema, tidy_json

if TYPE_CHECKING:
    from pathlib import Path

NUMBER = '{"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}'


def test_a_schema_is_sent_compact() -> None:
    assert json.loads(NUMBER) == json.loads(read_schema(NUMBER).text)
    assert " " not in read_schema(NUMBER).text


def test_schema_can_be_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "schema.json"
    path.write_text(NUMBER)

    assert read_schema(NUMBER).text == read_schema(str(path)).text


@pytest.mark.parametrize(
    ("argument", "complaint"),
    [
        ("nowhere.json", "no such file"),
        ("{", "not valid JSON"),
        ("[1]", "must be a JSON object"),
        ('{"type": "nothing"}', "not a valid schema"),
        ('{"$ref": "http://127.0.0.1:9/x.json"}', "not part of the schema"),
        ('{"$ref": "#/nowhere"}', "not a valid schema"),
    ],
)
def test_invalid_schema_is_refused(argument: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        read_schema(argument)


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        ("n is 1", "not valid JSON"),
        ('{"n": "1"}', "at n: "),
        ("{}", "at the top level: "),
        ("[]", "at the top level: "),
    ],
)
def test_answer_that_does_not_fit_is_reported_with_its_location(answer: str, complaint: str) -> None:
    with pytest.raises(SchemaError, match=complaint):
        read_schema(NUMBER).check(answer)


def test_answer_that_fits_is_accepted() -> None:
    read_schema(NUMBER).check(' {"n": 1}\n')


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ('{\n \t"a"  :\n 1.50,\n\n "b":[ 1 ,2 ],"c" : {  }}', '{"a": 1.50, "b": [1, 2], "c": {}}'),
        ('" a : b ,\\" c"', '" a : b ,\\" c"'),
        ("  -1e5 ", "-1e5"),
        ("null", "null"),
        ('{"a": 1, "a": 2}', '{"a": 1, "a": 2}'),
    ],
)
def test_only_whitespace_between_tokens_is_tidied(answer: str, expected: str) -> None:
    assert tidy_json(answer) == expected


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda one: st.lists(one) | st.dictionaries(st.text(), one),
    )
)
def test_tidied_json_has_the_same_value(value: Any) -> None:
    assert tidy_json(json.dumps(value, indent=3, ensure_ascii=False)) == json.dumps(value, ensure_ascii=False)


def where(text: str) -> int | None:
    """The index of the value's end, fed character by character."""
    end = JsonEndDetector()
    return next((at + 1 for at, char in enumerate(text) if end.feed(char) is not None), None)


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ('{"a": 1}   \n\n\n', 8),
        ('[{"a": "}]"}]x', 13),
        (r'{"a": "\"}"} ', 12),
        ('"only a string" ', 15),
        ('{"a": ', None),
        ("12", None),
    ],
)
def test_end_of_a_value_is_detected(text: str, ends: int | None) -> None:
    assert ends == where(text) == JsonEndDetector().feed(text)


def test_endless_white_space_is_an_end_too() -> None:
    assert JsonEndDetector().feed('{"a":' + " " * 10_000) is not None
