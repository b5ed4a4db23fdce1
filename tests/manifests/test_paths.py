"""Nothing that a release holds may land, or point, outside of it."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.entries import Entry
from manifests.errors import UnsafePathError
from manifests.paths import check_entries, check_path, check_symlink

DIRECTORY = Entry("d", "directory", 0o755)
NAMES = ("a", "b", "..", ".")


@pytest.mark.parametrize(
    "path",
    ["", "/", "/etc/passwd", ".", "..", "../a", "a/../b", "a/..", "a//b", "a/", "./a", "a\0b", "a\nb", "\x7f", "\x85",
     "\udc80", "a\u202eexe.txt", "\u2066a", "a\u2028b", "x" * 256, "ü" * 128, "/".join(["x" * 200] * 21)],
)  # fmt: skip
def test_an_unsafe_path_is_refused(path: str) -> None:
    with pytest.raises(UnsafePathError):
        check_path(path)


@pytest.mark.parametrize("path", ["a", "a/b", "...", "..a", "a b", "größe", "日本", "x" * 255, "-rf", "a\\b"])
def test_an_ordinary_path_is_allowed(path: str) -> None:
    assert check_path(path) == tuple(path.split("/"))


@pytest.mark.parametrize(
    "path, target",
    [("a", ""), ("a", "/etc/passwd"), ("a", ".."), ("a", "../x"), ("d/a", "../../x"), ("d/a", "b/../c"), ("a", "b//c"),
     ("a", "x\0"), ("d/a", "./../../x"), ("a", "b/.."), ("a", "./..")],
)  # fmt: skip
def test_an_unsafe_symlink_is_refused(path: str, target: str) -> None:
    with pytest.raises(UnsafePathError):
        check_symlink(path, target)


@pytest.mark.parametrize(
    "path, target", [("a", "b"), ("a", "./b"), ("d/a", "../b"), ("d/a", ".."), ("d/e/a", "../../x/y")]
)
def test_a_symlink_within_the_release_is_allowed(path: str, target: str) -> None:
    check_symlink(path, target)


def resolve(links: dict[str, str], path: str) -> bool:
    """Does the kernel's walk along `path` stay inside? A loop does, for it ends nowhere."""
    place: list[str] = []
    left, steps = path.split("/"), 0
    while left:
        name, left, steps = left[0], left[1:], steps + 1
        if steps > 100:
            return True
        if name == "..":
            if not place:
                return False
            place.pop()
        elif name != ".":
            target = links.get("/".join([*place, name]))
            if target is None:
                place.append(name)
            else:
                left = [*target.split("/"), *left]
    return True


TARGETS = ["/".join(names) for count in (1, 2, 3) for names in product(NAMES, repeat=count)]


@given(st.dictionaries(st.sampled_from(["a", "b", "d/a", "d/b", "d/e/a", "d/e/b"]), st.sampled_from(TARGETS)))
def test_no_set_of_allowed_symlinks_leads_outside_together(links: dict[str, str]) -> None:
    allowed = {}
    for path, target in links.items():
        try:
            check_symlink(path, target)
        except UnsafePathError:
            continue
        allowed[path] = target
    assert all(resolve(allowed, path) for path in allowed)


@pytest.mark.parametrize(
    "entries, reason",
    [
        ([Entry("a", "file"), Entry("a", "file")], "appears twice"),
        ([Entry("b", "file"), Entry("a", "file")], "out of order"),
        ([DIRECTORY, Entry("d-", "file"), Entry("d/a", "file")], "out of order"),
        ([Entry("d/a", "file")], "lies in no directory"),
        ([Entry("d", "symlink", target="e"), Entry("d/a", "file")], "lies in no directory"),
        ([Entry("a", "file", 0o4755)], "setuid"),
        ([Entry("a", "file", 0o1777)], "sticky"),
        ([Entry("a", "socket")], "only files, directories and symlinks"),
        ([Entry("d", "directory", size=1)], "can't have 1 bytes"),
        ([Entry("a", "file", size=-1)], "can't have -1 bytes"),
        ([Entry("a", "file", target="b")], "can't have a target"),
        ([Entry("a", "file", mtime_ns=2**63)], "out of range"),
        ([Entry("a", "symlink", target="../x")], "leaves the release"),
    ],
)
def test_an_unsafe_tree_is_refused(entries: list[Entry], reason: str) -> None:
    with pytest.raises(UnsafePathError, match=reason):
        check_entries(entries, tree=True)


@pytest.mark.parametrize("entries", [[], [DIRECTORY], [Entry("a", "file"), Entry("b", "file")]])
def test_an_artifact_that_is_no_tree_is_one_file(entries: list[Entry]) -> None:
    with pytest.raises(UnsafePathError, match="exactly one file"):
        check_entries(entries, tree=False)


def test_a_tree_may_be_empty() -> None:
    check_entries([], tree=True)


def test_children_follow_their_directory_even_beside_names_that_sort_before_the_slash() -> None:
    check_entries([DIRECTORY, Entry("d/a", "file"), Entry("d-", "file")], tree=True)
