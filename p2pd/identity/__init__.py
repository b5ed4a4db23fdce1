"""Who is who in a fleet: what a certificate says, how long it counts, and how one is asked for. Pure.

uri            an identity as the URI in a certificate, and back
certificate    a certificate as a value; does it count now?
keys           private keys and bundles of certificates as PEM
enrolment      the request for a certificate, and what proves that one may have it
token          what a machine that joins is given
revocation     lists of certificates that do not count any more
renewal        when to ask for the next one
"""
