"""Who reaches Alertmanager, and whom it reaches: as network policies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pulumi_kubernetes.networking.v1 import NetworkPolicySpecArgsDict as PolicySpec

from components.network_policies import (
    Reached,
    allow_among,
    allow_from_pods,
    allow_https,
    allow_pod_identity,
    allow_to_all,
)
from components.observability.alertmanager_config import Notified, namespace_of
from components.pod_facts import APP_LABEL

PORT: Final = 9093
GOSSIP_PORT: Final = 9094
PODS: Final = {APP_LABEL: "alertmanager"}


def policies(notified: Notified, replicas: int, senders: Mapping[str, str]) -> dict[str, PolicySpec]:
    """Who reaches it (the pods ``senders``, and its peers), and whom it tells."""
    allowed = {"alertmanager-from-prometheus": allow_from_pods(senders, [PORT], PODS)}
    if replicas > 1:
        allowed["alertmanager-peers"] = allow_among(PODS, GOSSIP_PORT)
    urls = [each.webhook.url for each in notified.receivers.values() if each.webhook is not None]
    namespaces = {namespace_of(url) for url in urls}
    services = {each.slack_channel is not None or each.pagerduty_eu is not None for each in notified.receivers.values()}
    if None in namespaces or True in services or notified.uses_topic:
        allowed["alertmanager-to-receivers"] = allow_https(PODS)
    inside = [Reached(each, {}) for each in sorted(filter(None, namespaces))]
    if inside:
        allowed["alertmanager-to-webhooks"] = allow_to_all(inside, PODS)
    if notified.uses_topic:
        allowed["alertmanager-to-pod-identity"] = allow_pod_identity(PODS)
    return allowed
