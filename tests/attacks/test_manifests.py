"""A manifest that both parties were made to sign, built by hand: the host refuses it before it makes a single file."""

from array import array
from typing import Any

import msgpack
import pytest
from trio.testing import MockClock

from manifests.blobs import manifest_path
from manifests.codec import encode
from manifests.digest import manifest_digest
from manifests.limits import MANIFEST_BYTES_MAX
from tests.attacks.siege import Siege, nothing_visible
from tests.fuzz.seeds import unwrapped, wrapped
from tests.manifests.factory import make_manifest
from tests.stories.services import Host


def column(code: str, *values: int) -> bytes:
    return array(code, values).tobytes()


def tree(*paths: str, kinds: bytes | None = None, modes: tuple[int, ...] = (), **more: Any) -> dict[str, Any]:
    """Columns of a tree of these paths, empty files unless said otherwise."""
    count = len(paths)
    return {
        "digests": b"",
        "lengths": b"",
        "paths": list(paths),
        "kinds": kinds if kinds is not None else bytes(count),
        "modes": column("I", *(modes or (0o644,) * count)),
        "mtimes": column("q", *(0,) * count),
        "sizes": column("Q", *(0,) * count),
        "targets": [],
    } | more


def links(**targets: str) -> dict[str, Any]:
    """A tree of symlinks."""
    return tree(*targets, kinds=b"\2" * len(targets), targets=list(targets.values()))


PIECE: dict[str, Any] = {"digests": bytes(32)}
MALICIOUS: dict[str, tuple[dict[str, Any], str]] = {
    "lengths that overflow together": (
        tree("a", digests=bytes(64), lengths=column("I", 2**32 - 1, 2**32 - 1), sizes=column("Q", 2**33 - 2)),
        "longer than",
    ),
    "a size that overflows": (tree("a", **PIECE, lengths=column("I", 1), sizes=column("Q", 2**64 - 1)), "can't have"),
    "sizes that wrap around": (
        tree("a", "b", **PIECE, lengths=column("I", 1), sizes=column("Q", 2**63, 2**63 + 1)), "can't have",
    ),
    "a piece of no length": (tree("a", **PIECE, lengths=column("I", 0)), "piece is empty"),
    "lengths in a broken column": (tree("a", lengths=b"\0\0\0"), "not a row"),
    "fewer digests than lengths": (tree("a", lengths=column("I", 5)), "bytes of digests"),
    "duplicate entries": (tree("a", "a"), "appears twice"),
    "duplicate entries of two kinds": (tree("a", "a", kinds=b"\0\1", modes=(0o644, 0o755)), "appears twice"),
    "a path escape": (tree("../a"), "has the component '..'"),
    "a path escape in the middle": (tree("a/../../b"), "has the component '..'"),
    "an absolute path": (tree("/etc/passwd"), "is absolute"),
    "a path through a file": (tree("a", "a/b"), "lies in no directory"),
    "a path through a symlink": (
        tree("a", "a/b", kinds=b"\2\0", modes=(0o777, 0o644), targets=["/etc"]), "is absolute",
    ),
    "a path through a symlink within": (
        tree("a", "a/b", kinds=b"\2\0", modes=(0o777, 0o644), targets=["c"]), "lies in no directory",
    ),
    "a symlink escape": (links(a="../../etc/passwd"), "leaves the release"),
    "a symlink escape by an absolute target": (links(a="/etc/passwd"), "is absolute"),
    "a symlink escape by a detour": (links(a="b/../../c"), "down and up"),
    "a device node": (tree("a", kinds=b"\3"), "unknown kind 3"),
    "a device node by its mode": (tree("a", modes=(0o020666,)), "setuid, setgid and sticky"),
    "setuid": (tree("a", modes=(0o4755,)), "setuid, setgid and sticky"),
    "setgid": (tree("a", modes=(0o2755,)), "setuid, setgid and sticky"),
    "the same name in other code points": (tree("e\u0301", "\u00e9"), "same name in other code points"),
    "a name that turns the direction of writing": (tree("a\u202etxt.exe"), "control characters"),
    "a name with a line break": (tree("a\nb"), "control characters"),
    "a name with a zero byte": (tree("a\0b"), "control characters"),
    "a name that is too long": (tree("a" * 256), "more than 255 bytes"),
    "a path of a million characters": (tree("a/" * 500_000 + "a"), "longer than 4096 bytes"),
    "more entries than columns": (tree("a", "b", kinds=b"\0"), "differ in length"),
    "another product's name": ({"product": "till"}, "what is signed under this name is till@1"),
    "a sequence that overflows": ({"sequence": 2**63}, "sequence"),
    "an unknown digest": ({"algorithm": "md5"}, "md5"),
    "an unknown format": ({"format": 99}, "format 99 is unknown"),
}  # fmt: skip


async def refusal(siege: Siege, encoded: bytes) -> tuple[Host, str]:
    """Signed by both, deployed: the host, and its reason."""
    siege.publish("shop@0", files={"a": b"a"})
    digest = manifest_digest(encoded)
    siege.store.put(manifest_path(digest), encoded)
    siege.publishing.sign("shop@1", digest, len(encoded))
    siege.refresh_mirror()
    host = await siege.host()
    return host, await siege.refused(host, siege.goal("shop@1"))


def altered(changes: dict[str, Any]) -> bytes:
    """A manifest's bytes with these columns instead."""
    document = msgpack.unpackb(unwrapped(encode(make_manifest(product="shop", version="1"))))
    return wrapped(msgpack.packb({key: changes.get(key, value) for key, value in document.items()}))


@pytest.mark.parametrize("name", MALICIOUS)
async def test_a_malicious_manifest(siege: Siege, autojump_clock: MockClock, name: str) -> None:
    changes, reason = MALICIOUS[name]
    host, said = await refusal(siege, altered(changes))
    assert reason in said
    assert nothing_visible(host)
    assert host.disk.stat("/srv/shop/releases") is None or host.releases() == []


@pytest.mark.parametrize(
    "bomb",
    [
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        b"\xdb\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
        b"\x91" * 50_000,
    ],
    ids=["array", "map", "text", "bytes", "depth"],
)
async def test_a_manifest_that_claims_to_hold_more_than_it_does(
    siege: Siege, autojump_clock: MockClock, bomb: bytes
) -> None:
    host, said = await refusal(siege, wrapped(bomb + b"\0" * 10))
    assert "not a manifest" in said
    assert nothing_visible(host)


async def test_a_manifest_whose_signed_length_is_absurd(siege: Siege, autojump_clock: MockClock) -> None:
    siege.publish("shop@0", files={"a": b"a"})
    siege.publishing.sign("shop@1", bytes(32), MANIFEST_BYTES_MAX + 1)
    siege.refresh_mirror()
    host = await siege.host()
    assert "impossible length" in await siege.refused(host, siege.goal("shop@1"))


async def test_names_that_differ_in_case_only_stay_two_files(siege: Siege, autojump_clock: MockClock) -> None:
    files = {"Makefile": b"one" * 100, "makefile": b"two" * 100}
    siege.publish("shop@1", files=files)
    host = await siege.host()
    await siege.runs(host, "shop@1", siege.goal("shop@1"))
    assert host.files("/srv/shop/current") == files


async def test_nothing_is_written_outside_its_own_directories(siege: Siege, autojump_clock: MockClock) -> None:
    siege.publish("shop@1", files={"d/a": b"a" * 100})
    host = await siege.host()
    before = set(host.disk.list_directory("/"))
    await siege.runs(host, "shop@1", siege.goal("shop@1"))
    state = host.config.state_directory.split("/")[1]
    assert set(host.disk.list_directory("/")) - before <= {"srv", state}
    assert set(host.disk.list_directory("/srv")) == {"shop"}
