"""Which alert makes which others go without saying: while the first fires, nobody is told of the latter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Inhibition:
    """Alerts that match ``target`` are kept back while one that matches ``source`` has the same labels ``equal``."""

    source: Sequence[str]
    target: Sequence[str]
    equal: Sequence[str]


def _by(source: str, targets: Sequence[str], *equal: str) -> Inhibition:
    return Inhibition([f'alertname="{source}"'], [f'alertname=~"{"|".join(targets)}"'], equal)


# Alertmanager takes two alerts that both lack a label of `equal` for equal in it: where an alert may be without it, the
# rule asks for the label.
INHIBITIONS: Final = (
    # Whoever has been woken needs no ticket for the same thing.
    Inhibition(
        ['severity="page"'],
        ['severity="ticket"'],
        ("alertname", "team", "model", "version", "namespace", "node", "pool", "gpu"),
    ),
    _by("ModelErrorBudgetBurnsFast", ["ModelErrorBudgetBurnsSlow"], "model"),
    _by("ModelLatencyBudgetBurnsFast", ["ModelLatencyBudgetBurnsSlow"], "model"),
    # Of a model that nothing is heard of, everything else that is said is about the past.
    _by(
        "ModelTelemetryMissing",
        ["ModelReplicaSilent", "ModelRequestsUncounted", "ModelTrafficDropped", "ModelQueueDeep", "ModelTokensSlow"],
        "model",
    ),
    # With a node goes all that is on it.
    Inhibition(['alertname="NodeNotReady"'], ['alertname!="NodeNotReady"', 'node=~".+"'], ("node",)),
    _by("GpuFault", ["GpuHot", "GpuMemoryErrors", "GpuRemapFailed"], "node", "gpu"),
    _by("PodOutOfMemory", ["PodCrashLoops"], "namespace", "pod"),
    _by("CanaryFailsMore", ["CanarySlower"], "model", "version"),
    _by("VolumeFull", ["VolumeFillsSoon"], "namespace", "persistentvolumeclaim"),
    # Who can't ask Kubernetes knows nothing new of what is in it.
    _by("KubernetesApiFails", ["ExporterMissing", "TargetsDown", "DeploymentIncomplete"], "cluster"),
    _by("ExporterMissing", ["TargetsDown"], "job"),
)
