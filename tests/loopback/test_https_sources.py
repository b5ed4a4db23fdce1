"""A CDN over real sockets: whoever nobody vouches for is left, and redirects go no further than they may."""

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


async def moved(stream: trio.abc.Stream) -> None:
    """The chunk is on the same host, under another name."""
    async with stream:
        while request := await stream.receive_some():
            if b"GET /moved" in request:
                await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(DATA), DATA))
            else:
                await stream.send_all(b"HTTP/1.1 302 Found\r\nLocation: /moved\r\nContent-Length: 0\r\n\r\n")


async def test_a_redirect_to_the_same_host_is_followed_and_one_to_a_host_that_nobody_configured_is_not(
    nursery: trio.Nursery,
) -> None:
    (here, elsewhere), visitors = [(await trio.open_tcp_listeners(0, host="127.0.0.1"))[0] for _ in range(2)], []
    ports = [one.socket.getsockname()[1] for one in (here, elsewhere)]

    async def visited(stream: trio.abc.Stream) -> None:
        visitors.append(stream)

    async def sends_away(stream: trio.abc.Stream) -> None:
        async with stream:
            await stream.receive_some()
            head = f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{ports[1]}/\r\nContent-Length: 0\r\n\r\n"
            await stream.send_all(head.encode())

    away = (await trio.open_tcp_listeners(0, host="127.0.0.1"))[0]
    for handler, listener in ((moved, here), (visited, elsewhere), (sends_away, away)):
        nursery.start_soon(trio.serve_listeners, handler, [listener])
    urls = [f"http://127.0.0.1:{one.socket.getsockname()[1]}" for one in (away, here)]
    async with client() as http:
        origin = Origin(http, [Source("cdn", url, tier) for tier, url in enumerate(urls)], Random(1))
        assert await origin.fetch_chunk(blake3(DATA).digest(), len(DATA)) == DATA
        assert [facts.outcomes for facts in origin.snapshot()] == [{"redirected": 1}, {"ok": 1}]
    assert not visitors
    nursery.cancel_scope.cancel()
