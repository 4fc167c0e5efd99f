"""GPUs that a program gives out in turns (time-slicing) or in partitions (MIG): what its nodes then offer.

A node names its configuration in labels; the configurations lie in ConfigMaps. Source: NVIDIA's device plugin 0.18,
"Shared Access to GPUs" and "CLI-specific resources" of its README, and mig-parted's configuration format, 2026-10.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import yaml

from engine.simulation.declared import Declared, inputs
from engine.simulation.model import GPU, Assumption, Pool

PLUGIN_LABEL: Final = "nvidia.com/device-plugin.config"
MIG_LABEL: Final = "nvidia.com/mig.config"
_CONFIG_MAP: Final = "kubernetes:core/v1:ConfigMap"


def shared(pool: Pool, declared: Declared) -> tuple[Pool, list[Assumption]]:
    """``pool`` with what its GPUs are to the scheduler, and what there is to say about it."""
    gpus = pool.machine.gpu_count
    plugin, mig = pool.labels.get(PLUGIN_LABEL), pool.labels.get(MIG_LABEL)
    if not gpus or not (plugin or mig):
        return pool, []
    place = f"pool {pool.name}"
    config = next(_plugin_configs(declared, plugin), None) if plugin else {}
    partitions = next(_partitions(declared, mig), None) if mig else {}
    if config is None or partitions is None:
        name = plugin if config is None else mig
        text = f"its nodes ask for the GPU configuration {name}, which no ConfigMap has: GPUs count as whole"
        return pool, [Assumption(place, text)]
    offered = _offered(gpus, _replicas(config), partitions, (config.get("flags") or {}).get("migStrategy"))
    if offered == {GPU: gpus}:
        return pool, []
    listed = ", ".join(f"{count} {name}" for name, count in offered.items() if count)
    text = f"the {gpus} GPU{'s' if gpus > 1 else ''} of a node are shared: it offers {listed}"
    return replace(pool, resources={**pool.resources, **offered}), [Assumption(place, text)]


def _offered(gpus: int, replicas: int, partitions: Mapping[str, int], strategy: str | None) -> dict[str, int]:
    if not partitions:
        return {GPU: gpus * replicas}
    if strategy == "mixed":
        return {GPU: 0} | {f"nvidia.com/mig-{profile}": gpus * count for profile, count in partitions.items()}
    return {GPU: gpus * sum(partitions.values()) * replicas}


def _replicas(config: Mapping[str, Any]) -> int:
    slicing = (config.get("sharing") or {}).get("timeSlicing") or {}
    found = [one for one in slicing.get("resources") or () if one.get("name") == GPU]
    return int(found[0].get("replicas") or 1) if found else 1


def _plugin_configs(declared: Declared, name: str) -> Iterator[Mapping[str, Any]]:
    """The device plugin's configurations of that name: a ConfigMap's key each."""
    for data in _data(declared):
        config = _parsed(data.get(name))
        if config.keys() & {"sharing", "flags", "resources"}:
            yield config


def _partitions(declared: Declared, name: str) -> Iterator[Mapping[str, int]]:
    """How many partitions of each profile a GPU has by the configuration ``name``; none where it leaves GPUs whole."""
    for data in _data(declared):
        for text in data.values():
            entries = (_parsed(text).get("mig-configs") or {}).get(name)
            if entries:
                devices = [one.get("mig-devices") or {} for one in entries if one.get("mig-enabled")]
                yield {profile: int(count) for one in devices[:1] for profile, count in one.items()}


def _data(declared: Declared) -> Iterator[Mapping[str, Any]]:
    return (inputs(state).get("data") or {} for state in declared.of_type(_CONFIG_MAP))


def _parsed(text: Any) -> Mapping[str, Any]:
    if not isinstance(text, str) or not ("version" in text or "mig-configs" in text):
        return {}
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError:
        return {}
    return found if isinstance(found, dict) else {}
