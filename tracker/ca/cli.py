"""`p2p-tracker ca`: what it understands."""

import os
from argparse import ArgumentParser, ArgumentTypeError, RawDescriptionHelpFormatter
from typing import Final

from manifests.console import add_output_flags, parse_duration
from p2pd.wire.announce import GRADES

CA_VARIABLE: Final = "P2P_CA"
DEFAULT_IDENTITY: Final = "~/.config/p2p"
DEFAULT_CA: Final = "/var/lib/p2p-tracker/ca"
ROLES: Final = {"host": "daemon", "seeder": "seeder", "tracker": "tracker", **{grade: grade for grade in GRADES}}
"""As a person says it, and as it stands in a certificate."""
TOKEN_LIFE_S: Final = 3_600.0
_ROLE_HELP: Final = (
    "what it is: a machine; or a person who looks (viewer), also stops, takes back, deploys to a region (operator), "
    "also deploys everywhere and promotes (release-manager), or may do everything (admin)"
)
_PLACE_HELP: Final = "where it is: a region, or REGION/ZONE or REGION/ZONE/RACK where these are known (people: global)"
_EXAMPLE: Final = """\
example:
  p2p-tracker ca init /var/lib/p2p-tracker/ca --fleet example
  p2p-tracker ca token --role tracker --region eu-1 --output tracker-eu-1.token
  p2p-tracker ca token --role host --region eu-1 --uses 500 --expires 1h --output hosts.token
  p2p-tracker ca token --role host --region eu-1/hall-2/rack-7 --uses 40 --output rack-7.token
  p2p-tracker ca issue --role release-manager --host alice --output ~/.config/p2p
  p2p-tracker ca list
  p2p-tracker ca revoke --host host-17"""


def add_parser(parser: ArgumentParser) -> None:
    """The commands below `ca`."""
    parser.epilog, parser.formatter_class = _EXAMPLE, RawDescriptionHelpFormatter
    commands = parser.add_subparsers(dest="ca_command", required=True, metavar="COMMAND")
    init = commands.add_parser("init", help="make a fleet's authority")
    init.add_argument("directory", metavar="DIR", help="where; it must not hold one already")
    init.add_argument("--fleet", metavar="NAME", default="default", help="the fleet's name (default: default)")
    token = commands.add_parser("token", help="let machines join", description="Make a join token.")
    issue = commands.add_parser("issue", help="a certificate by hand", description="Issue a certificate by hand.")
    for command in (token, issue):
        _add_member_flags(command)
    token.add_argument("--host", metavar="NAME", default="", help="only this one, also if there is one of this name")
    token.add_argument("--uses", metavar="N", type=_count, default=1, help="how many machines may join (default: 1)")
    token.add_argument("--expires", metavar="TIME", type=_duration, default=TOKEN_LIFE_S,
                       help="how long it can be used (default: 1h)")  # fmt: skip
    token.add_argument("--output", metavar="FILE", help="write it there, readable for you only (default: print it)")
    issue.add_argument("--host", metavar="NAME", required=True, help="who it is for")
    issue.add_argument("--output", metavar="DIR", required=True, help="where identity.pem and root.pem are written")
    listing = commands.add_parser("list", help="tokens and certificates", description="Show what was given out.")
    listing.add_argument("--all", action="store_true", help="also what has expired (kept for 30 days)")
    status = commands.add_parser("status", help="how it stands", description="Show the authority itself.")
    revoke = commands.add_parser("revoke", help="take certificates back", description="Take certificates back.")
    which = revoke.add_mutually_exclusive_group(required=True)
    which.add_argument("--serial", metavar="HEX", help="this one")
    which.add_argument("--host", metavar="NAME", help="all of this node; it may join again with a new token")
    renew = commands.add_parser("renew", help="a new issuing authority", description="Sign a new issuing authority.")
    renew.add_argument("--root-key", metavar="FILE", required=True, help="the root's key, from where you keep it")
    for command in (token, issue, listing, status, revoke, renew):
        command.add_argument("--ca", dest="directory", metavar="DIR", default=os.environ.get(CA_VARIABLE) or DEFAULT_CA,
                             help=f"the authority's directory (default: ${CA_VARIABLE}, or {DEFAULT_CA})")  # fmt: skip
    for command in (token, revoke):
        _add_remote_flags(command)
    for command in (init, token, issue, listing, status, revoke, renew):
        add_output_flags(command, nested=True)


def _add_remote_flags(command: ArgumentParser) -> None:
    about = "have the tracker with the authority do it (host:port, or its socket); takes an admin's papers"
    command.add_argument("--tracker", metavar="ADDRESS", default="", help=about)
    command.add_argument("--identity", metavar="DIR", default=os.path.expanduser(DEFAULT_IDENTITY),
                         help=f"your papers, with --tracker (default: {DEFAULT_IDENTITY})")  # fmt: skip
    command.add_argument("--reason", metavar="TEXT", default="", help="why, for the audit, with --tracker")
    command.set_defaults(insecure=False)


def _add_member_flags(command: ArgumentParser) -> None:
    command.add_argument("--role", choices=list(ROLES), required=True, help=_ROLE_HELP)
    command.add_argument("--region", metavar="PLACE", default="", help=_PLACE_HELP)
    command.add_argument("--products", metavar="NAME,…", default="",
                         help="only releases of these, such as web,api-* (default: all)")  # fmt: skip
    command.add_argument("--attestation", metavar="KIND:DIGEST", default="",
                         help="the machine's attestation key, as `p2pd attest` shows it (default: any)")  # fmt: skip
    command.add_argument("--life", metavar="TIME", type=_duration, default=None,
                         help="how long a certificate counts (default: hosts and people 1d, others 7d)")  # fmt: skip


def _duration(text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= 1_000_000:
        raise ArgumentTypeError(f"{text!r} is not a number from 1 to 1000000")
    return int(text)
