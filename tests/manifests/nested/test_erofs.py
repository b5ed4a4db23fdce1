"""Which files of an EROFS image lie in two places."""

from hypothesis import given
from hypothesis import strategies as st

from manifests.nested.erofs import Read, SplitFile, split_files
from tests.manifests.delta.makings import noise

from .erofs_images import BLOCK, erofs

FILES = {"large": noise(1, 3 * BLOCK + 100), "small": noise(2, 100), "round": noise(3, 2 * BLOCK)}


def reading(image: bytes) -> Read:
    return lambda offset, length: image[offset : offset + length]


def content(image: bytes, file: SplitFile) -> bytes:
    return image[file.head : file.head + file.head_bytes] + image[file.tail : file.tail + file.tail_bytes]


def test_a_file_whose_end_is_beside_its_inode_is_found() -> None:
    image = erofs(FILES)
    assert [content(image, file) for file in split_files(reading(image))] == [FILES["large"]]


def test_many_files_in_a_directory_are_all_found() -> None:
    files = {f"file{number:03}": noise(number, BLOCK + 1 + number) for number in range(240)}
    image = erofs(files)
    assert {content(image, file) for file in split_files(reading(image))} == set(files.values())


def test_where_ends_stay_with_the_rest_no_file_is_in_two_places() -> None:
    image = erofs(FILES, layout=0)
    assert not list(split_files(reading(image)))


def test_what_is_no_image_has_no_such_files() -> None:
    assert not list(split_files(reading(noise(4, 8 * BLOCK))))
    assert not list(split_files(reading(b"short")))


@given(st.lists(st.tuples(st.integers(0, 6 * BLOCK - 1), st.integers(0, 255)), max_size=30))
def test_a_damaged_image_ends_the_search_and_nothing_else(damage: list[tuple[int, int]]) -> None:
    image = bytearray(erofs(FILES))
    for place, value in damage:
        image[place] = value
    list(split_files(reading(bytes(image))))
