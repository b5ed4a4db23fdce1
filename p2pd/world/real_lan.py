"""DNS-SD by zeroconf. It lives in a thread of its own, so it is loaded only where LAN discovery is on (24 MB)."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import ifaddr
import trio
import xxhash
from zeroconf import Error as ZeroconfError
from zeroconf import InterfaceChoice, IPVersion, ServiceBrowser, ServiceInfo, ServiceStateChange, Zeroconf

from p2pd.wire.lan import SERVICE, Departed, Notice, from_properties, to_properties

from .address import join_address, split_address

NEWS_MAX: Final = 512
"""News not yet looked at. More are dropped: whoever stays says it again when it changes, and answers when asked."""
RESOLVE_MS: Final = 1_000
ANYWHERE: Final = ("0.0.0.0", "::", "")


class DnsSd:
    """The machine's LANs: those that the listening address belongs to, all for one that listens anywhere."""

    @asynccontextmanager
    async def join(self, own: Notice) -> AsyncIterator["DnsSdMember"]:
        """Say `own` and listen, until the block is left."""
        send, receive = trio.open_memory_channel[tuple[str, bool]](NEWS_MAX)
        token = trio.lowlevel.current_trio_token()

        def told(service: str, there: bool) -> None:
            try:
                send.send_nowait((service, there))
            except (trio.WouldBlock, trio.ClosedResourceError):
                pass  # see NEWS_MAX

        def changed(service: str, there: bool) -> None:  # in zeroconf's thread
            try:
                token.run_sync_soon(told, service, there)
            except trio.RunFinishedError:
                pass

        responder = await trio.to_thread.run_sync(_Responder, own, changed)
        try:
            with send, receive:
                yield DnsSdMember(responder, receive)
        finally:
            with trio.CancelScope(shield=True):
                await trio.to_thread.run_sync(responder.close)


class DnsSdMember:
    """Our being known."""

    def __init__(self, responder: "_Responder", news: trio.MemoryReceiveChannel[tuple[str, bool]]) -> None:
        self._responder, self._news = responder, news

    async def tell(self, own: Notice) -> None:
        """From now on we say this."""
        await trio.to_thread.run_sync(self._responder.tell, own)

    async def hear(self) -> tuple[str, Notice] | Departed:
        """The next news."""
        while True:
            service, there = await self._news.receive()
            if not there:
                return Departed(service)
            notice = await trio.to_thread.run_sync(self._responder.resolve, service)
            if notice is not None:
                return service, notice


class _Responder:
    """zeroconf's own objects; every call blocks. OSError where zeroconf says that it can't."""

    def __init__(self, own: Notice, changed: Callable[[str, bool], None]) -> None:
        host, _ = split_address(own.address)
        interfaces: Any = InterfaceChoice.All if host in ANYWHERE else [host]
        self._zeroconf = Zeroconf(interfaces=interfaces)
        try:
            self._zeroconf.register_service(_service(own), cooperating_responders=True)
        except (ZeroconfError, OSError) as error:
            self._zeroconf.close()
            raise OSError(f"DNS-SD: {error!r}") from error

        def on_change(zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
            changed(name, state_change is not ServiceStateChange.Removed)

        self._browser = ServiceBrowser(self._zeroconf, SERVICE, handlers=[on_change])

    def tell(self, own: Notice) -> None:
        try:
            self._zeroconf.update_service(_service(own))
        except ZeroconfError as error:
            raise OSError(f"DNS-SD: {error!r}") from error

    def resolve(self, service: str) -> Notice | None:
        try:
            info = self._zeroconf.get_service_info(SERVICE, service, RESOLVE_MS)
        except (ZeroconfError, OSError):
            return None
        addresses = info.parsed_scoped_addresses(IPVersion.All) if info is not None else []
        if info is None or not info.port or not addresses:
            return None
        return from_properties(join_address(addresses[0], info.port), info.properties)

    def close(self) -> None:
        self._zeroconf.close()


def _service(own: Notice) -> ServiceInfo:
    host, port = split_address(own.address)
    name = xxhash.xxh3_64_hexdigest(f"{own.fleet}/{own.node}".encode())
    return ServiceInfo(
        SERVICE,
        f"{name}.{SERVICE}",
        port=port,
        properties=to_properties(own),
        server=f"{name}.local.",
        parsed_addresses=_own_addresses() if host in ANYWHERE else [host],
    )


def _own_addresses() -> list[str]:
    """IPv4 addresses of this machine, without loopback: IPv6 ones of a LAN need a scope that is only known there."""
    found = [ip.ip for adapter in ifaddr.get_adapters() for ip in adapter.ips if isinstance(ip.ip, str)]
    return [ip for ip in found if not ip.startswith("127.")]
