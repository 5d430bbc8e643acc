"""The head of a template: what it sets, and one line for each mistake."""

from __future__ import annotations

import json

import pytest

from reflectty.config.template_head import template_of
from reflectty.core.errors import UsageError
from reflectty.core.templates import NO_TEMPLATE_SETTINGS, TemplateSettings

HEAD = """\
model = "qwen3:8b"
system = "Be terse."
schema = "name, age int"
mode = "direct"
effort = "low"
options = { temperature = 0.2, stop = "END" }
until_settled = true
fields = { language = "French", count = 3 }"""
PLACE = "/t/tr.md"


def test_head_sets_how_a_question_is_asked() -> None:
    template = template_of("tr", f"+++\n{HEAD}\n+++\n\nTo {{language}}, {{count}}: {{input}}\n", PLACE)

    assert template.text == "To {language}, {count}: {input}"
    assert template.head == HEAD
    assert template.settings == TemplateSettings(
        model="qwen3:8b",
        system="Be terse.",
        schema="name, age int",
        mode="direct",
        effort="low",
        until_settled=True,
        options=(("temperature", 0.2), ("stop", ("END",))),
        fields=(("language", "French"), ("count", "3")),
    )


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ("Plain.\n\n", "Plain."),
        ("\n+++\nx\n+++\n", "\n+++\nx\n+++"),
        ("--- a/x\n+++ b/x\n", "--- a/x\n+++ b/x"),
        ("+++ b/x\n+++\n", "+++ b/x\n+++"),
        ("", ""),
        ("+++\n+++\nText.", "Text."),
        ("+++ \n\n+++\t\nText.", "Text."),
        ("+++\n+++\n+++\n", "+++"),
    ],
)
def test_text_without_settings_has_none(text: str, body: str) -> None:
    template = template_of("tr", text, PLACE)

    assert (template.text, template.settings) == (body, NO_TEMPLATE_SETTINGS)


def test_schema_may_be_a_table_or_a_file_beside_the_template() -> None:
    table = template_of("tr", '+++\n[schema]\ntype = "object"\n+++\n', PLACE).settings.schema

    assert json.loads(table) == {"type": "object"}
    assert template_of("tr", '+++\nschema = "@a.json"\n+++\n', PLACE).settings.schema == "@/t/a.json"
    assert template_of("tr", '+++\nschema = "@/b/a.json"\n+++\n', PLACE).settings.schema == "@/b/a.json"


@pytest.mark.parametrize(
    ("head", "problem", "hint"),
    [
        ("model = \n", "not valid TOML: Invalid value (at line 2, column 9)", 'write it as model = "qwen3:8b"'),
        ('modle = "x"', "a template has no setting 'modle'", "did you mean"),
        (
            "zzz = 1",
            "a template has no setting 'zzz'",
            "choose from model, system, mode, effort, until_settled, samples, verify, options",
        ),
        ("model = 1", "model must be a quoted string", ""),
        ('mode = "fast"', "mode 'fast' is not a mode", "choose from auto"),
        ("effort = 3", "effort must be a quoted string", ""),
        ("options = 1", "options must be a table", ""),
        ("options = { temprature = 1 }", "options.temprature: Ollama has no option", "did you mean temperature?"),
        ("schema = 1", "schema must be a quoted string", ""),
        ("schema = { const = 2020-01-01 }", "schema must not have dates or times", ""),
        ("fields = 1", "fields must be a table", ""),
        ("fields = { a = [] }", "fields.a must be a quoted string or a number", ""),
        ("fields = { b = 1 }", "fields: the template tr has no field 'b'", "its fields are a"),
        ("fields = { input = 1 }", "fields: the template tr has no field 'input'", ""),
    ],
)
def test_mistake_names_the_file(head: str, problem: str, hint: str) -> None:
    with pytest.raises(UsageError) as refused:
        template_of("tr", f"+++\n{head}\n+++\n{{a}} {{input}}", PLACE)

    assert str(refused.value).startswith(f"{PLACE}: {problem}")
    assert "\n" not in refused.value.with_hint
    assert hint in refused.value.hint


def test_head_without_an_end_is_refused() -> None:
    with pytest.raises(UsageError, match=r"/c\.toml: templates\.tr: its head has no end"):
        template_of("tr", '+++\nmodel = "x"\nText', "/c.toml", "templates.tr")
