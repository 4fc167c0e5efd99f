"""What the simulated cluster holds, as its watches have told it so far."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from engine.simulation.manifests import Manifest
from engine.simulation.pods import Owner, Pod, owner_of, read_pod
from engine.simulation.quantities import Resources, resources

Key: TypeAlias = tuple[str, str]  # namespace and name

OWN_NAMESPACE: Final = "bedplate-simulation"  # what the simulation itself puts there is no part of the answer
# Refusals that pass by themselves: two that counted at once, a quota that was not counted yet.
_PASSING: Final = ("the object has been modified", "status unknown for quota", "Timeout:", "not yet ready to handle")
_REFUSED: Final = "FailedCreate"


@dataclass
class Seen:
    """Objects by kind, namespace and name, and those that are gone.

    ``refusals`` are the API server's words on pods that it did not make.
    """

    objects: dict[str, dict[Key, Manifest]] = field(default_factory=dict[str, dict[Key, Manifest]])
    refusals: dict[Owner, str] = field(default_factory=dict[Owner, str])
    gone: set[Owner] = field(default_factory=set[Owner])
    _pods: dict[Key, Pod] = field(default_factory=dict[Key, Pod])  # those that have not ended, each read once
    _used: dict[Key, Resources] = field(default_factory=dict[Key, Resources])  # what each quota counts, read once
    _parents: dict[Owner, Owner] = field(default_factory=dict[Owner, Owner])  # from a ReplicaSet to its Deployment

    def changed(self, kind: str, manifest: Manifest, *, gone: bool = False) -> None:
        """Take in one event of a watch."""
        metadata = manifest["metadata"]
        key = (metadata.get("namespace") or "", metadata["name"])
        if kind == "Event":
            self._told(manifest)
            return
        if gone:
            self.objects.get(kind, {}).pop(key, None)
            self.gone.add(Owner(kind, *key))
        else:
            self.objects.setdefault(kind, {})[key] = manifest
        if kind == "Pod" and key[0] != OWN_NAMESPACE:
            self._pods.pop(key, None)
            if not gone and not _has_ended(manifest):
                self._pods[key] = read_pod(manifest)
        elif kind == "ResourceQuota":
            self._used.pop(key, None)
            if not gone:
                self._used[key] = resources((manifest.get("status") or {}).get("used") or {})
        elif kind == "ReplicaSet" and metadata.get("ownerReferences"):
            self._parents[Owner(kind, *key)] = owner_of(metadata)

    def _told(self, event: Manifest) -> None:
        message = event.get("message") or ""
        if event.get("reason") == _REFUSED and not any(text in message for text in _PASSING):
            about = event["involvedObject"]
            self.refusals[Owner(about["kind"], about.get("namespace") or "default", about["name"])] = message

    def of(self, kind: str) -> Iterable[Manifest]:
        """The objects of ``kind``, without the simulation's own."""
        return [one for (namespace, _), one in self.objects.get(kind, {}).items() if namespace != OWN_NAMESPACE]

    def get(self, kind: str, namespace: str, name: str) -> Manifest | None:
        return self.objects.get(kind, {}).get((namespace, name))

    @property
    def pods(self) -> Iterable[Pod]:
        """All pods that have not ended."""
        return self._pods.values()

    def owned(self) -> Mapping[Owner, Sequence[Pod]]:
        """The pods by the workload that they belong to, a Deployment's by the Deployment."""
        found: dict[Owner, list[Pod]] = {}
        for pod in self._pods.values():
            found.setdefault(self._parents.get(pod.owner, pod.owner), []).append(pod)
        return found

    def refusal_of(self, owner: Owner) -> str:
        """Why pods of ``owner`` are refused, "" where none are: of its own, or of its ReplicaSet."""
        if owner.kind != "Deployment":
            return self.refusals.get(owner, "")
        children = [child for child, parent in self._parents.items() if parent == owner]
        return next((self.refusals[child] for child in children if child in self.refusals), "")

    def counted(self, namespace: str) -> dict[str, Resources]:
        """What the quotas of a namespace count by now, by their names: a refusal may be older."""
        return {name: used for (place, name), used in self._used.items() if place == namespace}


def _has_ended(pod: Manifest) -> bool:
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
