"""Rows 79 and 81: what a stack, a team, a change and a pool of machines may cost, held against the estimate of a plan.

The estimate is that of ``policies.pricing``, by the list prices of the region and those that the settings say were
agreed. What it can't price for want of a value, and machines that have no price at all, are no reason to pass: the rule
says which value is missing. What else has no price is in ``cost-known``.
"""

from __future__ import annotations

import functools
from collections.abc import Container, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from policies.budget.limits import STACK_FILES, Limits
from policies.budget.pack import BUDGET
from policies.kit import Finding, NotApplicable, Stack, Value
from policies.pricing import UNKNOWN, Estimate, Item, Size, Unpriced, Usage, estimate
from policies.pricing.agreed import SETTING
from policies.pricing.model import MachineHours
from policies.pricing.prices import prices_of

_USD: Final = {"type": "number", "exclusiveMinimum": 0}
_USAGE: Final = {
    "usage_file": {
        "type": "string",
        "description": "How much is used of what is billed by use, '' to assume it; the command line gives it "
        "(--usage). Default: usage.STACK.yaml beside the settings.",
    }
}
_SHOWN: Final = 3


@BUDGET.rule(
    "cost-ceiling",
    number=79,
    title="The stack is estimated below its ceiling",
    severity="high",
    fix="Declare less or smaller, or raise bedplate:cost.ceiling_usd (by default the monthly budget).",
    frameworks=("FinOps:Budgeting",),
    parameters={
        "ceiling_usd": {
            **_USD,
            "description": "USD/month; default: bedplate:cost.ceiling_usd, else monthly_budget_usd.",
        },
        **_USAGE,
    },
)
def cost_ceiling(stack: Stack, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """With pools at their desired sizes. A stack without a ceiling may cost what it likes."""
    ceiling = parameters.get("ceiling_usd") or _limits(stack).usd("ceiling_usd", "monthly_budget_usd")
    if ceiling is None:
        return
    found = estimate_of(stack, parameters.get("usage_file"))
    usd = found.monthly.desired
    if usd > ceiling:
        dearest = ", ".join(f"{name or 'the rest'} {cost.desired:,.0f}" for name, cost in _dearest(found))
        yield Finding(
            f"estimated at {usd:,.0f} USD a month, above the ceiling of {ceiling:,.0f} (most of it: {dearest})"
        )
    yield from _missing(stack, found)


@BUDGET.rule(
    "team-ceiling",
    number=79,
    title="What each team has is estimated below its ceiling",
    severity="high",
    fix="Declare less or smaller for the team, or raise its entry in bedplate:cost.team_ceilings_usd.",
    frameworks=("FinOps:Budgeting",),
    parameters={
        "ceilings_usd": {
            "type": "object",
            "additionalProperties": _USD,
            "description": "USD/month by team; default: bedplate:cost.team_ceilings_usd.",
        },
        **_USAGE,
    },
)
def team_ceiling(stack: Stack, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """Whose something is, its tag or label Team says. Teams without a ceiling of their own share the stack's."""
    given = parameters.get("ceilings_usd")
    ceilings = _limits(stack).by_team() if given is None else given
    if not ceilings:
        return
    found = estimate_of(stack, parameters.get("usage_file"))
    costs = found.by_team()
    for team, ceiling in ceilings.items():
        usd = costs[team].desired if team in costs else 0.0
        if usd > ceiling:
            yield Finding(f"team {team!r} is estimated at {usd:,.0f} USD a month, above its ceiling of {ceiling:,.0f}")
    yield from _missing(stack, found, teams=ceilings)


@BUDGET.rule(
    "cost-increase",
    number=79,
    title="One change adds no more to the costs than it may",
    severity="high",
    fix="Make the change in steps, or raise bedplate:cost.max_increase_usd or max_increase_percent for it.",
    frameworks=("FinOps:Budgeting",),
    parameters={
        "prior_monthly_usd": {
            "type": "number",
            "minimum": 0,
            "description": "What the stack was estimated at before the change (USD/month); the command line gives it.",
        },
        "max_usd": {**_USD, "description": "Default: bedplate:cost.max_increase_usd, else no limit."},
        "max_percent": {**_USD, "description": "Default: bedplate:cost.max_increase_percent, else no limit."},
        **_USAGE,
    },
)
def cost_increase(stack: Stack, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """A large step is to be one that somebody meant to take.

    What a stack cost before is only known where its state is: `bedplate preview` hands it over. Under the plain Pulumi
    CLI, and for a stack that is new, the rule does not apply; the ceiling does.
    """
    limits = _limits(stack)
    most = parameters.get("max_usd") or limits.usd("max_increase_usd")
    percent = parameters.get("max_percent") or limits.usd("max_increase_percent")
    if most is None and percent is None:
        return
    prior = parameters.get("prior_monthly_usd")
    if not prior:
        raise NotApplicable("what the stack cost before is not known, or nothing")
    found = estimate_of(stack, parameters.get("usage_file"))
    more = found.monthly.desired - prior
    if most is not None and more > most:
        yield Finding(f"the change adds {more:,.0f} USD a month to {prior:,.0f}; allowed are {most:,.0f}")
    if percent is not None and more > prior * percent / 100:
        yield Finding(f"the change adds {more / prior:.0%} to {prior:,.0f} USD a month; allowed are {percent:g}%")
    yield from _missing(stack, found)


@BUDGET.rule(
    "pool-cost",
    number=81,
    title="No pool of machines may grow beyond what it may cost",
    severity="high",
    fix="Lower the pool's largest size or use smaller instance types, or raise bedplate:cost.max_pool_usd.",
    frameworks=("FinOps:Budgeting",),
    parameters={
        "max_usd": {**_USD, "description": "USD/month; default: bedplate:cost.max_pool_usd, else no limit."},
        **_USAGE,
    },
)
def pool_cost(stack: Stack, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """At its largest size and at the price on demand: that is what a pool costs on the day that spot is out.

    Autoscalers take what they may, so the largest size is a decision about money.
    """
    most = parameters.get("max_usd") or _limits(stack).usd("max_pool_usd")
    if most is None:
        return
    found = estimate_of(stack, parameters.get("usage_file"))
    pools = {line.origin.urn for line in found.lines if line.pool}
    for urn in sorted(pools):
        lines = [line for line in found.lines if line.origin.urn == urn and line.pool]
        usd = sum(line.price.usd * line.quantity.max for line in lines)
        if usd > most:
            what = f"{lines[0].what}: " if lines[0].what else ""
            message = f"{what}costs up to {usd:,.0f} USD a month on demand; allowed are {most:,.0f}"
            yield Finding(message, resource=stack.get(urn))
    for lack in found.unpriced:
        if lack.boundless:
            message = f"{lack.reason}, nor its costs; allowed are {most:,.0f} USD a month"
            yield Finding(message, resource=stack.get(lack.origin.urn))
    yield from _missing(stack, found, "max")


@BUDGET.rule(
    "cost-known",
    number=79,
    title="What costs money has a price",
    severity="low",
    level="advisory",
    fix="Look the price up and count it yourself: it is in no total. Of instance types: set bedplate:cost.prices.",
    frameworks=("FinOps:Planning and estimating",),
    parameters=_USAGE,
)
def cost_known(stack: Stack, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """Some things are sold by reservation only, some are in no price list that is shipped, some are paid for by use.

    Where a limit is set, machines without a price break it; to the rest of this list, limits are blind.
    """
    for lack in estimate_of(stack, parameters.get("usage_file")).unpriced:
        if not lack.undecided:
            yield Finding(f"{lack.what}: {lack.reason}", resource=stack.get(lack.origin.urn))


@functools.lru_cache(maxsize=1)
def estimate_of(stack: Stack, usage_file: str | None = None) -> Estimate:
    """What ``stack`` is estimated at: worked out once for all rules. Raises BadUsage, MalformedPrices."""
    usage = usage_of(_name(stack)) if usage_file is None else _usage_in(usage_file)
    return estimate(items_of(stack), usage=usage, agreed=_limits(stack).prices())


def _usage_in(file: str) -> Usage:
    return Usage.read(STACK_FILES / file) if file else Usage()


def usage_of(stack: str, folder: Path = STACK_FILES) -> Usage:
    """The usage that lies beside the stack's settings, as `bedplate cost` takes it; else what is assumed."""
    path = folder / f"usage.{stack.rpartition('/')[2]}.yaml"
    return Usage.read(path) if path.is_file() else Usage()


def items_of(stack: Stack) -> list[Item]:
    """The resources as pricing takes them: by what is declared, since of what AWS fills in much is not known yet."""
    return [
        Item(
            urn=resource.urn,
            type=resource.type,
            name=resource.name,
            properties={name: _plain(value) for name, value in resource.inputs.entries()},
            parent=resource.parent,
            dependencies=resource.depends_on,
            provider=resource.provider,
        )
        for resource in stack.resources
    ]


def _plain(value: Value) -> object:
    """Plain values, what is not known as ``UNKNOWN``; texts that are secret stay so, since a reason may quote them."""
    if value.unknown:
        return UNKNOWN
    if value.kind == "an object":
        return {name: _plain(inner) for name, inner in value.entries()}
    if value.kind == "a list":
        return [_plain(inner) for inner in value.items()]
    return value.shown() if value.secret and value.kind == "text" else value.plain()


def _limits(stack: Stack) -> Limits:
    return Limits(_name(stack))


def _name(stack: Stack) -> str:
    return next((resource.stack for resource in stack.resources), "")


def _dearest(found: Estimate) -> list[tuple[str, Any]]:
    return [(name, cost) for name, cost in found.by_component().items() if cost.desired][:_SHOWN]


def _missing(
    stack: Stack, found: Estimate, size: Size = "desired", *, teams: Container[str] | None = None
) -> Iterator[Finding]:
    """What can't be priced for want of a value or of a price, each with what would settle it.

    Values that are not known keep every limit from being held; machines without a price those by which ``size`` has
    some. The prices of a whole region are such a value; of them, it is said once.
    """
    lacks = [lack for lack in found.unpriced if teams is None or lack.origin.team in teams]
    bare = {region for lack in lacks if (region := lack.origin.region) and not prices_of(region).table}
    for region in sorted(bare):
        yield Finding(
            f"there are no prices for {region}, so what is there is under no limit: "
            "`bedplate cost --fetch-prices` reads them from AWS, with credentials"
        )
    for lack in lacks:
        if lack.undecided:
            yield Finding(_settled(lack), resource=stack.get(lack.origin.urn))
        elif lack.machines is not None and lack.machines.hours.at(size) and lack.origin.region not in bare:
            yield Finding(_agreed(lack, lack.machines), resource=stack.get(lack.origin.urn))


def _settled(lack: Unpriced) -> str:
    what = "" if lack.what == lack.origin.name else f"{lack.what}: "
    return (
        f"{what}{lack.reason}, so what it costs can't be said: give it as a plain value, "
        "apply what it comes from first (--target), or write an exception with reason, owner and expiry"
    )


def _agreed(lack: Unpriced, machines: MachineHours) -> str:
    pool = f"pool {machines.pool!r}: " if machines.pool else ""
    where = f"{SETTING}.{machines.kind}" if machines.kind else SETTING
    return (
        f"{pool}{lack.what}: {lack.reason}, so no limit can be held against what it costs: say what was agreed with "
        f"AWS ({where}: USD an hour), or write an exception with reason, owner and expiry"
    )
