"""What a release may be called."""

import pytest

from manifests.errors import BadNameError
from manifests.names import ReleaseName, parse_release


@pytest.mark.parametrize("text", ["shop@1.0", "a@1", "my_shop-2.x@v1.0+build.7-rc"])
def test_a_release_is_written_as_it_is_read(text: str) -> None:
    assert str(parse_release(text)) == text


@pytest.mark.parametrize(
    "text",
    ["", "shop", "@1", "shop@", "Shop@1", "../x@1", "shop@../1", "shop@1@2", "a/b@1", "x" * 65 + "@1", "shop@1\n"],
)
def test_another_name_is_refused(text: str) -> None:
    with pytest.raises(BadNameError):
        parse_release(text)


def test_a_release_name_can_not_be_made_wrong() -> None:
    with pytest.raises(BadNameError):
        ReleaseName("shop", "1/0")
