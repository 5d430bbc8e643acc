from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from reflectty.config.edit import parse_entry, with_value, without_value, write_config
from reflectty.core.errors import OutputError, UsageError
from reflectty.system.files import read_text

if TYPE_CHECKING:
    from pathlib import Path

FILE = """\
# Mine.
model = 'm'   # the usual one
options={num_ctx=1}

# Keys.
[keys]
steer = "alt+x" # as before

[profiles.code]
model="c"
"""


@pytest.mark.parametrize(
    ("text", "key", "words", "written"),
    [
        ("", "model", ["m"], 'model = "m"\n'),
        ("", "system", ["Be", "terse."], 'system = "Be terse."\n'),
        ("", "store", ["off"], "store = false\n"),
        ("", "timeout", ["60"], "timeout = 60\n"),
        ("", "timeout", ["first=1,idle=2"], 'timeout = "first=1,idle=2"\n'),
        ("", "hosts", ["a", "b:1"], 'hosts = ["a", "b:1"]\n'),
        ("", "profiles.a.hosts", ["a"], '[profiles.a]\nhosts = ["a"]\n'),
        ("", "hosts", ['["a:1", "b:2"]'], 'hosts = ["a:1", "b:2"]\n'),
        ("", "hosts", ['["a:1",', '"b:2"]'], 'hosts = ["a:1", "b:2"]\n'),
        ("", "hosts", ["[::1]:1", "[::2]"], 'hosts = ["[::1]:1", "[::2]"]\n'),
        ("", "profiles.a.hosts", ["[]"], "[profiles.a]\nhosts = []\n"),
        ("", "profiles.a.model", [""], '[profiles.a]\nmodel = ""\n'),
        ("", "profiles.a.effort", [""], '[profiles.a]\neffort = ""\n'),
        ("", "options.stop", ['["a, b", "c"]'], '[options]\nstop = ["a, b", "c"]\n'),
        ("", "options.stop", ["[a, b]"], '[options]\nstop = ["[a, b]"]\n'),
        ("", "options.stop", ["[INST]", "[/INST]"], '[options]\nstop = ["[INST]", "[/INST]"]\n'),
        ("", "options.stop", ["[", "]"], '[options]\nstop = ["[", "]"]\n'),
        ("", "keys.steer", ['["alt+x"]'], '[keys]\nsteer = "alt+x"\n'),
        ("", "keep_alive", ["-1"], 'keep_alive = "-1"\n'),
        ("", "options.num_ctx", ["8192"], "[options]\nnum_ctx = 8192\n"),
        ("", "options.temperature", ["0"], "[options]\ntemperature = 0.0\n"),
        ("", "options.stop", ["a b"], '[options]\nstop = ["a b"]\n'),
        ("", "options.stop", ["a", "b"], '[options]\nstop = ["a", "b"]\n'),
        ("", "options.use_mmap", ["no"], "[options]\nuse_mmap = false\n"),
        ("", "keys.steer", ["alt+x"], '[keys]\nsteer = "alt+x"\n'),
        ("", "keys.steer", ["alt+x", "f9"], '[keys]\nsteer = ["alt+x", "f9"]\n'),
        ("", "keys.steer", [""], '[keys]\nsteer = ""\n'),
        ("", "profiles.a.model", ["m"], '[profiles.a]\nmodel = "m"\n'),
        ("", "profiles.a.options.seed", ["1"], "[profiles.a.options]\nseed = 1\n"),
        ("", "profiles.b.extends", ["a"], '[profiles.b]\nextends = "a"\n'),
        ("", "templates.tr", ["To {x}: {input}"], '[templates]\ntr = "To {x}: {input}"\n'),
        ("model = 'a'\r\n", "model", ["b"], 'model = "b"\r\n'),
        ("[keys]\nsteer = 'x'\n", "model", ["m"], "model = \"m\"\n\n[keys]\nsteer = 'x'\n"),
        ("profiles={a={model='m'}}\n", "profiles.b.model", ["n"], "profiles={a={model='m'},b = {model = \"n\"}}\n"),
        ("keys.steer='x'\n", "keys.edit", ["y"], "keys.steer='x'\nkeys.edit = \"y\"\n"),
        (FILE, "model", ["x"], FILE.replace("'m'", '"x"')),
        (FILE, "keys.steer", ["f9"], FILE.replace('"alt+x"', '"f9"')),
        (FILE, "options.num_ctx", ["2"], FILE.replace("num_ctx=1", "num_ctx=2")),
        (FILE, "options.seed", ["2"], FILE.replace("num_ctx=1", "num_ctx=1,seed = 2")),
        (FILE, "profiles.code.mode", ["direct"], f'{FILE}mode = "direct"\n'),
        (FILE, "theme", ["ink"], FILE.replace("\n# Keys.", 'theme = "ink"\n\n# Keys.')),
        (FILE, "keys.edit", ["f9"], FILE.replace("\n[profiles", 'edit = "f9"\n\n[profiles')),
        ("# Keys.\n[keys]\na = 1\n", "model", ["m"], 'model = "m"\n\n# Keys.\n[keys]\na = 1\n'),
        ("[keys]\na = 1\n\n# B.\n[b]\n", "keys.steer", ["f9"], '[keys]\na = 1\nsteer = "f9"\n\n# B.\n[b]\n'),
        ("[keys] # 1\n[b]\n", "keys.steer", ["f9"], '[keys] # 1\nsteer = "f9"\n\n[b]\n'),
        ('a = """\n[keys]\n"""\n[b]', "model", ["m"], 'a = """\n[keys]\n"""\nmodel = "m"\n\n[b]'),
        ("a = [\n[1],\n]\n[b]", "model", ["m"], 'a = [\n[1],\n]\nmodel = "m"\n\n[b]'),
    ],
)
def test_setting_a_value_leaves_the_rest_unchanged(text: str, key: str, words: list[str], written: str) -> None:
    wanted = parse_entry(key, words)
    assert with_value(text, wanted.keys, wanted.value) == written


@pytest.mark.parametrize(
    ("keys", "left"),
    [
        (("model",), FILE.replace("model = 'm'   # the usual one\n", "")),
        (("keys", "steer"), FILE.replace('steer = "alt+x" # as before\n', "")),
        (("profiles", "code"), FILE.replace('[profiles.code]\nmodel="c"\n', "")),
    ],
)
def test_unsetting_a_value_leaves_the_rest_unchanged(keys: tuple[str, ...], left: str) -> None:
    assert without_value(FILE, keys) == left


def test_unsetting_a_table_removes_its_comments_only() -> None:
    a, b, c = "# A.\n[profiles.a]\nx = 1\n\n", "# B.\n# Still.\n[profiles.b]\n\n", "# C.\n[profiles.b.options]\n\n"
    d = "# D.\n[templates]\n"

    assert without_value(a + b + c + d, ("profiles", "b")) == a + d
    assert without_value(a + b + c + d, ("profiles",)) == d
    assert without_value(f"profiles.a.x = 1\n{d}", ("profiles",)) == d


@pytest.mark.parametrize("keys", [("theme",), ("keys", "edit"), ("model", "x"), ("profiles", "code", "x", "y")])
def test_unsetting_a_missing_value_is_refused(keys: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="is not set"):
        without_value(FILE, keys)


def test_a_value_in_place_of_a_table_is_not_written_over() -> None:
    with pytest.raises(UsageError, match="keys is not a table"):
        with_value("keys = 1\n", ("keys", "steer"), "x")


@pytest.mark.parametrize(
    ("key", "words", "message", "hint"),
    [
        ("modle", ["m"], "unknown setting 'modle'", "did you mean mode or model?"),
        ("zzz", ["m"], "unknown setting 'zzz'", "profiles, templates"),
        ("api_key", ["k"], "unknown setting 'api_key'", "OLLAMA_API_KEY"),
        ("", ["m"], "'' is not a key", "profiles.code.model"),
        ("keys..x", ["m"], "'keys..x' is not a key", "keys.steer"),
        ("model.x", ["m"], "model.x is not a setting", "model is not a table"),
        ("mode", ["never"], "mode 'never' is not a mode", "auto, native"),
        ("model", [""], "model must not be empty", "reflect config unset model"),
        ("model", ["  "], "model must not be empty", "reflect config unset model"),
        ("hosts", ["[]"], "hosts must not be empty", "reflect config unset hosts"),
        ("hosts", ["[a:1,b:2]"], "hosts: '[a:1,b:2]' is not a list of strings", "write hosts '"),
        ("hosts", ['["a:1"'], "hosts: '[\"a:1\"' is not a list", ""),
        ("hosts", ["[a:1,", "b:2]"], "hosts: '[a:1, b:2]' is not a list", ""),
        ("hosts", ['["a:1", 2]'], "is not a list of strings", ""),
        ("options.stop", ['["a"'], "options.stop: '[\"a\"' is not a list of strings", "write options.stop '"),
        ("options.stop", ["[a,", "b]"], "options.stop: '[a, b]' is not a list", ""),
        ("keys.steer", ['["a"'], "keys.steer: '[\"a\"' is not a list", ""),
        ("store", ["maybe"], "store must be true or false", ""),
        ("timeout", ["soon"], "timeout 'soon' is not a duration", ""),
        ("thinking", ["loud"], "thinking 'loud' is not a way", ""),
        ("options", ["x"], "options is a table", "options.NAME"),
        ("options.num_ctx", ["x"], "options.num_ctx takes a whole number, or auto, not 'x'", ""),
        ("options.numctx", ["1"], "options.numctx: Ollama has no option 'numctx'", "num_ctx"),
        ("options.stop.x", ["1"], "options.stop.x is not a setting", "options.stop is not a table"),
        ("keys", ["x"], "keys is a table", "keys.NAME"),
        ("profiles", ["x"], "profiles is a table", "profiles.NAME.KEY"),
        ("profiles.a", ["x"], "profiles.a is a table", "profiles.a.KEY"),
        ("profiles.a.modle", ["x"], "unknown setting 'profiles.a.modle'", "did you mean mode or model?"),
        ("profiles.a.theme.x", ["x"], "unknown setting 'profiles.a.theme'", ""),
        ("profiles.a b.model", ["x"], "profiles: 'a b' is not a valid name", "letters"),
        ("profiles.a.extends", ["../x"], "profiles.a.extends: '../x' is not a valid name", ""),
        ("templates", ["x"], "templates is a table", "templates.NAME"),
        ("templates.a/b", ["x"], "templates: 'a/b' is not a valid name", ""),
        ("templates.a.b", ["x"], "templates.a.b is not a setting", ""),
    ],
)
def test_invalid_entry_is_refused(key: str, words: list[str], message: str, hint: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_entry(key, words)

    assert message in str(refused.value)
    assert hint in refused.value.hint


def test_new_file_and_folder_are_private(tmp_path: Path) -> None:
    path = tmp_path / "new" / "config.toml"
    write_config(path, "é = 1\n")

    assert path.read_bytes() == "é = 1\n".encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["config.toml"]


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o640])
def test_existing_file_keeps_its_mode(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "config.toml"
    path.touch()
    path.chmod(mode)
    write_config(path, "a = 1\n")

    assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.parametrize("there", [True, False])
def test_symlink_is_preserved(tmp_path: Path, *, there: bool) -> None:
    target, link = tmp_path / "dotfiles.toml", tmp_path / "config.toml"
    if there:
        target.write_text("a = 1\n", "utf-8")
    link.symlink_to(target)
    write_config(link, "a = 2\n")

    assert link.is_symlink()
    assert target.read_text("utf-8") == "a = 2\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.toml", "dotfiles.toml"]


def test_unwritable_path_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    for path, said in (
        (tmp_path / "file" / "config.toml", "cannot be written: "),
        (tmp_path / "pipe", "not a regular file"),
        (tmp_path, "not a regular file"),
    ):
        with pytest.raises(OutputError, match=said):
            write_config(path, "a = 1\n")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "pipe"]


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("model = 'é'".encode("utf-16"), ": not UTF-8"),
        ("model = 'é'".encode("latin-1"), ": not UTF-8"),
        (b"model = 'a\0b'", "not a text file"),
        (b"#" * (1 << 20) + b"\n", "larger than 1 MB"),
    ],
)
def test_invalid_text_file_is_refused(tmp_path: Path, raw: bytes, message: str) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(raw)
    with pytest.raises(UsageError, match=message) as refused:
        read_text(path)

    assert str(path) in str(refused.value)


def test_endless_or_silent_files_do_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")

    assert read_text(tmp_path / "pipe") == ""
    with pytest.raises(UsageError, match="larger than"):
        read_text(tmp_path / "zero")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("", '[evidence."a:b"]\nmode = "native"\nn = 2\n'),
        ("model = 'm' # mine\n", 'model = \'m\' # mine\n\n[evidence."a:b"]\nmode = "native"\nn = 2\n'),
        (
            '# Seen.\n[evidence."a:b"] # old\nmode = "direct"\n# Really.\ngain = 1\n\n[keys]\nsave = ""\n',
            '# Seen.\n[evidence."a:b"]\nmode = "native"\nn = 2\n# Really.\n\n[keys]\nsave = ""\n',
        ),
        (
            'evidence = { c = { mode = "direct" } }\n',
            'evidence = { c = { mode = "direct" }, "a:b" = {mode = "native",n = 2}}\n',
        ),
        ("model = 'm'\r\n", 'model = \'m\'\r\n\r\n[evidence."a:b"]\r\nmode = "native"\r\nn = 2\r\n'),
    ],
)
def test_a_table_becomes_a_section_and_the_rest_stays(text: str, written: str) -> None:
    assert with_value(text, ("evidence", "a:b"), {"mode": "native", "n": 2}) == written
