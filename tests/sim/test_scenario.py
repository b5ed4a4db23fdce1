"""Scenarios say what is wrong with them."""

import tomllib

import pytest

import sim
from sim.reading import quantity
from sim.scenario import built_in, changed, load, load_table, setting

SMALL = """
name = "small"
engine = "scale"
[content]
size_bytes = "64 MiB"
chunk_bytes = "1 MiB"
[hosts]
count = 20
uplink_bytes_per_s = "1 Gbit/s"
downlink_bytes_per_s = "2 Gbit/s"
[origin]
uplink_bytes_per_s = "1 Gbit/s"
"""


def small(key: str, value: object) -> sim.Scenario:
    return sim.parse(changed(tomllib.loads(SMALL), key, value))


@pytest.mark.parametrize("name", built_in())
def test_every_built_in_scenario_can_be_read_and_bears_its_files_name(name: str) -> None:
    scenario = load(name)
    assert scenario.name == name
    assert scenario.about


def test_the_scenarios_that_engineers_were_promised_are_there() -> None:
    promised = {"code-deploy-10gb-100k", "os-rollout-500m", "flash-crowd", "office-lan", "region-cut-off"}
    assert promised | {"tracker-outage"} <= set(built_in())


@pytest.mark.parametrize(
    "key, text, value",
    [
        ("x_bytes", "4 MiB", 4 * 1024**2),
        ("x_bytes", "10 GB", 1e10),
        ("x_s", "90 min", 5400.0),
        ("x_s", 2, 2.0),
        ("x_bytes_per_s", "10 Gbit/s", 1.25e9),
        ("x_bytes_per_s", "300 MB/s", 3e8),
        ("x_bytes_per_s", "unlimited", float("inf")),
    ],
)
def test_units_are_understood(key: str, text: object, value: float) -> None:
    assert quantity(key, text) == value


@pytest.mark.parametrize(
    "key, value, message",
    [
        ("hosts.cuont", 5, r"hosts\.cuont: unknown key; did you mean 'count'\?"),
        ("hosst.count", 5, r"hosst: unknown key; did you mean 'hosts'\?"),
        ("hosts.count", "many", r"hosts\.count: 'many' is not a whole number"),
        ("hosts.count", True, r"hosts\.count: True is not a whole number"),
        ("hosts.uplink_bytes_per_s", "fast", r"hosts\.uplink_bytes_per_s: 'fast' is not a rate; .* '10 Gbit/s'"),
        ("hosts.uplink_bytes_per_s", "3 parsec/s", r"unknown unit 'parsec/s'"),
        ("hosts.count", 0, r"hosts\.count is 0; it must be from 1"),
        ("origin.uplink_bytes_per_s", 0, r"nobody has the content"),
        ("engine", "warp", r"no engine 'warp' here; there are .*scale"),
        ("regions", 3, r"regions: 3 is not a table"),
        ("regions.cuts", [{"region": 4, "from_s": 0, "until_s": 1}], r"regions\.cuts: region is 4"),
        ("rng_seed", "x", r"rng_seed: 'x' is not a whole number"),
    ],
)
def test_a_wrong_scenario_names_the_key_and_what_would_do(key: str, value: object, message: str) -> None:
    with pytest.raises(sim.ScenarioError, match=message):
        small(key, value)


def test_a_missing_key_is_named() -> None:
    table = tomllib.loads(SMALL)
    del table["hosts"]["count"]
    with pytest.raises(sim.ScenarioError, match=r"hosts\.count is missing"):
        sim.parse(table)


def test_an_unknown_scenario_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(sim.ScenarioError, match="did you mean 'flash-crowd'"):
        load("flash-croud")


def test_shares_that_do_not_add_up_are_refused() -> None:
    table = load_table("os-rollout-500m")
    with pytest.raises(sim.ScenarioError, match=r"lans: shares add up to 0\.5"):
        sim.parse(changed(table, "lans", [{"size": 1, "share": 0.5}]))


def test_a_value_from_the_command_line_is_toml_or_else_text() -> None:
    assert [setting(text) for text in ("3", "true", "4 MiB", '"x"', "[1, 2]")] == [3, True, "4 MiB", "x", [1, 2]]


def test_changing_a_setting_leaves_the_original_alone() -> None:
    table = tomllib.loads(SMALL)
    assert changed(table, "policy.degree", 8)["policy"] == {"degree": 8}
    assert "policy" not in table
