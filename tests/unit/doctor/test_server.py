from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from reflectty.config import Settings
from reflectty.core.errors import ModelMissingError, RefusedError, UnreachableError, UsageError
from reflectty.core.findings import FindingState
from reflectty.core.messages import Model
from reflectty.doctor import CHECKS, DoctorState, SourcedValue
from reflectty.doctor.models import check_model as chosen_model
from reflectty.doctor.models import check_models
from reflectty.doctor.server import check_proxy, check_server
from reflectty.engines import open_engine
from reflectty.engines.hosts import parse_host
from support.doctor_harness import all_findings, doctor_context, facts, findings_of
from support.fake_server import Answer, FakeServer, Pause, error, whole
from support.openai_replies import model_list
from support.scripted_engine import ScriptedEngine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from reflectty.core.errors import ReflecttyError
    from reflectty.core.findings import Finding
    from reflectty.doctor import Check
    from support.fake_server import Route

SERVER = tuple(check for check in CHECKS if check.name == "server")


class Versioned(ScriptedEngine):
    """An engine of a given version."""

    def __init__(self, version: str, seconds: float = 0.0) -> None:
        super().__init__()
        self._said, self._seconds = version, seconds

    async def version(self) -> str:
        await asyncio.sleep(self._seconds)
        return self._said


def at(routes: Mapping[str, Route], learnt: DoctorState) -> list[Finding]:
    """The findings about a scripted server."""
    with FakeServer(routes) as fake:
        return all_findings(
            doctor_context(connect=lambda: open_engine(fake.host), host=SourcedValue(fake.host, "--host")),
            learnt,
            SERVER,
        )


@pytest.mark.parametrize(
    ("version", "states", "text"),
    [
        ("0.32.15", [FindingState.OK], "Ollama 0.32.15 responds at"),
        ("0.12.6", [FindingState.OK], "Ollama 0.12.6"),
        ("0.12.5", [FindingState.OK, FindingState.WARNING], "Ollama 0.12.5 cuts long prompts without a word"),
        ("0.11.4", [FindingState.OK, FindingState.WARNING], "steered or continued; cuts long prompts"),
        ("0.1.20", [FindingState.OK, FindingState.WARNING], "0.1.20 mixes thinking with the answer; cannot render"),
        ("0.0.0", [FindingState.OK, FindingState.NOTE], "development build"),
        ("", [FindingState.OK, FindingState.WARNING], "does not report a version"),
        ("main-abc", [FindingState.OK], "Ollama main-abc"),
        ("9999999.0.0", [FindingState.OK], "Ollama 9999999.0.0"),
    ],
)
def test_a_server_is_known_by_its_version(version: str, states: list[FindingState], text: str) -> None:
    learnt = DoctorState()
    findings = findings_of(check_server, doctor_context(Versioned(version)), learnt)
    assert [one.state for one in findings] == states
    assert text in " ".join(one.text for one in findings)
    assert learnt.is_reached


@pytest.mark.parametrize(
    ("host", "where"),
    [
        (SourcedValue("", ""), "(default)"),
        (SourcedValue("box:1", "--host"), "http://box:1 (from --host)"),
        (SourcedValue("0.0.0.0", "OLLAMA_HOST"), "http://127.0.0.1:11434 (from OLLAMA_HOST)"),
        (SourcedValue("https://me:secret@box", "config.toml"), "https://box:443 (from config.toml)"),
    ],
)
def test_address_is_reported_with_its_source_and_no_password(host: SourcedValue, where: str) -> None:
    (finding,) = findings_of(check_server, doctor_context(host=host))
    assert where in finding.text
    assert "secret" not in repr(finding)


@pytest.mark.parametrize(("version", "name"), [("b10488", "server (b10488) responds"), ("", "server responds")])
def test_openai_compatible_server_is_named(version: str, name: str) -> None:
    engine = Versioned(version)
    engine.manages_models = False
    here = doctor_context(engine, settings=Settings(engine="openai"), host=SourcedValue("box", "--host"))
    (finding,) = findings_of(check_server, here)
    assert f"an OpenAI-compatible {name} at http://box:8000" in finding.text


def test_slow_version_reply_is_a_warning() -> None:
    findings = findings_of(check_server, doctor_context(Versioned("0.32.15", 1.1)))
    assert [one.state for one in findings] == [FindingState.OK, FindingState.WARNING]


def test_invalid_port_is_reported() -> None:
    findings = findings_of(check_server, doctor_context(host=SourcedValue("box:port", "--host")))
    assert findings[-1].text == "'port' is not a port; using 11434"


@pytest.mark.parametrize(
    ("route", "kind", "part"),
    [
        (Answer([], 403, content_type=""), RefusedError, "Host header"),
        (Answer([b"<html>"], content_type="text/html"), UnreachableError, "not an Ollama server"),
        (Answer([b"404 page not found"], 404), UnreachableError, "not an Ollama server"),
        (whole([1]), UnreachableError, "not an Ollama server"),
        (error(401, "unauthorized"), RefusedError, "OLLAMA_API_KEY"),
        (Answer([], 302, {"Location": "http://elsewhere/"}), RefusedError, "redirected"),
    ],
)
def test_other_server_or_refusal_is_a_blocking_error(route: Route, kind: type[ReflecttyError], part: str) -> None:
    learnt = DoctorState()
    (finding,) = at({"/api/version": route}, learnt)
    assert isinstance(learnt.blocking_error, kind)
    assert finding.state is FindingState.WRONG
    assert part in finding.text + finding.advice
    assert not learnt.is_reached


def test_invalid_host_is_a_blocking_error() -> None:
    learnt = DoctorState()
    (finding,) = all_findings(doctor_context(host=SourcedValue("ftp://x", "--host")), learnt, SERVER)
    assert isinstance(learnt.blocking_error, UsageError)
    assert "ftp://" in finding.text


def test_slow_answer_is_accepted() -> None:
    learnt = DoctorState()
    (finding,) = at({"/api/version": Answer([Pause(0.05), b'{"version": "0.32.15"}'])}, learnt)
    assert (finding.state, facts(finding)["version"]) == (FindingState.OK, "0.32.15")


HERE, THERE, SECURE = "127.0.0.1:11434", "http://box.lan:11434", "https://box.lan"
AT = "192.0.2.2"


@pytest.mark.parametrize(
    ("host", "environment", "state", "text"),
    [
        (HERE, {}, FindingState.OK, "none is set"),
        (HERE, {"HTTP_PROXY": "http://p:1"}, FindingState.NOTE, "directly"),
        (HERE, {"ALL_PROXY": "socks5://p:1"}, FindingState.NOTE, "ALL_PROXY"),
        (HERE, {"HTTP_PROXY": "http://p:1", "NO_PROXY": "127.0.0.1"}, FindingState.OK, "exempts"),
        (HERE, {"HTTPS_PROXY": "http://p:1"}, FindingState.OK, "none is set"),
        (THERE, {}, FindingState.OK, "none is set"),
        (THERE, {"http_proxy": "http://u:secret@p:1"}, FindingState.WARNING, "goes through the proxy p:1"),
        (THERE, {"http_proxy": "http://p:1", "NO_PROXY": ".lan"}, FindingState.OK, "exempts box.lan"),
        (THERE, {"http_proxy": "http://p:1", "NO_PROXY": "lan2, other"}, FindingState.WARNING, "goes through"),
        (AT, {"http_proxy": "http://p:1", "NO_PROXY": "192.0.2.0/24,[::1]"}, FindingState.OK, "exempts 192.0.2.2"),
        (
            AT,
            {"ALL_PROXY": "nonsense://p:1"},
            FindingState.WARNING,
            "cannot be used: its scheme is not one of http, https, socks5",
        ),
        (AT, {"ALL_PROXY": "socks://p:1", "no_proxy": "192.0.2.2"}, FindingState.OK, "exempts 192.0.2.2"),
        (
            AT,
            {"http_proxy": "http://p:1", "NO_PROXY": "192.0.2.2:80"},
            FindingState.WARNING,
            "goes through the proxy http://p:1",
        ),
        (SECURE, {"HTTP_PROXY": "http://p:1"}, FindingState.OK, "none is set"),
        (SECURE, {"HTTPS_PROXY": "http://p:1"}, FindingState.WARNING, "HTTPS_PROXY"),
    ],
)
def test_proxy_is_reported_where_it_matters(
    host: str, environment: dict[str, str], state: FindingState, text: str
) -> None:
    (finding,) = findings_of(
        check_proxy, doctor_context(environment=environment), DoctorState(address=parse_host(host))
    )
    assert finding.state is state
    assert text in finding.text
    assert "secret" not in repr(finding)


@pytest.mark.parametrize(("host", "count"), [(HERE, 0), (SECURE, 0), (THERE, 1)])
def test_key_over_plain_http_is_a_warning(host: str, count: int) -> None:
    here = doctor_context(settings=Settings(api_key="secret"))
    warned = [
        one
        for one in findings_of(check_proxy, here, DoctorState(address=parse_host(host)))
        if "OLLAMA_API_KEY" in one.text
    ]
    assert [one.state for one in warned] == [FindingState.WARNING] * count
    assert "secret" not in repr(warned)


@pytest.mark.parametrize(("host", "state"), [(HERE, FindingState.NOTE), (SECURE, FindingState.WARNING)])
def test_missing_certificates_are_reported(tmp_path: Path, host: str, state: FindingState) -> None:
    environment = {"SSL_CERT_FILE": str(tmp_path / "none.pem"), "SSL_CERT_DIR": str(tmp_path)}
    (finding,) = findings_of(
        check_proxy, doctor_context(environment=environment), DoctorState(address=parse_host(host))
    )
    assert finding.state is state
    assert "SSL_CERT_FILE" in finding.text


def reached(engine: ScriptedEngine) -> DoctorState:
    return DoctorState(engine=engine, is_reached=True)


def test_models_are_counted_and_the_first_are_named() -> None:
    many = tuple(Model(f"m{number}:latest", digest=f"{number}") for number in range(7))
    (finding,) = findings_of(check_models, doctor_context(), reached(ScriptedEngine(models=many)))
    assert finding.text == "7 installed: m0, m1, m2, m3, m4 and 2 more"
    assert len(facts(finding)["installed"]) == 7


def test_very_long_name_is_truncated_in_the_text() -> None:
    (finding,) = findings_of(check_models, doctor_context(), reached(ScriptedEngine(models=(Model("b" * 5000),))))
    assert len(finding.text) < 100
    assert facts(finding)["installed"] == ("b" * 5000,)


def test_no_installed_model_is_noted_and_then_raises() -> None:
    engine = ScriptedEngine(models=())
    assert findings_of(check_models, doctor_context(), reached(engine))[0].text == "none installed"
    with pytest.raises(ModelMissingError):
        findings_of(chosen_model, doctor_context(), reached(engine))


THINKS = Model("deep", ("completion", "thinking"))
TUNED = Model("reflection", ("completion",))
PLAIN = Model("plain", ("completion",))


@pytest.mark.parametrize(
    ("installed", "named_by", "mode", "text"),
    [
        ((PLAIN,), SourcedValue("", ""), "auto", "plain, the most recent model: not tuned"),
        ((PLAIN, THINKS), SourcedValue("", ""), "auto", "deep, the most recent thinking model: thinks natively"),
        (
            (THINKS, TUNED),
            SourcedValue("", ""),
            "auto",
            "reflection, the most recent reflection model: reflects in its",
        ),
        ((PLAIN, TUNED), SourcedValue("plain", "-m"), "auto", "plain, set by -m: not tuned"),
        (
            (TUNED,),
            SourcedValue("reflection", "REFLECTTY_MODEL"),
            "direct",
            "set by REFLECTTY_MODEL: answers without reflection",
        ),
    ],
)
def test_model_is_reported_with_reason_and_mode(
    installed: tuple[Model, ...], named_by: SourcedValue, mode: str, text: str
) -> None:
    engine = ScriptedEngine(models=installed)
    (finding,) = findings_of(
        chosen_model, doctor_context(model=named_by, settings=Settings(mode=mode)), reached(engine)
    )
    assert text in finding.text


def test_model_that_is_not_installed_raises() -> None:
    with pytest.raises(ModelMissingError, match="nosuch"):
        findings_of(chosen_model, doctor_context(model=SourcedValue("nosuch", "-m")), reached(ScriptedEngine()))


async def _found_neighbor() -> str:
    return "a llama-server responds at 127.0.0.1:9931: use --engine openai --host 127.0.0.1:9931"


def test_local_llama_server_is_suggested_if_only_mini_answers() -> None:
    engine = Versioned("0.32.15")
    engine.using_fallback = True
    (finding,) = findings_of(check_server, doctor_context(engine, find_neighbor=_found_neighbor), DoctorState())

    assert finding.state is FindingState.NOTE
    assert finding.advice == "a llama-server responds at 127.0.0.1:9931: use --engine openai --host 127.0.0.1:9931"


@pytest.mark.parametrize(
    ("maker", "routes", "text"),
    [
        ("vllm", {"/version": whole({"version": "0.32.0"})}, "vLLM 0.32.0 responds at"),
        ("llamacpp", {"/props": whole({"build_info": "b10970-1a2b"})}, "llama-server b10970-1a2b responds at"),
        ("llamacpp", {"/props": whole({"build_info": "b0-unknown"})}, "llama-server responds at"),
        ("sglang", {}, "SGLang responds at"),
        ("acme", {}, "an OpenAI-compatible server responds at"),
    ],
)
def test_server_is_named_by_its_kind(maker: str, routes: dict[str, Route], text: str) -> None:
    with FakeServer({"/v1/models": model_list("m", maker=maker), **routes}) as fake:
        findings = _checked(fake, "", SERVER)

    assert findings[0].text.startswith(text)
    assert len(findings) == 1


def _checked(fake: FakeServer, name: str, checks: Sequence[Check]) -> list[Finding]:
    """The findings about a scripted server that speaks OpenAI's protocol."""
    here = doctor_context(
        connect=lambda: open_engine(f"{fake.host}/v1", engine="openai"),
        host=SourcedValue(fake.host, "--host"),
        model=SourcedValue(name, "-m" if name else ""),
        settings=Settings(engine="openai"),
    )
    return all_findings(here, DoctorState(), checks)


def test_ollama_behind_the_openai_protocol_is_recognized() -> None:
    routes = {"/v1/models": model_list("mini:latest", maker="library"), "/api/version": whole({"version": "0.34.2"})}
    with FakeServer(routes) as fake:
        first, second = _checked(fake, "", SERVER)

    assert first.text.startswith("Ollama's OpenAI-compatible API 0.34.2 responds at")
    assert "--engine ollama" in second.advice


@pytest.mark.parametrize(
    ("listed", "name", "state", "text"),
    [
        (
            model_list("plain:latest", "mini:latest", maker="library"),
            "",
            FindingState.OK,
            "2 listed: plain:latest, mini:latest",
        ),
        (whole({"data": []}), "", FindingState.NOTE, "the server lists none"),
        (whole({"detail": "Not Found"}, 404), "m", FindingState.NOTE, "the server lists none"),
        (whole({"detail": "Not Found"}, 404), "", FindingState.WRONG, "this is not an OpenAI-compatible server"),
    ],
)
def test_missing_model_list_blocks_only_without_a_model_name(
    listed: Answer, name: str, state: FindingState, text: str
) -> None:
    checks = tuple(check for check in CHECKS if check.name in {"server", "models"})
    with FakeServer({"/v1/models": listed}) as fake:
        *_, finding = _checked(fake, name, checks)

    assert (finding.state, finding.text.startswith(text)) == (state, True), finding


def test_named_model_missing_from_the_list_is_noted() -> None:
    checks = tuple(check for check in CHECKS if check.name in {"server", "models", "model"})
    with FakeServer({"/v1/models": whole({"data": []})}) as fake:
        *_, finding = _checked(fake, "default_model", checks)

    assert finding.text.startswith("default_model, set by -m, not in the server's list: ")
