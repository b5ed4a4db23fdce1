"""The daemon's configuration: what it makes of what is left out, and what it refuses."""

from pathlib import Path
from random import Random
from typing import Any

import pytest

from p2pd.config import ENVIRONMENT_PREFIX, Config, ServiceConfig, node_name
from p2pd.patching.config import PatchingConfig
from p2pd.settings import SettingsError, load
from tests.fakes.disk import MemoryDisk


def test_the_control_socket_lies_in_the_state_directory() -> None:
    assert Config(state_directory="/var/x").control_socket == "/var/x/control.sock"


def test_paths_are_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = Config(state_directory="state", trust_root="root.json")
    assert config.state_directory == f"{tmp_path}/state"
    assert config.control_socket == f"{tmp_path}/state/control.sock"
    assert config.trust_root == f"{tmp_path}/root.json"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"fallback_bytes_max": -1}, "fallback_bytes_max, keep_s and recompressing_bytes_max must not be negative"),
        ({"seeds": ("old.img",)}, "'old.img' must be an absolute path"),
    ],
)
def test_patching_that_can_not_work_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PatchingConfig(**values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"state_directory": ""}, "state_directory must not be empty"),
        ({"listen": "4000"}, "listen: '4000' is not host:port"),
        ({"listen": ""}, "listen: '' is not host:port"),
        ({"listen": "::1:4000"}, "brackets"),
        ({"trackers": ("a:1", "b:99999")}, "trackers: 'b:99999' has no port"),
        ({"advertise": "host"}, "advertise: 'host' is not host:port"),
        ({"origins": ("shield:80",)}, "origins: 'shield:80' is no base URL"),
        ({"peers_max": 0}, "peers_max must be from 1"),
        ({"upload_bytes_per_s": -1}, "upload_bytes_per_s must not be negative"),
        ({"region": ""}, "region = ''"),
        ({"node": "a\nb"}, "node = "),
        ({"control_socket": "/" + "x" * 120}, "control_socket has more than"),
        ({"services": {"Web": ServiceConfig()}}, "services: .*'Web'"),
    ],
)
def test_what_can_not_work_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Config(**values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"root": "relative"}, "absolute"),
        ({"product": "Bad Name"}, "Bad Name"),
        ({"keep_releases": 0}, "keep_releases"),
        ({"pinned": ("a b",)}, "a b"),
        ({"restart_timeout_s": 0.0}, "restart_timeout_s"),
    ],
)
def test_a_service_that_can_not_work_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ServiceConfig(**values)


def test_a_refusal_within_a_file_names_file_and_service(tmp_path: Path) -> None:
    path = tmp_path / "p2pd.toml"
    path.write_text("[services.web]\nkeep_releases = 0\n")
    with pytest.raises(SettingsError, match=r"p2pd\.toml: services\.web: keep_releases"):
        load(Config, path=str(path), environment={}, prefix=ENVIRONMENT_PREFIX, overrides={})


def test_a_service_lies_in_the_data_directory_unless_it_has_a_root() -> None:
    services = {"web": ServiceConfig(), "db": ServiceConfig(root="/opt", product="sql")}
    config = Config(data_directory="/data", services=services)
    assert [config.service_directory(name) for name in services] == ["/data/web", "/opt/db"]
    assert [config.product(name) for name in services] == ["web", "sql"]


def test_a_random_node_name_is_kept() -> None:
    disk, config = MemoryDisk(), Config(state_directory="/state")
    first = node_name(config, disk, Random(1))
    disk.crash()
    assert node_name(config, disk, Random(2)) == first != node_name(config, MemoryDisk(), Random(2))


def test_a_configured_node_name_needs_no_disk() -> None:
    assert node_name(Config(node="h1"), MemoryDisk(), Random(1)) == "h1"
