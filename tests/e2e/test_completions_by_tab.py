"""Completions as a user has them: installed by the command, and requested by the tab key of a real shell."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from reflectty.store import open_store
from support.command import Reflect
from support.completed_models import listed
from support.fake_server import FakeServer, tags
from support.pty_screen import Screen

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.process, pytest.mark.slow]

PROMPT = "ready> "
TITLE = "What is $(touch pwned)?"
HOSTILE = (TITLE, "a `touch pwned` b", 'it\'s "so"', "x; touch pwned", "why 'not'")
BASH = ". \"$(reflect completions path bash)\"\nPS1='ready> '\n"
ZSH = "fpath=($HOME/.zfunc $fpath)\nautoload -Uz compinit && compinit\nbindkey -e\nPS1='ready> '\n"
FISH = "set -g fish_greeting\nfunction fish_prompt\n    printf 'ready> '\nend\n"
SHELLS = {
    "bash": (".bashrc", BASH, ("bash", "-i")),
    "zsh": (".zshrc", ZSH, ("zsh", "-i")),
    "fish": (".config/fish/config.fish", FISH, ("fish", "-i")),
}
"""The startup file of each shell, its text, and the command that starts the shell."""
CASES = (
    ("mod", ("models",)),
    ("models sho", ("models", "show")),
    ("las", ("last",)),
    ("help sess", ("help", "sessions")),
    ("sessions pru", ("sessions", "prune")),
    ("--mode na", ("--mode", "native")),
    ("--mode=na", ("--mode=native",)),
    ("-m lla", ("-m", "llama3.1:8b")),
    ("-m llama3.1:", ("-m", "llama3.1:8b")),
    ("--model=llama3.1:8", ("--model=llama3.1:8b",)),
    ("models show llama3.1:", ("models", "show", "llama3.1:8b")),
    ("sessions show Wh", ("sessions", "show", TITLE)),
    ('sessions show "Wh', ("sessions", "show", TITLE)),
    ("sessions show 'Wh", ("sessions", "show", TITLE)),
    ("sessions show 'a `", ("sessions", "show", HOSTILE[1])),
    ("sessions show it", ("sessions", "show", HOSTILE[2])),
    ('sessions show "it', ("sessions", "show", HOSTILE[2])),
    ("sessions show 'why", ("sessions", "show", HOSTILE[4])),
    ('sessions show "x;', ("sessions", "show", HOSTILE[3])),
    ("-o temperat", ("-o", "temperature=")),
    ("-o temperat\t\t", ("-o", "temperature=")),
    ("-f a", ("-f", "a file.txt")),
    ("-f b:", ("-f", "b:c=d.txt")),
    ("models create m -s @no", ("models", "create", "m", "-s", "@notes.txt")),
)


@pytest.fixture(scope="module", params=sorted(SHELLS))
def shell(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screen]:
    """A shell at its prompt, in a home where the completions are installed; each case continues on the next line."""
    name = str(request.param)
    if not shutil.which(name):
        pytest.fail(f"{name} is needed: apt-get install {name}", pytrace=False)
    home = tmp_path_factory.mktemp(name)
    with FakeServer({"/api/tags": tags("llama3.1:8b", "qwen3:4b")}) as server:
        reflect = Reflect(home, server.host)
        assert reflect("completions", "install", "--shell", name).code == 0
        assert listed(reflect) == ["llama3.1:8b", "qwen3:4b"]
        store = open_store(home / ".local/share/reflectty/sessions.db", pytest.fail)
        for title in HOSTILE:
            store.create_session(title)
        store.close()
        for file in ("a file.txt", "b:c=d.txt", "notes.txt"):
            (home / file).touch()
        start, text, program = SHELLS[name]
        (home / start).parent.mkdir(parents=True, exist_ok=True)
        (home / start).write_text(text, "utf-8")
        with Screen(reflect, columns=120, program=program, PATH=reflect.in_path()["PATH"]) as screen:
            assert screen.shows(PROMPT.strip()), screen.text
            yield screen
            assert not (home / "pwned").exists()


@pytest.mark.parametrize(("typed", "wanted"), CASES)
def test_tab_completes_to_what_the_shell_reads_as_one_word(shell: Screen, typed: str, wanted: tuple[str, ...]) -> None:
    shell.press(f"reflect {typed}\t".encode())
    # Only the completion can have written the last letters; each shell quotes the rest in its own way.
    last = re.findall(r"\w+", wanted[-1])[-1]
    seen = shell.until(lambda text: last in text.rpartition(PROMPT.strip())[2])
    mark = str(len(shell.raw))
    shell.press(f"\x01printf '<%s>\\n' {mark} \r".encode())

    assert seen, shell.text
    assert shell.shows("\n".join(f"<{word}>" for word in (mark, "reflect", *wanted))), shell.text
    # A shell reads two quotes as nothing, but a person wonders about them.
    assert "=''" not in shell.text
