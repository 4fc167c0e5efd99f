"""The world of the end-to-end test: one node with a GPU, every exporter, the declared models, and what is deployed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from components.observability.models import ServedModel
from components.observability.scrape_jobs import METRICS_LABEL
from tests.components.kubernetes_objects import Pod as Declared
from tests.integration.monitoring.discovery import Node
from tests.integration.monitoring.synthetic import Synthetic
from tests.integration.monitoring.world import APP, World

POOL: Final = "bedplate.dev/pool"
VERSION: Final = "app.kubernetes.io/version"
# What says the metrics of a pod that the program deploys, by its application. Prometheus and Alertmanager speak for
# themselves.
_EXPORTERS: Final = {
    "dcgm-exporter": "dcgm",
    "grafana": "grafana",
    "kube-state-metrics": "kube-state-metrics",
    "node-exporter": "node-exporter",
    "pushgateway": "pushgateway",
}
# What charts deploy: namespace, application, port, and whether it answers by TLS.
_OF_CHARTS: Final = (
    ("kueue", "kueue-system", "kueue", "metrics", True),
    ("karpenter", "kube-system", "karpenter", "http-metrics", False),
)
# What components bring that come later; their pods ask to be scraped.
_LATER: Final = ("airflow", "argo-workflows", "opencost")


def populate(
    world: World, models: Mapping[str, ServedModel], deployed: Iterable[Declared], *, replicas: int = 1, nodes: int = 1
) -> None:
    """Fill ``world``: pods of models are called ``<model>-1`` and so on, nodes ``node-1``.

    ``targets`` has exporters of single pods by application, such as ``kube-state-metrics``, and what is ``pushed``.
    """
    kubelet = {"/metrics": "kubelet", "/metrics/cadvisor": "cadvisor"}
    made = [world.node(f"node-{number}", {POOL: "serve"}, kubelet) for number in range(1, nodes + 1)]
    for number in range(1, replicas + 1):
        for model in models.values():
            add_replica(world, model, number, made[number % nodes])
    for exporter, namespace, app, port, tls in _OF_CHARTS:
        world.pod(f"{app}-1", namespace, {APP: app}, Synthetic(exporter), ports=[port], tls=tls)
    for exporter in _LATER:
        world.pod(f"{exporter}-1", "elsewhere", {METRICS_LABEL: exporter}, Synthetic(exporter))
    world.targets["pushed"] = Synthetic("pushed", model=sorted(models))
    for each in deployed:
        for node in made if each.place.startswith("DaemonSet/") else made[:1]:
            _deploy(world, each, node)


def add_replica(world: World, model: ServedModel, number: int, node: Node, version: str = "1") -> None:
    """A pod of a model."""
    where = model.telemetry
    if where is not None:
        name, labels = f"{model.name}-{number}", {**where.selector, VERSION: version}
        world.pod(name, where.namespace, labels, Synthetic(where.server), node=node)


def _deploy(world: World, declared: Declared, node: Node) -> None:
    app = declared.labels.get(APP, "")
    if app in _EXPORTERS:
        pods = [pod.name for pod in world.pods if VERSION in pod.labels]
        of_all = app == "kube-state-metrics"
        said = world.targets[app] = Synthetic(_EXPORTERS[app], pod=pods if of_all else pods[:1], node=[node.name])
        pod = world.deployed(declared, said, node)
        if app == "pushgateway":
            world.says(pod.name, lambda: said.body() + world.targets["pushed"].body())
    elif app in ("prometheus", "alertmanager"):
        world.deployed(declared, lambda: b"", node)
