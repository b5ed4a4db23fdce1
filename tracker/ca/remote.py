"""`p2p-tracker ca token` and `revoke` by way of the tracker that has the authority. The token's secret stays here."""

import os
from argparse import Namespace
from typing import Any

import trio

from p2pd.identity.config import IdentityConfig
from p2pd.identity.keys import read_chain
from p2pd.papers import Papers
from p2pd.world.network import Identity
from tracker.client import connect
from tracker.operator_network import operator_network


def invite(arguments: Namespace, token: bytes, who: Identity, life_s: float) -> tuple[str, bytes]:
    """The fleet's name, and its root (DER) that goes into the token: the one that our own papers pin, which no tracker
    can change; on the tracker's own machine, the tracker's. CommandError, UnreachableError."""
    answer = trio.run(_invite, arguments, token, who, life_s)
    on_this_machine = os.sep in arguments.tracker
    return answer["fleet"], bytes.fromhex(answer["root"]) if on_this_machine else _pinned_root(arguments)


def revoke(arguments: Namespace) -> list[dict[str, str]]:
    """What was taken back. CommandError, UnreachableError."""
    revoked: list[dict[str, str]] = trio.run(_revoke, arguments)["revoked"]
    return revoked


async def _invite(arguments: Namespace, token: bytes, who: Identity, life_s: float) -> dict[str, Any]:
    network, by = operator_network(arguments)
    async with connect(network, arguments.tracker, by=by) as operator:
        uses, expires_s = arguments.uses, arguments.expires
        reason = arguments.reason
        return await operator.invite(token, who, uses=uses, expires_s=expires_s, life_s=life_s, reason=reason)


async def _revoke(arguments: Namespace) -> dict[str, Any]:
    network, by = operator_network(arguments)
    async with connect(network, arguments.tracker, by=by) as operator:
        return await operator.revoke(arguments.host or "", serial=arguments.serial or "", reason=arguments.reason)


def _pinned_root(arguments: Namespace) -> bytes:
    path = Papers(IdentityConfig(directory=arguments.identity), "").files.root
    with open(path, "rb") as file:
        return read_chain(file.read())[0]
