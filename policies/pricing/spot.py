"""What spot capacity costs of the on-demand price: a ratio by instance family, with its source.

The least that any size of a family saves, so that an estimate is rather too high. Spot is never dearer than on demand
(source: EC2 User Guide, "Spot Instance pricing"), so a family without a ratio counts in full.
"""

from __future__ import annotations

import csv
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_TABLE: Final = Path(__file__).parent / "data" / "spot_us_east_1.csv"
UNKNOWN_RATIO: Final = (1.0, "no spot ratio is known: on demand is the most that spot costs")


def spot_ratio(instance_type: str) -> tuple[float, str]:
    """The ratio of a type, and who says so."""
    return _ratios().get(instance_type.partition(".")[0], UNKNOWN_RATIO)


@functools.cache
def _ratios() -> Mapping[str, tuple[float, str]]:
    with _TABLE.open(encoding="utf-8", newline="") as lines:
        return {
            row["family"]: (float(row["ratio"]), f"spot at {row['ratio']}: {row['source']}")
            for row in csv.DictReader(lines)
        }
