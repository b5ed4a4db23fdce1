"""What a person may type as a pair."""

import pytest

from benchmarks.delta.packages import latest_two
from benchmarks.delta.pairs import BadPairError, Pair, parse_pairs


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("wheel:numpy", Pair("wheel", "numpy")),
        ("wheel:duckdb==1.3.1..1.3.2", Pair("wheel", "duckdb", "1.3.1", "1.3.2")),
        ("npm:esbuild@0.25.0..0.25.1", Pair("npm", "esbuild", "0.25.0", "0.25.1")),
        ("npm:@esbuild/linux-x64@0.25.0..0.25.1", Pair("npm", "@esbuild/linux-x64", "0.25.0", "0.25.1")),
        ("npm:@esbuild/linux-x64", Pair("npm", "@esbuild/linux-x64")),
        ("kernel", Pair("kernel")),
        ("kernel:linux-image-1..linux-image-2", Pair("kernel", "", "linux-image-1", "linux-image-2")),
        ("deb:nginx..nginx-extras", Pair("deb", "", "nginx", "nginx-extras")),
        ("path:a/b.img..c/d.img", Pair("path", "", "a/b.img", "c/d.img")),
        ("os:small", Pair("os", "small", jump="months", format="tar")),
        ("os:server@weekly/erofs", Pair("os", "server", jump="weekly", format="erofs")),
        ("os:openssh-server+nginx/ext4", Pair("os", "openssh-server+nginx", jump="months", format="ext4")),
    ],
)
def test_a_pair_is_understood(text: str, pair: Pair) -> None:
    assert parse_pairs(text) == [pair]


def test_all_formats_are_four_pairs() -> None:
    assert [pair.format for pair in parse_pairs("os:small/all")] == ["tar", "ext4", "erofs", "squashfs"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("numpy", "begins with none of wheel"),
        ("wheel:", "which package"),
        ("wheel:numpy==1..", "expected OLD..NEW"),
        ("path:a", "expected OLD..NEW"),
        ("os:small/vfat", "the format is one of tar"),
        ("os:small@yearly", "the jump is one of months"),
        ("os:", "which packages"),
    ],
)
def test_what_is_no_pair_is_said_with_what_would_be(text: str, words: str) -> None:
    with pytest.raises(BadPairError, match=words):
        parse_pairs(text)


@pytest.mark.parametrize(
    ("known", "two"),
    [
        (["1.9.0", "1.10.0", "1.10.1"], ("1.10.0", "1.10.1")),
        (["1.3.1", "1.3.2", "1.4.0"], ("1.3.1", "1.3.2")),
        (["1.3.1", "1.3.2", "1.4.0rc1"], ("1.3.1", "1.3.2")),
        (["1.0", "2.0"], ("1.0", "2.0")),
    ],
)
def test_the_newest_two_that_differ_in_the_patch_level_are_found(known: list[str], two: tuple[str, str]) -> None:
    assert latest_two("x", known) == two


def test_one_release_is_no_pair() -> None:
    with pytest.raises(BadPairError, match="fewer than two"):
        latest_two("x", ["1.0"])
