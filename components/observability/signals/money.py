"""Money: what runs costs now, whose it is, and what the month will come to against the budget.

Costs are those that OpenCost works out from prices on demand; without it there are none. What AWS bills, its own budget
watches, a day late.
"""

from __future__ import annotations

from typing import Final

from components.observability.signals.constants import OF_TEAM
from components.observability.values import Alert, Panel, Query, Recording, Severity, Signal, Threshold

_HOURS: Final = 730
_GIB: Final = 1073741824


def _of_containers(allocation: str, price: str, per: int = 1) -> str:
    amount = f"sum by (namespace, node) ({allocation} >= 0)" + (f" / {per}" if per > 1 else "")
    return f"sum by (namespace) ({amount} * on (node) group_left () max by (node) ({price} >= 0 < 10000))"


_PARTS: Final = (
    _of_containers("container_cpu_allocation", "node_cpu_hourly_cost"),
    _of_containers("container_memory_allocation_bytes", "node_ram_hourly_cost", _GIB),
    _of_containers("container_gpu_allocation", "node_gpu_hourly_cost"),
)
# Each part has its name as a label, or a namespace without GPUs would have no sum.
_LABELLED: Final = " or ".join(
    f'label_replace({part}, "part", "{name}", "", "")'
    for name, part in zip(("cpu", "memory", "gpu"), _PARTS, strict=True)
)

SPEND: Final = Signal(
    name="spend",
    title="Spend",
    area="money",
    interval_seconds=120,
    recordings=(
        Recording(
            "cluster:cost:usd_per_hour", "sum(max by (node) (node_total_hourly_cost >= 0 < 10000))", "currencyUSD"
        ),
        Recording(
            "team:cost:usd_per_hour", f"sum by (team) (sum by (namespace) ({_LABELLED}) {OF_TEAM})", "currencyUSD"
        ),
        Recording(
            "cluster:cost:usd_per_month", f"avg_over_time(cluster:cost:usd_per_hour[1d]) * {_HOURS}", "currencyUSD"
        ),
        Recording("team:cost:usd_per_month", f"avg_over_time(team:cost:usd_per_hour[1d]) * {_HOURS}", "currencyUSD"),
    ),
    alerts=(
        Alert(
            "SpendAboveBudget",
            'cluster:cost:usd_per_month > on () budget:limit:usd_per_month{team=""}',
            for_seconds=3600,
            severity=Severity.TICKET,
            summary='At this rate a month costs {{ $value | printf "%.0f" }} USD, more than the budget',
            description='What ran during the last day costs {{ $value | printf "%.0f" }} USD a month, which is more '
            "than "
            "the environment's budget. Nodes and their GPUs only: storage and traffic come on top.",
            platform=True,
        ),
        Alert(
            "TeamSpendAboveBudget",
            'team:cost:usd_per_month > on (team) budget:limit:usd_per_month{team!=""}',
            for_seconds=3600,
            severity=Severity.TICKET,
            summary='{{ $labels.team }}: at this rate a month costs {{ $value | printf "%.0f" }} USD, more than its '
            "budget",
            description="What team {{ $labels.team }} ran during the last day costs "
            '{{ $value | printf "%.0f" }} USD a month, which is more than its ceiling.',
        ),
    ),
    panels=(
        Panel(
            title="What a month costs at this rate",
            queries=(
                Query("cluster:cost:usd_per_month", "at the rate of the last day"),
                Query('budget:limit:usd_per_month{team=""}', "budget"),
            ),
            unit="currencyUSD",
            description="The last day's cost of nodes, for a month of it, and the budget.",
            minimum=0,
        ),
        Panel(
            title="What teams cost",
            queries=(Query("team:cost:usd_per_hour", "{{team}}"),),
            unit="currencyUSD",
            description="USD per hour of what a team's pods ask for, on demand.",
            minimum=0,
        ),
        Panel(
            title="Budget in use",
            queries=(
                Query("team:cost:usd_per_month / on (team) budget:limit:usd_per_month", "{{team}}", instant=True),
            ),
            unit="percentunit",
            description="What a team's month costs at this rate, as part of its ceiling.",
            kind="bargauge",
            width=24,
            thresholds=(Threshold(0.8, "orange"), Threshold(1, "red")),
            minimum=0,
        ),
    ),
)
