"""Results as JSON. ``version`` comes first; whoever reads them must ignore properties that they don't know."""

from __future__ import annotations

from typing import Any

from cli.screen import VERSION
from cli.transcript import Transcript
from cli.views import drift
from cli.views.change_document import change_document
from cli.views.changes import of_step
from cli.views.markers import counts, headline, is_default_provider
from cli.views.policy_document import policy_document
from cli.views.values import to_json
from engine import urn as urns
from engine.events import Diagnostic
from engine.plan import Op, Step
from engine.run import Outcome
from engine.state.model import ResourceState
from engine.values import Properties


def run(
    verb: str, stack: str, outcome: Outcome, transcript: Transcript, *, code: int, engine: str = "embedded"
) -> dict[str, Any]:
    """The document of a preview or an apply."""
    plan = outcome.plan
    document: dict[str, Any] = {
        "version": VERSION,
        "command": verb,
        "stack": stack,
        "engine": engine,
        "result": str(outcome.result),
        "exitCode": code,
        "seconds": round(outcome.seconds, 3),
        "applied": transcript.applying,
        "planned": {str(op): count for op, count in counts(plan.steps).items()},
    }
    if transcript.applying:
        document["done"] = {str(op): count for op, count in transcript.done.items()}
    return document | {
        "outputs": {"before": to_json(plan.outputs_before), "after": to_json(plan.outputs_after)},
        "steps": [
            _step(headline(steps), transcript) for urn, steps in plan.by_urn().items() if not is_default_provider(urn)
        ],
        "failed": [{"urn": one.step.urn, "op": str(one.step.op), "message": one.message} for one in transcript.failed],
        "skipped": [
            {"urn": one.urn, "because": one.because, "stillNeeded": one.still_needed} for one in transcript.skipped
        ],
        "diagnostics": [_diagnostic(one) for one in transcript.diagnostics],
        "programOutput": [one.text for one in transcript.output],
        "notes": list(plan.notes),
        "unknownTypes": list(plan.unknown_types),
        "stateOnlyChanges": plan.state_only_changes,
        "policy": policy_document(plan.policy),
        "drift": drift.document(plan.steps if verb == "refresh" else plan.drift),
    }


def _step(step: Step, transcript: Transcript) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "op": str(step.op),
        "urn": step.urn,
        "type": step.type,
        "name": urns.name_of(step.urn),
        "parent": step.state.parent,
        "id": step.state.id,
        "reason": str(step.reason),
    }
    if step.op is Op.SAME:
        return fields
    if transcript.applying:
        fields["seconds"] = round(transcript.seconds.get(step.urn, 0.0), 3)
    changes = [change_document(change) for change in of_step(step)]
    return fields | {"replaceKeys": list(step.replace_keys), "retained": step.retained, "changes": changes}


def _diagnostic(one: Diagnostic) -> dict[str, Any]:
    return {"severity": str(one.severity), "urn": one.urn, "message": one.message}


def outputs(stack: str, values: Properties, *, reveal: bool) -> dict[str, Any]:
    """The document of a stack's outputs."""
    return {"version": VERSION, "stack": stack, "outputs": to_json(values, reveal=reveal)}


def resource(state: ResourceState, *, reveal: bool) -> dict[str, Any]:
    """One resource of the state."""
    return {
        "urn": state.urn,
        "type": state.type,
        "name": urns.name_of(state.urn),
        "id": state.id,
        "custom": state.custom,
        "parent": state.parent,
        "provider": state.provider,
        "dependencies": list(state.dependencies),
        "protect": state.protect,
        "delete": state.delete,
        "external": state.external,
        "created": state.created,
        "modified": state.modified,
        "initErrors": list(state.init_errors),
        "inputs": to_json(state.inputs, reveal=reveal),
        "outputs": to_json(state.outputs, reveal=reveal),
    }
