"""The event log: one line of JSON per event, in the form of Pulumi's engine events (``apitype.EngineEvent``, 3.260).

Secrets are masked here: the events of the engine carry whole resource states.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from cli.event_values import masked_properties
from cli.policy_events import POLICY_EVENTS, policy_event
from cli.views.markers import is_default_provider
from engine import events
from engine.plan import Op, Step
from engine.state.model import ResourceState

_LOGICAL: Final = frozenset({Op.SAME, Op.CREATE, Op.UPDATE, Op.DELETE, Op.REPLACE, Op.READ, Op.DISCARD, Op.IMPORT})


class EventLog:
    """Writes events to a file as they come; a context manager.

    A file that takes no more (a full disk) must not stop a run: ``failure`` then says why, and the rest is left out.
    """

    def __init__(self, path: Path) -> None:
        self.failure: OSError | None = None
        path.parent.mkdir(parents=True, exist_ok=True)  # as with every other file that a command is told to write
        self._stream = path.open("w", encoding="utf-8")
        self._sequence = 0
        self._preview = True
        self._done: Counter[Op] = Counter()

    def __enter__(self) -> EventLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._noting_failure():
            self._stream.close()

    @contextmanager
    def _noting_failure(self) -> Generator[None]:
        try:
            yield
        except OSError as error:
            self.failure = self.failure or error

    def __call__(self, event: events.Event) -> None:
        if isinstance(event, events.RunStarted):
            self._preview = event.preview
            self._done.clear()
        elif isinstance(event, events.StepDone) and _is_counted(event.step):
            self._done[event.step.op] += 1
        elif isinstance(event, events.RunEnded):
            event = replace(event, counts=dict(self._done))  # as Pulumi counts: no halves, no default providers
        payload = encode(event, preview=self._preview)
        if payload is None:
            return
        self._sequence += 1
        line = {"sequence": self._sequence, "timestamp": int(time.time()), **payload}
        if self.failure is None:
            with self._noting_failure():
                self._stream.write(json.dumps(line, ensure_ascii=False) + "\n")
                self._stream.flush()


def encode(event: events.Event, *, preview: bool) -> dict[str, Any] | None:
    """An event's payload under its name; None for what Pulumi's stream does not have."""
    if isinstance(event, events.StepStarted | events.StepDone | events.OutputsRegistered | events.StepFailed):
        return None if is_default_provider(event.step.urn) else _step_event(event, preview)
    if isinstance(event, events.RunStarted):
        return {"preludeEvent": {"config": dict(event.config)}}
    if isinstance(event, events.Diagnostic):
        return {"diagnosticEvent": _diagnostic(event)}
    if isinstance(event, events.ProgramOutput):
        severity = "info#err" if event.stderr else "info"
        return {"diagnosticEvent": {"message": event.text + "\n", "color": "never", "severity": severity}}
    if isinstance(event, events.RunEnded):
        return {"summaryEvent": _summary(event)}
    if isinstance(event, POLICY_EVENTS):
        return policy_event(event)
    if isinstance(event, events.Passed):
        return dict(event.payload)
    return {"cancelEvent": {}} if isinstance(event, events.Cancelled) else None


def _step_event(
    event: events.StepStarted | events.StepDone | events.OutputsRegistered | events.StepFailed, preview: bool
) -> dict[str, Any]:
    metadata = _metadata(event.step)
    if isinstance(event, events.StepFailed):
        return {"resOpFailedEvent": {"metadata": metadata, "status": 0, "steps": 0}}
    name = "resourcePreEvent" if isinstance(event, events.StepStarted) else "resOutputsEvent"
    return {name: {"metadata": metadata, **({"planning": True} if preview else {})}}


def _diagnostic(event: events.Diagnostic) -> dict[str, Any]:
    fields: dict[str, Any] = {"urn": event.urn} if event.urn else {}
    fields |= {"message": event.message + "\n", "color": "never", "severity": str(event.severity)}
    return fields | ({"ephemeral": True} if event.ephemeral else {})


def _summary(event: events.RunEnded) -> dict[str, Any]:
    return {
        "maybeCorrupt": False,
        "durationSeconds": round(event.seconds),
        "resourceChanges": {str(op): count for op, count in event.counts.items()},
        "PolicyPacks": dict(event.packs),
        "isPreview": event.preview,
        "result": event.result,
    }


def _metadata(step: Step) -> dict[str, Any]:
    detailed = {path: {"diffKind": str(kind), "inputDiff": True} for path, kind in step.detailed.items()}
    return {
        "op": str(step.op),
        "urn": step.urn,
        "type": step.type,
        "old": _state(step.old),
        "new": _state(step.new),
        **({"keys": list(step.replace_keys)} if step.replace_keys else {}),
        **({"diffs": sorted({path.split(".")[0].split("[")[0] for path in step.detailed})} if step.detailed else {}),
        "detailedDiff": detailed or None,
        **({"logical": True} if step.op in _LOGICAL else {}),
        "provider": step.provider,
    }


def _state(state: ResourceState | None) -> dict[str, Any] | None:
    if state is None:
        return None
    flags = {"custom": state.custom, "delete": state.delete, "protect": state.protect, "external": state.external,
             "retainOnDelete": state.retain_on_delete}  # fmt: skip
    return {
        "type": state.type,
        "urn": state.urn,
        **{name: True for name, value in flags.items() if value},
        "id": state.id,
        "parent": state.parent,
        "inputs": masked_properties(state.inputs),
        "outputs": masked_properties(state.outputs),
        "provider": state.provider,
        **({"initErrors": list(state.init_errors)} if state.init_errors else {}),
    }


def _is_counted(step: Step) -> bool:
    return step.op in _LOGICAL and not is_default_provider(step.urn)
