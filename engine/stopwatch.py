"""When something began and when it has ended, by a clock that may be set meanwhile."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Stopwatch:
    """Runs from when it is made. Times are whole seconds since 1970, as far as the machine's clock knows them."""

    start: int = field(default_factory=lambda: int(time.time()))
    _ticks: float = field(default_factory=time.monotonic)

    @property
    def end(self) -> int:
        """Now: as much later than ``start`` as time has passed, whatever the clock says by now."""
        return self.start + round(time.monotonic() - self._ticks)
