"""One example of every message, as a vector for other implementations and as a start for tests."""

from typing import Final

from p2pd.wire import announce, attestation, messages

SWARM: Final = bytes(range(32))
PEER_MESSAGES: Final[tuple[messages.AnyMessage, ...]] = (
    messages.Hello(1, "prod", "host-7", "eu-north", "daemon", "10.0.0.7:7400"),
    messages.Join(1, SWARM, 10, b"\x80\x40"),
    messages.Leave(1),
    messages.Have(1, (0, 9, 300)),
    messages.Lost(1, (5,)),
    messages.Want(1, ()),
    messages.Request(1, 70_000, 300),
    messages.Cancel(1, 7),
    messages.Reject(1, 7, "busy"),
    messages.ManifestRequest(SWARM, 262_144, (SWARM,)),
    messages.ManifestPart(SWARM, 262_144, 262_147, b"end", SWARM),
    messages.Ping(2**40),
    messages.Pong(2**40),
)
PEER: Final = announce.PeerInfo("host-7", "10.0.0.7:7400", "eu-north", "seeder", True, "http://10.0.0.7:8080")
SIGNATURE: Final = announce.GoalSignature("5f" * 32, bytes(64))
GOAL: Final = announce.Goal(
    "shop", "global", "shop@1.2", 41, False, "ann", 1.5, "new prices", 604801.5, (SIGNATURE,), 901.5
)
PAUSED: Final = announce.Paused("shop", "eu-north", 40, "ann", 1.25, "errors")
REPORT: Final = announce.ServiceReport(
    "host-7", "eu-north", "shop", "shop@1.2", 41, "shop@1.1", "DOWNLOADING", 0.25, "a peer", "", {"region": 7}, 2.5
)
EVIDENCE: Final = attestation.Evidence(b"key", b"quoted", b"signature", (bytes(32), bytes(range(32))))
TRACKER_MESSAGES: Final[tuple[announce.AnyTrackerMessage, ...]] = (
    announce.Register(1, "prod", "host-7", "eu-north", "daemon", "10.0.0.7:7400", ""),
    announce.Announce((announce.SwarmStatus(SWARM, 2, 10, 16),)),
    announce.Renewed(30.0, 7, 2),
    announce.Handout(SWARM, (PEER,), ("host-7", "host-8"), 1.5, 3, (announce.Importing("zone", ("host-9",), 2.0),)),
    announce.SeedersRequest(),
    announce.Seeders((PEER,), 2),
    announce.Watch(("shop",), 40),
    announce.Goals(41, (GOAL,), 0.5, (PAUSED,)),
    announce.Report((REPORT,)),
    announce.Deploy(3, "shop", "shop@1.2", "global", False, "ann", "new prices", False, 900.0),
    announce.Rollback(4, "shop", "eu-north", "", "ann", "old prices"),
    announce.Order(8, GOAL),
    announce.Pause(9, "shop", "eu-north", "ann", "errors"),
    announce.Resume(10, "shop", "eu-north", "ann", "mended"),
    announce.Promote(11, "shop", "eu-north", "global", "ann", "no errors", True),
    announce.Invite(12, bytes(32), "daemon", "eu-north", "", ("shop",), "", 86_400.0, 5, 3_600.0, "ann", "a rack"),
    announce.Revoke(13, "host-7", "", "ann", "stolen"),
    announce.StatusRequest(5, "shop", True, False),
    announce.Signal("node-7", 3, "offer", b"v=0"),
    announce.AuditRequest(6, 20, 10),
    attestation.Challenge(bytes(range(32)), (0, 7), ("shop",), ""),
    attestation.Quote(EVIDENCE),
    announce.Certify(7, b"request", b"signature", bytes(32), b"", EVIDENCE),
    announce.Certified(7, (b"certificate", b"issuer")),
    announce.Revoked(b"list"),
    announce.Done(5, {"revision": 41}),
    announce.Refused(3, "unknown service"),
)
