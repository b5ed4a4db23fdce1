"""What can be wrong with a release, by who is to blame.

`ManifestError` is the base of all; its message is meant for a person and says what to do where that is known.
"""


class ManifestError(Exception):
    """Something about a manifest, a chunk or a release's signatures is not as it must be."""


class MalformedManifestError(ManifestError):
    """The bytes are not a manifest of this format, or break one of its limits. Theirs: refuse the release."""


class UnsafePathError(MalformedManifestError):
    """A path or link that would leave the target directory, or that not every file system can hold."""


class DigestMismatchError(ManifestError):
    """Bytes do not have the digest that was signed for. Theirs: drop who sent them."""


class UntrustedReleaseError(ManifestError):
    """The trust chain does not vouch for this release (a party missing, or the two disagree)."""


class ExpiredMetadataError(UntrustedReleaseError):
    """Signed once, but no longer: nothing may be installed until the publisher renews."""


class UnknownReleaseError(UntrustedReleaseError):
    """Neither party has signed a release of this name."""
