"""How services do: the newest word counts, and the counts always agree with the words."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from p2pd.wire.announce import ServiceReport
from tracker.reports import Group, Reports, Unsent

from .nodes import report


def groups(reports: Reports, service: str = "web") -> dict[tuple[str, bool], int]:
    return {(group.state, group.stale): hosts for group, hosts, _ in reports.groups(service)}


def test_the_newest_word_of_a_host_counts() -> None:
    reports = Reports(10)
    reports.put(report("a", "DOWNLOADING"), "a")
    reports.put(report("a", "VERIFIED"), "a")
    assert groups(reports) == {("VERIFIED", False): 1}


def test_each_service_is_counted_apart() -> None:
    reports = Reports(10)
    reports.put(report("a", service="web"), "a")
    reports.put(report("a", service="db"), "a")
    assert (reports.services(), groups(reports, "db")) == (["db", "web"], {("VERIFIED", False): 1})


def test_progress_is_the_mean() -> None:
    reports = Reports(10)
    reports.put(report("a", "DOWNLOADING", progress=0.25), "a")
    reports.put(report("b", "DOWNLOADING", progress=0.75), "b")
    [(_, hosts, progress)] = reports.groups("web")
    assert (hosts, round(progress, 3)) == (2, 0.5)


def test_what_was_last_known_of_a_silent_source_is_kept_as_stale() -> None:
    reports = Reports(10)
    reports.put(report("a"), "tracker-eu")
    reports.put(report("b"), "b")
    changed = reports.expire("tracker-eu")
    assert ([one.node for one in changed], groups(reports)) == (["a"], {("VERIFIED", True): 1, ("VERIFIED", False): 1})


def test_a_host_that_is_heard_again_is_fresh() -> None:
    reports = Reports(10)
    reports.put(report("a"), "a")
    reports.expire("a")
    reports.put(report("a"), "a")
    assert groups(reports) == {("VERIFIED", False): 1}


def test_a_host_that_moved_to_another_tracker_does_not_turn_stale_with_the_former() -> None:
    reports = Reports(10)
    reports.put(report("a"), "tracker-eu")
    reports.put(report("a"), "tracker-us")
    assert reports.expire("tracker-eu") == []


def test_stale_words_make_room_for_news() -> None:
    reports = Reports(2)
    reports.put(report("a"), "a")
    reports.put(report("b"), "b")
    reports.expire("a")
    assert reports.put(report("c"), "c")
    assert [one.node for one in reports.hosts("web")] == ["b", "c"]


def test_what_there_is_no_room_for_is_dropped_and_counted() -> None:
    reports = Reports(1)
    reports.put(report("a"), "a")
    assert (reports.put(report("b"), "b"), reports.dropped, len(reports)) == (False, 1, 1)


def test_hosts_in_trouble_are_known() -> None:
    reports = Reports(10)
    for name, state in (("a", "FAILED"), ("b", "VERIFIED"), ("c", "BLOCKED"), ("d", "FAILED")):
        reports.put(report(name, state), name)
    reports.put(report("d", "VERIFIED"), "d")
    assert [one.node for one in reports.troubled("web")] == ["a", "c"]


STEPS = st.tuples(
    st.sampled_from("abcd"),
    st.sampled_from(["web", "db"]),
    st.sampled_from(["DOWNLOADING", "VERIFIED", "FAILED"]),
    st.sampled_from([0.0, 0.3, 1.0]),
    st.booleans(),
)


@given(st.lists(STEPS, max_size=60), st.integers(1, 8))
def test_counts_agree_with_the_words_whatever_happens(
    steps: list[tuple[str, str, str, float, bool]], room: int
) -> None:
    reports = Reports(room)
    for name, service, state, progress, expires in steps:
        if expires:
            reports.expire(name)
        else:
            reports.put(report(name, state, service=service, progress=progress), name)
    for service in ("web", "db"):
        told = Counter(map(_group, reports.hosts(service)))
        assert {group: hosts for group, hosts, _ in reports.groups(service)} == told
        assert {one.node for one in reports.troubled(service)} == {
            one.node for one in reports.hosts(service) if one.state == "FAILED"
        }


def _group(one: ServiceReport) -> Group:
    return Group(one.region, one.state, one.running_release, one.goal_release, one.goal_revision, one.stale)


def test_upstream_is_told_only_the_newest_word_of_each() -> None:
    unsent = Unsent()
    for one in (report("a", "DOWNLOADING"), report("b"), report("a", "VERIFIED")):
        unsent.put(one)
    assert [(one.node, one.state) for one in unsent.take(10)] == [("a", "VERIFIED"), ("b", "VERIFIED")]


def test_upstream_is_told_in_batches() -> None:
    unsent = Unsent()
    for number in range(5):
        unsent.put(report(f"n{number}"))
    assert [len(unsent.take(3)), len(unsent.take(3)), len(unsent.take(3))] == [3, 2, 0]
