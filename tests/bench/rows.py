"""A line of the table of figures."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench.measure import Measured

ROOT: Final = Path(__file__).resolve().parents[2]
BEDPLATE: Final = str(Path(sys.executable).parent / "bedplate")
RUNS: Final = 3


@dataclass(frozen=True)
class Row:
    """``peer`` is the Pulumi CLI doing the same, where it can."""

    what: str
    ours: Measured
    peer: Measured | None = None

    def cells(self) -> list[str]:
        longer = self.peer is not None and self.peer.cut_off
        peer = f"{'over ' * longer}{self.peer.seconds:.1f} s" if self.peer else ""
        ratio = f"{'under ' * longer}{self.ours.seconds / self.peer.seconds:.2f}" if self.peer else ""
        return [self.what, f"{self.ours.seconds:.2f} s", f"{self.ours.mebibytes:.0f} MiB", peer, ratio]
