from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from reflectty.store import open_store
from reflectty.system import assets
from support.command import COMMAND
from support.completed_models import BUILT_IN, listed
from support.fake_server import Answer, FakeServer, ReceivedRequest, tags
from support.openai_command import OpenAICommand
from support.openai_replies import model_list
from support.pty_screen import Screen
from support.waiting import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from support.command import Reflect

HOSTILE = ("What is $(touch pwned)?", "a `touch pwned` b", 'it\'s "so"', "a; touch pwned", "a\\b!c")
BASH = """
. "$SCRIPT"
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_TYPE=37
COMP_LINE=$LINE COMP_POINT=${#LINE}
_reflect
printf '%s\\n' "${COMPREPLY[@]}"
"""


def run(reflect: Reflect, *command: str, **variables: str) -> list[str]:
    if not shutil.which(command[0]):
        pytest.fail(f"{command[0]} is needed: apt-get install {command[0]}", pytrace=False)
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=reflect.in_path(**variables),
        cwd=reflect.home,
        timeout=PATIENCE,
        check=False,
    )
    assert done.stderr == ""
    return [line for line in done.stdout.splitlines() if line]


def bash(reflect: Reflect, line: str, *words: str) -> list[str]:
    """The words that bash would put in place of the last one."""
    script = str(assets.find_asset_folder("completions") / "reflect.bash")
    return run(reflect, "bash", "-c", BASH, "bash", *(words or line.split(" ")), SCRIPT=script, LINE=line)


def fish(reflect: Reflect, line: str) -> list[str]:
    script = str(assets.find_asset_folder("completions") / "reflect.fish")
    found = run(reflect, "fish", "-N", "-c", 'source $SCRIPT; complete -C "$LINE"', SCRIPT=script, LINE=line)
    return [row.partition("\t")[0] for row in found]


@pytest.mark.parametrize("shell", [bash, pytest.param(fish, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("reflect mo", {"models"}),
        ("reflect models sh", {"show"}),
        ("reflect la", {"last"}),
        ("reflect last --c", {"--code"}),
        ("reflect he", {"help"}),
        ("reflect help mo", {"models"}),
        ("reflect help models pu", {"pull"}),
        ("reflect help zzz", set()),
        ("reflect sessions pr", {"prune"}),
        ("reflect sessions prune --o", {"--older-than"}),
        ("reflect models --js", {"--json"}),
        ("reflect --mode n", {"native"}),
        ("reflect -q --mode n", {"native"}),
        ("reflect -o num_c", {"num_ctx="}),
        ("reflect config set mod", {"model", "mode"}),
        ("reflect config get mod", {"model", "mode"}),
        ("reflect config sc", {"schema"}),
        ("reflect config set mode na", {"native"}),
        ("reflect sessions export --format ht", {"html"}),
        ("reflect completions install --shell f", {"fish"}),
        ("reflect -f a\\ f", {"a file.txt"}),
        ("reflect why mo", set()),
    ],
)
def test_shell_completes_commands_options_and_values(
    reflect: Reflect, shell: type, line: str, wanted: set[str]
) -> None:
    (reflect.home / "a file.txt").touch()
    words = (*line.split(" ")[:2], "a\\ f") if "\\" in line else ()
    found = bash(reflect, line, *words) if shell is bash else fish(reflect, line)
    assert {row.replace("\\ ", " ") for row in found} == wanted


def test_model_completion_uses_the_server_or_its_last_answer(reflect: Reflect) -> None:
    with FakeServer({"/api/tags": tags("qwen3:8b", "reflection:latest", "-rf", "a$(id)", "x\x1b[2J")}) as server:
        there = reflect.at(server.host)
        listed(there)
        first = bash(there, "reflect -m ")
        colon = bash(there, "reflect -m qwen3:", "reflect", "-m", "qwen3", ":")
    kept = reflect.home / ".local/state/reflectty/completions/models.json"

    assert sorted(first) == ["mini", "qwen3:8b", "reflection"]
    assert colon == ["8b"]
    assert bash(there, "reflect -m ") == first
    assert kept.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("line", ["reflect -m ", "reflect models show "])
def test_openai_model_ids_are_completed_verbatim(reflect: Reflect, line: str) -> None:
    with FakeServer({"/v1/models": model_list("mini:latest", "org/Qwen3-8B", maker="library")}) as server:
        there = OpenAICommand(reflect, server.host)
        listed(there)
        found = bash(there, line)

    assert {"mini:latest", "org/Qwen3-8B"} <= set(found)


@pytest.mark.process
@pytest.mark.parametrize("remembered", [(), ("qwen3:8b", "llama3.1:8b")])
def test_silent_server_does_not_block_completion(reflect: Reflect, remembered: tuple[str, ...]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        there = reflect.at(f"127.0.0.1:{port}")
        if remembered:
            remember(reflect, f"http://127.0.0.1:{port}", remembered)
        first, again = (there("__complete", "models", "") for _ in range(2))

    assert (first.code, first.err) == (0, "")
    assert first.out == again.out == "".join(f"{name}\t\n" for name in remembered) + BUILT_IN


PROXIED = "http://gpu.example:11434"


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "ALL_PROXY"])
def test_server_behind_a_proxy_is_completed_from_memory_without_a_request(reflect: Reflect, variable: str) -> None:
    remember(reflect, PROXIED, ("qwen3:8b",))
    with FakeServer({}) as proxy:
        found = run(reflect.at(PROXIED), *COMMAND, "__complete", "models", "", **{variable: f"http://{proxy.host}"})

    assert found == ["qwen3:8b\t", BUILT_IN.rstrip()]
    assert proxy.requests == []


def test_local_server_is_asked_without_a_proxy_and_without_the_key(reflect: Reflect) -> None:
    with FakeServer({"/api/tags": tags("qwen3:8b")}) as server, FakeServer({}) as proxy:
        there = reflect.at(server.host)
        found = listed(there, HTTP_PROXY=f"http://{proxy.host}", OLLAMA_API_KEY="secret")

    assert found == ["qwen3:8b"]
    assert proxy.requests == []
    assert {one.headers.get("authorization") for one in server.requests} == {None}


def test_answer_of_a_slow_server_is_saved_for_the_next_completion(reflect: Reflect) -> None:
    gone_on = threading.Event()

    def slow(_: ReceivedRequest) -> Answer:
        gone_on.wait(PATIENCE)
        return tags("qwen3:8b")

    with FakeServer({"/api/tags": slow}) as server:
        there = reflect.at(server.host)
        first = there("__complete", "models", "")
        gone_on.set()
        found = listed(there)

    assert (first.code, first.out, first.err) == (0, BUILT_IN, "")
    assert found == ["qwen3:8b"]


def remember(reflect: Reflect, server: str, names: Sequence[str]) -> None:
    path = reflect.home / ".local/state/reflectty/completions/models.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({server: names}), "utf-8")


def kept(reflect: Reflect, *titles: str) -> Path:
    path = reflect.home / ".local/share/reflectty/sessions.db"
    store = open_store(path, pytest.fail)
    for title in titles:
        store.create_session(title)
    store.close()
    return path


@pytest.mark.parametrize("title", HOSTILE)
def test_completed_title_is_quoted_for_bash(reflect: Reflect, title: str) -> None:
    path = kept(reflect, title)
    with closing(open_store(path, pytest.fail)) as store:
        (session,) = store.sessions(2)
    beginning = title[:2]
    word = beginning.replace(" ", "\\ ").replace("\\b", "\\\\b") if " " in beginning else beginning
    line = f"reflect sessions show {word}"
    # The ID happens to have the beginning of the title.
    (found,) = (one for one in bash(reflect, line, "reflect", "sessions", "show", word) if one.strip() != session.id)
    read = run(reflect, "bash", "-c", f'set -- {found}; printf "%s\\n" "$@"')

    assert read == [title]
    assert not (reflect.home / "pwned").exists()


def test_session_completion_creates_no_files(reflect: Reflect) -> None:
    done = reflect("__complete", "sessions", "")

    assert (done.code, done.out, done.err) == (0, "", "")
    assert list(reflect.home.iterdir()) == []


@pytest.mark.parametrize(
    ("shell", "place"),
    [
        ("bash", ".local/share/bash-completion/completions/reflect"),
        ("zsh", ".zfunc/_reflect"),
        ("fish", ".config/fish/completions/reflect.fish"),
    ],
)
def test_install_writes_the_script_where_the_shell_loads_it(reflect: Reflect, shell: str, place: str) -> None:
    path = reflect.home / place
    again = [reflect("completions", "install", "--shell", shell) for _ in range(2)]

    assert [done.code for done in again] == [0, 0]
    assert str(path) in again[0].err
    assert path.read_text("utf-8") == reflect("completions", "show", shell).out
    assert reflect("completions", "path", shell).out == f"{path}\n"


def test_install_does_not_replace_a_foreign_file_without_force(reflect: Reflect) -> None:
    path = reflect.home / ".config/fish/completions/reflect.fish"
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    refused = reflect("completions", "install", SHELL="/usr/bin/fish")

    assert refused.code == 2
    assert "--force" in refused.err
    assert path.read_text() == "mine"
    assert reflect("completions", "install", "--force", SHELL="/usr/bin/fish").code == 0


@pytest.mark.process
def test_completions_alone_explain_themselves_on_a_terminal_and_print_the_script_in_a_pipe(reflect: Reflect) -> None:
    with Screen(reflect, "completions", SHELL="/bin/bash") as screen:
        assert screen.finish() == 0
        guide = screen.text
    with Screen(reflect, "completions", "show", SHELL="/bin/bash", rows=9) as screen:
        assert screen.finish() == 0
        shown = screen.text
    piped = reflect("completions", SHELL="/bin/bash")

    assert "reflect completions install " in guide
    assert "bash, zsh and fish" in guide
    assert len(guide.splitlines()) < 10
    assert piped.out == reflect("completions", "show", "bash").out
    assert len(shown.splitlines()) > 300


@pytest.mark.parametrize("shell", ["", "/bin/tcsh", "/usr/bin/pwsh"])
def test_unknown_shell_must_be_named(reflect: Reflect, shell: str) -> None:
    done = reflect("completions", "install", SHELL=shell)

    assert done.code == 2
    assert "name one of bash, zsh, fish" in done.err
