"""Evidence from the config file, by the real command: used and cited, stale, overruled, and broken."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from reflectty.evaluation.records import ArmSetup
from support.evaluation_runs import run_bytes
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


def write_run(reflect: Reflect, arms: dict[str, str], name: str = "sums-1", **others: Any) -> None:
    folder = reflect.home / ".local/share/reflectty/evals"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.jsonl").write_bytes(run_bytes(arms, **others))


def setups(*arms: str, model: str = "qwen3:latest", digest: str = DIGEST) -> tuple[ArmSetup, ...]:
    return tuple(ArmSetup(arm, model=model, digest=digest) for arm in arms)


GAINING = {"cot": "-" * 20 + "+" * 20, "think:low": "+" * 40}
LIKE_BEFORE = {"cot": "-+" * 20, "think": "+-" * 20}


def test_what_a_run_has_shown_becomes_a_setting_that_is_cited(reflect: Reflect) -> None:
    write_run(reflect, GAINING, setups=setups("cot", "think:low"))
    with thinking_server() as server:
        here = configured(reflect, "# Mine.\nkeep_alive = '1h' # long\n").at(server.host)
        applied, asked = here("eval", "apply"), here(*MODEL, "q")
        thought = thoughts_asked_for(server)
    text = (reflect.home / ".config/reflectty/config.toml").read_text("utf-8")

    assert (applied.code, applied.out) == (0, "")
    assert text.startswith("# Mine.\nkeep_alive = '1h' # long\n")
    assert '[evidence.qwen3]\nmode = "native"\neffort = "low"\ngain = 50.0\n' in text
    assert 'set = "arithmetic"\nrun = "sums-1"\n' in text
    assert "+50 points over step by step" in asked.err
    assert thought == ["low"]


def test_a_run_is_applied_to_a_profile_in_place_of_earlier_evidence(reflect: Reflect) -> None:
    write_run(reflect, GAINING, setups=setups("cot", "think:low"))
    old = '[profiles.code]\nsystem = "Code."\n\n[profiles.code.evidence."qwen3:latest"]\nmode = "direct"\nn = 9\n'
    with thinking_server() as server:
        here = configured(reflect, old).at(server.host)
        applied = here("eval", "apply", "sums", "--arm", "think:low", "--profile", "code")
        here("--profile", "code", *MODEL, "q")
        here(*MODEL, "q")
        thought = thoughts_asked_for(server)
    document = tomllib.loads((reflect.home / ".config/reflectty/config.toml").read_text("utf-8"))

    assert applied.code == 0
    assert document["profiles"]["code"]["system"] == "Code."
    assert document["profiles"]["code"]["evidence"].keys() == {"qwen3:latest"}
    assert document["profiles"]["code"]["evidence"]["qwen3:latest"]["n"] == 40
    assert thought == ["low", True]


@pytest.mark.parametrize(
    ("arms", "words", "error"),
    [
        (LIKE_BEFORE, (), "no difference seen between think and cot: 0 points, but"),
        (GAINING, ("--arm", "cot"), "cot against think:low: -50 points"),
        (GAINING, ("--arm", "reflect"), "the run has no arm 'reflect'"),
        (
            {**GAINING, "vote-5": "+" * 40},
            ("--arm", "vote-5"),
            "vote-5 is not a mode (--samples 5, or `reflect config set samples 5`, votes)",
        ),
        (GAINING, ("nothing",), "no run 'nothing'"),
    ],
)
def test_what_a_run_has_not_shown_is_not_written(
    reflect: Reflect, arms: dict[str, str], words: tuple[str, ...], error: str
) -> None:
    write_run(reflect, arms)
    result = reflect("eval", "apply", *words)

    assert (result.code, result.out) == (2, "")
    assert error in result.err
    assert not (reflect.home / ".config/reflectty/config.toml").exists()


def test_force_writes_what_was_not_seen(reflect: Reflect) -> None:
    write_run(reflect, LIKE_BEFORE)
    result = reflect("eval", "apply", "--force")

    assert (result.code, result.err) == (0, "")
    assert 'evidence."qwen3:1.7b"' in (reflect.home / ".config/reflectty/config.toml").read_text("utf-8")


def test_what_keeps_evidence_from_being_used_is_told(reflect: Reflect) -> None:
    write_run(reflect, GAINING)
    said = [
        configured(reflect, text)("eval", "apply").err
        for text in ('mode = "reflect"\n', 'model = "mini"\n', "", 'profile = "a"\n[profiles.a]\neffort = "high"\n')
    ]

    assert "the mode reflect is set, which overrules it" in said[0]
    assert "the model mini is set, so it is used with -m qwen3:1.7b alone" in said[1]
    assert said[2] == ""
    assert "an effort or a budget is set, which overrules it" in said[3]
