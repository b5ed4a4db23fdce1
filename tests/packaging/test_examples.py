"""The example configurations are loaded by the very classes that the services use."""

from pathlib import Path
from typing import Any

import pytest

from p2pd.config import Config
from p2pd.settings import SettingsError, load
from seeder.config import SeederConfig
from tests.house.source import ROOT, plant
from tracker.config import TrackerConfig

EXAMPLES = ROOT / "packaging" / "examples"
CLASSES: dict[str, type[Any]] = {
    "p2pd.toml": Config,
    "seeder.toml": SeederConfig,
    "tracker-global.toml": TrackerConfig,
    "tracker-region.toml": TrackerConfig,
}


def read(cls: type[Any], path: Path) -> Any:
    return load(cls, path=str(path), environment={}, prefix="X", overrides={})


def test_each_example_has_its_class() -> None:
    assert {path.name for path in EXAMPLES.glob("*.toml")} == set(CLASSES)


@pytest.mark.parametrize("name", CLASSES)
def test_it_loads(name: str) -> None:
    assert read(CLASSES[name], EXAMPLES / name).fleet == "example"


@pytest.mark.parametrize("name", CLASSES)
def test_a_misspelt_key_in_it_would_be_named(name: str, tmp_path: Path) -> None:
    text = (EXAMPLES / name).read_text(encoding="utf-8").replace("fleet =", "flet =")
    with pytest.raises(SettingsError, match="did you mean 'fleet'"):
        read(CLASSES[name], plant(tmp_path, name, text))
