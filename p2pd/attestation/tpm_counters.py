"""A release counter for each product, in the memory of a TPM: where nobody sets it back, and no change of disks.

A TPM's counter begins at a number of the TPM's own choosing and then only goes up by one. So a product has a pair of
indices: the counter, and an anchor, which is written once and locked and says what to add to the counter to get the
highest sequence that proved itself here. A pair is found by its anchor; a counter without one was left by a power cut
and is taken away. Even whoever knows the owner's password can't make a counter that begins lower than any there was.
"""

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from . import AttestationError

if TYPE_CHECKING:
    from tpm2_pytss import ESAPI

PLACES: Final = 32
"""Pairs, one a product. A TPM has room for some 6 KiB in all, and a pair takes about 120 bytes."""
STEPS_MAX: Final = 500
"""Counting so far takes a TPM ten seconds. A greater step gets a new pair, the old one goes afterwards."""
_ANCHOR: Final = struct.Struct(">4s32sq")
_MAGIC: Final = b"p2p1"
_COUNTER_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class _Pair:
    """`place`: the number of the pair. `anchored`: None for one that was left unfinished."""

    place: int
    product: bytes
    floor: int
    anchored: bool


def floor(esapi: "ESAPI", base: int, product: str) -> int | None:
    """The highest sequence that proved itself, None for none. TSS2_Exception."""
    named = _digest(product)
    return max((pair.floor for pair in _pairs(esapi, base) if pair.anchored and pair.product == named), default=None)


def raise_floor(esapi: "ESAPI", base: int, product: str, sequence: int) -> None:
    """Make it at least this. AttestationError when there is no room for another product; TSS2_Exception."""
    named, pairs = _digest(product), list(_pairs(esapi, base))
    ours = sorted((one for one in pairs if one.anchored and one.product == named), key=lambda one: one.floor)
    if ours and sequence - ours[-1].floor <= STEPS_MAX:
        counter = _index(esapi, base + 2 * ours[-1].place)
        for _ in range(sequence - ours[-1].floor):
            esapi.nv_increment(counter, _owner())
        obsolete = ours[:-1]
    else:
        _define(esapi, base, _free_place(pairs), named, sequence)
        obsolete = ours
    for pair in obsolete:
        _remove(esapi, base, pair.place)


def _define(esapi: "ESAPI", base: int, place: int, product: bytes, sequence: int) -> None:
    """A pair whose floor is `sequence`. Cut short anywhere, it is an unfinished one."""
    from tpm2_pytss import TPM2_NT, TPMA_NV

    _remove(esapi, base, place)
    plain = TPMA_NV.OWNERREAD | TPMA_NV.OWNERWRITE | TPMA_NV.NO_DA
    counter = _new_index(esapi, base + 2 * place, plain | TPM2_NT.COUNTER << TPMA_NV.TPM2_NT_SHIFT, _COUNTER_BYTES)
    esapi.nv_increment(counter, _owner())
    anchor = _new_index(esapi, base + 2 * place + 1, plain | TPMA_NV.WRITEDEFINE, _ANCHOR.size)
    offset = sequence - _count(esapi, counter)
    esapi.nv_write(anchor, _ANCHOR.pack(_MAGIC, product, offset), auth_handle=_owner())
    esapi.nv_write_lock(anchor, _owner())


def _pairs(esapi: "ESAPI", base: int) -> Iterator[_Pair]:
    """All that are there."""
    handles = _handles(esapi, base)
    for place in range(PLACES):
        counter, anchor = base + 2 * place, base + 2 * place + 1
        if counter in handles or anchor in handles:
            yield _pair(esapi, place, counter, anchor if {counter, anchor} <= handles else None)


def _pair(esapi: "ESAPI", place: int, counter: int, anchor: int | None) -> _Pair:
    from tpm2_pytss import TPM2_RC, TSS2_Exception

    unfinished = _Pair(place, b"", 0, anchored=False)
    if anchor is None:
        return unfinished
    try:
        data = bytes(esapi.nv_read(_index(esapi, anchor), _ANCHOR.size, auth_handle=_owner()))
    except TSS2_Exception as error:
        if error.rc == TPM2_RC.NV_UNINITIALIZED:
            return unfinished  # the power went between its definition and its writing
        raise
    magic, product, offset = _ANCHOR.unpack(data)
    if magic != _MAGIC:
        raise AttestationError(f"index {anchor:#x} of the TPM is somebody else's: set attestation.nv_base elsewhere")
    return _Pair(place, product, offset + _count(esapi, _index(esapi, counter)), anchored=True)


def _free_place(pairs: list[_Pair]) -> int:
    taken = {pair.place for pair in pairs if pair.anchored}
    free = (place for place in range(PLACES) if place not in taken)
    place = next(free, None)
    if place is None:
        raise AttestationError(f"the TPM keeps counters of {PLACES} products, and has them: none is taken away")
    return place


def _remove(esapi: "ESAPI", base: int, place: int) -> None:
    """The anchor first: what is left then is unfinished."""
    handles = _handles(esapi, base)
    for handle in (base + 2 * place + 1, base + 2 * place):
        if handle in handles:
            esapi.nv_undefine_space(_index(esapi, handle))


def _handles(esapi: "ESAPI", base: int) -> set[int]:
    """Indices from `base` on that are defined."""
    from tpm2_pytss import TPM2_CAP

    found: set[int] = set()
    more, start = True, base
    while more:
        more, data = esapi.get_capability(TPM2_CAP.HANDLES, start, 2 * PLACES)
        got = [int(handle) for handle in data.data.handles]
        found |= {handle for handle in got if base <= handle < base + 2 * PLACES}
        if not got or got[-1] >= base + 2 * PLACES:
            break
        start = got[-1] + 1
    return found


def _new_index(esapi: "ESAPI", handle: int, attributes: Any, size: int) -> Any:
    from tpm2_pytss import TPM2_ALG, TPM2B_NV_PUBLIC, TPMS_NV_PUBLIC

    public = TPMS_NV_PUBLIC(nvIndex=handle, nameAlg=TPM2_ALG.SHA256, attributes=attributes, dataSize=size)
    return esapi.nv_define_space(None, TPM2B_NV_PUBLIC(nvPublic=public), _owner())


def _count(esapi: "ESAPI", counter: Any) -> int:
    return int.from_bytes(bytes(esapi.nv_read(counter, _COUNTER_BYTES, auth_handle=_owner())), "big")


def _index(esapi: "ESAPI", handle: int) -> Any:
    return esapi.tr_from_tpmpublic(handle)


def _owner() -> Any:
    from tpm2_pytss import ESYS_TR

    return ESYS_TR.OWNER


def _digest(product: str) -> bytes:
    return hashlib.sha256(product.encode()).digest()
