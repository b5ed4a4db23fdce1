"""What a look at the metadata asks for, file by file, and what of it need not be verified twice."""

import pytest

from manifests.errors import ExpiredMetadataError, UntrustedReleaseError
from manifests.trust import TrustChain, Wanted
from manifests.tuf_api import Root, Signature
from tests.manifests.factory import NOW, RELEASE, Client, Publisher


def test_the_first_look_asks_for_the_chain_in_order(publisher: Publisher, client: Client) -> None:
    publisher.sign()
    publisher.promote()
    client.look_up()
    assert client.asked == [f"metadata/{name}.json" for name in
        ("2.root", "timestamp", "2.snapshot", "2.targets", "1.build-shop", "1.release-shop")]  # fmt: skip


def test_a_later_look_asks_only_whether_there_is_something_newer(publisher: Publisher, client: Client) -> None:
    publisher.sign()
    publisher.promote()
    client.look_up()
    client.asked.clear()
    client.look_up()
    assert client.asked == ["metadata/timestamp.json"]


def test_a_first_visit_asks_for_both_parties_lists_with_the_list_of_products(
    publisher: Publisher, client: Client
) -> None:
    chain, fetched, turns = TrustChain(publisher.root, client.cache, NOW.timestamp), dict[str, bytes | None](), []
    publisher.sign()
    publisher.promote()
    while isinstance(answer := chain.look_up(RELEASE, fetched), Wanted):
        turns.append({one.path for one in (answer, *answer.also)})
        for path in turns[-1]:
            fetched[path] = publisher.store.get(path) if path in publisher.store.list("metadata/") else None
    assert [len(turn) for turn in turns] == [1, 1, 1, 3]
    assert {path.split(".")[1] for path in turns[-1]} == {"targets", "build-shop", "release-shop"}


def test_what_is_in_the_cache_is_not_asked_for_on_the_way(publisher: Publisher, client: Client) -> None:
    publisher.sign()
    publisher.promote()
    client.look_up()
    publisher.add_product("till")
    publisher.promote()
    chain, fetched, asked = TrustChain(publisher.root, client.cache, NOW.timestamp), dict[str, bytes | None](), []
    while isinstance(answer := chain.look_up(RELEASE, fetched), Wanted):
        asked += [one.path for one in (answer, *answer.also)]
        for path in asked:
            fetched[path] = publisher.store.get(path) if path in publisher.store.list("metadata/") else None
    assert [path for path in asked if "shop" in path] == []


def test_what_was_verified_is_not_verified_again_for_the_next_file(
    publisher: Publisher, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified = []

    def record(root: Root, role: str, payload: bytes, signatures: dict[str, Signature]) -> None:
        verified.append(payload)
        verify(root, role, payload, signatures)

    verify = Root.verify_delegate
    publisher.sign()
    publisher.promote()
    monkeypatch.setattr(Root, "verify_delegate", record)
    client.look_up()
    assert len(client.asked) == 6
    assert len(verified) == len(set(verified)) == len(("root", "timestamp", "snapshot", "targets"))


def test_what_expires_between_two_turns_is_not_believed(publisher: Publisher, client: Client) -> None:
    publisher.sign()
    publisher.promote()
    now_s = NOW.timestamp()
    chain, fetched = TrustChain(publisher.root, client.cache, lambda: now_s), dict[str, bytes | None]()
    with pytest.raises(ExpiredMetadataError, match="timestamp"):
        while isinstance(answer := chain.look_up(RELEASE, fetched), Wanted):
            if "release-shop" in answer.path:
                now_s = publisher.timestamp().signed.expires.timestamp() + 1
            fetched[answer.path] = publisher.store.get(answer.path) if "root" not in answer.path else None
    assert "metadata/1.release-shop.json" in fetched


def test_other_files_are_verified_from_the_beginning(publisher: Publisher, client: Client) -> None:
    publisher.sign()
    publisher.promote()
    chain, fetched = TrustChain(publisher.root, client.cache, NOW.timestamp), dict[str, bytes | None]()
    while isinstance(answer := chain.look_up(RELEASE, fetched), Wanted) and "snapshot" not in answer.path:
        fetched[answer.path] = publisher.store.get(answer.path) if "root" not in answer.path else None
    with pytest.raises(UntrustedReleaseError, match="does not verify"):
        chain.look_up(RELEASE, {**fetched, "metadata/timestamp.json": b"{}"})
