"""`p2p-manifest keys`, and how commands come by passphrases."""

import getpass
import os
import sys
from argparse import Namespace
from pathlib import Path

from .console import EXIT_OK, Console, UsageError
from .errors import SigningError
from .keys import PassphraseNeededError, load_public, load_signer, new_key
from .tuf_api import CryptoSigner


def new(arguments: Namespace, console: Console) -> int:
    """`keys new`."""
    if not arguments.name or "/" in arguments.name:
        raise UsageError("a key's name is a plain file name; say where with --directory")
    passphrase = _passphrase(arguments, f"new passphrase for {arguments.name}") if arguments.encrypt else None
    pair = new_key(arguments.name, Path(arguments.directory), passphrase)
    value = {"keyid": pair.keyid, "private": str(pair.private), "public": str(pair.public)}
    console.result(value, lambda: print(f"{pair.private} (keep it secret)\n{pair.public}\nkey id {pair.keyid}"))
    return EXIT_OK


def show(arguments: Namespace, console: Console) -> int:
    """`keys show`."""
    file = Path(arguments.file)
    try:
        key, private = load_public(file), False
    except SigningError:
        key, private = signer(arguments, str(file)).public_key, True
    public = key.keyval["public"]
    value = {"keyid": key.keyid, "type": key.keytype, "public": public, "private": private}
    console.result(value, lambda: print(f"{key.keytype} {'private' if private else 'public'} key\nid {key.keyid}"))
    return EXIT_OK


def signer(arguments: Namespace, file: str) -> CryptoSigner:
    """The private key of a file; asks for its passphrase only if it has one."""
    try:
        return load_signer(Path(file))
    except PassphraseNeededError:
        return load_signer(Path(file), _passphrase(arguments, f"passphrase of {file}"))


def _passphrase(arguments: Namespace, question: str) -> bytes:
    if arguments.passphrase_file:
        passphrase = Path(arguments.passphrase_file).read_bytes().rstrip(b"\r\n")
    elif from_environment := os.environ.get("P2P_KEY_PASSPHRASE"):
        passphrase = from_environment.encode()
    elif sys.stdin.isatty():
        passphrase = getpass.getpass(f"{question}: ").encode()
    else:
        passphrase = b""
    if not passphrase:
        raise UsageError("no passphrase: give --passphrase-file or $P2P_KEY_PASSPHRASE, or run it in a terminal")
    return passphrase
