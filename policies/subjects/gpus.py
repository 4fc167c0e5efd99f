"""What pods ask for of GPUs and other accelerators, and whether they can get onto a node that has them."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from policies.kit import Value
from policies.subjects.pods import Container, PodTemplate
from policies.subjects.quantities import amount

# Resources that count accelerators. Sources: the device plugins' documentation, 2026-11: NVIDIA (whole GPUs, time
# slices, MIG), AWS Neuron (chips and cores), AMD, Intel Gaudi.
ACCELERATORS: Final = (
    "nvidia.com/gpu",
    "nvidia.com/gpu.shared",
    "nvidia.com/mig-*",
    "aws.amazon.com/neuron*",
    "amd.com/gpu*",
    "habana.ai/gaudi",
)
# The taint that keeps other pods off the nodes of an accelerator, by resource.
_TAINTS: Final = (
    ("nvidia.com/*", "nvidia.com/gpu"),
    ("aws.amazon.com/neuron*", "aws.amazon.com/neuron"),
    ("amd.com/*", "amd.com/gpu"),
    ("habana.ai/*", "habana.ai/gaudi"),
)
# Labels that nodes of every kind have: to choose by them is to choose no hardware.
_SAY_NOTHING: Final = (
    "beta.kubernetes.io/arch",
    "beta.kubernetes.io/os",
    "eks.amazonaws.com/capacityType",
    "failure-domain.beta.kubernetes.io/*",
    "karpenter.sh/capacity-type",
    "kubernetes.io/arch",
    "kubernetes.io/os",
    "topology.*/*",
)
_CHOOSING: Final = frozenset({"Exists", "Gt", "In", "Lt"})
_ADMITTING: Final = frozenset({"", "NoSchedule"})


@dataclass(frozen=True, eq=False)
class Request:
    """What one container asks for of one accelerator: ``requested`` and ``limit`` as they are written."""

    container: Container
    resource: str
    requested: Value
    limit: Value

    @property
    def count(self) -> Decimal:
        """How many: the larger of both. Raises where either can't be read."""
        return max(amount(self.requested) or Decimal(0), amount(self.limit) or Decimal(0))


def is_accelerator(resource: str) -> bool:
    return any(fnmatch.fnmatchcase(resource, pattern) for pattern in ACCELERATORS)


def requests_of(container: Container) -> Iterator[Request]:
    """The accelerators that a container names in its requests or limits."""
    requested, limits = container.resources.get("requests"), container.resources.get("limits")
    named = {name: None for side in (requests_ for requests_ in (requested, limits)) for name, _ in side.entries()}
    for resource in named:
        if is_accelerator(resource):
            yield Request(container, resource, requested.get(resource), limits.get(resource))


def accelerators_of(pod: PodTemplate) -> Sequence[str]:
    """The accelerators of which the pod asks for one or more."""
    found = {each.resource: None for container in pod.containers for each in requests_of(container) if each.count > 0}
    return list(found)


def taint_of(resource: str) -> str:
    """The key of the taint on nodes that have ``resource``."""
    return next((taint for pattern, taint in _TAINTS if fnmatch.fnmatchcase(resource, pattern)), resource)


def tolerates(pod: PodTemplate, taint: str) -> bool:
    """Whether the pod may go onto nodes with that taint (effect NoSchedule, whatever its value)."""
    return any(_admits(toleration, taint) for toleration in pod.get("tolerations").items())


def _admits(toleration: Value, taint: str) -> bool:
    key, operator = toleration.get("key").text(""), toleration.get("operator").text("Equal")
    if toleration.get("effect").text("") not in _ADMITTING:
        return False
    return key == taint or (not key and operator == "Exists")


def chooses_nodes(pod: PodTemplate, labels: Iterable[str]) -> bool:
    """Whether the pod is for chosen nodes only, by one of ``labels`` (globs; none: any label that says something).

    Alternatives (terms of a required node affinity) must each choose; what is only preferred, or ruled out, chooses
    nothing.
    """
    patterns = tuple(labels)
    if pod.get("nodeName").text(""):
        return True
    if any(_counts(key, patterns) for key, _ in pod.get("nodeSelector").entries()):
        return True
    required = pod.get("affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
    terms = list(required.get("nodeSelectorTerms").items())
    return bool(terms) and all(_chooses(term, patterns) for term in terms)


def _chooses(term: Value, patterns: Sequence[str]) -> bool:
    if any(each.get("operator").text("") == "In" for each in term.get("matchFields").items()):
        return True
    return any(
        each.get("operator").text("") in _CHOOSING and _counts(each.get("key").text(""), patterns)
        for each in term.get("matchExpressions").items()
    )


def _counts(key: str, patterns: Sequence[str]) -> bool:
    if patterns:
        return any(fnmatch.fnmatchcase(key, pattern) for pattern in patterns)
    return not any(fnmatch.fnmatchcase(key, pattern) for pattern in _SAY_NOTHING)


def quota_key(resource: str) -> str:
    """What a ResourceQuota calls it: of extended resources only requests can be bounded."""
    return f"requests.{resource}"


NODE_LABELS: Final[Mapping[str, Mapping[str, str]]] = {
    # Set by NVIDIA's feature discovery, and by the platform on its own nodes.
    "nvidia.com/gpu": {"nvidia.com/gpu.present": "true"},
}
