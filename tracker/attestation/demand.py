"""What a product's releases demand of a host: a table `[attestation.PRODUCT]` of the tracker's configuration. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from p2pd.wire.attestation import PCR_BYTES, PCRS_MAX

KINDS: Final = ("tpm", "software")
SHOWN_CHARS: Final = 16
"""Of a register's value, in what people read."""


@dataclass(frozen=True)
class Demand:
    """`kind`: `tpm`, or `software`, for which a TPM will do as well. `pcrs`: what registers may hold, each
    `NUMBER=HEX` (SHA-256); a number that is named several times may hold any of these values."""

    kind: str = "tpm"
    pcrs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind = {self.kind!r}: expected tpm or software")
        if self.pcrs and self.kind != "tpm":
            raise ValueError("pcrs: only a TPM has registers, so kind must be tpm")
        self.allowed  # noqa: B018 - so that it is checked now

    @cached_property
    def allowed(self) -> Mapping[int, frozenset[bytes]]:
        """By number of the register. ValueError, which names the entry."""
        found: dict[int, frozenset[bytes]] = {}
        for entry in self.pcrs:
            number, _, value = entry.partition("=")
            try:
                register, held = int(number), bytes.fromhex(value)
            except ValueError:
                raise ValueError(f"pcrs: {entry!r}: expected NUMBER=HEX, as `p2pd attest` shows them") from None
            if not 0 <= register < PCRS_MAX or len(held) != PCR_BYTES:
                raise ValueError(f"pcrs: {entry!r}: a number below {PCRS_MAX}, and {2 * PCR_BYTES} hex digits")
            found[register] = found.get(register, frozenset()) | {held}
        return found

    def objection(self, kind: str, values: Mapping[int, bytes]) -> str:
        """Why a host that has shown this is offered nothing; '' if it may have it."""
        if self.kind == "tpm" and kind != "tpm":
            return "it demands a TPM, this host joined with a software key"
        for register, allowed in sorted(self.allowed.items()):
            held = values.get(register)
            if held not in allowed:
                shown = held.hex()[:SHOWN_CHARS] + "..." if held else "nothing that was shown"
                return f"register {register} holds {shown}, which the tracker's configuration does not allow"
        return ""
