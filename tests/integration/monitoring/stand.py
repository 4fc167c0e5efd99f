"""Prometheus and Alertmanager with the files that the program deploys, in a world of synthetic exporters.

What differs from what is deployed: discovery finds what ``discovery`` writes, a minute takes a second (``faster``),
folders and addresses are the test's. Jobs, relabelling, limits, rules and routes are those that are deployed.
"""

from __future__ import annotations

import ssl
import urllib.request
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from engine.sandbox.native.certificates import Authority
from tests.integration.monitoring.deployed import Deployed
from tests.integration.monitoring.discovery import discovered
from tests.integration.monitoring.faster import FLAGS, faster
from tests.integration.monitoring.servers import Prometheus, Server, alertmanager, prometheus
from tests.integration.monitoring.world import API_SERVER, APP, NODES, World

ACCOUNT: Final = "/var/run/secrets/kubernetes.io/serviceaccount"
RULES: Final = "/etc/prometheus/rules"
TOKEN: Final = "the-token-of-prometheus"


@dataclass(frozen=True)
class Stand:
    """Both servers, and what they work with."""

    prometheus: Prometheus
    alertmanager: Server
    world: World


def account(folder: Path) -> ssl.SSLContext:
    """Write what a pod has of its account into ``folder``, and give what its API server and kubelets prove."""
    authority = Authority()
    pair = authority.server((*NODES, API_SERVER))
    folder.mkdir()
    (folder / "token").write_text(TOKEN)
    (folder / "ca.crt").write_text(authority.pair.certificate)
    (folder / "server.crt").write_text(pair.certificate)
    (folder / "server.key").write_text(pair.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.crt", folder / "server.key")
    return context


@contextmanager
def standing(
    deployed: Deployed,
    world: World,
    folder: Path,
    places: Mapping[str, str],
    *,
    pace: Callable[[Any], Any] = faster,
    flags: Sequence[str] = FLAGS,
) -> Generator[Stand]:
    """Run both servers; ``places`` are further texts of the configurations and what takes their place."""
    elsewhere = {ACCOUNT: str(folder / "account"), RULES: str(folder / "rules"), **places}
    _write(folder / "alertmanager.yml", pace(moved(deployed.alertmanager, elsewhere)))
    for name, text in deployed.templates.items():
        (folder / name).write_text(text)
    (folder / "rules").mkdir()
    for name, rules in deployed.rules.items():
        _write(folder / "rules" / name, pace(rules))
    with alertmanager(folder / "alertmanager.yml", folder) as receiving:
        address = receiving.url.removeprefix("http://")
        config = discovered(pace(moved(deployed.prometheus, elsewhere)), world.inventory(), folder)
        config["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [address]}]}]}
        _write(folder / "prometheus.yml", config)
        with prometheus(folder / "prometheus.yml", folder, *flags) as server:
            _speaks_for_itself(world, "alertmanager", receiving)
            _speaks_for_itself(world, "prometheus", server)
            yield Stand(server, receiving, world)


def _write(path: Path, document: Mapping[str, Any]) -> None:
    path.write_text(yaml.safe_dump(dict(document), sort_keys=False))


def moved(value: Any, places: Mapping[str, str]) -> Any:
    """A configuration in which every text that begins with a key of ``places`` begins with its value."""
    if isinstance(value, dict):
        return {name: moved(each, places) for name, each in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list):
        return [moved(each, places) for each in value]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, str):
        return next((to + value[len(of) :] for of, to in places.items() if value.startswith(of)), value)
    return value


def _speaks_for_itself(world: World, application: str, server: Server) -> None:
    """Let the pods of an application say what ``server`` says of itself."""

    def says() -> bytes:
        with urllib.request.urlopen(f"{server.url}/metrics", timeout=5) as answer:
            return answer.read()

    for each in world.pods:
        if each.labels.get(APP) == application:
            world.says(each.name, says)
