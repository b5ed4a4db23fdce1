"""Where a machine is, by what the kernel and NetworkManager say of it."""

from pathlib import Path

import pytest

from p2pd.policy.citizenship import Here
from p2pd.world import surroundings


def supply(power: Path, name: str, kind: str, online: str) -> None:
    """As the kernel shows it."""
    (power / name).mkdir()
    (power / name / "type").write_text(f"{kind}\n")
    (power / name / "online").write_text(f"{online}\n")


def test_a_machine_whose_mains_are_off_runs_on_battery(tmp_path: Path) -> None:
    supply(tmp_path, "AC", "Mains", "0")
    supply(tmp_path, "BAT0", "Battery", "1")
    assert surroundings.on_battery(tmp_path)


def test_one_source_of_power_is_enough(tmp_path: Path) -> None:
    supply(tmp_path, "AC", "Mains", "0")
    supply(tmp_path, "ucsi", "USB", "1")
    assert not surroundings.on_battery(tmp_path)


def test_a_machine_without_a_battery_is_not_on_battery(tmp_path: Path) -> None:
    assert not surroundings.on_battery(tmp_path)
    assert not surroundings.on_battery(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("said", "metered"), [("yes", True), ("yes (guessed)", True), ("no", False), ("unknown", False)]
)
def test_a_network_is_metered_when_network_manager_says_so(
    said: str, metered: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "nmcli"
    told.write_text(f'#!/bin/sh\n[ "$5" = wlan0 ] && echo "{said}"\n')
    told.chmod(0o755)
    routes = tmp_path / "route"
    routes.write_text("Iface\tDestination\tGateway\nwlan0\t00000000\t0101A8C0\n")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(surroundings, "ROUTES", routes)
    monkeypatch.setattr(surroundings, "POWER", tmp_path / "none")
    assert surroundings.look() == Here(metered=metered)


def test_without_network_manager_nothing_is_metered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not surroundings.look().metered
