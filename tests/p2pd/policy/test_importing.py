"""Which pieces fall to whom."""

from p2pd.policy.importing import BUCKETS, STEP_S_MAX, STEP_S_MIN, own_share, pieces_of, places, step_s

NODES = [f"node-{number}" for number in range(6)]


def first_for(nodes: list[str]) -> list[str]:
    """Whom each bucket falls to."""
    table = {node: places(node, [other for other in nodes if other != node]) for node in nodes}
    return [next(node for node in nodes if table[node][bucket] == 0) for bucket in range(BUCKETS)]


def test_each_bucket_has_one_order_that_all_agree_on() -> None:
    table = [places(node, [other for other in NODES if other != node]) for node in NODES]
    assert all(sorted(column) == list(range(6)) for column in zip(*table, strict=True))


def test_the_shares_of_six_differ_by_no_more_than_a_third_of_one() -> None:
    counts = [first_for(NODES).count(node) for node in NODES]
    assert max(counts) - min(counts) <= BUCKETS / 6 / 3


def test_when_a_node_goes_only_what_fell_to_it_falls_to_others_and_to_several() -> None:
    before, after = first_for(NODES), first_for(NODES[1:])
    moved = [new for old, new in zip(before, after, strict=True) if old != new]
    assert len(moved) == before.count("node-0")
    assert set(moved) == set(NODES[1:])


def test_a_bucket_is_every_256th_piece_of_the_release() -> None:
    assert pieces_of([bucket == 3 for bucket in range(BUCKETS)], 600) == 1 << 3 | 1 << 259 | 1 << 515


def test_no_piece_beyond_the_last_falls_to_anybody() -> None:
    assert pieces_of([True] * BUCKETS, 300) == (1 << 300) - 1


def test_behind_a_slow_link_waiting_for_a_piece_is_no_sign_of_anything() -> None:
    assert step_s(0.01, budget_left=True) == STEP_S_MIN
    assert step_s(2.0, budget_left=True) == 6.0
    assert step_s(60.0, budget_left=True) == STEP_S_MAX


def test_who_used_its_share_of_the_budget_waits_longest() -> None:
    assert own_share(1.5, 100, 5) == 10.0
    assert step_s(0.01, budget_left=False) == STEP_S_MAX
