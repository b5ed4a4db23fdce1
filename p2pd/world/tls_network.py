"""TLS 1.3 behind the seam: who dials and who is dialled prove to be of the same fleet before a byte of ours passes.

Two of us go on in sealed frames, under keys that each sends over TLS (`sealed`).
"""

import os
import ssl
import weakref
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final, NoReturn

import trio

from p2pd.identity.certificate import Certificate, check_time
from p2pd.identity.errors import IdentityError

from . import sealed, tcp
from .credentials import Credentials
from .gate import PLACE_S, Gate
from .network import Identity, UnprovenError
from .sealed import SealedFrames
from .tcp import TcpSocket
from .tls_pump import TlsPump
from .tls_stream import Pump, Scratch, TlsStream, shake_hands

HANDSHAKE_S: Final = 10.0
"""From the accepted connection to the end of the handshake, waiting in line included."""
FIRST_BYTE_S: Final = 3.0
"""Who dials speaks first: a lost packet or two take no longer."""
SESSIONS_MAX: Final = 256
"""Servers remembered by their tickets, so that coming back to them costs a third less."""
TICKETS_MAX: Final = 64
"""Of these, such as have not been copied out of their connection yet: 30 KB each, and 0.1 to 0.2 ms to copy."""
LOOK_S: Final = 5.0
"""How often the files are looked at."""
SWEEP_S: Final = 60.0
"""How often connections are looked at whose certificate may have expired."""


class TlsNetwork:
    """`p2pd.world.network.Network` over TLS. `utc_now`: by what clock certificates are judged. `keep` must run."""

    url_scheme = "fleet"

    def __init__(self, credentials: Credentials, utc_now: Callable[[], float]) -> None:
        self.credentials = credentials
        self._utc_now = utc_now
        self._scratch = Scratch()
        self._streams: weakref.WeakSet[TlsStream] = weakref.WeakSet()
        self._sessions: dict[str, ssl.SSLSession] = {}
        self._tickets: dict[str, TlsPump] = {}
        """Connections to servers whose ticket came lately."""
        self._unsaved_lists = False
        self._adopted_gate = Gate()

    def __repr__(self) -> str:
        return f"<TlsNetwork of {self.credentials!r}, {len(self._streams)} connections>"

    @property
    def own(self) -> Certificate:
        """Our certificate; RuntimeError for a stranger, who has none."""
        if self.credentials.own is None:
            raise RuntimeError("a stranger has no certificate")
        return self.credentials.own

    # -- the seam -----------------------------------------------------------------------------------------------

    async def dial(self, address: str) -> TlsStream:
        """Connect and shake hands; UnprovenError when that fails, OSError when nobody is there."""
        stream = TlsStream(await tcp.dial(address), self._scratch, self._open_dialled)
        try:
            with trio.fail_after(HANDSHAKE_S):
                await stream.handshake()
        except trio.TooSlowError:
            stream.socket.close()
            raise UnprovenError(f"{address} does not shake hands within {HANDSHAKE_S:g} s") from None
        except trio.BrokenResourceError as error:
            stream.socket.close()
            raise UnprovenError(str(error)) from error
        except BaseException:
            stream.socket.close()
            raise
        return stream

    async def listen(self, address: str, *, strangers: bool = False) -> "TlsListener":
        """Listen at `host:port`; with `strangers` those who show no certificate come in too, and are marked so."""
        return TlsListener(self, await tcp.listen(address), self._scratch, strangers=strangers)

    def adopt(self, socket: TcpSocket, dialled: bool) -> TlsStream:
        """A stream over a connection that came about elsewhere."""
        return TlsStream(socket, self._scratch, self._open_dialled if dialled else self._open_adopted)

    def revoke(self, lists: Iterable[bytes]) -> tuple[bytes, ...]:
        """Take in signed lists, and end the connections of whom they name; all lists in force."""
        if self.credentials.take(lists):
            self._unsaved_lists = True
            self._sweep()
        return self.credentials.revocations.lists()

    # -- handshakes ---------------------------------------------------------------------------------------------

    async def _open_dialled(self, stream: TlsStream) -> Pump:
        address = stream.remote_address
        pump = TlsPump(self.credentials.client, server=False, session=self._session(address))
        await shake_hands(stream.socket, pump, self._scratch)
        self._admit(stream, pump)
        stream.ticket_came = partial(self._ticket_came, address, pump)
        return _speaking(pump)

    async def _open_adopted(self, stream: TlsStream) -> Pump:
        return await self.open_accepted(stream, self._adopted_gate, strangers=False)

    async def open_accepted(self, stream: TlsStream, gate: Gate, *, strangers: bool) -> Pump:
        """The handshake of one who dialled us; BrokenResourceError."""
        socket = stream.socket
        try:
            with trio.fail_after(HANDSHAKE_S):
                with trio.fail_after(FIRST_BYTE_S):
                    await socket.wait_readable()  # nothing is spent on whoever says nothing
                async with gate.place(stream.remote_address.rpartition(":")[0], socket.has_ended):
                    context = self.credentials.strangers if strangers else self.credentials.server
                    pump = TlsPump(context, server=True)
                    await shake_hands(socket, pump, self._scratch, PLACE_S)
        except trio.TooSlowError:
            raise trio.BrokenResourceError(f"{socket.remote_address} does not shake hands in time") from None
        self._admit(stream, pump)
        return _speaking(pump)

    def _admit(self, stream: TlsStream, pump: TlsPump) -> None:
        """Say who is there; BrokenResourceError if it is nobody of ours."""
        try:
            stream.certificate = self.credentials.prove(pump, self._utc_now())
        except IdentityError as error:
            raise trio.BrokenResourceError(f"{stream.remote_address}: {error}") from error
        stream.identity = stream.certificate.identity if stream.certificate else Identity(stranger=True)
        self._streams.add(stream)

    def _session(self, address: str) -> ssl.SSLSession | None:
        """To come back with; it is good for once."""
        pump = self._tickets.pop(address, None)
        return self._sessions.pop(address, None) if pump is None else pump.session

    def _ticket_came(self, address: str, pump: TlsPump) -> None:
        """Copied later: nobody is back within seconds, and whoever has just connected has better things to do."""
        self._tickets[address] = pump
        if len(self._tickets) > TICKETS_MAX:
            self._keep_session(next(iter(self._tickets)))

    def _keep_sessions(self) -> None:
        for address in list(self._tickets):
            self._keep_session(address)

    def _keep_session(self, address: str) -> None:
        session = self._tickets.pop(address).session
        if session is not None:
            if len(self._sessions) >= SESSIONS_MAX:
                del self._sessions[next(iter(self._sessions))]
            self._sessions[address] = session

    def forget_sessions(self) -> None:
        """Come back to nobody with a ticket: each belongs to the context that it came by."""
        self._sessions.clear()
        self._tickets.clear()

    # -- as time goes by ----------------------------------------------------------------------------------------

    async def keep(self) -> NoReturn:
        """See to changed files, new lists and expired certificates, until cancelled."""
        sweep_at = trio.current_time() + SWEEP_S
        while True:
            await trio.sleep(LOOK_S)
            self._keep_sessions()
            changed = self.look()
            if self._unsaved_lists:
                self._save_lists()
            if changed or trio.current_time() >= sweep_at:
                sweep_at = trio.current_time() + SWEEP_S
                self._sweep()

    def look(self) -> bool:
        """Read our papers again if they changed; True if so."""
        try:
            changed = self.credentials.look()
        except (IdentityError, OSError):
            return False  # perhaps half written; what we had counts until they fit
        if changed:
            self.forget_sessions()
        return changed

    def _save_lists(self) -> None:
        """So that a restart does not forget them."""
        self._unsaved_lists = False
        path = self.credentials.files.revoked
        if path:
            beside = f"{path}.new"
            with open(beside, "wb") as file:
                file.write(b"".join(self.credentials.revocations.lists()))
            os.replace(beside, path)

    def _sweep(self) -> None:
        """End the connections whose certificates don't count any more."""
        for stream in list(self._streams):
            if stream.certificate is not None and (problem := self._problem(stream.certificate)):
                stream.break_off(problem)

    def _problem(self, certificate: Certificate) -> str:
        try:
            check_time(certificate, (), self._utc_now())
            self.credentials.check(certificate)
        except IdentityError as error:
            return str(error)
        return ""


def _speaking(pump: TlsPump) -> Pump:
    """What both agreed on."""
    return SealedFrames(pump) if pump.protocol == sealed.PROTOCOL else pump


class TlsListener:
    """A listening TCP socket behind a gate."""

    def __init__(
        self, network: TlsNetwork, listener: trio.SocketListener, scratch: Scratch, *, strangers: bool
    ) -> None:
        self._network, self._listener, self._scratch, self._strangers = network, listener, scratch, strangers
        self._gate = Gate()
        self.address = tcp.bound_address(listener)

    def __repr__(self) -> str:
        return f"<TlsListener at {self.address}, {self._gate!r}>"

    async def accept(self) -> TlsStream:
        """The next one who dialled; nothing of the handshake is done yet."""
        socket: TcpSocket = await tcp.accept(self._listener)
        return TlsStream(socket, self._scratch, self._open)

    async def _open(self, stream: TlsStream) -> Pump:
        return await self._network.open_accepted(stream, self._gate, strangers=self._strangers)

    async def aclose(self) -> None:
        """Stop listening."""
        await self._listener.aclose()
