"""Tags that are tokens of a type which the server drops: every view of a model warns, after one look at its tokens."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Self

import pytest

from reflectty.reasoning.token_types import TokenType
from support.fake_server import Answer, FakeServer, ReceivedRequest, reply, tags, whole
from support.scripted_servers import ANSWER, ANSWERED

if TYPE_CHECKING:
    from support.command import Reflect
    from support.fake_server import Route

NORMAL, CONTROL, TEXT = int(TokenType.NORMAL), int(TokenType.CONTROL), int(TokenType.USER_DEFINED)
WHOLE = ("<thinking>", "</thinking>", "<reflection>", "</reflection>", "<output>", "</output>")
WORDS = ("thinking", "reflection", "output")
MANGLED = "<>\nBoth start with 9.\n</>\n<>9.9 is larger.</>"
BLOB = "FROM /var/lib/ollama/blobs/sha256-{}\nTEMPLATE {{{{ .Prompt }}}}\n"


class VocabularyServer:
    """A server with one model of a vocabulary; `looks` counts the requests for it."""

    def __init__(self, said: str, kinds: dict[str, int], name: str = "m", weights: str = "a", **shown: Any) -> None:
        self.kinds = {"<s>": CONTROL, "plain": NORMAL, "<": NORMAL, "</": NORMAL, ">": NORMAL, **kinds}
        self.weights = weights
        self.shown = {"template": "{{ .Prompt }}", "capabilities": ["completion"], **shown}
        self.name = name
        routes: dict[str, Route] = {"/api/show": self._show, "/api/tags": tags(f"{name}:latest")}
        routes |= {"/api/ps": whole({"models": []}), "/api/version": whole({"version": "0.34.2"})}
        self.server = FakeServer(routes | {"/api/chat": reply([said])})

    def _show(self, asked: ReceivedRequest) -> Answer:
        info: dict[str, Any] = {"general.architecture": "llama", "llama.context_length": 8192}
        if asked.json.get("verbose"):
            arrays = {"tokens": list(self.kinds), "token_type": list(self.kinds.values())}
            info |= {f"tokenizer.ggml.{name}": array for name, array in arrays.items()}
        modelfile = BLOB.format(self.weights * 64) if self.weights else ""
        return whole({"model_info": info, "details": {"format": "gguf"}, "modelfile": modelfile, **self.shown})

    @property
    def looks(self) -> int:
        return sum(asked.json.get("verbose", False) for asked in self.server.asked("/api/show"))

    def __enter__(self) -> Self:
        self.server.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.__exit__()


def of(names: tuple[str, ...], kind: int) -> dict[str, int]:
    return dict.fromkeys(names, kind)


def asked(reflect: Reflect, model: VocabularyServer, *words: str) -> dict[str, Any]:
    """Ask with `--json`; return the object and stderr."""
    result = reflect.at(model.server.host)("-m", model.name, *words, "--json", "q")
    return {**json.loads(result.out), "code": result.code, "err": result.err}


LOST = [
    pytest.param(of(WHOLE, CONTROL), "<thinking>, </thinking>, <reflection>", id="tags that are tokens"),
    pytest.param(of(WORDS, CONTROL), "thinking, reflection, output are tokens", id="words between brackets"),
]


class TestModelWithLostTags:
    @pytest.mark.parametrize(("kinds", "named"), LOST)
    @pytest.mark.parametrize("mode", [(), ("--mode", "native"), ("--mode", "reflect")], ids=" ".join)
    def test_lost_tags_are_reported_in_every_mode(
        self, reflect: Reflect, kinds: dict[str, int], named: str, mode: tuple[str, ...]
    ) -> None:
        with VocabularyServer(MANGLED, kinds) as model:
            said = asked(reflect, model, *mode)
        (warning,) = said["warnings"]

        read = "any" if "reflect" in mode else "reflection"
        assert (said["code"], said["mode"], said["family"]) == (0, mode[1] if mode else "native", read)
        assert warning.startswith("m loses its tags, so its whole reply is taken as the answer: ")
        assert named in warning
        assert "run reflect models repair m to make a copy that keeps them" in warning
        assert "--mode direct" not in said["err"].replace("--mode direct turns this off", "")

    def test_vocabulary_of_a_known_model_is_read_only_when_no_tag_arrived(self, reflect: Reflect) -> None:
        with VocabularyServer(MANGLED, of(WHOLE, CONTROL), "reflection") as model:
            said = asked(reflect, model)
            assert model.looks == 1
        with VocabularyServer(ANSWERED, of(WHOLE, TEXT), "reflection", weights="b") as sound:
            answered = asked(reflect, sound)
            assert sound.looks == 0

        assert "loses its tags" in said["warnings"][0]
        assert (answered["answer"], answered["warnings"], answered["err"]) == (ANSWER, [], "")

    def test_vocabulary_is_read_once_for_each_weights_file(self, reflect: Reflect) -> None:
        with VocabularyServer(MANGLED, of(WORDS, CONTROL)) as model:
            first = asked(reflect, model)
            model.kinds = {"plain": NORMAL}
            again = asked(reflect, model)
            assert model.looks == 1
            model.weights = "b"
            other = asked(reflect, model)
            assert model.looks == 2

        assert first["warnings"] == again["warnings"]
        assert (other["mode"], "loses" in other["warnings"][0]) == ("reflect", False)

    @pytest.mark.parametrize("mode", [("--mode", "direct"), ("--mode", "reflect"), ("--family", "think")], ids=" ".join)
    def test_vocabulary_is_not_read_when_it_changes_nothing(self, reflect: Reflect, mode: tuple[str, ...]) -> None:
        with VocabularyServer(ANSWERED.replace("thinking>", "think>"), of(WHOLE, CONTROL)) as model:
            asked(reflect, model, *mode)
            assert model.looks == 0

    def test_list_show_and_doctor_report_lost_tags(self, reflect: Reflect) -> None:
        with VocabularyServer(MANGLED, of(WHOLE, CONTROL)) as model:
            at = reflect.at(model.server.host)
            listed, shown = at("models", "list").out, at("models", "show", "m").out
            one, _ = json.loads(at("models", "list", "--json").out)
            checked = json.loads(at("doctor", "-m", "m", "--no-question", "--json").out)
            # The estimate of `show` needs everything in the file.
            assert model.looks == 1 + 1

        assert "reflection, thinking, tags lost" in listed
        assert "`reflect models repair m` makes a copy that keeps them" in shown
        assert "mode native, family reflection: its vocabulary has the tags" in shown
        assert one["lost_tags"] == list(WHOLE)
        assert "loses its tags: <thinking>" in json.dumps(checked)


class TestRepairedCopy:
    @pytest.mark.parametrize("names", [WHOLE, WORDS], ids=["tags", "words"])
    def test_repaired_copy_reflects_natively_without_warnings(self, reflect: Reflect, names: tuple[str, ...]) -> None:
        with VocabularyServer(ANSWERED, of(names, TEXT)) as model:
            said = asked(reflect, model)
            sent = model.server.asked("/api/chat")[0].json

        assert (said["mode"], said["answer"], said["warnings"], said["err"]) == ("native", ANSWER, [], "")
        assert [message["role"] for message in sent["messages"]] == ["user"]


SOUND = [
    pytest.param({}, id="no tag at all"),
    pytest.param({"<think>": TEXT, "</think>": TEXT}, id="Qwen3-Coder"),
    pytest.param({"[THINK]": CONTROL, "[/THINK]": CONTROL}, id="Mistral Small"),
    pytest.param({"<think>": CONTROL, "</think>": CONTROL}, id="an unused <think>"),
    pytest.param(of(WORDS, NORMAL), id="words"),
    pytest.param({"<output>": TEXT}, id="one tag"),
]


class TestSoundModel:
    @pytest.mark.parametrize("kinds", SOUND)
    def test_sound_model_reflects_by_prompt_without_warnings(self, reflect: Reflect, kinds: dict[str, int]) -> None:
        with VocabularyServer(ANSWERED, kinds) as model:
            said = asked(reflect, model)
            shown = reflect.at(model.server.host)("models", "show", "m").out

        assert (said["mode"], said["answer"], said["warnings"]) == ("reflect", ANSWER, [])
        assert "lost" not in shown

    @pytest.mark.parametrize("kinds", SOUND)
    def test_sound_model_that_ignores_the_tags_gets_no_repair_advice(
        self, reflect: Reflect, kinds: dict[str, int]
    ) -> None:
        with VocabularyServer("Paris", kinds) as model:
            said = asked(reflect, model)

        assert "repair" not in said["err"]
        assert "did not use the tags it was asked for" in said["warnings"][0]

    def test_sound_model_that_omits_its_own_tags_gets_no_repair_advice(self, reflect: Reflect) -> None:
        with VocabularyServer("Paris", of(WHOLE, TEXT)) as model:
            said = asked(reflect, model)

        assert said["warnings"] == [
            "m sent none of its tags, so its whole reply is taken as the answer: try rephrasing the question"
        ]

    def test_vocabulary_of_a_native_thinker_is_not_read(self, reflect: Reflect) -> None:
        with VocabularyServer("Paris", of(WHOLE, CONTROL), capabilities=["completion", "thinking"]) as model:
            said = asked(reflect, model)
            reflect.at(model.server.host)("models", "list")
            assert model.looks == 0

        assert (said["answer"], said["warnings"]) == ("Paris", [])


def test_vocabulary_is_read_again_when_the_server_names_no_weights(reflect: Reflect) -> None:
    with VocabularyServer(MANGLED, of(WORDS, CONTROL), weights="") as model:
        first, again = asked(reflect, model), asked(reflect, model)
        assert model.looks == 2

    assert first["warnings"] == again["warnings"]
