"""The command, as people and scripts use it."""

import json
import subprocess
import sys
from collections.abc import Callable

import pytest

from manifests.cli import main
from tests.manifests.shell import Shell


def test_a_signed_release_unpacks_and_verifies(signed: Shell) -> None:
    signed("unpack shop@1.0 --store store --root root.json --output out")
    assert signed("verify out shop@1.0 --store store --root root.json")["ok"]


def test_a_release_that_one_party_signed_does_not_unpack(signed: Shell) -> None:
    (signed.directory / "tree/etc/conf").write_bytes(b"a=2")
    signed("publish tree --product shop --version 1.1 --store store")
    signed("sign shop@1.1 --party build --key keys/build.key --store store")
    signed("repo promote --store store --key keys/online.key")
    code, error = signed.fails("unpack shop@1.1 --store store --root root.json --output out")
    assert (code, "the release party is missing" in error, (signed.directory / "out").exists()) == (3, True, False)


def test_a_release_by_name_does_not_unpack_without_a_root(signed: Shell) -> None:
    code, error = signed.fails("unpack shop@1.0 --store store --output out")
    assert (code, "--root" in error) == (3, True)


def test_a_difference_is_exit_code_3(signed: Shell) -> None:
    (signed.directory / "tree/extra").write_bytes(b"")
    code, out = signed.run("verify tree shop@1.0 --store store --root root.json --ignore-times")
    assert (code, json.loads(out)["problems"]) == (3, [{"path": "extra", "what": "not in the manifest"}])


def test_inspect_tells_whether_signatures_were_checked(signed: Shell) -> None:
    found = [signed(f"inspect shop@1.0 --store store {root}")["approved"] for root in ("", "--root root.json")]
    assert found == [False, True]


def test_a_manifest_can_be_named_by_digest_or_file(shell: Shell) -> None:
    digest = shell("publish tree --product shop --version 1.0 --store store")["digest"]
    names = [f"{digest} --store store", f"store/manifests/{digest}"]
    assert {shell(f"inspect {name}")["digest"] for name in names} == {digest}


def test_inspect_lists_files_when_asked(shell: Shell) -> None:
    shell("publish tree --product shop --version 1.0 --store store")
    files = shell("inspect shop@1.0 --store store --files")["files"]
    assert [file["path"] for file in files] == ["bin", "bin/shop", "etc", "etc/conf", "latest"]


def test_diff_has_the_keys_that_scripts_lean_on(shell: Shell) -> None:
    shell("publish tree --product shop --version 1.0 --store store")
    (shell.directory / "tree/etc/conf").write_bytes(b"a=22")
    shell("publish tree --product shop --version 1.1 --store store")
    found = shell("diff shop@1.0 shop@1.1 --store store")
    assert {"new_bytes", "fetch_bytes", "requests", "reused", "files"} <= found.keys()


def test_publish_reports_what_was_new(shell: Shell) -> None:
    first = shell("publish tree --product shop --version 1.0 --store store")
    second = shell("publish tree --product shop --version 1.1 --store store")
    assert (first["new_bytes"], second["new_bytes"]) == (first["size_bytes"], 0)


def test_the_health_check_of_the_flags_is_in_the_manifest(shell: Shell) -> None:
    argv = ["publish", "tree", "--product", "shop", "--version", "1.0", "--store", "store"]
    assert main([*argv, "--health", "bin/shop --check 'two words'", "--health-timeout", "2 min", "--quiet"]) == 0
    health = shell("inspect shop@1.0 --store store")["health"]
    assert (health["argv"], health["timeout_s"]) == (["bin/shop", "--check", "two words"], 120.0)


def test_what_was_not_told_is_not_signed(signed: Shell) -> None:
    other = signed("publish tree/etc/conf --product till --version 1 --store store")["digest"]
    code, error = signed.fails(f"sign shop@1.0 --digest {other} --party build --key keys/build.key --store store")
    assert (code, "is the manifest of till@1" in error) == (1, True)


def test_a_revoked_release_does_not_unpack(signed: Shell) -> None:
    signed("revoke shop@1.0 --party build --key keys/build.key --store store")
    signed("repo refresh --store store --key keys/online.key")
    code, error = signed.fails("unpack shop@1.0 --store store --root root.json --output out")
    assert (code, "the build party is missing" in error) == (3, True)


def test_an_expired_timestamp_does_not_unpack(signed: Shell) -> None:
    signed("repo promote --store store --key keys/online.key --timestamp-expires 0s")
    code, error = signed.fails("unpack shop@1.0 --store store --root root.json --output out")
    assert (code, "expired" in error) == (3, True)


def test_a_rotated_root_is_followed(signed: Shell) -> None:
    signed("keys new next --unencrypted --directory keys")
    signed("repo rotate-root --store store --key keys/root.key --key keys/next.key --new-root-key keys/next.pub")
    signed("unpack shop@1.0 --store store --root root.json --output out")


def test_one_key_for_both_parties_is_refused(signed: Shell) -> None:
    parties = "--build-key keys/build.pub --release-key keys/build.pub"
    code, error = signed.fails(f"repo add-product till --store store {parties} --targets-key keys/targets.key")
    assert (code, "in both parties" in error) == (1, True)


@pytest.mark.parametrize("give", ["file", "environment"])
def test_an_encrypted_key_takes_its_passphrase_by(shell: Shell, monkeypatch: pytest.MonkeyPatch, give: str) -> None:
    (shell.directory / "secret").write_text("a passphrase\n")
    flag = "--passphrase-file secret" if give == "file" else ""
    if give == "environment":
        monkeypatch.setenv("P2P_KEY_PASSPHRASE", "a passphrase")
    keyid = shell(f"keys new build {flag}")["keyid"]
    assert shell(f"keys show build.key {flag}")["keyid"] == keyid


@pytest.mark.parametrize(
    "line, code",
    [
        ("inspect nowhere", 1),
        ("inspect shop@1.0", 2),
        ("inspect shop@1.0 --store nowhere", 4),
        ("inspect shop@9 --store .", 1),
        ("publish tree --product Shop --version 1 --store store", 2),
        ("inspect tree/etc/conf", 3),
    ],
)
def test_each_kind_of_failure_has_its_exit_code(shell: Shell, line: str, code: int) -> None:
    assert shell.fails(line)[0] == code


@pytest.mark.parametrize("line", ["", "repo", "keys", "inspect", "nonsense", "inspect x --nonsense"])
def test_a_wrong_command_line_is_exit_code_2(line: str) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(line.split())
    assert stopped.value.code == 2


HEAVY = ("rich", "tuf", "obstore", "msgpack", "cryptography", "trio", "httpx")


def test_help_loads_nothing_heavy() -> None:
    program = (
        "import sys; from manifests.cli import build_parser; build_parser().format_help(); "
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.strip() == "[]"


def human(shell: Shell, capsys: pytest.CaptureFixture[str]) -> Callable[[str], str]:
    def run(line: str) -> str:
        capsys.readouterr()
        assert main(line.split()) == 0
        return capsys.readouterr().out

    return run


def test_people_get_words(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    run = human(shell, capsys)
    said = run("publish tree --product shop --version 1.0 --store store")
    assert "shop@1.0 (sequence 1)" in said
    assert "signatures not checked" in run("inspect shop@1.0 --store store --files")
    assert "0 B of 97.6 KiB travel" in run("diff shop@1.0 shop@1.0 --store store")
