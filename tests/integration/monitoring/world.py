"""A cluster of exporters: the pods that the program deploys, with nodes, models and charts' pods that a test adds.

Each gets an address of its own, at which a synthetic exporter answers for it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tests.components.kubernetes_objects import Pod as Declared
from tests.integration.monitoring.discovery import Inventory, Node, Pod
from tests.integration.monitoring.exporters import Exporters
from tests.integration.monitoring.synthetic import Synthetic

APP = "app.kubernetes.io/name"
# Kubelets and the API server prove who they are, so their addresses are known before there is anything.
NODES = tuple(f"127.2.0.{number}" for number in range(1, 21))
API_SERVER = "127.2.1.1"


@dataclass
class World:
    """``targets`` are the synthetic exporters by the name of their pod, or of their node and exporter."""

    served: Exporters
    pods: list[Pod] = field(default_factory=list[Pod])
    nodes: list[Node] = field(default_factory=list[Node])
    targets: dict[str, Synthetic] = field(default_factory=dict[str, Synthetic])
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def address(self) -> str:
        """One of Linux's loopback addresses that nothing has yet."""
        number = next(self._numbers)
        return f"127.1.{number // 250}.{number % 250 + 1}"

    def node(self, name: str, labels: Mapping[str, str], exporters: Mapping[str, str]) -> Node:
        """A node, whose kubelet answers with what each of ``exporters`` says, by path."""
        made = Node(name, NODES[len(self.nodes)], labels)
        self.nodes.append(made)
        for path, exporter in exporters.items():
            said = self.targets[f"{name}/{exporter}"] = Synthetic(exporter, node=[name])
            self.served.say(made.ip, said.body, path)
        return made

    def pod(
        self,
        name: str,
        namespace: str,
        labels: Mapping[str, str],
        says: Synthetic | Callable[[], bytes],
        *,
        ports: Sequence[str] = ("metrics",),
        node: Node | None = None,
        tls: bool = False,
        path: str = "/metrics",
    ) -> Pod:
        """A pod whose exporter ``says`` something."""
        made = Pod(name, namespace, self.address(), labels, ports, node=node, tls=tls)
        self.pods.append(made)
        if isinstance(says, Synthetic):
            self.targets[name] = says
        self.served.say(made.ip, says.body if isinstance(says, Synthetic) else says, path)
        return made

    def says(self, pod: str, says: Callable[[], bytes]) -> None:
        """Let a pod say something else from now on."""
        (ip,) = (each.ip for each in self.pods if each.name == pod)
        self.served.say(ip, says)

    def inventory(self) -> Inventory:
        """What discovery finds; the API server says what is in the catalogue of it."""
        api_server = self.targets.setdefault("apiserver", Synthetic("apiserver"))
        self.served.say(API_SERVER, api_server.body)
        return Inventory(self.pods, self.nodes, API_SERVER, self.served.port, self.served.tls_port)

    def deployed(self, declared: Declared, says: Synthetic | Callable[[], bytes], node: Node | None = None) -> Pod:
        """A pod of an object that the program deploys: its labels and its ports are those that are declared."""
        name = f"{declared.place.rpartition('/')[2]}-{len(self.pods)}"
        ports = [port["name"] for _, each in declared.containers() for port in each.get("ports", [])]
        return self.pod(name, declared.namespace, declared.labels, says, ports=ports, node=node)
