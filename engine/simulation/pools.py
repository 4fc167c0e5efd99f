"""All node pools that a plan declares, whoever wrote the program."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from engine.simulation.declared import Declared
from engine.simulation.karpenter import karpenter_pools
from engine.simulation.model import Catalogue, Pool, Pools
from engine.simulation.nodegroups import managed_pools
from engine.simulation.sharing import shared

_CLUSTER = "aws:eks/cluster:Cluster"
# What runs pods where no node pool of ours is: said, not simulated.
_OTHERS = {
    "aws:eks/fargateProfile:FargateProfile": "pods that a Fargate profile takes",
    "aws:autoscaling/group:Group": "nodes of an autoscaling group that EKS does not manage",
}


def pools(declared: Declared, catalogue: Catalogue) -> Pools:
    """The pools in ``declared``, each under a name that no other has."""
    parts = [managed_pools(declared, catalogue), karpenter_pools(declared, catalogue)]
    given = [shared(pool, declared) for part in parts for pool in part.pools]
    found = [pool for pool, _ in given]
    assumptions = [one for part in parts for one in part.assumptions] + [one for _, said in given for one in said]
    notes = [note for part in parts for note in part.notes]
    return Pools(_distinct(found), assumptions, [*notes, *_not_simulated(declared)])


def _distinct(found: Iterable[Pool]) -> list[Pool]:
    seen: Counter[str] = Counter()
    named: list[Pool] = []
    for pool in found:
        seen[pool.name] += 1
        times = seen[pool.name]
        named.append(pool if times == 1 else replace(pool, name=f"{pool.name}-{times}"))
    return named


def _not_simulated(declared: Declared) -> list[str]:
    notes = [f"{what} are not simulated" for type_, what in _OTHERS.items() if any(declared.of_type(type_))]
    clusters = len(list(declared.of_type(_CLUSTER)))
    return [*notes, f"{clusters} clusters are simulated as one"] if clusters > 1 else notes
