"""Pods as the API server has them, read for what bears on their place: requests, selectors, tolerations, condition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final, NamedTuple

from engine.simulation.manifests import Manifest
from engine.simulation.model import Taint
from engine.simulation.quantities import Resources, parse

DEFAULT_SCHEDULER: Final = "default-scheduler"


class Owner(NamedTuple):
    """The workload that a pod belongs to, or the pod itself where it belongs to none."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class Requirement:
    """One condition on a node's labels, from a node selector or a required node affinity."""

    key: str
    operator: str
    values: Sequence[str]
    field: bool = False  # on metadata.name, not on a label

    def met(self, labels: Mapping[str, str], name: str) -> bool:
        value = name if self.field else labels.get(self.key)
        match self.operator:
            case "In":
                return value in self.values
            case "NotIn":
                return value not in self.values
            case "Exists":
                return value is not None
            case "DoesNotExist":
                return value is None
            case _:
                return _compared(self.operator, value, self.values)

    def __str__(self) -> str:
        match self.operator:
            case "In":
                return f"{self.key}={'|'.join(self.values)}"
            case "NotIn":
                return f"{self.key}≠{'|'.join(self.values)}"
            case "Exists":
                return self.key
            case "DoesNotExist":
                return f"no {self.key}"
            case _:
                return f"{self.key} {self.operator} {'|'.join(self.values)}"


def _compared(operator: str, value: str | None, values: Sequence[str]) -> bool:
    try:
        number, other = int(value or ""), int(values[0])
    except (ValueError, IndexError):
        return False
    return number > other if operator == "Gt" else number < other


@dataclass(frozen=True)
class Pod:
    """One pod. ``terms`` are the ways of its node affinity, of which one is enough; ``selector`` holds in any case."""

    name: str
    owner: Owner
    requests: Resources
    node: str = ""
    selector: Sequence[Requirement] = ()
    terms: Sequence[Sequence[Requirement]] = ()
    tolerations: Sequence[Mapping[str, Any]] = ()
    priority: int = 0
    scheduler: str = DEFAULT_SCHEDULER
    message: str = ""  # the scheduler's, why it is not placed
    reason: str = ""
    nominated: str = ""  # the node on which others are made to go for it
    gates: Sequence[str] = ()
    terminating: bool = False
    spread: Sequence[str] = field(default_factory=tuple[str, ...])  # the topology keys that it is spread over by force

    @property
    def is_placed(self) -> bool:
        return bool(self.node)

    @property
    def is_decided(self) -> bool:
        """Whether the scheduler has said what it can: it has placed the pod, or has found that it can't for now."""
        if self.gates or self.scheduler != DEFAULT_SCHEDULER or self.node:
            return True
        return self.reason == "Unschedulable" and not self.nominated

    def tolerates(self, taint: Taint) -> bool:
        """Whether the pod may be placed in spite of ``taint``."""
        return taint.effect == "PreferNoSchedule" or any(_tolerates(one, taint) for one in self.tolerations)


def _tolerates(toleration: Mapping[str, Any], taint: Taint) -> bool:
    if toleration.get("effect") not in (None, "", taint.effect):
        return False
    if not toleration.get("key"):
        return toleration.get("operator") == "Exists"
    if toleration["key"] != taint.key:
        return False
    return toleration.get("operator") == "Exists" or (toleration.get("value") or "") == taint.value


def read_pod(manifest: Manifest) -> Pod:
    """A pod from its object; of one that a Deployment makes, the owner is the ReplicaSet between them."""
    metadata, spec = manifest["metadata"], manifest.get("spec") or {}
    status = manifest.get("status") or {}
    affinity = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get(_REQUIRED) or {}
    condition = next((one for one in status.get("conditions") or () if one["type"] == "PodScheduled"), {})
    unplaced = condition.get("status") == "False"
    return Pod(
        metadata["name"], owner_of(metadata), requests(spec), spec.get("nodeName") or "",
        [Requirement(key, "In", (value,)) for key, value in (spec.get("nodeSelector") or {}).items()],
        [_term(one) for one in affinity.get("nodeSelectorTerms") or ()],
        spec.get("tolerations") or (), spec.get("priority") or 0, spec.get("schedulerName") or DEFAULT_SCHEDULER,
        condition.get("message", "") if unplaced else "", condition.get("reason", "") if unplaced else "",
        status.get("nominatedNodeName") or "", [one["name"] for one in spec.get("schedulingGates") or ()],
        "deletionTimestamp" in metadata,
        _spread(spec),
    )  # fmt: skip


def _spread(spec: Mapping[str, Any]) -> list[str]:
    constraints = spec.get("topologySpreadConstraints") or ()
    return [one["topologyKey"] for one in constraints if one.get("whenUnsatisfiable") == "DoNotSchedule"]


_REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"


def owner_of(metadata: Manifest) -> Owner:
    """The controller of an object, or what the object itself would be as the owner of a pod: itself."""
    namespace = metadata.get("namespace") or "default"
    controller = next((one for one in metadata.get("ownerReferences") or () if one.get("controller")), None)
    if controller is None:
        return Owner("Pod", namespace, metadata["name"])
    return Owner(controller["kind"], namespace, controller["name"])


def _term(term: Mapping[str, Any]) -> list[Requirement]:
    labels = [_requirement(one, field_=False) for one in term.get("matchExpressions") or ()]
    return labels + [_requirement(one, field_=True) for one in term.get("matchFields") or ()]


def _requirement(given: Mapping[str, Any], *, field_: bool) -> Requirement:
    return Requirement(given["key"], given["operator"], tuple(given.get("values") or ()), field_)


def requests(spec: Mapping[str, Any]) -> Resources:
    """What a pod asks of its node, the pod itself as one of ``pods``.

    Source: Kubernetes, "Resource sharing within containers": the sum of the containers and of the sidecars, or what an
    init container asks for beside the sidecars before it, whichever is more; requests of the pod itself come first.
    """
    running: dict[str, Fraction] = {}
    peak: dict[str, Fraction] = {}
    for container in spec.get("initContainers") or ():
        asked = _asked(container)
        if container.get("restartPolicy") == "Always":
            running, asked = total([running, asked]), {}
        peak = _higher(peak, total([running, asked]))
    running = total([running, *(_asked(container) for container in spec.get("containers") or ())])
    peak = _higher(peak, running) | _asked(spec)
    overhead = {name: parse(value) for name, value in (spec.get("overhead") or {}).items()}
    return {name: value for name, value in total([peak, overhead]).items() if value} | {"pods": Fraction(1)}


def _asked(of: Mapping[str, Any]) -> dict[str, Fraction]:
    resources = of.get("resources") or {}
    given = {**(resources.get("limits") or {}), **(resources.get("requests") or {})}
    return {name: parse(value) for name, value in given.items()}


def _higher(one: Resources, other: Resources) -> dict[str, Fraction]:
    return {name: max(one.get(name, Fraction(0)), other.get(name, Fraction(0))) for name in {**one, **other}}


def total(amounts: Iterable[Resources]) -> dict[str, Fraction]:
    """Several amounts together, resource by resource."""
    found: dict[str, Fraction] = {}
    for amount in amounts:
        for name, value in amount.items():
            found[name] = found.get(name, Fraction(0)) + value
    return found
