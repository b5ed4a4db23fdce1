"""Prometheus text, there and back."""

import pytest

from p2pd.prometheus import Sample, parse, render


def test_numbers_come_back_as_they_went() -> None:
    samples = [Sample("a_total", "A", 3, {"door": "http"}), Sample("a_total", "A", 4.5, {"door": "peer"})]
    assert parse(render([*samples, Sample("b", "B", 2**53)])) == {
        'a_total{door="http"}': 3,
        'a_total{door="peer"}': 4.5,
        "b": 2**53,
    }


def test_a_name_is_described_once() -> None:
    text = render([Sample("a_total", "What", 1, {"x": "1"}), Sample("a_total", "What", 1, {"x": "2"})])
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        "# HELP a_total What",
        "# TYPE a_total counter",
    ]


def test_a_page_that_is_no_metrics_is_refused() -> None:
    with pytest.raises(ValueError, match="not a metric: '<html>'"):
        parse("<html>\n")
