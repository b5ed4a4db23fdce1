"""What strangers on a LAN say: a notice or nothing, whatever the bytes."""

from hypothesis import given
from hypothesis import strategies as st

from p2pd.wire.lan import Notice, from_properties, prefixes_of, to_properties

SWARMS = [bytes([number]) * 32 for number in range(255)]
KEYS = st.sampled_from([b"v", b"node", b"fleet", b"h0", b"h1", b"h7", b"h9", b"else"])


def test_a_notice_survives_its_strings() -> None:
    notice = Notice("größe", "fleet", "192.0.2.1:7000", prefixes_of(SWARMS[:200]))
    properties = {key.encode(): value for key, value in to_properties(notice).items()}
    assert from_properties("192.0.2.1:7000", properties) == notice


def test_no_string_is_longer_than_dns_sd_allows() -> None:
    properties = to_properties(Notice("n" * 128, "f" * 128, "192.0.2.1:7000", prefixes_of(SWARMS)))
    assert max(len(key) + 1 + len(value) for key, value in properties.items()) <= 255


def test_of_too_many_swarms_the_first_are_told() -> None:
    assert prefixes_of(SWARMS * 2) == prefixes_of(SWARMS[:240])


def test_a_notice_knows_its_swarms() -> None:
    notice = Notice("node", "fleet", "192.0.2.1:7000", prefixes_of(SWARMS[:3]))
    assert notice.holds(SWARMS[2])
    assert not notice.holds(SWARMS[3])


@given(st.dictionaries(KEYS, st.none() | st.binary(max_size=255) | st.sampled_from([b"1", b"node"])))
def test_any_strings_are_a_notice_that_can_be_told_again_or_nothing(properties: dict[bytes, bytes | None]) -> None:
    notice = from_properties("192.0.2.1:7000", properties)
    if notice is not None:
        again = {key.encode(): value for key, value in to_properties(notice).items()}
        assert from_properties("192.0.2.1:7000", again) == notice
