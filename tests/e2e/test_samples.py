"""`--samples`: several replies vote on the answer, and nothing is printed before the vote is decided."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

import pytest

from reflectty.core.session import ReplyStatus
from support.fake_server import HANG, Answer, error, reply
from support.json_schemas import check_described
from support.pty_screen import Screen
from support.scripted_servers import MODEL, Gate, unfinished
from support.several_replies import CUT, server_of, tagged
from support.stored_replies import StoredHome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.command import Reflect

PROSE = "Well, that is a long story.\n\nIt begins in a small town, where nobody knew the number."
WARM: dict[str, Any] = {"parameters": "temperature 0.8"}
DIRECT = ("--mode", "direct", "--schema", "a int, b int")
FIVE = (*MODEL, "--samples", "5")


@pytest.mark.parametrize(
    ("answers", "printed", "summary"),
    [
        (("42", "42", "42"), "42", "3 of 5 samples · 198 tokens · 3 of 3 agree"),
        (("41", "42", "42", "42"), "42", "4 of 5 samples · 264 tokens · 3 of 4 agree"),
        (("41", "42", "42", "41", "43"), "41", "5 samples · 330 tokens · 2 of 5 agree"),
        (("1", "2", "3", "4", "5"), "1", "5 samples · 330 tokens · no two agree"),
    ],
)
def test_most_frequent_answer_is_printed_and_its_cost_told(
    reflect: Reflect, answers: Sequence[str], printed: str, summary: str
) -> None:
    with server_of(*answers, **WARM) as server:
        shown = reflect.at(server.host)(*FIVE, "q")
        asked = len(server.chatted())
    with server_of(*answers, **WARM) as server:
        final = reflect.at(server.host)(*FIVE, "--final", "q")

    assert (shown.code, shown.out, shown.err) == (0, f"{printed}\n", f"reflect: {summary}\n")
    assert (final.code, final.out, final.err) == (0, f"{printed}\n", "")
    assert asked == len(answers)


@pytest.mark.parametrize("form", [(), ("--final",), ("--json",), ("--jsonl",), ("--code",)], ids=str)
def test_nothing_is_printed_before_the_vote_is_decided(reflect: Reflect, form: tuple[str, ...]) -> None:
    gate = Gate()
    answer = "```\n42\n```"
    last = gate.between("<output>\n", f"{answer}\n</output>")
    with (
        server_of(answer, last, **WARM) as server,
        reflect.at(server.host).start(*MODEL, "--samples", "3", *form, "q") as running,
    ):
        assert running.until(lambda _: len(server.chatted()) == 2)
        before = running.stdout
        gate.open()
        after = running.finish()

    assert before == b""
    assert (after.code, "42" in after.out) == (0, True)


def test_reply_that_fails_does_not_lose_the_others(reflect: Reflect) -> None:
    with server_of(CUT, "41", "42", "42", "42", **WARM) as server:
        result = reflect.at(server.host)(*FIVE, "q")

    assert (result.code, result.out) == (0, "42\n")
    assert result.err.splitlines() == [
        "reflect: sample 1 does not count: the thinking was cut off at the token limit",
        "reflect: 5 samples · 330 tokens · 3 of 5 agree",
    ]


@pytest.mark.parametrize(
    ("replies", "words", "code", "asked"),
    [
        ((CUT,), (), 5, 3),
        ((reply(["no JSON"]),), ("-m", "m", *DIRECT), 7, 3),
        ((error(500, "out of memory"),), (), 4, 1),
        ((error(404, "model not found"),), (), 4, 1),
    ],
    ids=str,
)
def test_without_any_complete_reply_the_first_failure_counts(
    reflect: Reflect, replies: Any, words: tuple[str, ...], code: int, asked: int
) -> None:
    with server_of(*replies, **WARM) as server:
        result = reflect.at(server.host)(*MODEL, "--final", "--samples", "3", *words, "q")
        requests = len(server.chatted())

    assert (result.code, result.out, requests >= asked) == (code, "", True)
    assert result.err.startswith("reflect: ")


def test_server_that_is_gone_ends_the_sampling(reflect: Reflect) -> None:
    with server_of("42", error(400, "no more today"), **WARM) as server:
        result = reflect.at(server.host)(*FIVE, "--final", "q")

    assert (result.code, result.out) == (0, "42\n")
    assert result.err.startswith("reflect: sampling ended after 2 of 5: ")


def test_prose_is_not_counted(reflect: Reflect) -> None:
    with server_of(PROSE, PROSE.replace("small", "large"), **WARM) as server:
        result = reflect.at(server.host)(*FIVE, "q")
        asked = len(server.chatted())

    assert (result.code, result.out, asked) == (0, f"{PROSE}\n", 2)
    assert result.err.splitlines() == [
        "reflect: the answers are prose: no vote; the first is shown",
        "reflect: 2 of 5 samples · 132 tokens · no vote",
    ]


@pytest.mark.parametrize(
    ("parameters", "words", "options", "note"),
    [
        ("temperature 0.8", (), [{}] * 3, ""),
        ("temperature 0", (), [{"temperature": 0.7}] * 3, ""),
        ("", ("-o", "temperature=0"), [{"temperature": 0.7}] * 3, "samples use 0.7"),
        ("seed 5", (), [{"seed": 5}, {"seed": 6}, {"seed": 7}], ""),
        ("", ("-o", "seed=7", "-o", "top_k=9"), [{"seed": seed, "top_k": 9} for seed in (7, 8, 9)], ""),
    ],
)
def test_samples_differ_in_seed_and_are_never_greedy(
    reflect: Reflect, parameters: str, words: tuple[str, ...], options: list[dict[str, float]], note: str
) -> None:
    with server_of("1", "2", "3", parameters=parameters) as server:
        result = reflect.at(server.host)(*MODEL, "--samples", "3", "--final", *words, "q")
        asked = [request.json.get("options", {}) for request in server.chatted()]

    assert asked == options
    assert note in result.err
    assert bool(note) is bool(result.err)


def test_json_has_all_answers_and_the_vote(reflect: Reflect) -> None:
    with server_of("41", "42", CUT, "42", **WARM) as server:
        result = reflect.at(server.host)(*MODEL, "--samples", "4", "--json", "q")
    value = json.loads(result.out)

    check_described("reply", value)
    assert (result.code, value["answer"], value["complete"], value["error"]) == (0, "42", True, None)
    assert [(one["answer"], one["stated"], one["tokens"]) for one in value["samples"]] == [
        ("41", "41", 66),
        ("42", "42", 66),
        ("", "", 66),
        ("42", "42", 66),
    ]
    assert value["samples"][2]["error"].startswith("the thinking was cut off")
    assert value["vote"] == {"answer": "42", "votes": 2, "cast": 3, "asked": 4, "winner": 1, "tokens": 264}


def test_values_of_a_schema_are_counted_whatever_the_order_of_their_keys(reflect: Reflect) -> None:
    answers = ('{"a": 1, "b": 3}', '{"a": 1, "b": 2}', '{"b": 2, "a": 1}')
    with server_of(*(reply([answer]) for answer in answers), **WARM) as server:
        result = reflect.at(server.host)("-m", "m", "--samples", "3", "--final", *DIRECT, "q")

    assert (result.code, json.loads(result.out)) == (0, {"a": 1, "b": 2})


def test_values_of_a_schema_are_the_same_to_the_letter(reflect: Reflect) -> None:
    answers = ('{"name": "Ulm"}', '{"name": "ulm"}', '{"name": "ulm"}')
    words = ("-m", "m", "--mode", "direct", "--schema", "name", "--samples", "3", "--final", "q")
    with server_of(*(reply([answer]) for answer in answers), **WARM) as server:
        result = reflect.at(server.host)(*words)

    assert (result.code, json.loads(result.out)) == (0, {"name": "ulm"})


def test_session_has_every_reply_and_goes_on_from_the_winner(reflect: Reflect) -> None:
    with server_of("41", "42", "42", "next", **WARM) as server:
        here = reflect.at(server.host)
        here(*MODEL, "--samples", "3", "q")
        stored = StoredHome(reflect.home)
        here(*MODEL, "-c", "and then?")
        sent = server.chatted()[-1].json["messages"]

    replies = [turn for turn in stored.turns if turn.said]
    assert [(turn.said.answer, turn.said.ended) for turn in replies if turn.said] == [
        ("41", ReplyStatus.COMPLETE),
        ("42", ReplyStatus.COMPLETE),
        ("42", ReplyStatus.COMPLETE),
    ]
    assert [turn.said.warnings for turn in replies if turn.said] == [
        (),
        ("3 samples · 198 tokens · 2 of 3 agree",),
        (),
    ]
    assert {turn.parent for turn in replies} == {stored.turns[0].id}
    assert stored.sessions[0].leaf == replies[1].id
    assert [message["content"] for message in sent if message["role"] != "system"] == ["q", "42", "and then?"]


def test_deadline_ends_the_sampling_with_the_winner_so_far(reflect: Reflect) -> None:
    with server_of("41", "42", "42", Answer([HANG]), **WARM) as server:
        result = reflect.at(server.host)(*FIVE, "--final", "--deadline", "1", "q")

    assert (result.code, result.out) == (8, "42\n")
    assert result.err.startswith("reflect: the deadline of 1 s ended the samples")


def test_continued_session_is_in_view_of_every_sample(reflect: Reflect) -> None:
    with server_of("first", "41", "42", "42", "next", **WARM) as server:
        here = reflect.at(server.host)
        here(*MODEL, "one?")
        result = here(*MODEL, "-c", "--final", "--samples", "3", "two?")
        here(*MODEL, "-c", "three?")
        *_, third, last = (request.json["messages"] for request in server.chatted())

    assert result.out == "42\n"
    assert [one["content"] for one in third if one["role"] != "system"] == ["one?", "first", "two?"]
    assert [one["content"] for one in last if one["role"] != "system"][2:] == ["two?", "42", "three?"]


def test_interrupted_sampling_prints_nothing_and_keeps_what_came(reflect: Reflect) -> None:
    with (
        server_of("42", unfinished("<thinking>\nhm"), **WARM) as server,
        reflect.at(server.host).start(*FIVE, "--final", "q") as running,
    ):
        assert running.until(lambda _: len(server.chatted()) == 2)
        result = running.signalled(signal.SIGINT)
    stored = StoredHome(reflect.home)
    first = stored.turns[1]

    assert (result.code, result.out, result.err) == (130, "", "")
    assert first.said
    assert (first.said.answer, stored.sessions[0].leaf) == ("42", first.id)


def test_request_for_the_answer_ends_the_sampling_with_this_sample(reflect: Reflect) -> None:
    gate = Gate()
    first = gate.between("<thinking>\nso\n</thinking>\n<output>\n", "42\n</output>")
    with (
        server_of(first, "41", "41", "41", "41", **WARM) as server,
        reflect.at(server.host).start(*FIVE, "q") as running,
    ):
        assert running.until(lambda _: len(server.chatted()) == 1)
        running.process.send_signal(signal.SIGUSR1)
        gate.open()
        result = running.finish()

    assert (result.code, result.out) == (0, "42\n")
    assert result.err == "reflect: 1 of 5 samples · 66 tokens · 1 of 1 states an answer\n"


def test_settings_ask_several_times_and_the_command_line_once(reflect: Reflect) -> None:
    settings = reflect.home / ".config" / "reflectty" / "config.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text("samples = 3\n")
    with server_of("41", "42", "42", **WARM) as server:
        several = reflect.at(server.host)(*MODEL, "--final", "q")
    with server_of("41", "42", "42", **WARM) as server:
        once = reflect.at(server.host)(*MODEL, "--final", "--samples", "1", "q")

    assert (several.out, once.out) == ("42\n", "41\n")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--samples", "3", "--verify"), "--samples and --verify cannot be combined (use one of them)"),
        (("--samples", "3", "--raw"), "--raw and --samples cannot be combined (--raw prints one reply as it comes)"),
        (("--verify", "--raw"), "--raw and --verify cannot be combined (--raw prints one reply as it comes)"),
        (("--samples", "0"), "--samples takes 3 to 64, or 1 (--samples 5 asks five times, 1 asks once)"),
        (("--samples", "2"), "--samples takes 3 to 64, or 1 (--samples 5 asks five times, 1 asks once)"),
        (("--samples", "65"), "--samples takes 3 to 64, or 1 (--samples 5 asks five times, 1 asks once)"),
    ],
)
def test_what_cannot_be_is_refused(reflect: Reflect, words: tuple[str, ...], problem: str) -> None:
    result = reflect(*words, "q")
    assert (result.code, result.out, result.err) == (2, "", f"reflect: {problem}\n")


def test_template_asks_several_times(reflect: Reflect) -> None:
    folder = reflect.home / ".config" / "reflectty" / "templates"
    folder.mkdir(parents=True)
    (folder / "sum.md").write_text("+++\nsamples = 3\n+++\nHow much is {input}?\n")
    with server_of("41", "42", "42", **WARM) as server:
        result = reflect.at(server.host)(*MODEL, "--final", "-t", "sum", "40 + 2")

    assert result.out == "42\n"


def test_settings_for_both_are_refused(reflect: Reflect) -> None:
    settings = reflect.home / ".config" / "reflectty" / "config.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text("samples = 3\nverify = true\n")
    refused = reflect("q")
    with server_of("41", "42", "42", **WARM) as server:
        asked = reflect.at(server.host)(*MODEL, "--final", "--samples", "3", "q")

    assert (refused.code, asked.out) == (2, "42\n")
    assert refused.err.startswith("reflect: the settings samples and verify cannot be combined (")


def test_each_line_of_a_batch_has_its_vote(reflect: Reflect) -> None:
    (reflect.home / "in.txt").write_text("one\ntwo\n")
    words = ("--samples", "3", "--fields", "answer,vote", "--jobs", "1", str(reflect.home / "in.txt"))
    with server_of("1", "2", "2", "4", "4", **WARM) as server:
        result = reflect.at(server.host)("batch", *MODEL, *words)
    first, second = map(json.loads, result.out.splitlines())

    assert (result.code, result.err) == (0, "")
    assert (first["answer"], first["vote"]["votes"], first["vote"]["tokens"]) == ("2", 2, 198)
    assert (second["answer"], second["vote"]["votes"], second["vote"]["tokens"]) == ("4", 2, 132)
    check_described("batch-record", first)


def test_batch_notices_that_it_would_ask_in_another_way(reflect: Reflect) -> None:
    (reflect.home / "in.txt").write_text("one\ntwo\n")
    words = (*MODEL, "--output", str(reflect.home / "out.jsonl"), str(reflect.home / "in.txt"))
    with server_of("1", CUT, "1", **WARM) as server:
        reflect.at(server.host)("batch", *words)
        again = reflect.at(server.host)("batch", *words, "--resume", "--samples", "3")

    assert again.code == 2
    assert "mode" in again.err


def test_statistics_have_the_cost_of_all_replies(reflect: Reflect) -> None:
    with server_of("42", "42", **WARM) as server:
        result = reflect.at(server.host)(*MODEL, "--samples", "3", "--stats", "q")

    assert result.err.splitlines()[-1] == "in all: 2 of 3 samples · 132 tokens · 2 of 2 agree"


class TestOnATerminal:
    def test_first_reply_streams_and_the_winner_follows(self, reflect: Reflect) -> None:
        gate = Gate()
        first = gate.between("<thinking>\nfirst thought\n</thinking>\n<output>\nIt is 41", "\n</output>")
        with (
            server_of(first, "42", tagged("42", "last thought"), **WARM) as server,
            Screen(reflect.at(server.host), *MODEL, "--samples", "3", "q") as screen,
        ):
            assert screen.shows("It is 41")
            gate.open()
            assert screen.finish() == 0
            lines = [line.strip() for line in screen.lines if line]

        assert lines[0] == "│ first thought"
        assert lines[1] == "It is 41"
        assert lines.index("the vote is for another answer:") < lines.index("42")
        assert lines[-1] == "3 samples · 198 tokens · 2 of 3 agree"

    def test_progress_is_one_line_that_goes_away(self, reflect: Reflect) -> None:
        gate = Gate()
        last = gate.between("<output>\n42", "\n</output>")
        with (
            server_of("41", "42", last, **WARM) as server,
            Screen(reflect.at(server.host), *MODEL, "--samples", "3", "q") as screen,
        ):
            assert screen.shows("sample 3 of 3: 41, 42")
            gate.open()
            assert screen.finish() == 0
            assert "sample 3 of 3" not in screen.text

    def test_line_by_line_a_command_sets_it(self, reflect: Reflect) -> None:
        with (
            server_of("41", "42", "42", "43", **WARM) as server,
            Screen(reflect.at(server.host), "chat", "--inline", *MODEL) as screen,
        ):
            assert screen.shows("▌")
            screen.press(b"/samples 2\r/verify maybe\r/samples 3\rone?\r")
            assert screen.shows("2 of 3 agree")
            screen.press(b"/samples 1\rtwo?\r")
            assert screen.shows("43")
            screen.press(b"/bye\r")
            screen.finish()
            text = screen.text

        assert "/samples must be a whole number from 3 to 64" in text
        assert "/verify does not know 'maybe'" in text
