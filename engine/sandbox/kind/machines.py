"""Plays what a kind cluster lacks of one of EKS: ``python -m engine.sandbox.kind.machines KUBECONFIG NODE``.

- The simulated nodes of node groups stay alive, and the pods that are placed on them run, as kwok has it in the native
  sandbox (``nodes``, ``pods``).
- Claims get volumes (``disks``).
- Network policies let pods reach the API server, which is elsewhere than in EKS (``policies``).
- The real node's kubelet gets the certificate that it asks for, as in EKS, so that Prometheus can trust it
  (``certificates``).

Like the native sandbox's driver it may be ended and started at any moment.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from engine.sandbox import following, kubeconfig
from engine.sandbox.api import Api
from engine.sandbox.following import Act, Json
from engine.sandbox.kind.certificates import REQUESTS, Certificates
from engine.sandbox.kind.disks import Disks
from engine.sandbox.kind.node import RealNode
from engine.sandbox.kind.nodes import NODES, Nodes
from engine.sandbox.kind.pods import PODS, Pods
from engine.sandbox.kind.policies import POLICIES, Policies
from engine.sandbox.volumes import CLAIMS, VOLUMES


def acts(api: Api, nodes: Nodes, real: RealNode) -> dict[str, Act]:
    """What is done about the objects of each kind."""
    disks, policies = Disks(api, real), Policies(api, nodes, real)

    def seen(node: Json) -> None:
        nodes.node(node)
        policies.node(node)

    return {
        NODES: seen,
        PODS: Pods(api, nodes).pod,
        CLAIMS: disks.claim,
        VOLUMES: disks.volume,
        POLICIES: policies.policy,
        REQUESTS: Certificates(api, real).request,
    }


def main() -> None:
    config, name = Path(sys.argv[1]), sys.argv[2]
    api, real = Api(kubeconfig.server(config), kubeconfig.read(config)), RealNode(name)
    nodes = Nodes(api, real)
    threading.Thread(target=nodes.beat, args=(threading.Event(),), name="beat", daemon=True).start()
    following.run(api, acts(api, nodes, real))


if __name__ == "__main__":
    main()
