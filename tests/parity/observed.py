"""What a run of either engine came to, as plain JSON in which nothing is left that differs from run to run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Final, TypeAlias

from engine.state.model import ResourceState, Snapshot
from engine.values import UNKNOWN, Archive, Asset, ResourceRef, Secret, Value
from engine.wire import UNKNOWN_STRING
from tests.engine.lifecycle.cloud import Cloud
from tests.parity.interpreter import Answer
from tests.parity.programs import PROJECT, STACK, Run

Json: TypeAlias = Any
_PREFIX: Final = f"urn:pulumi:{STACK}::{PROJECT}::"
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_WHEN: Final = ("created", "modified")
_SETS: Final = ("dependencies",)  # Pulumi writes them down in no order
_LEFT_OUT: Final = ("source_position", "stack_trace", "extra")


@dataclass
class Pass:
    """A preview or an apply: its steps in their order, what failed, and which resources an error was reported on."""

    steps: list[Json] = field(default_factory=list[Json])
    failed: list[str] = field(default_factory=list[str])
    errors: list[str] = field(default_factory=list[str])
    succeeded: bool = True
    answers: dict[str, Json] = field(default_factory=dict[str, Json])
    told: list[str] = field(default_factory=list[str])

    @property
    def changes_nothing(self) -> bool:
        """Our engine then applies nothing; Pulumi does, and must come to the same state."""
        return self.succeeded and all(step.startswith(("same ", "refresh ")) for step in self.steps)


@dataclass
class Observation:
    """One run. ``apply`` is None where nothing was applied."""

    preview: Pass | None
    apply: Pass | None
    calls: Sequence[str]
    wrongs: Sequence[str]
    state: Sequence[Json]
    pending: Sequence[Json] = ()
    refresh: bool = False

    def comparable(self) -> Json:
        """What has to be equal. What may happen in any order is sorted: steps, and what is deleted.

        Of a refresh that is what its preview tells of, without what has not drifted: our engine looks only once.
        """
        if self.refresh and self.preview is not None:
            self.apply = None
            self.preview.steps = [step for step in self.preview.steps if not step.startswith("same ")]
        return {
            "preview": _comparable(self.preview),
            "apply": None if self.apply is None or self.apply.changes_nothing else _comparable(self.apply, again=True),
            "made": [call for call in self.calls if not call.startswith(("delete", "read"))],
            "deleted": sorted(call for call in self.calls if call.startswith("delete")),
            "read": sorted({call for call in self.calls if call.startswith("read")}),
            "wrongs": sorted(self.wrongs),
            "state": self.state,
            "pending": self.pending,
        }


def _comparable(each: Pass | None, *, again: bool = False) -> Json:
    """A pass. What Pulumi reads ``again`` when it applies, ours has read once: what it shows is what it takes over."""
    if each is None:
        return None
    return {
        "succeeded": each.succeeded,
        "steps": sorted(step for step in each.steps if not (again and step.startswith("refresh "))),
        "failed": sorted(each.failed) if again else [],  # of a preview Pulumi does not tell
        "errors": sorted(set(each.errors)),
        "answers": each.answers,
        **({"told": each.told} if each.told else {}),
    }


@dataclass
class Normal:
    """Turns what is observed into its normal form; one for all runs of a case, since it names what is random."""

    known: dict[str, str] = field(default_factory=dict[str, str])

    def text(self, text: str) -> str:
        """Without the URNs' common beginning, the random ids of providers by their names."""
        text = text.replace(_PREFIX, "~")
        return _UUID.sub(lambda match: self.known.get(match[0], "<random>"), text)

    def value(self, value: Value) -> Json:
        """A property value as JSON."""
        match value:
            case str():
                return self.text(value)
            case dict():
                return {key: self.value(item) for key, item in sorted(value.items())}
            case list() | tuple():
                return [self.value(item) for item in value]
            case Secret():
                return {"secret": self.value(value.value)}
            case Asset():
                return {"asset": self.value(value.text or value.path), "hash": value.hash}
            case Archive():
                members = None if value.assets is None else dict(value.assets)
                return {"archive": self.value(value.path or members), "hash": value.hash}
            case ResourceRef():
                return {"ref": self.text(value.urn), "id": self.value(value.id)}
            case _:
                return "UNKNOWN" if value is UNKNOWN else value

    def answers(self, answers: Mapping[str, Answer]) -> dict[str, Json]:
        return {label: self.answer(answer) for label, answer in answers.items() if label}

    def answer(self, answer: Answer) -> Json:
        """Only what is not as usual is named."""
        said: dict[str, Json] = {"outputs": self.value(answer.outputs)}
        if (
            answer.id != UNKNOWN_STRING and answer.id and not _UUID.fullmatch(answer.id)
        ):  # a provider's is known to Pulumi
            said["id"] = self.text(answer.id)
        if answer.failed:
            said["failed"] = True
        if answer.unknown:
            said["unknown"] = True
        return said

    def state(self, snapshot: Snapshot) -> list[Json]:
        """Resources by their URNs, older generations first."""
        found = sorted(snapshot.resources, key=lambda each: (each.urn, not each.delete, each.created or "", each.id))
        for each in found:
            if _UUID.fullmatch(each.id) and each.id not in self.known:
                self.known[each.id] = f"<{self.text(each.urn)} {len(self.known)}>"
        return [self.resource(each) for each in found]

    def pending(self, snapshot: Snapshot) -> list[Json]:
        return sorted(f"{each.kind} {self.text(each.resource.urn)}" for each in snapshot.pending_operations)

    def resource(self, state: ResourceState) -> Json:
        """The fields that are set. Of times only whether there are any."""
        fresh = ResourceState("", "")
        described: dict[str, Json] = {}
        for each in fields(state):
            value = getattr(state, each.name)
            if each.name in _LEFT_OUT or value == getattr(fresh, each.name):
                continue
            described[each.name] = True if each.name in _WHEN else self._field(value)
        for name in _SETS:
            if name in described:
                described[name] = sorted(described[name])
        by_property = described.pop("property_dependencies", {})
        taken = {key: sorted(urns) for key, urns in by_property.items() if urns}
        return described | ({"property_dependencies": taken} if taken else {})

    def _field(self, value: Any) -> Json:
        if is_dataclass(value) and not isinstance(value, Secret | Asset | Archive | ResourceRef):
            return {each.name: float(getattr(value, each.name)) for each in fields(value) if getattr(value, each.name)}
        return self.value(value)


def step_line(op: str, urn: str, keys: Iterable[str], detailed: Mapping[str, str]) -> str:
    """``update ~test:index:Thing::a size:update``, a replacement with what it is due to."""
    because = " ".join(f"!{key}" for key in sorted(keys))
    kinds = " ".join(f"{path}:{kind}" for path, kind in sorted(detailed.items()))
    return " ".join(part for part in (op, urn, because, kinds) if part)


def calls_of(cloud: Cloud) -> list[str]:
    """What the cloud was asked, and of which of several of one name."""
    return [f"{call} {call.id}".strip() for call in cloud.calls]


def differences(expected: Json, seen: Json, path: str = "") -> list[str]:
    """Where two observations differ, as lines for a reader."""
    if isinstance(expected, dict) and isinstance(seen, dict):
        keys = sorted({*expected, *seen})
        return [line for key in keys for line in differences(expected.get(key), seen.get(key), f"{path}.{key}")]
    if isinstance(expected, list) and isinstance(seen, list):
        return _of_lists(expected, seen, path)
    return [] if expected == seen and type(expected) is type(seen) else [f"{path}: pulumi {expected!r}, ours {seen!r}"]


def _of_lists(expected: list[Json], seen: list[Json], path: str) -> list[str]:
    if expected == seen:
        return []
    if all(isinstance(item, dict) and "urn" in item for item in (*expected, *seen)):
        ours, theirs = _by_urn(seen), _by_urn(expected)
        return differences(theirs, ours, path)
    missing = [item for item in expected if item not in seen]
    extra = [item for item in seen if item not in expected]
    if not missing and not extra:
        return [f"{path}: pulumi {expected!r}, ours {seen!r}"]
    return [f"{path}: only pulumi has {item!r}" for item in missing] + [
        f"{path}: only ours has {item!r}" for item in extra
    ]


def _by_urn(items: Sequence[Json]) -> dict[str, Json]:
    keyed: dict[str, Json] = {}
    for item in items:
        key = f"[{item['urn']}{' (old)' if item.get('delete') else ''}]"
        while key in keyed:
            key += "'"
        keyed[key] = item
    return keyed


def observation(
    run: Run, preview: Pass | None, applied: Pass | None, cloud: Cloud, normal: Normal, after: Snapshot
) -> Observation:
    """What ``run`` came to, given the stack after it."""
    return Observation(
        preview,
        applied,
        calls_of(cloud),
        list(cloud.wrongs),
        normal.state(after),
        normal.pending(after),
        run.verb == "refresh",
    )
