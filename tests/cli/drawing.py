"""Runs described by hand, and the views that draw them. The form of a case: ``tests/cases/cli/README.md``."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import yaml

from cli.transcript import Transcript
from cli.views import documents, drift, policy, report, simulation, simulation_document, state
from cli.views.lines import Line, write
from cli.views.progress import Live, Plain
from engine import urn as urns
from engine.analyzer.findings import Level, PackInfo, PolicyFinding, PolicyInfo, Remediated, Verdict
from engine.events import (
    Diagnostic,
    Event,
    ProgramOutput,
    RunEnded,
    RunStarted,
    Severity,
    StepDone,
    StepFailed,
    StepSkipped,
    StepStarted,
)
from engine.plan import Op, Plan, Reason, Step
from engine.providers.base import DiffKind
from engine.run import Outcome, Result
from engine.simulation.answer import Answer
from engine.simulation.model import Assumption
from engine.simulation.running import answered, prepare
from engine.state.model import Operation, ResourceState
from tests.engine.simulation.packing import Case as Packing
from tests.engine.simulation.recording import from_json
from tests.special_values import Loader

STACK: Final = "prod"
PROJECT: Final = "demo"
_MANAGED: Final = ("aws:", "kubernetes:")  # other types are components
FOLDER: Final = Path(__file__).parents[1] / "cases" / "cli" / "views"


@dataclass
class Case:
    """One case, read; ``content`` is its file."""

    content: Mapping[str, Any]
    urns: dict[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def read(cls, name: str) -> Case:
        path = FOLDER / f"{name}.yaml"
        # A subclass of the safe loader, with three tags more.
        return cls(yaml.load(path.read_text(), Loader=Loader))

    @property
    def view(self) -> str:
        return self.content["view"]

    @property
    def width(self) -> int:
        return self.content.get("width", 80)

    def urn(self, name: str) -> str:
        return self.urns.get(name, "")

    def steps(self, what: str = "steps") -> list[Step]:
        return [self._step(one) for one in self.content.get(what, ())]

    def _step(self, one: Mapping[str, Any]) -> Step:
        type_ = one.get("type", urns.STACK_TYPE)
        parent = self.urn(one.get("in", ""))
        urn = urns.make(STACK, PROJECT, parent or None, type_, one["name"])
        self.urns[one["name"]] = urn
        op = Op(one["op"])
        gone = op in (Op.DELETE, Op.DELETE_REPLACED)
        old = one.get("old") if "old" in one or not gone else {}
        new = None if gone else one.get("new", old or {})
        if op is Op.SAME and old is None:
            old = new
        states = [
            None if inputs is None else ResourceState(
                urn, type_, custom=one.get("custom", type_.startswith(_MANAGED)), id=one.get("id", ""), inputs=inputs,
                outputs=one.get(outputs, {}), parent=parent, dependencies=tuple(one.get("dependencies", ())),
                protect=one.get("protect", False),
            )
            for inputs, outputs in ((old, "was"), (new, "is"))
        ]  # fmt: skip
        return Step(
            op, urn, type_, Reason[one.get("reason", _REASONS.get(op, "CHANGED"))], states[0], states[1],
            {path: DiffKind(kind) for path, kind in one.get("detailed", {}).items()},
            tuple(one.get("replace_keys", ())), one.get("retained", False),
        )  # fmt: skip

    def outcome(self) -> Outcome:
        outputs = self.content.get("outputs", {})
        steps = tuple(self.steps())  # first: the rest names resources by them
        plan = Plan(
            steps, outputs.get("before", {}), outputs.get("after", outputs.get("before", {})),
            tuple(self.content.get("notes", ())), tuple(self.content.get("unknown_types", ())),
            self.content.get("state_only_changes", False), self._verdict(), tuple(self.steps("drift")),
        )  # fmt: skip
        return Outcome(Result(self.content.get("result", "succeeded")), plan, self.content.get("seconds", 2.1))

    def _verdict(self) -> Verdict | None:
        policy = self.content.get("policy")
        if policy is None:
            return None
        packs = [
            PackInfo(name, "1.0.0", tuple(PolicyInfo(**_levelled(each)) for each in policies))
            for name, policies in policy["packs"].items()
        ]
        findings = [PolicyFinding(**self._about(_levelled(one))) for one in policy.get("findings", ())]
        remediated = [Remediated(**self._about(one)) for one in policy.get("remediated", ())]
        return Verdict(tuple(packs), tuple(findings), tuple(remediated), tuple(policy.get("broken", ())))

    def _about(self, one: Mapping[str, Any]) -> dict[str, Any]:
        return {**one, "urn": self.urn(one.get("urn", ""))}

    def transcript(self, steps: Sequence[Step]) -> Transcript:
        transcript = Transcript()
        for event in self.events(steps):
            transcript(event)
        return transcript

    def events(self, steps: Sequence[Step]) -> list[Event]:
        """The run told in events: an apply where the case says ``applied``."""
        applied = self.content.get("applied", False)
        failed: Mapping[str, str] = self.content.get("failed", {})
        events: list[Event] = [RunStarted({}, preview=not applied)]
        events += [ProgramOutput(text) for text in self.content.get("printed", ())]
        for step in steps:
            events.append(StepStarted(step))
            message = failed.get(urns.name_of(step.urn))
            if message is not None:
                events += [StepFailed(step, message, 1.5), Diagnostic(Severity.ERROR, message, step.urn)]
            elif urns.name_of(step.urn) not in self.content.get("running", ()):
                events.append(StepDone(step, self.content.get("step_seconds", 0.0)))
        for name, because in self.content.get("skipped", {}).items():
            type_, parent = "aws:s3/bucket:Bucket", None
            events.append(StepSkipped(urns.make(STACK, PROJECT, parent, type_, name), self.urn(because)))
        for one in self.content.get("diagnostics", ()):
            urn, ephemeral = self.urn(one.get("resource", "")), one.get("ephemeral", False)
            events.append(Diagnostic(Severity(one["severity"]), one["message"], urn, ephemeral))
        if "running" not in self.content:
            events.append(RunEnded(not applied, 2.1, {}, "succeeded"))
        return events

    def draw(self, *, color: bool = False) -> str:
        """The case as its view draws it."""
        outcome = self.outcome()
        drawn = _VIEWS[self.view](self, outcome)
        if isinstance(drawn, str):
            return drawn
        stream = io.StringIO()
        write(drawn, stream, color=color)
        return stream.getvalue()


def _levelled(one: Mapping[str, Any]) -> dict[str, Any]:
    return {**one, "level": Level(one["level"])}


_REASONS: Final = {
    Op.SAME: "UNCHANGED", Op.CREATE: "NEW", Op.REPLACE: "IMMUTABLE", Op.CREATE_REPLACEMENT: "IMMUTABLE",
    Op.DELETE_REPLACED: "REPLACED", Op.DELETE: "NOT_DECLARED", Op.READ: "READ", Op.IMPORT: "IMPORTED",
}  # fmt: skip


def _preview(case: Case, outcome: Outcome) -> list[Line]:
    heading = report.Heading("preview", STACK, "embedded engine, state in .bedplate/state")
    detail = case.content.get("detail", "none")
    transcript = case.transcript(outcome.plan.steps)
    lines = report.preview(heading, outcome, transcript, width=case.width, detail=detail)
    return lines if outcome.plan.policy is None else [*lines, policy.summary(outcome.plan.policy, case.width)]


def _result(case: Case, outcome: Outcome) -> list[Line]:
    transcript = case.transcript(outcome.plan.steps)
    return report.result(outcome, transcript, outcome.plan.outputs_after, width=case.width)


def _document(case: Case, outcome: Outcome) -> str:
    transcript = case.transcript(outcome.plan.steps)
    document = documents.run("preview", STACK, outcome, transcript, code=0)
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _outputs(case: Case, outcome: Outcome) -> list[Line]:
    return report.table(outcome.plan.outputs_after, width=case.width, reveal=case.content.get("show_secrets", False))


def _states(outcome: Outcome) -> list[ResourceState]:
    return [step.state for step in outcome.plan.steps]


def _listing(case: Case, outcome: Outcome) -> list[Line]:
    states = _states(outcome)
    pending = [Operation(one, "creating") for one in states if urns.name_of(one.urn) in case.content.get("pending", ())]
    return state.listing(states, pending, width=case.width)


def _details(case: Case, outcome: Outcome) -> list[Line]:
    return [one for found in _states(outcome) for one in state.details(found, reveal=False)]


def _log(case: Case, outcome: Outcome) -> str:
    stream = io.StringIO()
    progress = Plain(stream, color=False)
    for event in case.events(outcome.plan.steps):
        progress(event)
    return stream.getvalue()


def _status(case: Case, outcome: Outcome) -> list[Line]:
    times = iter(range(1000))
    live = Live(io.StringIO(), lambda: case.width, color=False, clock=lambda: float(next(times)))
    for event in case.events(outcome.plan.steps):
        live(event)
    return [line.cut(case.width) for line in live.status()]


def _drift_markdown(_case: Case, outcome: Outcome) -> str:
    return drift.markdown(STACK, outcome)


def _answer(case: Case) -> Answer:
    packing = Packing.read(case.content["packing"])
    found = answered(prepare(packing.question()), from_json(packing.recording.read_text()))
    assumptions = [Assumption(one["place"], one["text"]) for one in case.content.get("assumptions", ())]
    notes = [*case.content.get("notes", ()), *found.notes]
    return replace(found, seconds=12.3, assumptions=assumptions, notes=notes)


def _simulation(case: Case, _outcome: Outcome) -> list[Line]:
    return simulation.render(_answer(case), STACK, width=case.width)


def _simulation_document(case: Case, _outcome: Outcome) -> str:
    return json.dumps(simulation_document.document(_answer(case), STACK, code=0), indent=2, ensure_ascii=False) + "\n"


_VIEWS: Final = {
    "preview": _preview, "result": _result, "document": _document, "outputs": _outputs, "listing": _listing,
    "details": _details, "log": _log, "status": _status, "drift-markdown": _drift_markdown,
    "simulation": _simulation, "simulation-document": _simulation_document,
}  # fmt: skip
