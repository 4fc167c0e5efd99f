"""One simulation from its parts to its answer: a control plane of its own that lives as long as the question.

It never meets a sandbox: another directory, another port, certificates of its own. Its processes end with this process,
however that ends; a folder that a killed simulation left is removed by the next one.
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from engine.providers.kubernetes import kubeconfig
from engine.providers.kubernetes.connection import Connection
from engine.sandbox.native import Binaries, ControlPlane, control_plane, end_leftovers
from engine.simulation.answer import Answer, answer
from engine.simulation.cluster import Cluster
from engine.simulation.manifests import Given, in_order
from engine.simulation.model import Assumption, Pools, Size
from engine.simulation.nodes import nodes
from engine.simulation.pods import Owner
from engine.simulation.pruning import prune
from engine.simulation.seen import Seen

FOLDER: Final = Path(".bedplate") / "simulations"


@dataclass(frozen=True)
class Question:
    """What is to be simulated: pools at a size, objects in the order in which they are given, notes on reading them."""

    pools: Pools
    size: Size
    given: Sequence[Given]
    notes: Sequence[str] = ()


@contextmanager
def throw_away(root: Path, binaries: Binaries) -> Generator[ControlPlane]:
    """A control plane for the length of the block, its files below ``root``. Raises SandboxError."""
    folder = root / FOLDER
    _sweep(folder)
    with control_plane(folder / str(os.getpid()), binaries) as plane:
        yield plane


def _sweep(folder: Path) -> None:
    """Remove what simulations left whose process is gone."""
    for left in folder.glob("*"):
        if left.name.isdecimal() and not _is_alive(int(left.name)):
            end_leftovers(left)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@dataclass(frozen=True)
class Observed:
    """What became of a question in a cluster. ``refused`` are the objects that the API server did not take."""

    seen: Seen
    refused: Mapping[Owner, str]
    version: str  # of Kubernetes
    seconds: float = 0.0


@dataclass(frozen=True)
class Prepared:
    """A question as the cluster gets it: what it mentions without giving it is made, what it can't tell is settled."""

    question: Question
    given: Sequence[Given]
    notes: Sequence[str]
    assumptions: Sequence[Assumption]

    @property
    def workloads(self) -> Sequence[Given]:
        return [one for one in self.given if one.is_workload]


def observe(connection: Connection, version: str, prepared: Prepared, *, timeout: float) -> Observed:
    """Give a question to a cluster in which nothing else is, and wait until it has done what it can.

    Raises SimulationError, ProviderError.
    """
    started = time.monotonic()
    question = prepared.question
    made = [node for pool in question.pools.pools for node in nodes(pool, question.size)]
    with Cluster(connection, timeout) as cluster:
        cluster.surround(made, [one for one in prepared.given if not one.is_workload])
        for phase in _phases(prepared.workloads):
            cluster.place(phase)
        return Observed(cluster.seen, cluster.refused, version, time.monotonic() - started)


def connected(plane: ControlPlane) -> Connection:
    """A connection to ``plane`` as its administrator."""
    return Connection(kubeconfig.target(kubeconfig.load(str(plane.kubeconfig))))


def answered(prepared: Prepared, observed: Observed) -> Answer:
    """The answer to a question, from what was observed. Pure."""
    question, workloads = prepared.question, prepared.workloads
    found = answer(
        observed.seen, question.pools.pools, question.size, workloads, observed.refused, version=observed.version
    )
    notes = [*question.pools.notes, *question.notes, *prepared.notes, *_refused(workloads, observed.refused)]
    assumptions = [*question.pools.assumptions, *prepared.assumptions]
    return replace(found, notes=notes, assumptions=assumptions, seconds=observed.seconds)


def _phases(workloads: Sequence[Given]) -> Iterable[Sequence[Given]]:
    """What is there before what comes: daemons, then the plan's workloads, then those that files add."""
    daemons = [one for one in workloads if one.kind == "DaemonSet"]
    others = [one for one in workloads if one not in daemons]
    return [daemons, [one for one in others if not one.added], [one for one in others if one.added]]


def prepare(question: Question) -> Prepared:
    """A question with all that it needs. Of objects that are given twice the last counts: files come after the plan."""
    latest = {one.key: one for one in question.given}
    notes = [
        f"{after.place} takes the place of {before.kind} {before.name}"
        for before in question.given if (after := latest[before.key]) is not before
    ]  # fmt: skip
    pruned = [prune(one) for one in latest.values()]
    missing, said = _missing([one.given for one in pruned])
    traits = sorted({trait for one in pruned for trait in one.traits})
    assumptions = [text for one in pruned for text in one.assumptions]
    return Prepared(
        question, in_order([*(one.given for one in pruned), *missing]), [*notes, *said, *traits], assumptions
    )


def _missing(given: Sequence[Given]) -> tuple[list[Given], list[str]]:
    there = {one.name for one in given if one.kind == "Namespace"} | {"default", "kube-system", "kube-public"}
    names = sorted({one.namespace for one in given if one.namespace} - there)
    classes = {name for one in given if one.is_workload and (name := _runtime_class(one))}
    classes -= {one.name for one in given if one.kind == "RuntimeClass"}
    made = [Given({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}, "") for name in names]
    made += [Given(_class_of(name), "") for name in sorted(classes)]
    notes: list[str] = []
    if names:
        notes.append(f"nobody declares namespace {', '.join(names)}: simulated without quota or limits")
    if classes:
        notes.append(
            f"nobody declares runtime class {', '.join(sorted(classes))}: simulated as one that changes nothing"
        )
    return made, notes


def _runtime_class(one: Given) -> str | None:
    spec = one.manifest.get("spec") or {}
    pod = spec if one.kind == "Pod" else (spec.get("template") or {}).get("spec") or {}
    return pod.get("runtimeClassName")


def _class_of(name: str) -> dict[str, object]:
    return {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": name}, "handler": "runc"}


def _refused(workloads: Sequence[Given], refused: Mapping[Owner, str]) -> list[str]:
    """What surrounds workloads and was not taken, so that the answer stands without it."""
    answered_for = {Owner(*one.key) for one in workloads}
    return [
        f"{owner.kind} {owner.name} is left out, the API server refuses it: {message}"
        for owner, message in refused.items() if owner not in answered_for
    ]  # fmt: skip
