"""Settings: who wins over whom, and what a refusal says."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from p2pd.settings import SettingsError, load


@dataclass(frozen=True)
class Service:
    root: str
    restart: tuple[str, ...] = ()
    keep_releases: int = 2


@dataclass(frozen=True)
class Limits:
    cache_bytes: int = 0
    timeout_s: float = 1.0
    upload_bytes_per_s: int = 0


@dataclass(frozen=True)
class Sample:
    listen: str = "127.0.0.1:0"
    peers_max: int = 32
    ratio: float = 0.5
    metered: bool = False
    trackers: tuple[str, ...] = ()
    node: str | None = None
    cache_bytes: int = 0
    poll_s: float = 10.0
    limits: Limits = field(default_factory=Limits)
    services: dict[str, Service] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.peers_max < 1:
            raise ValueError("peers_max must be at least 1")


@pytest.fixture
def toml(tmp_path: Path) -> Any:
    def write(text: str) -> str:
        path = tmp_path / "p2pd.toml"
        path.write_text(text)
        return str(path)

    return write


def read(path: str | None = None, environment: dict[str, str] | None = None, **overrides: object) -> Sample:
    return load(Sample, path=path, environment=environment or {}, prefix="P2PD", overrides=overrides)


def test_without_any_source_the_defaults_hold() -> None:
    assert read() == Sample()


def test_the_file_wins_over_the_default(toml: Any) -> None:
    assert read(toml('listen = "[::1]:5"')).listen == "[::1]:5"


def test_the_environment_wins_over_the_file(toml: Any) -> None:
    assert read(toml("peers_max = 4"), {"P2PD_PEERS_MAX": "5"}).peers_max == 5


def test_a_flag_wins_over_the_environment(toml: Any) -> None:
    assert read(toml("peers_max = 4"), {"P2PD_PEERS_MAX": "5"}, peers_max=6).peers_max == 6


def test_a_flag_of_none_is_not_given() -> None:
    assert read(environment={"P2PD_PEERS_MAX": "5"}, peers_max=None).peers_max == 5


def test_a_prefix_with_its_underscore_is_the_same_prefix() -> None:
    assert load(Sample, path=None, environment={"X_LISTEN": "a:1"}, prefix="X_", overrides={}).listen == "a:1"


def test_tables_become_dataclasses(toml: Any) -> None:
    sample = read(toml('[services.web]\nroot = "/srv"\nrestart = ["systemctl", "restart"]\n[limits]\ncache_bytes = 7'))
    assert sample.services == {"web": Service("/srv", ("systemctl", "restart"))}
    assert sample.limits.cache_bytes == 7


@pytest.mark.parametrize(
    ("text", "expected"),
    [("64 MiB", 64 << 20), ("64MB", 64_000_000), ("1.5 KiB", 1536), ("12", 12), ("2 gib", 2 << 30), ("1 Q", None)],
)
def test_bytes_take_units(text: str, expected: int | None) -> None:
    if expected is None:
        with pytest.raises(SettingsError, match="64 MiB"):
            read(cache_bytes=text)
    else:
        assert read(cache_bytes=text).cache_bytes == expected


@pytest.mark.parametrize(("text", "expected"), [("30s", 30.0), ("5 min", 300.0), ("250ms", 0.25), ("2h", 7200.0)])
def test_durations_take_units(text: str, expected: float) -> None:
    assert read(environment={"P2PD_POLL_S": text}).poll_s == expected


def test_rates_take_units_in_nested_tables(toml: Any) -> None:
    assert read(toml('[limits]\nupload_bytes_per_s = "10 MiB/s"')).limits.upload_bytes_per_s == 10 << 20


def test_text_is_no_number_in_a_file_where_no_unit_belongs(toml: Any) -> None:
    with pytest.raises(SettingsError, match="peers_max = '4': expected a whole number"):
        read(toml('peers_max = "4"'))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("listen = 5", "listen = 5: expected a string"),
        ("peers_max = 1.5", "peers_max = 1.5: expected a whole number"),
        ("peers_max = true", "peers_max = True: expected a whole number"),
        ("peers_max = inf", "peers_max = inf: expected a whole number"),
        ("ratio = nan", "ratio = nan: expected a number"),
        ("ratio = []", r"ratio = \[\]: expected a number"),
        ("metered = 1", "metered = 1: expected true or false"),
        ('trackers = "a:1"', "trackers = 'a:1': expected a list of strings"),
        ("trackers = [1]", r"trackers = \[1\]: expected a list of strings"),
        ("limits = 3", "limits = 3: expected a table"),
        ("services = 3", "services = 3: expected a table"),
        ('cache_bytes = "many"', "cache_bytes = 'many': expected a number or text such as \"64 MiB\""),
        ("services.web.keep_releases = 'x'", "services.web.keep_releases = 'x': expected a whole number"),
    ],
)
def test_a_wrong_type_is_named_with_its_key_and_value(toml: Any, line: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message) as raised:
        read(toml(line))
    assert "p2pd.toml" in str(raised.value)


def test_an_unknown_key_is_named_with_the_file_and_the_nearest(toml: Any) -> None:
    with pytest.raises(SettingsError, match=r"p2pd\.toml: unknown key 'lisen'; did you mean 'listen'\?"):
        read(toml('lisen = "a:1"'))


def test_an_unknown_nested_key_is_named_in_full(toml: Any) -> None:
    with pytest.raises(SettingsError, match=r"unknown key 'services\.web\.restrat'; did you mean 'restart'\?"):
        read(toml('[services.web]\nroot = "/srv"\nrestrat = ["x"]'))


def test_an_unknown_key_that_resembles_none_gets_the_list(toml: Any) -> None:
    with pytest.raises(SettingsError, match=r"unknown key 'limits\.qqq'; known: cache_bytes, timeout_s"):
        read(toml("[limits]\nqqq = 1"))


def test_an_unknown_flag_is_refused() -> None:
    with pytest.raises(SettingsError, match="did you mean 'peers_max'"):
        read(peer_max=3)


def test_a_variable_that_looks_like_a_typo_is_refused() -> None:
    with pytest.raises(SettingsError, match="unknown variable P2PD_LISTN; did you mean P2PD_LISTEN"):
        read(environment={"P2PD_LISTN": "a:1"})


def test_a_variable_of_somebody_else_is_left_alone() -> None:
    assert read(environment={"P2PD_SERVICE_HOST": "10.0.0.1", "HOME": "/root"}) == Sample()


def test_a_list_in_the_environment_parts_by_commas() -> None:
    assert read(environment={"P2PD_TRACKERS": "a:1, b:2,"}).trackers == ("a:1", "b:2")


@pytest.mark.parametrize(("text", "expected"), [("true", True), ("0", False), ("Yes", True), ("off", False)])
def test_booleans_in_the_environment(text: str, expected: bool) -> None:
    assert read(environment={"P2PD_METERED": text}).metered is expected


def test_an_optional_value_takes_the_type_within() -> None:
    assert read(node="n1").node == "n1"


def test_a_missing_value_is_named(toml: Any) -> None:
    with pytest.raises(SettingsError, match=r"services\.web\.root must be set"):
        read(toml("[services.web]\nkeep_releases = 1"))


def test_what_the_class_itself_refuses_names_the_file(toml: Any) -> None:
    with pytest.raises(SettingsError, match=r"p2pd\.toml: peers_max must be at least 1"):
        read(toml("peers_max = 0"))


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(SettingsError, match=r"/nowhere/x\.toml: No such file"):
        read("/nowhere/x.toml")


def test_a_file_that_is_not_toml_is_named_with_the_line(toml: Any) -> None:
    with pytest.raises(SettingsError, match=r"not TOML: .*line 1"):
        read(toml("listen = = 2"))
