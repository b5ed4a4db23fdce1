"""The systemd units are what they say: sandboxed, and running commands that exist."""

import configparser
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.house.source import ROOT, plant, project

UNITS = sorted((ROOT / "packaging" / "systemd").glob("*.service"))
SANDBOX = {
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "CapabilityBoundingSet": "",
    "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX",
}
LIMITS = {"MemoryMax", "LimitNOFILE", "TasksMax", "StateDirectory", "SystemCallFilter"}


def service(unit: Path) -> dict[str, str]:
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=["="])
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # systemd's keys are case-sensitive
    parser.read(unit, encoding="utf-8")
    return dict(parser["Service"])


def complaints(unit: Path) -> str:
    """What systemd itself finds wrong with a unit; empty where there is no systemd to ask."""
    if shutil.which("systemd-analyze") is None:
        return ""
    command = ["systemd-analyze", "verify", "--man=no", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return "".join(line for line in done.stderr.splitlines() if unit.name in line)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_it_is_sandboxed(unit: Path) -> None:
    settings = service(unit)
    assert {key: settings.get(key) for key in SANDBOX} == SANDBOX
    assert set(settings) >= LIMITS


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_it_runs_as_nobody_special(unit: Path) -> None:
    settings = service(unit)
    assert settings.get("DynamicUser") == "yes" or settings.get("User") not in (None, "root")


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_it_starts_a_command_of_ours(unit: Path) -> None:
    assert unit.stem in project()["project"]["scripts"]
    assert service(unit)["ExecStart"].split()[1] == unit.stem


def test_there_is_one_for_each_service() -> None:
    assert {unit.stem for unit in UNITS} == {"p2pd", "p2p-tracker", "p2p-seeder"}


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_has_nothing_against_it(unit: Path) -> None:
    assert complaints(unit) == ""


def test_what_systemd_would_refuse_is_found(tmp_path: Path) -> None:
    unit = plant(tmp_path, "bad.service", "[Service]\nExecStart=/usr/bin/env p2pd\nProtectSystem=perhaps\n")
    assert complaints(unit) or shutil.which("systemd-analyze") is None
