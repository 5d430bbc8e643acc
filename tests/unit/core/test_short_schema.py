from __future__ import annotations

from pathlib import Path

import pytest

from reflectty.core.errors import UsageError
from reflectty.core.schema import read_schema
from reflectty.core.schema.short_form import expand_short_form


def test_fields_become_the_properties_of_a_closed_object() -> None:
    assert expand_short_form("name, age int, tags [str], score float: from 0 to 1") == {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "age": {"type": "integer"},
            "tags": {"type": "array", "items": {"type": "string"}},
            "score": {"type": "number", "description": "from 0 to 1"},
        },
        "required": ["name", "age", "tags", "score"],
        "additionalProperties": False,
    }


def test_lines_may_have_commas_in_their_descriptions() -> None:
    schema = expand_short_form("name: first, then last\nok bool")
    assert schema is not None
    assert schema["properties"] == {
        "name": {"type": "string", "description": "first, then last"},
        "ok": {"type": "boolean"},
    }


@pytest.mark.parametrize(
    "text", ["", " ", ",", "age number2", "two words here", "a, a", "[int]", "9lives", "x [int", "?"]
)
def test_other_texts_are_not_short_forms(text: str) -> None:
    assert expand_short_form(text) is None


def test_argument_is_a_short_form_a_file_or_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("n").write_text('{"type": "integer"}', "utf-8")

    assert '"properties":{"n":{"type":"string"},"m"' in read_schema("n, m").text
    assert read_schema("n").text == read_schema("@n").text == '{"type":"integer"}'
    assert read_schema('{"type": "null"}').text == '{"type":"null"}'
    with pytest.raises(UsageError, match=r"cannot read the schema nowhere\.json: no such file"):
        read_schema("nowhere.json")
    with pytest.raises(UsageError, match="cannot read the schema m: no such file"):
        read_schema("@m")
