"""Grafana: shows what Prometheus knows, in dashboards that are files.

What people make in it by hand is not kept: its database ends with the pod. A changed dashboard restarts nothing, since
the ConfigMaps keep their names, and Grafana reads the files again; a changed setting or source does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_kubernetes.apps.v1 import Deployment
from pulumi_kubernetes.core.v1 import (
    ConfigMap,
    ContainerArgsDict,
    KeyToPathArgsDict,
    PodSpecArgsDict,
    Service,
    ServiceAccount,
    VolumeArgsDict,
    VolumeMountArgsDict,
    VolumeProjectionArgsDict,
)
from pulumi_kubernetes.meta.v1 import ObjectMetaArgsDict
from pulumi_kubernetes.networking.v1 import NetworkPolicySpecArgsDict as PolicySpec

from components.kubernetes import KubernetesComponent, hardened
from components.network_policies import allow_from_namespace, allow_from_pods, allow_https, allow_to_pods
from components.observability.dashboards.board import Board, Folder
from components.observability.dashboards.files import FolderFiles, in_folders
from components.observability.grafana_config import (
    ADMIN_FILE,
    CONFIG_FOLDER,
    PORT,
    SECRETS_FOLDER,
    SSO_FILE,
    GrafanaConfig,
    Login,
    ini,
    path_of,
    providers,
    sources,
)
from components.observability.images import GRAFANA
from components.observability.secrets import SecretPlace, SecretSource
from components.observability.workloads import http_probe, resources, service_of, unprivileged
from components.pod_facts import APP_LABEL

APP: Final = "grafana"
PODS: Final = {APP_LABEL: APP}
_DATA: Final = "/var/lib/grafana"


@dataclass(frozen=True)
class SsoChoices:
    """The company's login, and where the secret is by which Grafana proves itself to it."""

    login: Login
    client_secret: SecretSource


@dataclass(frozen=True)
class GrafanaChoices:
    """What an environment decides: where people find it, how they come in, and from which namespaces it is reached.

    ``admin`` is the password of the user ``admin``, whom there is only with it.
    """

    url: str
    anonymous: bool = False
    sso: SsoChoices | None = None
    admin: SecretSource | None = None
    reached_from: Sequence[str] = ()


@dataclass(frozen=True)
class GrafanaArgs:
    """``home`` is the uid of the dashboard that people see first; addresses are those of the data's sources."""

    labels: Mapping[str, str]
    namespace: str
    boards: Sequence[Board]
    home: str
    prometheus: str
    alertmanager: str
    choices: GrafanaChoices


def policies(namespace: str, choices: GrafanaChoices, servers: Mapping[str, int]) -> dict[str, PolicySpec]:
    """Who reaches it (Prometheus, for its metrics, and whom ``choices`` name), and whom it does.

    ``servers`` are the pods that it asks, by the value of their label, with their ports. Whoever forwards a port with
    kubectl comes through the kubelet, which no policy holds back.
    """
    found = {
        f"{APP}-from-{source}": allow_from_namespace(source, [PORT], PODS)
        for source in (namespace, *choices.reached_from)
    }
    for app, port in servers.items():
        found[f"{APP}-to-{app}"] = allow_to_pods({APP_LABEL: app}, [port], PODS)
        found[f"{app}-from-{APP}"] = allow_from_pods(PODS, [port], {APP_LABEL: app})
    if choices.sso is not None:
        found[f"{APP}-to-login"] = allow_https(PODS)
    return found


class Grafana(KubernetesComponent, area="observability"):
    """One server, its settings and its dashboards."""

    def __init__(self, name: str, args: GrafanaArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, args.labels, opts)
        self._args = args
        self._folders = in_folders(args.boards)
        secrets = self._secrets()
        needs = [self._account(), *self._dashboards(), *(made for place in secrets.values() for made in place.made)]
        Deployment(
            name,
            metadata={"name": APP, "namespace": args.namespace},
            spec={
                "replicas": 1,
                "selector": {"match_labels": PODS},
                "template": {"metadata": {"labels": PODS}, "spec": self._pod(self._settings(), secrets)},
            },
            opts=self.options(depends_on=needs),
        )
        self._service()
        self.register_outputs({})

    def _account(self) -> ServiceAccount:
        return ServiceAccount(
            self.component_name,
            metadata={"name": APP, "namespace": self._args.namespace},
            automount_service_account_token=False,
            opts=self.options(),
        )

    def _secrets(self) -> dict[str, SecretPlace]:
        """The secrets that are asked for, by the file that holds each."""
        choices = self._args.choices
        wanted = {ADMIN_FILE: choices.admin, SSO_FILE: choices.sso.client_secret if choices.sso else None}
        return {
            file: source.place(self.child(file), self._args.namespace, self.options())
            for file, source in wanted.items()
            if source is not None
        }

    def _settings(self) -> ConfigMap:
        # Pulumi names it, and another content gets another name: Grafana reads these when it starts.
        args, choices = self._args, self._args.choices
        config = GrafanaConfig(
            url=choices.url,
            anonymous=choices.anonymous,
            login=choices.sso.login if choices.sso else None,
            has_admin=choices.admin is not None,
            home=self._home(),
        )
        data = {
            "grafana.ini": ini(config),
            "sources.yaml": sources(args.prometheus, args.alertmanager),
            "dashboards.yaml": providers(each.folder for each in self._folders),
        }
        metadata: ObjectMetaArgsDict = {"namespace": args.namespace}
        # Read once, when the server starts: another content gets another name, and the server is started anew.
        return ConfigMap(self.child("settings"), metadata=metadata, data=data, immutable=True, opts=self.options())

    def _home(self) -> str | None:
        found = [board.folder for board in self._args.boards if board.uid == self._args.home]
        return f"{path_of(found[0])}/{self._args.home}.json" if found else None

    def _dashboards(self) -> list[ConfigMap]:
        # They keep their names, so that what changes reaches the running server, which reads it again.
        return [
            ConfigMap(
                self.child(name),
                metadata={"name": f"{APP}-{name}", "namespace": self._args.namespace},
                data=part,
                opts=self.options(),
            )
            for each in self._folders
            for name, part in zip(_parts(each), each.parts, strict=True)
            if part
        ]

    def _service(self) -> None:
        Service(
            self.component_name,
            metadata={"name": APP, "namespace": self._args.namespace, "labels": PODS},
            spec=service_of(PODS, "http", PORT),
            opts=self.options(),
        )

    def _pod(self, settings: ConfigMap, secrets: Mapping[str, SecretPlace]) -> PodSpecArgsDict:
        volumes: list[VolumeArgsDict] = [
            _config_volume(settings),
            {"name": "data", "empty_dir": {"size_limit": "1Gi"}},
            {"name": "tmp", "empty_dir": {"size_limit": "256Mi"}},
            *(_dashboards_volume(each) for each in self._folders),
            *(place.volume(file, file) for file, place in secrets.items()),
        ]
        return {
            **unprivileged(),
            "service_account_name": APP,
            "automount_service_account_token": False,
            "volumes": volumes,
            "containers": [self._container(list(secrets))],
        }

    def _container(self, secrets: Sequence[str]) -> ContainerArgsDict:
        mounts: list[VolumeMountArgsDict] = [
            {"name": "settings", "mount_path": CONFIG_FOLDER, "read_only": True},
            {"name": "data", "mount_path": _DATA},
            {"name": "tmp", "mount_path": "/tmp"},  # noqa: S108 - a volume of its own
            *(_dashboards_mount(each.folder) for each in self._folders),
            # A file, so that both lie in one folder. It is read at the start alone, and need not follow the Secret.
            *_secret_mounts(secrets),
        ]
        return {
            "name": APP,
            "image": GRAFANA,
            "env": [
                {"name": "GF_PATHS_CONFIG", "value": f"{CONFIG_FOLDER}/grafana.ini"},
                {"name": "GF_PATHS_PROVISIONING", "value": f"{CONFIG_FOLDER}/provisioning"},
                # The default is known to everybody. This is random, and ends with the database that it encrypts.
                {"name": "GF_SECURITY_SECRET_KEY", "value_from": {"field_ref": {"field_path": "metadata.uid"}}},
            ],
            "ports": [{"name": "http", "container_port": PORT, "protocol": "TCP"}],
            "security_context": hardened(),
            "volume_mounts": mounts,
            "resources": resources("100m", "256Mi", "1", "768Mi"),
            # It makes its database anew in every pod, which takes its time.
            "startup_probe": http_probe("/api/health", "http", period=5, failures=60),
            "liveness_probe": http_probe("/api/health", "http", failures=6),
            "readiness_probe": http_probe("/api/health", "http"),
        }


def _secret_mounts(files: Sequence[str]) -> list[VolumeMountArgsDict]:
    return [
        {"name": file, "mount_path": f"{SECRETS_FOLDER}/{file}", "sub_path": file, "read_only": True} for file in files
    ]


def _config_volume(settings: ConfigMap) -> VolumeArgsDict:
    places = {
        "grafana.ini": "grafana.ini",
        "sources.yaml": "provisioning/datasources/sources.yaml",
        "dashboards.yaml": "provisioning/dashboards/dashboards.yaml",
    }
    items: list[KeyToPathArgsDict] = [{"key": key, "path": path} for key, path in places.items()]
    return {"name": "settings", "config_map": {"name": settings.metadata.name, "items": items}}


def _dashboards_volume(files: FolderFiles) -> VolumeArgsDict:
    """All parts of a folder as one. A part may be missing: nothing is in it then, and something may be one day."""
    parts: list[VolumeProjectionArgsDict] = [
        {"config_map": {"name": f"{APP}-{name}", "optional": True}} for name in _parts(files)
    ]
    return {"name": files.folder.uid, "projected": {"sources": parts}}


def _dashboards_mount(folder: Folder) -> VolumeMountArgsDict:
    return {"name": folder.uid, "mount_path": path_of(folder), "read_only": True}


def _parts(files: FolderFiles) -> list[str]:
    """What the ConfigMaps of a folder are called."""
    return [f"dashboards-{files.folder.uid}-{number}" for number in range(len(files.parts))]
