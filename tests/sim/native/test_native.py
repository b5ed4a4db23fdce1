"""Compiled brains: the same outcome as the sources, never beside other sources than their own, missed by nobody."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sim.cli import main
from sim.errors import CompileError
from sim.kept import PRIVATE, private_folder
from sim.native.building import build
from sim.native.group import BRAINS, ROOT, SUFFIX, Group, module_of
from sim.native.serving import files_of

SCENARIO = """\
name = "small"
engine = "quick"
[content]
size_bytes = "6 MiB"
chunk_bytes = "64 KiB"
[hosts]
count = 16
uplink_bytes_per_s = "8 Mbit/s"
downlink_bytes_per_s = "16 Mbit/s"
latency_s = "3 ms"
latency_spread = 0.5
join_over_s = 2.0
dying_share = 0.1
dying_by_s = 6.0
[regions]
count = 2
[origin]
uplink_bytes_per_s = 0
[seeders]
per_region = 1
uplink_bytes_per_s = "8 Mbit/s"
"""
RUN = """\
import hashlib, json, sys
{first}
import sim
path, engines = sys.argv[1], sys.argv[2].split(",")
answers = []
for engine in engines:
    from sim.scenario import changed, load_table
    result = sim.run(changed(load_table(path), "engine", engine), rng_seed=5)
    arrays = hashlib.sha256(b"".join(result.arrays[name].tobytes() for name in sorted(result.arrays))).hexdigest()
    facts = {{name: result.facts.get(name) for name in ("compiled", "messages")}}
    answers.append(facts | {{"arrays": arrays}})
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with the brains in it, compiled in a hurry."""
    cache = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(cache))
        build(BRAINS, opt_level=0)
    return cache


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(SCENARIO)
    return path


def run(scenario: Path, cache: Path, engines: str = "quick", first: str = "") -> list[dict[str, Any]]:
    """What each engine found, one after another in a process of its own."""
    command = [sys.executable, "-c", RUN.format(first=first), str(scenario), engines]
    environment = os.environ | {"XDG_CACHE_HOME": str(cache), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, cwd=ROOT)
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


def whole_folder(cache: Path) -> Path:
    """As if the brains had been compiled, to nothing."""
    base = cache / BRAINS.cache
    folder = base / BRAINS.digest()
    assert private_folder(base)
    assert private_folder(folder)
    for name in (BRAINS.library, *map(module_of, BRAINS.compiled_files())):
        path = folder / (name.replace(".", "/") + SUFFIX)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return folder


def test_all_brains_compile_as_they_are(made: Path) -> None:
    assert files_of(BRAINS, made / BRAINS.cache / BRAINS.digest()) is not None


def test_compiled_brains_say_the_same_messages_and_finish_at_the_same_times(
    made: Path, scenario: Path, tmp_path: Path
) -> None:
    [compiled], [interpreted] = run(scenario, made), run(scenario, tmp_path)
    assert (compiled.pop("compiled"), interpreted.pop("compiled")) == (True, False)
    assert compiled == interpreted


def test_daemons_of_tier_1_that_share_a_process_with_compiled_brains_do_the_same(
    made: Path, scenario: Path, tmp_path: Path
) -> None:
    beside, alone = run(scenario, made, "quick,fleet")[1], run(scenario, tmp_path, "fleet")[0]
    assert (beside.pop("compiled"), alone.pop("compiled")) == (True, False)
    assert beside == alone


def test_where_a_brain_was_imported_from_source_already_all_are(made: Path, scenario: Path) -> None:
    assert run(scenario, made, first="import p2pd.policy.picking")[0]["compiled"] is False


def test_the_command_says_which_form_ran_and_can_be_told_to_interpret(made: Path, scenario: Path) -> None:
    environment = os.environ | {"XDG_CACHE_HOME": str(made)}
    said = []
    for more in ([], ["--interpreted"]):
        command = [sys.executable, "-m", "sim", "run", str(scenario), "--json", *more]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, cwd=ROOT)
        said.append(json.loads(done.stdout)["compiled"])
    assert said == [True, False]


def test_machine_code_that_cannot_be_loaded_is_as_if_it_were_not_there(scenario: Path, tmp_path: Path) -> None:
    whole_folder(tmp_path)
    assert run(scenario, tmp_path)[0]["compiled"] is False


def test_a_folder_that_lacks_a_module_is_not_used(tmp_path: Path) -> None:
    folder = whole_folder(tmp_path)
    assert files_of(BRAINS, folder) is not None
    (folder / ("p2pd/swarm/swarm" + SUFFIX)).unlink()
    assert files_of(BRAINS, folder) is None


def test_a_folder_that_others_may_write_to_is_not_used(tmp_path: Path) -> None:
    folder = whole_folder(tmp_path)
    folder.chmod(PRIVATE | 0o020)
    assert files_of(BRAINS, folder) is None


@pytest.mark.parametrize("name", ["p2pd/swarm/fetching.py", "p2pd/policy/picking.py", "sim/quick/way.py"])
def test_an_edit_of_what_is_compiled_leads_to_another_folder(name: str, tmp_path: Path) -> None:
    assert edited(name, tmp_path) != BRAINS.digest()


def test_so_does_one_of_a_constant_that_is_built_in(tmp_path: Path) -> None:
    assert edited("p2pd/wire/messages.py", tmp_path) != BRAINS.digest()


def test_and_one_of_anything_else_does_not(tmp_path: Path) -> None:
    assert edited("sim/plan.py", tmp_path) == BRAINS.digest()


def edited(name: str, tmp_path: Path) -> str:
    """The digest of a copy in which that file has one line more."""
    for each in {*BRAINS.all_files(), name}:
        (tmp_path / each).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / each).write_bytes((ROOT / each).read_bytes() + (b"# more\n" if each == name else b""))
    return BRAINS.digest(tmp_path)


def test_without_a_c_compiler_it_says_what_to_install_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("CC", "no-such-compiler")
    assert main(["compile"]) == 1
    assert "there is no C compiler (no-such-compiler); install one" in capsys.readouterr().err
    assert list((tmp_path / BRAINS.cache).iterdir()) == []


def test_a_compiler_that_fails_leaves_nothing_that_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("CC", "false")
    one = Group("one", ("p2pd/wire/bits.py",), ("p2pd/__init__.py", "p2pd/wire/__init__.py", "p2pd/wire/errors.py"))
    with pytest.raises(CompileError, match="the compiler failed"):
        build(one, opt_level=0)
    assert list((tmp_path / one.cache).iterdir()) == []


def test_without_mypy_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "path", [place for place in sys.path if "site-packages" not in place])
    with pytest.raises(CompileError, match=r"pip install 'mypy\[mypyc\]'"):
        build(BRAINS)
