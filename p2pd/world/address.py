"""Addresses as text: `host:port`, with an IPv6 host in brackets."""

import ipaddress


def split_address(address: str) -> tuple[str, int]:
    """Host and port of `127.0.0.1:4000`, `[::1]:4000` or `name:4000`; ValueError, meant for a person, otherwise."""
    host, colon, port = address.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not colon or not bare or (":" in bare) != (bare is not host):
        raise ValueError(f"{address!r} is not host:port (an IPv6 host goes in brackets: [::1]:4000)")
    if not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise ValueError(f"{address!r} has no port between 0 and 65535")
    return bare, int(port)


def join_address(host: str, port: int) -> str:
    """The text for a host and a port."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_loopback(address: str) -> bool:
    """Whether a host and a port are on this machine for certain: `localhost`, or an address of loopback. So does an
    address that is none count, for there is nobody at all."""
    try:
        host, _ = split_address(address)
    except ValueError:
        return True
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
