"""NVIDIA's device plugin: tells the kubelet of the GPUs of its node, whole or shared, and hands them to pods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_kubernetes.apps.v1 import DaemonSet
from pulumi_kubernetes.core.v1 import (
    ConfigMap,
    ContainerArgsDict,
    EnvVarArgsDict,
    NodeSelectorRequirementArgsDict,
    PodSpecArgsDict,
    SecurityContextArgsDict,
    ServiceAccount,
    VolumeMountArgsDict,
)
from pulumi_kubernetes.rbac.v1 import ClusterRole, ClusterRoleBinding

from components.gpu_config_manager import CONFIG_FILE, PLUGIN_MOUNTS, config_manager, config_volumes
from components.gpu_pods import amounts, daemon_set, host_folder, in_pools, on_gpu_nodes, paused_for_mig
from components.gpu_sharing import Sharing, plugin_configs
from components.kubernetes import KubernetesComponent, hardened
from components.pod_facts import APP_LABEL

# Its digest is that of NVIDIA's gpu-operator, bundle/manifests, commit 75f47b387, 2026-02-19.
IMAGE: Final = (
    "nvcr.io/nvidia/k8s-device-plugin:v0.18.2@sha256:b5788e29e7ae5272de8de863ebe386d6611e608421a6ecc5b4e7d5952aba637f"
)
_APP = "nvidia-device-plugin"
PLUGIN_PODS: Final = {APP_LABEL: _APP}


@dataclass(frozen=True)
class DevicePluginArgs:
    """``sharing`` by pool; nodes of ``not_in_pools`` have a device plugin of their own."""

    labels: Mapping[str, str]
    namespace: str
    sharing: Mapping[str, Sharing]
    not_in_pools: Sequence[str]


class DevicePlugin(KubernetesComponent, area="gpu"):
    """The plugin on every node with a GPU; where GPUs are shared, with a sidecar that follows the node's label."""

    def __init__(self, name: str, args: DevicePluginArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, args.labels, opts)
        self._args = args
        self._shares = any(sharing.shares for sharing in args.sharing.values())
        self._partitions = any(sharing.mig for sharing in args.sharing.values())
        account = ServiceAccount(
            name,
            metadata={"name": _APP, "namespace": args.namespace},
            automount_service_account_token=False,
            opts=self.options(),
        )
        self._configs = self._make_configs() if self._shares else None
        DaemonSet(
            name,
            metadata={"name": _APP, "namespace": args.namespace},
            spec=daemon_set(_APP, self._pod()),
            opts=self.options(depends_on=[account, *(self._may_read_nodes() if self._shares else [])]),
        )
        self.register_outputs({})

    def _make_configs(self) -> ConfigMap:
        # Pulumi names it, and another content gets another name: pods that read the old one are replaced.
        return ConfigMap(
            self.child("configs"),
            metadata={"namespace": self._args.namespace},
            data=plugin_configs(self._args.sharing),
            immutable=True,
            opts=self.options(),
        )

    def _may_read_nodes(self) -> list[pulumi.Resource]:
        # Of all nodes, because a role can't be bound to the node that a pod happens to run on.
        role = ClusterRole(
            self.child("nodes"),
            metadata={"name": _APP},
            rules=[{"api_groups": [""], "resources": ["nodes"], "verbs": ["get", "list", "watch"]}],
            opts=self.options(),
        )
        binding = ClusterRoleBinding(
            self.child("nodes"),
            metadata={"name": _APP},
            role_ref={"api_group": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": _APP},
            subjects=[{"kind": "ServiceAccount", "name": _APP, "namespace": self._args.namespace}],
            opts=self.options(depends_on=[role]),
        )
        return [role, binding]

    def _pod(self) -> PodSpecArgsDict:
        # Its socket lies in a folder of the node that belongs to root; the plugin neither reads nor writes elsewhere.
        plugins, mount = host_folder("device-plugins", "/var/lib/kubelet/device-plugins", read_only=False)
        pod: PodSpecArgsDict = {
            **on_gpu_nodes(self._avoided()),
            "service_account_name": _APP,
            "automount_service_account_token": False,
        }
        if self._configs is None:
            return {**pod, "volumes": [plugins], "containers": [self._plugin([mount])]}
        return {
            **pod,
            # So that the manager can tell the plugin to read its file again.
            "share_process_namespace": True,
            "volumes": [plugins, *config_volumes(self._configs.metadata.name)],
            "init_containers": [config_manager("choose-config", IMAGE, once=True)],
            "containers": [
                self._plugin([mount, *PLUGIN_MOUNTS]),
                config_manager("follow-config", IMAGE, once=False),
            ],
        }

    def _avoided(self) -> list[NodeSelectorRequirementArgsDict]:
        avoided = [paused_for_mig("device-plugin")] if self._partitions else []
        if self._args.not_in_pools:
            avoided.append(in_pools(self._args.not_in_pools, negate=True))
        return avoided

    def _plugin(self, mounts: Sequence[VolumeMountArgsDict]) -> ContainerArgsDict:
        env: list[EnvVarArgsDict] = [
            {"name": "NVIDIA_VISIBLE_DEVICES", "value": "all"},
            {"name": "NVIDIA_DRIVER_CAPABILITIES", "value": "compute,utility"},
        ]
        if self._configs is not None:
            env.append({"name": "CONFIG_FILE", "value": CONFIG_FILE})
        if self._partitions:
            env.append({"name": "NVIDIA_MIG_MONITOR_DEVICES", "value": "all"})
        # It has no port to probe (0.18): it exits when it can't serve, and the kubelet starts it again.
        return {
            "name": "plugin",
            "image": IMAGE,
            "command": ["nvidia-device-plugin"],
            "env": env,
            "security_context": self._security(),
            "volume_mounts": list(mounts),
            "resources": amounts("10m", "64Mi", "256Mi"),
        }

    def _security(self) -> SecurityContextArgsDict:
        # Root, because the kubelet's folder belongs to root; it may do nothing else that root may.
        as_root = {"run_as_non_root": False, "run_as_user": 0}
        if not self._partitions:
            return hardened(**as_root)
        # The driver shows partitions to administrators only. Source: the plugin's chart 0.18.2, requiresCapSysAdmin.
        return hardened(**as_root, capabilities={"drop": ["ALL"], "add": ["SYS_ADMIN"]})
