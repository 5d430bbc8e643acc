from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflectty.core.errors import UsageError
from reflectty.core.templates import INPUT, Template, fields_of, fill_template, parse_fields, refuse_unknown_fields
from support.properties import examples

FIELDS = {"input": "IN", "language": "French", "a-b_2": "X", "é": "E"}


@pytest.mark.parametrize(
    ("text", "fields", "filled"),
    [
        ("", (), ""),
        ("Plain.", (), "Plain."),
        ("{input}", ("input",), "IN"),
        ("To {language}: {input}\n{input}", ("language", "input"), "To French: IN\nIN"),
        ("{a-b_2} {é}", ("a-b_2", "é"), "X E"),
        ("{language}{language}", ("language",), "FrenchFrench"),
        ("{{language}} is {language}", ("language",), "{language} is French"),
        ("{{{language}}}", (), "{{language}}"),
        ("{}", (), "{}"),
        ("{ language }", (), "{ language }"),
        ('{"language": {"a": 1}}', (), '{"language": {"a": 1}}'),
        ("{0} {1x} {_x} {x.y} {x!r} {x:>3} {a,b}", (), "{0} {1x} {_x} {x.y} {x!r} {x:>3} {a,b}"),
        ("${language} $ {language}", ("language",), "${language} $ French"),
        ("fn f() { if x {{ y }} }", (), "fn f() { if x {{ y }} }"),
        ("{language", (), "{language"),
        ("language}", (), "language}"),
        ("{lang\nuage}", (), "{lang\nuage}"),
    ],
)
def test_only_a_name_between_braces_is_a_field(text: str, fields: tuple[str, ...], filled: str) -> None:
    assert fields_of(text) == fields
    assert fill_template(text, FIELDS) == filled


@examples(200)
@given(st.text(), st.text(), st.text())
def test_inserted_text_is_not_expanded_again(before: str, value: str, after: str) -> None:
    plain_before, plain_after = before.replace("{", "("), after.replace("{", "(")
    text = f"{plain_before} {{input}} {plain_after}"
    assert fill_template(text, {"input": value}) == f"{plain_before} {value} {plain_after}"


@examples(200)
@given(st.text(alphabet="{}$ab-_ \n"))
def test_every_text_can_be_filled_with_its_own_fields(text: str) -> None:
    named = {name: f"<{name}>" for name in fields_of(text)}
    assert all(fill_template(text, named).count(f"<{name}>") for name in named)


@pytest.mark.parametrize(
    ("text", "given", "said", "hint"),
    [
        ("{language}", {}, "the template tr needs a value for {language}", "--field language=TEXT"),
        ("{x} {y} {z}", {"y": ""}, "the template tr needs a value for {x} and {z}", "{{x}}"),
        ("{input} {x}", {"x": "1"}, "the template tr needs a value for {input}", "pipe it in"),
        ("{x} {input}", {}, "the template tr needs a value for {input}", "pipe it in"),
    ],
)
def test_missing_field_error_explains_how_to_set_it(text: str, given: dict[str, str], said: str, hint: str) -> None:
    with pytest.raises(UsageError) as refused:
        fill_template(text, given, "tr")

    assert str(refused.value) == said
    assert hint in refused.value.hint


@pytest.mark.parametrize(
    ("pairs", "fields"),
    [
        ((), {}),
        (("language=French",), {"language": "French"}),
        ((" a =b=c", "x="), {"a": "b=c", "x": ""}),
        (("a=1", "a=2"), {"a": "2"}),
        (("a= two words ",), {"a": " two words "}),
    ],
)
def test_fields_are_read_from_pairs(pairs: tuple[str, ...], fields: dict[str, str]) -> None:
    assert parse_fields(pairs) == fields


@pytest.mark.parametrize(
    ("pair", "said"), [("language", "has no value"), ("=x", "has no value"), (f"{INPUT}=x", "input cannot be set")]
)
def test_invalid_field_is_refused(pair: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_fields((pair,))


@pytest.mark.parametrize(
    ("text", "name", "hint"),
    [
        ("{language} {input}", "langage", "did you mean language?"),
        ("{language} {input}", "zzz", "its fields are language"),
        ("{input}", "zzz", "it has no fields besides the input"),
        ("plain", "input", "it has no fields besides the input"),
    ],
)
def test_a_field_that_a_template_does_not_have_is_refused(text: str, name: str, hint: str) -> None:
    with pytest.raises(UsageError, match=f"the template tr has no field '{name}'") as refused:
        refuse_unknown_fields((name,), Template("tr", text))

    assert hint in refused.value.hint
