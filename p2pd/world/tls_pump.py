"""One end of a TLS 1.3 connection without a socket: what arrives goes in, what is to be sent comes out; it never waits.

    step(arrived)          until it says that the handshake is over; then the peer's certificates are known
    seal(part)             plain bytes to send, as records
    open(arrived, buffer)  records that arrived, into a buffer as plain bytes
    close()                our last record

`ssl.SSLObject` does the cryptography. What costs is how it is fed: trio.SSLStream hands out one record of 16 KiB at a
time and takes 1.8 to 2 times the processor time of this pump.
"""

import ssl
from typing import Final

from .network import Buffer

SLICE_BYTES: Final = 32 * 1024
"""Passed through OpenSSL's memory buffers at a time. They never shrink: with 256 KiB an idle connection would keep half
a MiB for ever; with two records it keeps 70 KiB at most, at the same speed."""
RECORD_BYTES: Final = 16 * 1024 + 256
"""The largest record."""


class TlsError(Exception):
    """They broke the protocol, or did not prove who they are. The peer's fault: the connection can't be used."""


class TlsPump:
    """`ended`: they said that nothing more comes (we may still send). `sealed_bytes`: how much was sealed so far."""

    leaves_rest = False
    """All that arrives is taken in at once, so it must not be more than is wanted."""

    def __init__(self, context: ssl.SSLContext, *, server: bool, session: ssl.SSLSession | None = None) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=server, session=session)
        self.ended = False
        self.sealed_bytes = 0
        self.rest, self.more = memoryview(b""), False

    def __repr__(self) -> str:
        return f"<TlsPump {self._tls.version() or 'not TLS yet'}{', ended' if self.ended else ''}>"

    # -- handshake ----------------------------------------------------------------------------------------------

    def step(self, arrived: Buffer = b"") -> bool:
        """Go on with what arrived; True when the handshake is over. Send `outgoing` after each step, also after one
        that raised TlsError: it tells them why."""
        self._incoming.write(arrived)
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLError as error:
            raise TlsError(reason(error)) from error
        return True

    def outgoing(self) -> bytes:
        """What is to be sent now; empty when nothing is."""
        return self._outgoing.read()

    def end_of_stream(self) -> None:
        """The transport ended. TlsError unless they said goodbye before."""
        if not self.ended:
            raise TlsError("the connection ended in the middle, without a goodbye")

    @property
    def peer_certificate(self) -> bytes:
        """Theirs, DER; empty when they showed none."""
        return self._tls.getpeercert(binary_form=True) or b""

    @property
    def peer_issuers(self) -> list[bytes]:
        """The certificates above theirs as far as the root, DER; none after a resumed session, where they were
        verified before."""
        # The method is public from Python 3.13 on; before, it is there, and the same, on the object beneath.
        owner = self._tls if hasattr(self._tls, "get_verified_chain") else getattr(self._tls, "_sslobj")  # noqa: B009
        chain = owner.get_verified_chain() or ()
        return [one if isinstance(one, bytes) else one.public_bytes(_DER) for one in chain[1:]]

    @property
    def session(self) -> ssl.SSLSession | None:
        """To resume later, for who dialled; with TLS 1.3 it comes some time after the handshake."""
        if self._tls.server_side:
            return None  # asking makes a copy of it, certificates and all: 0.1 ms of the 2 that a connection takes
        session = self._tls.session
        return session if session is not None and session.has_ticket else None

    @property
    def protocol(self) -> str:
        """What both agreed to speak after the handshake; '' if on nothing."""
        return self._tls.selected_alpn_protocol() or ""

    @property
    def resumed(self) -> bool:
        """The handshake was a short one."""
        return bool(self._tls.session_reused)

    # -- data ---------------------------------------------------------------------------------------------------

    def seal(self, part: memoryview) -> list[bytes]:
        """Plain bytes as records, in runs to be sent one after the other."""
        sealed = []
        self.sealed_bytes += len(part)
        for start in range(0, len(part), SLICE_BYTES):
            try:
                self._tls.write(part[start : start + SLICE_BYTES])
            except ssl.SSLError as error:
                raise TlsError(reason(error)) from error
            sealed.append(self._outgoing.read())
        return sealed

    def open(self, arrived: memoryview, buffer: bytearray | memoryview) -> int:
        """Take in what arrived, and put the plain bytes that are there into the buffer: how many.

        When the buffer is full the rest waits for the next call, `arrived` empty. So nobody is kept waiting for bytes
        that are there, ask for what is left before waiting for more; and give no more than the buffer can hold, or
        a record.
        """
        room, got, fed = memoryview(buffer), 0, 0
        while not self.ended:
            try:
                while got < len(room):
                    count: int = self._tls.read(len(room) - got, room[got:])  # type: ignore[assignment]
                    if not count:
                        self.ended = True
                        return got
                    got += count
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLZeroReturnError:
                self.ended = True
                return got
            except ssl.SSLError as error:
                raise TlsError(reason(error)) from error
            if fed >= len(arrived):
                break
            self._incoming.write(arrived[fed : fed + SLICE_BYTES])
            fed += SLICE_BYTES
        return got

    def keep_rest(self) -> None:
        """There is none."""

    def unread(self) -> bytes:
        """What arrived behind the last record that was opened, as it came."""
        return self._incoming.read()

    def lacking(self, least: int) -> int:
        """So many bytes must arrive before `least` can be opened, not counting what TLS may hold of a record."""
        return max(1, least - RECORD_BYTES)

    def close(self) -> bytes:
        """Our goodbye, to be sent if that is possible at once: nobody waits for an answer to it."""
        try:
            self._tls.unwrap()
        except ssl.SSLError:
            pass  # it wants their goodbye, or the handshake was never done: either way there is nothing to wait for
        return self._outgoing.read()


_DER: Final = 2
"""`ssl.Certificate`'s own number for the encoding; the name is public from Python 3.13 on."""


def reason(error: ssl.SSLError) -> str:
    """What went wrong, for a person."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate: {error.verify_message}"
    words = (error.reason or str(error)).lower().replace("_", " ")
    if words.startswith(("tlsv1 alert", "tlsv13 alert", "sslv3 alert")):
        return f"they refused us: {words.split('alert ', 1)[1]}"
    return words
