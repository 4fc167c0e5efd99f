"""simulate: which of an environment's workloads would run on its node pools, and where, by a real scheduler."""

from __future__ import annotations

import signal
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cli.declare import command
from cli.exits import ExitCode
from cli.requests.manner import Output
from cli.requests.runs import Running, preview_of
from cli.requests.views import Simulating

if TYPE_CHECKING:
    from cli.screen import Screen
    from engine.plan import Plan
    from engine.sandbox.native import Binaries
    from engine.simulation.answer import Answer
    from engine.simulation.files import Read
    from engine.simulation.running import Question


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""

    @command(app, "simulate", Simulating)
    def simulate(request: Simulating) -> int:
        """Place the workloads on simulated nodes: what runs where, what stays pending and why, and what it costs.

        A real scheduler decides, which `bedplate sandbox build` builds once.
        """
        from cli.runs import prepare
        from engine.run import Result
        from engine.sandbox.native import cache_of, required
        from engine.simulation.files import read

        previewing = prepare("preview", preview_of(request, Running))  # another question than what the packs ask
        added = read(request.file)
        root = previewing.session.project.root
        binaries = required(cache_of(root))
        outcome = previewing.plan()
        if outcome.result is not Result.SUCCEEDED:
            return previewing.failed(outcome)
        question = _question(request, outcome.plan, added)
        answer = _asked(request, question, previewing.screen, root, binaries)
        return _report(request, answer, previewing.screen, previewing.session.stack)

    _ = simulate  # registered above


def _question(request: Simulating, plan: Plan, added: Read) -> Question:
    """What the plan and the files come to."""
    from engine.simulation.declared import Declared
    from engine.simulation.model import Size
    from engine.simulation.pools import pools
    from engine.simulation.running import Question
    from engine.simulation.workloads import workloads
    from stacks.settings.instances import instance_types

    declared = Declared.by(plan)
    found = pools(declared, instance_types())
    own = workloads(declared, found.pools, cron_jobs=request.cron_jobs)
    return Question(found, Size(request.pool_size.value), [*own.given, *added.given], [*own.notes, *added.notes])


def _asked(request: Simulating, question: Question, screen: Screen, root: Path, binaries: Binaries) -> Answer:
    """Let a control plane of its own decide. It ends with the block, also when this is interrupted."""
    from cli.views.lines import Style
    from engine.simulation.running import answered, connected, observe, prepare, throw_away

    prepared = prepare(question)
    with _interruptible():
        if request.output is Output.TEXT:
            screen.tell(f"starting a control plane, Kubernetes {binaries.version}", Style.DIM)
        with throw_away(root, binaries) as plane:
            if request.output is Output.TEXT:
                nodes = sum(pool.nodes_at(question.size) for pool in question.pools.pools)
                screen.tell(f"placing {len(prepared.workloads)} workloads on {nodes} nodes", Style.DIM)
            return answered(prepared, observe(connected(plane), plane.version, prepared, timeout=request.timeout))


@contextmanager
def _interruptible() -> Generator[None]:
    """While the block runs, whoever wants this process to end interrupts it: what it has started ends with it."""
    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, signal.default_int_handler) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _report(request: Simulating, answer: Answer, screen: Screen, stack: str) -> int:
    from cli.views import simulation, simulation_document

    missing = request.expect_all_placed and not answer.all_placed
    code = ExitCode.CHANGES if missing else ExitCode.OK
    if request.output is Output.JSON:
        screen.document(simulation_document.document(answer, stack, code=code))
    else:
        screen.show(simulation.render(answer, stack, width=screen.width))
    if missing:
        screen.error("pods stay pending, where --expect-all-placed said that there are none")
    return code
