"""The targets. Each takes any bytes: a value, or the one error that the decoder names. Anything else escapes."""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, Final

from manifests import codec, edits
from manifests.delta import index_codec, small
from manifests.delta.applying import apply_bundle
from manifests.delta.rebuilding import Held, apply_small
from manifests.errors import ManifestError
from manifests.names import ReleaseName
from manifests.trust import Approved, TrustChain, Wanted
from p2pd.attestation.evidence import RefusedEvidenceError, key_name
from p2pd.attestation.evidence import check as check_evidence
from p2pd.attestation.structure import MalformedQuoteError, read_quote
from p2pd.config import Config
from p2pd.goals import RefusedGoalError, judge
from p2pd.httpmessages import BadRequest, Request, RequestReader
from p2pd.identity.certificate import read_certificate
from p2pd.identity.enrolment import read_request
from p2pd.identity.errors import IdentityError
from p2pd.identity.revocation import read_list
from p2pd.identity.token import read_token
from p2pd.install.memory import decode as decode_memory
from p2pd.settings import SettingsError, load
from p2pd.wire.announce import Announce, Deploy, Goals, Register, Rollback, StatusRequest, check
from p2pd.wire.attestation import Evidence
from p2pd.wire.codec import decode_peer, decode_tracker, encode
from p2pd.wire.connection import PeerConnection
from p2pd.wire.errors import RemoteProtocolError
from p2pd.wire.framing import CONTROL_BYTES_MAX, Block, FrameReader
from p2pd.wire.lan import from_properties
from p2pd.world.network import Identity
from seeder.conditional import select
from seeder.resources import resource
from tests.fuzz.seeds import HELLO, published, unwrapped, wrapped
from tracker.config import TrackerConfig
from tracker.goals.goals import Goals as TrackerGoals
from tracker.tracker import Tracker

Target = Callable[[bytes], None]
BYTEWISE_MAX: Final = 2_000
"""Longer ones are cut in pieces of a few bytes instead."""
STEPS_MAX: Final = 200


def wire(data: bytes) -> None:
    """A peer's connection, from its first byte: whole and byte by byte give the same events, and the same end."""
    assert _events(data, [data]) == _events(data, _cut(data))


def _events(data: bytes, parts: Iterable[bytes]) -> tuple[list[Any], str]:
    connection, found = PeerConnection(HELLO), list[Any]()
    connection.hello()
    try:
        for part in parts:
            found.extend(connection.receive(part))
    except RemoteProtocolError as error:
        return found, str(error)
    return found, ""


def messages(data: bytes) -> None:
    """One message of either protocol; what was decoded comes back when it is encoded."""
    for decode in (decode_peer, decode_tracker):
        try:
            message = decode(data)
        except RemoteProtocolError:
            continue
        again = encode(message)
        assert encode(decode(again[5:])) == again  # not the message itself: a NaN is not equal to itself


def tracker(data: bytes) -> None:
    """Everything that one connection may say to a tracker, in any order, with a node beside it that does no harm."""
    brain = Tracker(TrackerConfig(open_operators=True), TrackerGoals(), Random(1))
    brain.connected(1, Identity(), "127.0.0.1:1", 0.0)
    brain.connected(2, Identity(), "127.0.0.1:2", 0.0)
    brain.receive(2, Register(1, "default", "good", "eu", "daemon", "good:1"), 0.0, 0.0)
    reader, now = FrameReader(CONTROL_BYTES_MAX + 1), 0.0
    try:
        for frame in islice(reader.feed(data), STEPS_MAX):
            if isinstance(frame, Block):
                return
            message = decode_tracker(frame)
            check(message)
            now += 1.0
            brain.receive(1, message, now, 1e9 + now)
            if isinstance(message, Deploy | Rollback | StatusRequest):
                brain.status(StatusRequest(1, "", True, True), now)
    except RemoteProtocolError:
        pass
    brain.handle_timer(now + 1e6)
    assert all(brain.receive(2, Announce(()), now, 0.0))


def goals(data: bytes) -> None:
    """A tracker's goals, as a host judges them; and the memory in which a host keeps them."""
    try:
        message = decode_tracker(data)
        check(message)
    except RemoteProtocolError:
        message = None
    for goal in message.goals if isinstance(message, Goals) else ():
        try:
            judge(goal, published().authority, fleet="default", region="eu", utc=1.9e9)
        except RefusedGoalError:
            pass
    try:
        decode_memory(data)
    except ValueError:
        pass


def manifest(data: bytes) -> None:
    """A manifest, as it travels and as it is beneath its compression: canonical, its pieces tile its files. The same
    bytes as edits lead nowhere.
    """
    for encoded in (data, wrapped(data)):
        try:
            found = codec.decode(encoded)
        except ManifestError:
            continue
        assert unwrapped(codec.encode(found)) == unwrapped(encoded)
        for piece in range(min(found.pieces, STEPS_MAX)):
            assert sum(extent.length for extent in found.extents(piece)) == found.lengths[piece]
    try:
        made = edits.apply(codec.encode(published().manifest), data, bytes(32))
    except ManifestError:
        return
    raise AssertionError(f"edits led to {len(made)} bytes of that digest")


def pack(data: bytes) -> None:
    """A pack: its index, then a bundle, cut at the first half; and the same bytes as a small pack."""
    index, bundle = data[: len(data) // 2], data[len(data) // 2 :]
    release = published().manifest
    try:
        found = index_codec.decode(index)
    except ManifestError:
        found = published().index
    for frames in found.bundles[:STEPS_MAX]:
        fits = all(item.piece < release.pieces for frame in frames for item in frame.items)
        for made in apply_bundle(frames, bundle, release, lambda number: published().base) if fits else ():
            assert made.data is None or len(made.data) == release.lengths[made.piece]
    try:
        one = small.decode(data)
        small.check(one, release, release)
    except ManifestError:
        return
    for rebuilt in apply_small(one, release, release, Held(lambda number: bytes(release.lengths[number]))):
        assert rebuilt.data is None or len(rebuilt.data) == release.lengths[rebuilt.piece]


def http(data: bytes) -> None:
    """What a browser, a CDN or anybody sends to the shield: whole and byte by byte give the same requests."""
    whole, bytewise = list(_requests([data])), list(_requests(_cut(data)))
    assert whole == bytewise
    for request in whole:
        if isinstance(request, Request):
            asked = resource(request.path.removeprefix("/"))
            assert asked is None or ".." not in asked.path
            selection = select(request.method, request.headers, '"tag"', 1_000)
            assert 0 <= selection.start <= selection.stop <= 1_000


def _requests(parts: Iterable[bytes]) -> Iterator[Request | tuple[int, str]]:
    reader = RequestReader()
    for part in parts:
        reader.feed(part)
        try:
            while (request := reader.next_request()) is not None:
                yield request
        except BadRequest as error:
            yield error.status, type(error).__name__
            return


def metadata(data: bytes) -> None:
    """The mirror's answer to one of a client's questions, the first byte says which; all others are honest."""
    site, which = published(), data[0] % 6 if data else 0
    with tempfile.TemporaryDirectory() as cache:
        chain = TrustChain(site.root, Path(cache), lambda: site.now)
        fetched: dict[str, bytes | None] = {}
        try:
            while isinstance(wanted := chain.look_up(ReleaseName("shop", "1.0"), fetched), Wanted):
                fetched[wanted.path] = data[1:] if len(fetched) == which else site.files.get(wanted.path)
        except ManifestError:
            return
        assert isinstance(wanted, Approved)
        assert wanted.digest == site.digest


def config(data: bytes) -> None:
    """A file of settings."""
    with tempfile.NamedTemporaryFile(suffix=".toml") as file:
        file.write(data)
        file.flush()
        for kind in (Config, TrackerConfig):
            try:
                load(kind, path=file.name, environment={}, prefix="X", overrides={})
            except SettingsError:
                pass


def papers(data: bytes) -> None:
    """Certificates, requests for them, lists of revoked ones, tokens; and what a LAN says."""
    for read in (read_certificate, read_request, lambda pem: read_list(pem, ())):
        try:
            read(data)
        except IdentityError:
            pass
    try:
        read_token(data.decode("latin-1"))
    except IdentityError:
        pass
    parts = data.split(b"\0")
    notice = from_properties("10.0.0.1:1", dict(zip(parts[::2], parts[1::2], strict=False)))
    assert notice is None or len(notice.prefixes) <= 240


def attestation(data: bytes) -> None:
    """What a host says that its TPM signed, and the key and signature that it sends along."""
    try:
        quoted = read_quote(data)
        assert len(quoted.pcrs) <= 8 * 255
        assert list(quoted.pcrs) == sorted(set(quoted.pcrs))
    except MalformedQuoteError:
        pass
    half = len(data) // 2
    for evidence in (Evidence(data[:half], b"", data[half:]), Evidence(data, data, data)):
        for kind in ("tpm", "software"):
            try:
                check_evidence(evidence, key_name(kind, evidence.key), bytes(32), ())
            except RefusedEvidenceError:
                pass


def _cut(data: bytes) -> Iterator[bytes]:
    step = max(1, len(data) // BYTEWISE_MAX)
    return (data[at : at + step] for at in range(0, len(data), step))


TARGETS: Final[dict[str, Target]] = {
    target.__name__: target
    for target in (wire, messages, tracker, goals, manifest, pack, http, metadata, config, papers, attestation)
}
