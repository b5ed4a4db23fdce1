"""Join tokens as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pd.identity.enrolment import signed_by_token
from p2pd.identity.errors import IdentityError
from p2pd.identity.token import JoinToken, read_token
from p2pd.world.network import Identity

TOKEN = JoinToken(bytes(range(32)), b"root", Identity("", "eu", "daemon", fleet="fleet"))


def test_a_token_comes_back_from_its_one_line() -> None:
    line = TOKEN.text()
    assert read_token(f" {line}\n") == TOKEN
    assert line.isascii()
    assert "\n" not in line


def test_neither_its_picture_nor_an_error_gives_it_away() -> None:
    secret = TOKEN.text()[9:40]
    assert repr(TOKEN) == "<JoinToken of daemon in eu>"
    with pytest.raises(IdentityError) as caught:
        read_token(TOKEN.text()[:-5] + "!")
    assert secret not in str(caught.value)


def test_what_it_signs_only_its_public_half_verifies() -> None:
    other = JoinToken(bytes(32), b"root", TOKEN.identity)
    signature = TOKEN.sign(b"request")
    assert signed_by_token(TOKEN.id, b"request", signature)
    assert not signed_by_token(TOKEN.id, b"other request", signature)
    assert not signed_by_token(other.id, b"request", signature)
    assert not signed_by_token(b"no key", b"request", signature)


@given(st.text(max_size=80) | st.from_regex(r"\Ap2pjoin1\.[A-Za-z0-9_-]{0,80}\Z"))
def test_any_text_is_a_token_or_an_error(text: str) -> None:
    try:
        assert read_token(text).text() == text.strip()
    except IdentityError:
        pass
