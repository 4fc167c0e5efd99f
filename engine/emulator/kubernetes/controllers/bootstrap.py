"""What every cluster has: namespaces, the Service of the API itself, priority classes, roles that others refer to."""

from __future__ import annotations

from engine.emulator.kubernetes.cluster import Cluster
from engine.emulator.kubernetes.controllers.writes import ensure
from engine.emulator.kubernetes.refusals import Json

_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
_PRIORITIES = {"system-cluster-critical": 2000000000, "system-node-critical": 2000001000}
_ROLES = {
    "cluster-admin": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}],
    "admin": [],
    "edit": [],
    "view": [],
    "system:discovery": [{"nonResourceURLs": ["/api", "/apis", "/version"], "verbs": ["get"]}],
}


def create(cluster: Cluster) -> None:
    namespace = cluster.named("v1", "Namespace")
    for name in _NAMESPACES:
        ensure(cluster, namespace, "", name, {})
    service: Json = {"ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 443}]}
    labels = {"component": "apiserver", "provider": "kubernetes"}
    body = {"metadata": {"labels": labels}, "spec": service | {"clusterIP": "172.20.0.1"}}
    ensure(cluster, cluster.named("v1", "Service"), "default", "kubernetes", body)
    for name, value in _PRIORITIES.items():
        body = {"value": value, "description": "Used for system critical pods."}
        ensure(cluster, cluster.named("scheduling.k8s.io/v1", "PriorityClass"), "", name, body)
    role = cluster.named("rbac.authorization.k8s.io/v1", "ClusterRole")
    for name, rules in _ROLES.items():
        labels = {"kubernetes.io/bootstrapping": "rbac-defaults"}
        ensure(cluster, role, "", name, {"metadata": {"labels": labels}, "rules": rules})
