from __future__ import annotations

import gzip
import json
import time
from collections import Counter
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflectty.core.errors import UsageError
from reflectty.evaluation.grader import Verdict, grade_text
from reflectty.evaluation.item_file import MAX_FILE_BYTES, rows_of
from reflectty.evaluation.item_row import read_item
from reflectty.evaluation.items import LETTERS, Item
from reflectty.evaluation.known_sets import KNOWN_SETS
from reflectty.evaluation.patterns import problem_of
from reflectty.evaluation.sets import load_set
from reflectty.reasoning.stated_answers import AnswerKind
from support.shared_data import DATA

if TYPE_CHECKING:
    from pathlib import Path


NUMBER, CHOICE, MATH, EXACT, CASEFOLD, CONTAINS, REGEX = AnswerKind
FOUR = ["red", "green", "blue", "gray"]
FIRST = {"question": "?", "choices": FOUR, "answer": 0, "id": "first"}
"""Shows that choices are numbered from 0."""


def write(path: Path, *rows: object) -> str:
    path.write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    return str(path)


def only_item(text: str, name: str = "set.jsonl") -> Item:
    (row,) = rows_of(text.encode(), name, name)
    return read_item(row, "set").item


@pytest.mark.parametrize(
    ("row", "kind", "answer"),
    [
        ({"question": "?", "answer": 42}, NUMBER, "42"),
        ({"prompt": "?", "key": "-1,250.50"}, NUMBER, "-1,250.50"),
        ({"input": "?", "target": ["3/4"]}, NUMBER, "3/4"),
        ({"Question": "?", "Answer": " Paris "}, CASEFOLD, "Paris"),
        ({"question": "?", "answer": "Paris", "kind": "exact"}, EXACT, "Paris"),
        ({"question": "?", "answer": "Paris", "type": "CONTAINS"}, CONTAINS, "Paris"),
        ({"question": "?", "answer": r"^\d{4}$", "kind": "regex"}, REGEX, r"^\d{4}$"),
        ({"question": "?", "answer": r"\frac{1}{2}"}, NUMBER, r"\frac{1}{2}"),
        ({"question": "?", "answer": "x^2 + 1"}, MATH, "x^2 + 1"),
        ({"question": "?", "answer": "3 + 4 = <<3+4=7>>7\n#### 1,007"}, NUMBER, "1,007"),
        ({"problem": "?", "solution": "so 7", "answer": "7", "type": "Algebra"}, MATH, "7"),
        ({"question": "?", "choices": FOUR, "answer": "C"}, CHOICE, "C"),
        ({"question": "?", "options": FOUR, "answer": "(c)"}, CHOICE, "C"),
        ({"question": "?", "choices": FOUR, "answer": "green"}, CHOICE, "B"),
        ({"question": "?", "choices": FOUR, "answer": 3}, CHOICE, "D"),
        ({"question": "?", "choices": {"text": FOUR, "label": ["A", "B"]}, "answer": "1"}, CHOICE, "B"),
        ({"question": "?", "choices": '["yes", "no"]', "answer": "b"}, CHOICE, "B"),
        ({"question": "?", "A": "x", "B": "y", "C": "", "answer": "B"}, CHOICE, "B"),
        ({"question": "?", "a": "x", "b": "", "c": 3, "answer": "C"}, CHOICE, "C"),
        ({"question": "?", "choices": ["B", "A"], "error_type": "ok", "answer": "A"}, CHOICE, "A"),
    ],
)
def test_a_row_becomes_an_item(row: dict[str, Any], kind: AnswerKind, answer: str) -> None:
    item = only_item(json.dumps(row))
    assert (item.question, item.kind, item.answer, item.id) == ("?", kind, answer, "set-1")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "set.jsonl: empty"),
        (b"\xef\xbb\xbf \n\n", "set.jsonl: empty"),
        ('{"question": "?"}'.encode("utf-16"), "set.jsonl: UTF-16"),
        (b'\n{"question": "caf\xe9", "answer": "1"}', "set.jsonl:2: not UTF-8 (byte 0xe9; perhaps Latin-1)"),
        ('{"question": "?"}'.encode("utf-16-le"), "set.jsonl: not a text file (contains NUL bytes)"),
        (b'{"question": "?", "answer": 1}\nwhy?', "set.jsonl:2: not valid JSON: expecting value at character 1"),
        (b'{"question": "?", "answer": NaN}', "set.jsonl:1: not valid JSON"),
        (b"[" * 100_000, "set.jsonl:1: not valid JSON: nested too deeply"),
        (b'["?"]', "set.jsonl:1: not a JSON object"),
        (b'\n\n{"answer": "1"}', "set.jsonl:3: no question"),
        (b'{"question": "?"}', "set.jsonl:1: no answer"),
        (b'{"question": "?", "answer": null}', "set.jsonl:1: no answer"),
        (b'{"question": "?", "answer": true}', "set.jsonl:1: the answer is not a text"),
        (b'{"question": ["?", "!"], "answer": 1}', "set.jsonl:1: the question is not a text"),
        (b'{"question": "?", "answer": 1, "kind": "numbr"}', "set.jsonl:1: no kind 'numbr'"),
        (b'{"question": "?", "answer": "blue", "kind": "number"}', "set.jsonl:1: the answer 'blue' is not a number"),
        (b'{"question": "?", "answer": "A", "kind": "choice"}', "set.jsonl:1: no choices"),
        (b'{"question": "?", "choices": ["x", "y"], "answer": "C"}', "set.jsonl:1: the answer 'C' is not among the choices"),
        (b'{"question": "?", "choices": ["B", "A"], "answer": "A"}', "set.jsonl:1: the answer 'A' names several choices"),
        (b'{"question": "?", "choices": ["1", "2"], "answer": 1}', "set.jsonl:1: the answer '1' names several choices"),
        (b'{"question": "?", "choices": ["x", "y"], "answer": 1}', "set.jsonl:1: the answer is the number of a choice, from 0 or"),
        (b'{"question": "?", "choices": ["x", "y"], "answer": 2}', "set.jsonl:1: the answer '2' is not among the choices"),
        (b'{"question": "?", "choices": "x or y", "answer": "x"}', "set.jsonl:1: the choices are not a JSON list"),
        (b'{"question": "?", "choices": ["x", null], "answer": "x"}', "set.jsonl:1: the choices are not a list of texts"),
        (b'{"question": "?", "choices": ["x"], "answer": "x"}', "set.jsonl:1: 1 choices"),
        (b'{"question": "?", "choices": ["x", "y"], "answer": "A", "kind": "exact"}', "set.jsonl:1: choices, but the kind is exact"),
        (b'{"question": "?", "answer": "(a+)+$", "kind": "regex"}', "set.jsonl:1: the regular expression repeats something"),
        (b'{"question": "?", "answer": "(", "kind": "regex"}', "set.jsonl:1: the regular expression does not compile"),
        (b'{"question": "?", "answer": 1, "id": [2]}', "set.jsonl:1: the id is not a text or a number"),
        (b'{"question": "?", "answer": 1, "id": 7}\n\n{"question": "!", "answer": 2, "id": "7"}', "set.jsonl:3: the id '7' occurs twice"),
        (b'{"question": "' + b"x" * (1 << 20) + b'", "answer": 1}', "set.jsonl:1: longer than 1 MB"),
        (b'{"question": "?", "answer": 1, "error_type": "bad"}', "no question is left"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_refused_by_its_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "set.jsonl"
    path.write_bytes(content)
    with pytest.raises(UsageError) as error:
        load_set(str(path))
    assert str(error.value).removeprefix(f"{tmp_path}/").startswith(message) or message in str(error.value)
    assert error.value.hint or "not" in str(error.value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("set.jsonl", '{"question": "a b", "answer": 1}\n\n{"question": "c", "answer": 2}\n'),
        ("set.jsonl", '\ufeff{"question": "a b", "answer": 1}\r\n{"question": "c", "answer": 2}'),
        ("set.json", '[{"question": "a b", "answer": 1},\n {"question": "c", "answer": 2}]'),
        ("set.json", '{"question": "a b", "answer": 1}\n{"question": "c", "answer": 2}'),
        ("set.txt", '[\n{"question": "a b", "answer": 1},\n {"question": "c", "answer": 2}]'),
        ("set.csv", "question,answer\na b,1\nc,2\n"),
        ("set.csv", "\ufeffQuestion;Answer;note\r\na b;1;x\r\n\r\nc;2\r\n"),
        ("set.csv", 'answer\tquestion\n1\t"a b"\n2\tc\n'),
    ],
)
def test_the_same_questions_are_read_in_every_format(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text, "utf-8", newline="")
    loaded = load_set(str(path))
    assert sorted((item.question, item.answer, item.kind) for item in loaded.items) == [
        ("a b", "1", NUMBER),
        ("c", "2", NUMBER),
    ]
    assert (loaded.name, loaded.origin) == ("set", str(path))
    packed = tmp_path / f"{name}.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert load_set(str(packed)).digest == loaded.digest


def test_a_line_of_a_csv_file_is_the_line_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "set.csv"
    path.write_text('question,answer\n"two\nlines",1\n"",2\n', "utf-8")
    with pytest.raises(UsageError, match=r"set\.csv:4: no question"):
        load_set(str(path))


def test_choices_are_shuffled_by_seed_and_the_key_moves_along(tmp_path: Path) -> None:
    rows = [{"question": str(n), "choices": FOUR, "answer": n % 4} for n in range(200)]
    name = write(tmp_path / "set.jsonl", *rows)
    first, again, other = load_set(name, seed=1), load_set(name, seed=1), load_set(name, seed=2)
    assert first == again
    for item in first.items:
        assert item.choices[LETTERS.index(item.answer)] == FOUR[int(item.question) % 4]
    orders = {item.id: item.choices for item in other.items}
    assert sum(orders[item.id] != item.choices for item in first.items) > 150
    assert min(Counter(item.answer for item in first.items).values()) > 30


@pytest.mark.parametrize(
    "last", ["All of the above", "Both A and B", "Neither", "A and C", "None of these", "Answer (B)"]
)
def test_choices_that_refer_to_others_keep_their_order(tmp_path: Path, last: str) -> None:
    rows = [{"question": str(n), "choices": [*FOUR[:3], last], "answer": "D"} for n in range(20)]
    items = load_set(write(tmp_path / "set.jsonl", *rows)).items
    assert {(item.choices, item.answer) for item in items} == {((*FOUR[:3], last), "D")}


def test_a_sample_is_the_same_for_a_seed_and_grows(tmp_path: Path) -> None:
    name = write(tmp_path / "set.jsonl", *({"question": str(n), "answer": n} for n in range(300)))
    ten, twenty = load_set(name, 10, 4).items, load_set(name, 20, 4).items
    assert ten == twenty[:10]
    assert load_set(name, 10, 5).items != ten
    assert len(load_set(name, None, 4).items) == len(load_set(name, 5000, 4).items) == 300


def test_questions_marked_as_faulty_are_left_out_unless_wanted(tmp_path: Path) -> None:
    kinds = ("ok", "OK", "wrong groundtruth", "")
    rows = [{"question": kind or "none", "answer": 1, "error_type": kind} for kind in kinds]
    name = write(tmp_path / "set.jsonl", *rows)
    assert {item.question for item in load_set(name).items} == {"ok", "OK"}
    assert len(load_set(name, with_errors=True).items) == 4


def test_generated_sets_are_named_by_their_generators() -> None:
    assert load_set("builtin").name == "builtin"
    assert len(load_set("builtin").items) == 200
    some = load_set("builtin: traps, dates", 6, 2)
    assert (some.name, [item.group for item in some.items]) == ("builtin:traps,dates", ["traps", "dates"] * 3)


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("gsm8k", "the set gsm8k is not on this machine", "reflect eval fetch gsm8k"),
        ("gsm", "no set and no file 'gsm'", "did you mean gsm8k?"),
        ("zzz", "no set and no file 'zzz'", "sets are builtin, gsm8k"),
        ("gone.jsonl", "gone.jsonl: no such file", ""),
        (".", ".: cannot be read: is a directory", ""),
        ("builtin:trap", "no generator 'trap'", "did you mean traps?"),
    ],
)
def test_a_set_that_is_not_there_is_named(tmp_path: Path, name: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as error:
        load_set(name, cache=tmp_path)
    assert (str(error.value), error.value.hint[: len(hint)]) == (message, hint)


def test_a_file_that_is_too_large_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    with path.open("wb") as file:
        file.truncate(MAX_FILE_BYTES * 16)
    packed = tmp_path / "set.jsonl.gz"
    with gzip.open(packed, "wb", compresslevel=1) as target:
        for _ in range(65):
            target.write(bytes(1 << 20))
    for large in (path, packed):
        with pytest.raises(UsageError, match="larger than 64 MB"):
            load_set(str(large))


def test_a_fetched_set_is_checked_by_its_digest(tmp_path: Path) -> None:
    known = KNOWN_SETS["mmlu"]
    path = known.path_in(tmp_path)
    path.parent.mkdir(parents=True)
    text = ",Question,A,B,C,D,Answer,Subject\n0,Why?,1,2,,4,B,logic\n1,How?,5,C,B,D,C,law\n"
    path.write_text(text, "utf-8")
    with pytest.raises(UsageError, match="has changed since it was fetched"):
        load_set("mmlu", cache=tmp_path)
    known.digest_path_in(tmp_path).write_text(f"{sha256(text.encode()).hexdigest()}  mmlu.csv\n", "utf-8")
    loaded = load_set("mmlu", cache=tmp_path)
    assert loaded.origin.startswith("14,042 questions with four choices")
    assert {(item.question, item.group, item.choices[LETTERS.index(item.answer)]) for item in loaded.items} == {
        ("Why?", "logic", "2"),
        ("How?", "law", "B"),
    }
    path.write_text(text.replace("5", "9"), "utf-8")
    with pytest.raises(UsageError, match="has changed") as error:
        load_set("mmlu", cache=tmp_path)
    assert error.value.hint == "reflect eval fetch --force mmlu"


@pytest.mark.parametrize(
    ("file", "count", "total", "kind"),
    [
        ("gsm8k/test.jsonl", None, 1319, NUMBER),
        ("mmlu_redux/mmlu_redux_clean.jsonl.gz", None, 5327, CHOICE),
        ("mmlu_redux/mmlu_redux_clean.jsonl.gz", 300, 300, CHOICE),
    ],
)
def test_public_sets_are_read_as_they_are(file: str, count: int | None, total: int, kind: AnswerKind) -> None:
    if not (DATA / file).is_file():
        pytest.skip(f"REFLECTTY_DATA names no folder with {file}")
    items = load_set(str(DATA / file), count, 3).items
    assert (len(items), {item.kind for item in items}) == (total, {kind})


@given(st.binary(max_size=400), st.sampled_from(["a.jsonl", "a.json", "a.csv", "a"]))
def test_any_bytes_are_items_or_a_usage_error(data: bytes, name: str) -> None:
    try:
        items = [read_item(row, "a").item for row in rows_of(data, name, name)]
    except UsageError as error:
        assert str(error).startswith(name)  # noqa: PT017 - or there is none
    else:
        assert all(item.question.strip() and item.answer for item in items)


SCALARS: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, 1, 2.5, "", "A", "b", "1", "x", "choice", "regex", "number", "(", [], {}]
)
VALUES = SCALARS | st.lists(SCALARS, max_size=4)
NAMES = st.sampled_from(["question", "answer", "choices", "kind", "id", "group", "A", "B", "problem", "solution"])


@given(st.dictionaries(NAMES, VALUES, max_size=6))
def test_any_members_are_an_item_or_a_usage_error(members: dict[str, Any]) -> None:
    text = json.dumps(members)
    try:
        item = only_item(text)
    except UsageError as error:
        assert str(error).startswith("set.jsonl:1: ")  # noqa: PT017 - or there is none
    else:
        assert item.answer
        assert not item.choices or item.answer in LETTERS[: len(item.choices)]


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        (r"^\d+$", ""),
        ("(?i)paris|london", ""),
        (r"\b42\b", ""),
        ("(a|b)*", ""),
        (r"(?:\d{3})+", ""),
        ("(?=.*a)x", ""),
        ("|".join(map(str, range(100))), ""),
        ("(a+)+b", "repeats something that can match in several ways"),
        ("(ab|cd)*x", "repeats something that can match in several ways"),
        ("(a?){30}", "repeats something that can match in several ways"),
        ("(?>a*)*b", "repeats something that can match in several ways"),
        ("(?=(a+)+b)", "repeats something that can match in several ways"),
        (".*a.*b.*c", "has more than 2 wide repeats"),
        (r"(x)\1", "refers back to a group"),
        ("(?P<a>x)?(?(a)b|c)", "refers back to a group"),
        ("a{5000}", "repeats more than 1000 times"),
        ("a?" * 30, "has too many alternatives and options"),
        ("(a|ab)" * 10, "has too many alternatives and options"),
        ("x" * 1001, "longer than 1000 characters"),
        ("(", "does not compile: missing ), unterminated subpattern at position 0"),
    ],
)
def test_patterns_that_may_run_away_are_refused(pattern: str, problem: str) -> None:
    assert problem_of(pattern) == problem


@pytest.mark.parametrize(
    "pattern", [".*a.*b", "a?a?a?a?a?a?a*a*b", "(a|aa)(a|aa)(a|aa)(a|aa)a*a*b", "a{1,9}a{1,9}a*a*b"]
)
def test_the_slowest_accepted_patterns_end_in_time(pattern: str) -> None:
    assert problem_of(pattern) == ""
    started = time.process_time()
    assert grade_text(Item("slow", "?", pattern, REGEX), "a" * 100_000).verdict is Verdict.WRONG
    assert time.process_time() - started < 20
