"""cost: what an environment costs a month, what of it could be saved, and where each figure comes from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import typer

from cli.declare import command
from cli.exits import ExitCode, UsageError
from cli.requests.manner import Output
from cli.requests.runs import Running, preview_of
from cli.requests.views import Costing

if TYPE_CHECKING:
    from cli.screen import Screen
    from policies.pricing import Estimate
    from policies.pricing.compare import Comparison
    from policies.pricing.reality import ClusterBeside
    from policies.pricing.sources.cost_explorer import Bill

_OUTPUTS = (Output.TEXT, Output.JSON, Output.MARKDOWN)


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""

    @command(app, "cost", Costing, _OUTPUTS)
    def cost(request: Costing) -> int:
        """Say what an environment costs a month, before and after its changes; needs no cloud and no credentials."""
        from cli.costs import COMPLETE, compared, read_agreed, read_usage, standing
        from cli.runs import prepare

        check(request)
        output = Output.JSON if request.output is Output.JSON else Output.TEXT  # runs have no other
        previewing = prepare("preview", preview_of(request, Running, output=output))
        session = previewing.session
        usage, agreed = read_usage(session.project, session.stack, request.usage), read_agreed(session)
        if request.state:
            resources = session.snapshot().resources
            return _done(request, previewing.screen, lambda: standing(resources, session.stack, usage, agreed))
        outcome = previewing.plan(COMPLETE)
        if outcome.result not in COMPLETE:
            return previewing.failed(outcome)
        return _done(request, previewing.screen, lambda: compared(outcome.plan, session.stack, usage, agreed))

    _ = cost  # registered above


def check(request: Costing) -> None:
    """Refuse before anything is started what can't be done together."""
    if request.opencost is not None and not request.opencost.startswith(("http://", "https://")):
        raise UsageError(f"--opencost takes a URL such as http://localhost:9003, not '{request.opencost}'")
    if request.output is Output.MARKDOWN and (request.actual or request.opencost):
        raise UsageError("--actual and --opencost are told as text or json, not as markdown")


@dataclass(frozen=True)
class _Found:
    """The estimates, and what was asked of others to stand beside them."""

    comparison: Comparison
    bill: Bill | None
    cluster: ClusterBeside | None


def _done(request: Costing, screen: Screen, compare: Callable[[], Comparison]) -> int:
    comparison = compare()
    if request.fetch_prices:
        _fetch(comparison.after, screen)
        comparison = compare()
    found = _Found(comparison, _bill(request, comparison.after), _cluster(request, comparison.after))
    if request.svg is not None:
        from cli import whole_files
        from cli.views import cost_picture

        whole_files.write({request.svg: cost_picture.draw(comparison)})
        screen.tell(f"drawn: {request.svg}")
    _report(request, found, screen)
    return ExitCode.OK


# What others know


def _fetch(after: Estimate, screen: Screen) -> None:
    from policies.pricing.sources.price_list import fetch

    screen.tell(f"reading the prices of {after.region}")
    screen.tell(f"kept: {fetch(after.region, _today())}")


def _bill(request: Costing, after: Estimate) -> Bill | None:
    if not request.actual:
        return None
    from policies.pricing.reality import DEPLOYMENT, deployment_of
    from policies.pricing.sources.cost_explorer import read

    deployment = deployment_of(after)
    if not deployment:
        raise UsageError(f"nothing that is declared carries the tag {DEPLOYMENT}: what of a bill is of it is not known")
    return read((DEPLOYMENT, deployment), request.tag, _today())


def _today() -> date:
    """The day by AWS's clock, which is in no time zone."""
    return datetime.now(UTC).date()


def _cluster(request: Costing, after: Estimate) -> ClusterBeside | None:
    if request.opencost is None:
        return None
    from policies.pricing.reality import of_cluster
    from policies.pricing.sources.opencost import read

    return of_cluster(after, read(request.opencost))


# The report


def _report(request: Costing, found: _Found, screen: Screen) -> None:
    from cli.views import cost, cost_document, cost_markdown, cost_reality
    from cli.views.lines import Line

    after = found.comparison.after
    if request.output is Output.JSON:
        document = cost_document.document(found.comparison)
        if found.bill is not None:
            document["actual"] = cost_reality.bill_section(after, found.bill)
        if found.cluster is not None:
            document["cluster"] = cost_reality.cluster_section(found.cluster)
        screen.document(document)
    elif request.output is Output.MARKDOWN:
        screen.out.write(cost_markdown.render(found.comparison))
        screen.out.flush()
    else:
        screen.show(cost.render(found.comparison, width=screen.width, explain=request.explain))
        if found.bill is not None:
            screen.show([Line(), *cost_reality.bill(after, found.bill, screen.width)])
        if found.cluster is not None:
            screen.show([Line(), *cost_reality.cluster(found.cluster, screen.width)])
