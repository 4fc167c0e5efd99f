"""Who may push metrics, and where to: batch jobs, which end before anybody could collect from them."""

from __future__ import annotations

from typing import Final

from pulumi_kubernetes.networking.v1 import NetworkPolicyPeerArgsDict as Peer
from pulumi_kubernetes.networking.v1 import NetworkPolicyPortArgsDict as Port
from pulumi_kubernetes.networking.v1 import NetworkPolicySpecArgsDict as Spec

from components.network_policies import NAMESPACE_NAME
from components.pod_facts import APP_LABEL

PUSHGATEWAY_PORT: Final = 9091
PUSHGATEWAY_PODS: Final = {APP_LABEL: "pushgateway"}
# A pod says by this label that it pushes metrics, and only then is the way open: the gateway knows nobody, so whoever
# reaches it can write over what others pushed.
PUSHERS: Final = {"bedplate.dev/pushes-metrics": "true"}
_PORTS: Final[list[Port]] = [{"protocol": "TCP", "port": PUSHGATEWAY_PORT}]


def allow_push_to(monitoring_namespace: str) -> Spec:
    """Pods that push reach the gateway in ``monitoring_namespace``."""
    gateway: Peer = {
        "namespace_selector": {"match_labels": {NAMESPACE_NAME: monitoring_namespace}},
        "pod_selector": {"match_labels": PUSHGATEWAY_PODS},
    }
    return {
        "pod_selector": {"match_labels": PUSHERS},
        "policy_types": ["Egress"],
        "egress": [{"to": [gateway], "ports": _PORTS}],
    }


def allow_push_from(namespace_label: str) -> Spec:
    """Pods that push, in namespaces that have the label ``namespace_label``, reach the gateway."""
    pushers: Peer = {
        "namespace_selector": {"match_expressions": [{"key": namespace_label, "operator": "Exists"}]},
        "pod_selector": {"match_labels": PUSHERS},
    }
    return {
        "pod_selector": {"match_labels": PUSHGATEWAY_PODS},
        "policy_types": ["Ingress"],
        "ingress": [{"from_": [pushers], "ports": _PORTS}],
    }
