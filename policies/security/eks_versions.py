"""Which Kubernetes versions EKS supports, until when and at which price; the dates are in ``data/eks_versions.csv``."""

from __future__ import annotations

import csv
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

TABLE: Final = Path(__file__).parent / "data" / "eks_versions.csv"


@dataclass(frozen=True)
class Support:
    """The last days of standard and of extended support; None where none was published yet."""

    standard_until: date | None
    extended_until: date | None


@functools.cache
def supported_versions() -> Mapping[str, Support]:
    """The versions that the table has, oldest first."""
    lines = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return {
        row["version"]: Support(_day(row["standard_until"]), _day(row["extended_until"]))
        for row in csv.DictReader(lines)
    }


def why_not(version: str, today: date, *, extended: bool, days_left: int) -> str:
    """Why a cluster should not have this version; "" where it may. ``extended`` support will do if it is True."""
    support = supported_versions().get(version)
    if support is None:
        known = list(supported_versions())
        return (
            f"{version!r} is none of the versions {known[0]} to {known[-1]} of {TABLE.name}: too old, or too new for it"
        )
    needed = today + timedelta(days=days_left)
    if support.extended_until is not None and support.extended_until < today:
        return f"{version} has had no support since {support.extended_until}"
    if not extended and support.standard_until is not None and support.standard_until < today:
        return f"{version} left standard support on {support.standard_until}: since then it costs six times as much"
    until = support.extended_until if extended else support.standard_until
    if until is not None and until < needed:
        return f"{version} is only supported until {until}, in less than {days_left} days"
    return ""


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
