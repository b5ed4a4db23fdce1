"""Ceremonies, as people hold them: each key on a machine of its own, and a look at what stands."""

import json
from pathlib import Path
from random import Random

import pytest
import securesystemslib.signer

from manifests.keys import link_key, load_signer, new_key
from manifests.tuf_api import CryptoSigner, Key, Signature, Signer
from tests.manifests.shell import Shell

HERE = "--store store --root root.json"
TARGETS = "--targets-key keys/targets.key"


@pytest.fixture
def shared(signed: Shell) -> Shell:
    """The release party of `shop` are ann and bob, and both must sign."""
    for name in ("ann", "bob"):
        signed(f"keys new {name} --unencrypted --directory keys")
    parties = "--build-key keys/build.pub --release-key keys/ann.pub --release-key keys/bob.pub --release-threshold 2"
    signed(f"repo add-product shop {parties} {TARGETS} {HERE}")
    return signed


def warnings(shell: Shell) -> list[str]:
    code, out = shell.run(f"repo status {HERE}")
    found: list[str] = json.loads(out)["warnings"]
    assert code == (1 if found else 0)
    return found


def test_a_repository_in_order_has_nothing_to_warn_of(signed: Shell) -> None:
    assert warnings(signed) == []


def test_status_tells_who_may_sign_what(shared: Shell) -> None:
    rows = {row["role"]: row for row in json.loads(shared.run(f"repo status {HERE}")[1])["roles"]}
    assert (rows["release-shop"]["threshold"], len(rows["release-shop"]["keys"])) == (2, 2)
    assert rows["build-shop"]["releases"] == 1


def test_status_warns_of_what_is_signed_and_not_shown(shared: Shell) -> None:
    assert "targets 3 is not promoted yet (clients see 2)" in warnings(shared)


def test_status_warns_of_what_expires(signed: Shell) -> None:
    assert "build-shop expires" in " ".join(json.loads(signed.run(f"repo status {HERE} --warn 200d")[1])["warnings"])


def test_status_refuses_a_repository_that_is_not_the_pinned_one(signed: Shell, tmp_path: Path) -> None:
    signed(f"repo init --store other --root-key keys/build.key {TARGETS} --online-key keys/online.key")
    assert signed.fails("repo status --store other --root root.json")[0] == 3


def test_two_sign_on_machines_of_their_own_and_only_metadata_travels(shared: Shell, tmp_path: Path) -> None:
    assert shared(f"sign shop@1.0 --party release --key keys/ann.key {HERE}")["missing"] == 1
    assert shared("repo copy --from store --to usb --release shop@1.0")["copied"] > 0
    assert not (tmp_path / "usb" / "chunks").exists()
    assert shared("sign shop@1.0 --party release --key keys/bob.key --store usb --root root.json")["missing"] == 0
    assert shared("repo copy --from usb --to store")["copied"] == 1
    shared(f"renew shop --party build --key keys/build.key {HERE}")
    shared(f"repo promote --key keys/online.key {HERE}")
    assert warnings(shared) == []
    assert shared(f"unpack shop@1.0 {HERE} --output out")["approved"]


def test_who_signs_a_copy_says_of_edits_what_the_others_say(shared: Shell, tmp_path: Path) -> None:
    """Or devices that have only a CDN would be told of none."""
    content = Random(1).randbytes(1_000_000)
    (tmp_path / "image").write_bytes(content)
    shared("publish image --product shop --version 2.0 --store store --profile device")
    (tmp_path / "image").write_bytes(content + b"!")
    shared("publish image --product shop --version 2.1 --store store --profile device --base 2.0")
    shared("repo copy --from store --to usb --release shop@2.1")
    for party, key, place in (("build", "build", "store"), ("release", "ann", "usb"), ("release", "bob", "usb")):
        shared(f"sign shop@2.1 --party {party} --key keys/{key}.key --store {place} --root root.json")
    said = {
        json.dumps(target["custom"]["edits"])
        for place in ("store", "usb")
        for path in sorted((tmp_path / place / "metadata").glob("*-shop.json"))[-2:]
        for name, target in json.loads(path.read_text())["signed"]["targets"].items()
        if name.endswith("/2.1")
    }
    assert said == {"[2]"}


def test_another_repository_is_not_copied_over(signed: Shell) -> None:
    signed(f"repo init --store other --root-key keys/build.key {TARGETS} --online-key keys/online.key")
    code, error = signed.fails("repo copy --from other --to store")
    assert (code, "two repositories" in error) == (2, True)


def test_a_draft_is_told_of_and_dropped(shared: Shell) -> None:
    shared(f"sign shop@1.0 --party release --key keys/ann.key {HERE}")
    assert "a draft of release-shop waits for signatures" in warnings(shared)
    assert shared(f"repo drop-draft release-shop {HERE}")["dropped"]
    assert shared.run(f"repo drop-draft release-shop {HERE}")[0] == 1


def test_a_revoked_keys_list_is_void_until_a_colleague_renews_it(signed: Shell) -> None:
    new = signed("keys new next --unencrypted --directory keys")
    old = signed("keys show keys/build.pub")["keyid"]
    parties = "--build-key keys/build.pub --build-key keys/next.pub --release-key keys/release.pub"
    signed(f"repo add-product shop {parties} {TARGETS} {HERE}")
    signed(f"repo revoke shop --party build --key-id {old[:12]} {TARGETS} {HERE}")
    assert any("build-shop 1, which clients see, no longer verifies" in one for one in warnings(signed))
    signed(f"sign shop@1.0 --party build --key {new['private']} {HERE}")
    signed(f"repo promote --key keys/online.key {HERE}")
    assert signed(f"unpack shop@1.0 {HERE} --output out")["approved"]


@pytest.mark.parametrize("keyid", ["5f1a", "0000000000"])
def test_a_key_that_is_not_named_clearly_is_not_revoked(signed: Shell, keyid: str) -> None:
    code, error = signed.fails(f"repo revoke shop --party build --key-id {keyid} {TARGETS} {HERE}")
    assert (code, "has not one key" in error) == (1, True)


def test_a_yanked_release_is_gone_at_once(signed: Shell) -> None:
    signed(f"yank shop@1.0 --party release --key keys/release.key --online-key keys/online.key {HERE}")
    assert signed.fails(f"unpack shop@1.0 {HERE} --output out")[0] == 3


def test_a_promoter_that_stays_shows_what_was_signed_since_and_outlives_a_store_that_is_away(
    signed: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store, away, looks = tmp_path / "store", tmp_path / "away", iter(range(9))

    def between_looks(seconds: float) -> None:
        match next(looks):
            case 0:
                store.rename(away)
            case 1:
                away.rename(store)
            case 2:
                raise KeyboardInterrupt

    signed(f"renew shop --party build --key keys/build.key {HERE}")
    monkeypatch.setattr("manifests.cli_sign.time.sleep", between_looks)
    code, out = signed.run(f"repo promote --key keys/online.key --every 30s {HERE}")
    assert code == 130
    assert [json.loads(line)["roles"]["build-shop"] for line in out.splitlines()] == [2]
    assert "no such directory" in signed.error


def test_a_timestamp_that_is_away_for_a_moment_does_not_send_its_number_back(signed: Shell, tmp_path: Path) -> None:
    shown = signed(f"repo promote --key keys/online.key {HERE}")["timestamp"]
    (tmp_path / "store" / "metadata" / "timestamp.json").unlink()
    assert signed(f"repo promote --key keys/online.key {HERE}")["timestamp"] == shown + 1


def test_a_root_is_made_by_two_in_turn(shell: Shell, tmp_path: Path) -> None:
    for name in ("one", "two", "targets", "online"):
        shell(f"keys new {name} --unencrypted --directory keys")
    more = "--root-threshold 2 --targets-key keys/targets.pub --online-key keys/online.pub --output root.json"
    first = shell(f"repo init --store store --root-key keys/one.key --root-key keys/two.pub {more}")
    assert (first["missing"], (tmp_path / "root.json").exists()) == (1, False)
    second = shell(f"repo init --store store --root-key keys/one.pub --root-key keys/two.key {more}")
    assert (second["missing"], (tmp_path / "root.json").exists()) == (0, True)


def test_the_list_of_products_is_renewed_with_nothing_changed(signed: Shell) -> None:
    done = signed(f"repo renew {TARGETS} {HERE}")
    assert (done["role"], done["missing"]) == ("targets", 0)
    assert f"targets {done['version']} is not promoted yet (clients see {done['version'] - 1})" in warnings(signed)
    signed(f"repo promote --key keys/online.key {HERE}")
    assert warnings(signed) == []
    assert signed(f"unpack shop@1.0 {HERE} --output out")["approved"]


def test_a_director_is_named_and_shown(signed: Shell) -> None:
    for name in ("director", "ann"):
        signed(f"keys new {name} --unencrypted --directory keys")
    signed(f"repo set-director --director-key keys/director.pub --operator-key keys/ann.pub {TARGETS} {HERE}")
    rows = {row["role"] for row in json.loads(signed.run(f"repo status {HERE}")[1])["roles"]}
    assert {"director", "operators"} <= rows


# ------------------------------------------------------------------------------------------ keys that are elsewhere


class Token(Signer):
    """A private key in a file, as if it were in a token: found by a URI of its own scheme."""

    def __init__(self, inner: Signer) -> None:
        self._inner = inner

    @property
    def public_key(self) -> Key:
        """The inner one's."""
        return self._inner.public_key

    @classmethod
    def from_priv_key_uri(cls, priv_key_uri: str, public_key: Key, secrets_handler: object = None) -> "Token":
        """`token:PATH`."""
        return cls(load_signer(Path(priv_key_uri.removeprefix("token:"))))

    def sign(self, payload: bytes) -> Signature:
        """As the inner one."""
        return self._inner.sign(payload)


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(getattr(securesystemslib.signer, "SIGNER_FOR_URI_SCHEME"), "token", Token)  # noqa: B009


def test_a_key_in_a_token_signs_like_any_other(signed: Shell, token: None) -> None:
    signed("keys new inner --unencrypted --directory token")
    made = signed("keys new build2 --directory keys --uri token:token/inner.key --public token/inner.pub")
    assert "PRIVATE" not in Path(made["private"]).read_text()
    parties = "--build-key keys/build2.pub --release-key keys/release.pub"
    signed(f"repo add-product shop {parties} {TARGETS} {HERE}")
    signed(f"sign shop@1.0 --party build --key keys/build2.key {HERE}")
    signed(f"repo promote --key keys/online.key {HERE}")
    assert signed(f"unpack shop@1.0 {HERE} --output out")["approved"]


def test_securesystemslibs_own_file_signer_is_found_by_its_uri(tmp_path: Path) -> None:
    pair = new_key("inner", tmp_path)
    link = link_key("linked", tmp_path, f"file2:{pair.private}", pair.public.read_bytes())
    signer = load_signer(link.private)
    assert isinstance(signer, CryptoSigner)
    assert signer.public_key.keyid == pair.keyid


def test_a_uri_that_leads_nowhere_is_the_users_own_fault(signed: Shell) -> None:
    signed("keys new far --directory keys --uri hsm:2?label=none --public keys/build.pub")
    code, error = signed.fails(f"sign shop@1.0 --party build --key keys/far.key {HERE}")
    assert (code, "can't be used" in error) == (1, True)


def test_keys_are_encrypted_unless_asked_otherwise(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("P2P_KEY_PASSPHRASE", raising=False)
    assert shell.fails("keys new build")[0] == 2
    monkeypatch.setenv("P2P_KEY_PASSPHRASE", "secret")
    assert "ENCRYPTED" in Path(shell("keys new build")["private"]).read_text()
