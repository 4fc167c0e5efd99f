"""Components constructed without an engine: what they register is kept, and answered as an engine would."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.goal_messages import goal_of
from engine.goals import Goal
from engine.protocol import resource_pb2
from engine.providers.base import Caller, Returned
from engine.providers.kubernetes.provider import KubernetesProvider
from engine.values import Properties

GROUP, FILE = "kubernetes:yaml/v2:ConfigGroup", "kubernetes:yaml/v2:ConfigFile"
CHART, DIRECTORY = "kubernetes:helm.sh/v4:Chart", "kubernetes:kustomize/v2:Directory"
COMPONENT = "urn:component"
DEFINITION = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: pools.example.org}
spec: {group: example.org, scope: Cluster, names: {kind: Pool, plural: pools}, versions: []}
"""


@dataclass
class Monitor:
    """Answers registrations as an engine would; those whose name is in ``failing`` with a failure."""

    failing: set[str] = field(default_factory=set[str])
    untargeted: set[str] = field(default_factory=set[str])
    preview: bool = False
    goals: list[Goal] = field(default_factory=list[Goal])
    warnings: list[str] = field(default_factory=list[str])

    def ask(self, method: str, request: Any) -> Future[Any]:
        answer: Future[Any] = Future()
        if method == "Log":
            self.warnings.append(request.message)
            answer.set_result(None)
            return answer
        assert method == "RegisterResource"
        goal = goal_of(request)
        self.goals.append(goal)
        failed = goal.name in self.failing
        urn = COMPONENT if not goal.custom else f"urn:{goal.name}"
        id_ = "" if self.preview or failed or not goal.custom else goal.name.rpartition(":")[2]
        result = resource_pb2.Result.FAIL if failed else resource_pb2.Result.SUCCESS
        unknown = goal.name in self.untargeted
        answer.set_result(resource_pb2.RegisterResourceResponse(urn=urn, id=id_, result=result, unknown=unknown))
        return answer

    @property
    def children(self) -> dict[str, Goal]:
        return {goal.name: goal for goal in self.goals if goal.custom}


def construct(
    monitor: Monitor, inputs: Properties, folder: Path = Path(), *, type: str = GROUP, config: Properties | None = None,
    by: KubernetesProvider | None = None,
    **options: Any,
) -> Returned:  # fmt: skip
    provider = by or KubernetesProvider()
    provider.configure(config or {})
    caller = Caller("shop", "dev", {}, (), monitor.preview, 4, "", monitor.ask, folder)
    return provider.construct(Goal(type, "g", custom=False, inputs=inputs, remote=True, **options), caller)
