"""What the process of `building` does: mypyc writes C, the C compiler a library and a stub for each module.

python -P recipe.py LIBRARY MADE SCRATCH OPT_LEVEL FILE...      (from the folder that the files are in)
"""

import sys
from pathlib import Path
from typing import Final

SETTINGS: Final = """\
[mypy]
follow_imports = skip
ignore_missing_imports = True
[mypy-msgspec.*,{known}]
follow_imports = normal
"""
"""The compiler knows nothing of modules that are not in the digest, which is of all that lie here; msgspec it must know
for a kind of class apart."""

QUICKER: Final = "-Wno-misleading-indentation"
"""That warning (in Python's own flags, by -Wall) took gcc 45 of 57 seconds on one generated file of 58 MB."""


def main(library: str, made: str, scratch: str, opt_level: str, *files: str) -> None:
    """Leave the modules in `made`."""
    from mypyc.build import mypycify
    from setuptools import setup

    Path(scratch).mkdir()
    settings = Path(scratch) / "mypy.ini"
    settings.write_text(SETTINGS.format(known=",".join(sorted(_modules(Path())))))
    modules = mypycify(
        [f"--config-file={settings}", f"--cache-dir={scratch}/mypy", *files],
        opt_level=opt_level,
        debug_level="0",
        target_dir=f"{scratch}/c",
        group_name=library.removesuffix("__mypyc"),
    )
    for module in modules:
        module.extra_compile_args.append(QUICKER)
    setup(
        name=library,
        packages=[],
        py_modules=[],
        ext_modules=modules,
        script_args=["--quiet", "build_ext", f"--build-lib={made}", f"--build-temp={scratch}/o"],
    )


def _modules(here: Path) -> list[str]:
    names = (file.with_suffix("").parts for file in here.rglob("*.py"))
    return [".".join(parts[:-1] if parts[-1] == "__init__" else parts) for parts in names]


if __name__ == "__main__":
    main(*sys.argv[1:])
