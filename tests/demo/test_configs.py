"""The demo's configuration files are read by the very classes that the services use."""

from pathlib import Path
from typing import Any

import pytest

from demo import configs
from demo.fleet import write_config
from p2pd.config import Config, ServiceConfig
from p2pd.settings import load
from seeder.config import SeederConfig
from tracker.config import TrackerConfig

HOME = Path("/var/demo")
CASES: list[tuple[type[Any], dict[str, object]]] = [
    (TrackerConfig, configs.global_tracker(HOME, HOME / "ca")),
    (TrackerConfig, configs.regional_tracker(HOME, "127.0.0.1:1", HOME / "token")),
    (SeederConfig, configs.seeder(HOME, "file:///var/demo/store", "127.0.0.1:1", HOME / "token")),
    (Config, configs.daemon(HOME, "host-1", "127.0.0.1:1", HOME / "root.json", HOME / "token")),
]


def read(cls: type[Any], values: dict[str, object], directory: Path) -> Any:
    path = write_config(directory / "home", values)
    return load(cls, path=str(path), environment={}, prefix="X", overrides={})


@pytest.mark.parametrize(("cls", "values"), CASES)
def test_it_loads(cls: type[Any], values: dict[str, object], tmp_path: Path) -> None:
    assert read(cls, values, tmp_path).fleet == configs.FLEET


def test_a_host_runs_the_demo_service(tmp_path: Path) -> None:
    config = read(Config, CASES[3][1], tmp_path)
    assert config.services == {configs.SERVICE: ServiceConfig(product=configs.PRODUCT)}


@pytest.mark.parametrize(("cls", "values"), CASES)
def test_nothing_is_insecure(cls: type[Any], values: dict[str, object], tmp_path: Path) -> None:
    assert not read(cls, values, tmp_path).insecure


@pytest.mark.parametrize(("cls", "values"), CASES)
def test_nothing_listens_beyond_this_machine(cls: type[Any], values: dict[str, object], tmp_path: Path) -> None:
    assert read(cls, values, tmp_path).listen == "127.0.0.1:0"
