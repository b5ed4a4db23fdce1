"""BEP 3, by its own examples."""

import hashlib
from pathlib import Path

from benchmarks.swarm.torrent import bencode, torrent_of


def test_bencode_follows_the_examples_of_bep_3() -> None:
    assert bencode("spam") == b"4:spam"
    assert bencode(-3) == b"i-3e"
    assert bencode(["spam", "eggs"]) == b"l4:spam4:eggse"
    assert bencode({"spam": ["a", "b"], "cow": "moo"}) == b"d3:cow3:moo4:spaml1:a1:bee"


def test_a_torrent_has_a_sha1_for_every_piece_the_short_last_one_too(tmp_path: Path) -> None:
    content = tmp_path / "file"
    content.write_bytes(b"a" * 100 + b"b" * 7)
    made = torrent_of(content, "http://tracker/announce", 100)
    assert hashlib.sha1(b"a" * 100).digest() + hashlib.sha1(b"b" * 7).digest() in made.encoded


def test_the_info_hash_is_that_of_the_info_dictionary_as_it_stands_in_the_file(tmp_path: Path) -> None:
    content = tmp_path / "file"
    content.write_bytes(b"x")
    made = torrent_of(content, "http://tracker/announce", 100)
    info = made.encoded[made.encoded.index(b"4:info") + 6 : -1]
    assert hashlib.sha1(info).digest() == made.info_hash
