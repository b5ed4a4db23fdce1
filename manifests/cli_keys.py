"""`p2p-manifest keys`, and how commands come by passphrases."""

import getpass
import os
import sys
from argparse import Namespace
from pathlib import Path

from .console import EXIT_OK, Console, UsageError
from .errors import SigningError
from .keys import PassphraseNeededError, is_public, link_key, load_public, load_signer, new_key
from .tuf_api import Key, Signer


def new(arguments: Namespace, console: Console) -> int:
    """`keys new`."""
    if not arguments.name or "/" in arguments.name:
        raise UsageError("a key's name is a plain file name; say where with --directory")
    directory = Path(arguments.directory)
    if arguments.uri:
        if not arguments.public:
            raise UsageError("--uri says where the private key is; give its public key with --public")
        pair = link_key(arguments.name, directory, arguments.uri, Path(arguments.public).read_bytes())
    elif arguments.unencrypted:
        pair = new_key(arguments.name, directory)
    else:
        pair = new_key(arguments.name, directory, _passphrase(arguments, f"passphrase of {arguments.name}", twice=True))
    value = {"keyid": pair.keyid, "private": str(pair.private), "public": str(pair.public)}
    console.result(value, lambda: print(f"{pair.private} (keep it secret)\n{pair.public}\nkey id {pair.keyid}"))
    return EXIT_OK


def show(arguments: Namespace, console: Console) -> int:
    """`keys show`."""
    file = Path(arguments.file)
    private = not is_public(file)
    key = signer(arguments, str(file)).public_key if private else load_public(file)
    public = key.keyval["public"]
    value = {"keyid": key.keyid, "type": key.keytype, "public": public, "private": private}
    console.result(value, lambda: print(f"{key.keytype} {'private' if private else 'public'} key\nid {key.keyid}"))
    return EXIT_OK


def signer(arguments: Namespace, file: str) -> Signer:
    """The private key of a file; asks for its passphrase only if it has one. SigningError, OSError."""
    try:
        return load_signer(Path(file), ask=lambda what: _passphrase(arguments, f"{what} of {file}").decode())
    except PassphraseNeededError:
        return load_signer(Path(file), _passphrase(arguments, f"passphrase of {file}"))


def key_or_signer(arguments: Namespace, file: str) -> Key | Signer:
    """Somebody else's key is public, one's own is private."""
    return load_public(Path(file)) if is_public(Path(file)) else signer(arguments, file)


def own(keys: list[Key | Signer]) -> list[Signer]:
    """Those that can sign here."""
    return [key for key in keys if isinstance(key, Signer)]


def public(key: Key | Signer) -> Key:
    """What everybody may know of it."""
    return key.public_key if isinstance(key, Signer) else key


def _passphrase(arguments: Namespace, question: str, *, twice: bool = False) -> bytes:
    if arguments.passphrase_file:
        passphrase = Path(arguments.passphrase_file).read_bytes().rstrip(b"\r\n")
    elif from_environment := os.environ.get("P2P_KEY_PASSPHRASE"):
        passphrase = from_environment.encode()
    elif sys.stdin.isatty():
        passphrase = getpass.getpass(f"{question}: ").encode()
        if twice and getpass.getpass("the same again: ").encode() != passphrase:
            raise SigningError("that was not the same; nothing was made")
    else:
        passphrase = b""
    if not passphrase:
        raise UsageError(
            "no passphrase: give --passphrase-file or $P2P_KEY_PASSPHRASE, or run it in a terminal"
            + (" (or --unencrypted, for a key that a machine uses by itself)" if twice else "")
        )
    return passphrase
