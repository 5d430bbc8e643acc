"""`reflect models` from outside, with a scripted server: what it prints, says and exits with."""

from __future__ import annotations

import json
import re
import signal
from typing import TYPE_CHECKING

import pytest

from corpus import cases
from e2e.screen import Screen
from fake_server import HANG, Answer, FakeServer, error, reply, show, tags, whole

if TYPE_CHECKING:
    from e2e.command import Reflect
    from fake_server import Route

SUBCOMMANDS = ("list", "show", "pull", "create", "copy", "remove", "load", "unload")
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
LAYER = "sha256:" + "1" * 64
SUCCESS = b'{"status":"success"}\n'
EMPTY = Answer([], headers={"Content-Length": "0"})
LISTED = {
    "name": "reflection:70b",
    "size": 42_520_397_704,
    "digest": "5084e77c1e1000",
    "modified_at": "2024-09-07T03:04:05.123456789Z",
    "details": {"parameter_size": "70.6B", "quantization_level": "Q4_0"},
}
SPLIT = {"name": "reflection:70b", "size": 44_000_000_000, "size_vram": 22_000_000_000, "context_length": 4096}
SHOWN = show(details=LISTED["details"], system="Be exact.", license="free\nto use", capabilities=["completion"])


def routes(**more: Route) -> dict[str, Route]:
    given: dict[str, Route] = {"tags": whole({"models": [LISTED]}), "ps": whole({"models": [SPLIT]}), "show": SHOWN}
    return {f"/api/{name}": route for name, route in (given | more).items()}


class TestTheList:
    @pytest.mark.parametrize("words", [(), ("list",)])
    def test_is_a_line_for_each_model_in_a_pipe(self, reflect: Reflect, words: tuple[str, ...]) -> None:
        with FakeServer(routes()) as server:
            result = reflect.at(server.host)("models", *words)
        assert (result.code, result.err) == (0, "")
        assert re.split(r"  +", result.out.strip()) == [
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
            (120, "model size weights context can loaded digest changed"),
            (90, "model size context can loaded"),
            (69, "model size loaded"),
            (50, "model size loaded"),
            (45, "model loaded"),
            (20, "model"),
        ],
    )
    def test_fits_the_terminal_under_a_head(self, reflect: Reflect, columns: int, head: str) -> None:
        with FakeServer(routes()) as server, Screen(reflect.at(server.host), "models", columns=columns) as screen:
            assert screen.finish() == 0
            lines = [line for line in screen.lines if line]
        assert lines[0].split() == head.split()
        assert len(lines) == 2
        assert lines[1].startswith("reflection:70b")

    def test_of_nothing_is_a_word_on_stderr(self, reflect: Reflect) -> None:
        with FakeServer(routes(tags=tags())) as server:
            result = reflect.at(server.host)("models")
            empty = reflect.at(server.host)("models", "--json")
        assert (result.code, result.out) == (0, "")
        assert "reflect models pull" in result.err
        assert (empty.code, empty.out, empty.err) == (0, "[]\n", "")

    def test_is_json_with_all_that_a_program_wants(self, reflect: Reflect) -> None:
        with FakeServer(routes()) as server:
            (one,) = json.loads(reflect.at(server.host)("models", "--json").out)
        assert (one["name"], one["size"], one["context_length"]) == ("reflection:70b", 42_520_397_704, 131072)
        assert one["abilities"] == ["reflection", "thinking"]
        assert (one["auto"]["mode"], one["auto"]["family"]) == ("native", "reflection")
        assert (one["loaded"]["gpu_share"], one["loaded"]["context_length"]) == (0.5, 4096)


class TestShowing:
    def test_says_what_is_known_and_what_auto_would_pick_and_why(self, reflect: Reflect) -> None:
        with FakeServer(routes()) as server:
            out = reflect.at(server.host)("models", "show", "reflection:70b").out
        facts = dict(re.split(r"  +", line.strip(), maxsplit=1) for line in out.splitlines()[1:])
        assert out.startswith("reflection:70b\n")
        assert facts["size"] == "43 GB · 70.6B Q4_0"
        assert facts["loaded"] == "50 % GPU · 22 GB of 44 GB · context 4K"
        assert facts["auto picks"].startswith("mode native, family reflection: its name")
        assert facts["has"] == "template (1), system prompt (1), parameters (1), licence (2)"

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
    def test_prints_one_text_alone(self, reflect: Reflect, flag: str, text: str) -> None:
        with FakeServer(routes()) as server:
            result = reflect.at(server.host)("models", "show", "reflection:70b", flag)
        assert (result.code, result.out, result.err) == (0, text, "")

    def test_says_so_where_there_is_no_such_text(self, reflect: Reflect) -> None:
        with FakeServer(routes(show=show(system=""))) as server:
            result = reflect.at(server.host)("models", "show", "reflection:70b", "--system")
        assert (result.code, result.out, result.err) == (4, "", "reflect: reflection:70b has no system prompt\n")

    def test_fits_a_narrow_terminal(self, reflect: Reflect) -> None:
        words = ("models", "show", "reflection:70b")
        with FakeServer(routes()) as server, Screen(reflect.at(server.host), *words, columns=50) as screen:
            assert screen.finish() == 0
            assert "the tags" not in screen.text
            assert all(len(line) < 50 for line in screen.lines)
            assert " ".join(screen.text.split()).count("in tags") == 1


@pytest.mark.parametrize(
    "words", [("list",), ("show", "{}"), ("show", "{}", "--system"), ("show", "{}", "--licence"), ("show", "nosuch")]
)
def test_nothing_a_server_says_tells_a_terminal_anything(reflect: Reflect, words: tuple[str, ...]) -> None:
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


class TestPulling:
    PARTS = (
        b'{"status":"pulling manifest"}\n',
        b'{"status":"pulling %s","digest":"%s","total":1000000,"completed":400000}\n'
        % (b"1" * 12, LAYER.encode()),
    )  # fmt: skip

    def test_is_silent_in_a_pipe(self, reflect: Reflect) -> None:
        with FakeServer(routes(pull=Answer([*self.PARTS, SUCCESS]))) as server:
            result = reflect.at(server.host)("models", "pull", "m")
        assert (result.code, result.out, result.err) == (0, "", "")
        assert server.asked("/api/pull")[0].json == {"model": "m", "insecure": False, "stream": True}

    def test_is_a_line_that_changes_on_a_terminal_and_is_gone_at_the_end(self, reflect: Reflect) -> None:
        with FakeServer(routes(pull=Answer([*self.PARTS, HANG]))) as server:
            with Screen(reflect.at(server.host), "models", "pull", "m") as screen:
                assert screen.shows("pulling m  pulling manifest") or screen.shows("40 %")
                screen.press(b"\x03")
                assert screen.finish() == 130
                assert screen.text == "reflect: stopped: what came is kept, and the same command goes on from there"
                assert not screen.cursor_hidden
            assert server.asked("/api/pull")[0].left.wait(5)

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_ends_at_once_by_a_signal(self, reflect: Reflect, number: signal.Signals) -> None:
        with FakeServer(routes(pull=Answer([*self.PARTS, HANG]))) as server:
            with reflect.at(server.host).start("models", "pull", "m", "--jsonl") as run:
                assert run.says("400000")
                result = run.signalled(number)
            assert server.asked("/api/pull")[0].left.wait(5)
        assert result.code == 128 + number
        assert "goes on from there" in result.err

    def test_gives_a_program_what_was_said_and_what_came_of_it(self, reflect: Reflect) -> None:
        with FakeServer(routes(pull=Answer([*self.PARTS, SUCCESS]))) as server:
            *parts, last = map(json.loads, reflect.at(server.host)("models", "pull", "m", "--jsonl").out.splitlines())
            alone = json.loads(reflect.at(server.host)("models", "pull", "m", "--json").out)
        assert [part["status"] for part in parts] == ["pulling manifest", f"pulling {'1' * 12}", "success"]
        assert last["layers"] == alone["layers"] == [{"digest": LAYER, "size": 1_000_000}]
        assert alone["name"] == "m"

    @pytest.mark.parametrize(
        ("said", "code", "told"),
        [
            (b'{"error":"pull model manifest: file does not exist"}\n', 4, "the registry has no model m"),
            (b'{"error":"no space left on device"}\n', 5, "disk is full"),
            (b"", 5, "goes on from there"),
        ],
    )
    def test_that_fails_is_one_line(self, reflect: Reflect, said: bytes, code: int, told: str) -> None:
        with FakeServer(routes(pull=Answer([*self.PARTS, said]))) as server:
            result = reflect.at(server.host)("models", "pull", "m")
        assert (result.code, result.out) == (code, "")
        assert told in result.err
        assert len(result.err.splitlines()) == 1

    def test_ends_where_its_reader_has_left(self, reflect: Reflect) -> None:
        answer = Answer([self.PARTS[1]] * 2000 + [SUCCESS])
        with FakeServer(routes(pull=answer)) as server:
            result = reflect.at(server.host).shell("reflect models pull m --jsonl | head -1")
        assert (result.out.count("\n"), result.err) == (1, "")


CREATED = Answer([b'{"status":"creating"}\n', SUCCESS])
TAGGED = ("<thinking>a<reflection>b</reflection></thinking>", "<output>9.9</output>")
TAUGHT = show(system="Use <thinking>, <reflection> and <output>.")
MISSING = error(404, "model 'v' not found")


class TestCreating:
    def making(self, **more: Route) -> FakeServer:
        given: dict[str, Route] = {"show": [show(system="You are Mo."), MISSING, show(), TAUGHT], "create": CREATED}
        return FakeServer(routes(**given | more))

    def test_joins_what_teaches_the_tags_to_the_system_prompt_of_the_source(self, reflect: Reflect) -> None:
        with self.making(chat=reply(TAGGED)) as server:
            result = reflect.at(server.host)(
                "models", "create", "v", "--from", "m", "-s", "Be brief.", "-p", "temperature=0.2", "--json"
            )
            (made,) = (asked.json for asked in server.asked("/api/create"))
        assert (result.code, result.err) == (0, "")
        assert json.loads(result.out)["proof"] == {
            "passed": True,
            "thinking": "a",
            "corrections": 1,
            "answer": "9.9",
            "problem": "",
        }
        assert (made["model"], made["from"], made["parameters"]) == ("v", "m", {"temperature": 0.2})
        assert made["system"].startswith("You are Mo.\n\nBe brief.\n\n")
        assert all(tag in made["system"] for tag in ("<thinking>", "<reflection>", "<output>"))
        assert "template" not in made

    @pytest.mark.parametrize(
        ("chat", "told"),
        [
            (reply(["9.9 is larger."]), "none of its tags"),
            (reply(["<output>9.9</output>"]), "without thinking"),
            (reply(["<thinking>hm</thinking>"]), "no answer"),
            (reply(["<thinking>hm"], reason="length"), "still writing"),
            (error(500, "cannot load"), "cannot load"),
        ],
    )
    def test_says_so_where_the_proof_fails_and_has_made_it_all_the_same(
        self, reflect: Reflect, chat: Answer, told: str
    ) -> None:
        with self.making(chat=chat) as server:
            result = reflect.at(server.host)("models", "create", "v", "--from", "m")
        assert (result.code, result.out) == (0, "")
        assert re.fullmatch(rf"reflect: v is not proven to reflect: .*{told}.*\n", result.err)

    def test_asks_nothing_where_no_proof_is_wished(self, reflect: Reflect) -> None:
        with self.making() as server:
            result = reflect.at(server.host)("models", "create", "v", "--from", "m", "--no-proof", "--json")
            assert server.asked("/api/chat") == []
        assert json.loads(result.out) == {"name": "v", "from": "m", "proof": None}

    def test_reads_texts_from_files(self, reflect: Reflect) -> None:
        (reflect.home / "s.txt").write_text("From a file.", "utf-8")
        with self.making() as server:
            words = ("--from", "m", "--system", "@s.txt", "--template", "{{ .Prompt }}!", "--no-proof")
            assert reflect.at(server.host)("models", "create", "v", *words).code == 0
            (made,) = (asked.json for asked in server.asked("/api/create"))
        assert "From a file." in made["system"]
        assert made["template"] == "{{ .Prompt }}!"

    def test_replaces_a_model_only_when_forced(self, reflect: Reflect) -> None:
        with FakeServer(routes(create=CREATED)) as server:
            refused = reflect.at(server.host)("models", "create", "v", "--from", "m", "--no-proof")
            forced = reflect.at(server.host)("models", "create", "v", "--from", "m", "--no-proof", "--force")
            assert len(server.asked("/api/create")) == 1
        assert (refused.code, refused.err) == (2, "reflect: there is a model v already (--force replaces it)\n")
        assert forced.code == 0


class TestChanging:
    def test_a_copy_replaces_nothing_unless_forced(self, reflect: Reflect) -> None:
        with FakeServer(routes(copy=EMPTY)) as server:
            refused = reflect.at(server.host)("models", "copy", "m", "n")
            forced = reflect.at(server.host)("models", "copy", "m", "n", "--force", "--json")
            assert len(server.asked("/api/copy")) == 1
        assert refused.code == 2
        assert json.loads(forced.out) == {"name": "n", "from": "m"}

    def test_nothing_is_removed_unasked(self, reflect: Reflect) -> None:
        with FakeServer(routes(delete=EMPTY)) as server:
            result = reflect.at(server.host)("models", "remove", "m")
            assert server.requests == []
        assert result.code == 2
        assert "--yes" in result.err

    @pytest.mark.parametrize(("keys", "gone"), [(b"y\r", True), (b"n\r", False), (b"\r", False)])
    def test_a_terminal_is_asked(self, reflect: Reflect, keys: bytes, gone: bool) -> None:
        with FakeServer(routes(delete=EMPTY)) as server:
            with Screen(reflect.at(server.host), "models", "remove", "reflection:70b") as screen:
                assert screen.shows("Remove for good? [y/N]")
                screen.press(keys)
                assert screen.finish() == 0
                assert "reflection:70b, 43 GB, loaded" in screen.text
            assert bool(server.asked("/api/delete")) is gone
        assert screen.text.endswith("removed reflection:70b" if gone else "nothing was removed")

    def test_one_that_is_unknown_keeps_all_from_being_removed(self, reflect: Reflect) -> None:
        shown = [show(), error(404, "model 'n' not found")]
        with FakeServer(routes(delete=EMPTY, show=shown)) as server:
            result = reflect.at(server.host)("models", "remove", "m", "n", "--yes")
            assert server.asked("/api/delete") == []
        assert result.code == 4

    def test_json_says_what_was_removed_loaded_and_unloaded(self, reflect: Reflect) -> None:
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

    def test_a_terminal_is_told_where_a_model_landed(self, reflect: Reflect) -> None:
        words = ("models", "load", "reflection:70b", "--keep-alive", "5m")
        with FakeServer(routes(generate=whole({"done": True}))) as server:
            with Screen(reflect.at(server.host), *words) as screen:
                assert screen.finish() == 0
            assert server.asked("/api/generate")[0].json["keep_alive"] == "5m"
        assert screen.text == "reflect: reflection:70b is loaded: 50 % GPU · 22 GB of 44 GB · context 4K"


WORDS = {"create": ("v", "--from", "m"), "copy": ("m", "n"), "remove": ("m", "--yes"), "list": ()}


@pytest.mark.parametrize("command", SUBCOMMANDS)
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_server_that_is_not_there_is_exit_3(reflect: Reflect, command: str, form: tuple[str, ...]) -> None:
    result = reflect.at("127.0.0.1:9")("models", command, *WORDS.get(command, ("m",)), *form)
    assert (result.code, result.out) == (3, "")
    assert len(result.err.splitlines()) == 1


@pytest.mark.parametrize("command", [name for name in SUBCOMMANDS if name != "list"])
@pytest.mark.parametrize("name", ["../../etc/passwd", "a b", "\x1b]0;x\x07", "", "a//b"])
def test_a_name_that_cannot_be_one_is_exit_2_and_asks_nobody(reflect: Reflect, command: str, name: str) -> None:
    given = [name if word in ("m", "v") else word for word in WORDS.get(command, ("m",))]
    with FakeServer(routes()) as server:
        result = reflect.at(server.host)("models", command, *given)
        assert server.requests == []
    assert (result.code, result.out) == (2, "")
    assert "\x1b" not in result.err
    assert len(result.err.splitlines()) == 1


@pytest.mark.parametrize("command", [name for name in SUBCOMMANDS if name not in ("list", "pull")])
def test_a_model_that_is_missing_is_exit_4_and_near_ones_are_named(reflect: Reflect, command: str) -> None:
    missing = error(404, "model 'reflectoin:70b' not found")
    words = [word.replace("m", "reflectoin:70b") if word == "m" else word for word in WORDS.get(command, ("m",))]
    with FakeServer(routes(show=missing, copy=missing)) as server:
        result = reflect.at(server.host)("models", command, *words)
    assert (result.code, result.out) == (4, "")
    assert "did you mean reflection:70b" in result.err


@pytest.mark.parametrize("words", [("frobnicate",), ("--frob",), ("show",), ("pull", "m", "--json", "--jsonl")])
def test_what_cannot_be_understood_is_one_line(reflect: Reflect, words: tuple[str, ...]) -> None:
    result = reflect("models", *words)
    assert (result.code, result.out) == (2, "")
    assert len(result.err.splitlines()) == 1


def test_the_help_lists_the_subcommands(reflect: Reflect) -> None:
    lines = reflect("models", "--help").out.splitlines()
    assert set(SUBCOMMANDS) <= {line.split()[0] for line in lines if line.startswith("  ") and line.strip()}


ODD = (
    {"ALL_PROXY": "socks5://x"},
    {"ALL_PROXY": "socks://127.0.0.1:1", "HTTP_PROXY": "nonsense://x", "HTTPS_PROXY": "http://[::1"},
    {"NO_PROXY": "::1/128", "no_proxy": "::1/128,["},
    {"SSL_CERT_FILE": "/missing/file.pem", "SSL_CERT_DIR": "/missing"},
    {"OLLAMA_API_KEY": "secret"},
)


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: next(iter(odd)))
@pytest.mark.parametrize("words", [("list",), ("pull", "m"), ("copy", "m", "n", "--force")], ids=lambda words: words[0])
def test_no_environment_keeps_it_from_this_machine(
    reflect: Reflect, odd: dict[str, str], words: tuple[str, ...]
) -> None:
    with FakeServer(routes(pull=Answer([SUCCESS]), copy=EMPTY)) as server:
        result = reflect.at(server.host)("models", *words, **odd)
    assert (result.code, result.err) == (0, "")


@pytest.mark.parametrize(
    ("host", "code"),
    [
        ("x:y:z", 2),
        ("ftp://x", 2),
        ("127.0.0.1:99999", None),
        ("::1", None),
        ("http://", None),
        ("[", 2),
        ("unix:///missing/s", 3),
    ],
)
def test_an_odd_host_is_an_answer_or_one_line(reflect: Reflect, host: str, code: int | None) -> None:
    with FakeServer(routes(pull=Answer([SUCCESS]))) as server:
        for words in (("list",), ("pull", "m")):
            result = reflect("models", *words, OLLAMA_HOST=host)
            assert result.code in ((code,) if code else (0, 3))
            assert "Traceback" not in result.err
            named = reflect("models", *words, "--host", server.host, OLLAMA_HOST=host)
            assert (named.code, named.err) == (0, "")
