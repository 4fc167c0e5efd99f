"""Supported versions of EKS: what is said on which day, and that two tables of the same facts agree."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from components.kubernetes_versions import kubernetes_versions
from policies.security.eks_versions import supported_versions, why_not


def verdict(version: str, today: str, *, extended: bool = False, days_left: int = 0) -> str:
    return why_not(version, date.fromisoformat(today), extended=extended, days_left=days_left)


@pytest.mark.parametrize(
    ("today", "said"),
    [
        ("2026-12-02", ""),
        ("2026-12-03", "1.34 left standard support on 2026-12-02: since then it costs six times as much"),
        ("2027-12-02", "1.34 left standard support on 2026-12-02: since then it costs six times as much"),
        ("2027-12-03", "1.34 has had no support since 2027-12-02"),
    ],
)
def test_a_version_is_refused_from_the_day_after_its_support(today: str, said: str) -> None:
    assert verdict("1.34", today) == said


def test_extended_support_will_do_where_the_settings_say_so_and_no_longer_than_it_lasts() -> None:
    assert verdict("1.34", "2027-12-02", extended=True) == ""
    assert "no support" in verdict("1.34", "2027-12-03", extended=True)


def test_days_to_upgrade_count_from_today() -> None:
    assert verdict("1.34", "2026-11-02", days_left=30) == ""
    assert verdict("1.34", "2026-11-03", days_left=30) == (
        "1.34 is only supported until 2026-12-02, in less than 30 days"
    )
    assert verdict("1.34", "2026-11-03", days_left=30, extended=True) == ""


def test_a_version_without_a_date_is_supported_and_one_that_is_not_listed_is_not() -> None:
    assert verdict("1.36", "2100-01-01", days_left=1000) == ""
    assert "none of the versions 1.23 to 1.36" in verdict("1.22", "2026-01-01")
    assert "too new" in verdict("1.99", "2026-01-01")
    assert "none of the versions" in verdict("1.3", "2026-01-01")


def test_the_table_is_in_order_and_extended_support_lasts_a_year() -> None:
    dated = [support for support in supported_versions().values() if support.standard_until]
    assert [support.standard_until for support in dated] == sorted(
        support.standard_until or date.max for support in dated
    )
    for support in dated:
        assert support.standard_until and support.extended_until
        assert timedelta(365) <= support.extended_until - support.standard_until <= timedelta(366)


def test_the_platform_and_its_rule_know_the_same_dates() -> None:
    platform = {name: version.standard_support_until for name, version in kubernetes_versions().items()}
    assert {name: supported_versions()[name].standard_until for name in platform} == platform
