"""Where pods lie in an object: at the fixed places of built-in kinds, by their shape in custom resources, and in the
kinds that write pods in their own way (KServe, Argo Workflows, Kubeflow's TrainJob).

Sources: the API references of Kubernetes 1.35, KServe 0.16, Argo Workflows 3.7 and Kubeflow Trainer 2.1, 2026-11.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from policies.kit import Value
from policies.subjects.kubernetes import KubernetesObject


@dataclass(frozen=True)
class Place:
    """A pod: the layers of its specification, innermost first, and containers that lie beside its lists."""

    layers: tuple[Value, ...]
    metadata: Value
    containers: tuple[Value, ...] = ()
    partial: bool = False


_TEMPLATE: Final = ("spec", "template")
_BUILT_IN: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("", "Pod"): (),
    ("", "PodTemplate"): ("template",),
    ("", "ReplicationController"): _TEMPLATE,
    ("batch", "Job"): _TEMPLATE,
    ("", "DeploymentConfig"): _TEMPLATE,  # of OpenShift, as it was before groups
    ("batch", "CronJob"): ("spec", "jobTemplate", *_TEMPLATE),
    **{
        (group, kind): _TEMPLATE
        for group in ("apps", "extensions")
        for kind in ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet")
    },
}
# Groups whose objects hold no pods: Kubernetes' own (a custom kind's schema speaks of containers, too), and those of
# policy engines, whose patterns look like pods.
_NO_PODS: Final = (
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "apps",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "constraints.gatekeeper.sh",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "extensions",
    "flowcontrol.apiserver.k8s.io",
    "kyverno.io",
    "mutations.gatekeeper.sh",
    "networking.k8s.io",
    "node.k8s.io",
    "policies.kyverno.io",
    "policy",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
    "storagemigration.k8s.io",
    "templates.gatekeeper.sh",
)
# Kubernetes' own kinds of the core group that hold none; OpenShift, too, has kinds in `v1`, such as DeploymentConfig.
# Source: Kubernetes API reference 1.36, core/v1.
_CORE: Final = frozenset({
    "Binding", "ComponentStatus", "ConfigMap", "Endpoints", "Event", "LimitRange", "List", "Namespace", "Node",
    "PersistentVolume", "PersistentVolumeClaim", "ResourceQuota", "Secret", "Service", "ServiceAccount",
})  # fmt: skip
_LISTS: Final = ("containers", "initContainers", "ephemeralContainers")
# Properties behind which a pod may stand, if nobody knows yet what does.
_HOLDERS: Final = frozenset({"spec", "template", "podTemplate", "podTemplateSpec", "podSpec", *_LISTS})
_NOT_SPEC: Final = frozenset({"apiVersion", "kind", "metadata", "status"})
_NOWHERE: Final = Value(None)

# The fields by which KServe names a model's format instead of a list of containers: each is a container.
_KSERVE_PARTS: Final = ("predictor", "transformer", "explainer")
_KSERVE_FORMATS: Final = (
    "model",
    "sklearn",
    "xgboost",
    "tensorflow",
    "pytorch",
    "triton",
    "onnx",
    "huggingface",
    "pmml",
    "lightgbm",
    "paddle",
    "art",
)
_ARGO_SINGLE: Final = ("container", "script")


def places_in(each: KubernetesObject) -> Iterator[Place]:
    """The pods of one object."""
    fixed = _BUILT_IN.get((each.group, each.kind))
    if fixed is not None:
        holder = each.body.get(*fixed)
        if holder.unknown or holder.get("spec").present:
            yield Place((holder.get("spec"),), holder.get("metadata"))
        return
    dialect = _DIALECTS.get((each.group, each.kind))
    if dialect is not None:
        yield from dialect(each.body.get("spec"))
    elif each.kind not in _CORE if not each.group else each.group not in _NO_PODS:
        yield from _by_shape(each.body)


def _by_shape(body: Value) -> Iterator[Place]:
    if body.unknown:
        yield Place((body,), _NOWHERE)
        return
    for key, value in body.entries():
        if key not in _NOT_SPEC:
            yield from _shaped(value, key, _NOWHERE)


def _shaped(value: Value, key: str, beside: Value) -> Iterator[Place]:
    """The pods in ``value``, which is called ``key`` where it lies, with ``beside`` for its metadata."""
    if value.unknown:
        if key in _HOLDERS:
            yield Place((value,), beside)
    elif value.kind == "a list":
        for element in value.items():
            yield from _shaped(element, "", _NOWHERE)
    elif value.kind == "an object":
        is_pod = any(_holds_containers(value.get(name)) for name in _LISTS)
        if is_pod:
            yield Place((value,), beside)
        for name, inner in value.entries():
            if not (name in _LISTS and is_pod) and name not in ("metadata", "volumes"):
                yield from _shaped(inner, name, value.get("metadata"))


def _holds_containers(value: Value) -> bool:
    if value.unknown:
        return True
    return value.kind == "a list" and len(value) > 0 and all(_is_container(each) for each in value.items())


def _is_container(value: Value) -> bool:
    if value.unknown:
        return True
    return value.kind == "an object" and (value.get("name").present or value.get("image").present)


def _kserve(spec: Value) -> Iterator[Place]:
    """The parts of an InferenceService: each is a pod's specification, whose container may be called by its format."""
    for part in _KSERVE_PARTS:
        pod = spec.get(part)
        if pod.unknown or pod.present:
            formats = () if pod.unknown else tuple(pod.get(name) for name in _KSERVE_FORMATS if pod.get(name).present)
            yield Place((pod,), _annotated(pod), formats)
            worker = _NOWHERE if pod.unknown else pod.get("workerSpec")
            if worker.present:
                yield Place((worker,), _annotated(pod))


def _annotated(part: Value) -> Value:
    """A part of an InferenceService has its pods' labels and annotations among its own fields."""
    return part if part.kind == "an object" else _NOWHERE


def _argo(spec: Value) -> Iterator[Place]:
    """Each step of a workflow is a pod; what the workflow says holds for all that don't say otherwise."""
    if spec.unknown:
        yield Place((spec,), _NOWHERE)
        return
    templates = spec.get("templates")
    for template in [templates] if templates.unknown else [*templates.items(), spec.get("templateDefaults")]:
        if template.unknown:
            yield Place((template,), _NOWHERE)
            continue
        single = [template.get(name) for name in _ARGO_SINGLE if template.get(name).present]
        listed = list(template.get("containerSet", "containers").items())
        beside = list(template.get("sidecars").items())
        if containers := (*single, *listed, *beside):
            own = template.get("metadata")
            yield Place((template, spec), own if own.present else spec.get("podMetadata"), containers)


def _argo_cron(spec: Value) -> Iterator[Place]:
    yield from _argo(spec if spec.unknown else spec.get("workflowSpec"))


def _train_job(spec: Value) -> Iterator[Place]:
    """What a TrainJob says of its pods; the rest of them is in the TrainingRuntime that it names."""
    if spec.unknown:
        yield Place((spec,), _NOWHERE, partial=True)
        return
    parts = [spec.get("trainer"), spec.get("initializer", "dataset"), spec.get("initializer", "model")]
    for part in parts:
        if part.present:
            yield Place((Value({}, part.path),), _NOWHERE, (part,), partial=True)
    overrides = spec.get("podTemplateOverrides")
    for override in [overrides] if overrides.unknown else overrides.items():
        inner = override if override.unknown else override.get("spec")
        if inner.present:
            yield Place((inner,), _NOWHERE if override.unknown else override.get("metadata"), partial=True)
    for key, value in spec.entries():
        if key not in ("trainer", "initializer", "podTemplateOverrides"):
            yield from _shaped(value, key, _NOWHERE)


_DIALECTS: Final[Mapping[tuple[str, str], Callable[[Value], Iterator[Place]]]] = {
    ("serving.kserve.io", "InferenceService"): _kserve,
    ("argoproj.io", "Workflow"): _argo,
    ("argoproj.io", "WorkflowTemplate"): _argo,
    ("argoproj.io", "ClusterWorkflowTemplate"): _argo,
    ("argoproj.io", "CronWorkflow"): _argo_cron,
    ("trainer.kubeflow.org", "TrainJob"): _train_job,
}
