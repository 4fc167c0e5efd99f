"""What a change costs, in one line of a preview's report; and as a part of its JSON document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from cli.views.lines import Line, Style
from cli.views.money import signed, usd
from policies.pricing import SIZES, Estimate, Sizes
from policies.pricing.compare import Change, Comparison

CURRENCY: Final = "USD"


def line(comparison: Comparison) -> list[Line]:
    """``cost  $41,260 → $41,385 a month (+$125; idle floor $1,980)``; nothing where nothing costs anything.

    What else has to be known stands in a line of its own: one with everything would be wider than a terminal.
    """
    if _is_empty(comparison):
        return []
    if _is_unknown(comparison):
        return [Line().add("  cost     ").add("not known", Style.YELLOW).add(f" ({_why(comparison.after)})")]
    text, style = Line().add("  cost     ", Style.PLAIN), _style(comparison.whole.delta.desired)
    whole = comparison.whole
    if whole.before.desired != whole.after.desired:
        text.add(f"{usd(whole.before.desired)} → ")
    text.add(usd(whole.after.desired), Style.STRONG).add(" a month (")
    text.add(_change(whole), style)
    idle, *further = remarks(comparison.after)
    lines = [text.add(f"; {idle})")]
    return [*lines, Line().add("           ").add("; ".join(further), Style.DIM)] if further else lines


def markdown(comparison: Comparison) -> str:
    """The same line in Markdown; '' where nothing costs anything."""
    if _is_empty(comparison):
        return ""
    if _is_unknown(comparison):
        return f"**cost** not known ({_why(comparison.after)})"
    whole = comparison.whole
    before = f"{usd(whole.before.desired)} → " if whole.before.desired != whole.after.desired else ""
    said = f"{before}**{usd(whole.after.desired)}** a month ({_change(whole)}; {'; '.join(remarks(comparison.after))})"
    return f"**cost** {said}".replace("$", "\\$")  # a pair of dollars is a formula to GitHub


def remarks(estimate: Estimate) -> list[str]:
    """What has to be known about an estimate beside its sum."""
    said = [f"idle floor {usd(estimate.idle)}"]
    if estimate.monthly.max > estimate.monthly.desired:
        said.append(f"at most {usd(estimate.monthly.max)}")
    if estimate.unpriced:
        said.append(f"{len(estimate.unpriced)} not priced")
    return said


def _is_empty(comparison: Comparison) -> bool:
    return not any((each.lines or each.unpriced) for each in (comparison.before, comparison.after))


def _is_unknown(comparison: Comparison) -> bool:
    """Whether there is no figure at all: that is not $0."""
    return not comparison.before.lines and not comparison.after.lines


def _why(after: Estimate) -> str:
    reasons = Counter(one.reason for one in after.unpriced).most_common(1)
    return f"{len(after.unpriced)} not priced" + (f": {reasons[0][0]}" if reasons else "")


def _change(whole: Change) -> str:
    return "unchanged" if whole.before == whole.after else signed(whole.delta.desired)


def _style(delta: float) -> Style:
    return Style.YELLOW if delta > 0 else Style.GREEN if delta < 0 else Style.DIM


# JSON


def section(comparison: Comparison) -> dict[str, Any]:
    """The costs in a preview's JSON document. USD a month."""
    after = comparison.after
    return {
        "currency": CURRENCY,
        "region": after.region,
        "before": sizes(comparison.before.monthly),
        "after": sizes(after.monthly),
        "delta": sizes(comparison.whole.delta),
        "idle": _rounded(after.idle),
        "usdPerGpuHour": None if after.usd_per_gpu_hour is None else round(after.usd_per_gpu_hour, 4),
        "byComponent": changes(comparison.by_component()),
        "byTeam": changes(comparison.by_team()),
        "byEnvironment": changes([comparison.whole]),
        "complete": not after.unpriced,
        "unpriced": unpriced(after),
    }


def changes(found: Sequence[Change]) -> list[dict[str, Any]]:
    """Changes by name."""
    return [
        {"name": one.name, "before": sizes(one.before), "after": sizes(one.after), "delta": sizes(one.delta)}
        for one in found
    ]


def sizes(amounts: Sizes) -> Mapping[str, float]:
    """Amounts with the pools at their sizes."""
    return {size: _rounded(amounts.at(size)) for size in SIZES}


def unpriced(estimate: Estimate) -> list[dict[str, str]]:
    """What is in no figure."""
    return [{"urn": one.origin.urn, "what": one.what, "reason": one.reason} for one in estimate.unpriced]


def _rounded(amount: float) -> float:
    return round(amount, 4) + 0.0  # no "-0.0"
