"""cost: what an environment costs a month, what of it could be saved, and where each figure comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from cli.declare import command
from cli.exits import ExitCode
from cli.requests import Costing, Output, Previewing

if TYPE_CHECKING:
    from cli.screen import Screen
    from policies.pricing.compare import Comparison

_OUTPUTS = (Output.TEXT, Output.JSON, Output.MARKDOWN)


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""

    @command(app, "cost", Costing, _OUTPUTS)
    def cost(request: Costing) -> int:
        """Say what an environment costs a month, before and after its changes; needs no cloud and no credentials."""
        from cli.costs import compared, read_usage, standing
        from cli.runs import prepare
        from engine.run import Result

        previewing = prepare("preview", _preview_of(request))
        session = previewing.session
        usage = read_usage(session.project, session.stack, request.usage)
        if request.state:
            return _report(request, standing(session.snapshot().resources, session.stack, usage), previewing.screen)
        outcome = previewing.plan()
        if outcome.result is not Result.SUCCEEDED:
            return previewing.failed(outcome)
        return _report(request, compared(outcome.plan, session.stack, usage), previewing.screen)

    _ = cost  # registered above


def _preview_of(request: Costing) -> Previewing:
    output = Output.JSON if request.output is Output.JSON else Output.TEXT
    return Previewing(
        cwd=request.cwd, output=output, color=request.color, debug=request.debug, engine=request.engine,
        environment=request.environment, stack=request.stack, sandbox=request.sandbox,
        program_timeout=request.program_timeout,
    )  # fmt: skip


def _report(request: Costing, comparison: Comparison, screen: Screen) -> int:
    from cli.views import cost, cost_document, cost_markdown, cost_picture

    if request.svg is not None:
        request.svg.write_text(cost_picture.draw(comparison), encoding="utf-8")
        screen.tell(f"drawn: {request.svg}")
    if request.output is Output.JSON:
        screen.document(cost_document.document(comparison))
    elif request.output is Output.MARKDOWN:
        screen.out.write(cost_markdown.render(comparison))
        screen.out.flush()
    else:
        screen.show(cost.render(comparison, width=screen.width, explain=request.explain))
    return ExitCode.OK
