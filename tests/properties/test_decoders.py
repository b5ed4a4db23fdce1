"""Invariant: whatever bytes a stranger sends, a decoder gives a value or raises the one error that it names.

The same targets as `tests.fuzz`, which runs them for longer and with an eye on which code was reached: here on its
whole corpus (what was ever found among it), on hypothesis' bytes, and on good examples with a few bytes changed.
"""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.seeds import CORPUS, seeds
from tests.fuzz.targets import TARGETS

FILES = sorted(CORPUS.glob("*/*"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.name}")
def test_nothing_in_the_corpus_escapes(file: Path) -> None:
    TARGETS[file.parent.name](file.read_bytes())


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_has_examples_in_the_corpus(target: str) -> None:
    assert any((CORPUS / target).iterdir())


@pytest.mark.parametrize("target", TARGETS)
@settings(max_examples=60)
@given(data=st.binary(max_size=300))
def test_any_bytes(target: str, data: bytes) -> None:
    TARGETS[target](data)


@pytest.mark.parametrize("target", TARGETS)
@settings(max_examples=60)
@given(data=st.data())
def test_a_good_example_with_bytes_changed_removed_or_added(target: str, data: st.DataObject) -> None:
    bytes_ = bytearray(data.draw(st.sampled_from(list(seeds(target)))))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(bytes_)))
        bytes_[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    TARGETS[target](bytes(bytes_))
