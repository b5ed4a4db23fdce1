"""A CDN over real TLS: whoever nobody vouches for is left, and the next source is asked."""

import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
import trio
from blake3 import blake3
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from p2pd.origin import Origin
from p2pd.origin_health import Source
from p2pd.world.http import client

DATA = b"chunk" * 100


@pytest.fixture
def nobodys(tmp_path: Path) -> ssl.SSLContext:
    """A server's context with a certificate that it gave itself."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cdn")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "cdn.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    return context


async def answer(stream: trio.abc.Stream) -> None:
    """The chunk, once."""
    async with stream:
        try:
            await stream.receive_some()
            await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(DATA), DATA))
        except trio.BrokenResourceError:
            pass  # it does not trust us


@pytest.fixture
async def sources(nobodys: ssl.SSLContext, nursery: trio.Nursery) -> AsyncIterator[list[Source]]:
    """One over TLS that nobody vouches for, one that speaks no TLS where it should, one that is as it should be."""
    listeners = [(await trio.open_tcp_listeners(0, host="127.0.0.1"))[0] for _ in range(3)]
    nursery.start_soon(trio.serve_listeners, answer, [trio.SSLListener(listeners[0], nobodys)])
    nursery.start_soon(trio.serve_listeners, answer, listeners[1:])
    ports = [listener.socket.getsockname()[1] for listener in listeners]
    yield [
        Source("shield", f"{scheme}://127.0.0.1:{port}", tier)
        for tier, (scheme, port) in enumerate(zip(("https", "https", "http"), ports, strict=True))
    ]
    nursery.cancel_scope.cancel()


async def test_errors_of_tls_are_an_outcome_like_others(sources: list[Source]) -> None:
    async with client() as http:
        origin = Origin(http, sources, Random(1))
        assert await origin.fetch_chunk(blake3(DATA).digest(), len(DATA)) == DATA
        assert [facts.outcomes for facts in origin.snapshot()] == [{"unreachable": 1}, {"unreachable": 1}, {"ok": 1}]
