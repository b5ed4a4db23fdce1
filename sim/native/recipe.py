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
[mypy-msgspec.*,p2pd,p2pd.policy,p2pd.swarm,p2pd.wire.*,sim,sim.quick]
follow_imports = normal
"""
"""The compiler knows nothing of modules that are not in the digest; msgspec it must know for a kind of class apart."""


def main(library: str, made: str, scratch: str, opt_level: str, *files: str) -> None:
    """Leave the modules in `made`."""
    from mypyc.build import mypycify
    from setuptools import setup

    Path(scratch).mkdir()
    settings = Path(scratch) / "mypy.ini"
    settings.write_text(SETTINGS)
    modules = mypycify(
        [f"--config-file={settings}", f"--cache-dir={scratch}/mypy", *files],
        opt_level=opt_level,
        debug_level="0",
        target_dir=f"{scratch}/c",
        group_name=library.removesuffix("__mypyc"),
    )
    setup(
        name="brains",
        packages=[],
        py_modules=[],
        ext_modules=modules,
        script_args=["--quiet", "build_ext", f"--build-lib={made}", f"--build-temp={scratch}/o"],
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
