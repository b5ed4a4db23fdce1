"""From digest to pieces."""

from hypothesis import given
from hypothesis import strategies as st

from p2pd.store.index import DigestIndex

from .releases import cut, single


@given(st.lists(st.sampled_from([b"a" * 10, b"b" * 10, b"c" * 10, b"d" * 10]), max_size=20))
def test_all_pieces_of_a_digest_are_found(parts: list[bytes]) -> None:
    release = cut(single(10 * len(parts)).manifest.entries, b"".join(parts), is_tree=False, piece_bytes=10)
    index = DigestIndex(release.manifest)
    for piece, part in enumerate(parts):
        expected = [other for other, content in enumerate(parts) if content == part]
        assert list(index.find(release.manifest.digest(piece))) == expected


def test_a_digest_that_shares_its_beginning_is_not_taken_for_another() -> None:
    release = single()
    digest = release.manifest.digest(0)
    assert list(DigestIndex(release.manifest).find(digest[:31] + bytes([digest[31] ^ 1]))) == []
