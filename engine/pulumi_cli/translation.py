"""The CLI's engine events as ours: what one run of it says, and the plan that its steps come to.

Events arrive in their wire form (Pulumi 3.260, ``apitype.EngineEvent``). A payload that we have no event for is passed
on as it came; nothing that the CLI may say can break a run.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from engine import urn as urns
from engine.events import (
    Consumer,
    Diagnostic,
    OutputsRegistered,
    Passed,
    ProgramOutput,
    RunEnded,
    RunStarted,
    Severity,
    StepDone,
    StepFailed,
    StepStarted,
)
from engine.plan import Op, Plan, Reason, Step
from engine.pulumi_cli.findings import Findings
from engine.pulumi_cli.states import Encoded, Known, step_in, with_goal
from engine.state.model import ResourceState
from engine.values import Properties

_ENVELOPE: Final = frozenset({"sequence", "timestamp"})
_SUMMED_UP: Final = re.compile(r"(?:preview|update|destroy|refresh|import) (?:failed|cancell?ed)")
_RESULTS: Final = {"succeeded": "succeeded", "canceled": "cancelled"}


@dataclass
class _Under:
    """A step that was announced: where it stands in the plan, since when, and whether it has ended.

    ``looks`` says that it only compares with what exists, before the run decides; ``silent`` that there is nothing to
    compare: a refresh says of the stack itself and of providers that they are there.
    """

    place: int
    since: float
    looks: bool
    silent: bool
    ended: bool = False


_NOT_PLANNED: Final = re.compile(r"violates plan|not allowed by the plan|expected resource operations for")


class Translation:
    """Of one run's events. ``destroying`` and ``refreshing`` say why steps are due where the events don't."""

    def __init__(
        self,
        emit: Consumer,
        known: Known,
        findings: Findings,
        *,
        debug: bool = False,
        destroying: bool = False,
        refreshing: bool = False,
        preview: bool,
    ) -> None:
        self._emit = emit
        self._known = known
        self._findings = findings
        self._debug = debug
        self._destroying = destroying
        self._refreshing = refreshing
        self._preview = preview
        self._steps: list[Step] = []
        self._under: dict[tuple[str, Op, str], _Under] = {}
        self._outputs: Properties | None = None
        self._said: dict[str, str] = {}  # the last error about each resource
        self.stopping = False
        self.violates = False  # the plan that it was held to
        self.summary: Mapping[str, Any] | None = None
        self.began = False
        self.errors = 0
        self.failed: list[Step] = []
        self._takers: Mapping[str, Callable[[Encoded], None]] = {
            "preludeEvent": self._prelude,
            "diagnosticEvent": self._diagnostic,
            "resourcePreEvent": self._begins,
            "resOutputsEvent": self._ends,
            "resOpFailedEvent": self._fails,
            "summaryEvent": self._summed,
            "cancelEvent": lambda _: None,  # with it the CLI ends its stream, whatever came of the run
            **findings.takers(emit),
        }

    def take(self, event: Mapping[str, Any]) -> None:
        """One event from the wire."""
        for name, payload in event.items():
            if name in _ENVELOPE:
                continue
            taker = self._takers.get(name)
            if taker is None or not isinstance(payload, dict):
                self._emit(Passed({name: payload}))
            else:
                taker(payload)

    def only_looks(self) -> None:
        """What comes is a preview after all."""
        self._preview = True

    # The run

    def _prelude(self, payload: Encoded) -> None:
        self.began = True
        config = payload.get("config")
        self._emit(RunStarted(dict(config) if isinstance(config, dict) else {}, self._preview))

    def _summed(self, payload: Encoded) -> None:
        self.summary = payload
        self._close_components()

    def end(self, result: str, seconds: float) -> None:
        """The run has ended: the last event."""
        packs = (self.summary or {}).get("PolicyPacks")
        versions = {str(name): str(version) for name, version in packs.items()} if isinstance(packs, dict) else {}
        self._emit(RunEnded(self._preview, seconds, self.counts, result, versions))

    @property
    def counts(self) -> Mapping[Op, int]:
        """How many resources each operation has touched, as the CLI counts."""
        changes = (self.summary or {}).get("resourceChanges")
        if not isinstance(changes, dict):
            return {}
        return {Op(str(op) or "unknown"): int(count) for op, count in changes.items() if isinstance(count, int)}

    # What is said

    def _diagnostic(self, payload: Encoded) -> None:
        message, urn = str(payload.get("message") or ""), str(payload.get("urn") or "")
        severity = payload.get("severity")
        if severity == "debug" and not self._debug:
            return
        if severity == "info#err" or (severity == "info" and not urn and message.endswith("\n\n")):
            self._printed(message, stderr=severity == "info#err")
            return
        if severity == "error":
            if _SUMMED_UP.fullmatch(message.strip()):
                return
            self.errors += 1
            self.violates = self.violates or _NOT_PLANNED.search(message) is not None
            self._said[urn] = message.strip()
        known = Severity(severity) if severity in set(Severity) else Severity.INFO
        self._emit(Diagnostic(known, message.rstrip("\n"), urn, payload.get("ephemeral") is True))

    def _printed(self, message: str, *, stderr: bool) -> None:
        """What the program prints comes as a message of one line, behind which the language host puts another end."""
        if stderr and (self.stopping or self.summary is not None):
            return  # the program was interrupted, and its interpreter says where
        for line in message.removesuffix("\n").splitlines():
            self._emit(ProgramOutput(line, stderr))

    # Steps

    def _step(self, payload: Encoded) -> Step | None:
        metadata = payload.get("metadata")
        return step_in(metadata, self._known, destroying=self._destroying) if isinstance(metadata, dict) else None

    def _begins(self, payload: Encoded) -> None:
        step = self._step(payload)
        if step is None:
            return
        if not self._announce(step).silent:
            self._emit(StepStarted(step))

    def _ends(self, payload: Encoded) -> None:
        step = self._step(payload)
        if step is None:
            return
        under = self._announced(step)
        if under.looks:
            step = _found(step)
        elif urns.type_of(step.urn) == urns.STACK_TYPE and step.new is not None:
            self._outputs = step.new.outputs
        self._steps[under.place] = step
        if under.silent:
            under.ended = True
        elif under.ended:
            self._emit(OutputsRegistered(step))
        else:
            under.ended = True
            self._emit(StepDone(step, time.monotonic() - under.since))

    def _fails(self, payload: Encoded) -> None:
        step = self._step(payload)
        if step is None:
            return
        under = self._announced(step)
        under.ended = True
        self.failed.append(step)
        self._emit(StepFailed(step, self._said.get(step.urn, ""), time.monotonic() - under.since))

    def _announced(self, step: Step) -> _Under:
        """The step's place; a refresh is announced as one, and ends as what was found."""
        found = self._under.get(_key(step)) or self._under.get((step.urn, Op.REFRESH, _key(step)[2]))
        return found or self._announce(step)

    def _announce(self, step: Step) -> _Under:
        looks = step.op is Op.REFRESH
        under = _Under(len(self._steps), time.monotonic(), looks, looks and not _is_read(step.state))
        self._under[_key(step)] = under
        self._steps.append(step)
        return under

    def _close_components(self) -> None:
        """A component whose outputs nobody registers is announced, and never ends."""
        for under in self._under.values():
            step = self._steps[under.place]
            if not under.ended and not under.silent and not step.state.custom:
                under.ended = True
                self._emit(StepDone(step, time.monotonic() - under.since))

    # The plan

    def plan(self, before: Properties, goals: Mapping[str, Encoded]) -> Plan:
        """What was decided so far: ``before`` are the outputs as they stand, ``goals`` what a saved plan wants."""
        root = next((step for step in self._steps if urns.type_of(step.urn) == urns.STACK_TYPE), None)
        if root is not None:
            before = root.old.outputs if root.old is not None else {}
        complete = self._outputs is not None and not self.errors and not self.failed
        after = self._outputs if complete and self._outputs is not None else before
        looks = [under for under in self._under.values() if under.looks]
        looked = {under.place for under in looks}
        drift = [self._steps[under.place] for under in looks if not under.silent]
        if self._refreshing:
            return Plan(tuple(drift), before, after)
        steps = [with_goal(one, goals.get(one.urn)) for place, one in enumerate(self._steps) if place not in looked]
        return Plan(tuple(steps), before, after, policy=self._findings.verdict(), drift=tuple(drift))


_DRIFT: Final = {Op.UPDATE: Reason.DRIFTED, Op.DELETE: Reason.GONE, Op.SAME: Reason.UNCHANGED}


def _found(step: Step) -> Step:
    """What a refresh of a resource has found. Only where a run is nothing but a refresh does the CLI say it itself."""
    op = step.op
    if op is Op.REFRESH:
        op = Op.DELETE if step.new is None else Op.UPDATE if step.detailed else Op.SAME
    return replace(step, op=op, reason=_DRIFT.get(op, step.reason))


def _is_read(state: ResourceState) -> bool:
    return state.custom and not urns.is_provider_type(state.type)


def _key(step: Step) -> tuple[str, Op, str]:
    """What tells a step from another: of two old halves of one resource only the id does."""
    return step.urn, step.op, step.old.id if step.old is not None else ""


def result_of(summary: Mapping[str, Any] | None) -> str:
    """How the CLI says that a run has ended, in our words."""
    return _RESULTS.get(str((summary or {}).get("result")), "failed")
