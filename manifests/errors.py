"""What can be wrong with a release, by who is to blame.

`ManifestError` is the base of all; its message is meant for a person and says what to do where that is known.
"""


class ManifestError(Exception):
    """Something about a manifest, a chunk or a release's signatures is not as it must be."""


class MalformedManifestError(ManifestError):
    """The bytes are not a manifest of this format, or break one of its limits. Theirs: refuse the release."""


class UnsafePathError(MalformedManifestError):
    """A path or link that would leave the target directory, or that not every file system can hold."""


class MalformedPackError(MalformedManifestError):
    """A pack's index, or an object in it, is not what its format says. Theirs: take the pieces as they are."""


class DigestMismatchError(ManifestError):
    """Bytes do not have the digest that was signed for. Theirs: drop who sent them."""


class UntrustedReleaseError(ManifestError):
    """The trust chain does not vouch for this release (a party missing, or the two disagree)."""


class ExpiredMetadataError(UntrustedReleaseError):
    """Signed once, but no longer: nothing may be installed until the publisher renews."""


class UnknownReleaseError(UntrustedReleaseError):
    """Neither party has signed a release of this name."""


class MetadataUnavailableError(ManifestError):
    """What the trust chain needs can't be had now (not at the store, or offline and not cached). Try again later."""


class BadNameError(ManifestError, ValueError):
    """A name that is no product, version or release. The caller's fault."""


class PublishError(ManifestError):
    """The publisher's own input can't be published as it is: a changing file, a socket, a version that is taken."""


class UnreleasableError(PublishError, UnsafePathError):
    """Paths of a tree that no release may hold: links that lead out, devices, special permission bits."""


class SigningError(ManifestError):
    """A key, passphrase or repository state that does not allow this signature. The publisher's own."""


class StoreError(ManifestError):
    """The blob store does not answer, or refuses. The world's fault: try again, or look at its URL and rights."""


class NoSuchBlobError(StoreError):
    """The store has nothing at this path."""


class BlobExistsError(StoreError):
    """Something else is at this path already, and it is one that is never overwritten."""
