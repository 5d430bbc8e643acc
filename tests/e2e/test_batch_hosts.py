"""`reflect batch` on several servers: the work is spread, and a server that dies or lacks the model is dropped."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from support.batch_files import MODEL, Echo, answers, input_file, records
from support.fake_replies import HANG, RESET, Answer, Raw, line, whole
from support.fake_server import FakeServer
from support.openai_replies import STREAM, chat_reply, chunk, model_list, props
from support.real_ollama import free_port
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.command import Reflect
    from support.fake_server import ReceivedRequest

QUESTIONS = [f"question {number}" for number in range(1, 31)]
DONE = list(enumerate(QUESTIONS, 1))


def test_lines_are_distributed_by_server_speed(reflect: Reflect) -> None:
    with Echo() as slow, Echo() as fast:
        slow.held_until = lambda: len(fast.prompts) >= min(9 * len(slow.prompts), len(QUESTIONS) - len(slow.prompts))
        hosts = ("--host", slow.host, "--host", fast.host)
        result = reflect("batch", *MODEL, "--jobs", "1", *hosts, input_file(reflect.home, *QUESTIONS))

    assert (result.code, result.err) == (0, "")
    assert answers(records(result)) == DONE
    assert len(fast.prompts) > 2 * len(slow.prompts) > 0


def test_host_named_twice_is_used_once(reflect: Reflect) -> None:
    with Echo(0.02) as server:
        hosts = ("--host", server.host, "--host", f"http://{server.host}/")
        result = reflect("batch", *MODEL, "--jobs", "1", *hosts, input_file(reflect.home, *QUESTIONS[:6]))

    assert result.code == 0
    assert server.most == 1


def test_openai_compatible_server_answers_a_batch(reflect: Reflect) -> None:
    routes = {"/v1/models": model_list("m"), "/v1/chat/completions": chat_reply(["<output>", "yes", "</output>"])}
    with FakeServer(routes) as server:
        words = ("batch", "-m", "m", "--engine", "openai", "--host", server.host)
        result = reflect(*words, input_file(reflect.home, *QUESTIONS))

    assert result.code == 0
    assert answers(records(result)) == [(number, "yes") for number, _ in DONE]


def llama_server(chat: Callable[[ReceivedRequest], Answer], told: Answer) -> FakeServer:
    listed = model_list("m", maker="llamacpp")
    return FakeServer({"/v1/models": listed, "/props?model=m": told, "/v1/chat/completions": chat})


CROWDED = b'data: {"error":{"code":500,"message":"Context size has been exceeded.","type":"server_error"}}\n\n'


def test_lines_overflowing_a_shared_context_are_retried_with_fewer_at_once(reflect: Reflect) -> None:
    crowd = threading.Barrier(4, timeout=20)
    turn = iter(range(99))

    def chat(_: ReceivedRequest) -> Answer:
        """End the first four replies, which run at the same time, as llama-server b10970 does; answer the others."""
        if next(turn) < 4:
            crowd.wait()
            return Answer([chunk({"role": "assistant", "content": None}), CROWDED], content_type=STREAM)
        return chat_reply(["<output>", "yes", "</output>"])

    with llama_server(chat, props()) as server:
        words = ("batch", "-m", "m", "--engine", "openai", "--jobs", "4", "--host", server.host)
        result = reflect(*words, input_file(reflect.home, *QUESTIONS))

    assert result.code == 0
    assert answers(records(result)) == [(number, "yes") for number, _ in DONE]
    assert "concurrent replies filled its context: 2 lines at a time from now on" in result.err


def test_parallel_requests_follow_the_slots_of_llama_server(reflect: Reflect) -> None:
    crowd = threading.Barrier(3, timeout=20)
    turn = iter(range(99))

    def chat(_: ReceivedRequest) -> Answer:
        if next(turn) < 3:
            crowd.wait()
        return chat_reply(["<output>", "yes", "</output>"])

    told = whole({"total_slots": 3, "default_generation_settings": {"n_ctx": 8192}})
    with llama_server(chat, told) as server:
        words = ("batch", "-m", "m", "--engine", "openai", "--host", server.host)
        result = reflect(*words, input_file(reflect.home, *QUESTIONS))

    assert (result.code, len(server.asked("/v1/chat/completions"))) == (0, len(QUESTIONS))


def test_hosts_of_a_profile_are_used(reflect: Reflect) -> None:
    with Echo(0.02) as first, Echo(0.02) as second:
        reflect("config", "set", "profiles.night.hosts", first.host, second.host)
        words = ("batch", *MODEL, "--profile", "night", "--jobs", "1")
        result = reflect(*words, input_file(reflect.home, *QUESTIONS))

    assert (result.code, answers(records(result))) == (0, DONE)
    assert first.prompts
    assert second.prompts


def test_unreachable_host_and_host_without_the_model_are_left_out(reflect: Reflect) -> None:
    with Echo() as good, Echo(0, "other") as other:
        hosts = ("--host", "127.0.0.1:9", "--host", other.host, "--host", good.host)
        result = reflect("batch", *MODEL, "--jobs", "2", *hosts, input_file(reflect.home, *QUESTIONS))

    assert result.code == 0
    assert answers(records(result)) == DONE
    assert other.prompts == []
    assert f"{other.host} does not have reflection: skipping it" in result.err
    assert "127.0.0.1:9 is not responding yet" in result.err


@pytest.mark.slow
def test_silent_host_does_not_delay_the_others(reflect: Reflect) -> None:
    silent = FakeServer({"/api/show": Raw([HANG])})
    with Echo() as good, silent:
        hosts = ("--host", silent.host, "--host", good.host)
        result = reflect("batch", *MODEL, "--jobs", "2", *hosts, input_file(reflect.home, *QUESTIONS))

    assert (result.code, answers(records(result))) == (0, DONE)
    assert f"{silent.host} is not responding yet" in result.err


def test_host_that_dies_midway_loses_no_line(reflect: Reflect) -> None:
    with Echo() as good:
        dying = Echo()
        dying.room = 2
        with dying:
            hosts = ("--host", dying.host, "--host", good.host)
            with reflect.start("batch", *MODEL, "--jobs", "2", *hosts, input_file(reflect.home, *QUESTIONS)) as run:
                assert until(lambda: len(dying.prompts) >= 3)
                dying.__exit__(None, None, None)
                result = run.finish()

    assert result.code == 0
    assert answers(records(result)) == DONE
    assert f"{dying.host} no longer responds" in result.err


def test_only_host_is_waited_for_until_it_answers_again(reflect: Reflect) -> None:
    port, came_back = free_port(), threading.Event()
    with Echo(port=port) as first:
        first.room = 2
        start = reflect.at(first.host).start("batch", *MODEL, "--jobs", "2", input_file(reflect.home, *QUESTIONS))
        with start as run:
            assert until(lambda: len(first.prompts) >= 3)
            first.__exit__(None, None, None)
            assert run.warns("no longer responds")
            with Echo(0.0, port=port):
                came_back.set()
                result = run.finish()

    assert came_back.is_set()
    assert result.code == 0
    assert answers(records(result)) == DONE
    assert "responds again" in result.err


def test_only_host_is_given_up_after_the_patience_time(reflect: Reflect) -> None:
    with Echo() as server:
        server.room = 2
        words = ("batch", *MODEL, "--jobs", "1", "--patience", "1", "--output", "out.jsonl")
        with reflect.at(server.host).start(*words, input_file(reflect.home, *QUESTIONS)) as run:
            assert until(lambda: len(server.prompts) >= 3)
            server.__exit__(None, None, None)
            result = run.finish()
    last = result.err.splitlines()[-1]

    assert result.code == 3
    assert last == "reflect: no server has responded for 1 s (run it again with --resume to continue)"
    assert 2 <= (reflect.home / "out.jsonl").read_bytes().count(b"\n") < len(QUESTIONS)


def test_reply_cut_on_every_retry_is_an_error_of_its_line(reflect: Reflect) -> None:
    with Echo(bad=Answer([line("<output>One"), RESET])) as server:
        result = reflect.at(server.host)("batch", *MODEL, "--retry", "1", input_file(reflect.home, "bad", "good"))
    bad, good = records(result)

    assert result.code == 5
    assert (bad["answer"], bad["complete"], bad["error"]["exit_code"]) == ("One", False, 5)
    assert good["answer"] == "good"
    assert server.prompts.count("bad") == 2
