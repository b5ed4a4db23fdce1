"""`p2pd attest`: what this machine can show of what it runs, and what it remembers of what it ran."""

import os
from argparse import Namespace
from typing import Any

from manifests.console import EXIT_OK, CommandError, Console, UsageError
from p2pd.attestation import AttestationError
from p2pd.attestation.evidence import key_name
from p2pd.attestation.loading import load_attestor
from p2pd.config import ENVIRONMENT_PREFIX, Config
from p2pd.settings import load


def attest(arguments: Namespace, console: Console) -> int:
    """UsageError where nothing is set; CommandError where it does not work."""
    config = load(Config, path=arguments.config, environment=os.environ, prefix=ENVIRONMENT_PREFIX, overrides={})
    attestor = load_attestor(config.attestation, config.state_directory)
    if attestor is None:
        raise UsageError('this machine shows nothing: set kind = "tpm" or "software" in the table [attestation]')
    products = sorted({config.product(service) for service in config.services})
    try:
        answer: dict[str, Any] = {
            "kind": attestor.kind,
            "key": key_name(attestor.kind, attestor.key()),
            "registers": {str(number): value.hex() for number, value in attestor.registers().items()},
            "sequences": {product: attestor.floor(product) for product in products},
        }
    except AttestationError as error:
        raise CommandError(str(error)) from error
    console.result(answer, lambda: _show(console, answer))
    return EXIT_OK


def _show(console: Console, answer: dict[str, Any]) -> None:
    console.say(answer["key"])
    if answer["registers"]:
        console.table("registers (SHA-256)", ("number", "holds"), answer["registers"].items())
    rows = [(product, "nothing yet" if floor is None else floor) for product, floor in answer["sequences"].items()]
    if rows:
        console.table("highest sequence that proved itself here", ("product", "sequence"), rows)
