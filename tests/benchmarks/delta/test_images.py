"""Artifacts that are the same whenever and wherever they are made."""

import os
import subprocess
from pathlib import Path

from benchmarks.delta.chunkers import _part, _ranges
from benchmarks.delta.images import forget_times, tar_of
from tests.manifests.factory import write_tree

MKE2FS = ["mke2fs", "-q", "-F", "-t", "ext4", "-O", "^has_journal,^metadata_csum,^64bit,^resize_inode"]
FIXED = ["-U", "6d7a36f3-6b0a-4ad5-9a3a-b5a1e2b1c0de", "-E", "hash_seed=6d7a36f3-6b0a-4ad5-9a3a-b5a1e2b1c0de"]


def tree(place: Path) -> Path:
    return write_tree(place, {"bin/app": b"x" * 5000, "etc/conf": b"y", "etc/link": "conf"})


def test_a_tar_does_not_depend_on_when_it_was_made(tmp_path: Path) -> None:
    for name in ("a", "b"):
        tar_of(tree(tmp_path / name), tmp_path / f"{name}.tar")
    os.utime(tmp_path / "b" / "bin" / "app", (5, 5))
    tar_of(tmp_path / "b", tmp_path / "c.tar")
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes() == (tmp_path / "c.tar").read_bytes()


def test_an_ext4_image_forgets_when_its_files_were_looked_at(tmp_path: Path) -> None:
    images = []
    for name, time in (("a", 1_000_000_000), ("b", 1_100_000_000)):
        place = tree(tmp_path / name)
        for path in (place, *place.rglob("*")):
            os.utime(path, (time, 900_000_000), follow_symlinks=False)
        image = tmp_path / f"{name}.ext4"
        image.write_bytes(bytes(16 * 2**20))
        environment = os.environ | {"E2FSPROGS_FAKE_TIME": "1700000000", "PATH": f"{os.environ['PATH']}:/usr/sbin"}
        subprocess.run([*MKE2FS, *FIXED, "-d", str(place), str(image)], check=True, env=environment)
        images.append(image)
    before = [image.read_bytes() for image in images]
    for image in images:
        forget_times(image)
    assert before[0] != before[1]
    assert images[0].read_bytes() == images[1].read_bytes()


def test_ranges_are_read_as_zchunk_asks_for_them() -> None:
    assert _ranges("bytes=0-9,20-29,95-", 100) == [range(10), range(20, 30), range(95, 100)]
    assert _part(range(2, 4), b"abcdef").endswith(b"Content-Range: bytes 2-3/6\r\n\r\ncd\r\n")
