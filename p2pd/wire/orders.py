"""What a person says to a tracker. Each carries a number, which the answer (`Done`, `Refused`) repeats.

`by`: their name as they say it; a certificate's counts more. `reason`: why, for those who look later. `scope`: `global`
or a region.
"""

from typing import Annotated, Final

from msgspec import Meta

from .fields import Count, Name, ReleaseText, TrackerMessage

AUDIT_RECORDS_MAX: Final = 32
"""Audit records in one answer: with texts of full length it still fits a control frame."""

TOKEN_ID_BYTES: Final = 32
TOKEN_USES_MAX: Final = 1_000_000
PATTERNS_MAX: Final = 64
"""Product patterns in one certificate."""


class Deploy(TrackerMessage, frozen=True, tag="deploy"):
    """Operator: this service should run this release, in `scope`. `rollback` as in `Goal`. `deadline_s`: every host
    should have it within so many seconds (0: whenever).

    `draft`: change nothing, only say what the goal would be, so that the operator can sign it and send it as `Order`.
    """

    number: Count
    service: Name
    release: ReleaseText
    scope: Name
    rollback: bool = False
    by: Name = ""
    reason: Name = ""
    draft: bool = False
    deadline_s: float = 0.0


class Rollback(TrackerMessage, frozen=True, tag="rollback"):
    """Operator: back to `release`, or to what the scope's goal was before (''). `draft` as in `Deploy`."""

    number: Count
    service: Name
    scope: Name
    release: ReleaseText = ""
    by: Name = ""
    reason: Name = ""
    draft: bool = False


class Pause(TrackerMessage, frozen=True, tag="pause"):
    """Operator: no host of `scope` begins with anything, or goes on with it, for this service ('': for any). What runs
    goes on running, and whoever has switched already gets the verdict of the health check."""

    number: Count
    service: Name
    scope: Name
    by: Name = ""
    reason: Name = ""


class Resume(TrackerMessage, frozen=True, tag="resume"):
    """Operator: the pause of exactly this service and scope ends."""

    number: Count
    service: Name
    scope: Name
    by: Name = ""
    reason: Name = ""


class Promote(TrackerMessage, frozen=True, tag="promote"):
    """Operator: what the service runs in the region `source` it should run in `scope` too. Refused while not all hosts
    there run it and are healthy, unless `force` says to go on all the same. It never goes back, so nobody signs it."""

    number: Count
    service: Name
    source: Name
    scope: Name
    by: Name = ""
    reason: Name = ""
    force: bool = False


class Invite(TrackerMessage, frozen=True, tag="invite"):
    """Admin: whoever proves to have the join token with this public key may become such a member, so many times within
    `expires_s` seconds, with certificates of `life_s` seconds (0: as usual). The secret stays with who sends this.
    `node` '': a free name. `products`, `attestation`: as in a certificate."""

    number: Count
    token: Annotated[bytes, Meta(min_length=TOKEN_ID_BYTES, max_length=TOKEN_ID_BYTES)]
    role: Name
    region: Name
    node: Name
    products: Annotated[tuple[Name, ...], Meta(max_length=PATTERNS_MAX)]
    attestation: Name
    life_s: float
    uses: Annotated[int, Meta(ge=1, le=TOKEN_USES_MAX)]
    expires_s: float
    by: Name = ""
    reason: Name = ""


class Revoke(TrackerMessage, frozen=True, tag="revoke"):
    """Admin: the certificates of this node, or the one with this serial number (hex), don't count any more."""

    number: Count
    node: Name = ""
    serial: Name = ""
    by: Name = ""
    reason: Name = ""


class StatusRequest(TrackerMessage, frozen=True, tag="status?"):
    """Operator: what should run, what does run; with `hosts` each host's report, with `swarms` how large each is."""

    number: Count
    service: Name = ""
    hosts: bool = False
    swarms: bool = False


class AuditRequest(TrackerMessage, frozen=True, tag="audit?"):
    """Operator: who commanded what; up to `count` records that follow number `after`. The answer's `records`."""

    number: Count
    after: Count = 0
    count: Annotated[int, Meta(ge=1, le=AUDIT_RECORDS_MAX)] = AUDIT_RECORDS_MAX


def amounts(command: Deploy | Invite) -> dict[str, float]:
    """What must be finite, and not negative."""
    if isinstance(command, Deploy):
        return {"deadline_s": command.deadline_s}
    return {"life_s": command.life_s, "expires_s": command.expires_s}
