"""What a plan does to the costs: its resources as pricing wants them, before and after, and how much is used."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cli.usage_files import file_of
from cli.views import cost_line
from cli.views.lines import Line, Style
from engine import urn as urns
from engine.plan import DELETIONS, Op, Plan
from engine.project import Project
from engine.run import Outcome, Result
from engine.stack_session import StackSession
from engine.state.model import ResourceState
from engine.values import UNKNOWN as NOT_KNOWN
from engine.values import Archive, Asset, ResourceRef, Secret, Value
from policies.pricing import UNKNOWN, BadUsage, Item, MalformedPrices, Usage, agreed_prices, estimate
from policies.pricing.compare import Comparison

COST: Final = "bedplate:cost"


def read_usage(project: Project, stack: str, given: Path | None = None) -> Usage:
    """The usage that holds for an environment. Raises BadUsage."""
    file = file_of(project, stack, given)
    return Usage.read(file) if file else Usage()


def read_agreed(session: StackSession) -> Mapping[str, float]:
    """The prices that the environment's settings say were agreed with AWS. Raises MalformedPrices."""
    try:
        section = json.loads(session.configuration.texts.get(COST) or "{}")
    except ValueError:
        return {}  # the program's settings say what is wrong with it
    return agreed_prices(section)


def compared(
    plan: Plan, stack: str, usage: Usage, agreed: Mapping[str, float] | None = None, region: str = ""
) -> Comparison:
    """The estimates of what stands and of what ``plan`` leaves. Raises BadUsage where usage is of others."""
    after = items(_after(plan))
    before = items(_before(plan))
    usage.check([*after, *before])
    now = estimate(after, usage=usage, environment=stack, region=region, agreed=agreed)
    if not plan.has_changes:
        return Comparison(now, now)
    return Comparison(estimate(before, usage=usage, environment=stack, region=region, agreed=agreed), now)


def items(states: Iterable[ResourceState]) -> list[Item]:
    """Resources as pricing wants them; those of others, which are only read, cost somebody else."""
    return [
        Item(
            state.urn,
            state.type,
            urns.name_of(state.urn),
            _plain(state.inputs),
            state.parent,
            state.property_dependencies,
            state.provider.rpartition("::")[0],
        )
        for state in states
        if not state.external
    ]


def _after(plan: Plan) -> Iterable[ResourceState]:
    return {step.urn: step.state for step in plan.steps if step.op not in DELETIONS and not step.left_out}.values()


def _before(plan: Plan) -> Iterable[ResourceState]:
    """What the state has; of a resource that was replaced and whose old half still stands, the new one."""
    standing: dict[str, ResourceState] = {}
    for step in plan.steps:
        old = step.old
        if old is not None and step.op is not Op.IMPORT and (step.urn not in standing or not old.delete):
            standing[step.urn] = old
    return standing.values()


def _plain(properties: Mapping[str, Value]) -> dict[str, object]:
    return {key: _opened(value) for key, value in properties.items()}


def _opened(value: Value) -> Any:
    """A value as plain JSON. A secret's text is nobody's quantity, and might be shown: it counts as not known."""
    if isinstance(value, dict):
        return _plain(value)
    if isinstance(value, list):
        return [_opened(one) for one in value]
    if isinstance(value, Secret):
        inner = value.value
        return UNKNOWN if inner is NOT_KNOWN or isinstance(inner, str | dict | list) else _opened(inner)
    if value is NOT_KNOWN or isinstance(value, Asset | Archive | ResourceRef):
        return UNKNOWN
    return value


# Runs whose plan was decided to its end; what policies refuse has its price, too, and that may be why.
COMPLETE: Final = (Result.SUCCEEDED, Result.REFUSED, Result.UNJUDGED)


@dataclass(frozen=True)
class Costs:
    """The costs of a run, or ``why`` they can't be said: a preview goes on without them.

    ``usage`` is the file that says how much is used, '' where that is assumed.
    """

    comparison: Comparison | None = None
    why: str = ""
    usage: str = ""

    def lines(self) -> list[Line]:
        """As lines of the report."""
        if self.comparison is not None:
            lines = cost_line.line(self.comparison)
            said = Line().add(f"           usage by {self.usage}", Style.DIM)
            return [*lines, said] if lines and self.usage else lines
        return [Line().add("  cost     ").add(one, Style.YELLOW) for one in self.why.splitlines()[:1]]

    def section(self) -> dict[str, Any]:
        """As a part of the JSON document."""
        if self.comparison is not None:
            return {"cost": cost_line.section(self.comparison) | {"usage": self.usage or None}}
        return {"cost": {"error": self.why}} if self.why else {}


def of_run(verb: str, outcome: Outcome, session: StackSession, given: Path | None = None) -> Costs:
    """What a run's plan does to the costs; nothing where it was not decided to its end, or decides nothing.

    ``given`` is the usage file that the command names.
    """
    if verb in ("refresh", "import") or outcome.result not in COMPLETE:
        return Costs()
    try:
        usage = read_usage(session.project, session.stack, given)
        return Costs(compared(outcome.plan, session.stack, usage, read_agreed(session)), usage=_shown(usage.place))
    except (BadUsage, MalformedPrices) as error:
        return Costs(why=f"not known: {error}")


def _shown(place: str) -> str:
    """A file as seen from where the command was started, if it is below."""
    path = Path(place)
    return path.relative_to(Path.cwd()).as_posix() if place and path.is_relative_to(Path.cwd()) else place


def standing(
    states: Iterable[ResourceState], stack: str, usage: Usage, agreed: Mapping[str, float] | None = None
) -> Comparison:
    """The estimate of what a state holds, which nothing changes. Raises BadUsage."""
    found = items(state for state in states if not state.delete)
    usage.check(found)
    now = estimate(found, usage=usage, environment=stack, agreed=agreed)
    return Comparison(now, now)
