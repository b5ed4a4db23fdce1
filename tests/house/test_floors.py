"""The floors of the house: who may import whom. import-linter reads its contracts from pyproject.toml."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.source import PACKAGES, ROOT, plant, project

LINTER = project()["tool"]["importlinter"]
BREACHES = {
    "manifests imports a daemon": ("manifests/breach.py", "import p2pd.wire"),
    "a daemon imports the tracker": ("p2pd/breach.py", "import tracker"),
    "the tracker imports the seeder": ("tracker/breach.py", "import seeder"),
    "the seeder imports the tracker": ("seeder/breach.py", "import tracker"),
    "a brain imports trio": ("p2pd/wire/breach.py", "import trio"),
    "a brain imports trio by way of another": ("p2pd/policy/breach.py", "import p2pd.helper"),
    "the wire imports a policy": ("p2pd/wire/breach.py", "import p2pd.policy"),
}


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    program = "import sys; from importlinter.cli import lint_imports_command as run; sys.argv = ['lint-imports', "
    program += "'--no-cache', '--no-logo']; sys.path.insert(0, ''); run()"
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=60, check=False)


def copy_of_the_house(root: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", root)
    for package in LINTER["root_packages"]:
        shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__"))


def test_the_floors_hold() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_package_stands_on_a_floor() -> None:
    ours = {name for name in PACKAGES if (ROOT / name / "__init__.py").exists()} - {"demo"}
    assert ours == set(LINTER["root_packages"])


@pytest.mark.parametrize("breach", BREACHES)
def test_a_breach_of_the_floors_is_found(tmp_path: Path, breach: str) -> None:
    copy_of_the_house(tmp_path)
    path, source = BREACHES[breach]
    plant(tmp_path, "p2pd/helper.py", "import trio")
    plant(tmp_path, path, source)
    done = lint(tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "BROKEN" in done.stdout
