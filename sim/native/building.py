"""Compiles a group of modules, in a process of its own, beside the place where they will be looked for."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from sim.errors import CompileError
from sim.kept import PRIVATE, cache, forget_oldest, private_folder

from .group import ROOT, Group
from .serving import files_of

NO_PLACE: Final = "there is no folder to keep them in; name one in XDG_CACHE_HOME that nobody else may write to"
MYPYC: Final = "mypy's compiler or setuptools is missing; install them with: pip install 'mypy[mypyc]'"
HEADERS: Final = "Python's own headers (Python.h) are missing; install them, on Debian: apt-get install python3-dev"
SAID_LINES: Final = 3
"""Of what a compiler that failed said last."""


def build(group: Group, opt_level: int = 3) -> tuple[Path, bool]:
    """The folder of a compiled group, and whether it had to be made, which takes a minute or two. CompileError."""
    base = cache(group.cache)
    if base is None or not private_folder(base):
        raise CompileError(NO_PLACE)
    place = base / group.digest()
    if files_of(group, place) is not None:
        return place, False
    _require_tools()
    with tempfile.TemporaryDirectory(prefix="half-", dir=base) as half:
        copy, made = Path(half) / "sources", Path(half) / "made"
        for name in group.all_files():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, copy / name)
        place = base / group.digest(copy)  # of what is compiled, whatever is edited meanwhile
        made.mkdir(mode=PRIVATE)
        _compile(group, copy, made, Path(half) / "scratch", opt_level)
        if files_of(group, place) is None:  # nobody else was faster
            shutil.rmtree(place, ignore_errors=True)
            made.rename(place)
    forget_oldest(base, but=place.name)
    return place, True


def _require_tools() -> None:
    if find_spec("mypyc") is None or find_spec("setuptools") is None:
        raise CompileError(MYPYC)
    compiler = (os.environ.get("CC") or str(sysconfig.get_config_var("CC") or "cc")).split()[0]
    if shutil.which(compiler) is None:
        raise CompileError(f"there is no C compiler ({compiler}); install one, on Debian: apt-get install gcc")
    if not (Path(sysconfig.get_paths()["include"]) / "Python.h").exists():
        raise CompileError(HEADERS)


def _compile(group: Group, copy: Path, made: Path, scratch: Path, opt_level: int) -> None:
    recipe = str(Path(__file__).with_name("recipe.py"))
    places = [group.library, str(made), str(scratch), str(opt_level)]
    files = group.compiled_files(copy)
    command = [sys.executable, "-P", recipe, *places, *files]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
    if done.returncode or files_of(group, made) is None:
        said = (done.stdout + done.stderr).strip().splitlines()[-SAID_LINES:]
        raise CompileError(f"the compiler failed: {' | '.join(said) or f'exit code {done.returncode}'}")
