"""Evidence from the config file, by the real command: used and cited, stale, overruled, and broken."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from support.fake_server import FakeServer, reply, show, tags, whole
from support.fresh_interpreter import ASKED, fresh

if TYPE_CHECKING:
    from support.command import Reflect

MODEL = ("-m", "qwen3")
SEEN = """mode = "native"
effort = "low"
gain = 12
low = 5
high = 19
n = 200
baseline = "cot"
date = "2026-11-30"
set = "sums"
run = "sums-1"
"""
DIGEST = "d" * 64
"""The digest that the server lists."""
FRESH, OLD = (f'[evidence."qwen3:latest"]\n{SEEN}digest = "{digest}"\n' for digest in (DIGEST, "e" * 64))
CITED = "+12 points over step by step (+5 to +19; n = 200, 2026-11-30)"


def thinking_server() -> FakeServer:
    """A server with a model that thinks natively and takes efforts."""
    shown = show(capabilities=["completion", "thinking"], template="{{ .Prompt }}<think></think>")
    routes = {"/api/show": shown, "/api/tags": tags("qwen3:latest"), "/api/chat": reply(["9.9"], ["Hm."])}
    return FakeServer(routes | {"/api/version": whole({"version": "0.34.2"}), "/api/ps": whole({"models": []})})


def configured(reflect: Reflect, text: str) -> Reflect:
    path = reflect.home / ".config/reflectty/config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return reflect


def thoughts_asked_for(server: FakeServer) -> list[object]:
    return [request.json["think"] for request in server.chatted()]


def test_a_question_is_asked_by_evidence_which_is_cited_once(reflect: Reflect) -> None:
    with thinking_server() as server:
        here = configured(reflect, FRESH).at(server.host)
        first, second = here(*MODEL, "q"), here(*MODEL, "--mode", "auto", "q")
        asked = thoughts_asked_for(server)

    assert (first.code, first.out, second.out) == (0, "9.9\n", "9.9\n")
    assert CITED in first.err
    assert second.err == ""
    assert asked == ["low", "low"]


@pytest.mark.parametrize(
    ("flags", "think"),
    [
        (("--mode", "direct"), False),
        (("--mode", "native"), True),
        (("--effort", "high"), "high"),
        (("--budget", "off"), True),
    ],
)
def test_a_flag_precedes_evidence(reflect: Reflect, flags: tuple[str, ...], think: object) -> None:
    with thinking_server() as server:
        result = configured(reflect, FRESH).at(server.host)(*MODEL, *flags, "q")
        asked = thoughts_asked_for(server)

    assert (result.code, asked) == (0, [think])
    assert CITED not in result.err


@pytest.mark.parametrize("form", [(), ("--final",)])
def test_evidence_for_another_version_of_the_model_is_stale(reflect: Reflect, form: tuple[str, ...]) -> None:
    with thinking_server() as server:
        result = configured(reflect, OLD).at(server.host)(*MODEL, *form, "q")
        asked = thoughts_asked_for(server)

    assert (result.code, result.out, asked) == (0, "9.9\n", [True])
    assert "is not used, because the model has changed" in result.err
    assert "`reflect eval run sums --arms cot,think:low -m qwen3`" in result.err


def test_final_cites_nothing(reflect: Reflect) -> None:
    with thinking_server() as server:
        result = configured(reflect, FRESH).at(server.host)(*MODEL, "--final", "q")
        asked = thoughts_asked_for(server)

    assert (result.out, result.err, asked) == ("9.9\n", "", ["low"])


def test_a_profile_has_evidence_of_its_own(reflect: Reflect) -> None:
    own = f'[profiles.code.evidence."qwen3"]\nmode = "direct"\nn = 50\ndigest = "{DIGEST}"\n'
    with thinking_server() as server:
        here = configured(reflect, FRESH + own).at(server.host)
        results = [here("--profile", "code", *MODEL, "q"), here(*MODEL, "q")]
        asked = thoughts_asked_for(server)

    assert asked == [False, "low"]
    assert "without thinking: 0 points against" in results[0].err
    assert CITED in results[1].err


def test_a_batch_is_asked_by_evidence_and_lists_the_models_once_for_it(reflect: Reflect) -> None:
    with thinking_server() as server:
        here = configured(reflect, FRESH).at(server.host)
        result = here("batch", *MODEL, "--jobs", "1", stdin=b"one\ntwo\nthree\n")
        asked, listed = thoughts_asked_for(server), len(server.asked("/api/tags"))
        changed = configured(reflect, "").at(server.host)("batch", *MODEL, "--jobs", "1", stdin=b"one\n")
    kept, without = (json.loads(one.out.splitlines()[0])["fingerprint"] for one in (result, changed))

    assert (result.code, asked, listed) == (0, ["low"] * 3, 1)
    assert result.err.count(CITED) == 1
    assert kept != without


def test_a_broken_table_is_one_clear_error(reflect: Reflect) -> None:
    result = configured(reflect, '[evidence.qwen3]\nmode = "always"\n')(*MODEL, "q")

    assert (result.code, result.out) == (2, "")
    assert "config.toml: evidence.qwen3.mode 'always' is not one" in result.err
    assert len(result.err.splitlines()) == 1


def test_the_settings_and_the_model_show_evidence(reflect: Reflect) -> None:
    with thinking_server() as server:
        here = configured(reflect, FRESH).at(server.host)
        shown, model = here("config", "show"), here("models", "show", "qwen3")
        fresh_one = json.loads(here("models", "show", "qwen3", "--json").out)["evidence"]
        stale = json.loads(configured(reflect, OLD).at(server.host)("models", "show", "qwen3", "--json").out)

    assert "evidence.qwen3:latest" in shown.out
    assert CITED in shown.out
    assert CITED in " ".join(model.out.split())
    assert (fresh_one["set"], fresh_one["stale"], stale["evidence"]["stale"]) == ("sums", False, True)


def test_doctor_tells_of_stale_evidence(reflect: Reflect) -> None:
    with thinking_server() as server:
        here = configured(reflect, OLD).at(server.host)
        stale = here("doctor", "--no-question", *MODEL)
        used = configured(reflect, FRESH).at(server.host)("doctor", "--no-question", *MODEL)

    assert "is not used, because the model has changed" in " ".join(stale.out.split())
    assert "as a run of yours has shown" in " ".join(used.out.split())
    assert "is not used" not in used.out


def test_evidence_is_read_by_those_alone_who_have_some(reflect: Reflect) -> None:
    modules = {"reflectty.config.evidence", "reflectty.core.evidence", "reflectty.chat.evidence"}
    with thinking_server() as server:
        environment = reflect.at(server.host).environment(REFLECTTY_STORE="0")
        _, (_, without) = fresh(ASKED, *MODEL, "--final", "q", environment=environment)
        configured(reflect, FRESH)
        _, (_, loaded) = fresh(ASKED, *MODEL, "--final", "q", environment=environment)

    assert modules & set(without) == set()
    assert modules <= set(loaded)
