"""How the GPUs of a pool are given out: whole, in turns (time-slicing), or in partitions (MIG).

The device plugin and the MIG manager read a configuration by name from a label of the node, so a pool's nodes carry the
names of theirs. Both configurations of a pool have the pool's name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from components.nodepools import GPU_RESOURCE

PLUGIN_CONFIG_LABEL: Final = "nvidia.com/device-plugin.config"
MIG_CONFIG_LABEL: Final = "nvidia.com/mig.config"
# The configuration of nodes that name none.
WHOLE: Final = "whole"


@dataclass(frozen=True)
class Sharing:
    """``replicas`` pods take turns on each GPU, or each GPU is partitioned into ``mig`` instances by profile."""

    replicas: int = 1
    mig: Mapping[str, int] = field(default_factory=dict[str, int])

    @property
    def shares(self) -> bool:
        return self.replicas > 1 or bool(self.mig)

    @property
    def mig_strategy(self) -> str:
        """``single``: all instances are alike and count as GPUs; ``mixed``: each profile is a resource of its own."""
        return {0: "none", 1: "single"}.get(len(self.mig), "mixed")

    def devices(self, gpus: int) -> dict[str, int]:
        """What ``gpus`` GPUs are to the scheduler: number by name of the resource."""
        if self.mig_strategy == "mixed":
            return {mig_resource(profile): count * gpus for profile, count in self.mig.items()}
        per_gpu = sum(self.mig.values()) or self.replicas
        return {GPU_RESOURCE: per_gpu * gpus}


def mig_resource(profile: str) -> str:
    """What a partition is called where profiles are mixed."""
    return f"nvidia.com/mig-{profile}"


def node_labels(pool: str, sharing: Sharing) -> dict[str, str]:
    """The labels by which the nodes of ``pool`` ask for what is shared on them; none where GPUs are given out whole."""
    if not sharing.shares:
        return {}
    labels = {PLUGIN_CONFIG_LABEL: pool}
    return {**labels, MIG_CONFIG_LABEL: pool} if sharing.mig else labels


def plugin_configs(pools: Mapping[str, Sharing]) -> dict[str, str]:
    """The device plugin's configuration files by name, for pools that share; JSON, which is YAML too."""
    configs = {WHOLE: _plugin_config(Sharing())}
    configs |= {pool: _plugin_config(sharing) for pool, sharing in sorted(pools.items()) if sharing.shares}
    return configs


def mig_configs(pools: Mapping[str, Sharing]) -> str:
    """The MIG manager's configuration file: for each pool with partitions, those of every GPU."""
    configs: dict[str, Sequence[object]] = {"all-disabled": [{"devices": "all", "mig-enabled": False}]}
    for pool, sharing in sorted(pools.items()):
        if sharing.mig:
            configs[pool] = [{"devices": "all", "mig-enabled": True, "mig-devices": dict(sharing.mig)}]
    return _text({"version": "v1", "mig-configs": configs})


def _plugin_config(sharing: Sharing) -> str:
    config: dict[str, Any] = {"version": "v1", "flags": {"migStrategy": sharing.mig_strategy, "failOnInitError": True}}
    if sharing.replicas > 1:
        config["sharing"] = {
            "timeSlicing": {
                # Two shares of one GPU are no more than one: a pod that asks for two would wait for nothing.
                "failRequestsGreaterThanOne": True,
                "resources": [{"name": GPU_RESOURCE, "replicas": sharing.replicas}],
            }
        }
    return _text(config)


def _text(config: Mapping[str, Any]) -> str:
    return json.dumps(config, indent=2) + "\n"
