"""`p2p-manifest tuf-client`: the interface that TUF's conformance suite drives. The suite itself runs outside."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from manifests.blobs import BlobStore
from manifests.cli import main
from manifests.names import ReleaseName
from tests.manifests.factory import Publisher

CONTENT = b"a manifest"
RELEASE = ReleaseName("shop", "1.0")


class Quiet(SimpleHTTPRequestHandler):
    """Files of a directory; says nothing."""

    def log_message(self, *arguments: object) -> None:
        """Nobody listens."""


class Site:
    """A repository over HTTP with one target, and a client's directories."""

    def __init__(self, directory: Path, url: str) -> None:
        self.directory, self.url = directory, url
        self.publisher = Publisher(BlobStore(str(directory / "site"), create=True), datetime.now(UTC))
        self.publisher.sign(RELEASE, sha256(CONTENT).digest(), length=len(CONTENT))
        self.publisher.promote()
        (directory / "root.json").write_bytes(self.publisher.root)
        self.put(CONTENT)

    def put(self, content: bytes) -> None:
        file = self.directory / "site" / "targets" / "build" / "shop" / f"{sha256(CONTENT).hexdigest()}.1.0"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)

    def init(self) -> int:
        return main([*self._flags, "init", str(self.directory / "root.json")])

    def refresh(self) -> int:
        return main([*self._flags, "--metadata-url", f"{self.url}/metadata", "refresh"])

    def download(self, *names: str) -> int:
        named = [word for name in names for word in ("--target-name", name)]
        targets = ["--target-base-url", f"{self.url}/targets", "--target-dir", str(self.directory / "got")]
        return main([*self._flags, "--metadata-url", f"{self.url}/metadata", *named, *targets, "download"])

    def got(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (self.directory / "got").glob("*")}

    @property
    def _flags(self) -> list[str]:
        return ["tuf-client", "--metadata-dir", str(self.directory / "cache")]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "site")))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield Site(tmp_path, f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_init_asks_nobody_and_keeps_the_root(site: Site) -> None:
    site.url = "http://127.0.0.1:1"
    assert site.init() == 0
    assert (site.directory / "cache" / "root.json").read_bytes() == site.publisher.root


def test_refresh_keeps_the_verified_roles_by_their_plain_names(site: Site) -> None:
    assert (site.init(), site.refresh()) == (0, 0)
    names = {path.name for path in (site.directory / "cache").glob("*.json")}
    assert names == {"root.json", "timestamp.json", "snapshot.json", "targets.json"}


def test_a_target_is_downloaded_under_its_quoted_name(site: Site) -> None:
    assert (site.init(), site.download("build/shop/1.0")) == (0, 0)
    assert site.got() == {"build%2Fshop%2F1.0": CONTENT}


def test_a_target_that_is_there_is_not_fetched_again(site: Site) -> None:
    site.init()
    site.download("build/shop/1.0")
    site.put(b"!")
    assert site.download("build/shop/1.0") == 0


@pytest.mark.parametrize("content", [b"A MANIFEST", CONTENT + b"!", b""])
def test_a_target_that_is_not_what_was_signed_is_refused(site: Site, content: bytes) -> None:
    site.put(content)
    assert (site.init(), site.download("build/shop/1.0")) == (0, 1)
    assert site.got() == {}


def test_the_first_target_that_fails_ends_it(site: Site) -> None:
    site.init()
    assert site.download("build/shop/2.0", "build/shop/1.0") == 1
    assert site.got() == {}


def test_a_repository_of_somebody_else_is_refused(site: Site) -> None:
    (site.directory / "root.json").write_bytes(Publisher(BlobStore("memory:///")).root)
    assert (site.init(), site.refresh()) == (0, 1)


def test_a_server_that_is_not_there_is_a_failure(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.init()
    site.url = "http://127.0.0.1:1"
    assert site.refresh() == 1
    assert "127.0.0.1:1/metadata/2.root.json" in capsys.readouterr().err


def test_what_is_missing_on_the_command_line_is_a_usage_error(site: Site) -> None:
    site.init()
    assert main([*site._flags, "refresh"]) == 2
