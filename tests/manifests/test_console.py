"""How all commands speak."""

import json
from argparse import ArgumentParser, Namespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests import console, errors
from manifests.console import Console, UnreachableError, UsageError


@pytest.mark.parametrize(
    "text, count",
    [
        ("4096", 4096),
        ("64 KiB", 65536),
        ("64KiB", 65536),
        ("10MB", 10**7),
        ("1.5 GiB", 3 * 2**29),
        ("1k", 1024),
        ("7 B", 7),
    ],
)
def test_bytes_are_read(text: str, count: int) -> None:
    assert console.parse_bytes(text) == count


@pytest.mark.parametrize("text, seconds", [("30s", 30), ("250ms", 0.25), ("5 min", 300), ("2h", 7200), ("7d", 604800)])
def test_durations_are_read(text: str, seconds: float) -> None:
    assert console.parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "much", "-1", "1 parsec", "1 2", "1.2.3", "inf", "nan"])
def test_nonsense_is_no_amount(text: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        console.parse_bytes(text)


@pytest.mark.parametrize(
    "count, text", [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (3 * 2**30, "3.0 GiB"), (2**60, "1048576.0 TiB")]
)
def test_bytes_are_written_for_people(count: int, text: str) -> None:
    assert console.human_bytes(count) == text


@pytest.mark.parametrize(
    "seconds, text",
    [(0.25, "250 ms"), (4.2, "4.2 s"), (185, "3 min 05 s"), (7800, "2 h 10 min"), (273_600, "3 d 4 h")],
)
def test_durations_are_written_for_people(seconds: float, text: str) -> None:
    assert console.human_duration(seconds) == text


@given(st.integers(0, 2**50))
def test_what_is_written_is_read_back_within_its_precision(count: int) -> None:
    assert console.parse_bytes(console.human_bytes(count)) == pytest.approx(count, rel=0.06)


def run(error: BaseException | None, *flags: str, answer: int = 0) -> int:
    parser = ArgumentParser("p2p-test")
    console.add_output_flags(parser)
    parser.set_defaults(command="go")

    def go(arguments: Namespace, out: Console) -> int:
        if error:
            raise error
        out.result({"digest": b"\1\2"}, lambda: print("words"))
        return answer

    return console.run_command(parser, flags, {"go": go})


@pytest.mark.parametrize(
    "error, code",
    [
        (UsageError("x"), 2),
        (UnreachableError("x"), 4),
        (errors.BadNameError("x"), 2),
        (errors.DigestMismatchError("x"), 3),
        (errors.ExpiredMetadataError("x"), 3),
        (errors.PublishError("x"), 1),
        (errors.StoreError("x"), 4),
        (errors.NoSuchBlobError("x"), 1),
        (errors.MetadataUnavailableError("x"), 4),
        (OSError("x"), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_an_error_has_its_exit_code(error: BaseException, code: int) -> None:
    assert run(error) == code


def test_an_error_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    run(UsageError("two\n lines"))
    assert capsys.readouterr().err == "p2p-test: two lines\n"


def test_a_bug_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        run(ZeroDivisionError())


def test_the_handlers_answer_is_the_exit_code() -> None:
    assert run(None, answer=3) == 3


def test_people_read_words(capsys: pytest.CaptureFixture[str]) -> None:
    run(None)
    assert capsys.readouterr().out == "words\n"


def test_programs_read_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    run(None, "--json")
    assert json.loads(capsys.readouterr().out) == {"digest": "0102"}


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    run(None, "--quiet")
    assert capsys.readouterr().out == ""


def test_without_a_terminal_progress_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    with Console().progress("working", 10) as bar:
        bar.advance(10)
    assert capsys.readouterr().err == ""


def test_a_table_shows_what_looks_like_markup_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    Console().table("", ("path", "#size"), [("[red]x[/red]", 1)])
    assert "[red]x[/red]" in capsys.readouterr().out


def test_a_table_that_no_terminal_shows_has_whole_paths(capsys: pytest.CaptureFixture[str]) -> None:
    path = "/".join(["directory"] * 30)
    Console().table("", ("#size", "path"), [(1, path)])
    assert path in capsys.readouterr().out


def test_an_error_of_the_system_is_told_without_its_number(capsys: pytest.CaptureFixture[str]) -> None:
    run(FileNotFoundError(2, "No such file or directory", "nowhere"))
    assert capsys.readouterr().err == "p2p-test: nowhere: No such file or directory\n"
