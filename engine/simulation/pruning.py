"""Objects as the scheduler and its admission see them: nothing else of them reaches the simulated cluster.

What a container runs (commands, environment, probes, mounts) has no part in where it runs, and may hold secrets. Claims
for storage become empty folders: nobody provisions volumes here. A plan's unknown values are left out, and named where
they would matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from engine.simulation.manifests import API_VERSIONS, CRON_JOB, Given, Manifest
from engine.simulation.model import Assumption
from engine.values import UNKNOWN, Secret, Value

PLACEHOLDER: Final = "hidden"  # instead of a secret
_POD: Final = (
    "nodeSelector", "affinity", "tolerations", "topologySpreadConstraints", "priorityClassName", "preemptionPolicy",
    "schedulerName", "hostNetwork", "hostPID", "hostIPC", "hostUsers", "securityContext", "runtimeClassName",
    "restartPolicy", "os", "resources", "schedulingGates", "nodeName",
)  # fmt: skip
_CONTAINER: Final = ("name", "resources", "ports", "securityContext", "restartPolicy")
_SPEC: Final = {
    "Deployment": ("replicas", "selector", "paused"),
    "ReplicaSet": ("replicas", "selector"),
    "StatefulSet": ("replicas", "selector", "serviceName", "podManagementPolicy", "ordinals"),
    "DaemonSet": ("selector",),
    "Job": ("parallelism", "completions", "completionMode", "suspend"),
    "ResourceQuota": ("hard", "scopes", "scopeSelector"),
    "LimitRange": ("limits",),
    "PodDisruptionBudget": ("minAvailable", "maxUnavailable", "selector", "unhealthyPodEvictionPolicy"),
}
_TOP: Final = {
    "PriorityClass": ("value", "globalDefault", "preemptionPolicy"),
    "RuntimeClass": ("handler", "overhead", "scheduling"),
}
# Volumes that Pod Security minds, or that mean the same to it as an empty folder.
_EMPTY: Final = frozenset(
    {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
)
_CLAIMS: Final = frozenset({"persistentVolumeClaim", "ephemeral"})
_IMAGE: Final = "simulated"
_RUNS_ON: Final = {"bedplate.dev/runs-for": "87600h"}  # a job's pods keep their place: it is about where they run
_QUEUE: Final = "kueue.x-k8s.io/queue-name"


@dataclass
class Pruned:
    """An object for the simulated cluster, and what was settled to make it one. ``traits`` are said once for all."""

    given: Given
    assumptions: list[Assumption] = field(default_factory=list[Assumption])
    traits: set[str] = field(default_factory=set[str])


CLAIMS: Final = "volumes are not simulated: neither their zones nor how many a node can hold"
QUEUES: Final = "Kueue does not run here: what it would queue counts as admitted"
CLAIMED_DEVICES: Final = "devices that pods claim (DRA) are not simulated; such pods count as if they claimed none"
HIDDEN: Final = f"secret values in labels, selectors and the like stand as '{PLACEHOLDER}' in the simulated cluster"


def prune(given: Given) -> Pruned:
    """``given`` reduced to what scheduling is about. A CronJob becomes the Job that it would start."""
    pruned = Pruned(given)
    whole = _job_of(given.manifest) if given.kind == CRON_JOB else given.manifest
    kept = _kept(whole, pruned)
    cleaned = _cleaned(kept, (), pruned)
    pruned.given = Given(_complete(cleaned), given.place, given.added)
    return pruned


def _kept(whole: Manifest, pruned: Pruned) -> Manifest:
    kind = whole["kind"]
    metadata = {key: whole["metadata"][key] for key in ("name", "namespace", "labels") if key in whole["metadata"]}
    manifest: Manifest = {"apiVersion": API_VERSIONS[kind], "kind": kind, "metadata": metadata}
    manifest |= _only(whole, _TOP.get(kind, ()))
    spec = _mapping(whole.get("spec"))
    if kind == "Pod":
        metadata["annotations"] = dict(_RUNS_ON)
        return manifest | {"spec": _pod(spec, (), pruned)}
    if kind not in _SPEC:
        return manifest
    manifest["spec"] = _only(spec, _SPEC[kind])
    if "template" in spec:
        claimed = _items(spec.get("volumeClaimTemplates"))
        claims = [_mapping(_mapping(one).get("metadata")).get("name") for one in claimed]
        template = _mapping(spec["template"])
        manifest["spec"]["template"] = {
            "metadata": _only(_mapping(template.get("metadata")), ("labels",)) | {"annotations": dict(_RUNS_ON)},
            "spec": _pod(_mapping(template.get("spec")), claims, pruned),
        }
    if kind == "Job" and _mapping(whole["metadata"].get("labels")).get(_QUEUE):
        pruned.traits.add(QUEUES)
        manifest["spec"]["suspend"] = False
    return manifest


def _job_of(cron: Manifest) -> Manifest:
    """The Job that a CronJob's template describes, under the CronJob's name."""
    template = _mapping(_mapping(cron.get("spec")).get("jobTemplate"))
    metadata = {**_mapping(template.get("metadata")), **_only(cron["metadata"], ("name", "namespace"))}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": template.get("spec")}


def _pod(spec: Manifest, claims: Sequence[Value], pruned: Pruned) -> Manifest:
    kept = _only(spec, _POD)
    for name in ("initContainers", "containers"):
        if name in spec:
            kept[name] = [_container(_mapping(one)) for one in _items(spec[name])]
    if spec.get("containers") is UNKNOWN:
        _missing(("spec", "containers"), pruned)
        kept["containers"] = [{"name": "unknown", "image": _IMAGE}]
    volumes = [_volume(_mapping(one), pruned) for one in _items(spec.get("volumes"))]
    if claims:
        pruned.traits.add(CLAIMS)
    kept["volumes"] = [*volumes, *({"name": name, "emptyDir": {}} for name in claims)]
    if _items(spec.get("resourceClaims")):
        pruned.traits.add(CLAIMED_DEVICES)
    # A pod that has to go is gone at once: there is no process that could take its time.
    return kept | {"terminationGracePeriodSeconds": 0, "automountServiceAccountToken": False}


def _container(container: Manifest) -> Manifest:
    kept = _only(container, _CONTAINER) | {"image": _IMAGE}
    resources = _mapping(kept.get("resources"))
    if resources:
        kept["resources"] = _only(resources, ("requests", "limits"))
    return kept


def _volume(volume: Manifest, pruned: Pruned) -> Manifest:
    sources = set(volume) - {"name"}
    if sources & _CLAIMS:
        pruned.traits.add(CLAIMS)
    return {"name": volume.get("name"), "emptyDir": {}} if sources <= _EMPTY else volume


# Unknowns and secrets


def _cleaned(value: Value, path: tuple[str, ...], pruned: Pruned) -> Value:
    """``value`` without what is unknown, secrets replaced; what is missing is noted."""
    if isinstance(value, Secret):
        value = _hidden(value.value, path, pruned)
    if isinstance(value, dict):
        pairs = ((key, item, (*path, str(key))) for key, item in value.items())
        return {key: _cleaned(item, below, pruned) for key, item, below in pairs if _is_known(item, below, pruned)}
    if isinstance(value, list):
        items = ((item, (*path, str(index))) for index, item in enumerate(value))
        return [_cleaned(item, below, pruned) for item, below in items if _is_known(item, below, pruned)]
    return value


def _hidden(value: Value, path: tuple[str, ...], pruned: Pruned) -> Value:
    """A secret amount or number is needed to place a pod and tells little; a secret text stays out."""
    if isinstance(value, str) and not _is_amount(path):
        pruned.traits.add(HIDDEN)
        return PLACEHOLDER
    if isinstance(value, dict):
        return {key: Secret(item) for key, item in value.items()}
    return [Secret(item) for item in value] if isinstance(value, list) else value


def _is_amount(path: tuple[str, ...]) -> bool:
    return "requests" in path or "limits" in path or "hard" in path


def _is_known(item: Value, path: tuple[str, ...], pruned: Pruned) -> bool:
    if (item.value if isinstance(item, Secret) else item) is not UNKNOWN:
        return True
    _missing(path, pruned)
    return False


def _missing(path: tuple[str, ...], pruned: Pruned) -> None:
    instead = next((text for end, text in _INSTEAD.items() if path[-len(end) :] == end), "left out")
    given = pruned.given
    pruned.assumptions.append(Assumption(f"{given.kind} {given.name}", f"{'.'.join(path)} is not known yet; {instead}"))


_INSTEAD: Final[Mapping[tuple[str, ...], str]] = {
    ("spec", "replicas"): "taken as 1",
    ("spec", "parallelism"): "taken as 1",
    ("metadata", "namespace"): "taken as default",
    ("spec", "containers"): "taken as one that asks for nothing",
}


# What the API server insists on


def _complete(manifest: Manifest) -> Manifest:
    for pod in _pods(manifest):
        for container in [*pod.get("initContainers", ()), *pod.get("containers", ())]:
            if not isinstance(container.get("name"), str):
                container["name"] = "unnamed"
        if manifest["kind"] == "Job" and pod.get("restartPolicy") not in ("Never", "OnFailure"):
            pod["restartPolicy"] = "Never"
    return manifest


def _pods(manifest: Manifest) -> Iterator[Manifest]:
    spec = _mapping(manifest.get("spec"))
    if manifest["kind"] == "Pod":
        yield spec
    elif "template" in spec:
        yield spec["template"]["spec"]


def _only(value: Mapping[str, Any], keys: tuple[str, ...]) -> Manifest:
    return {key: value[key] for key in keys if key in value and value[key] is not None}


def _mapping(value: Any) -> Manifest:
    """``value`` where it is a mapping, secret or not; else an empty one (the API server says what it minds)."""
    value = value.value if isinstance(value, Secret) else value
    return value if isinstance(value, dict) else {}


def _items(value: Any) -> list[Value]:
    """Likewise for a list."""
    value = value.value if isinstance(value, Secret) else value
    return value if isinstance(value, list) else []
