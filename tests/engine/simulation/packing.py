"""Packing cases: pools and workloads as files. Their form: ``tests/cases/simulation/README.md``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from engine.simulation.answer import Answer
from engine.simulation.capacity import max_pods
from engine.simulation.manifests import API_VERSIONS, CLUSTER_WIDE, Given, Manifest
from engine.simulation.model import Pool, PoolKind, Pools, Size, Taint
from engine.simulation.nodes import slug
from engine.simulation.pods import Owner
from engine.simulation.running import Question
from tests.engine.simulation.machines import CASES, CATALOGUE, read_case

PACKING: Final = sorted(path.stem for path in (CASES / "packing").glob("*.yaml"))


@dataclass(frozen=True)
class Case:
    """One case, read."""

    name: str
    content: Mapping[str, Any]

    @classmethod
    def read(cls, name: str) -> Case:
        return cls(name, read_case(CASES / "packing" / f"{name}.yaml"))

    @property
    def recording(self) -> Path:
        return CASES / "packing" / f"{self.name}.seen.json"

    @property
    def size(self) -> Size:
        return Size(self.content.get("size", "desired"))

    def question(self) -> Question:
        return Question(
            Pools([_pool(name, one) for name, one in self.content["pools"].items()]), self.size, self.given()
        )

    def given(self) -> list[Given]:
        found = [Given(_around(one), "around") for one in self.content.get("around", ())]
        found += [Given(_workload(one), "plan") for one in self.content.get("plan", ())]
        return found + [Given(_workload(one), "file", added=True) for one in self.content.get("files", ())]

    def expected(self) -> dict[str, Any]:
        return {
            "placed": self.content.get("placed", {}), "pending": self.content.get("pending", {}),
            "usd": self.content.get("usd", {}),
        }  # fmt: skip

    def told(self, answer: Answer) -> dict[str, Any]:
        """What the case says of an answer, from ``answer``; prices only where it names their pools."""
        prices = self.content.get("usd", {})
        return {
            "placed": {str(one.owner): dict(one.placed) for one in answer.workloads if one.placed},
            "pending": {str(owner): _why(answer, owner) for owner in {one.owner for one in answer.pending}},
            "usd": {one.pool.name: [_cents(one.placed_usd), _cents(one.idle_usd)] for one in answer.pools if
                    one.pool.name in prices},
        }  # fmt: skip


def _why(answer: Answer, owner: Owner) -> str:
    """What is said of a workload; where its pods wait for several reasons, all of them."""
    found = [one for one in answer.pending if one.owner == owner]
    return " And ".join(f"{one.pods}, {one.why.reason}: {one.why.text}. {one.why.advice}" for one in found)


def _cents(usd: float | None) -> float | None:
    return None if usd is None else round(usd, 2)


def _pool(name: str, one: Mapping[str, Any]) -> Pool:
    machine = CATALOGUE[one["type"]]
    kind = PoolKind(one.get("kind", PoolKind.MANAGED))
    sizes = {Size.MIN: one.get("min", 0), Size.DESIRED: one.get("desired", 1), Size.MAX: one.get("max", 1)}
    taints = [Taint(*part) for part in (_parts(text) for text in one.get("taints", ()))]
    resources = {"vpc.amazonaws.com/efa": one["efa"]} if "efa" in one else {}
    labels = {"bedplate.dev/pool": name, **one.get("labels", {})}
    pods = one.get("pods", max_pods(machine, kind))
    return Pool(name, kind, machine, [machine.name], sizes, labels, taints, one.get("capacity", "on-demand"),
                one.get("zones", ["us-east-1a"]), one.get("disk", 100), resources, pods, slug(name))  # fmt: skip


def _parts(taint: str) -> tuple[str, str, str]:
    key, _, effect = taint.rpartition(":")
    key, _, value = key.partition("=")
    return key, value, effect


def _around(one: Mapping[str, Any]) -> Manifest:
    """``{Namespace: team-a, ...}``: the object's kind and name first, then its fields."""
    kind, name = next(iter(one.items()))
    namespace, _, name = name.rpartition("/")
    metadata = {"name": name, **({"namespace": namespace} if kind not in CLUSTER_WIDE else {})}
    metadata |= {"labels": one["labels"]} if "labels" in one else {}
    fields = {key: value for key, value in one.items() if key not in (kind, "labels")}
    return {"apiVersion": API_VERSIONS[kind], "kind": kind, "metadata": metadata, **fields}


def _workload(one: Mapping[str, Any]) -> Manifest:
    """``{Job: team-a/llm, pods: 2, gpus: 4, cpu: 8, memory: 64Gi, tolerates: KEY, pool: train, pod: {more of it}}``."""
    kind, name = next(iter(one.items()))
    namespace, _, name = name.rpartition("/")
    labels = {"app": name}
    pod = _pod(one)
    metadata = {"name": name, "namespace": namespace}
    manifest: Manifest = {"apiVersion": API_VERSIONS[kind], "kind": kind, "metadata": metadata, "spec": pod}
    if kind == "Pod":
        metadata |= {"labels": labels}
        return manifest
    spec: Manifest = {"template": {"metadata": {"labels": labels}, "spec": pod}, **one.get("spec", {})}
    count = one.get("pods", 1)
    if kind == "Job":
        spec |= {"parallelism": count, "completions": count}
    else:
        spec |= {"selector": {"matchLabels": labels}} | ({} if kind == "DaemonSet" else {"replicas": count})
    return manifest | {"spec": spec}


def _pod(one: Mapping[str, Any]) -> Manifest:
    requests = {key: one[key] for key in ("cpu", "memory") if key in one}
    limits = {name: one[key] for key, name in _DEVICES.items() if key in one}
    container = {"name": "main", "image": "simulated", "resources": {"requests": requests, "limits": limits}}
    pod: Manifest = {"containers": [container]}
    if "tolerates" in one:
        pod["tolerations"] = [{"key": one["tolerates"], "operator": "Exists"}]
    if "pool" in one:
        pod["nodeSelector"] = {"bedplate.dev/pool": one["pool"]}
    return pod | one.get("pod", {})


_DEVICES: Final = {"gpus": "nvidia.com/gpu", "efa": "vpc.amazonaws.com/efa"}
