"""Durations that are divided, and what looks like one and is none."""

from __future__ import annotations

import pytest

from tests.integration.monitoring.faster import faster, faster_expression


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("rate(x[5m])", "rate(x[5000ms])"),
        ("x:rate5m", "x:rate5m"),
        ("sum_over_time(x[1h30m:1m] offset 1w)", "sum_over_time(x[90000ms:1000ms] offset 10080000ms)"),
        ("x offset -30s", "x offset -500ms"),
        ("max_over_time(x[1h:])", "max_over_time(x[60000ms:])"),
        ("x{code=~\"[5m]..\", path='a offset 5m'}[1m]", "x{code=~\"[5m]..\", path='a offset 5m'}[1000ms]"),
        ('x{a="\\"[5m]"} > 300', 'x{a="\\"[5m]"} > 300'),
        ("x - y{offset5m=`[5m]`}", "x - y{offset5m=`[5m]`}"),
    ],
)
def test_an_expression_is_60_times_faster(expression: str, expected: str) -> None:
    assert faster_expression(expression) == expected


def test_a_configuration_is_60_times_faster() -> None:
    config = {
        "global": {"scrape_interval": "30s", "scrape_timeout": "10s", "external_labels": {"for_team": "5m"}},
        "groups": [{"name": "5m", "interval": "1m", "rules": [{"alert": "5m", "expr": "x[5m]", "for": "2h"}]}],
        "sample_limit": 5,
    }
    assert faster(config) == {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "external_labels": {"for_team": "5m"}},
        "groups": [
            {"name": "5m", "interval": "1000ms", "rules": [{"alert": "5m", "expr": "x[5000ms]", "for": "120000ms"}]}
        ],
        "sample_limit": 5,
    }  # fmt: skip
