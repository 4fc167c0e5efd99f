"""Prometheus's configuration as a value: what is scraped, how it is labelled, what is kept, and where it goes.

It is valid for Prometheus 2.42 as for 3: the former tests the very file that the latter runs.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from components.observability.metrics import exporters
from components.observability.models import Watched
from components.observability.promql import uses
from components.observability.scrape_jobs import Guard, PodJob, pod_jobs
from components.pod_facts import ACCOUNT_FOLDER

SCRAPE_SECONDS: Final = 30
RULES_FOLDER: Final = "/etc/prometheus/rules"
ALERTMANAGER_PORT: Final = 9093
_TIMEOUT_SECONDS: Final = 10
# Longer names and values than these are no labels but mistakes. Kubernetes has at most 63 and 253 characters.
_LABELS: Final = {"label_limit": 64, "label_name_length_limit": 256, "label_value_length_limit": 2048}
_MOST_TARGETS: Final = 2000
# The same in all jobs, so that Prometheus watches the pods once, whatever the number of models.
_PODS: Final[Mapping[str, Any]] = {"role": "pod", "attach_metadata": {"node": True}}
_NODES: Final[Mapping[str, Any]] = {"role": "node"}
# Only objects of this name, which is all that the account may see of them.
_API_SERVER: Final[Mapping[str, Any]] = {
    "role": "endpointslice",
    "namespaces": {"names": ["default"]},
    "selectors": [
        {"role": "endpointslice", "field": "metadata.name=kubernetes"},
        {"role": "service", "field": "metadata.name=kubernetes"},
    ],
}
_TOKEN: Final = {"credentials_file": f"{ACCOUNT_FOLDER}/token"}
_AUTHORITY: Final = f"{ACCOUNT_FOLDER}/ca.crt"


@dataclass(frozen=True)
class RemoteWrite:
    """Where samples go besides the volume: a workspace of Amazon Managed Service for Prometheus in ``region``."""

    url: str
    region: str


@dataclass(frozen=True)
class Collected:
    """What an environment has to collect from: ``parts`` of the platform by the names of their jobs.

    ``cluster`` tells its series from those of others; ``alertmanagers`` are addresses (host:port).
    """

    watched: Watched
    cluster: str
    parts: Collection[str]
    alertmanagers: Sequence[str] = ()
    remote_write: RemoteWrite | None = None


def prometheus_config(collected: Collected) -> dict[str, Any]:
    """The whole of prometheus.yml."""
    config: dict[str, Any] = {
        "global": {
            "scrape_interval": f"{SCRAPE_SECONDS}s",
            "scrape_timeout": f"{_TIMEOUT_SECONDS}s",
            "evaluation_interval": f"{SCRAPE_SECONDS}s",
            "external_labels": {"environment": collected.watched.environment, "cluster": collected.cluster},
        },
        "rule_files": [f"{RULES_FOLDER}/*.yaml"],
        "scrape_configs": list(scrape_configs(collected.watched, collected.parts)),
    }
    if collected.alertmanagers:
        config["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": list(collected.alertmanagers)}]}]}
    if collected.remote_write is not None:
        config["remote_write"] = [_remote(collected.remote_write)]
    return config


def scrape_configs(watched: Watched, parts: Collection[str]) -> Iterator[dict[str, Any]]:
    """Every job: the cluster's own parts first."""
    asked = _asked_for(watched)
    if "apiserver" in parts:
        yield _api_server(asked)
    if "kubelet" in parts:
        yield _kubelet("kubelet", "/metrics", asked)
        yield _kubelet("cadvisor", "/metrics/cadvisor", asked)
    for job in pod_jobs(watched, parts):
        yield _of_pods(job)


def _job(name: str, guard: Guard, *, honored: bool) -> dict[str, Any]:
    return {
        "job_name": name,
        "honor_labels": honored,
        # Whoever says when a sample was taken may say anything; the kubelet's are of some seconds ago.
        "honor_timestamps": False,
        "sample_limit": guard.samples,
        "body_size_limit": f"{guard.megabytes}MB",
        "target_limit": _MOST_TARGETS,
        **_LABELS,
    }


def _of_pods(job: PodJob) -> dict[str, Any]:
    config = _job(job.name, job.guard, honored=job.honored)
    if job.path != "/metrics":
        config["metrics_path"] = job.path
    if job.tls:
        # Their certificate is one that they make themselves at each start. That the token reaches nobody else is up to
        # the network policies; it opens nothing but metrics, and lists of pods and nodes.
        config |= {"scheme": "https", "authorization": _TOKEN, "tls_config": {"insecure_skip_verify": True}}
    config["kubernetes_sd_configs"] = [_PODS]
    config["relabel_configs"] = [
        _kept(_selection(job)),
        {"source_labels": ["__meta_kubernetes_pod_phase"], "regex": "Failed|Succeeded", "action": "drop"},
        *({"source_labels": [source], "target_label": label} for label, source in job.taken.items()),
        *({"target_label": label, "replacement": value} for label, value in job.given.items()),
    ]
    # Prometheus 3 writes bounds that are whole numbers so, where 2 leaves them as they come: rules name one of them.
    whole = {"source_labels": ["le"], "regex": "([0-9]+)", "target_label": "le", "replacement": "${1}.0"}
    config["metric_relabel_configs"] = [whole]
    return config


def _selection(job: PodJob) -> dict[str, str]:
    """What a target of the job must be, by label of discovery."""
    begin = "__meta_kubernetes_pod"
    namespace = {} if job.namespace is None else {"__meta_kubernetes_namespace": job.namespace}
    labels = {f"{begin}_label_{re.sub('[^a-zA-Z0-9_]', '_', name)}": value for name, value in job.labels.items()}
    port = {f"{begin}_container_port_name": job.port, f"{begin}_container_init": "false"}
    return {**namespace, **labels, **port}


def _kept(wanted: Mapping[str, str]) -> dict[str, Any]:
    values = ";".join(re.escape(value).replace(r"\-", "-") for value in wanted.values())
    return {"source_labels": list(wanted), "regex": values, "action": "keep"}


def _api_server(asked: Collection[str]) -> dict[str, Any]:
    return {
        **_job("apiserver", Guard(100_000, 64), honored=False),
        "scheme": "https",
        "authorization": _TOKEN,
        # Its addresses change, and are not what its certificate is for.
        "tls_config": {"ca_file": _AUTHORITY, "server_name": "kubernetes.default.svc"},
        "kubernetes_sd_configs": [_API_SERVER],
        "relabel_configs": [_kept({"__meta_kubernetes_endpointslice_port_name": "https"})],
        "metric_relabel_configs": [_picked("apiserver", asked)],
    }


def _kubelet(name: str, path: str, asked: Collection[str]) -> dict[str, Any]:
    return {
        **_job(name, Guard(100_000, 64), honored=True),
        "scheme": "https",
        "metrics_path": path,
        "authorization": _TOKEN,
        "tls_config": {"ca_file": _AUTHORITY},
        "kubernetes_sd_configs": [_NODES],
        "relabel_configs": [{"source_labels": ["__meta_kubernetes_node_name"], "target_label": "node"}],
        "metric_relabel_configs": [_picked(name, asked)],
    }


def _picked(exporter: str, asked: Collection[str]) -> dict[str, Any]:
    """Only what a rule or a panel names: these exporters give tens of thousands of series each, and most to nobody."""
    known = {name for metric in exporters()[exporter].metrics.values() for name, _ in metric.series()}
    return {"source_labels": ["__name__"], "regex": "|".join(sorted(known | set(asked))), "action": "keep"}


def _asked_for(watched: Watched) -> frozenset[str]:
    """The metrics that an environment's own rules name: they are kept, wherever they come from."""
    rules = (*watched.own.recordings, *watched.own.alerts)
    named = {name for rule in rules for name in uses(rule.expr).metrics if name}
    return frozenset(named - {rule.record for rule in watched.own.recordings})


def _remote(remote: RemoteWrite) -> dict[str, Any]:
    return {
        "name": "amp",
        "url": remote.url,
        "sigv4": {"region": remote.region},
        # Source: Amazon Managed Service for Prometheus User Guide, "Set up metric ingestion from a new Prometheus
        # server", 2026-11.
        "queue_config": {"max_samples_per_send": 1000, "max_shards": 200, "capacity": 2500},
    }
