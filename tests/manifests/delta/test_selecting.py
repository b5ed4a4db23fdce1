"""A device that has not time for all streams opens what saves most, and of the old ones only what that is made from."""

import sys
import zlib

import pytest

from manifests.delta import cutting, selecting
from manifests.delta.opened import Stream
from manifests.nested.recipes import Recipe
from manifests.nested.recreating import Recipes

from .makings import make, noise, text

ALIKE = text(1, 20_000)
CHANGED = ALIKE.replace(b" ", b"!", 1)
STRANGE, OTHER = (noise(seed, 60_000).hex().encode() for seed in (2, 3))


def image(*contents: bytes) -> bytes:
    """Streams with something between them, which is no piece of the one and of the other."""
    return b"".join(noise(place, 40_000) + zlib.compress(content, 9) for place, content in enumerate(contents))


def opened(new: bytes, old: bytes, seconds: float) -> tuple[tuple[Stream, ...], tuple[Stream, ...]]:
    """Streams of either that are opened when a device has so much time for them; what comes of them is right."""
    apply_speed_min = len(new) / (seconds + len(new) / 400e6)
    made = make(new, old, apply_speed_min=apply_speed_min)
    assert {one.why for one in made.apply()} == {""}
    return made.index.opened.streams, made.index.old_opened.streams


def test_what_resembles_nothing_is_not_opened_while_something_does() -> None:
    seconds = 2 * len(CHANGED) / 11e6
    (new,), (old,) = opened(image(STRANGE, CHANGED), image(OTHER, ALIKE), seconds)
    assert new.offset > 40_000 + len(zlib.compress(STRANGE, 9))
    assert old.offset > 40_000 + len(zlib.compress(OTHER, 9))


def test_what_is_as_much_alike_closed_as_opened_is_not_opened() -> None:
    same = noise(9, 30_000)
    new, old = (image(same + content[:100] + same[::-1]) for content in (STRANGE, OTHER))
    assert opened(new, old, 1.0) == ((), ())


def test_a_stream_that_moved_is_made_from_where_it_was() -> None:
    (new,), (old,) = opened(image(CHANGED, STRANGE), image(OTHER, ALIKE), 1.0)
    assert new.offset < 41_000 < old.offset


def test_recipes_are_not_looked_for_without_end_once_the_time_is_spent(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_for = list[int]()

    class Counting(Recipes):
        def find(self, kind: str, data: memoryview, size: int, *, tried_bytes: int = sys.maxsize) -> Recipe | None:
            looked_for.append(size)
            return super().find(kind, data, size, tried_bytes=tried_bytes)

    monkeypatch.setattr(selecting, "Recipes", Counting)
    parts = [noise(seed, 2000).hex().encode() for seed in range(2 * selecting.VAIN_MAX)]
    new, old = (image(*(part + end for part in parts)) for end in (b"new", b"old"))
    chosen, _ = opened(new, old, 1e-6)
    assert len(looked_for) == len(chosen) + selecting.VAIN_MAX < len(parts)


def test_of_a_stream_for_which_there_is_no_time_a_recipe_is_tried_with_the_start_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(selecting, "TRIED_BYTES", 10_000)
    monkeypatch.setattr(cutting, "PART_BYTES_MIN", 1000)
    tried = list[int]()

    class Counting(Recipes):
        def find(self, kind: str, data: memoryview, size: int, *, tried_bytes: int = sys.maxsize) -> Recipe | None:
            tried.append(tried_bytes)
            return super().find(kind, data, size, tried_bytes=tried_bytes)

    monkeypatch.setattr(selecting, "Recipes", Counting)
    content = text(1, 60_000)
    for part, found in ((0.6, [10_000]), (2.0, [10_000, sys.maxsize])):
        tried.clear()
        (new,), _ = opened(image(content.replace(b" ", b"!", 1)), image(content), part * len(content) / 11e6)
        assert tried == found
        assert (new.expanded_bytes < len(content)) is (part < 1)
