"""The EFA device plugin: gives pods the network interfaces by which nodes train together, where a pool has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_kubernetes.apps.v1 import DaemonSet
from pulumi_kubernetes.core.v1 import PodSpecArgsDict, ServiceAccount

from components.gpu_pods import amounts, daemon_set, host_folder, in_pools, on_gpu_nodes
from components.kubernetes import KubernetesComponent

# The image of the plugin's chart 0.5.29. Source: aws/eks-charts, stable/aws-efa-k8s-device-plugin, 2026-06-15.
_TAG = "v0.5.20"
_APP = "aws-efa-k8s-device-plugin"
# The accounts that hold EKS's own images. Source: Amazon EKS User Guide, "View Amazon container image registries for
# Amazon EKS add-ons", 2026-11. Where a region is not among them, its nodes pull from us-west-2, as the chart has it.
_ACCOUNT = "602401143452"
_ACCOUNTS: Final = {
    "af-south-1": "877085696533",
    "ap-east-1": "800184023465",
    "ap-south-2": "900889452093",
    "ap-southeast-3": "296578399912",
    "ap-southeast-4": "491585149902",
    "ap-southeast-5": "151610086707",
    "ap-southeast-7": "121268973566",
    "cn-north-1": "918309763551",
    "cn-northwest-1": "961992271922",
}
_OF_THE_COMMON_ACCOUNT: Final = (
    "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2",
    "ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1", "us-east-1",
    "us-east-2", "us-west-1", "us-west-2",
)  # fmt: skip


@dataclass(frozen=True)
class EfaPluginArgs:
    labels: Mapping[str, str]
    namespace: str
    region: str
    pools: Sequence[str]


class EfaPlugin(KubernetesComponent, area="gpu"):
    """The plugin on the nodes of the pools that have EFA."""

    def __init__(self, name: str, args: EfaPluginArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, args.labels, opts)
        account = ServiceAccount(
            name,
            metadata={"name": _APP, "namespace": args.namespace},
            automount_service_account_token=False,
            opts=self.options(),
        )
        DaemonSet(
            name,
            metadata={"name": _APP, "namespace": args.namespace},
            spec=daemon_set(_APP, _pod(image(args.region), args.pools)),
            opts=self.options(depends_on=[account]),
        )
        self.register_outputs({})


def image(region: str) -> str:
    """The plugin's image in the registry of EKS that is nearest to ``region``."""
    place = region if region in (*_ACCOUNTS, *_OF_THE_COMMON_ACCOUNT) else "us-west-2"
    suffix = ".cn" if place.startswith("cn-") else ""
    return f"{_ACCOUNTS.get(place, _ACCOUNT)}.dkr.ecr.{place}.amazonaws.com{suffix}/eks/{_APP}:{_TAG}"


def _pod(image: str, pools: Sequence[str]) -> PodSpecArgsDict:
    plugins, plugins_mount = host_folder("device-plugins", "/var/lib/kubelet/device-plugins", read_only=False)
    devices, devices_mount = host_folder("infiniband", "/dev/infiniband", read_only=True)
    return {
        **on_gpu_nodes([in_pools(pools)]),
        "service_account_name": _APP,
        "automount_service_account_token": False,
        # The interfaces belong to the node's network; from a network of its own the plugin would see none of them.
        "host_network": True,
        "volumes": [plugins, devices],
        "containers": [
            {
                "name": "plugin",
                "image": image,
                # It opens the node's devices, which only a privileged container may. Source: the plugin's chart 0.5.29.
                "security_context": {
                    "privileged": True,
                    "allow_privilege_escalation": True,
                    "run_as_non_root": False,
                    "run_as_user": 0,
                    "read_only_root_filesystem": True,
                    "seccomp_profile": {"type": "RuntimeDefault"},
                },
                "volume_mounts": [plugins_mount, devices_mount],
                "resources": amounts("10m", "32Mi", "128Mi"),
            }
        ],
    }
