"""A network on paper, before anything is built."""

import pytest

from benchmarks.links import Counters, Host, Plan, Site
from benchmarks.links.plan import HEADER_BYTES, QUEUE_BYTES_MIN, read_counters, shape

TWO_LANS = Plan(
    (Host("seed", 50, 50), Host("a", 10, 20, site="lan1"), Host("b", 10, 20, site="lan2")),
    (Site("lan1", 20), Site("lan2", 20)),
)
NAMESPACES = {name: f"space-{name}" for name in ("core", "seed", "a", "b", "lan1", "lan2")}


def test_every_host_has_an_address_of_its_own_in_its_sites_subnet() -> None:
    assert [TWO_LANS.address(host.name) for host in TWO_LANS.hosts] == ["10.77.0.2", "10.77.1.3", "10.77.2.4"]


def test_a_host_hangs_on_its_sites_switch_and_nowhere_else() -> None:
    links = {switch: "\n".join(TWO_LANS.switch_links(switch, NAMESPACES)) for switch in TWO_LANS.switches}
    assert [switch for switch, lines in links.items() if "netns space-a" in lines] == ["lan1"]


def test_both_ends_of_a_sites_link_are_shaped() -> None:
    assert any("dev lan1 " in line and "20mbit" in line for line in TWO_LANS.switch_shapes("core"))
    assert any("dev wan " in line and "20mbit" in line for line in TWO_LANS.switch_shapes("lan1"))


def test_a_host_sends_at_its_uplink_and_is_sent_to_at_its_downlink() -> None:
    a = TWO_LANS.hosts[1]
    assert any("10mbit" in line for line in shape("eth0", a.up_mbit))
    assert any("dev port1" in line and "20mbit" in line for line in TWO_LANS.switch_shapes("lan1"))


def test_sites_reach_each_other_through_their_routers() -> None:
    assert "route add 10.77.2.0/24 via 10.77.0.241" in list(TWO_LANS.switch_links("lan1", NAMESPACES))


def test_a_queue_holds_50_ms_of_its_link() -> None:
    assert any("bfifo limit 312500" in line for line in shape("eth0", 50))


def test_a_queue_holds_a_few_bursts_even_on_a_slow_link() -> None:
    assert any(f"bfifo limit {QUEUE_BYTES_MIN}" in line for line in shape("eth0", 1))


def test_a_link_without_a_rate_is_not_shaped() -> None:
    assert list(shape("eth0", 0)) == []


def test_loss_is_dropped_where_it_arrives() -> None:
    rules = list(TWO_LANS.host_rules(Host("x", loss=0.03)))
    assert rules[-1].endswith('iifname "eth0" numgen random mod 1000 < 30 drop')


@pytest.mark.parametrize(
    "hosts", [(Host("a"), Host("a")), (Host("a", site="nowhere"),), tuple(Host(f"h{n}") for n in range(300))]
)
def test_a_network_that_cannot_be_built_is_refused(hosts: tuple[Host, ...]) -> None:
    with pytest.raises(ValueError):
        Plan(hosts)


def test_counters_are_read_as_the_kernel_prints_them() -> None:
    text = """Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo frame compressed
  eth0: 1234       5    0    0    0     0          0         0    98765       6    0    0    0     0       0
"""
    assert read_counters(text) == {"eth0": Counters(98765, 1234, sent_packets=6, received_packets=5)}


def test_headers_are_not_payload() -> None:
    assert Counters(sent=10_000, sent_packets=10).sent_payload == 10_000 - 10 * HEADER_BYTES
