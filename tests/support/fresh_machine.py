"""A machine on which nothing was ever set: the command with a default port of its own, with the extra and without it."""

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
"""The command, whose servers are looked for at another port: what listens at the usual one here is not ours."""
QUESTION = "What is 2 + 3?"
NONE_SUCH = error(404, "model 'mini' not found")


class Fresh(Reflect):
    """The command, which looks for servers at another port wherever it runs."""

    def __call__(self, *words: str, stdin: bytes = b"", **variables: str) -> Result:
        with pytest.MonkeyPatch.context() as replaced:
            if not self.apart:
                replaced.setattr(hosts.parse_host, "__defaults__", (port_of(self),))
            return super().__call__(*words, stdin=stdin, **variables)


def fresh(home: Path, mini: BuiltIn, site: Path | None = None, *, apart: bool = True) -> Reflect:
    """Return the command on such a machine.

    Args:
        home: an empty folder.
        mini: whose process answers as the built-in model.
        site: where the packages are that are installed; those of the tests where nothing is named.
        apart: whether a call runs in a process of its own, as it must where `site` is named.
    """
    start = (sys.executable, *(("-S",) if site else ()), "-c", ANYWHERE, str(free_port()))
    paths = {"PYTHONPATH": _packages(site)} if site else {}
    return Fresh(home, "", start, apart=apart, **(mini.environment | paths))


def _packages(site: Path) -> str:
    """Return where the packages are: the checkout is not among those that are installed, a wheel is."""
    return str(site) if (site / "reflectty").exists() else f"{Path(reflectty.__file__).parents[1]}:{site}"


def port_of(reflect: Reflect) -> int:
    """Return where the command looks for a server that nobody has named."""
    return int(reflect.command[-1])


def answering(reflect: Reflect, *, has_mini: bool = False) -> FakeServer:
    """Return a server at the place that is the default, which has one model or two."""
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
    """Return a folder with all that is installed for the tests but some packages: those of the built-in model."""
    folder.mkdir(exist_ok=True)
    for installed in Path(sysconfig.get_path("purelib")).iterdir():
        if not installed.name.lower().startswith(without) and installed.suffix != ".pth":
            (folder / installed.name).symlink_to(installed)
    return folder


def refused(result: Result) -> bool:
    """Whether nobody answered, and one line says so."""
    lines = result.err.splitlines()
    return (result.code, result.out, len(lines)) == (3, "", 1) and "cannot reach" in lines[0]
