"""The Kubernetes objects of a plan that bear on where pods run, and what of the plan would run pods unseen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from engine import urn as urns
from engine.simulation.declared import Declared
from engine.simulation.manifests import API_VERSIONS, CRON_JOB, Given, is_known
from engine.simulation.model import EFA, GPU, Pool
from engine.state.model import ResourceState
from engine.values import UNKNOWN, Properties, Secret, reveal, walk

_RELEASE: Final = "kubernetes:helm.sh/v3:Release"
# Who offers a device to the kubelet: what its image, chart or name has in it.
_PLUGINS: Final = {
    GPU: ("NVIDIA's device plugin", ("nvidia-device-plugin", "k8s-device-plugin", "gpu-operator")),
    EFA: ("the EFA device plugin", ("aws-efa-k8s-device-plugin",)),
}
# Images of Bottlerocket bring NVIDIA's plugin along.
_BRING_PLUGIN: Final = "BOTTLEROCKET"


@dataclass(frozen=True)
class Workloads:
    given: Sequence[Given]
    notes: Sequence[str]


def workloads(declared: Declared, pools: Sequence[Pool], *, cron_jobs: bool) -> Workloads:
    """What of ``declared`` is to be simulated on ``pools``."""
    found = [_given(state) for state in sorted(_known(declared), key=lambda one: one.urn)]
    left = [one for one in found if one.kind == CRON_JOB and not cron_jobs]
    notes = [*_releases(declared), *_plugins(declared, pools)]
    if left:
        notes.append(f"{_counted(len(left), 'CronJob')} left out; --cron-jobs starts each once")
    return Workloads([one for one in found if one not in left], notes)


def _known(declared: Declared) -> Iterator[ResourceState]:
    for state in declared.of_package("kubernetes"):
        version, _, kind = state.type.removeprefix("kubernetes:").rpartition(":")
        core = version.removeprefix("core/")
        if is_known(core, kind) and API_VERSIONS[kind] == core:
            yield state


def _given(state: ResourceState) -> Given:
    """The manifest that a resource was given, with its resource's name where the object's own is not known yet."""
    version, _, kind = state.type.removeprefix("kubernetes:").rpartition(":")
    metadata: Properties = dict(_opened(state.inputs.get("metadata")) or {})
    if not isinstance(metadata.get("name"), str):
        metadata["name"] = urns.name_of(state.urn)
    manifest = {**state.inputs, "apiVersion": version.removeprefix("core/"), "kind": kind, "metadata": metadata}
    return Given(manifest, urns.name_of(state.urn))


def _opened(value: object) -> Properties | None:
    value = value.value if isinstance(value, Secret) else value
    return value if isinstance(value, dict) else None


# What is not seen


def _releases(declared: Declared) -> list[str]:
    names = sorted(urns.name_of(state.urn) for state in declared.of_type(_RELEASE))
    if not names:
        return []
    listed = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
    return [f"what {_counted(len(names), 'Helm release')} would run is not counted: {listed}"]


def _plugins(declared: Declared, pools: Sequence[Pool]) -> Iterator[str]:
    texts = {text.lower() for state in _of_plugins(declared) for text in _texts(state)}
    for resource, (who, marks) in _PLUGINS.items():
        needing = [pool.name for pool in pools if _offers(declared, pool, resource)]
        if needing and not any(mark in text for mark in marks for text in texts):
            yield f"the program declares no device plugin: without {who}, {_listed(needing)} would offer no {resource}"


def _of_plugins(declared: Declared) -> Iterator[ResourceState]:
    return (one for one in declared.of_package("kubernetes") if one.type.endswith((":DaemonSet", ":Release")))


def _texts(state: ResourceState) -> Iterable[str]:
    return [urns.name_of(state.urn), *(text for text in walk(reveal(state.inputs)) if isinstance(text, str))]


def _offers(declared: Declared, pool: Pool, resource: str) -> bool:
    state = declared.states.get(pool.urn)
    image = state.inputs.get("amiType") if state else None
    brought = image is not UNKNOWN and str(image).startswith(_BRING_PLUGIN)
    return bool(pool.machine.gpu_count) and not brought if resource == GPU else bool(pool.resources.get(resource))


def _listed(names: Sequence[str]) -> str:
    return f"pool {names[0]}" if len(names) == 1 else f"pools {', '.join(names)}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("s" if count > 1 else "")
