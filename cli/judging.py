"""``policy run``: an environment's preview, a state, a plan or manifests, judged by policy packs."""

from __future__ import annotations

import asyncio
import dataclasses
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from cli.environments import known, meant
from cli.exits import ExitCode, UsageError
from cli.findings.document import document
from cli.findings.places import Places, settings_place
from cli.findings.report import FindingsReport
from cli.findings.written import asked
from cli.packs import limits_of, telling
from cli.policies import NOBODY, asked_about
from cli.requests.manner import Output
from cli.requests.packs import JudgingFiles
from cli.requests.runs import Previewing, preview_of
from cli.screen import Screen
from cli.usage_files import file_of
from cli.views.findings import judged_lines
from cli.views.lines import Style
from engine.analyzer.environment import StackFacts
from engine.analyzer.findings import Verdict
from engine.analyzer.packs import Packs
from engine.analyzer.sources import (
    STANDARD_INPUT,
    STDIN,
    ReadingCodec,
    Subject,
    in_manifests,
    in_plan_file,
    in_state_file,
)
from engine.events import Consumer, Diagnostic, Event, Severity
from engine.project import Project
from engine.redaction import Redactor
from engine.state.secrets import Keyring, passphrase_from
from engine.urn import STACK_TYPE

_SOURCES: Final = "--state, --plan or -f"


def run(request: JudgingFiles) -> int:
    """Judge what ``request`` names and report; 5 where a rule refuses it."""
    reports = asked(request.report, request.rules_url)
    given = [request.state is not None, request.plan is not None, bool(request.file)]
    if sum(given) > 1:
        raise UsageError(f"{_SOURCES}: give one of them")
    screen = Screen(request)
    report = _of_files(request, screen) if any(given) else _of_environment(request)
    if isinstance(report, int):
        return report
    for one in reports:
        one.write(report)
    if request.output is Output.JSON:
        screen.document(document(report))
    else:
        screen.show(judged_lines(report, width=screen.width))
    if report.mandatory:
        return ExitCode.REFUSED
    return ExitCode.FAILED if report.broken else ExitCode.OK


# An environment


def _of_environment(request: JudgingFiles) -> FindingsReport | int:
    """What is found in the environment's preview; an exit code where there is none."""
    from cli.costs import COMPLETE
    from cli.runs import prepare

    given = {name: getattr(request, name) for name in ("policy_pack", "policy_timeout", "usage", "rules_url")}
    previewing = prepare("preview", preview_of(request, Previewing, **given))
    if previewing.session.packs is None:
        raise UsageError(NOBODY.format(previewing.session.stack))
    outcome = previewing.plan(COMPLETE)
    found = previewing.telling.findings(outcome)
    if outcome.result not in COMPLETE or found is None:
        return previewing.failed(outcome)
    return found


# Files


def _of_files(request: JudgingFiles, screen: Screen) -> FindingsReport:
    project = Project.load(request.cwd)
    stack = ""
    if request.environment or request.stack:
        stack = meant(request.environment, request.stack, known(request.cwd))
    facts, chosen = asked_about(project, stack, request.policy_pack)
    usage = file_of(project, stack, request.usage)
    if request.usage is not None:
        from policies.pricing import Usage

        Usage.read(request.usage)  # raises BadUsage: nothing is to be judged without it
    packs = Packs([telling(one, usage) for one in chosen], limits_of(request.policy_timeout))
    packs.prepare()
    subjects, path = _subjects(request, stack)

    redactor = Redactor([[one.resource.properties, one.outputs] for one in subjects])

    def tell(event: Event) -> None:
        if isinstance(event, Diagnostic) and event.severity is not Severity.DEBUG:
            screen.tell(event.message, Style.ERROR if event.severity is Severity.ERROR else Style.DIM)

    verdict = asyncio.run(_judged(packs, facts, subjects, redactor.wrap(tell), redactor.redact))
    places = _places(request, project, stack, subjects, path)
    return FindingsReport.of(verdict, places, stack or path.name or path.resolve().name, request.rules_url)


def _places(request: JudgingFiles, project: Project, stack: str, subjects: Sequence[Subject], path: Path) -> Places:
    """Manifests may lie anywhere; whoever names them stands in the repository that they belong to."""
    positions = [(one.resource.urn, one.position) for one in subjects]
    root = Path.cwd() if request.file or not stack else project.root
    settings = settings_place(project, stack, root) if stack else None
    fallback = settings.path if settings and not request.file else path.as_posix()
    return Places.among(positions, root, fallback, settings, anywhere=bool(request.file))


def _subjects(request: JudgingFiles, stack: str) -> tuple[list[Subject], Path]:
    if request.state is not None:
        keyring = Keyring(stack or request.state.stem, passphrase_from(os.environ))
        return in_state_file(request.state, ReadingCodec(keyring)), request.state
    if request.plan is not None:
        return in_plan_file(request.plan), request.plan
    first = request.file[0]
    return in_manifests(request.file), STDIN if first == STANDARD_INPUT else first


async def _judged(
    packs: Packs, facts: StackFacts, subjects: Sequence[Subject], tell: Consumer, redact: Callable[[str], str]
) -> Verdict:
    """What the packs say of all of it: of each resource what it is made from, of the whole what came of it."""
    judgement = packs.judging(facts, tell, redact)
    try:
        judgement.begin()
        for subject in subjects:
            judgement.judge_later(subject.resource)
        await judgement.settle()
        whole = [dataclasses.replace(one.resource, properties=one.outputs) for one in subjects]
        root = next((one.resource.urn for one in subjects if one.resource.type == STACK_TYPE), "")
        await judgement.judge_stack(whole, root)
        return judgement.verdict()
    finally:
        await judgement.end()
        await packs.close()
