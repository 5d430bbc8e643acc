"""A machine without any settings: the command with a default port of its own, with the extra and without it."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import reflectty
from reflectty.core.model_spec import MINI_TEMPLATE
from reflectty.engines import hosts
from reflectty.engines.embedded import PACKAGES
from support.command import Reflect
from support.fake_server import FakeServer, error, reply, show, tags, whole
from support.real_ollama import free_port
from support.scripted_servers import ANSWERED

if TYPE_CHECKING:
    from support.built_in import BuiltIn
    from support.command import Result
    from support.fake_server import Route

ANYWHERE = """
import sys
from reflectty.engines import hosts
from reflectty.main import run
hosts.parse_host.__defaults__ = (int(sys.argv.pop(1)),)
run()
"""
"""The command with another default port: a server on the usual port of this machine is not ours."""
QUESTION = "What is 2 + 3?"
NONE_SUCH = error(404, "model 'mini' not found")


class Fresh(Reflect):
    """The command, which looks for servers on another port, in this process or in its own."""

    def __call__(self, *words: str, stdin: bytes = b"", **variables: str) -> Result:
        with pytest.MonkeyPatch.context() as replaced:
            if not self.apart:
                replaced.setattr(hosts.parse_host, "__defaults__", (port_of(self),))
            return super().__call__(*words, stdin=stdin, **variables)


def fresh(home: Path, mini: BuiltIn, site: Path | None = None, *, apart: bool = True) -> Reflect:
    """The command on such a machine.

    Args:
        home: an empty folder.
        mini: the built-in model whose process answers.
        site: the folder of the installed packages; those of the tests by default.
        apart: whether a call runs in a process of its own, which `site` requires.
    """
    start = (sys.executable, *(("-S",) if site else ()), "-c", ANYWHERE, str(free_port()))
    paths = {"PYTHONPATH": _packages(site)} if site else {}
    return Fresh(home, "", start, apart=apart, **(mini.environment | paths))


def _packages(site: Path) -> str:
    """The path of the packages: a wheel is installed among them, the checkout is not."""
    return str(site) if (site / "reflectty").exists() else f"{Path(reflectty.__file__).parents[1]}:{site}"


def port_of(reflect: Reflect) -> int:
    """The port where the command looks for a server by default."""
    return int(reflect.command[-1])


def default_server(reflect: Reflect, *, has_mini: bool = False) -> FakeServer:
    """A server on the default port, which has one model or two."""
    names = ("reflection:latest", *(("mini:latest",) if has_mini else ()))
    routes: dict[str, Route] = {
        "/api/show": lambda asked: (
            NONE_SUCH if asked.json["model"] == "mini" and not has_mini else show(template=MINI_TEMPLATE)
        ),
        "/api/tags": tags(*names),
        "/api/ps": whole({"models": []}),
        "/api/version": whole({"version": "0.32.15"}),
        "/api/chat": reply((ANSWERED,)),
    }
    return FakeServer(routes, port=port_of(reflect))


def bare(folder: Path, without: tuple[str, ...] = PACKAGES) -> Path:
    """A folder with the packages of the tests without some of them: those of the built-in model."""
    folder.mkdir(exist_ok=True)
    for installed in Path(sysconfig.get_path("purelib")).iterdir():
        if not installed.name.lower().startswith(without) and installed.suffix != ".pth":
            (folder / installed.name).symlink_to(installed)
    return folder


def is_unreachable(result: Result) -> bool:
    """Whether the server is unreachable, and one line says so."""
    lines = result.err.splitlines()
    return (result.code, result.out, len(lines)) == (3, "", 1) and "cannot reach" in lines[0]
