"""Error budgets: how fast a model uses up what its objective leaves, and when that is worth an alert.

Windows and factors are those of Google's "Site Reliability Workbook", chapter 5, "Multiwindow, Multi-Burn-Rate Alerts"
(2018): 2% of a month's budget within an hour, or 5% within six, wake somebody; 10% within three days wait for morning.
The short window beside each long one ends the alert soon after the cause has ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from components.observability.values import Alert, Recording, Severity

_SHORT: Final = ("5m", "30m", "1h", "2h", "6h")
_LONG: Final = ("1d", "3d")
# So many bad requests have to be in the long window: one of ten on a quiet night is no reason to get up.
_LEAST_BAD: Final = 5
_NEARLY_ALL: Final = 0.9
_PAGES: Final = (("1h", "5m", 14.4), ("6h", "30m", 6))
_TICKETS: Final = (("1d", "2h", 3), ("3d", "6h", 1))


@dataclass(frozen=True)
class Budget:
    """A kind of requests (``bad``) among others (``total``), both recorded as ``model:<name>:rate5m``.

    ``ratio`` is what the ratio of both is recorded as, ``allowed`` the part of them that may be bad, by model.
    """

    bad: str
    total: str
    ratio: str
    allowed: str

    def recent(self) -> list[Recording]:
        """The windows up to six hours."""
        return [self._window(window) for window in _SHORT]

    def long(self) -> list[Recording]:
        """The long windows, which cost more and change less, and what is left of 30 days' budget (1 is all)."""
        # Thirty days of 5m rates are many samples; of the hours' ratios, weighted by their requests, they are few.
        bad, total = f"model:{self.bad}:rate1h", f"model:{self.total}:rate1h"
        spent = f"sum_over_time({bad}[30d:1h]) / (sum_over_time({total}[30d:1h]) > 0)"
        left = f"1 - ({spent}) / on (model) group_left () {self.allowed}"
        return [
            *(self._window(window) for window in _LONG),
            Recording(f"model:{self.ratio}_budget:left30d", left, "percentunit"),
        ]

    def hourly(self) -> list[Recording]:
        """What the month's budget is made from."""
        return [
            Recording(f"model:{name}:rate1h", f"avg_over_time(model:{name}:rate5m[1h])", "reqps")
            for name in (self.total, self.bad)
        ]

    def _window(self, window: str) -> Recording:
        bad, total = f"model:{self.bad}:rate5m", f"model:{self.total}:rate5m"
        if window != "5m":
            bad, total = f"avg_over_time({bad}[{window}])", f"avg_over_time({total}[{window}])"
        return Recording(f"model:{self.ratio}:rate{window}", f"clamp_max({bad} / ({total} > 0), 1)", "percentunit")

    def fast(self, name: str, what: str) -> Alert:
        """It wakes somebody; ``what`` the bad requests are, such as 'fail'."""
        return self._alert(name, what, "five days or less", _PAGES, 120, Severity.PAGE)

    def slow(self, name: str, what: str) -> Alert:
        """It can wait; it belongs to the rules of the long windows."""
        return self._alert(name, what, "the month or sooner", _TICKETS, 3600, Severity.TICKET)

    def _alert(
        self, name: str, what: str, end: str, windows: Sequence[tuple[str, str, float]], lasts: int, severity: Severity
    ) -> Alert:
        ratio = "{{ $value | humanizePercentage }} of the requests"
        return Alert(
            name,
            self._burns(windows),
            for_seconds=lasts,
            severity=severity,
            summary=f"{{{{ $labels.model }}}}: {ratio} {what}",
            description=f"{ratio} to {{{{ $labels.model }}}} {what}. If it goes on like this, the error budget of 30 "
            f"days is used up within {end}.",
        )

    def _burns(self, windows: Sequence[tuple[str, str, float]]) -> str:
        # `or` keeps one series a model, since both sides have the same labels. Where so much may be bad that no ratio
        # could exceed the factor, nearly all of it has to be bad.
        above = f"> on (model) group_left () clamp_max({{}} * {self.allowed}, {_NEARLY_ALL})"
        return "\nor\n".join(
            f"(model:{self.ratio}:rate{long} {above.format(factor)}\n"
            f"  and model:{self.ratio}:rate{short} {above.format(factor)}\n"
            f"  and {self._count(long)} >= {_LEAST_BAD})"
            for long, short, factor in windows
        )

    def _count(self, window: str) -> str:
        """How many bad requests there were: what there is no sample of, as after a restart, counts as none."""
        step, seconds = ("1h", 3600) if window in _LONG else ("5m", 300)
        return f"sum_over_time(model:{self.bad}:rate{step}[{window}:{step}]) * {seconds}"
