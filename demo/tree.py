"""Three releases to deploy, made of what is there: the interpreter's library and the installed packages.

    app/main.py          the service; `--check` is its health check
    bytecode/...         every module compiled, as a build would do it
    lib/site-packages/   what the service imports, then the largest installed packages, until the tree is large enough
    lib/stdlib/          the interpreter's own library, without its tests

Release 2 compiles a run of modules anew without docstrings, as `python -OO` does: about 5 % of all bytes differ.
Release 3 forgets to ship a module, the oldest way to break a deploy.
"""

import os
import py_compile
import shutil
import signal
import sysconfig
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Final

TREE_BYTES_MIN: Final = 200 * 1024 * 1024
CHANGED_SHARE: Final = 0.05
"""Of the bytes of release 1, how many are compiled anew for release 2."""
NOT_SHIPPED: Final = frozenset({"__pycache__", "test", "tests", "site-packages", "idlelib", "lib2to3", "turtledemo"})
COMPILE_BATCH: Final = 64
"""Modules a worker compiles between two words to us."""
IMPORTED: Final = ("h11", "idna", "sniffio", "sortedcontainers")
"""What the service imports, directly or not."""

_APP = '''\
"""The service of the demo. `--check` is its health check: are the libraries it is shipped with whole?"""

import sys
from importlib import import_module
from pathlib import Path

LIBRARY = Path(__file__).resolve().parent.parent / "lib"
sys.path[:] = [str(LIBRARY / "site-packages"), *sys.path, str(LIBRARY / "stdlib")]

for name in {modules!r}:
    found = Path(import_module(name).__file__)
    if not found.is_relative_to(LIBRARY):
        sys.exit(f"{{name}} comes from {{found}}, not from this release")
print("release {version} is healthy")
'''


@dataclass(frozen=True)
class Tree:
    """A release's files on disk."""

    path: Path
    files: int
    total_bytes: int


def build(path: Path, bytes_min: int = TREE_BYTES_MIN, progress: Callable[[str], None] = lambda _: None) -> Tree:
    """Release 1. ValueError when this machine has less than `bytes_min` to offer."""
    progress("copying the interpreter's library")
    copy_tree(Path(sysconfig.get_path("stdlib")), path / "lib" / "stdlib")
    compile_tree(path, path / "lib" / "stdlib", optimize=0, progress=progress)
    total = measure(path).total_bytes
    for package in candidates(Path(sysconfig.get_path("platlib"))):
        if total >= bytes_min and package.name not in IMPORTED:
            break
        target = path / "lib" / "site-packages" / package.name
        copy_tree(package, target)
        compile_tree(path, target, optimize=0, progress=progress)
        total += measure(target).total_bytes
        progress(f"copying installed packages, {total // 2**20} MiB")
    else:
        raise ValueError(f"only {total} bytes of packages are installed here, {bytes_min} needed")
    write_app(path, "1", IMPORTED)
    return measure(path)


def rebuild(old: Tree, path: Path, share: float = CHANGED_SHARE) -> Tree:
    """Release 2: release 1 with a run of its modules compiled without docstrings."""
    clone(old.path, path)
    changed_bytes = 0
    for compiled in sorted((path / "bytecode").rglob("*.pyc")):
        if changed_bytes >= share * old.total_bytes:
            break
        source = path / compiled.relative_to(path / "bytecode").with_suffix(".py")
        compile_file(path, source, optimize=2)
        changed_bytes += compiled.stat().st_size
    write_app(path, "2", IMPORTED)
    return measure(path)


def spoil(old: Tree, path: Path) -> Tree:
    """Release 3: a module that the service needs was forgotten."""
    clone(old.path, path)
    write_app(path, "3", (*IMPORTED, "module_that_was_not_shipped"))
    return measure(path)


def measure(path: Path) -> Tree:
    """How much there is below `path`, or how large the file `path` is."""
    sizes = [file.stat().st_size for file in files(path)]
    return Tree(path, len(sizes), sum(sizes))


def files(path: Path) -> Iterator[Path]:
    """All regular files at or below `path`."""
    if path.is_file():
        yield path
    for directory, _, names in os.walk(path):
        yield from (file for name in names if (file := Path(directory, name)).is_file() and not file.is_symlink())


def candidates(directory: Path) -> list[Path]:
    """What is installed there: what the service needs first, then the largest, so that the tree has few files."""
    entries = (entry for entry in directory.iterdir() if shippable(entry.name))
    return sorted(entries, key=lambda entry: (entry.name not in IMPORTED, -measure(entry).total_bytes, entry.name))


def shippable(name: str) -> bool:
    """Does a release hold files of this name? Not what the machine itself made or only its makers need."""
    return name not in NOT_SHIPPED and not name.startswith(("config-", "__editable__")) and not name.endswith(".pyc")


def copy_tree(source: Path, target: Path) -> None:
    """Copy a package or a single module, with modes and times."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_file():
        shutil.copy2(source, target)
    else:
        shutil.copytree(source, target, symlinks=True, ignore=_left_out)


def _left_out(directory: str, names: list[str]) -> list[str]:
    links = {name for name in names if os.path.islink(path := os.path.join(directory, name)) and _leads_out(path)}
    return [name for name in names if name in links or not shippable(name)]


def _leads_out(link: str) -> bool:
    """To a place that only this machine has: Debian's library has such a link to its own site's customisation."""
    return os.path.isabs(os.readlink(link))


def clone(source: Path, target: Path) -> None:
    """The same tree by hard links; whoever changes a file of it must replace the file."""
    shutil.copytree(source, target, symlinks=True, copy_function=os.link)


def compile_tree(root: Path, source: Path, *, optimize: int, progress: Callable[[str], None]) -> None:
    """Compile all modules below `source`, on all cores when there are many."""
    modules = sorted(file for file in files(source) if file.suffix == ".py")
    batches = [modules[start : start + COMPILE_BATCH] for start in range(0, len(modules), COMPILE_BATCH)]
    if len(batches) <= 1:
        compile_batch(root, modules, optimize)
        return
    with ProcessPoolExecutor(mp_context=get_context("spawn"), initializer=_ignore_interrupts) as pool:
        work = [pool.submit(compile_batch, root, batch, optimize) for batch in batches]
        try:
            for number, job in enumerate(work, start=1):
                job.result()
                progress(f"compiling {source.name}, {number * 100 // len(work)} %")
        finally:
            pool.shutdown(cancel_futures=True)


def _ignore_interrupts() -> None:
    """Ctrl-C goes to everyone at the terminal; only the demo itself answers it, after the batch."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def compile_batch(root: Path, modules: list[Path], optimize: int) -> None:
    """Compile some modules in this process."""
    for module in modules:
        compile_file(root, module, optimize=optimize)


def compile_file(root: Path, source: Path, *, optimize: int) -> None:
    """Bytecode of one module, at the same path below `bytecode`, in a new file. What does not compile is left out.

    Checked by nobody at run time (PEP 552), so that the same source gives the same bytes everywhere.
    """
    name = source.relative_to(root)
    target = root / "bytecode" / name.with_suffix(".pyc")
    target.unlink(missing_ok=True)
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(str(source), str(target), str(name), optimize=optimize, invalidation_mode=mode, quiet=2)


def write_app(path: Path, version: str, modules: tuple[str, ...]) -> None:
    """The service itself."""
    program = path / "app" / "main.py"
    program.parent.mkdir(exist_ok=True)
    program.unlink(missing_ok=True)
    program.write_text(_APP.format(modules=modules, version=version), encoding="utf-8")
