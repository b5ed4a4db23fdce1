"""Names of products, versions and releases: `product@version`."""

import re
from dataclasses import dataclass
from typing import Final

from .errors import BadNameError

_PRODUCT: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_VERSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")


@dataclass(frozen=True, slots=True)
class ReleaseName:
    """A product's version; `str()` gives `product@version`. Checked on construction: BadNameError."""

    product: str
    version: str

    def __post_init__(self) -> None:
        check_product(self.product)
        check_version(self.version)

    def __str__(self) -> str:
        return f"{self.product}@{self.version}"


def check_product(product: str) -> str:
    """The product again, or BadNameError: lower-case letters, digits, `.`, `_`, `-`; at most 64."""
    if not _PRODUCT.fullmatch(product):
        raise BadNameError(f"{product!r} is no product's name: lower-case letters, digits and ._- (at most 64)")
    return product


def check_version(version: str) -> str:
    """The version again, or BadNameError: letters, digits, `.`, `_`, `+`, `-`; at most 64."""
    if not _VERSION.fullmatch(version):
        raise BadNameError(f"{version!r} is no version: letters, digits and ._+- (at most 64)")
    return version


def parse_release(text: str) -> ReleaseName:
    """The ReleaseName of `product@version`; BadNameError otherwise."""
    product, at, version = text.partition("@")
    if not at:
        raise BadNameError(f"{text!r} is no release: write product@version")
    return ReleaseName(product, version)
