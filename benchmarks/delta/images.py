"""A tree or a root file system as one file: tar, ext4, erofs or squashfs, the same bytes whenever and wherever made."""

import os
import tarfile
import tempfile
from pathlib import Path
from typing import Final

from .measuring import ToolError, run
from .tools import Tools

IMAGE_UUID: Final = "6d7a36f3-6b0a-4ad5-9a3a-b5a1e2b1c0de"
SIZE_STEP_BYTES: Final = 16 * 2**20
FREE_SHARE: Final = 0.5
"""Of an ext4 image, on top of its tar: a partition is never full."""
_SUPERBLOCK: Final = 1024
_DESCRIPTOR_BYTES: Final = 32
_TIMES: Final = (8, 12, 132, 140, 144, 148)
"""Offsets in an inode: access and change time, their fractions, and the time of creation."""


def tar_of(tree: Path, archive: Path) -> None:
    """A tar of a tree: names sorted, owners and times nulled."""
    with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as made:
        for path in sorted(tree.rglob("*"), key=lambda path: path.relative_to(tree).parts):
            made.add(path, str(path.relative_to(tree)), recursive=False, filter=_anonymous)


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    return member


def image_of(archive: Path, form: str, tools: Tools, image: Path, *, size_bytes: int) -> None:
    """A file-system image of a root's tar. `size_bytes`: of the larger tar of the pair. ToolError."""
    if os.geteuid() != 0:
        raise ToolError("an image is made by root, for its files have owners: run this as root")
    unfinished = image.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(dir=image.parent) as directory:
        run(["tar", "--extract", "--preserve-permissions", "--numeric-owner", "-f", archive, "-C", directory])
        match form:
            case "ext4":
                _ext4(directory, tools, unfinished, size_bytes)
            case "erofs":
                fixed = ["-T", "0", "-U", IMAGE_UUID]
                run([tools.find("mkfs.erofs"), *fixed, unfinished, directory], environment=tools.environment)
            case _:
                fixed = ["-noappend", "-no-progress", "-comp", "zstd", "-mkfs-time", "0"]
                run([tools.find("mksquashfs"), directory, unfinished, *fixed], environment=tools.environment)
    unfinished.rename(image)


def _ext4(directory: str, tools: Tools, image: Path, size_bytes: int) -> None:
    steps = -(-int(size_bytes * (1 + FREE_SHARE)) // SIZE_STEP_BYTES)
    image.touch()
    os.truncate(image, steps * SIZE_STEP_BYTES)
    features = "^has_journal,^metadata_csum,^64bit,^resize_inode"  # as images that are only read are made
    fixed = ["-U", IMAGE_UUID, "-E", f"hash_seed={IMAGE_UUID},lazy_itable_init=0", "-O", features, "-m", "0"]
    run(
        [tools.find("mke2fs"), "-q", "-F", "-t", "ext4", *fixed, "-d", directory, image],
        environment=tools.environment | {"E2FSPROGS_FAKE_TIME": "1700000000"},
    )
    forget_times(image)


def forget_times(image: Path) -> None:
    """Null, in an ext4 image made as above, what inodes remember of the machine that the image was made on."""
    with image.open("r+b") as file:
        file.seek(_SUPERBLOCK)
        head = file.read(_SUPERBLOCK)
        inodes, block_bytes = _u32(head, 0), 1024 << _u32(head, 24)
        inodes_per_group, inode_bytes = _u32(head, 40), _u32(head, 88) & 0xFFFF
        file.seek(max(2 * _SUPERBLOCK, block_bytes))
        descriptors = file.read(inodes // inodes_per_group * _DESCRIPTOR_BYTES)
        for at in range(0, len(descriptors), _DESCRIPTOR_BYTES):
            file.seek(offset := _u32(descriptors, at + 8) * block_bytes)
            table = bytearray(file.read(inodes_per_group * inode_bytes))
            for inode in range(0, len(table), inode_bytes):
                for field in _TIMES:
                    table[inode + field : inode + field + 4] = bytes(4)
            file.seek(offset)
            file.write(table)


def _u32(data: bytes, offset: int) -> int:
    return int.from_bytes(data[offset : offset + 4], "little")
