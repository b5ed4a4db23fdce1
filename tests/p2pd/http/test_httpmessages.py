"""Heads are read strictly, and written so that none breaks out of its line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pd.httpmessages import HEAD_BYTES_MAX, BadRequest, Request, RequestReader, Response, render_head

GET = b"GET /a/b?c=d HTTP/1.1\r\nHost: x\r\nRange: bytes=0-1\r\n\r\n"


def read(data: bytes) -> Request | None:
    reader = RequestReader()
    reader.feed(data)
    return reader.next_request()


def refused(data: bytes) -> int:
    with pytest.raises(BadRequest) as caught:
        read(data)
    return caught.value.status


def test_a_request_is_taken_apart() -> None:
    assert read(GET) == Request("GET", "/a/b", "c=d", {"host": "x", "range": "bytes=0-1"})


def test_a_path_is_not_decoded() -> None:
    request = read(b"GET /%2e%2e/x HTTP/1.1\r\nHost: x\r\n\r\n")
    assert request is not None
    assert request.path == "/%2e%2e/x"


def test_a_proxy_may_send_the_whole_url() -> None:
    request = read(b"GET http://x:1/a?b HTTP/1.1\r\nHost: x:1\r\n\r\n")
    assert request is not None
    assert (request.path, request.query) == ("/a", "b")


@given(st.lists(st.integers(1, len(GET) * 3), max_size=8).map(sorted))
def test_it_does_not_matter_how_bytes_arrive(cuts: list[int]) -> None:
    """Invariant: three requests in any fragments are three requests."""
    reader, found, data = RequestReader(), 0, GET * 3
    for start, stop in zip([0, *cuts], [*cuts, len(data)], strict=True):
        reader.feed(data[start:stop])
        while reader.next_request():
            found += 1
    assert (found, reader.empty) == (3, True)


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    """Invariant: whatever comes is a request, not yet one, or BadRequest with an error's status."""
    status = 400
    try:
        read(data + b"\r\n\r\n")
    except BadRequest as error:
        status = error.status
    assert 400 <= status < 600


@pytest.mark.parametrize(
    "status, data",
    [
        (413, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na"),
        (413, b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n folded\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 1\r\n\r\n"),
        (400, b"GET nowhere HTTP/1.1\r\nHost: x\r\n\r\n"),
        (501, b"FETCH / HTTP/1.1\r\nHost: x\r\n\r\n"),
        (505, b"GET / HTTP/2.0\r\nHost: x\r\n\r\n"),
        (431, b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * HEAD_BYTES_MAX),
        (431, b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * HEAD_BYTES_MAX + b"\r\n\r\n"),
    ],
)
def test_what_can_not_be_served_is_refused(status: int, data: bytes) -> None:
    assert refused(data) == status


def test_a_request_of_zero_bytes_has_no_body() -> None:
    assert read(b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n") is not None


def test_an_offered_upgrade_is_ignored() -> None:
    request = read(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
    assert request is not None
    assert request.path == "/"


def test_a_field_can_not_break_out_of_its_line() -> None:
    with pytest.raises(ValueError, match="line break"):
        render_head(Response(200, {"A": "b\r\nSet-Cookie: c"}), keep_alive=True, date="now")


def test_what_is_not_modified_has_no_length() -> None:
    assert b"Content-Length" not in render_head(Response(304), keep_alive=True, date="now")


@pytest.mark.parametrize(
    "version, connection, kept",
    [
        ("1.1", "", True),
        ("1.1", "Close", False),
        ("1.1", "x, close", False),
        ("1.0", "", False),
        ("1.0", "Keep-Alive", True),
    ],
)
def test_a_connection_is_kept_as_the_client_wants(version: str, connection: str, kept: bool) -> None:
    request = read(f"GET / HTTP/{version}\r\nHost: x\r\nConnection: {connection}\r\n\r\n".encode())
    assert request is not None
    assert request.keep_alive is kept
