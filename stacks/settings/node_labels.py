"""Settings of what nodes carry beside what the platform gives them: labels and taints, as Kubernetes takes them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import Field

from components.gpu_sharing import MIG_CONFIG_LABEL, PLUGIN_CONFIG_LABEL
from components.nodepools import GPU_PRESENT_LABEL, GPU_TAINT, taints_of_nodes
from stacks.settings.base import Contradiction, Section

if TYPE_CHECKING:
    from stacks.settings.pools import NodePoolSettings

# Source: Kubernetes, "Labels and Selectors", syntax: 253 characters before the slash, 63 after it.
LabelKey = Annotated[
    str,
    Field(max_length=317, pattern=r"^([a-z0-9]([a-z0-9.-]*[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$"),
]
LabelValue = Annotated[str, Field(max_length=63, pattern=r"^([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)?$")]

# Who joins a cluster may not label itself with these, but for the first: a node that tries never becomes one.
# Sources: Kubernetes, kubelet, --node-labels; Karpenter 1.14, "NodePools", labels; EKS User Guide, 2026-11.
_OPEN_DOMAIN: Final = "node.kubernetes.io"
_DOMAINS: Final = ("kubernetes.io", "k8s.io", "eks.amazonaws.com", "karpenter.sh", "k8s.aws", "bedplate.dev")
_OF_THE_PLATFORM: Final = (GPU_PRESENT_LABEL, MIG_CONFIG_LABEL, PLUGIN_CONFIG_LABEL)
_OF_GPUS: Final = (GPU_TAINT.key, GPU_TAINT.effect)
# Source: Kueue 0.18, ResourceFlavor, nodeTaints.
_MOST_TAINTS: Final = 8


class TaintSettings(Section):
    """A taint: pods that don't tolerate it stay off."""

    key: LabelKey
    """Key, such as `team`."""
    value: LabelValue = ""
    """Value."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] = "NoSchedule"
    """What happens to pods that don't tolerate it."""


def about_labels(pool: NodePoolSettings) -> Iterable[Contradiction]:
    """Labels are nobody else's to set."""
    for key in pool.labels:
        domain = key.rpartition("/")[0]
        if key in _OF_THE_PLATFORM:
            yield Contradiction(f"labels.{key}", "is set by the platform, where it is due", "leave it out")
        elif domain != _OPEN_DOMAIN and any(f".{domain}".endswith(f".{each}") for each in _DOMAINS):
            why = f"is in the domain '{domain}', which no node may label itself with"
            yield Contradiction(f"labels.{key}", why, "use a domain of your own, such as example.com")


def about_taints(pool: NodePoolSettings) -> Iterable[Contradiction]:
    """No node has two taints of one key and effect, nor more than a queue's flavour takes."""
    seen: set[tuple[str, str]] = set()
    taints = taints_of_nodes(pool.kinds, pool.own_taints)
    for taint in taints:
        what = (taint.key, taint.effect)
        if what in seen and what == _OF_GPUS:
            why = f"have '{taint.key}' with {taint.effect}, as nodes with GPUs have anyway"
            yield Contradiction("taints", why, "leave it out")
        elif what in seen:
            yield Contradiction("taints", f"have '{taint.key}' with {taint.effect} twice", "keep one of them")
        seen.add(what)
    if len(taints) > _MOST_TAINTS:
        why = f"are {len(taints)} with that of GPUs" if len(taints) > len(pool.taints) else f"are {len(taints)}"
        yield Contradiction("taints", f"{why}, and Kueue takes {_MOST_TAINTS}", "use fewer")
