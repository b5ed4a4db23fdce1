"""TPMS_ATTEST, the structure that a TPM signs, read without a TPM. Pure.

TPM 2.0 Library, part 2, 10.12: magic, type, qualifiedSigner, extraData, clockInfo, firmwareVersion, and for a quote the
selected registers and a digest over their values. A TPM's restricted key signs nothing that begins with this magic but
what the TPM itself made.
"""

import struct
from dataclasses import dataclass
from typing import Final

MAGIC: Final = 0xFF54_4347
QUOTE: Final = 0x8018
SHA256: Final = 0x000B
CLOCK_AND_FIRMWARE_BYTES: Final = 25
"""clockInfo (u64 clock, u32 resetCount, u32 restartCount, u8 safe) and u64 firmwareVersion."""
SELECTIONS_MAX: Final = 16
"""Banks; more are not of this world."""


class MalformedQuoteError(ValueError):
    """It is no quote of a TPM."""


@dataclass(frozen=True, slots=True)
class Quoted:
    """What was quoted: `binding` is the extraData; `pcrs` the registers of the SHA-256 bank, ascending; `digest` over
    their values."""

    binding: bytes
    pcrs: tuple[int, ...]
    digest: bytes


def read_quote(data: bytes) -> Quoted:
    """The structure; MalformedQuoteError unless it is a quote over the SHA-256 bank alone, and nothing after it."""
    try:
        magic, kind = struct.unpack_from(">IH", data)
        if (magic, kind) != (MAGIC, QUOTE):
            raise MalformedQuoteError("it is no quote, or no TPM made it")
        _, at = _sized(data, 6)
        binding, at = _sized(data, at)
        at += CLOCK_AND_FIRMWARE_BYTES
        pcrs, at = _selected(data, at)
        digest, at = _sized(data, at)
    except struct.error as error:
        raise MalformedQuoteError("it ends too early") from error
    if at != len(data):
        raise MalformedQuoteError(f"{len(data)} bytes where {at} are a quote")
    return Quoted(binding, pcrs, digest)


def _sized(data: bytes, at: int) -> tuple[bytes, int]:
    """A TPM2B: its bytes, and where the next thing begins."""
    (size,) = struct.unpack_from(">H", data, at)
    end = at + 2 + size
    if end > len(data):
        raise MalformedQuoteError("it ends too early")
    return data[at + 2 : end], end


def _selected(data: bytes, at: int) -> tuple[tuple[int, ...], int]:
    """A TPML_PCR_SELECTION."""
    (count,) = struct.unpack_from(">I", data, at)
    at += 4
    if count > SELECTIONS_MAX:
        raise MalformedQuoteError(f"{count} banks of registers")
    pcrs: list[int] = []
    for _ in range(count):
        bank, size = struct.unpack_from(">HB", data, at)
        at += 3
        if at + size > len(data):
            raise MalformedQuoteError("it ends too early")
        bits = int.from_bytes(data[at : at + size], "little")
        at += size
        if bits and (bank != SHA256 or pcrs):
            raise MalformedQuoteError("registers of the SHA-256 bank are quoted here, once, and no others")
        pcrs += [number for number in range(8 * size) if bits >> number & 1]
    return tuple(pcrs), at
