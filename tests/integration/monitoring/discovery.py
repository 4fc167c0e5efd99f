"""What Kubernetes' service discovery would find in a cluster, written to files in its place.

Prometheus gets each target with the ``__meta_kubernetes_*`` labels that its own discovery would give it
(https://prometheus.io/docs/prometheus/latest/configuration/configuration/#kubernetes_sd_config, read 2026-11), so that
the jobs' relabelling is the real one: every pod is offered to every job that looks where it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_Labels = dict[str, str]


@dataclass(frozen=True)
class Node:
    """A node, whose kubelet listens at ``ip``."""

    name: str
    ip: str
    labels: Mapping[str, str] = field(default_factory=_Labels)


@dataclass(frozen=True)
class Pod:
    """A pod and its container's ports by name, with ``tls`` or without. ``node`` None: where it is does not matter."""

    name: str
    namespace: str
    ip: str
    labels: Mapping[str, str]
    ports: Sequence[str] = ("metrics",)
    annotations: Mapping[str, str] = field(default_factory=_Labels)
    node: Node | None = None
    tls: bool = False


@dataclass(frozen=True)
class Inventory:
    """A cluster, as its API server, whose address is ``api_server``, would tell it.

    ``port`` is where pods listen, ``tls_port`` where kubelets, the API server and some pods do.
    """

    pods: Sequence[Pod]
    nodes: Sequence[Node]
    api_server: str
    port: int
    tls_port: int

    def found(self, discovery: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The target groups of one ``kubernetes_sd_configs`` entry."""
        namespaces = discovery.get("namespaces", {}).get("names")
        node_labels = discovery.get("attach_metadata", {}).get("node", False)
        match discovery["role"]:
            case "node":
                return [self._node(node) for node in self.nodes]
            case "pod":
                groups = [group for pod in self._pods(namespaces) for group in self._pod(pod, node_labels)]
            case "endpointslice":
                assert namespaces == ["default"], "only the API server's own slice is known here"
                return [self._api_server()]
            case other:
                raise AssertionError(f"no test knows what the role {other} finds")
        return [group for group in groups if _selected(group["labels"], discovery.get("selectors", []))]

    def _pods(self, namespaces: Sequence[str] | None) -> Iterator[Pod]:
        return (pod for pod in self.pods if not namespaces or pod.namespace in namespaces)

    def _node(self, node: Node) -> dict[str, Any]:
        labels = {**_node_labels(node), "__meta_kubernetes_node_address_InternalIP": node.ip, "instance": node.name}
        return {"targets": [f"{node.ip}:{self.tls_port}"], "labels": labels}

    def _pod(self, pod: Pod, node_labels: bool) -> Iterator[dict[str, Any]]:
        begin = "__meta_kubernetes_pod"
        labels = {
            "__meta_kubernetes_namespace": pod.namespace,
            f"{begin}_name": pod.name,
            f"{begin}_ip": pod.ip,
            f"{begin}_ready": "true",
            f"{begin}_phase": "Running",
            f"{begin}_container_init": "false",
            f"{begin}_container_name": "main",
            **_each(f"{begin}_label", pod.labels),
            **_each(f"{begin}_annotation", pod.annotations),
        }
        if pod.node:
            labels |= {f"{begin}_node_name": pod.node.name, f"{begin}_host_ip": pod.node.ip}
            labels |= _node_labels(pod.node) if node_labels else {}
        number = self.tls_port if pod.tls else self.port
        for name in pod.ports:
            port = {
                f"{begin}_container_port_name": name,
                f"{begin}_container_port_number": str(number),
                f"{begin}_container_port_protocol": "TCP",
            }
            yield {"targets": [f"{pod.ip}:{number}"], "labels": {**labels, **port}}

    def _api_server(self) -> dict[str, Any]:
        labels = {
            "__meta_kubernetes_namespace": "default",
            "__meta_kubernetes_endpointslice_name": "kubernetes",
            "__meta_kubernetes_endpointslice_port_name": "https",
            "__meta_kubernetes_service_name": "kubernetes",
        }
        return {"targets": [f"{self.api_server}:{self.tls_port}"], "labels": labels}


def _node_labels(node: Node) -> dict[str, str]:
    return {"__meta_kubernetes_node_name": node.name, **_each("__meta_kubernetes_node_label", node.labels)}


def _each(begin: str, values: Mapping[str, str]) -> dict[str, str]:
    """Labels or annotations, in the characters that labels of Prometheus may have, and that each is present."""
    names = {name: re.sub(r"[^a-zA-Z0-9_]", "_", name) for name in values}
    return {
        **{f"{begin}_{names[name]}": value for name, value in values.items()},
        **{f"{begin}present_{names[name]}": "true" for name in values},
    }


def _selected(labels: Mapping[str, str], selectors: Sequence[Mapping[str, str]]) -> bool:
    """Whether the API server would give this pod, asked with the label selectors (``a=b,c=d``) for pods."""
    wanted = [pair for each in selectors if each["role"] == "pod" for pair in each.get("label", "").split(",") if pair]
    pairs = (pair.partition("=")[::2] for pair in wanted)
    return all(labels.get(_only("__meta_kubernetes_pod_label", name)) == value for name, value in pairs)


def _only(begin: str, name: str) -> str:
    return next(iter(_each(begin, {name: ""})))


def discovered(config: Mapping[str, Any], inventory: Inventory, folder: Path) -> dict[str, Any]:
    """prometheus.yml with every ``kubernetes_sd_configs`` exchanged for a file, which lies in ``folder``."""
    return {**config, "scrape_configs": [_job(job, inventory, folder) for job in config["scrape_configs"]]}


def _job(job: Mapping[str, Any], inventory: Inventory, folder: Path) -> dict[str, Any]:
    if "kubernetes_sd_configs" not in job:
        return dict(job)
    groups = [group for each in job["kubernetes_sd_configs"] for group in inventory.found(each)]
    path = folder / f"{re.sub('[^a-z0-9-]', '-', job['job_name'])}.json"
    path.write_text(json.dumps(groups))
    rest = {name: value for name, value in job.items() if name != "kubernetes_sd_configs"}
    return {**rest, "file_sd_configs": [{"files": [str(path)]}]}
