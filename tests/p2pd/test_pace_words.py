"""What `p2pd status` says of a deadline, and of what HTTP was used for."""

from p2pd.commands.ask import pace_words


def test_when_it_is_due() -> None:
    assert pace_words({"step": "fetch", "due_in_s": 90.0}) == "due in 1 min 30 s"


def test_that_it_is_overdue() -> None:
    assert pace_words({"step": "fetch", "due_in_s": -90.0}) == "due 1 min 30 s ago"


def test_what_is_here_is_due_no_longer() -> None:
    assert pace_words({"step": "kept", "due_in_s": -90.0}) == ""


def test_what_http_brought_and_why() -> None:
    paid = {"deadline": 3 * 2**20, "nothing moves": 2**10}
    assert (
        pace_words({"step": "kept", "http_bytes_by_reason": paid})
        == "by HTTP 3.0 MiB (deadline), 1.0 KiB (nothing moves)"
    )
