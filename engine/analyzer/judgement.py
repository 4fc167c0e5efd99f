"""What the policy packs say in one run: each resource is rewritten by those that remediate, then judged by all.

The order is that of Pulumi's engine (``step_generator.go``): remediations one after another, since each sees what the
last has made; then all packs judge at the same time; the stack as a whole at the end. A pack that breaks is reported
and the others go on, but what it should have judged counts as refused: nothing passes unjudged.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

from engine.analyzer import client, messages
from engine.analyzer.client import Analyzer, Limits
from engine.analyzer.environment import StackFacts
from engine.analyzer.errors import PackGone, PolicyError
from engine.analyzer.findings import (
    SEVERITIES,
    Analysis,
    AnalyzedResource,
    PackInfo,
    PolicyConfig,
    PolicyFinding,
    PolicyKind,
    Remediated,
    Verdict,
)
from engine.analyzer.pack import PackFolder
from engine.analyzer.processes import Processes
from engine.events import (
    Consumer,
    Diagnostic,
    PoliciesLoading,
    PoliciesSummed,
    PolicyRemediated,
    PolicyViolated,
    Severity,
    Summed,
)
from engine.execute import RunCancelled
from engine.values import Properties

T = TypeVar("T")
_SHOWN_FAILURES: Final = 3  # of one pack; a pack that raises at each resource would fill the screen


class Judgement:
    """The packs of one run. Begin it before the program starts; all of it lives on one event loop."""

    def __init__(
        self,
        packs: Sequence[tuple[PackFolder, Mapping[str, PolicyConfig]]],
        stack: StackFacts,
        processes: Processes,
        limits: Limits,
        emit: Consumer,
        redact: Callable[[str], str],
    ) -> None:
        self._packs = packs
        self._stack = stack
        self._processes = processes
        self._limits = limits
        self._emit = emit
        self._redact = redact
        self._starting: list[asyncio.Task[Analyzer | None]] = []
        self._analyzers: list[Analyzer] | None = None
        self._later: set[asyncio.Task[bool]] = set()
        self._stopped = False
        self._working: set[asyncio.Future[Any]] = set()
        self._findings: list[PolicyFinding] = []
        self._remediated: dict[str, tuple[Remediated, ...]] = {}
        self._failures: Counter[str] = Counter()

    def begin(self) -> None:
        """Start the packs, all at once."""
        for _ in self._packs:
            self._emit(PoliciesLoading())
        self._starting = [asyncio.create_task(self._start(folder, config)) for folder, config in self._packs]

    async def _start(self, folder: PackFolder, config: Mapping[str, PolicyConfig]) -> Analyzer | None:
        def said(line: str) -> None:
            self._emit(Diagnostic(Severity.INFO, f"policy pack {folder.label}: {self._redact(line)}"))

        try:
            return await client.start(folder, self._stack, config, self._processes, limits=self._limits, on_line=said)
        except PolicyError as error:
            self._broke(folder.label, error)
            return None

    async def _ready(self) -> Sequence[Analyzer]:
        if self._analyzers is None:
            started = await self._unless_stopped(asyncio.gather(*self._starting))
            self._analyzers = [analyzer for analyzer in started if analyzer is not None]
        return self._analyzers

    async def asked(self) -> Sequence[PackInfo]:
        """The packs that can be asked. Raises RunCancelled."""
        await self._ready()
        return self._infos()

    # One resource

    async def remediated(self, resource: AnalyzedResource) -> Properties:
        """The inputs of ``resource`` as the packs want them; its own, where none of them rewrites anything."""
        inputs = resource.properties
        changes: list[Remediated] = []
        for analyzer in await self._ready():
            if not analyzer.info.remediates:
                continue
            asked = replace(resource, properties=inputs)
            remediation = await self._asked(analyzer, analyzer.remediate(asked))
            if remediation is None:
                continue
            self._found(remediation.findings)
            for one in remediation.remediated:
                inputs = one.after
                changes.append(one)
                self._emit(PolicyRemediated(one))
            failed = {one.policy for one in (*remediation.remediated, *remediation.findings)}
            not_applicable = {one.policy for one in remediation.not_applicable}
            self._summed("remediate", analyzer.info, resource.urn, failed, not_applicable)
        if changes:
            self._remediated[resource.urn] = tuple(changes)
        return inputs

    async def judge(self, resource: AnalyzedResource) -> bool:
        """Have ``resource`` judged by all packs; whether it may be made."""
        analyzers = [one for one in await self._ready() if one.info.enabled(PolicyKind.RESOURCE)]
        if not analyzers:
            return self._all_started
        concerned = [one for one in analyzers if one.info.judges(resource.type)]
        request = messages.analyze_request(resource) if concerned else None
        asked = await asyncio.gather(*(self._asked(one, one.analyze(resource, request)) for one in concerned))
        said = dict(zip([one.name for one in concerned], asked, strict=True))
        answers = [said.get(one.name, Analysis()) for one in analyzers]
        allowed = self._all_started
        for analyzer, answer in zip(analyzers, answers, strict=True):
            allowed = self._taken("analyze", analyzer.info, answer, resource.urn) and allowed
        return allowed

    def judge_later(self, resource: AnalyzedResource) -> None:
        """Have ``resource`` judged while the run goes on: in a preview nothing waits for it but the end."""
        task = asyncio.create_task(self.judge(resource))
        self._later.add(task)

    async def settle(self) -> None:
        """Wait for all that is still being judged. Raises RunCancelled."""
        while self._later:
            done, self._later = self._later, set()
            await asyncio.gather(*done)

    # The stack

    async def judge_stack(self, resources: Sequence[AnalyzedResource], root: str) -> bool:
        """Have the whole stack judged; findings about no resource of it are about ``root``. Whether it may stay."""
        analyzers = [one for one in await self._ready() if one.info.enabled(PolicyKind.STACK)]
        if not analyzers:
            return self._all_started
        request = messages.stack_request(resources)
        answers = await asyncio.gather(*(self._asked(one, one.analyze_stack(resources, request)) for one in analyzers))
        known = {resource.urn for resource in resources}
        allowed = self._all_started
        for analyzer, answer in zip(analyzers, answers, strict=True):
            if answer is not None:
                about = [one if one.urn in known else replace(one, urn=root) for one in answer.findings]
                answer = replace(answer, findings=tuple(about))
            allowed = self._taken("stack", analyzer.info, answer, "") and allowed
        return allowed

    @property
    def _all_started(self) -> bool:
        return self._analyzers is not None and len(self._analyzers) == len(self._packs)

    # What they said

    def verdict(self) -> Verdict:
        """What has been said so far, the gravest first."""
        order = {pack.name: at for at, pack in enumerate(self._infos())}

        def rank(finding: PolicyFinding) -> tuple[Any, ...]:
            severity = SEVERITIES.index(finding.severity) if finding.severity in SEVERITIES else len(SEVERITIES)
            return (not finding.refuses, severity, order.get(finding.pack, 0), finding.policy, finding.urn)

        remediated = [one for changes in self._remediated.values() for one in changes]
        findings = sorted(dict.fromkeys(self._findings), key=rank)
        return Verdict(tuple(self._infos()), tuple(findings), tuple(remediated), tuple(self._failures))

    def _infos(self) -> list[PackInfo]:
        return [analyzer.info for analyzer in self._analyzers or ()]

    def _taken(self, kind: Summed, info: PackInfo, answer: Analysis | None, urn: str) -> bool:
        """Take a pack's answer; whether it lets pass what it was asked about. None is a pack that broke."""
        if answer is None:
            return False
        self._found(answer.findings)
        failed = {finding.policy for finding in answer.findings}
        self._summed(kind, info, urn, failed, {one.policy for one in answer.not_applicable})
        return not any(finding.refuses for finding in answer.findings)

    def _found(self, findings: Sequence[PolicyFinding]) -> None:
        for finding in findings:
            masked = replace(finding, message=self._redact(finding.message))
            self._findings.append(masked)
            self._emit(PolicyViolated(masked))

    def _summed(self, kind: Summed, info: PackInfo, urn: str, failed: set[str], not_applicable: set[str]) -> None:
        left = failed | not_applicable
        passed = info.enabled(PolicyKind.STACK if kind == "stack" else PolicyKind.RESOURCE)
        if left:
            passed = tuple(name for name in passed if name not in left)
        self._emit(PoliciesSummed(kind, urn, info.name, info.version, passed, tuple(sorted(failed))))

    # Packs that break, and the end

    async def _asked(self, analyzer: Analyzer, question: Coroutine[Any, Any, T]) -> T | None:
        """The answer of a pack, None where it broke; each pack's first failures are told."""
        try:
            return await self._unless_stopped(question)
        except PolicyError as error:
            self._broke(analyzer.name, error)
            return None

    def _broke(self, pack: str, error: PolicyError) -> None:
        self._failures[pack] += 1
        told = self._failures[pack]
        if isinstance(error, PackGone) and error.told:
            return
        if isinstance(error, PackGone):
            error.told = True
        elif told > _SHOWN_FAILURES:
            return
        message = self._redact(f"policy pack {pack} {error}")
        if told == _SHOWN_FAILURES and not isinstance(error, PackGone):
            message += f"\nwhatever else goes wrong in {pack} is not shown"
        self._emit(Diagnostic(Severity.ERROR, message))

    async def _unless_stopped(self, work: Coroutine[Any, Any, T] | asyncio.Future[T]) -> T:
        """The result of ``work``. Raises RunCancelled as soon as the run is to stop, whatever a pack does."""
        working = asyncio.ensure_future(work)
        self._working.add(working)
        if self._stopped:
            working.cancel()
        try:
            return await working
        except asyncio.CancelledError:
            if self._stopped:
                raise RunCancelled from None
            raise
        finally:
            self._working.discard(working)

    def cancel(self) -> None:
        """Wait for no pack any more."""
        self._stopped = True
        for working in self._working:
            working.cancel()

    async def end(self) -> None:
        """Let go of the packs of this run; whoever has the processes ends them."""
        self.cancel()
        for task in (*self._starting, *self._later):
            task.cancel()
        await asyncio.gather(*self._starting, *self._later, return_exceptions=True)
        ended = [task.result() for task in self._starting if not task.cancelled() and task.exception() is None]
        await asyncio.gather(*(analyzer.close() for analyzer in ended if analyzer is not None))
