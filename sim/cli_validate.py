"""`p2p-sim validate`: the simulator against closed forms and published results, as a table."""

from argparse import Namespace

from manifests.console import EXIT_FAILED, EXIT_OK, Console


def validate(arguments: Namespace, console: Console) -> int:
    """Run all checks; 1 when one of them does not hold."""
    from sim.validation import CHECKS

    found = [(check, outcome) for check in CHECKS for outcome in check.run()]
    rows = [
        (check.name, one.what, f"{one.expected:.4g}", f"{one.measured:.4g}", "holds" if one.holds else "FAILS")
        for check, one in found
    ]
    checks = [
        {
            "check": check.name, "source": check.source, "what": one.what, "expected": one.expected,
            "measured": one.measured, "low": one.low, "high": one.high, "holds": one.holds,
        }
        for check, one in found
    ]  # fmt: skip
    head = ("check", "what", "#expected", "#measured", "")
    console.result({"checks": checks}, lambda: console.table("", head, rows))
    return EXIT_OK if all(one.holds for _, one in found) else EXIT_FAILED
