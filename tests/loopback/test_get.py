"""`p2pd get`: one release, without a goal state."""

from pathlib import Path

from tests.loopback.conftest import EDITED, FILE, TREE
from tests.loopback.processes import Process, Site, ask, run


def flags(site: Site, output: Path, seeder: Process | None = None) -> tuple[str, ...]:
    """Where to, whom to trust, what to keep meanwhile, and the seeder's HTTP."""
    origin = ("--origin", f"http://{seeder.ready['http']}") if seeder else ()
    state = ("--state-directory", str(site.directory / "kept"))
    return ("--output", str(output), "--trust-root", site.shop.root, *state, *origin)


def test_a_single_file_comes_from_a_seeder_by_http(site: Site, shield: Process, tmp_path: Path) -> None:
    answer = ask("p2pd", "get", "shop@file", *flags(site, tmp_path / "out", shield))
    assert (tmp_path / "out").read_bytes() == FILE
    assert answer["bytes_by_source"] == {"origin": len(FILE)}


def test_a_deadline_is_kept_where_there_is_time(site: Site, shield: Process, tmp_path: Path) -> None:
    answer = ask("p2pd", "get", "shop@file", *flags(site, tmp_path / "out", shield), "--deadline", "10m")
    assert answer["bytes_by_source"] == {"origin": len(FILE)}


def test_a_deadline_is_a_time(site: Site, shield: Process, tmp_path: Path) -> None:
    done = run("p2pd", "get", "shop@file", *flags(site, tmp_path / "out", shield), "--deadline", "soon")
    assert (done.returncode, "soon" in done.stderr) == (2, True)


def test_a_tree_comes_from_a_seeder_that_the_tracker_names(site: Site, tmp_path: Path) -> None:
    _, tracker = site.trackers()
    site.seeder(tracker)
    where = ("--tracker", tracker, "--identity", site.papers("host", "reader"))
    answer = ask("p2pd", "get", "shop@1", *flags(site, tmp_path / "out"), *where)
    assert {str(path.relative_to(tmp_path / "out")): path.read_bytes() for path in tmp_path.glob("out/*/*")} == TREE
    assert answer["bytes_by_source"] == {"shield": answer["size_bytes"]}


def test_a_release_that_one_party_signed_is_untrusted(site: Site, shield: Process, tmp_path: Path) -> None:
    done = run("p2pd", "get", "shop@half", *flags(site, tmp_path / "out", shield))
    assert done.stderr == "p2pd: shop@half is signed by build only, the release party is missing\n"
    assert (done.returncode, (tmp_path / "out").exists()) == (3, False)


def test_an_output_that_is_there_is_not_touched(site: Site, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    assert run("p2pd", "get", "shop@1", *flags(site, tmp_path / "out")).returncode == 1
    assert (tmp_path / "out").read_text() == "mine"


def test_without_tracker_and_origin_it_says_so_at_once(site: Site, tmp_path: Path) -> None:
    done = run("p2pd", "get", "shop@1", *flags(site, tmp_path / "out"))
    assert done.stderr == "p2pd: nowhere to fetch from: give --tracker, --origin, or both\n"
    assert done.returncode == 2


def test_when_nobody_answers_in_time_that_is_unreachable(site: Site, tmp_path: Path) -> None:
    where = ("--origin", "http://127.0.0.1:1", "--timeout", "1s")
    done = run("p2pd", "get", "shop@1", *flags(site, tmp_path / "out"), *where)
    assert done.returncode == 4
    assert "the same command goes on from it" in done.stderr


def test_a_second_attempt_goes_on_from_the_first(site: Site, tmp_path: Path) -> None:
    lost = sorted(Path(site.shop.store).glob("chunks/*/*"))[:3]
    away = [path.rename(tmp_path / path.name) for path in lost]
    try:
        first = run("p2pd", "get", "shop@1", *flags(site, tmp_path / "out", site.shield()), "--timeout", "4s")
    finally:
        for here, there in zip(away, lost, strict=True):
            here.rename(there)
    seeder = site.shield()
    answer = ask("p2pd", "get", "shop@1", *flags(site, tmp_path / "out", seeder))
    stats = ask("seeder", "stats", "--url", f"http://{seeder.ready['http']}")
    assert first.returncode == 4
    assert answer["size_bytes"] == sum(map(len, TREE.values()))
    assert stats['seeder_served_bytes_total{door="http"}'] < answer["size_bytes"] / 3


def test_what_was_begun_for_one_output_is_not_delivered_to_another(site: Site, tmp_path: Path) -> None:
    chunk = sorted(Path(site.shop.store).glob("chunks/*/*"))[0]
    chunk.rename(tmp_path / "away")
    try:
        run("p2pd", "get", "shop@1", *flags(site, tmp_path / "out", site.shield()), "--timeout", "3s")
    finally:
        (tmp_path / "away").rename(chunk)
    done = run("p2pd", "get", "shop@1", *flags(site, tmp_path / "other", site.shield()))
    assert done.stderr == f"p2pd: shop@1 is already kept at {tmp_path / 'out'}\n"
    assert (done.returncode, (tmp_path / "other").exists()) == (1, False)


def test_a_state_directory_of_the_users_own_outlives_success(site: Site, shield: Process, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "mine").write_text("mine")
    ask("p2pd", "get", "shop@file", *flags(site, tmp_path / "out", shield))
    assert (tmp_path / "kept" / "mine").read_text() == "mine"


def test_nonsense_is_a_matter_of_usage(site: Site, tmp_path: Path) -> None:
    for nonsense in (("--timeout", "soon"), ("--tracker", "nowhere"), ("--origin", "ftp://x")):
        done = run("p2pd", "get", "shop@1", *flags(site, tmp_path / "out"), *nonsense)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr


def test_a_command_that_was_killed_when_all_was_done_comes_to_its_end(
    site: Site, shield: Process, tmp_path: Path
) -> None:
    ask("p2pd", "get", "shop@file", *flags(site, tmp_path / "out", shield))
    # It leaves what one leaves that dies just before it would have cleaned up.
    answer = ask("p2pd", "get", "shop@file", *flags(site, tmp_path / "out", shield))
    assert (tmp_path / "out").read_bytes() == FILE
    assert answer["output"] == str(tmp_path / "out")


def test_with_the_old_file_as_seed_only_the_pack_travels(site: Site, shield: Process, tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(FILE)
    seed = ("--seed", str(tmp_path / "old"))
    answer = ask("p2pd", "get", "shop@edited", *flags(site, tmp_path / "out", shield), *seed)
    assert (tmp_path / "out").read_bytes() == EDITED
    assert answer["full_bytes"] == 0
    assert answer["patched_bytes"] + answer["reused_bytes"] == len(EDITED)
    assert 0 < answer["pack_bytes"] < 0.1 * len(EDITED)


def test_beyond_the_budget_for_raw_chunks_it_waits_and_says_why(site: Site, shield: Process, tmp_path: Path) -> None:
    start = 1_530_000  # in the smallest chunk, so that the rest is still worth its pack
    (tmp_path / "old").write_bytes(FILE[:start] + bytes(5000) + FILE[start + 5000 :])
    seed = ("--seed", str(tmp_path / "old"), "--fallback-max", "1 KiB", "--timeout", "6s")
    done = run("p2pd", "get", "shop@edited", *flags(site, tmp_path / "out", shield), *seed)
    assert (done.returncode, (tmp_path / "out").exists()) == (4, False)
    assert "fallback_bytes_max = 1.0 KiB does not allow" in done.stderr
    answer = ask("p2pd", "get", "shop@edited", *flags(site, tmp_path / "out", shield), *seed[:2])
    assert (tmp_path / "out").read_bytes() == EDITED
    assert answer["fallback_bytes"] == answer["full_bytes"] > 1024


def test_an_image_is_written_over_what_is_there(site: Site, shield: Process, tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(FILE)
    (tmp_path / "partition").write_bytes(bytes(len(EDITED) + 1000))
    _, _, *rest = flags(site, tmp_path / "out", shield)
    ask("p2pd", "get", "shop@edited", "--into", str(tmp_path / "partition"), "--seed", str(tmp_path / "old"), *rest)
    assert (tmp_path / "partition").read_bytes() == EDITED + bytes(1000)


def test_nothing_is_written_over_what_is_not_there(site: Site, tmp_path: Path) -> None:
    _, _, *rest = flags(site, tmp_path / "out")
    done = run("p2pd", "get", "shop@edited", "--into", str(tmp_path / "none"), *rest)
    assert done.returncode == 1
    assert "is not there" in done.stderr
