"""Redirects: within what is configured, a few in a row, and never away from TLS."""

import httpx
import pytest
from trio.testing import MockClock

from p2pd.httpmessages import Request, Response
from p2pd.redirects import REDIRECTS_MAX, followed
from tests.p2pd.origin.test_origin import DATA, always, fetch, good, origin_of, outcomes

ASKED = httpx.URL("https://cdn.example/chunks/ab/abcd")
SOURCES = ("https://cdn.example/releases", "https://edge.example:8443/", "http://shield:8480")


@pytest.mark.parametrize(
    "location, target",
    [
        ("/edge/abcd", "https://cdn.example/edge/abcd"),
        ("abcd?token=1", "https://cdn.example/chunks/ab/abcd?token=1"),
        ("https://cdn.example:443/x", "https://cdn.example/x"),
        ("https://CDN.example/x", "https://cdn.example/x"),
        ("//edge.example:8443/x", "https://edge.example:8443/x"),
    ],
)
def test_the_same_host_and_configured_ones_are_gone_to(location: str, target: str) -> None:
    assert followed(ASKED, location, SOURCES) == httpx.URL(target)


@pytest.mark.parametrize(
    "location",
    [
        "https://elsewhere.example/x",
        "https://cdn.example:8443/x",
        "https://edge.example/x",
        "http://cdn.example/x",
        "http://shield:8480/x",
        "https://me:secret@cdn.example/x",
        "https://cdn.example@elsewhere.example/x",
        "https://cdn.example\\@elsewhere.example/x",
        "https://cdn.example.elsewhere.example/x",
        "ftp://cdn.example/x",
        "file:///etc/passwd",
        "https://[::1/x",
        "https://cdn.example:port/x",
    ],
)
def test_nobody_else_is_gone_to(location: str) -> None:
    assert followed(ASKED, location, SOURCES) is None


def test_what_is_asked_without_tls_is_not_sent_on_to_tls_either() -> None:
    assert followed(httpx.URL("http://shield:8480/x"), "https://cdn.example/x", SOURCES) is None


async def test_what_a_source_has_moved_comes_from_there_and_counts_as_its_own() -> None:
    async def moved(request: Request) -> Response:
        if request.path.startswith("/moved"):
            return Response(200, body=DATA)
        return Response(301, {"Location": f"/moved{request.path}"})

    async with origin_of(moved) as origin:
        assert await fetch(origin) == DATA
        assert outcomes(origin) == [{"ok": 1}]
        assert origin.bytes_by_source == {"shield": len(DATA)}


async def test_a_source_may_send_us_to_another_one() -> None:
    async with origin_of(always(302, Location="http://s1:80/there"), good) as origin:
        assert await fetch(origin) == DATA
        assert outcomes(origin) == [{"ok": 1}, {}]


@pytest.mark.parametrize("redirects, comes", [(REDIRECTS_MAX, True), (REDIRECTS_MAX + 1, False)])
async def test_only_so_many_redirects_are_followed(redirects: int, comes: bool, autojump_clock: MockClock) -> None:
    asked = 0

    async def round_and_round(request: Request) -> Response:
        nonlocal asked
        asked += 1
        return Response(200, body=DATA) if asked > redirects else Response(302, {"Location": f"/{asked}"})

    async with origin_of(round_and_round, good) as origin:
        assert await fetch(origin) == DATA
        assert outcomes(origin) == ([{"ok": 1}, {}] if comes else [{"redirected": 1}, {"ok": 1}])
        assert asked == REDIRECTS_MAX + 1
