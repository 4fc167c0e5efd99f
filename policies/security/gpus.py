"""Row 69: pods that ask for GPUs ask for whole ones, are let onto the nodes that have them, and within a quota.

The same holds for MIG instances (``nvidia.com/mig-*``), shared GPUs and AWS's Neuron devices.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.kit import Finding, Stack, Value
from policies.security.pack import SECURITY
from policies.subjects.cluster import objects_in
from policies.subjects.gpus import (
    NODE_LABELS,
    Request,
    accelerators_of,
    chooses_nodes,
    is_accelerator,
    quota_key,
    requests_of,
    taint_of,
    tolerates,
)
from policies.subjects.kubernetes import KubernetesObject
from policies.subjects.mending import Patch, mending, mending_by
from policies.subjects.pods import Container, PodTemplate
from policies.subjects.quantities import amount

_FRAMEWORK: Final = "BEDPLATE:gpu"
_NO_DEVICES: Final = ("", "none", "void")


def _with_equal_amounts(container: Container) -> Patch:
    sides: dict[str, dict[str, Any]] = {"requests": {}, "limits": {}}
    for each in requests_of(container):
        right = each.limit if each.limit.present else each.requested
        if list(_problems(each)) and _is_whole(right):
            sides["limits"][each.resource] = right.plain()
            if each.requested.present:
                sides["requests"][each.resource] = right.plain()
    changed = {side: amounts for side, amounts in sides.items() if amounts}
    holder = "resources" if container.get("resources").present else "resourcesPerNode"
    return {holder: changed} if changed else None


def _is_whole(value: Value) -> bool:
    number = amount(value)
    return number is not None and number >= 0 and number == number.to_integral_value()


@SECURITY.rule(
    "gpu-amounts",
    number=69,
    title="GPUs are asked for whole, as a limit, and the request is the same",
    severity="high",
    fix="Set resources.limits['nvidia.com/gpu'] to a whole number, and leave the request out or make it equal.",
    frameworks=(_FRAMEWORK,),
    mend=mending(Container, _with_equal_amounts),
)
def gpu_amounts(container: Container) -> Iterator[Finding]:
    """GPUs can't be overcommitted: the API server refuses a request without an equal limit, and parts of a device.

    A part of a GPU is asked for by the name of the part: nvidia.com/mig-1g.10gb, nvidia.com/gpu.shared. Judged are
    init containers, too; ephemeral containers can't ask for anything.
    """
    for each in requests_of(container):
        for value, problem in _problems(each):
            yield Finding(f"container '{container.name}': {problem}", value.path)


def _problems(each: Request) -> Iterator[tuple[Value, str]]:
    for side, value in (("requests", each.requested), ("limits", each.limit)):
        if value.present and not _is_whole(value):
            yield value, f"{side} {value.shown()} of {each.resource}, and only whole devices are handed out"
    requested, limit = amount(each.requested), amount(each.limit)
    if limit is None:
        if requested:
            yield each.requested, f"requests {each.requested.shown()} of {each.resource} without a limit of as many"
    elif requested is not None and requested != limit:
        shown = f"requests {each.requested.shown()} of {each.resource} but limits {each.limit.shown()}"
        yield each.requested, f"{shown}: they must be equal"


@SECURITY.rule(
    "gpu-of-pod",
    number=69,
    title="GPUs are asked for by containers, not by the pod",
    severity="high",
    fix="Move the GPUs from the pod's resources to those of the container that uses them.",
    frameworks=(_FRAMEWORK,),
)
def gpu_of_pod(pod: PodTemplate) -> Iterator[Finding]:
    """A pod's own resources (Kubernetes 1.34) are CPU, memory and huge pages: devices there are refused."""
    for side in ("requests", "limits"):
        for name, value in pod.get("resources", side).entries():
            if is_accelerator(name):
                yield Finding(f"the pod itself asks for {name}, which only a container can have", value.path)


def _with_toleration(pod: PodTemplate, parameters: Mapping[str, Any]) -> Patch:
    missing = _not_tolerated(pod, parameters)
    if not missing:
        return None
    added = [{"key": taint, "operator": "Exists", "effect": "NoSchedule"} for taint in missing]
    return {"tolerations": [*(pod.get("tolerations").plain() or []), *added]}


def _not_tolerated(pod: PodTemplate, parameters: Mapping[str, Any]) -> Mapping[str, str]:
    """Taints that keep the pod off the nodes it needs, with the accelerator that is there."""
    if pod.partial:
        return {}
    others: list[str] = parameters["taints"]
    needed = {taint_of(resource): resource for resource in accelerators_of(pod)}
    return {
        taint: resource
        for taint, resource in needed.items()
        if not any(tolerates(pod, each) for each in (taint, *others))
    }


@SECURITY.rule(
    "gpu-toleration",
    number=69,
    title="Pods with GPUs tolerate the taint of GPU nodes",
    severity="high",
    fix="Add the toleration {key: nvidia.com/gpu, operator: Exists, effect: NoSchedule}.",
    frameworks=(_FRAMEWORK,),
    parameters={
        "taints": {
            "type": "array",
            "items": {"type": "string", "minLength": 1},
            "default": [],
            "description": "Keys of taints that GPU nodes have in place of the resource's name.",
        }
    },
    mend=mending_by(PodTemplate, _with_toleration),
)
def gpu_toleration(pod: PodTemplate, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """GPU nodes are tainted, so that nothing else fills them: a pod that needs one and tolerates nothing stays Pending.

    The taint has the resource's name (all of NVIDIA's: nvidia.com/gpu). A toleration without an effect counts, and one
    without a key and with the operator Exists; one of another effect only does not.
    """
    for taint, resource in _not_tolerated(pod, parameters).items():
        yield Finding(
            f"the pod asks for {resource}, and no toleration lets it onto nodes with the taint {taint}:NoSchedule",
            pod.get("tolerations").path,
        )


def _with_selector(pod: PodTemplate, parameters: Mapping[str, Any]) -> Patch:
    labels = [NODE_LABELS.get(taint_of(resource)) for resource in _not_placed(pod, parameters)]
    known = {key: value for each in labels if each for key, value in each.items()}
    return {"nodeSelector": known} if known else None


def _not_placed(pod: PodTemplate, parameters: Mapping[str, Any]) -> list[str]:
    resources = [] if pod.partial else list(accelerators_of(pod))
    return resources if resources and not chooses_nodes(pod, parameters["labels"]) else []


@SECURITY.rule(
    "gpu-node-selector",
    number=69,
    title="Pods with GPUs say which nodes they are for",
    severity="high",
    fix="Add a nodeSelector (nvidia.com/gpu.present, or the pool's or the GPU's label), or a required node affinity.",
    frameworks=(_FRAMEWORK,),
    parameters={
        "labels": {
            "type": "array",
            "items": {"type": "string", "minLength": 1},
            "default": [],
            "description": "Labels (globs) of which one must be chosen by; none: any but those that all nodes have.",
        }
    },
    mend=mending_by(PodTemplate, _with_selector),
)
def gpu_node_selector(pod: PodTemplate, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """By the number of GPUs alone the scheduler takes any node that is free: the dearest, or one too small to train on.

    A required node affinity must choose in each of its terms; a preferred one, NotIn and the labels that every node
    has (system, architecture, zone, capacity type) choose nothing.
    """
    resources = _not_placed(pod, parameters)
    if resources:
        yield Finding(
            f"the pod asks for {', '.join(resources)}, and neither nodeSelector nor a required node affinity "
            "says on which nodes",
            pod.get("nodeSelector").path,
        )


@SECURITY.rule(
    "gpu-visible-devices",
    number=69,
    title="Containers see the GPUs that they ask for, and no others",
    severity="high",
    fix="Remove NVIDIA_VISIBLE_DEVICES and set resources.limits['nvidia.com/gpu']: the device plugin says which.",
    frameworks=(_FRAMEWORK,),
    tags=("kyverno:check-nvidia-gpu",),
    level="advisory",  # what drives or watches GPUs, such as the device plugin, must see all of them
)
def gpu_visible_devices(container: Container) -> Iterator[Finding]:
    """With NVIDIA's runtime this variable hands out GPUs past the scheduler, its quotas, and whoever has them already.

    ``void``, ``none`` and an empty value hand out none.
    """
    for variable in container.get("env").items():
        value = variable.get("value")
        if variable.get("name").text("") == "NVIDIA_VISIBLE_DEVICES" and value.text("") not in _NO_DEVICES:
            yield Finding(f"container '{container.name}' gives itself the GPUs {value.shown()}", value.path)


@SECURITY.rule(
    "gpu-quota",
    number=69,
    title="Namespaces whose pods ask for GPUs have a quota of them",
    severity="high",
    fix="Add a ResourceQuota with hard['requests.nvidia.com/gpu'] to the namespace.",
    frameworks=(_FRAMEWORK,),
)
def gpu_quota(pod: PodTemplate, stack: Stack) -> Iterator[Finding]:
    """Without a quota one namespace takes every GPU that there is, and with autoscaling every one that can be bought.

    A quota counts if it lies in the pod's namespace, bounds ``requests.`` of that very resource (Kubernetes knows no
    other for devices), and is not narrowed by scopes: such a one bounds only some of the pods.
    """
    objects = objects_in(stack)
    namespace = objects.namespace_of(pod.object)
    for resource in accelerators_of(pod):
        if not any(_bounds(quota, resource) for quota in objects.within(namespace, "", "ResourceQuota")):
            yield Finding(
                f"the pod asks for {resource}, and its namespace {namespace.shown} has no ResourceQuota "
                f"on {quota_key(resource)}",
                pod.path,
            )


def _bounds(quota: KubernetesObject, resource: str) -> bool:
    spec = quota.body.get("spec")
    if len(spec.get("scopes")) or spec.get("scopeSelector").present:
        return False
    return spec.get("hard", quota_key(resource)).present
