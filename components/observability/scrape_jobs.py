"""What Prometheus scrapes, as values: pods by namespace, labels and port, and what of each target is believed.

The configuration is written from these, and so are the network policies: whatever is scraped can be reached, and
nothing else can. Parts of the control plane that EKS hides (etcd, the scheduler, the controller manager) are not among
them: nobody reaches those. Source: Amazon EKS User Guide, "Fetch control plane raw metrics", 2026-11.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from components.namespace_names import GPU_NAMESPACE, KUEUE_NAMESPACE, NODE_METRICS_NAMESPACE
from components.observability.models import ServedModel, Watched
from components.pod_facts import APP_LABEL

MODEL, TEAM = "model", "team"
# The label by which a pod that comes later asks to be scraped: its value is the name of a job in LATER.
METRICS_LABEL: Final = "bedplate.dev/metrics"
_VERSION: Final = "__meta_kubernetes_pod_label_app_kubernetes_io_version"
_POOL: Final = "__meta_kubernetes_node_label_bedplate_dev_pool"
_NODE: Final = "__meta_kubernetes_pod_node_name"
_NAMESPACE: Final = "__meta_kubernetes_namespace"
_POD: Final = "__meta_kubernetes_pod_name"


@dataclass(frozen=True)
class Guard:
    """What one scrape may bring at most, ``samples`` and MB: a target that brings more is taken for down, and said so.

    A model's server that makes a label of each request would otherwise take the whole of monitoring with it.
    """

    samples: int = 20_000
    megabytes: int = 16


@dataclass(frozen=True)
class PodJob:
    """Pods of ``namespace`` (None: of any) with ``labels`` at their ``port`` of that name, whose number is ``number``.

    ``taken`` are labels of series from labels of discovery, ``given`` are the same for all. ``honored``: the exporter's
    own labels win over those. ``tls`` pods prove nothing and want to know who asks. ``path`` is where the metrics are.
    """

    name: str
    namespace: str | None
    labels: Mapping[str, str]
    port: str
    number: int | None = None
    path: str = "/metrics"
    taken: Mapping[str, str] = field(default_factory=dict[str, str])
    given: Mapping[str, str] = field(default_factory=dict[str, str])
    honored: bool = False
    tls: bool = False
    guard: Guard = Guard()


# For what speaks of many objects, and for what speaks of all of them.
_MANY, _ALL = Guard(100_000, 32), Guard(500_000, 128)
_WHICH_POD: Final = {"namespace": _NAMESPACE, "pod": _POD}
_WHICH_NODE: Final = {"node": _NODE, "pool": _POOL}


# What comes with components of their own, in namespaces of theirs.
LATER: Final = (
    PodJob("airflow", None, {METRICS_LABEL: "airflow"}, "metrics", taken=_WHICH_POD),
    PodJob("argo-workflows", None, {METRICS_LABEL: "argo-workflows"}, "metrics", taken=_WHICH_POD, honored=True),
    PodJob("opencost", None, {METRICS_LABEL: "opencost"}, "metrics", honored=True),
)


def part_jobs(namespace: str, parts: Collection[str]) -> list[PodJob]:
    """The jobs of those ``parts`` of the platform that there are; ``namespace`` is that of monitoring."""
    # Of exporters that speak of other pods, nothing says which pod they themselves are: it would rename their labels.
    jobs = (
        PodJob("dcgm", GPU_NAMESPACE, _app("dcgm-exporter"), "metrics", 9400, taken=_WHICH_NODE, honored=True),
        PodJob("node-exporter", NODE_METRICS_NAMESPACE, _app("node-exporter"), "metrics", 9100, taken={"node": _NODE}),
        PodJob("kueue", KUEUE_NAMESPACE, _app("kueue"), "metrics", 8443, honored=True, tls=True),
        PodJob("karpenter", "kube-system", _app("karpenter"), "http-metrics", 8080, honored=True, guard=_MANY),
        PodJob("kube-state-metrics", namespace, _app("kube-state-metrics"), "metrics", 8080, honored=True, guard=_ALL),
        PodJob("pushgateway", namespace, _app("pushgateway"), "metrics", 9091, honored=True, guard=_MANY),
        PodJob("prometheus", namespace, _app("prometheus"), "http", 9090, taken=_WHICH_POD),
        PodJob("alertmanager", namespace, _app("alertmanager"), "http", 9093, taken=_WHICH_POD),
        PodJob("grafana", namespace, _app("grafana"), "http", 3000, taken=_WHICH_POD),
    )
    return [job for job in jobs if job.name in parts]


def model_job(model: ServedModel) -> PodJob | None:
    """The job of a declared model; None where nobody said where its metrics are."""
    where = model.telemetry
    if where is None:
        return None
    return PodJob(
        name=f"model/{model.name}",
        namespace=where.namespace,
        labels=where.selector,
        port=where.port,
        path=where.path,
        taken={**_WHICH_POD, "version": _VERSION},
        given={MODEL: model.name, TEAM: model.team},
    )


def pod_jobs(watched: Watched, parts: Collection[str]) -> list[PodJob]:
    """All jobs whose targets are pods."""
    models = [job for model in watched.models.values() if (job := model_job(model)) is not None]
    return [*part_jobs(watched.namespace, parts), *LATER, *models]


def _app(name: str) -> Mapping[str, str]:
    return {APP_LABEL: name}
