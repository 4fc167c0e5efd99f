"""The device plugin's sidecar where GPUs are shared: puts the configuration that the node's label names in place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pulumi
from pulumi_kubernetes.core.v1 import (
    ContainerArgsDict,
    EnvVarArgsDict,
    VolumeArgsDict,
    VolumeMountArgsDict,
    VolumeProjectionArgsDict,
)

from components.gpu_pods import amounts, node_name, scratch
from components.gpu_sharing import PLUGIN_CONFIG_LABEL, WHOLE
from components.kubernetes import hardened

_CONFIGS, _CONFIG = "/available-configs", "/config"
CONFIG_FILE: Final = f"{_CONFIG}/config.yaml"
_CHOSEN, _CHOSEN_MOUNT = scratch("config", _CONFIG)
_AVAILABLE_MOUNT: VolumeMountArgsDict = {"name": "available-configs", "mount_path": _CONFIGS, "read_only": True}
# The token is mounted by hand, for this container alone: the plugin beside it asks the API server for nothing.
_TOKEN_MOUNT: VolumeMountArgsDict = {
    "name": "token",
    "mount_path": "/var/run/secrets/kubernetes.io/serviceaccount",
    "read_only": True,
}
_TOKEN_SOURCES: tuple[VolumeProjectionArgsDict, ...] = (
    {"service_account_token": {"path": "token", "expiration_seconds": 3607}},
    {"config_map": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
    {"downward_api": {"items": [{"path": "namespace", "field_ref": {"field_path": "metadata.namespace"}}]}},
)
PLUGIN_MOUNTS: Final = (_AVAILABLE_MOUNT, _CHOSEN_MOUNT)


def config_volumes(config_map: pulumi.Input[str]) -> Sequence[VolumeArgsDict]:
    """The volumes that the manager and the plugin need; ``config_map`` holds all configurations by name."""
    return [
        {"name": "available-configs", "config_map": {"name": config_map}},
        _CHOSEN,
        {"name": "token", "projected": {"sources": list(_TOKEN_SOURCES)}},
    ]


def config_manager(name: str, image: str, *, once: bool) -> ContainerArgsDict:
    """The manager: ``once`` before the plugin starts, then for as long as it runs, telling it of every change."""
    env: list[EnvVarArgsDict] = [
        node_name(),
        {"name": "ONESHOT", "value": str(once).lower()},
        {"name": "NODE_LABEL", "value": PLUGIN_CONFIG_LABEL},
        {"name": "DEFAULT_CONFIG", "value": WHOLE},
        {"name": "CONFIG_FILE_SRCDIR", "value": _CONFIGS},
        {"name": "CONFIG_FILE_DST", "value": CONFIG_FILE},
        {"name": "SEND_SIGNAL", "value": str(not once).lower()},
        {"name": "SIGNAL", "value": "1"},
        {"name": "PROCESS_TO_SIGNAL", "value": "nvidia-device-plugin"},
    ]
    return {
        "name": name,
        "image": image,
        "command": ["config-manager"],
        "env": env,
        # As root, as the plugin is: else it may not signal it.
        "security_context": hardened(run_as_non_root=False, run_as_user=0),
        "volume_mounts": [*PLUGIN_MOUNTS, _TOKEN_MOUNT],
        "resources": amounts("10m", "32Mi", "128Mi"),
    }
