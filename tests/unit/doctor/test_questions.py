from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from reflectty.chat.trial import QUESTION
from reflectty.config import Settings
from reflectty.core.errors import IncompleteError, NoAnswerError
from reflectty.core.findings import FindingState
from reflectty.core.messages import Capacity, Chunk, Model, RunningModel, Timeouts, Usage, Vocabulary
from reflectty.doctor.models import check_context, check_gpu
from reflectty.doctor.questions import check_parallel, check_question, check_tags
from reflectty.models.fit import Gpu, Machine
from reflectty.models.hardware import ProbeEnvironment
from reflectty.reasoning.token_types import TokenType
from support.doctor_harness import doctor_context, doctor_state, facts, findings_of
from support.scripted_engine import ScriptedEngine, cut

if TYPE_CHECKING:
    from pathlib import Path

    from reflectty.doctor import DoctorContext, DoctorState

TUNED = Model("reflection", ("completion",), context_length=131_072)
THINKS = Model("deep", ("completion", "thinking"))
PLAIN = Model("plain", ("completion",))
TAGGED = "<thinking>\n9.11?\n<reflection>\nNo.\n</reflection>\n</thinking>\n<output>\n9.9\n</output>"


class Tokens(ScriptedEngine):
    """An engine with a vocabulary."""

    def __init__(self, said: str, kind: TokenType) -> None:
        super().__init__(cut(said), models=(TUNED,))
        self._kind = kind

    async def vocabulary(self, _: str) -> Vocabulary:
        tokens = ("a", "<thinking>", "</thinking>", "<|START_THINKING|>")
        return Vocabulary(tokens, (TokenType.NORMAL, self._kind, self._kind, TokenType.CONTROL))


def asked(engine: ScriptedEngine, model: Model, here: DoctorContext | None = None) -> tuple[DoctorState, list[Any]]:
    """Run the check of the question; return the state after it and its findings."""
    learnt = doctor_state(engine, model)
    return learnt, findings_of(check_question, here or doctor_context(engine), learnt)


def test_answer_is_reported_with_its_duration() -> None:
    engine = ScriptedEngine(cut(TAGGED), models=(TUNED,))
    learnt, (finding,) = asked(engine, TUNED)
    assert finding.state is FindingState.OK
    assert "s to load)" in finding.text
    assert finding.text.endswith(": 9.9")
    assert (facts(finding)["corrections"], facts(finding)["answer"]) == (1, "9.9")
    assert learnt.reply is not None
    assert engine.requests[0].messages[-1].content == QUESTION


def test_question_uses_the_settings() -> None:
    engine = ScriptedEngine(("9.9",), models=(PLAIN,))
    chosen = Settings(mode="direct", system="be brief", options=(("num_ctx", 512),), keep_alive="1m")
    asked(engine, PLAIN, doctor_context(engine, settings=chosen))
    request = engine.requests[0]
    assert (request.options, request.keep_alive) == ((("num_ctx", 512),), "1m")
    assert request.messages[0].content == "be brief"


def test_long_answer_is_truncated() -> None:
    _, (finding,) = asked(ScriptedEngine(("word " * 100,), models=(PLAIN,)), PLAIN)
    assert finding.text.endswith("…")
    assert len(finding.text) < 130


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ((IncompleteError("cut"),), IncompleteError),
        ((Chunk(done=True, done_reason="stop"),), NoAnswerError),
        (("half", Chunk(done=True, done_reason="length", usage=Usage())), NoAnswerError),
    ],
)
def test_incomplete_answer_raises(script: tuple[Any, ...], error: type[Exception]) -> None:
    with pytest.raises(error):
        asked(ScriptedEngine(script, models=(PLAIN,)), PLAIN)


@pytest.mark.parametrize("check", [check_question, check_parallel])
def test_no_request_is_sent_if_asking_is_disabled(check: Any) -> None:
    engine = ScriptedEngine(models=(PLAIN,))
    (finding,) = findings_of(check, doctor_context(engine, may_ask=False), doctor_state(engine, PLAIN))
    assert finding.state is FindingState.UNCHECKED
    assert not engine.requests


@pytest.mark.parametrize(
    ("said", "kind", "state", "text"),
    [
        (TAGGED, TokenType.NORMAL, FindingState.OK, "thinking, 1 correction and answer are separated"),
        (TAGGED, TokenType.CONTROL, FindingState.OK, "received: "),
        ("<think>9.11?</think>9.9", TokenType.CONTROL, FindingState.NOTE, "received: "),
        (
            "9.9",
            TokenType.CONTROL,
            FindingState.WARNING,
            "loses its tags: <thinking>, </thinking> have a token type",
        ),
        ("9.9", TokenType.USER_DEFINED, FindingState.WARNING, "sent none of its tags"),
    ],
)
def test_observed_tags_outweigh_the_vocabulary(said: str, kind: TokenType, state: FindingState, text: str) -> None:
    engine = Tokens(said, kind)
    learnt, _ = asked(engine, TUNED)
    (finding,) = findings_of(check_tags, doctor_context(engine), learnt)
    assert finding.state is state
    assert text in finding.text
    assert ("reflect models repair reflection" in finding.advice) == (kind is TokenType.CONTROL and said != TAGGED)


def test_unsafe_model_name_is_quoted() -> None:
    engine = Tokens("", TokenType.CONTROL)
    model = TUNED._replace(name="reflection;rm -rf ~")
    (finding,) = findings_of(check_tags, doctor_context(engine, may_ask=False), doctor_state(engine, model))
    assert finding.advice.startswith("`reflect models repair 'reflection;rm -rf ~'`")


def test_lost_tags_are_reported_without_asking() -> None:
    engine = Tokens("", TokenType.CONTROL)
    (finding,) = findings_of(check_tags, doctor_context(engine, may_ask=False), doctor_state(engine, TUNED))
    assert finding.state is FindingState.WARNING
    assert facts(finding) == {"lost": ("<thinking>", "</thinking>"), "seen": None}


def test_preserved_tags_are_unchecked_without_asking() -> None:
    engine = Tokens("", TokenType.NORMAL)
    (finding,) = findings_of(check_tags, doctor_context(engine, may_ask=False), doctor_state(engine, TUNED))
    assert finding.state is FindingState.UNCHECKED


def test_a_model_that_thinks_natively_needs_no_tags() -> None:
    (finding,) = findings_of(check_tags, doctor_context(), doctor_state(model=THINKS))
    assert (finding.state, "separates" in finding.text) == (FindingState.OK, True)


def test_a_model_that_ignores_the_prompt_is_a_note() -> None:
    engine = ScriptedEngine(("9.9",), models=(PLAIN,))
    learnt, _ = asked(engine, PLAIN)
    (finding,) = findings_of(check_tags, doctor_context(engine), learnt)
    assert (finding.state, finding.advice) == (FindingState.NOTE, "use --mode direct to ask without tags")


@pytest.mark.parametrize(
    ("script", "state", "text"),
    [
        (("all of it",), FindingState.NOTE, "is unknown"),
        (tuple(step for _ in range(20) for step in (0.005, "word ")), FindingState.OK, "8 or more requests"),
    ],
)
def test_parallel_requests_are_reported(script: tuple[Any, ...], state: FindingState, text: str) -> None:
    engine = ScriptedEngine(("9.9",), *[script] * 8, models=(PLAIN,))
    learnt, _ = asked(engine, PLAIN)
    (finding,) = findings_of(check_parallel, doctor_context(engine), learnt)
    assert finding.state is state
    assert text in finding.text


def test_serial_engine_answers_one_at_a_time() -> None:
    turn = asyncio.Semaphore(1)

    class Turns(ScriptedEngine):
        async def chat(self, request: Any) -> Any:
            async with turn:
                async for chunk in super().chat(request):
                    yield chunk

    engine = Turns(("9.9",), *[tuple(step for _ in range(20) for step in (0.005, "word "))] * 8, models=(PLAIN,))
    learnt, _ = asked(engine, PLAIN)
    (finding,) = findings_of(check_parallel, doctor_context(engine), learnt)
    assert (finding.state, facts(finding)["at_once"]) == (FindingState.NOTE, 1)
    assert "OLLAMA_NUM_PARALLEL" in finding.advice


@pytest.mark.parametrize(
    ("asks", "text", "advice"),
    [
        (True, "no tag has a token type that is dropped; no question was answered", ""),
        (False, "no tag has a token type that is dropped; no question was asked", "omit --no-question to ask one"),
    ],
)
def test_unchecked_tags_text_depends_on_whether_asking_is_allowed(asks: bool, text: str, advice: str) -> None:
    engine = ScriptedEngine(models=(TUNED,))
    (finding,) = findings_of(check_tags, doctor_context(engine, may_ask=asks), doctor_state(engine, TUNED))

    assert (finding.state, finding.text, finding.advice) == (FindingState.UNCHECKED, text, advice)


class Telling(ScriptedEngine):
    """An engine that reports its number of parallel requests."""

    def __init__(self, told: Capacity) -> None:
        super().__init__(models=(PLAIN,))
        self._told = told

    async def capacity(self, model: str) -> Capacity:
        assert model == "plain"
        return self._told


@pytest.mark.parametrize(
    ("told", "state", "text"),
    [
        (
            Capacity(4, 8192),
            FindingState.OK,
            (
                "4 requests are answered in parallel (reported by the server); together they may have to share"
                " its context of 8,192 tokens, so a batch sends only what fits"
            ),
        ),
        (Capacity(16), FindingState.OK, "16 requests are answered in parallel (reported by the server)"),
        (Capacity(1), FindingState.NOTE, "requests are answered one at a time (reported by the server)"),
    ],
)
def test_reported_capacity_is_not_probed(told: Capacity, state: FindingState, text: str) -> None:
    engine = Telling(told)
    (finding,) = findings_of(check_parallel, doctor_context(engine), doctor_state(engine, PLAIN))

    assert (finding.state, finding.text) == (state, text)
    assert (facts(finding)["at_once"], facts(finding)["sure"]) == (told.slots, True)
    assert engine.requests == []


GIB = 1 << 30
CARD = '#!/bin/sh\necho "NVIDIA GeForce RTX 4090, 24564, 20000, 560.35, GPU-1"\n'


def with_card(tmp_path: Path) -> ProbeEnvironment:
    """A machine with a GPU."""
    tool = tmp_path / "nvidia-smi"
    tool.write_text(CARD)
    tool.chmod(0o755)
    return ProbeEnvironment(path=str(tmp_path), root=tmp_path, system="linux")


@pytest.mark.parametrize(
    ("running", "state", "text"),
    [
        (RunningModel("plain:latest", 4 * 10**9, 4 * 10**9), FindingState.OK, "all of plain (4.0 GB) is in GPU memory"),
        (RunningModel("plain", 4 * 10**9, 5 * 10**9), FindingState.OK, "all of plain"),
        (
            RunningModel("plain", 10**10, 6 * 10**9),
            FindingState.WARNING,
            "only 60% of plain (10.0 GB) is in GPU memory",
        ),
        (RunningModel("plain", 10**9, 0), FindingState.NOTE, "plain (1.0 GB) runs on the CPU"),
        (RunningModel("plain", 0, 0), FindingState.UNCHECKED, "not loaded"),
        (RunningModel("other", 10**9, 0), FindingState.UNCHECKED, "not loaded"),
    ],
)
def test_model_placement_is_reported(running: RunningModel, state: FindingState, text: str) -> None:
    engine = ScriptedEngine(models=(PLAIN,))
    engine.loaded = (running,)
    (finding,) = findings_of(check_gpu, doctor_context(engine), doctor_state(engine, PLAIN))
    assert finding.state is state
    assert text in finding.text


def test_unused_gpu_is_a_warning(tmp_path: Path) -> None:
    engine = ScriptedEngine(models=(PLAIN,))
    engine.loaded = (RunningModel("plain", 10**9, 0),)
    learnt = doctor_state(engine, PLAIN)
    (finding,) = findings_of(check_gpu, doctor_context(engine, probe_environment=with_card(tmp_path)), learnt)
    assert finding.state is FindingState.WARNING
    assert "this machine has NVIDIA GeForce RTX 4090 (24 GiB, 20 free)" in finding.text
    assert learnt.machine.known


def test_local_gpu_is_not_mentioned_for_a_remote_server(tmp_path: Path) -> None:
    engine = ScriptedEngine(models=(PLAIN,))
    engine.loaded = (RunningModel("plain", 10**9, 0),)
    (finding,) = findings_of(
        check_gpu, doctor_context(engine, probe_environment=with_card(tmp_path)), doctor_state(engine, PLAIN, "box.lan")
    )
    assert (finding.state, "this machine" in finding.text) == (FindingState.NOTE, False)


def test_running_model_with_the_same_weights_is_recognized() -> None:
    engine = ScriptedEngine(("9.9",), models=(PLAIN,))
    engine.loaded = (RunningModel("twin:latest", 10**9, 0),)
    learnt, _ = asked(engine, PLAIN)
    (finding,) = findings_of(check_gpu, doctor_context(engine), learnt)
    assert finding.text.startswith("plain (1.0 GB) runs on the CPU")


CARDS = {0: (), 24: (Gpu("a", 24 * GIB, 0),)}


@pytest.mark.parametrize(
    ("tokens", "gib", "model", "state", "text"),
    [
        (
            4096,
            0,
            TUNED,
            FindingState.NOTE,
            "4,096 tokens of the 131,072 that the model supports, Ollama's default",
        ),
        (32768, 24, TUNED, FindingState.OK, "Ollama's default on this machine"),
        (32768, 0, TUNED, FindingState.OK, "32,768 tokens of the 131,072 that the model supports; a longer"),
        (4096, 0, TUNED._replace(parameters="num_ctx 4096"), FindingState.NOTE, "set by the model"),
        (2048, 0, PLAIN._replace(context_length=2048), FindingState.OK, "2,048 tokens; a longer prompt is refused"),
    ],
)
def test_context_is_reported_with_its_source(
    tokens: int, gib: int, model: Model, state: FindingState, text: str
) -> None:
    learnt = doctor_state(model=model)
    learnt.running = RunningModel(model.name, 1, 0, tokens)
    learnt.machine = Machine(CARDS[gib])
    (finding,) = findings_of(check_context, doctor_context(), learnt)
    assert finding.state is state
    assert text in finding.text
    assert "a longer prompt is refused" in finding.text


def test_context_from_the_settings_is_attributed_to_them() -> None:
    learnt = doctor_state(model=TUNED)
    learnt.running = RunningModel("reflection", 1, 0, 2048)
    (finding,) = findings_of(check_context, doctor_context(settings=Settings(options=(("num_ctx", 2048),))), learnt)
    assert "set in your settings" in finding.text


def test_context_of_an_unloaded_model_is_unknown() -> None:
    (finding,) = findings_of(
        check_context, doctor_context(settings=Settings(timeouts=Timeouts())), doctor_state(model=TUNED)
    )
    assert (finding.state, "131,072" in finding.text) == (FindingState.UNCHECKED, True)
