"""The journal of one artifact: which pieces are there, and where each came from. Append-only, never fsynced per piece.

A record is `crc32 u32, kind u8, length u8, payload`, little-endian; the CRC covers all after itself.

    kind        payload                      meaning
    FORMAT      version u8, swarm 32 bytes   first record of every journal
    SOURCE      id u16, name UTF-8           a source's name; ids count up from 0
    PRESENT     piece u32, source u16        verified, and written to the artifact's files before this record
    LOST        piece u32                    found damaged or gone
    DUPLICATE   bytes u32                    arrived although it was present
    CHECKPOINT  covered u64, boot id UTF-8   records before offset `covered` speak of data that is durable

A killed process loses nothing: the page cache outlives it. After a power cut, which changes the boot id, PRESENT
records from `covered` of the last CHECKPOINT on are claims: the store hashes those pieces again. A torn tail is cut.
"""

import os
import struct
import zlib
from array import array
from dataclasses import dataclass, field
from typing import Final

from p2pd.world.disk import Disk

FORMAT_VERSION: Final = 1
JOURNAL_BYTES_MAX: Final = 1 << 30
"""12 bytes a piece: even a billion bytes of it are far from what 2**20 pieces need."""
NAME_BYTES_MAX: Final = 200
"""UTF-8, of a source's name or a boot id; a payload's length is one byte."""

_HEAD: Final = struct.Struct("<IBB")
_PRESENT: Final = struct.Struct("<IH")
_PRESENT_BODY: Final = struct.Struct("<BBIH")
"""With kind and length before it, in one go: most records are such."""
_U16, _U32, _U64 = struct.Struct("<H"), struct.Struct("<I"), struct.Struct("<Q")
FORMAT, SOURCE, PRESENT, LOST, DUPLICATE, CHECKPOINT = range(1, 7)


@dataclass
class Replay:
    """What a journal says. `good_bytes`: its length without a torn tail; 0 if it is no journal of this swarm."""

    swarm: bytes
    lengths: "array[int]" = field(repr=False)
    present: bytearray = field(init=False, repr=False)
    bytes_by_source: dict[str, int] = field(default_factory=dict)
    duplicate_bytes: int = 0
    sources: list[str] = field(default_factory=list)
    boot_id: str = ""
    good_bytes: int = 0
    _claims: list[tuple[int, int]] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        self.present = bytearray((len(self.lengths) + 7) // 8)

    @property
    def unsynced(self) -> list[int]:
        """Present pieces that no checkpoint covers, ascending."""
        return sorted({piece for _, piece in self._claims if self.present[piece >> 3] & (0x80 >> (piece & 7))})

    def read(self, data: bytes) -> None:
        """Take in a journal's bytes, up to the first that make no sense: it and all after it are not believed."""
        at = 0
        while at + _HEAD.size <= len(data):
            crc, kind, length = _HEAD.unpack_from(data, at)
            end = at + _HEAD.size + length
            if end > len(data) or zlib.crc32(data[at + _U32.size : end]) != crc or (at == 0) != (kind == FORMAT):
                break
            try:
                sensible = self._apply(at, kind, data[at + _HEAD.size : end])
            except (struct.error, UnicodeDecodeError):
                break
            if not sensible:
                break
            at = self.good_bytes = end

    def _apply(self, at: int, kind: int, payload: bytes) -> bool:
        if kind == PRESENT:
            return self._apply_present(at, *_PRESENT.unpack(payload))
        if kind == LOST:
            (piece,) = _U32.unpack(payload)
            if piece < len(self.lengths):
                self.present[piece >> 3] &= ~(0x80 >> (piece & 7))
            return bool(piece < len(self.lengths))
        if kind == SOURCE:
            self.sources.append(payload[_U16.size :].decode())
            return bool(_U16.unpack_from(payload)[0] == len(self.sources) - 1)
        if kind == DUPLICATE:
            self.duplicate_bytes += _U32.unpack(payload)[0]
            return True
        if kind == CHECKPOINT:
            (covered,) = _U64.unpack_from(payload)
            self.boot_id = payload[_U64.size :].decode()
            self._claims = [claim for claim in self._claims if claim[0] >= covered]
            return True
        return kind == FORMAT and payload == bytes((FORMAT_VERSION,)) + self.swarm

    def _apply_present(self, at: int, piece: int, source: int) -> bool:
        if piece >= len(self.lengths) or source >= len(self.sources):
            return False
        self.present[piece >> 3] |= 0x80 >> (piece & 7)
        name = self.sources[source]
        self.bytes_by_source[name] = self.bytes_by_source.get(name, 0) + self.lengths[piece]
        self._claims.append((at, piece))
        return True


class Journal:
    """Writes one artifact's journal. The caller sees to it that one thread at a time does.

    Records are written at a known offset, not appended: what a full disk tore is overwritten by the next one.
    """

    def __init__(self, disk: Disk, path: str, swarm: bytes) -> None:
        self._disk = disk
        self._path = path
        self._swarm = swarm
        self._sources: dict[str, int] = {}
        self.position = 0

    def start(self) -> None:
        """A new, empty journal, durable, in place of what may have been there."""
        self._disk.remove_tree(self._path)
        self._disk.create(self._path, 0)
        self.position = 0
        self._sources.clear()
        self._write(FORMAT, bytes((FORMAT_VERSION,)) + self._swarm)
        self.checkpoint(self.position)
        self._disk.sync(os.path.dirname(self._path))

    def resume(self, lengths: "array[int]") -> Replay:
        """Read what is there and cut a torn tail; `good_bytes` 0 (nothing there, or not ours) asks for `start()`."""
        found = self._disk.stat(self._path)
        data = self._disk.read_all(self._path, JOURNAL_BYTES_MAX) if found and found.kind == "file" else b""
        state = Replay(self._swarm, lengths)
        state.read(data)
        if 0 < state.good_bytes < len(data):
            self._disk.truncate(self._path, state.good_bytes)
        self.position = state.good_bytes
        self._sources = {name: number for number, name in enumerate(state.sources)}
        return state

    def present(self, piece: int, source: str) -> None:
        """The piece is verified and written."""
        number = self._sources.get(source)
        if number is None:
            number = len(self._sources)
            self._write(SOURCE, _U16.pack(number) + _clipped(source))
            self._sources[source] = number
        self._append(_PRESENT_BODY.pack(PRESENT, _PRESENT.size, piece, number))

    def lost(self, piece: int) -> None:
        """The piece is damaged or gone."""
        self._write(LOST, _U32.pack(piece))

    def duplicate(self, length: int) -> None:
        """So many bytes came in vain."""
        self._write(DUPLICATE, _U32.pack(length))

    def checkpoint(self, covered: int) -> None:
        """All data that records before offset `covered` speak of is durable; durably noted."""
        self._write(CHECKPOINT, _U64.pack(covered) + _clipped(self._disk.boot_id()))
        self._disk.sync(self._path)

    def remove(self) -> None:
        """Gone."""
        self._disk.remove_tree(self._path)

    def _write(self, kind: int, payload: bytes) -> None:
        self._append(bytes((kind, len(payload))) + payload)

    def _append(self, body: bytes) -> None:
        record = _U32.pack(zlib.crc32(body)) + body
        self._disk.write(self._path, self.position, record)
        self.position += len(record)


def _clipped(text: str) -> bytes:
    return text.encode()[:NAME_BYTES_MAX].decode(errors="ignore").encode()
