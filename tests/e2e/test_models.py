"""`reflect models list|show|copy|remove|load|unload` with a scripted server."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from support.cases import cases
from support.fake_server import FakeServer, error, show, tags, whole
from support.installed_models import EMPTY, routes
from support.pty_screen import Screen

if TYPE_CHECKING:
    from support.command import Reflect

CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class TestList:
    @pytest.mark.parametrize("words", [(), ("list",)])
    def test_list_in_a_pipe_has_one_line_per_model(self, reflect: Reflect, words: tuple[str, ...]) -> None:
        with FakeServer(routes()) as server:
            result = reflect.at(server.host)("models", *words)
        assert (result.code, result.err) == (0, "")
        first, second = result.out.splitlines()
        assert second.startswith("mini (built in) ")
        assert re.split(r"  +", first) == [
            "reflection:70b",
            "43 GB",
            "70.6B Q4_0",
            "128K",
            "reflection, thinking",
            "50 % GPU, 22 GB of 44 GB",
            "5084e77c1e10",
            "7 Sep 2024",
        ]

    @pytest.mark.parametrize(
        ("columns", "head"),
        [
            (140, "model size weights context can loaded digest changed"),
            (90, "model size context can loaded"),
            (69, "model size loaded"),
            (50, "model size loaded"),
            (45, "model loaded"),
            (20, "model"),
        ],
    )
    def test_list_fits_the_terminal_below_a_header(self, reflect: Reflect, columns: int, head: str) -> None:
        with FakeServer(routes()) as server, Screen(reflect.at(server.host), "models", columns=columns) as screen:
            assert screen.finish() == 0
            lines = [line for line in screen.lines if line]
        assert lines[0].split() == head.split()
        assert len(lines) == 3
        assert lines[1].startswith("reflection:70b")
        assert lines[2].startswith("mini")

    def test_empty_list_is_reported_on_stderr(self, reflect: Reflect) -> None:
        with FakeServer(routes(tags=tags())) as server:
            result = reflect.at(server.host)("models", "--host", server.host)
            empty = reflect.at(server.host)("models", "--host", server.host, "--json")
        assert (result.code, result.out) == (0, "")
        assert re.match(
            r"reflect: no models are installed on the server: run reflect models pull \S+ for a model", result.err
        )
        assert (empty.code, empty.out, empty.err) == (0, "[]\n", "")

    def test_list_as_json_has_all_fields(self, reflect: Reflect) -> None:
        with FakeServer(routes()) as server:
            one, _ = json.loads(reflect.at(server.host)("models", "--json").out)
        assert (one["name"], one["size"], one["context_length"]) == ("reflection:70b", 42_520_397_704, 131072)
        assert one["abilities"] == ["reflection", "thinking"]
        assert (one["auto"]["mode"], one["auto"]["family"]) == ("native", "reflection")
        assert (one["loaded"]["gpu_share"], one["loaded"]["context_length"]) == (0.5, 4096)


class TestShow:
    def test_show_prints_facts_and_what_auto_picks_and_why(self, reflect: Reflect) -> None:
        with FakeServer(routes()) as server:
            out = reflect.at(server.host)("models", "show", "reflection:70b").out
        named = (line for line in out.splitlines() if re.match(r"  \w", line))
        facts = dict(re.split(r"  +", line.strip(), maxsplit=1) for line in named)
        assert out.startswith("reflection:70b\n")
        assert facts["size"] == "43 GB · 70.6B Q4_0"
        assert facts["loaded"] == "50 % GPU · 22 GB of 44 GB · context 4K"
        assert facts["needs"].startswith("weights 43 GB · cache")
        assert "fit" in facts
        assert facts["auto picks"].startswith("mode native, family reflection: its name")
        assert facts["has"] == "template (1), system prompt (1), parameters (1), license (2)"

    def test_show_names_sampling_options_and_their_source(self, reflect: Reflect) -> None:
        info = {"general.architecture": "llama", "general.sampling.temp": 0.6, "general.sampling.min_p": 0.05}
        with FakeServer(routes(show=show(model_info=info, parameters="temperature 1\nseed 7"))) as server:
            out = reflect.at(server.host)("models", "show", "reflection:70b").out
            read = json.loads(reflect.at(server.host)("models", "show", "reflection:70b", "--json").out)
        by_parameters = "temperature 1, seed 7 (from its parameters)"
        assert f"{by_parameters}; min_p 0.05 (from its file, used by Ollama 0.34 and later)" in " ".join(out.split())
        assert read["sampling"]["min_p"] == {"value": "0.05", "by_file": True}
        assert read["sampling"]["temperature"] == {"value": "1", "by_file": False}

    @pytest.mark.parametrize(
        ("flag", "text"),
        [
            ("--system", "Be exact.\n"),
            ("--template", "{{ .Prompt }}\n"),
            ("--parameters", "temperature 0\n"),
            ("--licence", "free\nto use\n"),
            ("--license", "free\nto use\n"),
        ],
    )
    def test_show_prints_a_single_text(self, reflect: Reflect, flag: str, text: str) -> None:
        with FakeServer(routes()) as server:
            result = reflect.at(server.host)("models", "show", "reflection:70b", flag)
        assert (result.code, result.out, result.err) == (0, text, "")

    def test_show_reports_a_missing_text(self, reflect: Reflect) -> None:
        with FakeServer(routes(show=show(system=""))) as server:
            result = reflect.at(server.host)("models", "show", "reflection:70b", "--system")
        assert (result.code, result.out, result.err) == (4, "", "reflect: reflection:70b has no system prompt\n")

    def test_show_fits_a_narrow_terminal(self, reflect: Reflect) -> None:
        words = ("models", "show", "reflection:70b")
        with FakeServer(routes()) as server, Screen(reflect.at(server.host), *words, columns=50) as screen:
            assert screen.finish() == 0
            assert "the tags" not in screen.text
            assert all(len(line) < 50 for line in screen.lines)
            assert " ".join(screen.text.split()).count("in tags") == 1


@pytest.mark.parametrize(
    "words", [("list",), ("show", "{}"), ("show", "{}", "--system"), ("show", "{}", "--licence"), ("show", "nosuch")]
)
def test_hostile_server_text_sends_no_control_characters(reflect: Reflect, words: tuple[str, ...]) -> None:
    every = "".join(case["text"] for case in cases("hostile.jsonl") if case.get("repeat", 1) == 1)
    hostile = every.encode(errors="replace").decode()
    name = f"m{hostile[:300]}"
    shown = show(system=hostile, template=hostile, license=hostile, details={"parameter_size": hostile})
    listed = whole({"models": [{"name": name, "modified_at": hostile, "digest": hostile}]})
    loaded = whole({"models": [{"name": name, "size": 1, "expires_at": hostile}]})
    missing = error(404, f"model 'nosuch' not found {hostile[:2000]}")
    given = routes(show=missing if "nosuch" in words else shown, tags=listed, ps=loaded)
    with FakeServer(given) as server:
        result = reflect.at(server.host)("models", *(word.format("m") for word in words))
    assert result.code == (4 if "nosuch" in words else 0)
    assert not CONTROLS.search(result.out)
    assert not CONTROLS.search(result.err)
    assert result.out or result.err


class TestChanges:
    def test_copy_replaces_nothing_without_force(self, reflect: Reflect) -> None:
        with FakeServer(routes(copy=EMPTY)) as server:
            refused = reflect.at(server.host)("models", "copy", "m", "n")
            forced = reflect.at(server.host)("models", "copy", "m", "n", "--force", "--json")
            assert len(server.asked("/api/copy")) == 1
        assert refused.code == 2
        assert json.loads(forced.out) == {"name": "n", "from": "m"}

    def test_remove_without_a_terminal_requires_yes(self, reflect: Reflect) -> None:
        with FakeServer(routes(delete=EMPTY)) as server:
            result = reflect.at(server.host)("models", "remove", "m")
            assert server.requests == []
        assert result.code == 2
        assert "--yes" in result.err

    @pytest.mark.parametrize(("keys", "gone"), [(b"y\r", True), (b"n\r", False), (b"\r", False)])
    def test_remove_asks_for_confirmation_on_a_terminal(self, reflect: Reflect, keys: bytes, gone: bool) -> None:
        with FakeServer(routes(delete=EMPTY)) as server:
            with Screen(reflect.at(server.host), "models", "remove", "reflection:70b") as screen:
                assert screen.shows("Remove for good? [y/N]")
                screen.press(keys)
                assert screen.finish() == (0 if gone else 1)
                assert "reflection:70b, 43 GB, loaded" in screen.text
            assert bool(server.asked("/api/delete")) is gone
        assert screen.text.endswith("removed reflection:70b" if gone else "nothing was removed")

    def test_unknown_model_prevents_the_removal_of_all(self, reflect: Reflect) -> None:
        with FakeServer(routes(delete=EMPTY)) as server:
            result = reflect.at(server.host)("models", "remove", "reflection:70b", "n", "--yes")
            assert server.asked("/api/delete") == []
        assert result.code == 4

    def test_json_reports_removed_loaded_and_unloaded_models(self, reflect: Reflect) -> None:
        given = routes(delete=EMPTY, generate=whole({"done": True}))
        with FakeServer(given) as server:
            run = reflect.at(server.host)
            removed, loaded, unloaded = (
                json.loads(run("models", word, "reflection:70b", "--json", *more).out)
                for word, more in (("remove", ("--yes",)), ("load", ()), ("unload", ()))
            )
        assert removed == [{"name": "reflection:70b", "size": 42_520_397_704}]
        assert loaded["loaded"]["gpu_share"] == 0.5
        assert unloaded == {"name": "reflection:70b", "unloaded": True}

    def test_load_reports_the_gpu_share_on_a_terminal(self, reflect: Reflect) -> None:
        words = ("models", "load", "reflection:70b", "--keep-alive", "5m")
        with FakeServer(routes(generate=whole({"done": True}))) as server:
            with Screen(reflect.at(server.host), *words) as screen:
                assert screen.finish() == 0
            assert server.asked("/api/generate")[0].json["keep_alive"] == "5m"
        landed, advice = " ".join(screen.text.split()).split("reflect: ")[1:]
        assert landed.strip() == "reflection:70b is loaded: 50 % GPU · 22 GB of 44 GB · context 4K"
        assert advice.startswith("50 % of it runs on the CPU, which is slow: ")
