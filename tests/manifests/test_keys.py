"""Keys are secret, and are what they say."""

from pathlib import Path

import pytest

from manifests.errors import SigningError
from manifests.keys import PassphraseNeededError, load_public, load_signer, new_key


def test_the_private_key_is_for_its_owner_only(tmp_path: Path) -> None:
    assert new_key("build", tmp_path).private.stat().st_mode & 0o777 == 0o600


def test_both_files_are_the_same_key(tmp_path: Path) -> None:
    pair = new_key("build", tmp_path)
    assert load_signer(pair.private).public_key == load_public(pair.public)


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    new_key("build", tmp_path)
    with pytest.raises(SigningError, match="never overwritten"):
        new_key("build", tmp_path)


def test_an_encrypted_key_opens_with_its_passphrase(tmp_path: Path) -> None:
    pair = new_key("build", tmp_path, b"secret")
    assert load_signer(pair.private, b"secret").public_key.keyid == pair.keyid


def test_an_encrypted_key_needs_a_passphrase(tmp_path: Path) -> None:
    with pytest.raises(PassphraseNeededError):
        load_signer(new_key("build", tmp_path, b"secret").private)


def test_a_wrong_passphrase_opens_nothing(tmp_path: Path) -> None:
    with pytest.raises(SigningError, match="passphrase is wrong"):
        load_signer(new_key("build", tmp_path, b"secret").private, b"guess")


def test_a_public_key_does_not_sign(tmp_path: Path) -> None:
    with pytest.raises(SigningError, match="no private key"):
        load_signer(new_key("build", tmp_path).public)


def test_a_private_key_is_not_taken_for_a_public_one(tmp_path: Path) -> None:
    with pytest.raises(SigningError, match=r"give the \.pub file"):
        load_public(new_key("build", tmp_path).private)
